//! What a request with an idempotency key created: kept, and forgotten with what it created.

use crate::domain::ids::{CustomerId, SessionId};
use crate::store::StoreError;
use crate::store::change::{Created, IdempotencyName, Remembered};
use crate::store::embedded::keys::{IdempotencyAgeKey, IdempotencyKey};
use crate::store::embedded::tables::Tables;
use crate::store::embedded::tx::Tx;

/// What a key created; unless that is of a conversation that is gone, and still to be cleared away: then the key is free.
pub fn remembered(tables: Tables<'_>, name: &IdempotencyName) -> Result<Option<Remembered>, StoreError> {
    let Some(remembered) = tables.record::<Remembered>(&key_of(name))? else { return Ok(None) };
    let gone = match remembered.created.session_id() {
        Some(session) => tables.is_gone(session)?,
        None => false,
    };
    Ok(if gone { None } else { Some(remembered) })
}

pub fn remember(
    tx: &mut Tx<'_, '_>,
    name: IdempotencyName,
    remembered: &Remembered,
) -> Result<(), StoreError> {
    forget_where(tx, &name, |_| true)?;
    let key = key_of(&name);
    let (scope, name) = name;
    tx.put_entry(&IdempotencyAgeKey { at: remembered.at, scope, key: name }, &());
    tx.put_record(&key, remembered)
}

/// Forgets what a key created in that conversation. Since it was swept it may stand for something else.
pub fn forget_of_session(
    tx: &mut Tx<'_, '_>,
    name: &IdempotencyName,
    session: SessionId,
) -> Result<(), StoreError> {
    forget_where(tx, name, |created| created.session_id() == Some(session))
}

/// Forgets what a key created of that customer's. Since it was swept it may stand for something of another's.
pub fn forget(tx: &mut Tx<'_, '_>, name: &IdempotencyName, customer: CustomerId) -> Result<(), StoreError> {
    forget_where(tx, name, |created| created.customer_id() == customer)
}

fn forget_where(
    tx: &mut Tx<'_, '_>,
    name: &IdempotencyName,
    is_to_go: impl FnOnce(&Created) -> bool,
) -> Result<(), StoreError> {
    let key = key_of(name);
    let Some(remembered) = tx.tables().record::<Remembered>(&key)? else { return Ok(()) };
    if is_to_go(&remembered.created) {
        tx.remove(&key);
        tx.remove(&IdempotencyAgeKey { at: remembered.at, scope: key.scope, key: key.key });
    }
    Ok(())
}

fn key_of((scope, key): &IdempotencyName) -> IdempotencyKey {
    IdempotencyKey { scope: scope.clone(), key: key.clone() }
}
