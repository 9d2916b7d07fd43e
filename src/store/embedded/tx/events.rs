//! The log of events, written as a command ends: what it has changed, told once, whatever ways it took.

use std::collections::BTreeMap;

use super::Tx;
use crate::domain::customer::Customer;
use crate::domain::event::{Event, What};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;
use crate::store::StoreError;
use crate::store::change::Changed;
use crate::store::embedded::keys::EventKey;
use crate::store::embedded::schema;
use crate::store::embedded::tables::write_entry;

/// What a command has touched, as it was before it; none where there was nothing.
#[derive(Default)]
pub struct Touched {
    customers: BTreeMap<CustomerId, Option<Customer>>,
    sessions: BTreeMap<SessionId, Option<Session>>,
    messages: BTreeMap<MessageId, Option<Message>>,
    turns: BTreeMap<TurnId, Option<Turn>>,
    told: Vec<What>,
}

impl Tx<'_, '_> {
    pub(super) fn touch_customer(&mut self, id: CustomerId, before: Option<Customer>) {
        self.touched.customers.entry(id).or_insert(before);
    }

    pub(super) fn touch_session(&mut self, id: SessionId, before: Option<Session>) {
        self.touched.sessions.entry(id).or_insert(before);
    }

    pub(super) fn touch_message(&mut self, id: MessageId, before: Option<Message>) {
        self.touched.messages.entry(id).or_insert(before);
    }

    pub(super) fn touch_turn(&mut self, id: TurnId) -> Result<(), StoreError> {
        if !self.touched.turns.contains_key(&id) {
            let before = self.tables().turn(id)?;
            self.touched.turns.insert(id, before);
        }
        Ok(())
    }

    /// Something to be told beside what changes.
    pub fn also_tell(&mut self, what: impl IntoIterator<Item = What>) {
        self.touched.told.extend(what);
    }

    pub(super) fn tell(&mut self) -> Result<(), StoreError> {
        let Touched { customers, sessions, messages, turns, told } = std::mem::take(&mut self.touched);
        let tables = self.tables();
        let mut changed = Changed { others: told, ..Changed::default() };
        for (id, old) in customers {
            changed.customers.push((old, tables.customer(id)?));
        }
        for (id, old) in sessions {
            changed.sessions.push((old, tables.session(id)?));
        }
        for (id, old) in messages {
            changed.messages.push((old, tables.message(id)?));
        }
        for (id, old) in turns {
            changed.turns.push((old, tables.turn(id)?));
        }
        let told = changed.told();
        if told.is_empty() {
            return Ok(());
        }
        let mut place = self.last_event()?;
        for what in told {
            place += 1;
            let event = Event { place, at: self.now, what };
            self.put_record(&EventKey { place }, &event)?;
        }
        self.keep_last_event(place);
        Ok(())
    }

    pub fn last_event(&self) -> Result<u64, StoreError> {
        self.tables().last_event()
    }

    pub fn keep_last_event(&mut self, place: u64) {
        self.overlay.put(schema::events_key(), write_entry(&place));
    }
}
