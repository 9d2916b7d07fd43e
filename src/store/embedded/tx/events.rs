//! The log of events, written as a command ends: what it has changed, told once, whatever ways it took.

use std::collections::BTreeMap;
use std::mem::take;

use super::Tx;
use crate::domain::customer::Customer;
use crate::domain::event::{Event, What};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;
use crate::store::StoreError;
use crate::store::change::Changed;
use crate::store::embedded::keys::{EventKey, Family, LogKey};
use crate::store::embedded::kv::{Direction, Key, KeyRange, Value};
use crate::store::embedded::tables::write_entry;
use crate::store::embedded::{codec, schema};

/// How many events stand together at the most, and how much has them begin another run.
const MOST_IN_RUN: u64 = 32;
const RUN_BYTES: usize = 16 * 1024;

/// What a command has touched.
#[derive(Default)]
pub struct Touched {
    customers: Changes<CustomerId, Customer>,
    sessions: Changes<SessionId, Session>,
    messages: Changes<MessageId, Message>,
    turns: Changes<TurnId, Turn>,
    told: Vec<What>,
}

/// Each as it was before the command, and as it is now; none where there is nothing.
struct Changes<I, T>(BTreeMap<I, (Option<T>, Option<T>)>);

impl<I, T> Default for Changes<I, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I: Ord, T: Clone> Changes<I, T> {
    fn note(&mut self, id: I, before: Option<T>, now: Option<&T>) {
        self.0.entry(id).or_insert((before, None)).1 = now.cloned();
    }

    /// If it was touched.
    fn note_again(&mut self, id: &I, now: Option<&T>) {
        if let Some(change) = self.0.get_mut(id) {
            change.1 = now.cloned();
        }
    }

    fn all(self) -> Vec<(Option<T>, Option<T>)> {
        self.0.into_values().collect()
    }
}

impl Tx<'_, '_> {
    pub(super) fn touch_customer(
        &mut self,
        id: CustomerId,
        before: Option<Customer>,
        now: Option<&Customer>,
    ) {
        self.touched.customers.note(id, before, now);
    }

    pub(super) fn touch_session(&mut self, before: Option<Session>, now: &Session) {
        self.touched.sessions.note(now.id, before, Some(now));
    }

    pub(super) fn session_is_gone(&mut self, id: SessionId) {
        self.touched.sessions.note_again(&id, None);
    }

    pub(super) fn touch_message(&mut self, before: Option<Message>, now: &Message) {
        self.touched.messages.note(now.id, before, Some(now));
    }

    /// It is another one, or none, by now, if the command has touched it.
    pub(super) fn message_is(&mut self, id: MessageId, now: Option<&Message>) {
        self.touched.messages.note_again(&id, now);
    }

    /// Called before it is changed.
    pub(super) fn touch_turn(&mut self, now: &Turn) -> Result<(), StoreError> {
        let known = self.touched.turns.0.contains_key(&now.id);
        let before = if known { None } else { self.tables().turn(now.id)? };
        self.touched.turns.note(now.id, before, Some(now));
        Ok(())
    }

    pub(super) fn turn_is_gone(&mut self, id: TurnId) {
        self.touched.turns.note_again(&id, None);
    }

    /// Something to be told beside what changes.
    pub fn also_tell(&mut self, what: impl IntoIterator<Item = What>) {
        self.touched.told.extend(what);
    }

    pub(super) fn tell(&mut self) -> Result<(), StoreError> {
        let Touched { customers, sessions, messages, turns, told } = std::mem::take(&mut self.touched);
        let changed = Changed {
            customers: customers.all(),
            sessions: sessions.all(),
            messages: messages.all(),
            turns: turns.all(),
            others: told,
        };
        let told = changed.told();
        if told.is_empty() {
            return Ok(());
        }
        let (first, at) = (self.last_event()? + 1, self.now);
        let events = (first..).zip(told).map(|(place, what)| Event { place, at, what });
        self.place_events(first, events)
    }

    /// Adds events at the end of the log, where `first` is the next place. Those of one batch stand together, in runs:
    /// each key that is written costs more than what stands under it.
    pub fn place_events(
        &mut self,
        first: u64,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), StoreError> {
        let (mut begins, mut run) = match self.overlay.last_written(&EventKey::all()) {
            Some((key, run)) => (EventKey::decode(key)?.place, run.clone()),
            None => (first, Vec::new()),
        };
        let mut last = first.saturating_sub(1);
        for event in events {
            if event.place - begins >= MOST_IN_RUN || run.len() >= RUN_BYTES {
                self.put_run(begins, take(&mut run));
                begins = event.place;
            }
            codec::encode_into(&mut run, &event)?;
            last = event.place;
        }
        self.put_run(begins, run);
        self.overlay.put(schema::events_key(), write_entry(&last));
        Ok(())
    }

    fn put_run(&mut self, begins: u64, run: Value) {
        if !run.is_empty() {
            self.overlay.put(EventKey { place: begins }.encode(), run);
        }
    }

    /// The events up to that place are not part of the log any more. A run goes with its last event.
    pub fn forget_events(&mut self, up_to: u64) -> Result<(), StoreError> {
        self.put_entry(&LogKey::FORGOTTEN, &up_to);
        let begun = KeyRange { start: EventKey::all().start, end: EventKey { place: up_to + 2 }.encode() };
        let begun: Vec<Key> = self
            .tables()
            .scan(&begun, Direction::Forward)
            .map(|pair| Ok(pair?.0))
            .collect::<Result<_, StoreError>>()?;
        // A run ends where the next one begins.
        for (run, next) in begun.iter().zip(begun.iter().skip(1)) {
            if EventKey::decode(next)?.place <= up_to + 1 {
                self.overlay.remove(run.clone());
            }
        }
        Ok(())
    }

    pub fn last_event(&self) -> Result<u64, StoreError> {
        self.tables().last_event()
    }
}
