//! The right to be forgotten: a customer, and everything that leads to them.

use super::{idempotency, remains};
use crate::domain::customer::NumberHash;
use crate::domain::ids::{CustomerId, SessionId};
use crate::store::CustomerError;
use crate::store::embedded::keys::{Family, SessionOfKey};
use crate::store::embedded::tables::Remains;
use crate::store::embedded::tx::Tx;

/// What stays: the hashed number's consent log, its suppression if they had opted out, and that the provider's ids of
/// their texts were seen. Everything else is gone for everybody with this one commit; how far it is cleared away by then
/// is told in [`remains`].
pub fn erase(tx: &mut Tx<'_, '_>, id: CustomerId) -> Result<(), CustomerError> {
    let row = tx.tables().customer_row(id)?.ok_or(CustomerError::NotFound)?;
    let sessions: Vec<(SessionOfKey, SessionId)> =
        tx.tables().entries(&SessionOfKey::within(&id)).collect::<Result<_, _>>()?;
    remains::leave(tx, &sessions, &Remains { forget_received: false })?;
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
