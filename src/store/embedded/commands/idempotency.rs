//! What a request with an idempotency key created, remembered as it was.

use crate::domain::customer::Customer;
use crate::domain::ids::CustomerId;
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
    tx: &Tx<'_, '_>,
    idempotency: Option<&Idempotency>,
) -> Result<Option<T>, T::Error> {
    let Some(Idempotency { scope, key, request }) = idempotency else { return Ok(None) };
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

/// Forgets what a key created of that customer's. Since it was swept it may stand for something of another's.
pub fn forget(tx: &mut Tx<'_, '_>, name: &IdempotencyName, customer: CustomerId) -> Result<(), StoreError> {
    let (scope, key) = name.clone();
    let name = IdempotencyKey { scope, key };
    let row = tx.tables().record::<IdempotencyRow>(&name)?;
    if let Some(row) = row.filter(|row| row.created.customer_id() == customer) {
        tx.remove(&name);
        tx.remove(&IdempotencyAgeKey { at: row.at, scope: name.scope, key: name.key });
    }
    Ok(())
}

pub fn name(idempotency: Option<&Idempotency>) -> Option<IdempotencyName> {
    idempotency.map(|idempotency| (idempotency.scope.clone(), idempotency.key.clone()))
}
