//! Somebody outside that is called: how far they were told of the events, what they were told in vain, and whether they are
//! called at all. The rules only; who calls is not known here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::What;
use super::time::Timestamp;

/// An endpoint of the outgoing webhooks; or the bot, of which only the last two are of interest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub name: String,
    /// The place in the log up to which it was told, or what it was told in vain is written down.
    pub position: u64,
    /// It is not called any more, until somebody says so.
    pub disabled: Option<Disabled>,
    /// Since when nothing has reached it.
    pub failing_since: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    pub at: Timestamp,
    pub reason: String,
}

impl Endpoint {
    /// One that is to be told what happens from that place on.
    pub fn new(name: &str, position: u64) -> Self {
        Self { name: name.to_owned(), position, disabled: None, failing_since: None }
    }
}

impl Endpoint {
    /// It was told all up to that place; `reached`: whether it took anything of it, if it was told anything.
    pub fn advance(&mut self, position: u64, reached: Option<bool>, now: Timestamp) {
        self.position = self.position.max(position);
        match reached {
            Some(true) => self.failing_since = None,
            Some(false) => self.failing_since = Some(self.failing_since.unwrap_or(now)),
            None => {}
        }
    }

    /// It is called no more, for that reason, or again (`None`). What is told of that, if it changes anything.
    pub fn switch(&mut self, reason: Option<String>, now: Timestamp) -> Option<What> {
        let endpoint = self.name.clone();
        match (reason, self.disabled.is_some()) {
            (Some(reason), false) => {
                self.disabled = Some(Disabled { at: now, reason: reason.clone() });
                Some(What::Disabled { endpoint, reason })
            }
            (None, true) => {
                self.disabled = None;
                self.failing_since = None;
                Some(What::Enabled { endpoint })
            }
            (Some(_), true) | (None, false) => None,
        }
    }
}

/// An event that an endpoint was told in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub endpoint: String,
    /// The event's place in the log.
    pub place: u64,
    pub attempts: u32,
    /// When it is told again; none: it is a dead letter, and nobody tells it unless somebody says so.
    pub next_at: Option<Timestamp>,
    /// What went wrong the last time, in plain words.
    pub last_error: String,
    pub created_at: Timestamp,
}

/// After what pauses an event is told again: for three days, as Standard Webhooks 1.0.0 gives for an example.
pub const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(14 * 3_600),
    Duration::from_secs(20 * 3_600),
    Duration::from_secs(24 * 3_600),
];

/// The pause after the `attempts`-th attempt (from 1); none after the last. `jitter` lies in 0 to 1 and lengthens it by up to a
/// tenth, so that what failed together does not come back together. What the endpoint asks for (`Retry-After`) is heeded
/// where it is longer.
pub fn pause_after(attempts: u32, jitter: f64, asked_for: Option<Duration>) -> Option<Duration> {
    let pause = *PAUSES.get(usize::try_from(attempts.checked_sub(1)?).ok()?)?;
    let spread = pause.mul_f64(1.0 + 0.1 * jitter.clamp(0.0, 1.0));
    Some(asked_for.map_or(spread, |asked_for| spread.max(asked_for.min(LONGEST_ASKED_FOR))))
}

/// The most that an endpoint's `Retry-After` is heeded.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_ten_times_over_three_days() {
        let pauses: Vec<_> = (1..).map_while(|attempts| pause_after(attempts, 0.0, None)).collect();
        assert_eq!(pauses, PAUSES);
        let hours = pauses.iter().sum::<Duration>().as_secs() / 3_600;
        assert_eq!(hours, 75);
        assert_eq!(pause_after(0, 0.0, None), None);
    }

    #[test]
    fn a_longer_retry_after_is_heeded_and_a_shorter_one_is_not() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        assert_eq!(pause_after(1, 0.0, minutes(1)), minutes(1));
        assert_eq!(pause_after(2, 0.0, minutes(1)), minutes(5));
        assert_eq!(pause_after(1, 0.0, minutes(60 * 48)), minutes(60 * 24));
    }

    #[test]
    fn jitter_lengthens_a_pause_by_a_tenth_at_the_most() {
        assert_eq!(pause_after(2, 1.0, None), Some(Duration::from_secs(330)));
    }
}
