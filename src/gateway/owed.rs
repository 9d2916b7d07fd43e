//! Since when customers' texts may have been missed, channel by channel, and not asked for since. Notes it; asking is for
//! `gaps`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::time::Timestamp;

use super::channels::{Channel, Channels};

/// What the channels owe that have a provider to ask.
pub(super) struct Owed(BTreeMap<String, Owing>);

#[derive(Default)]
pub(super) struct Owing {
    debt: Mutex<Option<Debt>>,
    noted: Notify,
}

/// Texts may have been missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Debt {
    /// From then on.
    pub since: Timestamp,
    /// How many times it was noted: what was noted while the provider was asked is to be asked for again.
    pub times: u64,
    /// The earliest that was noted since the provider is being asked.
    meanwhile: Timestamp,
}

/// A text is being taken. Whatever becomes of that: if it was not taken, it was missed.
#[must_use]
pub(super) struct Taking<'a> {
    owing: Option<&'a Owing>,
    since: Timestamp,
}

impl Owed {
    pub fn of(channels: &Channels) -> Self {
        let asked = channels.iter().filter(|channel| wants_asking(channel));
        Self(asked.map(|channel| (channel.name.clone(), Owing::default())).collect())
    }

    pub fn by(&self, channel: &str) -> Option<&Owing> {
        self.0.get(channel)
    }

    pub fn taking(&self, channel: &str, now: Timestamp) -> Taking<'_> {
        Taking { owing: self.by(channel), since: now }
    }

    /// Nobody was here to take any channel's texts.
    pub fn note(&self, since: Timestamp) {
        self.0.values().for_each(|owing| owing.note(since));
    }

    /// The clock went back by so much: what was noted before was noted too late.
    pub fn clock_went_back(&self, by: Duration) {
        for owing in self.0.values() {
            if let Some(debt) = owing.debt().as_mut() {
                debt.since = debt.since.before(by);
                debt.meanwhile = debt.meanwhile.min(debt.since);
            }
        }
    }

    /// Since when the first of them owes.
    pub fn since(&self) -> Option<Timestamp> {
        self.0.values().filter_map(Owing::owes).map(|debt| debt.since).min()
    }
}

impl Owing {
    pub fn owes(&self) -> Option<Debt> {
        *self.debt()
    }

    /// The provider is asked for it now.
    pub fn asking(&self) -> Option<Debt> {
        let mut debt = self.debt();
        if let Some(debt) = debt.as_mut() {
            debt.meanwhile = Timestamp::END;
        }
        *debt
    }

    /// All until then is taken, but for what was noted meanwhile.
    pub fn taken_until(&self, until: Timestamp) {
        if let Some(debt) = self.debt().as_mut() {
            debt.since = debt.since.max(until.min(debt.meanwhile));
        }
    }

    /// Waits until it owes.
    pub async fn debt_noted(&self) {
        while self.owes().is_none() {
            self.noted.notified().await;
        }
    }

    /// Waits until it owes more than that.
    pub async fn more_noted(&self, than: Debt) {
        while self.owes().is_some_and(|debt| debt.times == than.times) {
            self.noted.notified().await;
        }
    }

    /// The provider has listed all of it; unless more was noted meanwhile, nothing is owed any more.
    pub fn asked_for(&self, debt: Debt) {
        let mut owed = self.debt();
        if owed.is_some_and(|owed| owed.times == debt.times) {
            *owed = None;
        }
    }

    fn note(&self, since: Timestamp) {
        let mut debt = self.debt();
        *debt = Some(match *debt {
            Some(Debt { since: earlier, times, meanwhile }) => {
                Debt { since: earlier.min(since), times: times + 1, meanwhile: meanwhile.min(since) }
            }
            None => Debt { since, times: 1, meanwhile: since },
        });
        drop(debt);
        self.noted.notify_one();
    }

    fn debt(&self) -> MutexGuard<'_, Option<Debt>> {
        self.debt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taking<'_> {
    /// It is durable.
    pub fn taken(mut self) {
        self.owing = None;
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if let Some(owing) = self.owing {
            owing.note(self.since);
        }
    }
}

pub(super) fn wants_asking(channel: &Channel) -> bool {
    channel.recover && channel.provider.capability().lists_received
}
