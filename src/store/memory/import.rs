//! The model filled with the records of another store.

use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;
use crate::store::export::{ImportError, Record};
use crate::store::{Created, Token};

use super::state::{Parked, Remembered, State};

/// Why a record cannot be.
type Taken = Result<(), &'static str>;

fn must(holds: bool, otherwise: &'static str) -> Taken {
    if holds { Ok(()) } else { Err(otherwise) }
}

impl State {
    pub fn begin_import(&mut self) -> Result<(), ImportError> {
        let anything = self.importing || !self.export().is_empty();
        self.importing = true;
        if anything { Err(ImportError::NotEmpty) } else { Ok(()) }
    }

    pub fn end_import(&mut self) -> Result<(), ImportError> {
        if std::mem::take(&mut self.importing) { Ok(()) } else { Err(ImportError::NotBegun) }
    }

    pub fn import(&mut self, records: Vec<Record>) -> Result<(), ImportError> {
        if !self.importing {
            return Err(ImportError::NotBegun);
        }
        for (at, record) in records.into_iter().enumerate() {
            self.take(record).map_err(|reason| ImportError::Refused { at, reason: reason.into() })?;
        }
        Ok(())
    }

    fn take(&mut self, record: Record) -> Taken {
        match record {
            Record::Alive { alive } => {
                self.alive = Some(alive);
                Ok(())
            }
            Record::Customer { order, customer } => {
                must(self.customers.get(customer.id).is_none(), "this customer was there before")?;
                let known = customer.address().and_then(|number| self.customer_by_number(number));
                must(known.is_none(), "another customer has this number")?;
                must(self.customers.place(order, *customer), "another customer has this place in the order")
            }
            Record::Consent { consent } => {
                self.consent.push(consent);
                Ok(())
            }
            Record::Suppression { number } => {
                self.suppressed.insert(number);
                Ok(())
            }
            Record::Session { order, session } => self.take_session(order, *session),
            Record::Message { order, message } => self.take_message(order, *message),
            Record::InboundId { channel, provider_id, message_id } => {
                let known = self.received.insert((channel, provider_id), message_id);
                must(known.is_none(), "this provider's id was there before")
            }
            Record::OutboundId { channel, provider_id, message_id } => {
                must(
                    self.messages.get(message_id).is_some(),
                    "the message of this provider's id is missing",
                )?;
                let known = self.adopted.insert((channel, provider_id), message_id);
                must(known.is_none(), "this provider's id was there before")
            }
            Record::Turn { order, turn } => self.take_turn(order, *turn),
            Record::IdempotencyKey { scope, key, request, at, created } => {
                let found = match &created {
                    Created::Customer(customer) => self.customers.get(customer.id).is_some(),
                    Created::Message(message) => self.messages.get(message.id).is_some(),
                };
                must(found, "what the idempotency key created is missing")?;
                let known = self.remembered.insert((scope, key), Remembered { request, at, created });
                must(known.is_none(), "this idempotency key was there before")
            }
            Record::ParkedReceipt { order, at, receipt } => {
                let place = self.parked.partition_point(|parked| parked.order < order);
                let known = self.parked.get(place).is_some_and(|parked| parked.order == order);
                must(!known, "another receipt has this place in the order")?;
                self.parked.insert(place, Parked { order, receipt, at });
                Ok(())
            }
            Record::Token { token } => self.take_token(token),
            Record::Pause { pause } => {
                self.pauses.insert(pause.scope.clone(), pause);
                Ok(())
            }
            Record::Event { event } => {
                must(
                    self.last_event == 0 || event.place == self.last_event + 1,
                    "the event is not the next one of the log",
                )?;
                self.last_event = event.place;
                self.events.insert(event.place, event);
                Ok(())
            }
            Record::Endpoint { endpoint } => {
                let known = self.endpoints.insert(endpoint.name.clone(), endpoint);
                must(known.is_none(), "this endpoint was there before")
            }
            Record::Delivery { delivery } => {
                let known = self.deliveries.contains_key(&(delivery.endpoint.clone(), delivery.place));
                must(!known, "this delivery was there before")?;
                self.keep_delivery(delivery);
                Ok(())
            }
        }
    }

    fn take_session(&mut self, order: u64, session: Session) -> Taken {
        must(self.sessions.get(session.id).is_none(), "this session was there before")?;
        must(self.customers.get(session.customer_id).is_some(), "the session's customer is missing")?;
        must(
            self.sessions.place(order, session),
            "another session of the customer has this place in the order",
        )
    }

    fn take_message(&mut self, order: Option<u64>, message: Message) -> Taken {
        let session = self.sessions.get(message.session_id);
        let session = session.filter(|session| session.customer_id == message.customer_id);
        let session = session.ok_or("the message's session is missing, or another customer's")?;
        must(
            message.place < session.message_count,
            "the message has a place that its session does not have",
        )?;
        must(
            order.is_none() == message.is_inbound(),
            "a message has a place in the queue if it is not a customer's",
        )?;
        let known = self.messages.rows().any(|other| {
            other.id == message.id || (other.session_id, other.place) == (message.session_id, message.place)
        });
        must(!known, "this message, or one in its place, was there before")?;
        let Some(order) = order else {
            self.messages.place_last(message);
            return Ok(());
        };
        must(self.messages.place(order, message), "another message has this place in the queue")
    }

    fn take_turn(&mut self, order: u64, turn: Turn) -> Taken {
        let session = self.sessions.get(turn.session_id);
        let session = session.filter(|session| session.customer_id == turn.customer_id);
        let session = session.ok_or("the turn's session is missing, or another customer's")?;
        must(turn.place < session.turns_queued, "the turn has a place that its session does not have")?;
        must(self.turns.get(turn.id).is_none(), "this turn was there before")?;
        must(self.turns.place(order, turn), "another turn has this place in the order")
    }

    fn take_token(&mut self, token: Token) -> Taken {
        let known = self.tokens.values().any(|other| other.id == token.id || other.sha256 == token.sha256);
        must(!known, "this token was there before")?;
        self.tokens.insert(token.id, token);
        Ok(())
    }
}
