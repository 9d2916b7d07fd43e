//! Customers: created, changed, confirmed, subscribed. Erased by each engine in its own way.

use super::{idempotency, messages};
use crate::domain::customer::{ConfirmRefusal, ConsentAction, ConsentEvidence, Customer};
use crate::domain::ids::CustomerId;
use crate::store::apply::World;
use crate::store::{
    ConfirmError, CreateCustomer, CreateCustomerError, CustomerError, CustomerPatch, Fresh, SetSubscription,
    Subscription,
};

pub fn create(tx: &mut impl World, command: &CreateCustomer) -> Result<Fresh<Customer>, CreateCustomerError> {
    if let Some(value) = idempotency::recall(tx, command.idempotency.as_ref())? {
        return Ok(Fresh { value, replayed: true });
    }
    if let Some(other) = tx.customer_by_number(&command.number)? {
        return Err(CreateCustomerError::NumberTaken(other.id));
    }
    let suppressed = tx.take_suppression(&command.number)?;
    let customer = command.customer(suppressed);
    tx.add_customer(&customer, idempotency::name(command.idempotency.as_ref()))?;
    if let Some(evidence) = command.confirmed.clone() {
        tx.note_consent(customer.consent_record(ConsentAction::Confirmed, evidence, command.now))?;
    }
    idempotency::remember(tx, command.idempotency.as_ref(), &customer)?;
    Ok(Fresh { value: customer, replayed: false })
}

pub fn update(tx: &mut impl World, id: CustomerId, patch: &CustomerPatch) -> Result<Customer, CustomerError> {
    let mut customer = tx.customer(id)?.ok_or(CustomerError::NotFound)?;
    patch.clone().apply(&mut customer, tx.now());
    tx.put_customer(&customer)?;
    Ok(customer)
}

pub fn begin_confirmation(
    tx: &mut impl World,
    id: CustomerId,
    token: &str,
) -> Result<Customer, ConfirmError> {
    let mut customer = tx.customer(id)?.ok_or(ConfirmError::NotFound)?;
    if customer.is_confirmed() {
        return Err(ConfirmRefusal::AlreadyConfirmed.into());
    }
    customer.begin_confirmation(token.to_owned(), tx.now());
    tx.put_customer(&customer)?;
    Ok(customer)
}

/// The outer error leaves no trace; the inner one does: a wrong token has cost a try.
pub fn confirm(
    tx: &mut impl World,
    id: CustomerId,
    token: &str,
    evidence: &ConsentEvidence,
) -> Result<Result<Customer, ConfirmRefusal>, ConfirmError> {
    let mut customer = tx.customer(id)?.ok_or(ConfirmError::NotFound)?;
    let confirmed = customer.try_confirm(token, tx.now());
    tx.put_customer(&customer)?;
    if confirmed.is_ok() {
        tx.note_consent(customer.consent_record(ConsentAction::Confirmed, evidence.clone(), tx.now()))?;
    }
    Ok(confirmed.map(|()| customer))
}

pub fn set_subscription(
    tx: &mut impl World,
    command: &SetSubscription,
) -> Result<Subscription, CustomerError> {
    let SetSubscription { customer_id, unsubscribed, evidence, now } = command;
    let mut customer = tx.customer(*customer_id)?.ok_or(CustomerError::NotFound)?;
    let (changed, record) = customer.set_subscription(*unsubscribed, evidence.clone(), *now);
    tx.note_consent(record)?;
    if !changed {
        return Ok(Subscription::Already);
    }
    tx.put_customer(&customer)?;
    if *unsubscribed {
        messages::cancel_for_opt_out(tx, *customer_id)?;
    }
    Ok(Subscription::Changed)
}
