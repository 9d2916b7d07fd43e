//! Owns the addresses that texts come from and go to: phone numbers, short codes and sender names. It must
//! not look anything up, and must not refuse a well-formed number because its range is unknown or unassigned.
//!
//! `Display` prints an address in full, for providers and for our API. `Debug` and `redacted` are for logs.

use std::fmt;
use std::str::FromStr;

use phonenumber::metadata::{DATABASE, Descriptor};
use phonenumber::{Metadata, Mode, country};
use serde::{Deserialize, Serialize};

/// Digits of an E.164 number with its country code (ITU-T E.164; the lower bound is ours).
const E164_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Digits of a short code: 5 or 6 in the USA, 3 to 8 elsewhere.
const SHORT_CODE_DIGITS: std::ops::RangeInclusive<usize> = 3..=8;
/// Human input with so few digits, and no plus, is taken for a short code and never completed to a number.
const SHORT_CODE_LIKE_DIGITS: std::ops::RangeInclusive<usize> = 3..=6;
/// Human input with more digits is not read at all: 15, an international prefix, and some room.
const MOST_HUMAN_DIGITS: usize = 20;
/// The library's region of country codes that belong to no country.
const NO_COUNTRY: &str = "001";
/// Characters of an alphanumeric sender (3GPP TS 23.040: eleven 7-bit characters).
const SENDER_CHARS: std::ops::RangeInclusive<usize> = 1..=11;

/// Why a text is no address. No variant repeats the text: it may be personal data.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InvalidNumber {
    /// Not of the canonical form.
    #[error(
        "not an E.164 phone number: write a plus, the country code and 7 to 15 digits in all, as +14155552671"
    )]
    NotE164,
    /// Human input without a digit, or with characters that no phone number has.
    #[error("not a phone number: write digits with spaces, dots, dashes or brackets, as +1 (415) 555-2671")]
    NotANumber,
    /// Human input that looks like a short code.
    #[error("this looks like a short code, not like a phone number: write all digits, as +14155552671")]
    LooksLikeShortCode,
    /// A national number where no region says which country is meant.
    #[error("the country code is missing: start with a plus and the country code, as +14155552671")]
    NoRegion,
    /// The default region is not one that the library knows.
    #[error("unknown default region: write an ISO 3166 code of two letters, as US")]
    UnknownRegion,
    /// The library finds no number in it.
    #[error("not a phone number of any country: start with a plus and the country code, as +14155552671")]
    Unreadable(#[source] phonenumber::ParseError),
    /// No number of that country has so many digits.
    #[error("no phone number of its country has that many digits: write it in full, as +14155552671")]
    ImpossibleLength,
    /// The number read from it would itself be read as another: a prefix too many, mostly.
    #[error(
        "can be read as more than one phone number: write a plus and the country code first, as +14155552671"
    )]
    Ambiguous,
    /// Not a short code.
    #[error("not a short code: write 3 to 8 digits and nothing else, as 74454")]
    NotShortCode,
    /// Not an alphanumeric sender.
    #[error(
        "not a sender name: write 1 to 11 of A-Z a-z 0-9 space & + _ - with a letter among them, as Acme Shop"
    )]
    NotSender,
    /// Neither number, short code nor sender name.
    #[error(
        "not an address: write a phone number as +14155552671, a short code as 74454 or a sender as Acme"
    )]
    NotAddress,
}

/// What the string types here have in common: reading, writing and serde go through `parse`.
macro_rules! parsed_text {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = InvalidNumber;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidNumber;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(address: $name) -> Self {
                address.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.redacted())
            }
        }
    };
}

/// A phone number in canonical E.164: a plus, no zero first, 7 to 15 digits.
///
/// The form is all it promises. The number need not be assigned, nor be of a known range.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

parsed_text!(PhoneNumber);

