//! An import: records as they were elsewhere, with their numbers in the orders, and all the indexes that lead to them.
//! Decides nothing, but believes nothing either: what does not belong to what came before is refused.

use super::{events, idempotency, pauses, tokens};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;
use crate::store::apply::Parked;
use crate::store::change::{IdempotencyName, Remembered};
use crate::store::embedded::keys::{
    CustomerOrderKey, DeliveryKey, EndpointKey, IdempotencyKey, InboundIdKey, MessageKey, OutboundIdKey,
    ParkedKey, SessionOfKey, TokenHashKey,
};
use crate::store::embedded::schema;
use crate::store::embedded::tx::Tx;
use crate::store::export::{ImportError, Record};
use crate::store::{Created, StoreError, Token};

pub fn begin(tx: &mut Tx<'_, '_>) -> Result<(), ImportError> {
    if !tx.tables().is_empty()? {
        return Err(ImportError::NotEmpty);
    }
    tx.put_entry(&schema::importing_key(), &());
    Ok(())
}

pub fn end(tx: &mut Tx<'_, '_>) -> Result<(), ImportError> {
    must_have_begun(tx)?;
    tx.remove(&schema::importing_key());
    Ok(())
}

pub fn import(tx: &mut Tx<'_, '_>, records: Vec<Record>) -> Result<(), ImportError> {
    must_have_begun(tx)?;
    for (at, record) in records.into_iter().enumerate() {
        take(tx, record).map_err(|error| match error {
            Wrong::Record(reason) => ImportError::Refused { at, reason: reason.into() },
            Wrong::Store(error) => error.into(),
        })?;
    }
    Ok(())
}

fn must_have_begun(tx: &Tx<'_, '_>) -> Result<(), ImportError> {
    if tx.tables().holds(&schema::importing_key())? { Ok(()) } else { Err(ImportError::NotBegun) }
}

