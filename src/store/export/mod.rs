//! All that a store holds as a file of lines: the backup, and the way from one engine to another. Owns the format, how
//! it is written and how it is read; where the lines come from and go to is the business of others. The format is
//! public: `docs/export.md` describes it.
//!
//! One JSON object a line: a [`Header`], then [`Record`]s in an order in which each stands after what it belongs to,
//! then a [`Trailer`] that counts them and has the SHA-256 of all lines before it. A file without a trailer that fits
//! is not one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::digest;
use crate::domain::time::Timestamp;

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod lines;
mod read;
mod record;
mod write;

pub use lines::Lines;
pub use read::{Line, LineError, ReadError, Reader, read_line};
pub use record::{KINDS, Record};
pub use write::Writer;

/// What the first line says that the file is.
pub const FORMAT: &str = "switchboard-export";
/// The version that is written. Every older one is read. Raised with every field or kind that is added, so that a
/// program never drops silently what it does not know.
pub const VERSION: u32 = 2;
/// The longest line, its end without. Far above what the largest record of a store comes to.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub version: u32,
    /// The moment whose state it is.
    #[serde(with = "rfc3339")]
    pub created_at: Timestamp,
    /// The version of the program that wrote it.
    pub program: String,
    /// The engine that it came from.
    pub engine: String,
    /// A daemon was at work on the store, or had died and may have been started again: what waits in the export may have
    /// left since.
    pub running: bool,
}

impl Header {
    pub fn new(engine: &str, created_at: Timestamp, running: bool) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            created_at,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_owned(),
            running,
        }
    }
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// How many records there are of each kind.
    pub counts: BTreeMap<String, u64>,
    /// Of all lines before this one, with their ends.
    #[serde(with = "digest")]
    pub sha256: [u8; 32],
}

/// What a whole export held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub header: Header,
    pub trailer: Trailer,
}

impl Summary {
    pub fn records(&self) -> u64 {
        self.trailer.counts.values().sum()
    }

    pub fn sha256(&self) -> String {
        digest::hex(&self.trailer.sha256)
    }
}

/// All of a store as it was at one moment, handed out in parts.
#[async_trait]
pub trait Export: Send + 'static {
    /// The name of the engine that it comes from.
    fn engine(&self) -> &'static str;
    /// The next records, in the order of [`Record`]; empty when that was all. After an error there is nothing more to
    /// be had.
    async fn next(&mut self) -> Result<Vec<Record>, StoreError>;
}

/// Why an import does not go on. The store stays closed to everything else: see [`super::Store::begin_import`].
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the store is not empty; an import needs an empty one")]
    NotEmpty,
    #[error("no import has begun")]
    NotBegun,
    /// A record that cannot be, after those before it.
    #[error("{reason}")]
    Refused {
        /// Its place in the batch, from 0.
        at: usize,
        reason: String,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

mod rfc3339 {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    use crate::domain::time::Timestamp;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(moment)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom("not a moment of RFC 3339"))
    }
}

#[cfg(test)]
mod tests;
