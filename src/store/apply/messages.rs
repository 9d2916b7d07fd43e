//! Messages of the brand: created and canceled.

use std::time::Duration;

use super::{idempotency, sessions};
use crate::domain::conversation::{OutboundText, Refusal, decline, may_be_texted, speak};
use crate::domain::delivery::Status;
use crate::domain::event::of_refused_text;
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::Message;
use crate::store::apply::World;
use crate::store::apply::missing;
use crate::store::{CancelError, CreateMessage, CreateMessageError, Fresh, ResendError, StoreError};

/// The outer error leaves no trace; the inner one does: what the bot said in vain is told.
pub fn create(
    tx: &mut impl World,
    command: &CreateMessage,
) -> Result<Result<Fresh<Message>, Refusal>, CreateMessageError> {
    let CreateMessage { customer_id, text, idempotency, now } = command;
    if let Some(value) = idempotency::recall(tx, idempotency.as_ref())? {
        return Ok(Ok(Fresh { value, replayed: true }));
    }
    let (customer_id, now) = (*customer_id, *now);
    let customer = tx.customer(customer_id)?.ok_or(CreateMessageError::NotFound)?;
    let newest = tx.newest_session(customer_id)?;
    let turn = text.turn_id.map_or(Ok(None), |turn| tx.turn(turn))?;
    let mut spoken = match speak(&customer, newest, turn.as_ref(), text, tx.rules(), now) {
        Ok(spoken) => spoken,
        Err(refusal) if text.author.is_bot() => {
            refuse_bot(tx, customer_id, text, refusal)?;
            return Ok(Err(refusal));
        }
        Err(refusal) => return Err(refusal.into()),
    };
    if spoken.silence_bot {
        sessions::silence_bot(tx, &mut spoken.session)?;
    }
    tx.put_session(&spoken.session)?;
    tx.add_message(&spoken.message, idempotency::name(idempotency.as_ref()))?;
    if let Some(turn) = &spoken.turn {
        tx.put_turn(turn)?;
    }
    idempotency::remember(tx, idempotency.as_ref(), &spoken.message)?;
    Ok(Ok(Fresh { value: spoken.message, replayed: false }))
}

fn refuse_bot(
    tx: &mut impl World,
    customer_id: CustomerId,
    text: &OutboundText,
    refusal: Refusal,
) -> Result<(), StoreError> {
    let newest = tx.newest_session(customer_id)?;
    tx.also_tell(Some(of_refused_text(customer_id, newest.as_ref(), text, refusal)));
    if let Some(switched) = decline(newest, refusal, tx.rules(), tx.now()) {
        sessions::keep_switch(tx, switched)?;
    }
    Ok(())
}

pub fn cancel(tx: &mut impl World, id: MessageId) -> Result<Message, CancelError> {
    let mut message = tx.message(id)?.ok_or(CancelError::NotFound)?;
    if message.delivery.status != Status::Queued {
        return Err(CancelError::NotQueued(message.delivery.status));
    }
    message.withdraw(Status::Canceled, None, tx.now());
    tx.update_message(&message)?;
    Ok(message)
}

pub fn resend(tx: &mut impl World, id: MessageId, valid_for: Duration) -> Result<Message, ResendError> {
    let mut message = tx.message(id)?.ok_or(ResendError::NotFound)?;
    if !message.is_held() {
        return Err(ResendError::NotHeld(message.delivery.status));
    }
    let customer = tx.customer(message.customer_id)?.ok_or_else(|| missing("a customer"))?;
    may_be_texted(&customer, message.delivery.exemption)?;
    let (own, newest) = tx.sessions_around(&message)?;
    if message.is_silenced(&own, &newest) {
        return Err(Refusal::SessionHeld.into());
    }
    message.resend(valid_for, tx.now());
    tx.update_message(&message)?;
    Ok(message)
}

/// The customer opted out: what is queued for them is canceled, unless it is exempt.
pub fn cancel_for_opt_out(tx: &mut impl World, customer: CustomerId) -> Result<(), StoreError> {
    for mut message in tx.queue(customer)? {
        if message.is_canceled_by_opt_out() {
            message.cancel_because(Refusal::CustomerUnsubscribed, tx.now());
            tx.update_message(&message)?;
        }
    }
    Ok(())
}
