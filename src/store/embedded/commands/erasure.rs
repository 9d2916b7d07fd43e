//! The right to be forgotten: a customer, and everything that leads to them.

use super::idempotency;
use crate::domain::customer::NumberHash;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::message::Message;
use crate::store::embedded::keys::{Family, MessageKey, SessionOfKey};
use crate::store::embedded::tables::missing;
use crate::store::embedded::tx::Tx;
use crate::store::{CustomerError, StoreError};

/// What stays: the hashed number's consent log, its suppression if they had opted out, and that the provider's ids of
/// their texts were seen.
pub fn erase(tx: &mut Tx<'_, '_>, id: CustomerId) -> Result<(), CustomerError> {
    let row = tx.tables().customer_row(id)?.ok_or(CustomerError::NotFound)?;
    let sessions: Vec<(SessionOfKey, SessionId)> =
        tx.tables().entries(&SessionOfKey::within(&id)).collect::<Result<_, _>>()?;
    for (key, session) in sessions {
        erase_session(tx, &key, session)?;
    }
    if row.customer.unsubscribed
        && let Some(number) = row.customer.address().map(NumberHash::of)
    {
        tx.suppress(number);
    }
    if let Some(name) = &row.idempotency {
        idempotency::forget(tx, name, id)?;
    }
    tx.remove_customer(&row);
    Ok(())
}

fn erase_session(tx: &mut Tx<'_, '_>, key: &SessionOfKey, id: SessionId) -> Result<(), StoreError> {
    let session = tx.tables().session(id)?.ok_or_else(|| missing("a session"))?;
    let messages: Vec<Message> = tx.tables().records(&MessageKey::within(&id)).collect::<Result<_, _>>()?;
    for message in messages {
        let at = tx.tables().message_at(message.id)?.ok_or_else(|| missing("a message"))?;
        tx.remove_message(&message, &at)?;
        if let Some(name) = &at.idempotency {
            idempotency::forget(tx, name, message.customer_id)?;
        }
    }
    tx.remove_turns(id)?;
    tx.remove_session(key, &session);
    Ok(())
}
