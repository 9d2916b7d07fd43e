//! What a request with an idempotency key created, remembered as it was.

use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::message::Message;
use crate::store::change::Created;
use crate::store::embedded::keys::{IdempotencyAgeKey, IdempotencyKey};
use crate::store::embedded::tables::{IdempotencyName, IdempotencyRow};
use crate::store::embedded::tx::Tx;
use crate::store::{CreateCustomerError, CreateMessageError, Idempotency, StoreError};

/// Something that an idempotency key can stand for.
pub trait Creation: Sized {
    /// What is said where the key was used for another request.
    type Error: From<StoreError>;
    const MISMATCH: Self::Error;

    fn remembered(created: Created) -> Option<Self>;
    fn created(&self) -> Created;
}

impl Creation for Customer {
    type Error = CreateCustomerError;
    const MISMATCH: Self::Error = CreateCustomerError::IdempotencyMismatch;

    fn remembered(created: Created) -> Option<Self> {
        match created {
            Created::Customer(customer) => Some(*customer),
            Created::Message(_) => None,
        }
    }

    fn created(&self) -> Created {
        Created::Customer(Box::new(self.clone()))
    }
}

impl Creation for Message {
    type Error = CreateMessageError;
    const MISMATCH: Self::Error = CreateMessageError::IdempotencyMismatch;

    fn remembered(created: Created) -> Option<Self> {
        match created {
            Created::Message(message) => Some(*message),
            Created::Customer(_) => None,
        }
    }

    fn created(&self) -> Created {
        Created::Message(Box::new(self.clone()))
    }
}

/// What the same request created before.
pub fn recall<T: Creation>(
    tx: &mut Tx<'_, '_>,
    idempotency: Option<&Idempotency>,
) -> Result<Option<T>, T::Error> {
    let Some(Idempotency { scope, key, request }) = idempotency else { return Ok(None) };
    forget_if_gone(tx, scope, key)?;
    let key = IdempotencyKey { scope: scope.clone(), key: key.clone() };
    match tx.tables().record::<IdempotencyRow>(&key)? {
        None => Ok(None),
        Some(row) if row.request == *request => T::remembered(row.created).map(Some).ok_or(T::MISMATCH),
        Some(_) => Err(T::MISMATCH),
    }
}

pub fn remember<T: Creation>(
    tx: &mut Tx<'_, '_>,
    idempotency: Option<Idempotency>,
    created: &T,
) -> Result<(), StoreError> {
    let Some(Idempotency { scope, key, request }) = idempotency else { return Ok(()) };
    let row = IdempotencyRow { request, at: tx.now, created: created.created() };
    tx.put_entry(&IdempotencyAgeKey { at: tx.now, scope: scope.clone(), key: key.clone() }, &());
    tx.put_record(&IdempotencyKey { scope, key }, &row)
}

/// What a key created may be of a conversation that is gone: then the key is free.
fn forget_if_gone(tx: &mut Tx<'_, '_>, scope: &str, key: &str) -> Result<(), StoreError> {
    let name = (scope.to_owned(), key.to_owned());
    forget_where(tx, &name, |tx, created| match created.session_id() {
        Some(session) => tx.tables().is_gone(session),
        None => Ok(false),
    })
}

/// Forgets what a key created in that conversation. Since it was swept it may stand for something else.
pub fn forget_of_session(
    tx: &mut Tx<'_, '_>,
    name: &IdempotencyName,
    session: SessionId,
) -> Result<(), StoreError> {
    forget_where(tx, name, |_, created| Ok(created.session_id() == Some(session)))
}

/// Forgets what a key created of that customer's. Since it was swept it may stand for something of another's.
pub fn forget(tx: &mut Tx<'_, '_>, name: &IdempotencyName, customer: CustomerId) -> Result<(), StoreError> {
    forget_where(tx, name, |_, created| Ok(created.customer_id() == customer))
}

fn forget_where(
    tx: &mut Tx<'_, '_>,
    (scope, key): &IdempotencyName,
    is_to_go: impl FnOnce(&Tx<'_, '_>, &Created) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let name = IdempotencyKey { scope: scope.clone(), key: key.clone() };
    let Some(row) = tx.tables().record::<IdempotencyRow>(&name)? else { return Ok(()) };
    if is_to_go(tx, &row.created)? {
        tx.remove(&name);
        tx.remove(&IdempotencyAgeKey { at: row.at, scope: name.scope, key: name.key });
    }
    Ok(())
}

pub fn name(idempotency: Option<&Idempotency>) -> Option<IdempotencyName> {
    idempotency.map(|idempotency| (idempotency.scope.clone(), idempotency.key.clone()))
}