impl PhoneNumber {
    /// Reads the canonical form only: `^\+[1-9]\d{6,14}$`, without a space anywhere.
    ///
    /// # Errors
    /// [`InvalidNumber::NotE164`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let digits = text.strip_prefix('+').ok_or(InvalidNumber::NotE164)?;
        let well_formed =
            E164_DIGITS.contains(&digits.len()) && all_digits(digits) && !digits.starts_with('0');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidNumber::NotE164) }
    }

    /// Reads what a person typed, such as `(415) 555-2671` with the region `US` (ISO 3166, any case).
    ///
    /// The number must be *possible*: of a length that its country has, and complete. It need not be valid.
    /// Input with a plus does not look at the region. Letters and extensions are refused.
    ///
    /// # Errors
    /// Any variant of [`InvalidNumber`] that speaks of phone numbers; three to six digits without a plus are
    /// [`InvalidNumber::LooksLikeShortCode`] whatever the region.
    pub fn parse_human(text: &str, default_region: Option<&str>) -> Result<Self, InvalidNumber> {
        let dialled = dialled(text)?;
        if SHORT_CODE_LIKE_DIGITS.contains(&dialled.len()) && !dialled.starts_with('+') {
            return Err(InvalidNumber::LooksLikeShortCode);
        }
        let readings = if dialled.starts_with('+') {
            international_readings(&dialled)?
        } else {
            national_readings(&dialled, region(default_region)?)?
        };
        let number = readings.best().ok_or(InvalidNumber::ImpossibleLength)?;
        let again = international_readings(&number.0)?.best();
        if again.as_ref() == Some(&number) { Ok(number) } else { Err(InvalidNumber::Ambiguous) }
    }

    /// The number in full, with its plus.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO 3166 alpha-2 code of the number's country, from libphonenumber's ranges. `None` for numbers of
    /// no country (such as +800) and of ranges that the library does not know, test numbers among them.
    pub fn country_code(&self) -> Option<String> {
        let (code, national) = split(&self.0)?;
        country_of(code, national).map(Metadata::id).filter(|id| *id != NO_COUNTRY).map(str::to_owned)
    }

    /// The number for logs: its first and its last two digits, such as `+14…71`.
    pub fn redacted(&self) -> String {
        let (start, end) = (self.0.get(..3).unwrap_or_default(), self.0.len().saturating_sub(2));
        format!("{start}…{}", self.0.get(end..).unwrap_or_default())
    }
}

/// A short code: 3 to 8 digits, which mean something in one country only. Never completed to a phone number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShortCode(String);

parsed_text!(ShortCode);

impl ShortCode {
    /// Reads 3 to 8 ASCII digits.
    ///
    /// # Errors
    /// [`InvalidNumber::NotShortCode`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let well_formed = SHORT_CODE_DIGITS.contains(&text.len()) && all_digits(text);
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidNumber::NotShortCode) }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code for logs: in full, since short codes belong to companies, not to persons.
    pub fn redacted(&self) -> String {
        self.0.clone()
    }
}

/// A sender that is a name. Nobody can answer it, nor opt out by reply.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlphanumericSender(String);

parsed_text!(AlphanumericSender);

impl AlphanumericSender {
    /// Reads 1 to 11 of `[A-Za-z0-9 &+_-]` with at least one letter.
    ///
    /// # Errors
    /// [`InvalidNumber::NotSender`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b" &+_-".contains(&b);
        let well_formed = SENDER_CHARS.contains(&text.len())
            && text.bytes().all(allowed)
            && text.bytes().any(|b| b.is_ascii_alphabetic());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidNumber::NotSender) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for logs: in full, since sender names belong to companies, not to persons.
    pub fn redacted(&self) -> String {
        self.0.clone()
    }
}

/// Whatever can stand in the "from" or the "to" of a text. In JSON it is a plain string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// A number in E.164.
    Phone(PhoneNumber),
    /// A short code.
    ShortCode(ShortCode),
    /// An alphanumeric sender.
    Sender(AlphanumericSender),
}

parsed_text!(Address);

