//! Pauses that a provider asks for: what rests, for how long, and why. Time and jitter come in as values; which code
//! asks for which pause is the provider's adapter's to say.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::delivery::{DeliveryError, ErrorClass};
use super::message::Lane;
use super::retry::Backoff;
use super::time::Timestamp;

/// What rests. Nothing else does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseScope {
    /// A channel, with all its senders.
    Account { channel: String },
    /// One number, short code or service.
    Sender(Lane),
}

impl PauseScope {
    pub fn channel(&self) -> &str {
        match self {
            Self::Account { channel } => channel,
            Self::Sender(lane) => &lane.channel,
        }
    }

    /// For logs and labels: never a number.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Account { .. } => "account",
            Self::Sender(_) => "sender",
        }
    }
}

/// Nothing of that scope leaves before then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub scope: PauseScope,
    pub until: Timestamp,
    /// The provider's code, or else the kind of error.
    pub reason: String,
    /// How many in a row: what the next one's length grows with.
    pub tries: u32,
}

/// Whose pause an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resting {
    Account,
    Sender,
}

/// How long a pause is, where the provider's answer does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Longer each time, until something is taken again.
    Growing(Backoff),
    Fixed(Duration),
    Until(Timestamp),
}

/// The pause that an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    pub resting: Resting,
    pub length: Length,
}

/// The longest that a provider's word on when to come back is heeded.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// How long nothing is tried with credentials that are refused: somebody may have mended them.
const CREDENTIALS: Duration = Duration::from_secs(60);
/// Too many calls.
pub const TOO_FAST: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };

impl Rest {
    pub const fn new(resting: Resting, length: Length) -> Self {
        Self { resting, length }
    }

    /// What an error of that class asks for, whatever its code: the account to go slower, or somebody to mend its
    /// credentials.
    pub fn of_class(class: ErrorClass) -> Option<Self> {
        match class {
            ErrorClass::Throttled => Some(Self::new(Resting::Account, Length::Growing(TOO_FAST))),
            ErrorClass::Credentials => Some(Self::new(Resting::Account, Length::Fixed(CREDENTIALS))),
            ErrorClass::Permanent
            | ErrorClass::Transient
            | ErrorClass::OptedOut
            | ErrorClass::Configuration
            | ErrorClass::Content
            | ErrorClass::Unknown => None,
        }
    }

    pub fn scope(self, lane: &Lane) -> PauseScope {
        match self.resting {
            Resting::Account => PauseScope::Account { channel: lane.channel.clone() },
            Resting::Sender => PauseScope::Sender(lane.clone()),
        }
    }

    /// Whether a refusal that comes while the pause lasts leaves it as it is.
    pub fn grows_only_once(self, retry_after: Option<Duration>) -> bool {
        matches!(self.length, Length::Growing(_)) && retry_after.is_none()
    }

    /// When it ends. `tries`: how many pauses in a row, with this one. `retry_after`: what the provider said, which is
    /// heeded unless it is less than the rest by itself, and never for ever.
    pub fn until(self, now: Timestamp, tries: u32, retry_after: Option<Duration>, jitter: f64) -> Timestamp {
        let by_itself = match self.length {
            Length::Growing(backoff) => now.after(backoff.pause(tries, jitter)),
            Length::Fixed(length) => now.after(length),
            Length::Until(until) => until.max(now),
        };
        let asked = retry_after.map_or(now, |wait| now.after(wait.min(LONGEST)));
        by_itself.max(asked)
    }
}

/// Why something rests, in a word.
pub fn reason(error: &DeliveryError) -> String {
    error.code.clone().unwrap_or_else(|| error.class.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn seconds(from: Timestamp, until: Timestamp) -> u64 {
        until.since(from).as_secs()
    }

    #[test]
    fn without_a_word_of_the_providers_pauses_grow_to_a_minute() {
        let rest = Rest::of_class(ErrorClass::Throttled).unwrap();
        let lengths: Vec<u64> = (1..9).map(|tries| seconds(NOW, rest.until(NOW, tries, None, 1.0))).collect();
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_the_provider_says_is_heeded_for_a_day_at_the_most_and_never_shortens_the_pause() {
        let rest = Rest::of_class(ErrorClass::Throttled).unwrap();
        let asked = |tries, wait| seconds(NOW, rest.until(NOW, tries, Some(Duration::from_secs(wait)), 1.0));
        assert_eq!(asked(1, 30), 30);
        assert_eq!(asked(5, 0), 16);
        assert_eq!(asked(1, 1_000_000), 86_400);
    }

    #[test]
    fn a_moment_that_is_over_is_no_pause() {
        let rest = Rest::new(Resting::Sender, Length::Until(NOW.before(Duration::from_secs(1))));
        assert_eq!(rest.until(NOW, 1, None, 1.0), NOW);
    }
}
