//! What is checked after each step, and what must be true when everything has come to rest: everything that was accepted
//! is settled, as the provider's own book says it is.

use std::collections::BTreeMap;
use std::time::Duration;

use switchboard::domain::delivery::Status;
use switchboard::domain::ids::{CustomerId, MessageId};
use switchboard::domain::message::Message;
use switchboard::domain::turn::HISTORY;
use switchboard::store::{Page, PageRequest, Store};

use super::pace::AFTER_TROUBLE;
use super::{Audit, Book, Heard, Text, at_once};
use crate::people::About;

pub(super) const fn everything() -> PageRequest {
    PageRequest { after: None, limit: 100_000 }
}

impl Audit {
    /// After each step: what was promised is there, and states only move forward.
    pub fn check(&self) {
        let mut book = self.book();
        let mut withdrawn = Vec::new();
        for (id, text) in book.texts.iter_mut().filter(|(_, text)| !text.erased) {
            let Some(message) = self.stored(*id) else {
                self.journal.broken(format!("{} is gone from the store", text.title()));
                continue;
            };
            let status = message.delivery.status;
            if let Some(wrong) = text.moves(&message) {
                self.journal.broken(format!("{} {wrong}", text.title()));
            }
            if matches!(status, Status::Canceled | Status::Expired) {
                withdrawn.push((*id, status.as_str()));
            }
        }
        for (id, why) in withdrawn {
            self.withdraw(&mut book, id, why);
        }
        for (id, heard) in book.heard.iter().filter(|(_, heard)| heard.acknowledged && !heard.erased) {
            let stored = heard.message.and_then(|message| self.stored(message));
            if stored.is_none_or(|message| message.content != heard.content) {
                self.journal.broken(format!("{id} was acknowledged and is not in the store as it was"));
            }
        }
    }

    /// After a soft stop that began `since` then, nothing is in hand; unless the store could not be told.
    pub fn check_clean_stop(&self, since: Duration) {
        if self.last_trouble() + AFTER_TROUBLE > since {
            return;
        }
        let book = self.book();
        for (id, text) in book.texts.iter().filter(|(_, text)| !text.erased) {
            if self.stored(*id).is_some_and(|message| message.delivery.status == Status::Sending) {
                self.journal.broken(format!("{} is still in hand after a soft stop", text.title()));
            }
        }
    }

    pub fn is_at_rest(&self) -> bool {
        let counts = at_once(self.disk.counts()).unwrap();
        let is_owed = |heard: &Heard| heard.owed && heard.message.is_none() && !heard.erased;
        counts.queued == 0
            && counts.unknown == counts.held
            && counts.turns_open == 0
            && !self.book().heard.values().any(is_owed)
            && !self.any_is_to_be_asked_about()
    }

    /// Taken, and the first time to ask what became of it has not come.
    fn any_is_to_be_asked_about(&self) -> bool {
        let book = self.book();
        let silent = |id: &MessageId| {
            self.stored(*id)
                .is_some_and(|message| message.delivery.asks == 0 && message.silent_since().is_some())
        };
        self.asks && book.order.iter().any(silent)
    }

    pub fn check_at_rest(&self) {
        let counts = at_once(self.disk.counts()).unwrap();
        let mut book = self.book();
        if counts.turns_open > 0 {
            self.journal.broken(format!("{} turns of the bot never ended", counts.turns_open));
        }
        for (id, text) in book.texts.iter().filter(|(_, text)| !text.erased) {
            let Some(message) = self.stored(*id) else { continue };
            if let Some(wrong) = self.is_settled(&book, text, &message) {
                let accepted = if text.accepted { "accepted" } else { "queued" };
                self.journal.broken(format!("{} was {accepted} and {wrong}", text.title()));
            }
        }
        self.check_heard(&mut book);
    }

