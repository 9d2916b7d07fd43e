//! What stands under the keys, and how it is found: typed reads on any view, be it of what is committed or of a
//! command's own world. Writes nothing; see [`super::tx`].

use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::codec;
use super::keys::{
    ClosedTurnKey, ConsentKey, CustomerKey, CustomerNumberKey, DoubtKey, EventKey, FactKey, Family,
    InboundIdKey, LogKey, MessageAtKey, MessageKey, OpenTurnKey, OutboundIdKey, ParkedAgeKey, ParkedKey,
    Part, QueueKey, RemainsKey, SessionKey, SessionOfKey, TokenKey, TurnAtKey,
};
use super::kv::{Direction, KeyRange, Pair, View};
use super::schema;
use crate::domain::consent::LastWords;
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::event::Event;
use crate::domain::ids::{CustomerId, MessageId, SessionId, TokenId, TurnId};
use crate::domain::message::Message;
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::apply::{self, Parked, missing};
use crate::store::change::IdempotencyName;
use crate::store::{Receipt, StoreError, Token};

/// What remains of a conversation that is gone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Remains {
    /// Whether it is to be forgotten, too, that its customer's texts were received: a repeat would be a new text.
    pub forget_received: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct CustomerRow {
    pub order: u64,
    /// By what it was created, so that erasing the person finds it.
    pub idempotency: Option<IdempotencyName>,
    pub customer: Customer,
}

/// Where a message is. Never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MessageAt {
    pub session: SessionId,
    pub place: u64,
    /// Its place in the order of queueing, if it is ours.
    pub order: Option<u64>,
    /// By what it was created, so that erasing the person finds it.
    pub idempotency: Option<IdempotencyName>,
}

/// Where a turn is. Never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TurnAt {
    pub session: SessionId,
    pub place: u64,
    pub order: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ParkedRow {
    pub receipt: Receipt,
    pub at: Timestamp,
}

#[derive(Clone, Copy)]
pub struct Tables<'v> {
    view: &'v dyn View,
}

impl<'v> Tables<'v> {
    pub fn new(view: &'v dyn View) -> Self {
        Self { view }
    }

    /// Whether there is anything but facts about the store.
    pub fn is_empty(self) -> Result<bool, StoreError> {
        let range = KeyRange { start: FactKey::all().end, end: vec![u8::MAX] };
        Ok(self.scan(&range, Direction::Forward).next().transpose()?.is_none())
    }

    /// The record under a key.
    pub fn record<T: DeserializeOwned>(self, key: &impl Family) -> Result<Option<T>, StoreError> {
        self.view.get(&key.encode())?.map(|value| codec::decode(&value)).transpose()
    }

    /// What an index says under a key.
    pub fn entry<P: Part>(self, key: &impl Family) -> Result<Option<P>, StoreError> {
        self.view.get(&key.encode())?.map(|value| read_entry(&value)).transpose()
    }

    pub fn holds(self, key: &impl Family) -> Result<bool, StoreError> {
        Ok(self.view.get(&key.encode())?.is_some())
    }

