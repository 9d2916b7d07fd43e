//! Providers' receipts, those that came too early among them.

use super::messages;
use crate::domain::delivery::{DeliveryError, ErrorClass, ReceiptEffect, ReceiptStatus};
use crate::domain::message::Message;
use crate::store::embedded::codec;
use crate::store::embedded::keys::{Family, ParkedAgeKey, ParkedKey};
use crate::store::embedded::kv::Direction;
use crate::store::embedded::tables::ParkedRow;
use crate::store::embedded::tx::Tx;
use crate::store::{Receipt, ReceiptOutcome, StoreError};

pub fn apply(tx: &mut Tx<'_, '_>, receipt: Receipt) -> Result<ReceiptOutcome, StoreError> {
    let Some(mut message) = named_by(tx, &receipt)? else {
        park(tx, receipt)?;
        return Ok(ReceiptOutcome::Parked);
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
    match by_our_id {
        Some(message) => Ok(Some(message)),
        None => tx.tables().named_message(tx.tables().outbound_id(&receipt.channel, &receipt.provider_id)?),
    }
}

fn park(tx: &mut Tx<'_, '_>, receipt: Receipt) -> Result<(), StoreError> {
    let order = tx.next_order()?;
    let (channel, provider_id) = (receipt.channel.clone(), receipt.provider_id.clone());
    let age = ParkedAgeKey { at: tx.now, channel: channel.clone(), provider_id: provider_id.clone(), order };
    tx.put_entry(&age, &());
    tx.put_record(&ParkedKey { channel, provider_id, order }, &ParkedRow { receipt, at: tx.now })
}

/// The message has that provider id now: what came for it earlier is applied. The message is changed, but not kept.
pub fn adopt(tx: &mut Tx<'_, '_>, message: &mut Message, provider_id: &str) -> Result<(), StoreError> {
    tx.note_outbound_id(message, provider_id)?;
    let whose = (message.delivery.lane.channel.clone(), provider_id.to_owned());
    let parked = tx.tables().scan(&ParkedKey::within(&whose), Direction::Forward).map(|pair| {
        let (key, value) = pair?;
        Ok((ParkedKey::decode(&key)?, codec::decode::<ParkedRow>(&value)?))
    });
    for (key, row) in parked.collect::<Result<Vec<_>, StoreError>>()? {
        tx.remove(&key);
        let ParkedKey { channel, provider_id, order } = key;
        tx.remove(&ParkedAgeKey { at: row.at, channel, provider_id, order });
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