impl Address {
    /// Reads an address in its canonical form; which kind it is follows from the characters alone.
    ///
    /// # Errors
    /// [`InvalidNumber::NotAddress`] if it is none of the three. Digits without a plus beyond a short code's
    /// eight, and numbers of other channels (`whatsapp:+1…`), are none.
    pub fn parse(text: &str) -> Result<Self, InvalidNumber> {
        let phone = || PhoneNumber::parse(text).map(Self::Phone);
        let short_code = || ShortCode::parse(text).map(Self::ShortCode);
        let sender = || AlphanumericSender::parse(text).map(Self::Sender);
        phone().or_else(|_| short_code()).or_else(|_| sender()).map_err(|_| InvalidNumber::NotAddress)
    }

    /// The address in full.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(number) => number.as_str(),
            Self::ShortCode(code) => code.as_str(),
            Self::Sender(sender) => sender.as_str(),
        }
    }

    /// The address for logs: phone numbers shortened, the others in full.
    pub fn redacted(&self) -> String {
        match self {
            Self::Phone(number) => number.redacted(),
            Self::ShortCode(code) => code.redacted(),
            Self::Sender(sender) => sender.redacted(),
        }
    }

    /// The phone number, if it is one.
    pub const fn phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(number) => Some(number),
            Self::ShortCode(_) | Self::Sender(_) => None,
        }
    }

    /// Whether a text can be sent to it, and so an answer: phones and short codes, not sender names.
    pub const fn is_textable(&self) -> bool {
        matches!(self, Self::Phone(_) | Self::ShortCode(_))
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn region(name: Option<&str>) -> Result<country::Id, InvalidNumber> {
    let name = name.ok_or(InvalidNumber::NoRegion)?;
    let region: country::Id = name.to_ascii_uppercase().parse().map_err(|_| InvalidNumber::UnknownRegion)?;
    DATABASE.by_id(region.as_ref()).map(|_| region).ok_or(InvalidNumber::UnknownRegion)
}

/// What a phone would be given: ASCII digits, with a plus first if the text had one there.
///
/// The library is given nothing else. Its own reading of separators differs between forms of one number (it
/// refuses `+1415-5552671`).
fn dialled(text: &str) -> Result<String, InvalidNumber> {
    let text = text.trim();
    let scheme = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("tel:"));
    let mut out = String::with_capacity(MOST_HUMAN_DIGITS);
    for c in text.chars().skip(if scheme { 4 } else { 0 }) {
        match c {
            '+' | '\u{ff0b}' if out.is_empty() => out.push('+'),
            _ if is_separator(c) => {}
            _ => out.push(ascii_digit(c).ok_or(InvalidNumber::NotANumber)?),
        }
        if out.len() > MOST_HUMAN_DIGITS {
            return Err(InvalidNumber::ImpossibleLength);
        }
    }
    if out.trim_start_matches('+').is_empty() { Err(InvalidNumber::NotANumber) } else { Ok(out) }
}

/// What people and address books put between digits, and the invisible marks that come with pasted text.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '-' | '.' | '(' | ')' | '[' | ']' | '/' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}')
}

