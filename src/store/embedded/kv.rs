//! The seam between the store and what it keeps its bytes in: `begin`, `get`, `scan` and `commit`; and `snapshot`, for
//! who goes through all of it. Knows no engine, and nothing of what the bytes mean.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use crate::store::StoreError;

#[cfg(test)]
pub mod promises;
#[cfg(test)]
pub mod testing;

pub type Key = Vec<u8>;
pub type Value = Vec<u8>;
/// A key with its value.
pub type Pair = (Key, Value);
/// What a scan gives, one pair after the other.
pub type Scan<'v> = Box<dyn Iterator<Item = Result<Pair, KvError>> + 'v>;

/// What a commit writes, by key: a value, or nothing where the key is removed.
pub type WriteSet = BTreeMap<Key, Option<Value>>;

/// The longest key, and the most that a key and its value have together: what every engine takes. Nothing larger is ever
/// committed. A text by a provider's webhook (64 KiB) fits, with all that is kept with it.
pub const MAX_KEY_BYTES: usize = 4 * 1024;
pub const MAX_PAIR_BYTES: usize = 72 * 1024;

/// Keys from `start` up to, but without, `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    pub start: Key,
    pub end: Key,
}

impl KeyRange {
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Reverse,
}

/// An ordered map of bytes that survives what may happen to a machine.
pub trait Kv: Send + Sync + 'static {
    /// A view of what would survive a power cut, in which no commit shows by halves. Short-lived: a commit may have to wait
    /// until it is dropped.
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError>;

    /// Writes all of it or nothing, and returns when it would survive a power cut. One caller at a time.
    fn commit(&self, writes: &WriteSet) -> Result<(), KvError>;

    /// All of it as it is now, whole commits only. May be kept for as long as it takes: no commit waits for it, and it
    /// does not keep the engine from being let go of.
    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError>;
}

/// What a [`Kv`] held at one moment.
pub trait Snapshot: Send + 'static {
    /// The engine's name, as the configuration has it.
    fn engine(&self) -> &'static str;

    /// Calls `read` with a view of that moment. As short-lived as any: commits may wait until `read` returns.
    fn look(&self, read: &mut dyn FnMut(&dyn View)) -> Result<(), KvError>;

    /// Nothing below this key is asked for any more.
    fn done_below(&self, key: &[u8]);
}

/// What a [`Kv`] held when the view was taken.
pub trait View {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError>;

    /// The pairs of a range in the order of their keys, or against it. Reads as it goes.
    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_>;
}

/// The engine could not read or write.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    #[error("the storage engine failed")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
    /// What is on the disk is not what was written.
    #[error("the storage engine found its files damaged")]
    Damaged(#[source] Box<dyn Error + Send + Sync>),
}

impl From<KvError> for StoreError {
    fn from(error: KvError) -> Self {
        match &error {
            KvError::Engine(source) => Self::Unavailable(format!("{error}: {source}")),
            KvError::Damaged(source) => Self::Corrupt(format!("{error}: {source}")),
        }
    }
}
