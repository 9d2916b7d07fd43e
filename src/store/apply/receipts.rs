//! Providers' receipts, those that came too early among them.

use super::messages;
use crate::domain::delivery::{
    self, DeliveryError, ErrorClass, MAX_PARKED, Parking, ReceiptEffect, ReceiptStatus,
};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::store::apply::World;
use crate::store::{Receipt, ReceiptOutcome, StoreError};

pub fn apply(tx: &mut impl World, receipt: &Receipt) -> Result<ReceiptOutcome, StoreError> {
    let Some(mut message) = named_by(tx, receipt)? else {
        return park(tx, receipt);
    };
    let before = message.delivery.status;
    adopt(tx, &mut message, &receipt.provider_id)?;
    apply_to(tx, &mut message, &receipt.provider_id, &receipt.status)?;
    tx.update_message(&message)?;
    let after = message.delivery.status;
    let advanced = after != before;
    Ok(if advanced { ReceiptOutcome::Advanced(message.id, after) } else { ReceiptOutcome::Stale(message.id) })
}

fn named_by(tx: &impl World, receipt: &Receipt) -> Result<Option<Message>, StoreError> {
    let by_our_id = tx
        .named_message(receipt.message_id)?
        .filter(|message| !message.is_inbound() && message.delivery.lane.channel == receipt.channel);
    let by_its = tx.outbound_id(&receipt.channel, &receipt.provider_id)?;
    let by_its = if by_its.is_some_and(|id| by_our_id.as_ref().is_some_and(|named| named.id == id)) {
        None
    } else {
        tx.named_message(by_its)?
    };
    Ok(delivery::whose(by_our_id, by_its))
}

fn park(tx: &mut impl World, receipt: &Receipt) -> Result<ReceiptOutcome, StoreError> {
    let parked = tx.parked_of(&receipt.channel, &receipt.provider_id)?;
    let said: Vec<_> = parked.into_iter().map(|parked| parked.receipt.status).collect();
    match delivery::park(&said, &receipt.status) {
        Parking::Known => return Ok(ReceiptOutcome::Parked),
        Parking::Refused => return Ok(ReceiptOutcome::Dropped),
        Parking::Kept => {}
    }
    let full = tx.parked()? >= MAX_PARKED;
    if full && let Some(oldest) = tx.oldest_parked()? {
        tx.unpark(&oldest)?;
    }
    tx.park(receipt.clone())?;
    Ok(if full { ReceiptOutcome::Displacing } else { ReceiptOutcome::Parked })
}

/// The provider was asked about a message.
pub fn take_answer(
    tx: &mut impl World,
    id: MessageId,
    asks: u8,
    answer: Option<&(String, ReceiptStatus)>,
) -> Result<Option<Message>, StoreError> {
    let Some(mut message) = tx.message(id)? else { return Ok(None) };
    let effect = message.take_answer(asks, answer.map(|(id, status)| (id.as_str(), status)));
    if let (ReceiptEffect::Advanced, Some(error)) =
        (effect, answer.and_then(|(_, status)| status.error.as_ref()))
    {
        heed_opt_out(tx, &message, error)?;
    }
    tx.update_message(&message)?;
    Ok(Some(message))
}

/// The message has that provider id now: what came for it earlier is applied. The message is changed, but not kept.
pub fn adopt(tx: &mut impl World, message: &mut Message, provider_id: &str) -> Result<(), StoreError> {
    tx.note_outbound_id(message, provider_id)?;
    let channel = message.delivery.lane.channel.clone();
    for parked in tx.parked_of(&channel, provider_id)? {
        tx.unpark(&parked)?;
        apply_to(tx, message, &parked.receipt.provider_id, &parked.receipt.status)?;
    }
    Ok(())
}

fn apply_to(
    tx: &mut impl World,
    message: &mut Message,
    provider_id: &str,
    status: &ReceiptStatus,
) -> Result<(), StoreError> {
    match (message.apply_receipt(provider_id, status), &status.error) {
        (ReceiptEffect::Advanced, Some(error)) => heed_opt_out(tx, message, error),
        (ReceiptEffect::Advanced | ReceiptEffect::Stale, _) => Ok(()),
    }
}

/// If the provider says that the customer opted out, they are unsubscribed. `message`, whose fate said so, is the
/// caller's to keep.
pub fn heed_opt_out(tx: &mut impl World, message: &Message, error: &DeliveryError) -> Result<(), StoreError> {
    if error.class != ErrorClass::OptedOut {
        return Ok(());
    }
    // As the message stands now it may hold the queue no more: what comes after it is canceled, not let go.
    tx.update_message(message)?;
    if let Some(mut customer) = tx.customer(message.customer_id)? {
        let record = customer.opted_out_with_provider(message, error, tx.now());
        tx.put_customer(&customer)?;
        tx.note_consent(record)?;
    }
    messages::cancel_for_opt_out(tx, message.customer_id)
}
