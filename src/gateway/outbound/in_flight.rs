//! What is leaving right now: from just before an attempt is written down until its outcome is. Lets a switch to the
//! agents wait for the bot's last words, and stops what has not been handed over yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::delivery::Exemption;
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::Message;
use crate::gateway::pace::Lead;

/// How long what came of a text may take to be written down, besides what it takes to leave.
const WRITING: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(in crate::gateway) struct InFlight(Arc<Inner>);

struct Inner {
    leaving: Mutex<Entries>,
    /// The attempts that were handed over and are not known to be written down: also after a panic, as they may have left.
    unsettled: Mutex<BTreeSet<(MessageId, u32)>>,
    gone: Notify,
    /// The longest that a text is leaving, if the store is well.
    patience: Duration,
}

/// By their numbers: a text may leave again before the last that was done for its attempt before has ended.
#[derive(Default)]
struct Entries {
    made: u64,
    leaving: BTreeMap<u64, Leaving>,
}

struct Leaving {
    message: MessageId,
    whose: Whose,
    /// Who has opted out while it was not known whose it is.
    opted_out: Vec<CustomerId>,
    /// It does not leave, if it has not yet.
    stopped: bool,
}

#[derive(Clone, Copy)]
enum Whose {
    /// Its attempt is being written down; whose it is is not known here yet.
    Beginning,
    Known {
        attempt: u32,
        customer: CustomerId,
        by_bot: bool,
        ends_with_consent: bool,
    },
}

impl Whose {
    fn of(message: &Message) -> Self {
        Self::Known {
            attempt: message.delivery.attempt_number(),
            customer: message.customer_id,
            by_bot: message.author.is_bot(),
            ends_with_consent: message.delivery.exemption != Exemption::KeywordReply,
        }
    }

    fn ends_with_the_consent_of(self, whom: &[CustomerId]) -> bool {
        match self {
            Self::Beginning => false,
            Self::Known { customer, ends_with_consent, .. } => ends_with_consent && whom.contains(&customer),
        }
    }

    fn may_be_the_bots_to(self, whom: CustomerId) -> bool {
        match self {
            Self::Beginning => true,
            Self::Known { customer, by_bot, .. } => by_bot && customer == whom,
        }
    }
}

/// One text that is leaving, for as long as this lives.
pub(super) struct Entry {
    number: u64,
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

    /// How long it is waited at the most for what is leaving.
    pub(in crate::gateway) fn patience(&self) -> Duration {
        self.0.patience
    }

    pub(super) fn enter(&self, id: MessageId) -> Entry {
        let mut entries = self.entries();
        entries.made += 1;
        let number = entries.made;
        let (whose, opted_out) = (Whose::Beginning, Vec::new());
        entries.leaving.insert(number, Leaving { message: id, whose, opted_out, stopped: false });
        Entry { number, of: self.clone() }
    }

    /// All attempts that may have left, or may leave.
    pub(in crate::gateway) fn all(&self) -> Vec<(MessageId, u32)> {
        let mut all = self.unsettled().clone();
        all.extend(self.entries().leaving.values().filter_map(|leaving| match leaving.whose {
            Whose::Known { attempt, .. } => Some((leaving.message, attempt)),
            Whose::Beginning => None,
        }));
        all.into_iter().collect()
    }

    /// Somebody else has settled its attempt: it does not leave, if it has not yet.
    pub(in crate::gateway) fn stop(&self, id: MessageId) {
        let mut entries = self.entries();
        entries
            .leaving
            .values_mut()
            .filter(|leaving| leaving.message == id)
            .for_each(|leaving| leaving.stopped = true);
    }

    /// The customer has opted out: what has not left yet does not leave, but for what may be said all the same.
    pub(in crate::gateway) fn stop_all_to(&self, whom: CustomerId) {
        for leaving in self.entries().leaving.values_mut() {
            leaving.stopped |= leaving.whose.ends_with_the_consent_of(&[whom]);
            // Its attempt may have been written down just before the opt-out was.
            if matches!(leaving.whose, Whose::Beginning) {
                leaving.opted_out.push(whom);
            }
        }
    }

