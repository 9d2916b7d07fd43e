//! Customers' texts.

use super::{messages, sessions};
use crate::domain::consent::LastWords;
use crate::domain::conversation::{OnRecord, receive};
use crate::store::apply::World;
use crate::store::{Inbound, RecordInbound, StoreError};

pub fn record(tx: &mut impl World, command: &RecordInbound) -> Result<Inbound, StoreError> {
    let RecordInbound { text, ids, now } = command;
    if let Some(message_id) = tx.inbound_id(&text.lane.channel, &text.provider_id)? {
        return Ok(Inbound::Duplicate { message_id });
    }
    let known = tx.customer_by_number(&text.from)?;
    let newest = match &known {
        Some(customer) => tx.newest_session(customer.id)?,
        None => None,
    };
    let last_words = if text.recovered { tx.last_words(&text.from)? } else { LastWords::default() };
    // Asked for only where it makes a difference.
    let last_turn = match &newest {
        Some(newest) if !tx.rules().bot.debounce.is_zero() => tx.open_turns(newest)?.pop(),
        Some(_) | None => None,
    };
    let suppressed = tx.take_suppression(&text.from)?;
    let on_record = OnRecord { customer: known, newest, suppressed, last_words, last_turn };
    let mut received = receive(on_record, text, *ids, tx.rules(), *now);

    tx.put_customer(&received.customer)?;
    for record in received.consent {
        tx.note_consent(Some(record))?;
    }
    if received.silence_bot {
        sessions::silence_bot(tx, &mut received.session)?;
    }
    tx.put_session(&received.session)?;
    tx.add_message(&received.message, None)?;
    if let Some(turn) = &received.turn {
        tx.put_turn(turn)?;
    }
    if received.opted_out {
        messages::cancel_for_opt_out(tx, received.customer.id)?;
    }
    if let Some(reply) = &received.reply {
        tx.add_message(reply, None)?;
    }
    Ok(Inbound::Recorded {
        message: Box::new(received.message),
        session: Box::new(received.session),
        turn: received.turn.is_some(),
        reply: received.reply.map(Box::new),
    })
}
