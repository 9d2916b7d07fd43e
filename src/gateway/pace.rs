//! The paces of a channel: what its senders share of them, and where each stands. Number by number the pace is the
//! lane's own ([`super::outbound`]); here are the account's and those of destinations.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as FairMutex, Semaphore};

use crate::domain::pace::{Meter, Moment, Pace};

/// How long texts may wait for the account once their attempts are written down: longer than that usually takes.
const APPROACH: Duration = Duration::from_millis(100);

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
    /// What leaves next holds it until it has left: what is due is due to nobody else.
    pub meter: FairMutex<Meter>,
    /// So many texts may be written down and wait for the meter. The other lanes wait before they choose.
    pub approach: Arc<Semaphore>,
}

impl Account {
    fn starting(pace: Pace, now: Moment) -> Self {
        let ahead = APPROACH.as_nanos() / pace.interval().as_nanos().max(1);
        let ahead = usize::try_from(ahead).unwrap_or(usize::MAX).clamp(0, 1_000) + 1;
        Self { meter: FairMutex::new(Meter::starting(pace, now)), approach: Arc::new(Semaphore::new(ahead)) }
    }
}

/// A destination's pace: three moments, however much waits for it.
pub struct Destination {
    pub prefix: String,
    meters: Mutex<Meters>,
}

struct Meters {
    /// What has been chosen to leave.
    claimed: Meter,
    /// What has left.
    left: Meter,
    /// What has been put off, and will be looked at again then.
    put_off: Meter,
}

impl Destination {
    fn starting(prefix: &str, pace: Pace, now: Moment) -> Self {
        let meter = || Meter::starting(pace, now);
        Self {
            prefix: prefix.to_owned(),
            meters: Mutex::new(Meters { claimed: meter(), left: meter(), put_off: meter() }),
        }
    }

    /// Claims the departure of `segments` at `by`, or else says when there is one.
    pub fn claim(&self, by: Moment, segments: u32) -> Result<(), Moment> {
        let mut meters = self.meters();
        match meters.claimed.due(by, segments) {
            due if due > by => Err(due),
            due => {
                meters.claimed.reserve(due, segments);
                Ok(())
            }
        }
    }

    /// When a text should be looked at again that waits behind those that were put off before it.
    pub fn put_off(&self, now: Moment, segments: u32) -> Moment {
        let mut meters = self.meters();
        let open = meters.claimed.due(now, segments);
        meters.put_off.reserve(open, segments)
    }

    /// When `segments` may leave, by what has left. Later than was claimed only if something else was late.
    pub fn due(&self, now: Moment, segments: u32) -> Moment {
        self.meters().left.due(now, segments)
    }

    pub fn depart(&self, segments: u32, now: Moment) {
        self.meters().left.depart(segments, now);
    }

    fn meters(&self) -> MutexGuard<'_, Meters> {
        self.meters.lock().unwrap_or_else(PoisonError::into_inner)
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
        let wait =
            |number: &str| pace.destination(number).map(|d| d.due(START, 1).saturating_sub(START).as_secs());
        assert_eq!(wait("+12125550101"), Some(1));
        assert_eq!(wait("+14155550101"), Some(60));
        assert_eq!(wait("+447700900001"), Some(3600));
        assert_eq!(wait("+4915550101"), None);
        assert_eq!(wait("14155"), None);
    }

    #[test]
    fn a_claim_is_one_texts_and_the_next_is_told_when() {
        let destination = Destination::starting("+1", "1/s".parse().unwrap(), START);
        let at = |seconds: u64| START + Duration::from_secs(seconds);
        assert_eq!(destination.claim(at(0), 1), Err(at(1)));
        assert_eq!(destination.claim(at(2), 2), Ok(()));
        assert_eq!(destination.claim(at(2), 1), Err(at(3)));
        assert_eq!((destination.put_off(at(2), 1), destination.put_off(at(2), 2)), (at(3), at(5)));
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

    #[test]
    fn as_many_approach_the_account_as_leave_in_the_time_of_a_commit() {
        let approach = |pace: &str| {
            let account: Option<Pace> = Some(pace.parse().unwrap());
            let paces = Paces { account, ..Paces::default() };
            ChannelPace::starting(&paces, START).account.unwrap().approach.available_permits()
        };
        assert_eq!((approach("1/s"), approach("100/s"), approach("1000/s")), (1, 11, 101));
    }
}
