//! What a command sees and changes, on the tables of this engine.

use std::ops::Range;

use super::Tx;
use crate::domain::consent::LastWords;
use crate::domain::customer::{ConsentRecord, Customer};
use crate::domain::event::What;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::apply::{Hand, Parked, World};
use crate::store::change::{IdempotencyName, Remembered};
use crate::store::embedded::commands::{idempotency, sweep};
use crate::store::embedded::keys::{
    AttemptKey, AttentionKey, DueTurnKey, ExpiryKey, Family, ParkedAgeKey, SuggestionKey, TurnInHandKey,
};
use crate::store::{Receipt, Rules, StoreError};

impl World for Tx<'_, '_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn rules(&self) -> &Rules {
        self.rules
    }

    fn is_in_office(&self, _: &str) -> Result<bool, StoreError> {
        // Whoever has the store has it alone.
        Ok(true)
    }

    fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.tables().customer(id)
    }

    fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError> {
        self.tables().customer_by_number(number)
    }

    fn last_words(&self, number: &Address) -> Result<LastWords, StoreError> {
        self.tables().last_words(number)
    }

    fn add_customer(
        &mut self,
        customer: &Customer,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError> {
        self.add_customer(customer, idempotency)
    }

    fn put_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        self.put_customer(customer)
    }

    fn note_consent(&mut self, record: Option<ConsentRecord>) -> Result<(), StoreError> {
        self.note_consent(record)
    }

    fn take_suppression(&mut self, number: &Address) -> Result<bool, StoreError> {
        self.take_suppression(number)
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.tables().session(id)
    }

    fn newest_session(&self, customer: CustomerId) -> Result<Option<Session>, StoreError> {
        self.tables().newest_session(customer)
    }

    fn put_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.put_session(session)
    }

    fn session_of_suggestion(&self, id: SuggestionId) -> Result<Option<SessionId>, StoreError> {
        self.tables().entry(&SuggestionKey { suggestion: id })
    }

    fn to_be_attended(&self, limit: usize) -> Result<Vec<(Timestamp, SessionId)>, StoreError> {
        let entries = self.tables().entries::<AttentionKey, ()>(&AttentionKey::all()).take(limit);
        entries.map(|entry| entry.map(|(AttentionKey { at, session }, ())| (at, session))).collect()
    }

    fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.tables().message(id)
    }

    fn said(&self, session: SessionId, places: Range<u64>, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.tables().said(session, places).take(limit).collect()
    }

    fn queue(&self, customer: CustomerId) -> Result<Vec<Message>, StoreError> {
        self.tables().queue(customer).map(|queued| Ok(queued?.1)).collect()
    }

    fn queue_front(&self, customer: CustomerId) -> Result<Option<Message>, StoreError> {
        Ok(self.tables().queue_front(customer)?.map(|(_, message)| message))
    }

    fn add_message(
        &mut self,
        message: &Message,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError> {
        self.add_message(message, idempotency)
    }

    fn update_message(&mut self, message: &Message) -> Result<(), StoreError> {
        self.update_message(message)
    }

    fn messages_in(&self, _: &Hand) -> Result<Vec<MessageId>, StoreError> {
        let in_hand = self.tables().entries::<AttemptKey, ()>(&AttemptKey::all());
        in_hand.map(|entry| Ok(entry?.0.message)).collect()
    }

    fn overdue_messages(&self, limit: usize) -> Result<Vec<MessageId>, StoreError> {
        let overdue = sweep::before::<ExpiryKey, MessageId>(self, self.now, limit)?;
        Ok(overdue.into_iter().map(|(_, id)| id).collect())
    }

    fn inbound_id(&self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        self.tables().inbound_id(channel, provider_id)
    }

    fn outbound_id(&self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        self.tables().outbound_id(channel, provider_id)
    }

    fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        self.tables().messages_by_provider_id(provider_id)
    }

    fn note_outbound_id(&mut self, message: &Message, provider_id: &str) -> Result<(), StoreError> {
        self.note_outbound_id(message, provider_id)
    }

    fn parked_of(&self, channel: &str, provider_id: &str) -> Result<Vec<Parked>, StoreError> {
        self.tables().parked_of(channel, provider_id)
    }

    fn parked(&self) -> Result<u64, StoreError> {
        self.tables().parked()
    }

    fn oldest_parked(&self) -> Result<Option<Parked>, StoreError> {
        let oldest = self.tables().entries::<ParkedAgeKey, ()>(&ParkedAgeKey::all()).next().transpose()?;
        oldest.map_or(Ok(None), |(age, ())| self.tables().parked_at(&age))
    }

    fn park(&mut self, receipt: Receipt) -> Result<(), StoreError> {
        let (order, at) = (self.next_order()?, self.now);
        self.place_parked(&Parked { order, at, receipt })
    }

    fn unpark(&mut self, parked: &Parked) -> Result<(), StoreError> {
        self.remove_parked(parked)
    }

    fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError> {
        self.tables().turn(id)
    }

    fn open_turns(&self, session: &Session) -> Result<Vec<Turn>, StoreError> {
        self.tables().open_turns(session.id).collect()
    }

    fn put_turn(&mut self, turn: &Turn) -> Result<(), StoreError> {
        self.put_turn(turn)
    }

    fn next_turn(&mut self) -> Result<Option<(Timestamp, TurnId)>, StoreError> {
        self.finish_turns()?;
        let next = self.tables().entries(&DueTurnKey::all()).next().transpose()?;
        Ok(next.map(|(DueTurnKey { due_at, .. }, id)| (due_at, id)))
    }

    fn turns_in(&self, _: &Hand) -> Result<Vec<TurnId>, StoreError> {
        let in_hand = self.tables().entries::<TurnInHandKey, ()>(&TurnInHandKey::all());
        in_hand.map(|entry| Ok(entry?.0.turn)).collect()
    }

    fn remembered(&self, name: &IdempotencyName) -> Result<Option<Remembered>, StoreError> {
        idempotency::remembered(self.tables(), name)
    }

    fn remember(&mut self, name: IdempotencyName, remembered: Remembered) -> Result<(), StoreError> {
        idempotency::remember(self, name, &remembered)
    }

    fn also_tell(&mut self, what: Option<What>) {
        self.also_tell(what);
    }
}