/// The ASCII digit that `c` is or stands for: ASCII, full width, Arabic (two sets), Devanagari, Bengali,
/// Thai.
fn ascii_digit(c: char) -> Option<char> {
    const ZEROS: [u32; 7] = [0x30, 0xff10, 0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50];
    let code = u32::from(c);
    let zero = ZEROS.into_iter().find(|zero| (*zero..*zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// The numbers that one input may mean, all in E.164.
///
/// The library's parser is asked too, for what it alone knows (international prefixes, carrier codes, country
/// codes without a plus). It is not asked alone: its metadata has no general lengths, so that it takes a
/// second prefix off numbers that start like one (`+7 812…` in Russia, `91234…` in India).
struct Readings {
    /// In order of preference, each to be taken only if its digits are of a known range.
    literal: Vec<String>,
    /// To be taken also if only the length is right.
    likely: Vec<String>,
}

impl Readings {
    fn best(self) -> Option<PhoneNumber> {
        let valid = self.literal.iter().chain(&self.likely).find(|number| is_valid(number));
        let chosen = valid.or_else(|| self.likely.iter().find(|number| is_possible(number)))?;
        PhoneNumber::parse(chosen).ok()
    }
}

/// Readings of digits after a plus: as they stand, or with the national prefix that does not belong there, as
/// in `+44 (0)20`.
fn international_readings(dialled: &str) -> Result<Readings, InvalidNumber> {
    let parsed = by_library(None, dialled)?;
    let literal = split(dialled).and_then(|(code, national)| {
        let main = DATABASE.by_code(&code)?.into_iter().next()?;
        Some(format!("+{code}{}", national.strip_prefix(main.national_prefix()?)?))
    });
    Ok(Readings {
        literal: std::iter::once(dialled.to_owned()).chain(literal).collect(),
        likely: vec![dialled.to_owned(), parsed],
    })
}

/// Readings of digits as they are dialled inside a region: a national number without or with its prefix.
fn national_readings(dialled: &str, region: country::Id) -> Result<Readings, InvalidNumber> {
    let parsed = by_library(Some(region), dialled)?;
    let metadata = DATABASE.by_id(region.as_ref()).ok_or(InvalidNumber::UnknownRegion)?;
    let without_prefix = metadata.national_prefix().and_then(|prefix| dialled.strip_prefix(prefix));
    let literal = [Some(dialled), without_prefix].into_iter().flatten();
    let code = metadata.country_code();
    Ok(Readings {
        literal: literal.map(|national| format!("+{code}{national}")).collect(),
        likely: vec![parsed],
    })
}

fn by_library(region: Option<country::Id>, dialled: &str) -> Result<String, InvalidNumber> {
    let number = phonenumber::parse(region, dialled).map_err(InvalidNumber::Unreadable)?;
    Ok(number.format().mode(Mode::E164).to_string())
}

/// The country code and the national number of an E.164 text. No country code is the start of another.
fn split(e164: &str) -> Option<(u16, &str)> {
    let digits = e164.strip_prefix('+')?;
    (1..=3).find_map(|len| {
        let (code, national) = digits.split_at_checked(len)?;
        let code = code.parse().ok().filter(|_| !code.starts_with('0'))?;
        DATABASE.by_code(&code).map(|_| (code, national))
    })
}

/// The country of a number: the only one with its country code, or the one whose ranges have it.
fn country_of(code: u16, national: &str) -> Option<&'static Metadata> {
    let countries = DATABASE.by_code(&code)?;
    if let [only] = countries[..] {
        return Some(only);
    }
    countries.into_iter().find(|country| match country.leading_digits() {
        Some(leading) => leading.find(national).is_some_and(|found| found.start() == 0),
        None => is_in_ranges(country, national),
    })
}

fn is_valid(e164: &str) -> bool {
    let country = split(e164).and_then(|(code, national)| Some((country_of(code, national)?, national)));
    country.is_some_and(|(country, national)| is_in_ranges(country, national))
}

/// Whether a range of the country has the whole number. The library's own match is content with its first
/// digits.
fn is_in_ranges(country: &Metadata, national: &str) -> bool {
    let whole = |range: &Descriptor| {
        range.national_number().find(national).is_some_and(|found| found.range() == (0..national.len()))
    };
    ranges(country).any(|range| range.is_match(national) && whole(range))
}

/// Whether the country code has numbers of that length which can be dialled from abroad. The length is
/// compared with the ranges of the code's main country, as libphonenumber does.
fn is_possible(e164: &str) -> bool {
    let Some((code, national)) = split(e164) else {
        return false;
    };
    let main = DATABASE.by_code(&code).and_then(|countries| countries.into_iter().next());
    main.is_some_and(|main| {
        ranges(main)
            .any(|range| range.possible_length().iter().any(|length| usize::from(*length) == national.len()))
    })
}

/// The kinds of full phone numbers that a country has.
fn ranges(country: &Metadata) -> impl Iterator<Item = &Descriptor> {
    let kinds = country.descriptors();
    let all = [
        kinds.fixed_line(),
        kinds.mobile(),
        kinds.toll_free(),
        kinds.premium_rate(),
        kinds.shared_cost(),
        kinds.personal_number(),
        kinds.voip(),
        kinds.pager(),
        kinds.uan(),
        kinds.voicemail(),
    ];
    all.into_iter().flatten()
}

#[cfg(test)]
mod tests;
