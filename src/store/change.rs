//! What the commands of [`super::Store`] that carry a customer's own data make of a customer: the same in every
//! engine. Decides nothing about whether they may.

use serde::{Deserialize, Serialize};

use crate::domain::customer::Customer;
use crate::domain::event::{self, What};
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

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

/// What a command changed: each as it was before and as it is now.
#[derive(Debug, Default)]
pub struct Changed {
    pub customers: Vec<(Option<Customer>, Option<Customer>)>,
    pub sessions: Vec<(Option<Session>, Option<Session>)>,
    pub messages: Vec<(Option<Message>, Option<Message>)>,
    pub turns: Vec<(Option<Turn>, Option<Turn>)>,
    /// What is told beside what changed.
    pub others: Vec<What>,
}

impl Changed {
    /// What the log tells of it, in the order that [`crate::store::Store`] promises.
    pub fn told(mut self) -> Vec<What> {
        let session_of = |session: &Session| session.id;
        self.customers.sort_by_key(|pair| either(pair).map(|customer| customer.id));
        self.sessions.sort_by_key(|pair| either(pair).map(session_of));
        self.messages.sort_by_key(|pair| either(pair).map(|message| (message.session_id, message.place)));
        self.turns.sort_by_key(|pair| either(pair).map(|turn| turn.id));
        let customers =
            self.customers.iter().flat_map(|(old, new)| event::of_customer(old.as_ref(), new.as_ref()));
        let sessions = self.sessions.iter().filter_map(|(old, new)| Some((old, new.as_ref()?)));
        let sessions = sessions.flat_map(|(old, new)| event::of_session(old.as_ref(), new));
        let messages = self.messages.iter().filter_map(|(old, new)| Some((old, new.as_ref()?)));
        let messages = messages.flat_map(|(old, new)| event::of_message(old.as_ref(), new));
        let turns = self.turns.iter().filter_map(|(old, new)| Some((old, new.as_ref()?)));
        let turns = turns.filter_map(|(old, new)| event::of_turn(old.as_ref(), new));
        customers.chain(sessions).chain(messages).chain(turns).chain(self.others).collect()
    }
}

fn either<T>((old, new): &(Option<T>, Option<T>)) -> Option<&T> {
    new.as_ref().or(old.as_ref())
}

/// The scope and the key of an idempotency key.
pub type IdempotencyName = (String, String);

/// What is kept of a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    pub request: [u8; 32],
    pub at: Timestamp,
    pub created: Created,
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
