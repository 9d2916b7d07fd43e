//! Messages: created, listed, canceled.

use std::cmp::Reverse;
use std::time::Duration;

use crate::domain::conversation::{OutboundText, Refusal, decline, may_be_texted, speak};
use crate::domain::delivery::Status;
use crate::domain::event::of_refused_text;
use crate::domain::ids::{CustomerId, MessageId, SessionId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::change::Created;
use crate::store::{
    CancelError, CreateMessage, CreateMessageError, Fresh, ListError, Page, PageRequest, ResendError,
};

use super::pages::page;
use super::state::{Mismatch, State};

impl State {
    pub fn create_message(&mut self, command: CreateMessage) -> Result<Fresh<Message>, CreateMessageError> {
        let CreateMessage { customer_id, text, idempotency, now } = command;
        match self.recall_key(idempotency.as_ref()) {
            Ok(Some(Created::Message(message))) => return Ok(Fresh { value: *message, replayed: true }),
            Ok(Some(Created::Customer(_))) | Err(Mismatch) => {
                return Err(CreateMessageError::IdempotencyMismatch);
            }
            Ok(None) => {}
        }
        let customer = self.customers.get(customer_id).ok_or(CreateMessageError::NotFound)?;
        let newest = self.newest_session(customer_id).cloned();
        let turn = text.turn_id.and_then(|id| self.turns.get(id));
        let spoken = speak(customer, newest.clone(), turn, &text, &self.rules, now);
        let mut spoken = spoken.map_err(|refusal| self.refuse(customer_id, newest, &text, refusal, now))?;
        if spoken.silence_bot {
            self.change_queue(customer_id, now, |state| state.silence_bot(&mut spoken.session, now));
        }
        self.sessions.put(spoken.session);
        self.messages.put(spoken.message.clone());
        spoken.turn.into_iter().for_each(|turn| self.turns.put(turn));
        self.remember_key(idempotency, Created::Message(Box::new(spoken.message.clone())), now);
        Ok(Fresh { value: spoken.message, replayed: false })
    }

    /// A refusal; one of the bot's is told.
    fn refuse(
        &mut self,
        customer_id: CustomerId,
        newest: Option<Session>,
        text: &OutboundText,
        refusal: Refusal,
        now: Timestamp,
    ) -> Refusal {
        if text.author.is_bot() {
            self.told.push(of_refused_text(customer_id, newest.as_ref(), text, refusal));
            if let Some(switched) = decline(newest, refusal, &self.rules, now) {
                self.change_queue(customer_id, now, |state| state.keep_switch(switched, now));
            }
        }
        refusal
    }

    pub fn messages_of(
        &self,
        session_id: SessionId,
        request: &PageRequest,
    ) -> Result<Page<Message>, ListError> {
        let rows = self
            .messages
            .rows()
            .filter(|message| message.session_id == session_id)
            .map(|message| (Reverse(message.place), message.clone()))
            .collect();
        page(("messages", session_id.0), rows, request)
    }

    pub fn held(&self, request: &PageRequest) -> Result<Page<Message>, ListError> {
        let held = self.messages.numbered().filter(|(_, message)| message.is_held());
        page(
            ("held", uuid::Uuid::nil()),
            held.map(|(number, message)| (number, message.clone())).collect(),
            request,
        )
    }

    pub fn cancel_message(&mut self, id: MessageId, now: Timestamp) -> Result<Message, CancelError> {
        let mut message = self.messages.get(id).ok_or(CancelError::NotFound)?.clone();
        if message.delivery.status != Status::Queued {
            return Err(CancelError::NotQueued(message.delivery.status));
        }
        message.withdraw(Status::Canceled, None, now);
        self.change_queue(message.customer_id, now, |state| state.messages.put(message.clone()));
        Ok(message)
    }

    pub fn resend_message(
        &mut self,
        id: MessageId,
        valid_for: Duration,
        now: Timestamp,
    ) -> Result<Message, ResendError> {
        let mut message = self.messages.get(id).ok_or(ResendError::NotFound)?.clone();
        if !message.is_held() {
            return Err(ResendError::NotHeld(message.delivery.status));
        }
        may_be_texted(self.owner(message.customer_id)?, message.delivery.exemption)?;
        let (own, newest) = self.sessions_around(&message)?;
        if message.is_silenced(own, newest) {
            return Err(Refusal::SessionHeld.into());
        }
        message.resend(valid_for, now);
        self.change_queue(message.customer_id, now, |state| state.messages.put(message.clone()));
        Ok(message)
    }
}
