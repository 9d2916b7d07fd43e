//! What is forgotten: whole conversations, once they are over and old enough; nothing that is younger, held or open.

use std::collections::BTreeMap;

use switchboard::domain::ids::SessionId;
use switchboard::domain::message::Message;
use switchboard::domain::session::Session;
use switchboard::domain::time::Timestamp;
use switchboard::store::{Page, Pruned, Store, StoreError};

use super::rest::everything;
use super::{Audit, Book, at_once};

/// All conversations, as they stood before some were removed.
#[derive(Default)]
pub struct Remembered(BTreeMap<SessionId, (Session, Vec<Message>)>);

impl Audit {
    /// A command is about to be applied: what a removal takes cannot be looked at afterwards.
    pub fn will(&self, command: &str) {
        if command == "prune" {
            let mut book = self.book();
            book.remembered = Remembered(self.conversations(&book));
        }
    }

    pub fn saw_prune(&self, answer: &Result<Pruned, StoreError>, before: Timestamp) {
        let mut book = self.book();
        let Remembered(conversations) = std::mem::take(&mut book.remembered);
        if answer.is_err() {
            return;
        }
        for (id, (session, messages)) in conversations {
            if at_once(self.disk.session(id)).unwrap().is_none() {
                self.journal.saw("a conversation was removed");
                self.is_removed(&mut book, &session, &messages, before);
            }
        }
    }

    fn is_removed(&self, book: &mut Book, session: &Session, messages: &[Message], before: Timestamp) {
        self.journal.note(|| format!("{} messages are removed with their conversation", messages.len()));
        if session.need_attention {
            self.journal.broken("a conversation was removed that agents have");
        }
        if let Some(message) = messages.iter().find(|message| message.is_open()) {
            self.journal.broken(format!(
                "a conversation was removed with a text that is {}",
                message.delivery.status.as_str()
            ));
        }
        if messages.iter().any(|message| message.created_at >= before) {
            self.journal.broken("a conversation was removed that is not old");
        }
        for message in messages {
            if self.stored(message.id).is_some() {
                self.journal.broken("a message outlived its conversation");
            }
            let wrong = book.texts.get(&message.id).and_then(|text| {
                let wrong = self.is_settled(book, text, message)?;
                Some(format!("{} was removed and {wrong}", text.title()))
            });
            if let Some(wrong) = wrong {
                self.journal.broken(wrong);
            }
            if let Some(text) = book.texts.get_mut(&message.id) {
                (text.erased, text.removed) = (true, true);
            }
        }
        for heard in book.heard.values_mut().filter(|heard| heard.session == Some(session.id)) {
            (heard.erased, heard.removed) = (true, true);
        }
    }

    /// So long after everything has come to rest that all that is over has to be gone.
    pub fn check_forgotten(&self) {
        let book = self.book();
        for (session, messages) in self.conversations(&book).values() {
            if !session.need_attention && !messages.iter().any(Message::is_open) {
                let since = session.last_message_at;
                self.journal.broken(format!("a conversation is kept that was over at {since}"));
            }
        }
    }

    fn conversations(&self, book: &Book) -> BTreeMap<SessionId, (Session, Vec<Message>)> {
        let of_customer = |customer| {
            let Page { items, .. } = at_once(self.disk.sessions_of(customer, everything())).unwrap();
            items
        };
        let sessions = book.customers.iter().flat_map(|(customer, _)| of_customer(*customer));
        let with_messages = sessions.map(|session| {
            let messages = at_once(self.disk.messages_of(session.id, everything())).unwrap().items;
            (session.id, (session, messages))
        });
        with_messages.collect()
    }
}
