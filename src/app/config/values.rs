//! How each type of a setting is written: durations, sizes, paces, addresses, choices. Must not know any key.

use std::net::SocketAddr;
use std::time::Duration;

use super::problem::nearest;
use super::tree::{Node, Value};
use crate::domain::pace::Pace;
use crate::domain::phone::Address;

/// A type that a key can have. The error completes the sentence "`key` …".
pub trait Setting: Sized {
    fn read(node: &Node) -> Result<Self, String>;
}

/// A text for a setting that is read from one; anything else is refused with what to write.
pub fn text<'a>(node: &'a Node, wanted: &str) -> Result<&'a str, String> {
    node.value.as_text().ok_or_else(|| wrong_type(node, wanted))
}

fn wrong_type(node: &Node, wanted: &str) -> String {
    format!("is {}; write {wanted}", node.value.kind())
}

/// One of several words.
pub fn choice<T: Copy>(node: &Node, choices: &[(&str, T)]) -> Result<T, String> {
    let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let wanted = match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    };
    let given = text(node, &wanted)?;
    let found = choices.iter().find(|(word, _)| *word == given).map(|(_, choice)| *choice);
    found.ok_or_else(|| match nearest(given, choices.iter().map(|(word, _)| *word)) {
        Some(meant) => format!("is \"{given}\"; did you mean \"{meant}\"?"),
        None => format!("is \"{given}\"; write {wanted}"),
    })
}

impl Setting for String {
    fn read(node: &Node) -> Result<Self, String> {
        text(node, "a string").map(str::to_owned)
    }
}

impl Setting for bool {
    fn read(node: &Node) -> Result<Self, String> {
        match node.value.as_toml() {
            Value::Boolean(boolean) => Ok(*boolean),
            _ => Err(wrong_type(node, "true or false")),
        }
    }
}

impl Setting for u64 {
    fn read(node: &Node) -> Result<Self, String> {
        match node.value.as_toml() {
            Value::Integer(integer) => {
                (*integer).try_into().map_err(|_| format!("is {integer}; write 0 or more"))
            }
            _ => Err(wrong_type(node, "an integer")),
        }
    }
}

/// How many of something: at least one.
impl Setting for std::num::NonZeroUsize {
    fn read(node: &Node) -> Result<Self, String> {
        match node.value.as_toml() {
            Value::Integer(integer) => usize::try_from(*integer)
                .ok()
                .and_then(Self::new)
                .ok_or_else(|| format!("is {integer}; write 1 or more")),
            _ => Err(wrong_type(node, "an integer")),
        }
    }
}

/// A share of all cases, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share(pub f64);

impl Setting for Share {
    fn read(node: &Node) -> Result<Self, String> {
        let share = match node.value.as_toml() {
            Value::Float(float) => *float,
            Value::Integer(0) => 0.0,
            Value::Integer(1) => 1.0,
            Value::Integer(_) => f64::INFINITY,
            _ => return Err(wrong_type(node, "a number from 0.0 to 1.0")),
        };
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err("is out of range; write a number from 0.0 to 1.0".to_owned())
        }
    }
}

const DURATION: &str =
    "a whole number and its unit, such as \"2h\", \"90s\" or \"500ms\" (units: ms, s, m, h, d)";

/// A length of time as it is written, in the configuration and on the command line.
pub fn duration(given: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    scaled(given, &units)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("is \"{given}\", which is no duration; write {DURATION}"))
}

/// A length of time that may be zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay(pub Duration);

impl Setting for Delay {
    fn read(node: &Node) -> Result<Self, String> {
        duration(text(node, DURATION)?).map(Self)
    }
}

/// A length of time, never zero.
impl Setting for Duration {
    fn read(node: &Node) -> Result<Self, String> {
        match Delay::read(node)?.0 {
            Self::ZERO => Err("is no time at all; write something longer".to_owned()),
            duration => Ok(duration),
        }
    }
}

const SIZE: &str =
    "a whole number and its unit, such as \"256MB\" (units: B, KB, MB, GB, each 1024 times the last)";

/// A number of bytes, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl Setting for ByteSize {
    fn read(node: &Node) -> Result<Self, String> {
        let bytes = match node.value.as_toml() {
            Value::Integer(integer) => u64::try_from(*integer).ok(),
            _ => scaled(text(node, SIZE)?, &[("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)]),
        };
        bytes.filter(|&bytes| bytes > 0).map(Self).ok_or_else(|| format!("is no size; write {SIZE}"))
    }
}

/// Digits and one of the units, with nothing but a space between.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    count.parse::<u64>().ok()?.checked_mul(*scale)
}

impl Setting for Pace {
    fn read(node: &Node) -> Result<Self, String> {
        let given = text(node, "a pace such as \"1/s\", \"3.75/s\" or \"200000/d\"")?;
        given.parse().map_err(|_| {
            format!("is \"{given}\", which is no pace; write a count and s, m, h or d, such as \"1/s\" or \"200000/d\"")
        })
    }
}

impl Setting for Address {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str =
            "a phone number as \"+15550001111\", a short code as \"74454\" or a sender as \"Acme\"";
        let given = text(node, WANTED)?;
        Self::parse(given).map_err(|_| format!("is \"{given}\", which cannot be texted from; write {WANTED}"))
    }
}

