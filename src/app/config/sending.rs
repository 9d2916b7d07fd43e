//! `[sending]`: how long texts may wait and how fast they leave.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::section::Section;
use super::tree::{Node, Value};
use super::values::{Setting, choice, text};
use crate::domain::delivery::OnUnknown;
use crate::domain::pace::Pace;
use crate::domain::retry::{Asks, Looks};

#[derive(Clone, Debug)]
pub struct Sending {
    /// How long a text may wait before it expires.
    pub valid_for: Duration,
    /// Of each lane.
    pub max_in_flight: usize,
    /// For one call to a provider.
    pub request_timeout: Duration,
    /// When the provider is asked for a text whose answer was lost.
    pub looks: Looks,
    /// How long such a text holds its customer's later ones at the most.
    pub order_hold: Duration,
    /// When the provider is asked about a text of which it says nothing final.
    pub asks: Asks,
    /// For channels that say nothing of it.
    pub on_unknown: OnUnknown,
    /// For channels that say nothing of it.
    pub pace: ChannelPace,
}

/// In segments. None: as fast as it goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelPace {
    /// Of each number or messaging service.
    pub number: Option<Pace>,
    /// Of the whole account.
    pub account: Option<Pace>,
    /// Of the whole account, to numbers that begin so.
    pub destinations: BTreeMap<String, Pace>,
}

impl Setting for OnUnknown {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("hold", Self::Hold), ("resend", Self::Resend)])
    }
}

/// Whoever gives a session to agents waits for so long that the bot's last words have left.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// None: never.
struct AskAfter(Option<Duration>);

impl Setting for AskAfter {
    fn read(node: &Node) -> Result<Self, String> {
        if node.value.as_text() == Some("never") {
            return Ok(Self(None));
        }
        Duration::read(node).map(|after| Self(Some(after))).map_err(|wrong| format!("{wrong}, or \"never\""))
    }
}

impl ChannelPace {
    /// Twilio's for a long code in the USA, and for an account.
    fn usual() -> Self {
        Self {
            number: Some(Pace::per_second(1)),
            account: Some(Pace::per_second(100)),
            destinations: BTreeMap::new(),
        }
    }

    /// What the section does not say is as in `default`, each destination by itself.
    pub(super) fn read(mut section: Section<'_>, default: &Self) -> Self {
        let number = section.or("number", Limit(default.number)).0;
        let account = section.or("account", Limit(default.account)).0;
        let mut destinations = default.destinations.clone();
        for (prefix, Limit(pace)) in section.or("destinations", Destinations::default()).0 {
            match pace {
                Some(pace) => destinations.insert(prefix, pace),
                None => destinations.remove(&prefix),
            };
        }
        section.finish();
        Self { number, account, destinations }
    }
}

/// A pace, or `none`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit(Option<Pace>);

impl Setting for Limit {
    fn read(node: &Node) -> Result<Self, String> {
        if text(node, "a pace such as \"1/s\" or \"200000/d\", or \"none\"")? == "none" {
            return Ok(Self(None));
        }
        Pace::read(node).map(Some).map(Self)
    }
}

/// Paces by the first digits of customers' numbers.
#[derive(Debug, Default)]
struct Destinations(BTreeMap<String, Limit>);

impl Setting for Destinations {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str = "a table of numbers' beginnings and paces, such as { \"+44\" = \"5/s\" }";
        let Value::Table(table) = node.value.as_toml() else {
            return Err(format!("is {}; write {WANTED}", node.value.kind()));
        };
        let mut destinations = BTreeMap::new();
        for (prefix, entry) in table {
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("has \"{prefix}\", which no number begins with; write {WANTED}"));
            }
            let pace = Limit::read(&entry.node).map_err(|wrong| format!("for \"{prefix}\" {wrong}"))?;
            destinations.insert(prefix.clone(), pace);
        }
        Ok(Self(destinations))
    }
}

impl Sending {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let pace = ChannelPace::read(section.section("pace"), &ChannelPace::usual());
        let valid_for = section.or("valid_for", Duration::from_secs(4 * 60 * 60));
        let max_in_flight = section.optional::<NonZeroUsize>("max_in_flight").map_or(32, NonZeroUsize::get);
        let request_timeout = section.or("request_timeout", Duration::from_secs(10));
        if request_timeout > LONGEST_REQUEST {
            section.refuse(
                "request_timeout",
                "is too long; write \"30s\" or less: a session is given to agents only when no text of the bot is on its way any more",
            );
        }
        let looks = section.optional("looks").map_or_else(|| Ok(Looks::default()), Looks::new);
        let looks = looks.unwrap_or_else(|error| {
            section.refuse("looks", error.to_string());
            Looks::default()
        });
        let order_hold = section.or("order_hold", Duration::from_secs(2 * 60));
        if order_hold < looks.first() {
            section.refuse("order_hold", "is shorter than the first of looks; make it at least as long");
        }
        let ask_after = section.or("ask_after", AskAfter(Some(Duration::from_secs(15 * 60))));
        let on_unknown = section.or("on_unknown", OnUnknown::default());
        section.finish();
        Self {
            valid_for,
            max_in_flight,
            request_timeout,
            looks,
            order_hold,
            asks: Asks::new(ask_after.0),
            on_unknown,
            pace,
        }
    }
}
