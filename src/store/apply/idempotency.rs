//! What a request with an idempotency key created, remembered as it was.

use crate::domain::customer::Customer;
use crate::domain::message::Message;
use crate::store::apply::World;
use crate::store::change::{Created, IdempotencyName, Remembered};
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
    tx: &impl World,
    idempotency: Option<&Idempotency>,
) -> Result<Option<T>, T::Error> {
    let Some(idempotency) = idempotency else { return Ok(None) };
    match tx.remembered(&name_of(idempotency))? {
        None => Ok(None),
        Some(before) if before.request == idempotency.request => {
            T::remembered(before.created).map(Some).ok_or(T::MISMATCH)
        }
        Some(_) => Err(T::MISMATCH),
    }
}

pub fn remember<T: Creation>(
    tx: &mut impl World,
    idempotency: Option<&Idempotency>,
    created: &T,
) -> Result<(), StoreError> {
    let Some(idempotency) = idempotency else { return Ok(()) };
    let remembered = Remembered { request: idempotency.request, at: tx.now(), created: created.created() };
    tx.remember(name_of(idempotency), remembered)
}

pub fn name(idempotency: Option<&Idempotency>) -> Option<IdempotencyName> {
    idempotency.map(name_of)
}

fn name_of(idempotency: &Idempotency) -> IdempotencyName {
    (idempotency.scope.clone(), idempotency.key.clone())
}