    /// Returns when no text of the bot's to this customer can leave any more of those that were leaving when this was
    /// called, of whatever session: they have left, or were stopped.
    pub(in crate::gateway) async fn until_gone(&self, customer: CustomerId) {
        let mut awaited: Vec<u64> = self.entries().leaving.keys().copied().collect();
        let wait = async {
            loop {
                let mut gone = std::pin::pin!(self.0.gone.notified());
                gone.as_mut().enable();
                {
                    let entries = self.entries();
                    awaited.retain(|number| {
                        let leaving = entries.leaving.get(number);
                        leaving.is_some_and(|leaving| leaving.whose.may_be_the_bots_to(customer))
                    });
                }
                if awaited.is_empty() {
                    return;
                }
                gone.await;
            }
        };
        if tokio::time::timeout(self.0.patience, wait).await.is_err() {
            let mut entries = self.entries();
            for number in awaited {
                if let Some(leaving) = entries.leaving.get_mut(&number) {
                    leaving.stopped = true;
                }
            }
            tracing::error!(%customer, "a text of the bot has been leaving for too long to wait for it");
        }
    }

    fn unsettled(&self) -> MutexGuard<'_, BTreeSet<(MessageId, u32)>> {
        self.0.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// From here on it may have left.
    pub(super) fn leaves(&self, message: &Message) {
        self.of.unsettled().insert((message.id, message.delivery.attempt_number()));
    }

    /// What came of it is written down.
    pub(super) fn settled(&self, message: &Message) {
        self.of.unsettled().remove(&(message.id, message.delivery.attempt_number()));
    }

    /// Its attempt is written down: whose it is is known now.
    pub(super) fn is_of(&self, message: &Message) {
        if let Some(leaving) = self.of.entries().leaving.get_mut(&self.number) {
            let opted_out = std::mem::take(&mut leaving.opted_out);
            leaving.whose = Whose::of(message);
            leaving.stopped |= leaving.whose.ends_with_the_consent_of(&opted_out);
        }
        self.of.0.gone.notify_waiters();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.of.entries().leaving.get(&self.number).is_some_and(|leaving| leaving.stopped)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.of.entries().leaving.remove(&self.number);
        self.of.0.gone.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::delivery::Delivery;
    use crate::domain::ids::SessionId;
    use crate::domain::message::{Author, Lane, Role};
    use crate::domain::phone::Address;
    use crate::domain::segments;
    use crate::domain::time::Timestamp;

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

    /// A text of the bot's whose attempt of that number is in hand.
    fn text(attempt: u32) -> Message {
        let (customer_id, at) = (CustomerId(Uuid::nil()), Timestamp::from_millis(0));
        let lane = Lane { channel: "main".into(), sender: "+15550001111".into() };
        let mut delivery =
            Delivery::outbound(lane, &Address::parse("+14155550101").unwrap(), segments::analyse("Hey"), at);
        delivery.attempts_made = attempt;
        Message {
            id: MessageId(Uuid::nil()),
            session_id: SessionId(Uuid::nil()),
            customer_id,
            place: 0,
            content: "Hey".into(),
            author: Author { role: Role::Init, name: "bot".into() },
            media: Vec::new(),
            keyword: None,
            recovered: false,
            turn_id: None,
            sent_at: at,
            delivered_at: None,
            created_at: at,
            updated_at: at,
            delivery,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_one_attempt_takes_nothing_from_the_next() {
        let in_flight = InFlight::new(Duration::from_secs(10));
        let enter = |attempt| {
            let (entry, text) = (in_flight.enter(MessageId(Uuid::nil())), text(attempt));
            entry.is_of(&text);
            entry.leaves(&text);
            (entry, text)
        };
        let ((first, text), (second, _)) = (enter(1), enter(2));
        first.settled(&text);
        drop(first);
        assert_eq!(in_flight.all(), [(text.id, 2)]);
        let wait = in_flight.until_gone(text.customer_id);
        assert!(tokio::time::timeout(Duration::from_secs(1), wait).await.is_err(), "it is waited for");
        in_flight.stop(text.id);
        assert!(second.is_stopped());
    }

    #[test]
    fn who_opts_out_while_an_attempt_is_written_down_is_heard() {
        let in_flight = InFlight::new(Duration::from_secs(10));
        let mut reply = text(1);
        reply.delivery.exemption = Exemption::KeywordReply;
        for (text, stopped) in [(text(1), true), (reply, false)] {
            let entry = in_flight.enter(text.id);
            in_flight.stop_all_to(text.customer_id);
            assert!(!entry.is_stopped(), "whose it is is not known yet");
            entry.is_of(&text);
            assert_eq!(entry.is_stopped(), stopped);
        }
    }
}
