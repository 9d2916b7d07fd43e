//! The paces of a channel: what its senders share of them, and where each stands. Number by number the pace is the
//! lane's own ([`super::outbound`]); here are the account's and those of destinations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::domain::message::Priority;
use crate::domain::pace::{Moment, Pace};

mod limit;
mod line;

pub use limit::{Claim, Claims, Limit};
use line::Line;

/// How long before its departure a text's attempt is written down, so that it leaves on time. What is written down leaves
/// even if something more urgent comes: so it is no longer than the disk needs, by what it took lately.
#[derive(Clone, Copy, Debug)]
pub struct Lead(Duration);

impl Lead {
    const LEAST: Duration = Duration::from_millis(20);
    pub const MOST: Duration = Duration::from_millis(500);

    pub fn get(self) -> Duration {
        self.0
    }

    /// Choosing texts and writing their attempts down took so long. Longer than before counts at once, shorter bit by
    /// bit.
    pub fn note(&mut self, took: Duration) {
        self.0 = (took * 2).max(self.0 * 15 / 16).clamp(Self::LEAST, Self::MOST);
    }
}

impl Default for Lead {
    fn default() -> Self {
        Self(Self::LEAST)
    }
}

/// How fast texts may leave, in segments. Each is optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paces {
    /// Of each number, short code or service.
    pub number: Option<Pace>,
    /// Of the channel's senders together.
    pub account: Option<Pace>,
    /// Of them together, to numbers that begin so. The longest that fits counts.
    pub destinations: BTreeMap<String, Pace>,
}

/// What the senders of a channel share of its paces. Its size is that of the configuration.
pub struct ChannelPace {
    pub number: Option<Pace>,
    pub account: Option<Account>,
    destinations: BTreeMap<String, Arc<Destination>>,
}

impl ChannelPace {
    /// At `now`, when the process starts: all of them owe one segment.
    pub fn starting(paces: &Paces, now: Moment) -> Self {
        let destination = |(prefix, pace): (&String, &Pace)| {
            (prefix.clone(), Arc::new(Destination::starting(prefix, *pace, now)))
        };
        Self {
            number: paces.number,
            account: paces.account.map(|pace| Account::starting(pace, now)),
            destinations: paces.destinations.iter().map(destination).collect(),
        }
    }

    /// As at a start: what others let leave until now is not known, but that none leaves any more.
    pub fn restart(&self, now: Moment) {
        let limits = self.account.iter().map(|account| &account.limit);
        for limit in limits.chain(self.destinations.values().map(|destination| &destination.limit)) {
            limit.restart(now);
        }
    }

    pub fn has_destinations(&self) -> bool {
        !self.destinations.is_empty()
    }

    /// The destination that a number belongs to, if it has a pace.
    pub fn destination(&self, number: &str) -> Option<&Arc<Destination>> {
        let fits = self.destinations.iter().filter(|(prefix, _)| number.starts_with(prefix.as_str()));
        fits.max_by_key(|(prefix, _)| prefix.len()).map(|(_, destination)| destination)
    }
}

/// The account's pace. Its lanes take their turns in the order in which they ask.
pub struct Account {
    pub limit: Arc<Limit>,
    /// Whose lane chooses next: what it waits for then is not due to anybody else.
    pub turn: Arc<Semaphore>,
}

impl Account {
    fn starting(pace: Pace, now: Moment) -> Self {
        Self { limit: Arc::new(Limit::starting(pace, now)), turn: Arc::new(Semaphore::new(1)) }
    }
}

/// A destination's pace, however much waits for it.
pub struct Destination {
    pub prefix: String,
    pub limit: Arc<Limit>,
    /// What has been put off, the agents' and the bot's.
    lines: Mutex<[Line; Priority::ALL.len()]>,
}

impl Destination {
    fn starting(prefix: &str, pace: Pace, now: Moment) -> Self {
        Self {
            prefix: prefix.to_owned(),
            limit: Arc::new(Limit::starting(pace, now)),
            lines: Mutex::new(Priority::ALL.map(|_| Line::starting(pace, now))),
        }
    }

    /// When a text should be looked at again that waits behind those that were put off before it.
    pub fn put_off(&self, now: Moment, priority: Priority, segments: u32) -> Moment {
        let open = self.limit.due(now, segments);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines[priority as usize].put_off(now, open, segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Duration::from_secs(100);

    fn paces(destinations: &[(&str, &str)]) -> Paces {
        let pace = |(prefix, pace): &(&str, &str)| ((*prefix).to_owned(), pace.parse().unwrap());
        Paces { destinations: destinations.iter().map(pace).collect(), ..Paces::default() }
    }

    #[test]
    fn the_longest_prefix_that_fits_counts() {
        let pace = ChannelPace::starting(&paces(&[("+1", "1/s"), ("+1415", "1/m"), ("+44", "1/h")]), START);
        let wait = |number: &str| {
            pace.destination(number).map(|d| d.limit.due(START, 1).saturating_sub(START).as_secs())
        };
        assert_eq!(wait("+12125550101"), Some(1));
        assert_eq!(wait("+14155550101"), Some(60));
        assert_eq!(wait("+447700900001"), Some(3600));
        assert_eq!(wait("+4915550101"), None);
        assert_eq!(wait("14155"), None);
    }

    #[test]
    fn the_lead_follows_the_disk() {
        let ms = Duration::from_millis;
        let mut lead = Lead::default();
        lead.note(ms(3));
        assert_eq!(lead.get(), ms(20));
        lead.note(ms(100));
        assert_eq!(lead.get(), ms(200));
        lead.note(ms(3));
        assert!(lead.get() < ms(200) && lead.get() > ms(150));
        (0..100).for_each(|_| lead.note(ms(3)));
        assert_eq!(lead.get(), ms(20));
        lead.note(ms(3_000));
        assert_eq!(lead.get(), Lead::MOST);
    }
}
