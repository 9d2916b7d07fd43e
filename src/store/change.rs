//! What the commands of [`super::Store`] that carry a customer's own data make of a customer: the same in every
//! engine. Decides nothing about whether they may.

use crate::domain::customer::Customer;
use crate::domain::time::Timestamp;

use super::{CreateCustomer, CustomerPatch};

impl CreateCustomer {
    /// The customer as created. `suppressed`: the number opted out, and its person was erased since.
    pub fn customer(&self, suppressed: bool) -> Customer {
        let mut customer = Customer {
            id: self.id,
            phone_number: None,
            unconfirmed_phone_number: Some(self.number.clone()),
            country_code: self.country_code.clone(),
            email: self.email.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            time_zone: self.time_zone.clone(),
            unsubscribed: suppressed,
            confirmed_at: None,
            confirmation_sent_at: None,
            confirmation: None,
            lane: None,
            created_at: self.now,
            updated_at: self.now,
        };
        match (&self.confirmed, &self.token) {
            (Some(_), _) => customer.confirm(self.now),
            (None, Some(token)) => customer.begin_confirmation(token.clone(), self.now),
            (None, None) => {}
        }
        customer
    }
}

impl CustomerPatch {
    pub fn apply(self, customer: &mut Customer, now: Timestamp) {
        if let Some(email) = self.email {
            customer.email = email;
        }
        if let Some(first_name) = self.first_name {
            customer.first_name = first_name;
        }
        if let Some(last_name) = self.last_name {
            customer.last_name = last_name;
        }
        if let Some(time_zone) = self.time_zone {
            customer.time_zone = time_zone;
        }
        customer.updated_at = now;
    }
}