    pub(super) fn is_settled(&self, book: &Book, text: &Text, message: &Message) -> Option<String> {
        let status = message.delivery.status;
        let taken = !text.taken.is_empty();
        let plain = text.resends == 0 && !book.is_ambiguous(text);
        self.journal.saw(match status {
            Status::Queued | Status::Sending => "ended: not at all",
            Status::Sent => "ended: sent",
            Status::Delivered => "ended: delivered",
            Status::Undelivered => "ended: undelivered",
            Status::Failed => "ended: failed",
            Status::Canceled => "ended: canceled",
            Status::Expired => "ended: expired",
            Status::Unknown => "ended: unknown",
        });
        // What nobody could tell the fate of may have no id of the provider's to know it by.
        let ids = &message.delivery.provider_ids;
        let told_delivered = text.told_by_ours || text.told_by_theirs.iter().any(|id| ids.contains(id));
        if told_delivered && status != Status::Delivered && !book.is_ambiguous(text) {
            return Some(format!("is {} though a receipt said that it was delivered", status.as_str()));
        }
        match status {
            Status::Queued | Status::Sending => Some(format!("is {} for ever", status.as_str())),
            Status::Unknown if message.delivery.look_at.is_some() => Some("is looked for, for ever".into()),
            Status::Unknown if self.always_lists && !book.is_ambiguous(text) => {
                Some("is of unknown fate though the provider could tell".into())
            }
            Status::Sent | Status::Delivered | Status::Undelivered if !taken && !book.is_ambiguous(text) => {
                Some(format!("is {} though it never left: it is lost", status.as_str()))
            }
            Status::Canceled | Status::Expired if taken && plain => {
                Some(format!("is {} though the provider took it", status.as_str()))
            }
            Status::Failed if taken && plain && message.delivery.provider_ids.is_empty() => {
                Some("failed though the provider took it".into())
            }
            _ => None,
        }
    }

    fn check_heard(&self, book: &mut Book) {
        let stored = self.inbound_in_store(book);
        for (id, heard) in book.heard.iter().filter(|(_, heard)| !heard.erased) {
            let count = stored.get(id).copied().unwrap_or_default();
            if heard.owed && heard.message.is_none() {
                self.journal.broken(format!("{id} came while nobody lived, and was never asked for"));
            }
            if heard.message.is_some() && count != 1 {
                self.journal.broken(format!("{id} is in the store {count} times"));
            }
            let keyword = matches!(heard.about, About::Stop | About::Start | About::Help);
            let concerns_bot = self.has_bot && (!keyword || self.forwards_keywords);
            let (Some(message), Some(session), true) = (heard.message, heard.session, concerns_bot) else {
                continue;
            };
            let session = at_once(self.disk.session(session)).unwrap().unwrap();
            // What it was told in vain, it is told with whatever it is told next. Of very much it is told the last only.
            let may_be_untold = || {
                let place = self.stored(message).map_or(0, |message| message.place);
                session.unseen_by_bot_from.is_some_and(|from| from <= place)
                    || place + HISTORY as u64 <= session.message_count
            };
            if !session.need_attention && !book.hands.told.contains(&message) && !may_be_untold() {
                self.journal.broken(format!("{id} was never told to the bot, and agents do not have it"));
            }
        }
    }

    /// How often each text of a customer's is in the store, by the provider's id.
    fn inbound_in_store(&self, book: &Book) -> BTreeMap<String, usize> {
        let mut stored = BTreeMap::new();
        for (customer, _) in &book.customers {
            for message in self.messages_of(*customer).iter().filter(|message| message.is_inbound()) {
                *stored.entry(message.delivery.provider_ids[0].clone()).or_default() += 1;
            }
        }
        stored
    }

    fn messages_of(&self, customer: CustomerId) -> Vec<Message> {
        let Page { items: sessions, .. } = at_once(self.disk.sessions_of(customer, everything())).unwrap();
        let messages = sessions
            .iter()
            .map(|session| at_once(self.disk.messages_of(session.id, everything())).unwrap().items);
        messages.flatten().collect()
    }
}

impl Text {
    /// What is wrong with where it has moved to, if anything is.
    fn moves(&mut self, message: &Message) -> Option<String> {
        let status = message.delivery.status;
        let last = self.last.replace(status);
        let settled = |status: Status| !status.holds_queue();
        let delivered_at = self.delivered_at;
        self.delivered_at = self.delivered_at.or(message.delivered_at);
        if delivered_at.is_some() && delivered_at != message.delivered_at {
            return Some("was delivered a second time".into());
        }
        match last {
            Some(last) if settled(last) && !settled(status) => {
                Some(format!("was {} and is {} again", last.as_str(), status.as_str()))
            }
            Some(Status::Delivered) if status != Status::Delivered => {
                Some(format!("was delivered and is {}", status.as_str()))
            }
            _ => None,
        }
    }
}
