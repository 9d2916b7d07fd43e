//! Brings what an older version stored into the layout of this one: a step from each version to the next. The records
//! themselves are read as they are ([`super::codec`]); what is rebuilt here is derived from them. A step may be begun
//! again at any moment: the process may die in the middle of it. When it is due, and that it is done, is
//! [`super::schema`]'s to write down.

use super::codec;
use super::keys::{
    ClosedTurnKey, CustomerKey, DoubtKey, FailedTurnKey, Family, HeldKey, HoldKey, LookKey, MessageKey,
    SilentKey, TurnAtKey,
};
use super::kv::{Direction, Key, KeyRange, Kv, WriteSet};
use super::tables::{CustomerRow, Tables, TurnAt, write_entry};
use super::tx::{Index, message_index, word_index};
use crate::domain::message::Message;
use crate::domain::turn::Turn;
use crate::store::StoreError;
use crate::store::apply::missing;

/// How many pairs are read on one view and written by one commit. Few in tests, where a store is small.
const BATCH: usize = if cfg!(test) { 2 } else { 1000 };

/// The steps from `from` to the current version.
pub fn migrate(kv: &dyn Kv, from: u32) -> Result<(), StoreError> {
    tracing::info!(from, to = super::schema::CURRENT, "the store is brought into this version's layout");
    if from < 2 {
        index_by_fate(kv)?;
    }
    // To 3: customers are found by their words, and turns that went wrong in a list.
    if from < 3 {
        index_each::<CustomerKey>(kv, |_, value| customer_entries(value))?;
        index_each::<TurnAtKey>(kv, turn_entries)?;
    }
    Ok(())
}

/// Writes what each value of a table brings.
fn index_each<F: Family>(
    kv: &dyn Kv,
    entries: fn(Tables<'_>, &[u8]) -> Result<WriteSet, StoreError>,
) -> Result<(), StoreError> {
    let mut rest = F::all();
    loop {
        let (mut writes, mut last) = (WriteSet::new(), None);
        {
            let view = kv.begin()?;
            for pair in view.scan(&rest, Direction::Forward).take(BATCH) {
                let (key, value) = pair?;
                writes.extend(entries(Tables::new(&*view), &value)?);
                last = Some(key);
            }
        }
        if !writes.is_empty() {
            kv.commit(&writes)?;
        }
        let Some(last) = last else { return Ok(()) };
        rest.start = after(last);
    }
}

fn customer_entries(value: &[u8]) -> Result<WriteSet, StoreError> {
    let row: CustomerRow = codec::decode(value)?;
    Ok(written(word_index(&row.customer)))
}

fn turn_entries(tables: Tables<'_>, value: &[u8]) -> Result<WriteSet, StoreError> {
    let at: TurnAt = codec::decode(value)?;
    let over: Option<Turn> = tables.record(&ClosedTurnKey { session: at.session, place: at.place })?;
    let failed = over.filter(Turn::has_failed);
    let entry = failed.map(|turn| (FailedTurnKey { order: at.order }.encode(), Some(write_entry(&turn.id))));
    Ok(entry.into_iter().collect())
}

/// To 2: the texts of unknown fate and the silent ones have their channel, and their customer, in their indexes; those that
/// nobody looks for, and those that hold a queue, have indexes of their own.
fn index_by_fate(kv: &dyn Kv) -> Result<(), StoreError> {
    for table in [LookKey::all(), SilentKey::all(), HeldKey::all(), HoldKey::all(), DoubtKey::all()] {
        clear(kv, &table)?;
    }
    index_each::<MessageKey>(kv, message_entries)
}

fn clear(kv: &dyn Kv, range: &KeyRange) -> Result<(), StoreError> {
    loop {
        let keys = {
            let view = kv.begin()?;
            let keys = view.scan(range, Direction::Forward).take(BATCH).map(|pair| Ok((pair?.0, None)));
            keys.collect::<Result<WriteSet, StoreError>>()?
        };
        if keys.is_empty() {
            return Ok(());
        }
        kv.commit(&keys)?;
    }
}

fn message_entries(tables: Tables<'_>, value: &[u8]) -> Result<WriteSet, StoreError> {
    let message: Message = codec::decode(value)?;
    let at = tables.message_at(message.id)?.ok_or_else(|| missing("a message's place"))?;
    Ok(written(message_index(&message, &at)))
}

fn written(index: Index) -> WriteSet {
    index.into_iter().map(|(key, value)| (key, Some(value))).collect()
}

/// The first key after this one.
fn after(mut key: Key) -> Key {
    key.push(0);
    key
}

#[cfg(test)]
mod tests;
