//! What is leaving right now: from just before an attempt is written down until its outcome is. Lets a switch to the
//! agents wait for the bot's last words.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::ids::{MessageId, SessionId};
use crate::domain::message::Message;

/// Longer than any provider is waited for.
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
pub(in crate::gateway) struct InFlight(Arc<Inner>);

#[derive(Default)]
struct Inner {
    leaving: Mutex<HashMap<MessageId, Leaving>>,
    /// What was handed over and is not known to be written down: also after a panic, as it may have left.
    unsettled: Mutex<BTreeSet<MessageId>>,
    gone: Notify,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// Its attempt is being written down; whose it is is not known here yet.
    Beginning,
    /// The bot's, in this session.
    Bots(SessionId),
    Others,
}

/// One text that is leaving, for as long as this lives.
pub(super) struct Entry {
    id: MessageId,
    of: InFlight,
}

impl InFlight {
    pub(super) fn enter(&self, id: MessageId) -> Entry {
        self.leaving().insert(id, Leaving::Beginning);
        Entry { id, of: self.clone() }
    }

    /// All of it that may have left, or may leave.
    pub(in crate::gateway) fn all(&self) -> Vec<MessageId> {
        let mut all = self.unsettled().clone();
        all.extend(self.leaving().keys());
        all.into_iter().collect()
    }

    /// Returns when no text of the bot's in this session is leaving any more that was leaving when this was called.
    pub(in crate::gateway) async fn until_gone(&self, session: SessionId) {
        let mut awaited: Vec<MessageId> = self.leaving().keys().copied().collect();
        let wait = async {
            loop {
                let mut gone = std::pin::pin!(self.0.gone.notified());
                gone.as_mut().enable();
                awaited.retain(|id| {
                    let now = self.leaving().get(id).copied();
                    matches!(now, Some(Leaving::Beginning)) || now == Some(Leaving::Bots(session))
                });
                if awaited.is_empty() {
                    return;
                }
                gone.await;
            }
        };
        if tokio::time::timeout(LONGEST, wait).await.is_err() {
            tracing::error!(session = %session, "a text of the bot has been leaving for too long to wait for it");
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
        let leaving =
            if message.author.is_bot() { Leaving::Bots(message.session_id) } else { Leaving::Others };
        self.of.leaving().insert(self.id, leaving);
        self.of.0.gone.notify_waiters();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.of.leaving().remove(&self.id);
        self.of.0.gone.notify_waiters();
    }
}
