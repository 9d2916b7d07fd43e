//! A command's world: typed writes on the overlay, each of which keeps the indexes that lead to it. Decides nothing;
//! the commands do what the domain says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::codec;
use super::keys::{Family, Part};
use super::kv::{Key, Value, View};
use super::overlay::Overlay;
use super::schema;
use super::tables::{Tables, read_entry, write_entry};
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::time::Timestamp;
use crate::store::{Rules, StoreError};

mod customers;
mod events;
mod messages;
mod parked;
mod sessions;
mod turns;
mod world;

pub use customers::word_index;
use events::Touched;
use messages::QueueFront;
pub use messages::index as message_index;

/// Index entries that one record gives rise to.
pub type Index = BTreeMap<Key, Value>;

pub struct Tx<'t, 'v> {
    overlay: &'t mut Overlay<'v>,
    pub rules: &'t Rules,
    pub now: Timestamp,
    /// The queues that the command touched, as they began before it.
    queues: BTreeMap<CustomerId, Option<QueueFront>>,
    /// The sessions whose turns the command touched, with the entry of their first turn before it.
    turns: BTreeMap<SessionId, Index>,
    touched: Touched,
}

impl<'t, 'v> Tx<'t, 'v> {
    pub fn new(overlay: &'t mut Overlay<'v>, rules: &'t Rules, now: Timestamp) -> Self {
        let (queues, turns, touched) = (BTreeMap::new(), BTreeMap::new(), Touched::default());
        Self { overlay, rules, now, queues, turns, touched }
    }

    pub fn tables(&self) -> Tables<'_> {
        Tables::new(&*self.overlay)
    }

    /// Brings what depends on the first of a queue up to date, and tells what was changed. The last thing that a command
    /// does.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.finish_queues()?;
        self.finish_turns()?;
        self.tell()
    }

    pub fn put_record(&mut self, key: &impl Family, record: &impl Serialize) -> Result<(), StoreError> {
        self.overlay.put(key.encode(), codec::encode(record)?);
        Ok(())
    }

    pub fn put_entry(&mut self, key: &impl Family, entry: &impl Part) {
        self.overlay.put(key.encode(), write_entry(entry));
    }

    pub fn remove(&mut self, key: &impl Family) {
        self.overlay.remove(key.encode());
    }

    /// A number greater than all that were given before: what is created later comes later.
    pub fn next_order(&mut self) -> Result<u64, StoreError> {
        let key = schema::order_key();
        let last = self.overlay.get(&key)?.map(|value| read_entry::<u64>(&value)).transpose()?;
        let next = last.unwrap_or(0) + 1;
        self.overlay.put(key, write_entry(&next));
        Ok(next)
    }

    /// A number that was given elsewhere: those that are given from now on are greater.
    pub fn keep_order(&mut self, order: u64) -> Result<(), StoreError> {
        let key = schema::order_key();
        let last = self.overlay.get(&key)?.map(|value| read_entry::<u64>(&value)).transpose()?;
        if last.is_none_or(|last| last < order) {
            self.overlay.put(key, write_entry(&order));
        }
        Ok(())
    }

    /// Called once what is counted has changed.
    pub fn count_parked(&mut self, change: i64) -> Result<(), StoreError> {
        let key = schema::parked_key();
        let counted = self.overlay.get(&key)?.map(|value| read_entry::<u64>(&value)).transpose()?;
        let count = match counted {
            Some(count) => count.saturating_add_signed(change),
            None => self.tables().parked()?,
        };
        self.overlay.put(key, write_entry(&count));
        Ok(())
    }

    fn reindex(&mut self, before: &Index, after: Index) {
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            self.overlay.remove(key.clone());
        }
        for (key, value) in after {
            if before.get(&key) != Some(&value) {
                self.overlay.put(key, value);
            }
        }
    }
}

/// One entry of an index.
fn entry(key: &impl Family, entry: &impl Part) -> (Key, Value) {
    (key.encode(), write_entry(entry))
}
