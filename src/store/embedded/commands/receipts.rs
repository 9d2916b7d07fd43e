//! Providers' receipts, those that came too early among them.

use super::messages;
use crate::domain::delivery::{
    self, DeliveryError, ErrorClass, MAX_PARKED, Parking, ReceiptEffect, ReceiptStatus,
};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::store::embedded::codec;
use crate::store::embedded::keys::{Family, ParkedAgeKey, ParkedKey};
use crate::store::embedded::kv::Direction;
use crate::store::embedded::tables::ParkedRow;
use crate::store::embedded::tx::Tx;
use crate::store::{Receipt, ReceiptOutcome, StoreError};

pub fn apply(tx: &mut Tx<'_, '_>, receipt: Receipt) -> Result<ReceiptOutcome, StoreError> {
    let Some(mut message) = named_by(tx, &receipt)? else {
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

fn named_by(tx: &Tx<'_, '_>, receipt: &Receipt) -> Result<Option<Message>, StoreError> {
    let by_our_id = tx
        .tables()
        .named_message(receipt.message_id)?
        .filter(|message| !message.is_inbound() && message.delivery.lane.channel == receipt.channel);
    let by_its = tx.tables().outbound_id(&receipt.channel, &receipt.provider_id)?;
    let by_its = if by_its.is_some_and(|id| by_our_id.as_ref().is_some_and(|named| named.id == id)) {
        None
    } else {
        tx.tables().named_message(by_its)?
    };
    Ok(delivery::whose(by_our_id, by_its))
}

fn park(tx: &mut Tx<'_, '_>, receipt: Receipt) -> Result<ReceiptOutcome, StoreError> {
    let (channel, provider_id) = (receipt.channel.clone(), receipt.provider_id.clone());
    let parked = parked_of(tx, &channel, &provider_id)?;
    let said: Vec<_> = parked.into_iter().map(|(_, row)| row.receipt.status).collect();
    match delivery::park(&said, &receipt.status) {
        Parking::Known => return Ok(ReceiptOutcome::Parked),
        Parking::Refused => return Ok(ReceiptOutcome::Dropped),
        Parking::Kept => {}
    }
    let full = tx.tables().parked()? >= MAX_PARKED;
    if full {
        let oldest = tx.tables().entries::<ParkedAgeKey, ()>(&ParkedAgeKey::all()).next().transpose()?;
        if let Some((ParkedAgeKey { at, order, channel, provider_id }, ())) = oldest {
            unpark(tx, ParkedKey { channel, provider_id, order }, at)?;
        }
    }
    let order = tx.next_order()?;
    let age = ParkedAgeKey { at: tx.now, order, channel: channel.clone(), provider_id: provider_id.clone() };
    tx.put_entry(&age, &());
    tx.put_record(&ParkedKey { channel, provider_id, order }, &ParkedRow { receipt, at: tx.now })?;
    tx.count_parked(1)?;
    Ok(if full { ReceiptOutcome::Displacing } else { ReceiptOutcome::Parked })
}

/// Takes a receipt that was parked at `at` out again.
pub fn unpark(tx: &mut Tx<'_, '_>, key: ParkedKey, at: Timestamp) -> Result<(), StoreError> {
    tx.remove(&key);
    let ParkedKey { channel, provider_id, order } = key;
    tx.remove(&ParkedAgeKey { at, order, channel, provider_id });
    tx.count_parked(-1)
}

/// What is parked of a provider's id, in the order of its arrival.
fn parked_of(
    tx: &Tx<'_, '_>,
    channel: &str,
    provider_id: &str,
) -> Result<Vec<(ParkedKey, ParkedRow)>, StoreError> {
    let whose = (channel.to_owned(), provider_id.to_owned());
    let parked = tx.tables().scan(&ParkedKey::within(&whose), Direction::Forward).map(|pair| {
        let (key, value) = pair?;
        Ok((ParkedKey::decode(&key)?, codec::decode::<ParkedRow>(&value)?))
    });
    parked.collect()
}

/// The provider was asked about a message.
pub fn take_answer(
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    asks: u8,
    answer: Option<&(String, ReceiptStatus)>,
) -> Result<Option<Message>, StoreError> {
    let Some(mut message) = tx.tables().message(id)? else { return Ok(None) };
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
pub fn adopt(tx: &mut Tx<'_, '_>, message: &mut Message, provider_id: &str) -> Result<(), StoreError> {
    tx.note_outbound_id(message, provider_id)?;
    let channel = message.delivery.lane.channel.clone();
    for (key, row) in parked_of(tx, &channel, provider_id)? {
        unpark(tx, key, row.at)?;
        apply_to(tx, message, &row.receipt.provider_id, &row.receipt.status)?;
    }
    Ok(())
}

fn apply_to(
    tx: &mut Tx<'_, '_>,
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
pub fn heed_opt_out(tx: &mut Tx<'_, '_>, message: &Message, error: &DeliveryError) -> Result<(), StoreError> {
    if error.class != ErrorClass::OptedOut {
        return Ok(());
    }
    // As the message stands now it may hold the queue no more: what comes after it is canceled, not let go.
    tx.update_message(message)?;
    if let Some(mut customer) = tx.tables().customer(message.customer_id)? {
        let record = customer.opted_out_with_provider(message, error, tx.now);
        tx.put_customer(&customer)?;
        tx.note_consent(record)?;
    }
    messages::cancel_for_opt_out(tx, message.customer_id)
}
