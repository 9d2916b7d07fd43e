//! What is leaving right now: from just before an attempt is written down until its outcome is. Lets a switch to the
//! agents wait for the bot's last words, and stops what has not been handed over yet.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::Message;
use crate::gateway::pace::Lead;

/// How long what came of a text may take to be written down, besides what it takes to leave.
const WRITING: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(in crate::gateway) struct InFlight(Arc<Inner>);

struct Inner {
    leaving: Mutex<HashMap<MessageId, Leaving>>,
    /// What was handed over and is not known to be written down: also after a panic, as it may have left.
    unsettled: Mutex<BTreeSet<MessageId>>,
    gone: Notify,
    /// The longest that a text is leaving, if the store is well.
    patience: Duration,
}

struct Leaving {
    whose: Whose,
    /// It does not leave, if it has not yet.
    stopped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Its attempt is being written down; whose it is is not known here yet.
    Beginning,
    /// The bot's, to this customer.
    Bots(CustomerId),
    Others,
}

/// One text that is leaving, for as long as this lives.
pub(super) struct Entry {
    id: MessageId,
    of: InFlight,
}

impl InFlight {
    /// `request_timeout`: the longest that a provider is waited for.
    pub(super) fn new(request_timeout: Duration) -> Self {
        Self(Arc::new(Inner {
            leaving: Mutex::default(),
            unsettled: Mutex::default(),
            gone: Notify::new(),
            patience: Lead::MOST + request_timeout + WRITING,
        }))
    }

    pub(super) fn enter(&self, id: MessageId) -> Entry {
        self.leaving().insert(id, Leaving { whose: Whose::Beginning, stopped: false });
        Entry { id, of: self.clone() }
    }

    /// All of it that may have left, or may leave.
    pub(in crate::gateway) fn all(&self) -> Vec<MessageId> {
        let mut all = self.unsettled().clone();
        all.extend(self.leaving().keys());
        all.into_iter().collect()
    }

    /// Somebody else has settled its attempt: it does not leave, if it has not yet.
    pub(in crate::gateway) fn stop(&self, id: MessageId) {
        if let Some(leaving) = self.leaving().get_mut(&id) {
            leaving.stopped = true;
        }
    }

    /// Returns when no text of the bot's to this customer can leave any more of those that were leaving when this was
    /// called, of whatever session: they have left, or were stopped.
    pub(in crate::gateway) async fn until_gone(&self, customer: CustomerId) {
        let mut awaited: Vec<MessageId> = self.leaving().keys().copied().collect();
        let wait = async {
            loop {
                let mut gone = std::pin::pin!(self.0.gone.notified());
                gone.as_mut().enable();
                awaited.retain(|id| {
                    let whose = self.leaving().get(id).map(|leaving| leaving.whose);
                    whose == Some(Whose::Beginning) || whose == Some(Whose::Bots(customer))
                });
                if awaited.is_empty() {
                    return;
                }
                gone.await;
            }
        };
        if tokio::time::timeout(self.0.patience, wait).await.is_err() {
            for id in awaited {
                self.stop(id);
            }
            tracing::error!(%customer, "a text of the bot has been leaving for too long to wait for it");
        }
    }

    fn unsettled(&self) -> MutexGuard<'_, BTreeSet<MessageId>> {
        self.0.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leaving(&self) -> MutexGuard<'_, HashMap<MessageId, Leaving>> {
        self.0.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// From here on it may have left.
    pub(super) fn leaves(&mut self) {
        self.of.unsettled().insert(self.id);
    }

    /// What came of it is written down.
    pub(super) fn settled(&mut self) {
        self.of.unsettled().remove(&self.id);
    }

    /// Its attempt is written down: whose it is is known now.
    pub(super) fn is_of(&self, message: &Message) {
        let whose = if message.author.is_bot() { Whose::Bots(message.customer_id) } else { Whose::Others };
        if let Some(leaving) = self.of.leaving().get_mut(&self.id) {
            leaving.whose = whose;
        }
        self.of.0.gone.notify_waiters();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.of.leaving().get(&self.id).is_some_and(|leaving| leaving.stopped)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.of.leaving().remove(&self.id);
        self.of.0.gone.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_leaving_for_too_long_is_stopped_and_not_waited_for() {
        let in_flight = InFlight::new(Duration::from_secs(10));
        let entry = in_flight.enter(MessageId(Uuid::nil()));
        let wait = in_flight.until_gone(CustomerId(Uuid::nil()));
        let waited = tokio::time::timeout(Lead::MOST + Duration::from_secs(10), wait);
        assert!(waited.await.is_err() && !entry.is_stopped(), "it may still leave in time");
        in_flight.until_gone(CustomerId(Uuid::nil())).await;
        assert!(entry.is_stopped());
    }
}
