//! What the commands of [`super::Store`] that carry a customer's own data make of a customer: the same in every
//! engine. Decides nothing about whether they may.

use serde::{Deserialize, Serialize};

use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::message::Message;
use crate::domain::time::Timestamp;

use super::{CreateCustomer, CustomerPatch};

impl CreateCustomer {
    /// The customer as created. `suppressed`: the number opted out, and its person was erased since.
    pub fn customer(&self, suppressed: bool) -> Customer {
        let country_code = self.country_code.clone();
        let mut customer = Customer::new(self.id, self.number.clone(), country_code, suppressed, self.now);
        customer.email.clone_from(&self.email);
        customer.first_name.clone_from(&self.first_name);
        customer.last_name.clone_from(&self.last_name);
        customer.time_zone.clone_from(&self.time_zone);
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

/// What a request with an idempotency key created, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Created {
    Customer(Box<Customer>),
    Message(Box<Message>),
}

impl Created {
    /// The conversation that it belongs to.
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Customer(_) => None,
            Self::Message(message) => Some(message.session_id),
        }
    }

    pub fn customer_id(&self) -> CustomerId {
        match self {
            Self::Customer(customer) => customer.id,
            Self::Message(message) => message.customer_id,
        }
    }
}