enum Wrong {
    Record(&'static str),
    Store(StoreError),
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

type Taken = Result<(), Wrong>;

fn must(holds: bool, otherwise: &'static str) -> Taken {
    if holds { Ok(()) } else { Err(Wrong::Record(otherwise)) }
}

fn take(tx: &mut Tx<'_, '_>, record: Record) -> Taken {
    match record {
        Record::Alive { alive } => Ok(tx.put_record(&schema::alive_key(), &alive)?),
        Record::Customer { order, customer } => {
            must(tx.tables().customer_row(customer.id)?.is_none(), "this customer was there before")?;
            must(
                !tx.tables().holds(&CustomerOrderKey { order })?,
                "another customer has this place in the order",
            )?;
            if let Some(number) = customer.address() {
                must(tx.tables().customer_by_number(number)?.is_none(), "another customer has this number")?;
            }
            Ok(tx.place_customer(order, &customer, None)?)
        }
        Record::Consent { consent } => Ok(tx.note_consent([consent])?),
        Record::Suppression { number } => {
            tx.suppress(number);
            Ok(())
        }
        Record::Session { order, session } => take_session(tx, order, &session),
        Record::Message { order, message } => take_message(tx, order, &message),
        Record::InboundId { channel, provider_id, message_id } => {
            let key = InboundIdKey { channel, provider_id };
            must(!tx.tables().holds(&key)?, "this provider's id was there before")?;
            tx.put_entry(&key, &message_id);
            Ok(())
        }
        Record::OutboundId { channel, provider_id, message_id } => {
            let key = OutboundIdKey { channel, provider_id };
            must(!tx.tables().holds(&key)?, "this provider's id was there before")?;
            must(
                tx.tables().message_at(message_id)?.is_some(),
                "the message of this provider's id is missing",
            )?;
            tx.put_entry(&key, &message_id);
            Ok(())
        }
        Record::Turn { order, turn } => take_turn(tx, order, &turn),
        Record::IdempotencyKey { scope, key, request, at, created } => {
            take_idempotency_key(tx, (scope, key), &Remembered { request, at, created })
        }
        Record::ParkedReceipt { order, at, receipt } => {
            let (channel, provider_id) = (receipt.channel.clone(), receipt.provider_id.clone());
            let key = ParkedKey { channel, provider_id, order };
            must(!tx.tables().holds(&key)?, "another receipt has this place in the order")?;
            Ok(tx.place_parked(&Parked { order, at, receipt })?)
        }
        Record::Token { token } => take_token(tx, &token),
        Record::Pause { pause } => Ok(pauses::keep(tx, &pause)?),
        Record::Event { event } => {
            let last = tx.last_event()?;
            must(last == 0 || event.place == last + 1, "the event is not the next one of the log")?;
            Ok(tx.place_events(event.place, [event])?)
        }
        Record::Endpoint { endpoint } => {
            let key = EndpointKey { name: endpoint.name.clone() };
            must(!tx.tables().holds(&key)?, "this endpoint was there before")?;
            Ok(events::put(tx, &endpoint)?)
        }
        Record::Delivery { delivery } => {
            let key = DeliveryKey { endpoint: delivery.endpoint.clone(), place: delivery.place };
            must(!tx.tables().holds(&key)?, "this delivery was there before")?;
            Ok(events::keep_delivery(tx, &delivery)?)
        }
    }
}

fn take_session(tx: &mut Tx<'_, '_>, order: u64, session: &Session) -> Taken {
    let customer = session.customer_id;
    must(tx.tables().session(session.id)?.is_none(), "this session was there before")?;
    must(tx.tables().customer_row(customer)?.is_some(), "the session's customer is missing")?;
    let taken = tx.tables().holds(&SessionOfKey { customer, order })?;
    must(!taken, "another session of the customer has this place in the order")?;
    Ok(tx.place_session(order, session)?)
}

fn take_message(tx: &mut Tx<'_, '_>, order: Option<u64>, message: &Message) -> Taken {
    let session = tx.tables().session(message.session_id)?;
    let session = session.filter(|session| session.customer_id == message.customer_id);
    let session = session.ok_or(Wrong::Record("the message's session is missing, or another customer's"))?;
    must(message.place < session.message_count, "the message has a place that its session does not have")?;
    must(
        order.is_none() == message.is_inbound(),
        "a message has a place in the queue if it is not a customer's",
    )?;
    let key = MessageKey { session: message.session_id, place: message.place };
    let known = tx.tables().holds(&key)? || tx.tables().message_at(message.id)?.is_some();
    must(!known, "this message, or one in its place, was there before")?;
    Ok(tx.place_message(order, message)?)
}

fn take_turn(tx: &mut Tx<'_, '_>, order: u64, turn: &Turn) -> Taken {
    let session = tx.tables().session(turn.session_id)?;
    let session = session.filter(|session| session.customer_id == turn.customer_id);
    let session = session.ok_or(Wrong::Record("the turn's session is missing, or another customer's"))?;
    must(turn.place < session.turns_queued, "the turn has a place that its session does not have")?;
    must(tx.tables().turn_at(turn.id)?.is_none(), "this turn was there before")?;
    Ok(tx.place_turn(order, turn)?)
}

fn take_idempotency_key(tx: &mut Tx<'_, '_>, name: IdempotencyName, remembered: &Remembered) -> Taken {
    let key = IdempotencyKey { scope: name.0.clone(), key: name.1.clone() };
    must(!tx.tables().holds(&key)?, "this idempotency key was there before")?;
    let found = match &remembered.created {
        Created::Customer(customer) => tx.name_customer(customer.id, name.clone())?,
        Created::Message(message) => tx.name_message(message.id, name.clone())?,
    };
    must(found, "what the idempotency key created is missing")?;
    Ok(idempotency::remember(tx, name, remembered)?)
}

fn take_token(tx: &mut Tx<'_, '_>, token: &Token) -> Taken {
    let known = tx.tables().token(token.id)?.is_some()
        || tx.tables().holds(&TokenHashKey { sha256: token.sha256 })?;
    must(!known, "this token was there before")?;
    Ok(tokens::mint(tx, token)?)
}