impl Setting for SocketAddr {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str = "an IP address and a port, such as \"127.0.0.1:8080\" or \"0.0.0.0:8080\"";
        let given = text(node, WANTED)?;
        given.parse().map_err(|_| format!("is \"{given}\"; write {WANTED}"))
    }
}

/// Whether somebody can be called there.
pub fn is_callable(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| is_web(&url))
}

fn is_web(url: &reqwest::Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// An absolute `http` or `https` URL without query, fragment or trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn parse(text: &str) -> Option<Self> {
        let url = reqwest::Url::parse(text).ok()?;
        let anonymous = url.username().is_empty() && url.password().is_none();
        Self::parse_with_user(text).filter(|_| anonymous)
    }

    /// The same, where a user and a password may stand in it.
    fn parse_with_user(text: &str) -> Option<Self> {
        let url = reqwest::Url::parse(text).ok()?;
        let plain = is_web(&url) && url.query().is_none() && url.fragment().is_none();
        plain.then(|| Self(text.trim_end_matches('/').to_owned()))
    }

    /// Of a server that listens there.
    pub fn of(listen: SocketAddr) -> Self {
        Self(format!("http://{listen}"))
    }

    /// Whether it names this machine to whoever asks.
    pub fn is_local(&self) -> bool {
        let url = reqwest::Url::parse(&self.0).ok();
        let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
        let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
    }
}

impl Setting for BaseUrl {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str =
            "an address such as \"https://sms.example.com\", without user, query or fragment";
        // Not repeated: what somebody wrongly puts there may be a password.
        Self::parse(text(node, WANTED)?).ok_or_else(|| format!("is no base URL; write {WANTED}"))
    }
}

/// How the world reaches the daemon. May hold a user and a password, for a proxy in front of it: the provider signs the
/// URL with them.
#[derive(Clone)]
pub struct PublicUrl(BaseUrl);

impl PublicUrl {
    pub fn of(listen: SocketAddr) -> Self {
        Self(BaseUrl::of(listen))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn is_local(&self) -> bool {
        self.0.is_local()
    }
}

impl std::fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.as_str().rsplit('@').next().unwrap_or_default();
        write!(f, "PublicUrl({host:?})")
    }
}

impl Setting for PublicUrl {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str = "an address such as \"https://sms.example.com\", without query or fragment";
        let url = BaseUrl::parse_with_user(text(node, WANTED)?);
        url.map(Self).ok_or_else(|| format!("is no base URL; write {WANTED}"))
    }
}

/// A list; a variable may also give its only entry as it is.
impl<T: Setting> Setting for Vec<T> {
    fn read(node: &Node) -> Result<Self, String> {
        match &node.value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| T::read(item).map_err(|wrong| format!("at index {index} {wrong}")))
                .collect(),
            _ if matches!(node.place, super::tree::Place::Variable(_)) => Ok(vec![T::read(node)?]),
            _ => Err(wrong_type(node, "an array, such as [\"…\"]")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::tree;

    fn read<T: Setting>(text: &str) -> Result<T, String> {
        T::read(&tree::parse_variable("X", text))
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("500ms", 500), ("90s", 90_000), ("30 m", 1_800_000), ("2h", 7_200_000)] {
            assert_eq!(read::<Duration>(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["5", "", "s", "1.5s", "-1s", "2 hours", "0s", "99999999999999999999s"] {
            assert!(read::<Duration>(text).is_err(), "{text}");
        }
        assert_eq!(read::<Delay>("0s").unwrap(), Delay::default());
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("1024", 1024), ("7B", 7), ("256MB", 256 << 20), ("2 GB", 2 << 30)] {
            assert_eq!(read::<ByteSize>(text).unwrap().0, bytes, "{text}");
        }
        for text in ["0", "-1", "MB", "1.5MB", "1TB", "true"] {
            assert!(read::<ByteSize>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_base_url_is_a_plain_one() {
        assert_eq!(BaseUrl::parse("https://a.example/x/").unwrap().as_str(), "https://a.example/x");
        for text in ["a.example", "ftp://a.example", "https://u:p@a.example", "https://a.example/?q=1"] {
            assert!(BaseUrl::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_public_url_may_hold_a_user_and_does_not_show_them() {
        let url = read::<PublicUrl>("https://u:hunter2@a.example/x").unwrap();
        assert_eq!(url.as_str(), "https://u:hunter2@a.example/x");
        assert!(!format!("{url:?}").contains("hunter2"));
        assert!(read::<PublicUrl>("https://a.example/?q=1").is_err());
    }

    #[test]
    fn a_variable_of_digits_is_a_text_where_a_text_is_wanted() {
        assert_eq!(read::<String>("0012").unwrap(), "0012");
        assert_eq!(read::<String>("true").unwrap(), "true");
        assert_eq!(read::<u64>("12").unwrap(), 12);
        assert_eq!(read::<Vec<String>>("+15550001111").unwrap(), ["+15550001111"]);
        assert_eq!(read::<Vec<String>>(r#"["a", "b"]"#).unwrap(), ["a", "b"]);
    }
}
