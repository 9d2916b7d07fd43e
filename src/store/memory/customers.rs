//! Customers: created, changed, confirmed, subscribed, erased.

use crate::domain::conversation::Refusal;
use crate::domain::customer::{ConfirmRefusal, ConsentAction, ConsentEvidence, Customer, NumberHash};
use crate::domain::ids::CustomerId;
use crate::domain::search::{Query, words_of};
use crate::domain::time::Timestamp;
use crate::store::change::Created;
use crate::store::{
    ConfirmError, CreateCustomer, CreateCustomerError, CustomerError, CustomerPatch, Fresh, ListError, Page,
    PageRequest, SetSubscription, Subscription,
};

use super::pages::page;
use super::state::{Mismatch, State};

impl State {
    pub fn create_customer(
        &mut self,
        command: CreateCustomer,
    ) -> Result<Fresh<Customer>, CreateCustomerError> {
        match self.recall_key(command.idempotency.as_ref()) {
            Ok(Some(Created::Customer(customer))) => return Ok(Fresh { value: *customer, replayed: true }),
            Ok(Some(Created::Message(_))) | Err(Mismatch) => {
                return Err(CreateCustomerError::IdempotencyMismatch);
            }
            Ok(None) => {}
        }
        if let Some(other) = self.customer_by_number(&command.number) {
            return Err(CreateCustomerError::NumberTaken(other.id));
        }
        let suppressed = self.suppressed.remove(&NumberHash::of(&command.number));
        let customer = command.customer(suppressed);
        if let Some(evidence) = command.confirmed {
            self.consent.extend(customer.consent_record(ConsentAction::Confirmed, evidence, command.now));
        }
        self.customers.put(customer.clone());
        self.remember_key(command.idempotency, Created::Customer(Box::new(customer.clone())), command.now);
        Ok(Fresh { value: customer, replayed: false })
    }

    pub fn update_customer(
        &mut self,
        id: CustomerId,
        patch: CustomerPatch,
        now: Timestamp,
    ) -> Result<Customer, CustomerError> {
        let customer = self.customers.get_mut(id).ok_or(CustomerError::NotFound)?;
        patch.apply(customer, now);
        Ok(customer.clone())
    }

    pub fn begin_confirmation(
        &mut self,
        id: CustomerId,
        token: String,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        let customer = self.customers.get_mut(id).ok_or(ConfirmError::NotFound)?;
        if customer.is_confirmed() {
            return Err(ConfirmRefusal::AlreadyConfirmed.into());
        }
        customer.begin_confirmation(token, now);
        Ok(customer.clone())
    }

    pub fn confirm_customer(
        &mut self,
        id: CustomerId,
        token: &str,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        let customer = self.customers.get_mut(id).ok_or(ConfirmError::NotFound)?;
        customer.try_confirm(token, now)?;
        self.consent.extend(customer.consent_record(ConsentAction::Confirmed, evidence, now));
        Ok(customer.clone())
    }

    pub fn set_subscription(&mut self, command: SetSubscription) -> Result<Subscription, CustomerError> {
        let SetSubscription { customer_id, unsubscribed, evidence, now } = command;
        let customer = self.customers.get_mut(customer_id).ok_or(CustomerError::NotFound)?;
        let (changed, record) = customer.set_subscription(unsubscribed, evidence, now);
        self.consent.extend(record);
        if !changed {
            return Ok(Subscription::Already);
        }
        if unsubscribed {
            self.change_queue(customer_id, now, |state| state.cancel_for_opt_out(customer_id, now));
        }
        Ok(Subscription::Changed)
    }

    /// Within [`State::change_queue`].
    pub fn cancel_for_opt_out(&mut self, customer_id: CustomerId, now: Timestamp) {
        self.messages.change(
            |message| message.customer_id == customer_id && message.is_canceled_by_opt_out(),
            |message| message.cancel_because(Refusal::CustomerUnsubscribed, now),
        );
    }

    pub fn erase_customer(&mut self, id: CustomerId) -> Result<(), CustomerError> {
        let customer = self.customers.get(id).ok_or(CustomerError::NotFound)?;
        if customer.unsubscribed {
            self.suppressed.extend(customer.address().map(NumberHash::of));
        }
        self.customers.retain(|customer| customer.id != id);
        self.sessions.retain(|session| session.customer_id != id);
        self.messages.retain(|message| message.customer_id != id);
        self.turns.retain(|turn| turn.customer_id != id);
        self.remembered.retain(|_, remembered| remembered.created.customer_id() != id);
        let messages = &self.messages;
        self.adopted.retain(|_, message_id| messages.get(*message_id).is_some());
        Ok(())
    }

    pub fn search_customers(&self, query: &Query, limit: usize) -> Vec<Customer> {
        let beginnings = query.beginnings();
        let leads_there = |word: &String| beginnings.iter().any(|start| word.starts_with(start));
        let found = self.customers.rows().filter(|customer| query.finds(customer));
        let mut found: Vec<_> = found
            .filter_map(|customer| {
                Some((words_of(customer).into_iter().find(leads_there)?, customer.id, customer.clone()))
            })
            .collect();
        found.sort_by(|(word, id, _), (other, other_id, _)| (word, id).cmp(&(other, other_id)));
        found.into_iter().take(limit).map(|(_, _, customer)| customer).collect()
    }

    pub fn customers_page(&self, request: &PageRequest) -> Result<Page<Customer>, ListError> {
        let rows = self.customers.numbered().map(|(number, customer)| (number, customer.clone())).collect();
        page(("customers", uuid::Uuid::nil()), rows, request)
    }
}
