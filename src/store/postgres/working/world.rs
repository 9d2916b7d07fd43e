//! What a command sees and changes, on the rows that are here.

use std::ops::Range;

use super::{Bound, CustomerRow, MessageRow, SessionRow, TurnRow, Want, Working};
use crate::domain::consent::LastWords;
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::delivery::Status;
use crate::domain::event::What;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::apply::{Hand, Parked, World, missing};
use crate::store::change::{IdempotencyName, Remembered};
use crate::store::{Receipt, Rules, StoreError};

/// How many of a list are loaded first, beyond those that are asked for; each time that this was too few, twice as many.
const SOME_MORE: usize = 8;

impl World for Working {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn is_in_office(&self, owner: &str) -> Result<bool, StoreError> {
        self.in_office.get(owner).copied().ok_or_else(|| self.want(Want::Office(owner.to_owned())))
    }

    fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        let row = self.customers.get(&id).ok_or_else(|| self.want(Want::Customer(id)))?;
        Ok(row.map(|row| row.customer.clone()))
    }

    fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError> {
        let number = number.as_str().to_owned();
        match self.numbers.get(&number) {
            None => Err(self.want(Want::Number(number))),
            Some(None) => Ok(None),
            Some(Some(id)) => self.customer(*id),
        }
    }

    fn last_words(&self, number: &Address) -> Result<LastWords, StoreError> {
        let number = NumberHash::of(number);
        let stored = self.last_words.get(&number).ok_or_else(|| self.want(Want::LastWords(number)))?;
        let mut last_words = *stored;
        for (_, record) in self.consent.lines().iter().filter(|(_, record)| record.number == number) {
            last_words.note(record);
        }
        Ok(last_words)
    }

    fn add_customer(&mut self, customer: &Customer, key: Option<IdempotencyName>) -> Result<(), StoreError> {
        let seq = self.next_order()?;
        if let Some(number) = customer.address() {
            self.numbers.put(number.as_str().to_owned(), Some(customer.id));
        }
        // Nobody else knows of them: there is nothing to load, and nobody to lock out.
        self.locked.insert(customer.id);
        self.customers.put(customer.id, Some(CustomerRow { seq, key, customer: customer.clone() }));
        Ok(())
    }

    fn put_customer(&mut self, customer: &Customer) -> Result<(), StoreError> {
        match self.customers.row(&customer.id) {
            None => self.add_customer(customer, None),
            Some(row) if row.customer == *customer => Ok(()),
            Some(row) => {
                let row = CustomerRow { customer: customer.clone(), ..row.clone() };
                self.customers.put(customer.id, Some(row));
                Ok(())
            }
        }
    }

    fn note_consent(&mut self, record: Option<ConsentRecord>) -> Result<(), StoreError> {
        if let Some(record) = record {
            let seq = self.next_order()?;
            self.consent.add((seq, record));
        }
        Ok(())
    }

    fn take_suppression(&mut self, number: &Address) -> Result<bool, StoreError> {
        // A number is suppressed until it has a customer again.
        if matches!(self.numbers.get(&number.as_str().to_owned()), Some(Some(_))) {
            return Ok(false);
        }
        let number = NumberHash::of(number);
        let suppressed =
            self.suppressed.get(&number).ok_or_else(|| self.want(Want::Suppression(number)))?.is_some();
        if suppressed {
            self.suppressed.put(number, None);
        }
        Ok(suppressed)
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row = self.sessions.get(&id).ok_or_else(|| self.want(Want::Session(id)))?;
        Ok(row.map(|row| row.session.clone()))
    }

    fn newest_session(&self, customer: CustomerId) -> Result<Option<Session>, StoreError> {
        if !self.locked.contains(&customer) {
            return Err(self.want(Want::Customer(customer)));
        }
        let ids = self.sessions_of.get(&customer).into_iter().flatten();
        let newest = ids.filter_map(|id| self.sessions.row(id)).max_by_key(|row| row.seq);
        Ok(newest.map(|row| row.session.clone()))
    }

    fn put_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let seq = match self.sessions.row(&session.id) {
            Some(row) if row.session == *session => return Ok(()),
            Some(row) => row.seq,
            None => self.next_order()?,
        };
        self.sessions_of.entry(session.customer_id).or_default().insert(session.id);
        self.sessions.put(session.id, Some(SessionRow { seq, session: session.clone() }));
        Ok(())
    }

    fn session_of_suggestion(&self, id: SuggestionId) -> Result<Option<SessionId>, StoreError> {
        let proposes = |row: &&SessionRow| row.session.suggestions.iter().any(|text| text.id == id);
        if let Some((id, _)) = self.sessions.iter().find(|(_, row)| proposes(row)) {
            return Ok(Some(*id));
        }
        let session = self.suggestions.get(&id).ok_or_else(|| self.want(Want::Suggestion(id)))?;
        // One that is here, and proposes it no more, has another proposal now.
        Ok(session.filter(|session| self.sessions.row(session).is_none()))
    }

    fn to_be_attended(&self, limit: usize) -> Result<Vec<(Timestamp, SessionId)>, StoreError> {
        let more = || self.want(Want::ToBeAttended(limit + SOME_MORE));
        let bound = self.to_be_attended.ok_or_else(more)?;
        let sessions = self.sessions.iter().filter_map(|(id, row)| Some((row.session.attend_at?, *id)));
        let first = first_of(sessions, limit, bound, |(at, id)| (at.as_millis(), id.0.as_u128()));
        first.ok_or_else(|| self.want(Want::ToBeAttended((self.sessions.iter().count() + limit) * 2)))
    }

    fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let row = self.messages.get(&id).ok_or_else(|| self.want(Want::Message(id)))?;
        Ok(row.map(|row| row.message.clone()))
    }

    fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        // All that are not here are asked for at once.
        let unknown = ids.iter().filter(|id| self.messages.get(id).is_none());
        if let Some(error) = unknown.map(|id| self.want(Want::Message(*id))).last() {
            return Err(error);
        }
        ids.iter().filter_map(|id| self.message(*id).transpose()).collect()
    }

    fn said(&self, session: SessionId, places: Range<u64>, limit: usize) -> Result<Vec<Message>, StoreError> {
        let Range { start, end } = places;
        let stored = self.said.get(&(session, start, end, limit));
        let stored = stored.ok_or_else(|| self.want(Want::Said(session, start, end, limit)))?;
        let written = self.at_place.range((session, start)..(session, end)).map(|(_, id)| id);
        let rows = stored.iter().chain(written).filter_map(|id| self.messages.row(id));
        let mut said: Vec<Message> = rows.map(|row| row.message.clone()).collect();
        said.sort_by_key(|message| std::cmp::Reverse(message.place));
        said.dedup_by_key(|message| message.place);
        said.truncate(limit);
        Ok(said)
    }

    fn queue(&self, customer: CustomerId) -> Result<Vec<Message>, StoreError> {
        Ok(self.queue_rows(customer)?.into_iter().map(|row| row.message.clone()).collect())
    }

    fn add_message(&mut self, message: &Message, key: Option<IdempotencyName>) -> Result<(), StoreError> {
        let seq = if message.is_inbound() {
            for provider_id in &message.delivery.provider_ids {
                let id = (provider_id.clone(), message.delivery.lane.channel.clone());
                self.inbound_ids.put(id, Some(message.id));
            }
            None
        } else {
            Some(self.next_order()?)
        };
        self.place_message(message);
        let row = MessageRow { seq, key, is_head: false, message: message.clone() };
        self.messages.put(message.id, Some(row));
        Ok(())
    }

    fn update_message(&mut self, message: &Message) -> Result<(), StoreError> {
        let row = self.messages.get(&message.id).ok_or_else(|| self.want(Want::Message(message.id)))?;
        let row = row.ok_or_else(|| missing("a message"))?;
        if row.message != *message {
            let row = MessageRow { message: message.clone(), ..row.clone() };
            self.messages.put(message.id, Some(row));
        }
        Ok(())
    }

    fn messages_in(&self, hand: &Hand) -> Result<Vec<MessageId>, StoreError> {
        let stored = self.messages_in.get(hand).ok_or_else(|| self.want(Want::MessagesIn(hand.clone())))?;
        let in_hand = |row: &MessageRow| row.message.delivery.status == Status::Sending;
        Ok(stored.iter().copied().filter(|id| self.messages.row(id).is_some_and(in_hand)).collect())
    }

    fn overdue_messages(&self, limit: usize) -> Result<Vec<MessageId>, StoreError> {
        let now = self.now;
        let more = |least| self.want(Want::Overdue(now, least));
        let bound: Bound = *self.overdue.get(&now).ok_or_else(|| more(limit))?;
        let overdue = self.messages.iter().filter_map(|(id, row)| {
            let valid_until = row.message.delivery.valid_until.filter(|until| *until < now)?;
            let queued = row.message.delivery.status == Status::Queued;
            queued.then_some((valid_until, row.seq?, *id))
        });
        let first = first_of(overdue, limit, bound, |(until, seq, _)| (until.as_millis(), u128::from(*seq)));
        let first = first.ok_or_else(|| more((self.messages.iter().count() + limit) * 2))?;
        Ok(first.into_iter().map(|(_, _, id)| id).collect())
    }

    fn inbound_id(&self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        let id = (provider_id.to_owned(), channel.to_owned());
        Ok(self.inbound_ids.get(&id).ok_or_else(|| self.want(Want::InboundId(id)))?.copied())
    }

    fn outbound_id(&self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        let id = (provider_id.to_owned(), channel.to_owned());
        Ok(self.outbound_ids.get(&id).ok_or_else(|| self.want(Want::OutboundId(id)))?.copied().flatten())
    }

    fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        if !self.of_all_channels.contains(provider_id) {
            return Err(self.want(Want::ProviderId(provider_id.to_owned())));
        }
        let ids = self.outbound_ids.iter().filter(|((id, _), _)| id == provider_id);
        ids.filter_map(|(_, message)| (*message).and_then(|id| self.message(id).transpose())).collect()
    }

    fn note_outbound_id(&mut self, message: &Message, provider_id: &str) -> Result<(), StoreError> {
        let channel = message.delivery.lane.channel.clone();
        if self.outbound_id(&channel, provider_id)?.is_none() {
            self.outbound_ids.put((provider_id.to_owned(), channel), Some(Some(message.id)));
        }
        Ok(())
    }

    fn parked_of(&self, channel: &str, provider_id: &str) -> Result<Vec<Parked>, StoreError> {
        let id = (provider_id.to_owned(), channel.to_owned());
        Ok(self.parked.get(&id).ok_or_else(|| self.want(Want::Parked(id)))?.cloned().unwrap_or_default())
    }

    fn parked(&self) -> Result<u64, StoreError> {
        let (stored, _) = self.all_parked.as_ref().ok_or_else(|| self.want(Want::HowManyParked))?;
        let length = |parked: Option<&Vec<Parked>>| parked.map_or(0, |parked| parked.len() as u64);
        let (gone, come) = self
            .parked
            .since_stored()
            .fold((0, 0), |(gone, come), (stored, now)| (gone + length(stored), come + length(now)));
        Ok((stored + come).saturating_sub(gone))
    }

    fn oldest_parked(&self) -> Result<Option<Parked>, StoreError> {
        let (_, oldest) = self.all_parked.as_ref().ok_or_else(|| self.want(Want::HowManyParked))?;
        let here = self.parked.iter().flat_map(|(_, parked)| parked);
        let key_of = |parked: &Parked| (parked.receipt.provider_id.clone(), parked.receipt.channel.clone());
        // What is listed and was loaded, too, may have been taken out since.
        let unloaded = oldest.iter().filter(|parked| self.parked.get(&key_of(parked)).is_none());
        let oldest = here.chain(unloaded).min_by_key(|parked| (parked.at, parked.order)).cloned();
        match oldest {
            Some(oldest) if self.parked.get(&key_of(&oldest)).is_none() => {
                Err(self.want(Want::Parked(key_of(&oldest))))
            }
            oldest => Ok(oldest),
        }
    }

    fn park(&mut self, receipt: Receipt) -> Result<(), StoreError> {
        let id = (receipt.provider_id.clone(), receipt.channel.clone());
        let mut parked = self.parked_of(&receipt.channel, &receipt.provider_id)?;
        parked.push(Parked { order: self.next_order()?, at: self.now, receipt });
        // Whoever gives the id to a message at the same time meets this, and looks again.
        if self.outbound_ids.get(&id) == Some(None) {
            self.outbound_ids.put(id.clone(), Some(None));
        }
        self.parked.put(id, Some(parked));
        Ok(())
    }

    fn unpark(&mut self, parked: &Parked) -> Result<(), StoreError> {
        let receipt = &parked.receipt;
        let mut rest = self.parked_of(&receipt.channel, &receipt.provider_id)?;
        rest.retain(|other| other.order != parked.order);
        let id = (receipt.provider_id.clone(), receipt.channel.clone());
        self.parked.put(id, if rest.is_empty() { None } else { Some(rest) });
        Ok(())
    }

    fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError> {
        let row = self.turns.get(&id).ok_or_else(|| self.want(Want::Turn(id)))?;
        Ok(row.map(|row| row.turn.clone()))
    }

    fn open_turns(&self, session: &Session) -> Result<Vec<Turn>, StoreError> {
        if !self.locked.contains(&session.customer_id) {
            return Err(self.want(Want::Customer(session.customer_id)));
        }
        Ok(self.open_turn_rows(session.id).into_iter().map(|row| row.turn.clone()).collect())
    }

    fn put_turn(&mut self, turn: &Turn) -> Result<(), StoreError> {
        let (seq, is_head) = match self.turns.get(&turn.id) {
            Some(Some(row)) if row.turn == *turn => return Ok(()),
            Some(Some(row)) => (row.seq, row.is_head),
            Some(None) | None => (self.next_order()?, false),
        };
        self.turns_of.entry(turn.session_id).or_default().insert(turn.id);
        self.turns.put(turn.id, Some(TurnRow { seq, is_head, turn: turn.clone() }));
        Ok(())
    }

    fn next_turn(&mut self) -> Result<Option<(Timestamp, TurnId)>, StoreError> {
        let bound = self.due_turns.ok_or_else(|| self.want(Want::DueTurns(SOME_MORE)))?;
        let heads = self.turns_of.keys().filter_map(|session| self.head_of(*session));
        let heads = heads.map(|row| (row.turn.due_at, row.seq, row.turn.id));
        let first = first_of(heads, 1, bound, |(due_at, seq, _)| (due_at.as_millis(), u128::from(*seq)));
        let first = first.ok_or_else(|| self.want(Want::DueTurns((self.turns_of.len() + SOME_MORE) * 2)))?;
        Ok(first.first().map(|(due_at, _, id)| (*due_at, *id)))
    }

    fn turns_in(&self, hand: &Hand) -> Result<Vec<TurnId>, StoreError> {
        let stored = self.turns_in.get(hand).ok_or_else(|| self.want(Want::TurnsIn(hand.clone())))?;
        let in_hand = |row: &TurnRow| row.turn.owner().is_some();
        Ok(stored.iter().copied().filter(|id| self.turns.row(id).is_some_and(in_hand)).collect())
    }

    fn remembered(&self, name: &IdempotencyName) -> Result<Option<Remembered>, StoreError> {
        Ok(self.keys.get(name).ok_or_else(|| self.want(Want::Key(name.clone())))?.cloned())
    }

    fn remember(&mut self, name: IdempotencyName, remembered: Remembered) -> Result<(), StoreError> {
        self.keys.put(name, Some(remembered));
        Ok(())
    }

    fn also_tell(&mut self, what: Option<What>) {
        self.others.extend(what);
    }
}

/// The first of what is here, in the order of `key`. None: something that is not here may come before the last of them.
fn first_of<T>(
    here: impl Iterator<Item = T>,
    limit: usize,
    bound: Bound,
    key: impl Fn(&T) -> (i64, u128),
) -> Option<Vec<T>> {
    let mut first: Vec<T> = here.collect();
    first.sort_by_key(&key);
    first.truncate(limit);
    let known = match (bound, first.last()) {
        (None, _) => true,
        (Some(bound), Some(last)) if first.len() == limit => key(last) < bound,
        (Some(_), _) => limit == 0,
    };
    known.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_only_given_as_far_as_it_is_known() {
        let first = |limit, bound| first_of([5_i64, 1, 3].into_iter(), limit, bound, |at| (*at, 0));
        assert_eq!(first(2, None), Some(vec![1, 3]));
        assert_eq!(first(9, None), Some(vec![1, 3, 5]));
        assert_eq!(first(2, Some((4, 0))), Some(vec![1, 3]));
        assert_eq!(first(3, Some((4, 0))), None);
        assert_eq!(first(2, Some((3, 0))), None);
        assert_eq!(first(9, Some((9, 0))), None);
    }
}
