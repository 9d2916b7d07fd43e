//! An engine that failed is opened again, in place: after pauses that grow, for as long as what it lacks is room, and
//! else for about a minute. What then still fails, and files that are damaged, are for people.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use super::super::engine::{Opener, forget_cached_files};
use super::super::kv::{Kv, KvError};
use super::super::open::OpenError;
use super::super::room::{Level, Room, is_lack_of_room};
use crate::domain::causes;
use crate::store::queue::Queue;

/// How long an engine that failed is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before it is opened for the first time; then twice as long, and so on.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// In all pauses together, for an engine that fails for another reason than lack of room.
    pub in_all: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            in_all: Duration::from_secs(60),
        }
    }
}

/// Why a call of the engine failed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub reason: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NoRoom,
    /// Opening it again will not help.
    ForPeople,
    Other,
}

impl Failure {
    pub fn of_words(reason: &str) -> Self {
        Self { reason: reason.to_owned(), kind: Kind::Other }
    }

    pub fn of(error: &KvError) -> Self {
        let kind = match error {
            KvError::Damaged(_) => Kind::ForPeople,
            KvError::Engine(_) if is_lack_of_room(error) => Kind::NoRoom,
            KvError::Engine(_) => Kind::Other,
        };
        Self { reason: causes::in_words(error), kind }
    }

    fn to_open(error: &OpenError) -> Self {
        let kind = match error {
            _ if is_lack_of_room(error) => Kind::NoRoom,
            OpenError::Directory { .. } | OpenError::Locked { .. } | OpenError::Engine { .. } => Kind::Other,
            // It is damaged, or not ours to open.
            _ => Kind::ForPeople,
        };
        Self { reason: causes::in_words(error), kind }
    }
}

pub struct Recovery {
    opener: Opener,
    directory: PathBuf,
    patience: Patience,
    /// Kept over several failures, as long as nothing is written between them: an engine that opens, but cannot write,
    /// is not opened ten times a second.
    pause: Duration,
}

impl Recovery {
    pub fn new(opener: Opener, directory: PathBuf, patience: Patience) -> Self {
        Self { opener, directory, patience, pause: patience.first_pause }
    }

    /// Something was written.
    pub fn works(&mut self) {
        self.pause = self.patience.first_pause;
    }

    /// Opens it again. None: the store closes. An error: it cannot be opened again in this process.
    /// `away` is called with the reason, again and again.
    pub fn reopen<J>(
        &mut self,
        room: &mut Room,
        queue: &Queue<J>,
        mut failure: Failure,
        away: impl Fn(&str),
    ) -> Result<Option<Box<dyn Kv>>, String> {
        let mut waited = Duration::ZERO;
        loop {
            // Of files that are damaged, only a disk without room makes one wait: it may be what the damage is.
            if failure.kind == Kind::ForPeople && room.look() != Level::Out {
                return Err(failure.reason);
            }
            if waited >= self.patience.in_all {
                return Err(failure.reason);
            }
            away(&failure.reason);
            if queue.closes_within(self.pause) {
                away(&failure.reason);
                return Ok(None);
            }
            waited += self.pause;
            self.pause = (self.pause * 2).min(self.patience.longest_pause);
            if room.look() == Level::Out {
                failure = Failure { reason: room.refusal().to_string(), kind: Kind::NoRoom };
            } else {
                match self.open() {
                    Ok(kv) => return Ok(Some(kv)),
                    Err(next) => failure = next,
                }
            }
            if failure.kind == Kind::NoRoom {
                waited = Duration::ZERO;
            }
            tracing::debug!(reason = failure.reason, "the storage engine does not open yet");
        }
    }

    fn open(&self) -> Result<Box<dyn Kv>, Failure> {
        forget_cached_files(&self.directory);
        match catch_unwind(AssertUnwindSafe(&self.opener)) {
            Ok(opened) => opened.map_err(|error| Failure::to_open(&error)),
            Err(_) => Err(Failure::of_words("the storage engine panicked while it was opened")),
        }
    }
}
