//! All that the model remembers, and how its rows are found. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Refused;
use crate::domain::conversation::Policy;
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::delivery::Status;
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::{Event, What};
use crate::domain::ids::{CustomerId, MessageId, TokenId};
use crate::domain::message::Message;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::change::Created;
use crate::store::{Alive, Idempotency, Receipt, StoreError, Token};

use super::table::Table;

#[derive(Debug)]
pub(super) struct State {
    pub rules: Policy,
    pub closed: bool,
    pub refused: Refused,
    /// How many more are answered as if nobody knew.
    pub doubts: usize,
    /// An import has begun, and is not at its end.
    pub importing: bool,
    pub customers: Table<Customer>,
    pub sessions: Table<Session>,
    /// Its order is also the order of queueing.
    pub messages: Table<Message>,
    pub turns: Table<Turn>,
    pub tokens: BTreeMap<TokenId, Token>,
    pub consent: Vec<ConsentRecord>,
    /// Numbers that opted out and whose person was erased. While a number has a customer, that one knows.
    pub suppressed: BTreeSet<NumberHash>,
    /// Customers' texts by channel and provider id. Outlives the messages.
    pub received: BTreeMap<(String, String), MessageId>,
    /// Our texts by channel and provider id.
    pub adopted: BTreeMap<(String, String), MessageId>,
    /// Receipts for ids that no message has, in the order of their arrival.
    pub parked: Vec<Parked>,
    pub remembered: BTreeMap<(String, String), Remembered>,
    pub pauses: BTreeMap<PauseScope, Pause>,
    pub alive: Option<Alive>,
    /// By their places.
    pub events: BTreeMap<u64, Event>,
    /// The place of the newest event.
    pub last_event: u64,
    /// What the command under way tells beside what it changes.
    pub told: Vec<What>,
    pub endpoints: BTreeMap<String, Endpoint>,
    /// By endpoint and place.
    pub deliveries: BTreeMap<(String, u64), Delivery>,
}

#[derive(Debug)]
pub(super) struct Parked {
    /// Its place in the order of arrival.
    pub order: u64,
    pub receipt: Receipt,
    pub at: Timestamp,
}

/// What a request with an idempotency key created, as it was then.
#[derive(Debug)]
pub(super) struct Remembered {
    pub request: [u8; 32],
    pub at: Timestamp,
    pub created: Created,
}

/// The key was used for another request.
pub(super) struct Mismatch;

impl State {
    pub fn new(rules: Policy) -> Self {
        Self {
            rules,
            closed: false,
            refused: Refused::Nothing,
            doubts: 0,
            importing: false,
            customers: Table::default(),
            sessions: Table::default(),
            messages: Table::default(),
            turns: Table::default(),
            tokens: BTreeMap::new(),
            consent: Vec::new(),
            suppressed: BTreeSet::new(),
            received: BTreeMap::new(),
            adopted: BTreeMap::new(),
            parked: Vec::new(),
            remembered: BTreeMap::new(),
            pauses: BTreeMap::new(),
            alive: None,
            events: BTreeMap::new(),
            last_event: 0,
            told: Vec::new(),
            endpoints: BTreeMap::new(),
            deliveries: BTreeMap::new(),
        }
    }

    pub fn unless_doubted<T>(&mut self, done: T) -> Result<T, StoreError> {
        if self.doubts == 0 {
            return Ok(done);
        }
        self.doubts -= 1;
        Err(StoreError::Uncertain("a test wants it so".into()))
    }

    pub fn customer_by_number(&self, number: &Address) -> Option<&Customer> {
        self.customers.rows().find(|customer| {
            [&customer.phone_number, &customer.unconfirmed_phone_number].contains(&&Some(number.clone()))
        })
    }

    /// Whose message, session or turn it is: always there, as erasing takes all of them along.
    pub fn owner(&self, id: CustomerId) -> Result<&Customer, StoreError> {
        self.customers.get(id).ok_or_else(|| StoreError::Corrupt("something belongs to no customer".into()))
    }

    pub fn newest_session(&self, customer_id: CustomerId) -> Option<&Session> {
        self.sessions.rows().rev().find(|session| session.customer_id == customer_id)
    }

    /// The first in the customer's queue, the one in flight or else the oldest: nothing else of theirs may leave.
    pub fn first_in_queue(&self, customer_id: CustomerId) -> Option<&Message> {
        let mut queue = self.messages.rows().filter(|message| {
            message.customer_id == customer_id && !message.is_inbound() && message.holds_queue()
        });
        let oldest = queue.next()?;
        if oldest.is_in_flight() {
            Some(oldest)
        } else {
            queue.find(|later| later.is_in_flight()).or(Some(oldest))
        }
    }

    /// The session of a message, and its customer's newest.
    pub fn sessions_around(&self, message: &Message) -> Result<(&Session, &Session), StoreError> {
        let missing = || StoreError::Corrupt("a message belongs to no session".into());
        let own = self.sessions.get(message.session_id).ok_or_else(missing)?;
        Ok((own, self.newest_session(message.customer_id).ok_or_else(missing)?))
    }

    /// Changes messages of a customer. A queued one that thereby becomes the first is ready now, or later if it says
    /// so itself.
    pub fn change_queue<T>(
        &mut self,
        customer_id: CustomerId,
        now: Timestamp,
        change: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let first_id = |state: &Self| state.first_in_queue(customer_id).map(|message| message.id);
        let before = first_id(self);
        let changed = change(self);
        let after = first_id(self);
        if before.is_some()
            && before != after
            && let Some(next) = after.and_then(|id| self.messages.get_mut(id))
            && next.delivery.status == Status::Queued
        {
            next.delivery.ready_at = next.delivery.ready_at.max(now);
        }
        changed
    }

    /// What the key stands for, if the same request used it before.
    pub fn recall_key(&self, idempotency: Option<&Idempotency>) -> Result<Option<Created>, Mismatch> {
        let Some(asked) = idempotency else { return Ok(None) };
        match self.remembered.get(&(asked.scope.clone(), asked.key.clone())) {
            None => Ok(None),
            Some(remembered) if remembered.request == asked.request => Ok(Some(remembered.created.clone())),
            Some(_) => Err(Mismatch),
        }
    }

    pub fn remember_key(&mut self, idempotency: Option<Idempotency>, created: Created, at: Timestamp) {
        if let Some(Idempotency { scope, key, request }) = idempotency {
            self.remembered.insert((scope, key), Remembered { request, at, created });
        }
    }
}