    pub fn scan(
        self,
        range: &KeyRange,
        direction: Direction,
    ) -> impl Iterator<Item = Result<Pair, StoreError>> + use<'v> {
        self.view.scan(range, direction).map(|pair| Ok(pair?))
    }

    /// The keys of a range, read, with what an index says under them.
    pub fn entries<F: Family, P: Part>(
        self,
        range: &KeyRange,
    ) -> impl Iterator<Item = Result<(F, P), StoreError>> + use<'v, F, P> {
        self.scan(range, Direction::Forward).map(|pair| {
            let (key, value) = pair?;
            Ok((F::decode(&key)?, read_entry(&value)?))
        })
    }

    /// The records of a range.
    pub fn records<T: DeserializeOwned>(
        self,
        range: &KeyRange,
    ) -> impl Iterator<Item = Result<T, StoreError>> + use<'v, T> {
        self.scan(range, Direction::Forward).map(|pair| codec::decode(&pair?.1))
    }

    pub fn customer_row(self, customer: CustomerId) -> Result<Option<CustomerRow>, StoreError> {
        self.record(&CustomerKey { customer })
    }

    pub fn customer(self, customer: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.customer_row(customer)?.map(|row| row.customer))
    }

    pub fn customer_by_number(self, number: &Address) -> Result<Option<Customer>, StoreError> {
        match self.entry(&CustomerNumberKey { number: number.as_str().to_owned() })? {
            Some(customer) => self.customer(customer),
            None => Ok(None),
        }
    }

    /// When the number last opted out and in.
    pub fn last_words(self, number: &Address) -> Result<LastWords, StoreError> {
        let mut last_words = LastWords::default();
        for record in self.records::<ConsentRecord>(&ConsentKey::within(&NumberHash::of(number))) {
            last_words.note(&record?);
        }
        Ok(last_words)
    }

    pub fn session(self, session: SessionId) -> Result<Option<Session>, StoreError> {
        self.record(&SessionKey { session })
    }

    pub fn newest_session(self, customer: CustomerId) -> Result<Option<Session>, StoreError> {
        let newest = self.scan(&SessionOfKey::within(&customer), Direction::Reverse).next().transpose()?;
        match newest {
            Some((_, session)) => self.session(read_entry(&session)?),
            None => Ok(None),
        }
    }

    /// Whether the conversation is gone, whatever remains of it.
    pub fn is_gone(self, session: SessionId) -> Result<bool, StoreError> {
        self.holds(&RemainsKey { session })
    }

    /// Where a message is; or, of a conversation that is gone, where it was.
    pub fn message_at(self, message: MessageId) -> Result<Option<MessageAt>, StoreError> {
        self.record(&MessageAtKey { message })
    }

    pub fn message(self, message: MessageId) -> Result<Option<Message>, StoreError> {
        match self.message_at(message)? {
            Some(MessageAt { session, place, .. }) if !self.is_gone(session)? => {
                self.record(&MessageKey { session, place })
            }
            Some(_) | None => Ok(None),
        }
    }

    /// What was said in the session at these places, the newest first.
    pub fn said(
        self,
        session: SessionId,
        places: Range<u64>,
    ) -> impl Iterator<Item = Result<Message, StoreError>> + use<'v> {
        let key = |place| MessageKey { session, place }.encode();
        let range = KeyRange { start: key(places.start), end: key(places.end) };
        self.scan(&range, Direction::Reverse).map(|pair| codec::decode(&pair?.1))
    }

    /// The message that something else names.
    pub fn named_message(self, message: Option<MessageId>) -> Result<Option<Message>, StoreError> {
        message.map_or(Ok(None), |message| self.message(message))
    }

    /// A customer's texts that are not settled, in the order in which they leave.
    pub fn queue(
        self,
        customer: CustomerId,
    ) -> impl Iterator<Item = Result<(u64, Message), StoreError>> + use<'v> {
        self.entries(&QueueKey::within(&customer)).map(move |entry| {
            let (QueueKey { order, .. }, id) = entry?;
            let message = self.message(id)?.ok_or_else(|| missing("a queued message"))?;
            Ok((order, message))
        })
    }

    /// A customer's texts that are open ([`Message::is_open`]): those of the queue, and those of unknown fate that hold it no
    /// more.
    pub fn open_messages(
        self,
        customer: CustomerId,
    ) -> impl Iterator<Item = Result<Message, StoreError>> + use<'v> {
        let doubted = self.entries(&DoubtKey::within(&customer)).map(move |entry| {
            let (DoubtKey { .. }, id) = entry?;
            self.message(id)?.ok_or_else(|| missing("a message of unknown fate"))
        });
        self.queue(customer).map(|queued| Ok(queued?.1)).chain(doubted)
    }

    /// The first of a customer's queue: the one in flight, or else the oldest.
    pub fn queue_front(self, customer: CustomerId) -> Result<Option<(u64, Message)>, StoreError> {
        apply::front(self.queue(customer), |(_, message)| message)
    }

    pub fn inbound_id(self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        self.entry(&InboundIdKey { channel: channel.to_owned(), provider_id: provider_id.to_owned() })
    }

    pub fn outbound_id(self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        let key = OutboundIdKey { channel: channel.to_owned(), provider_id: provider_id.to_owned() };
        let Some(id) = self.entry(&key)? else { return Ok(None) };
        let gone = match self.message_at(id)? {
            Some(MessageAt { session, .. }) => self.is_gone(session)?,
            None => true,
        };
        Ok(if gone { None } else { Some(id) })
    }

    /// The messages of ours that a provider's id belongs to, of each channel one at the most.
    pub fn messages_by_provider_id(self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        let mut messages = Vec::new();
        for channel in self.channels::<OutboundIdKey>(|key| key.channel)? {
            let id = self.outbound_id(&channel, provider_id)?;
            messages.extend(self.named_message(id)?);
        }
        Ok(messages)
    }

    /// The channels of a family that has them first in its keys, without a walk over all of it.
    pub fn channels<F: Family>(self, channel: fn(F) -> String) -> Result<Vec<String>, StoreError> {
        let mut rest = F::all();
        let mut channels = Vec::new();
        while let Some(pair) = self.scan(&rest, Direction::Forward).next().transpose()? {
            let channel = channel(F::decode(&pair.0)?);
            rest.start = F::within(&channel).end;
            channels.push(channel);
        }
        Ok(channels)
    }

    /// How many receipts are parked. A store from before they were counted has none of that on record.
    pub fn parked(self) -> Result<u64, StoreError> {
        match self.view.get(&schema::parked_key())? {
            Some(count) => read_entry(&count),
            None => self.entries::<ParkedAgeKey, ()>(&ParkedAgeKey::all()).try_fold(0, |count, entry| {
                entry?;
                Ok(count + 1)
            }),
        }
    }

    /// What is parked of a provider's id, in the order of its arrival.
    pub fn parked_of(self, channel: &str, provider_id: &str) -> Result<Vec<Parked>, StoreError> {
        let whose = (channel.to_owned(), provider_id.to_owned());
        let parked = self.scan(&ParkedKey::within(&whose), Direction::Forward).map(|pair| {
            let (key, value) = pair?;
            let (ParkedKey { order, .. }, row) =
                (ParkedKey::decode(&key)?, codec::decode::<ParkedRow>(&value)?);
            Ok(Parked { order, at: row.at, receipt: row.receipt })
        });
        parked.collect()
    }

    /// The receipt that was parked then.
    pub fn parked_at(self, age: &ParkedAgeKey) -> Result<Option<Parked>, StoreError> {
        let ParkedAgeKey { at, order, channel, provider_id } = age.clone();
        let row = self.record::<ParkedRow>(&ParkedKey { channel, provider_id, order })?;
        Ok(row.map(|row| Parked { order, at, receipt: row.receipt }))
    }

    /// The events of the log from that place on.
    pub fn events_from(
        self,
        place: u64,
    ) -> Result<impl Iterator<Item = Result<Event, StoreError>> + use<'v>, StoreError> {
        let place = place.max(self.forgotten_events()? + 1);
        let KeyRange { start, end } = EventKey::all();
        // The run that has it begins there, or before.
        let up_to_it = KeyRange { start, end: EventKey { place: place.saturating_add(1) }.encode() };
        let run = self.scan(&up_to_it, Direction::Reverse).next().transpose()?;
        let start = run.map_or(up_to_it.start, |(key, _)| key);
        let runs = self.scan(&KeyRange { start, end }, Direction::Forward);
        let events = runs.flat_map(|run| {
            let (events, error) = match run.and_then(|(_, run)| codec::decode_all(&run)) {
                Ok(events) => (events, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            events.into_iter().map(Ok).chain(error)
        });
        Ok(events.filter(move |event: &Result<Event, _>| {
            event.as_ref().map_or(true, |event| event.place >= place)
        }))
    }

    /// The place of the newest event.
    pub fn last_event(self) -> Result<u64, StoreError> {
        Ok(self.view.get(&schema::events_key())?.map(|value| read_entry(&value)).transpose()?.unwrap_or(0))
    }

    /// Up to which place the log is forgotten, if any of it is.
    pub fn forgotten_events(self) -> Result<u64, StoreError> {
        Ok(self.entry(&LogKey::FORGOTTEN)?.unwrap_or(0))
    }

    pub fn turn_at(self, turn: TurnId) -> Result<Option<TurnAt>, StoreError> {
        self.record(&TurnAtKey { turn })
    }

    pub fn turn(self, turn: TurnId) -> Result<Option<Turn>, StoreError> {
        let Some(TurnAt { session, place, .. }) = self.turn_at(turn)? else { return Ok(None) };
        if self.is_gone(session)? {
            return Ok(None);
        }
        match self.record(&OpenTurnKey { session, place })? {
            Some(turn) => Ok(Some(turn)),
            None => self.record(&ClosedTurnKey { session, place }),
        }
    }

    /// A session's turns that are pending or in hand, in their order.
    pub fn open_turns(self, session: SessionId) -> impl Iterator<Item = Result<Turn, StoreError>> + use<'v> {
        self.records(&OpenTurnKey::within(&session))
    }

    pub fn token(self, token: TokenId) -> Result<Option<Token>, StoreError> {
        self.record(&TokenKey { token })
    }
}

pub fn read_entry<P: Part>(mut value: &[u8]) -> Result<P, StoreError> {
    let unreadable = || StoreError::Corrupt("an index entry cannot be read".into());
    let entry = P::read(&mut value).ok_or_else(unreadable)?;
    if value.is_empty() { Ok(entry) } else { Err(unreadable()) }
}

pub fn write_entry(entry: &impl Part) -> Vec<u8> {
    // An id, mostly.
    let mut value = Vec::with_capacity(16);
    entry.write(&mut value);
    value
}
