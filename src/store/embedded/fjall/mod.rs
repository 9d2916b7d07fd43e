//! fjall 3 behind the seam: one keyspace, one batch at a time, and its journal flushed (`fdatasync`) before a batch is
//! seen by anybody. fjall flushes by itself what that rests on: each new file, and the folder that names it.
//!
//! A new store is made beside its place and renamed into it, so that a store which is there was once whole: one in
//! which there is nothing is damaged, never new.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use fjall::{Database, Guard, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use super::home;
use super::kv::{Direction, KeyRange, Kv, KvError, Pair, Scan, Snapshot, Value, View, WriteSet};
use super::lock::{DirectoryLock, keep_trying};
use super::open::{OpenError, panic_message};
use super::schema;

/// Where a new store is made. What is left of one after a crash holds nothing that was ever acknowledged.
const UNFINISHED: &str = "fjall.new";
/// What fjall writes last when it makes a database; without it, it would begin a new one among the old one's files.
const FORMAT: &str = "version";
const KEYSPACE: &str = "store";
/// fjall's own limit is 900, which leaves little of the 1024 that a process often has. The connections need them.
const MOST_OPEN_FILES: usize = 128;

#[derive(Clone, Debug)]
pub struct FjallOptions {
    /// What fjall may keep of its files in memory. What was written last comes on top: some 64 MiB, more under load.
    pub cache_bytes: u64,
    /// How long a process that holds the directory is waited for: it may be dying.
    pub lock_wait: Duration,
}

impl Default for FjallOptions {
    fn default() -> Self {
        Self { cache_bytes: 256 * 1024 * 1024, lock_wait: Duration::from_secs(5) }
    }
}

pub struct FjallKv {
    keyspace: Keyspace,
    db: Database,
    // Last, so that it is let go of last.
    _lock: Arc<DirectoryLock>,
}

impl FjallKv {
    /// Opens the store, or makes a new one. Dropping it closes fjall's files and ends its threads.
    pub fn open(
        directory: &Path,
        lock: Arc<DirectoryLock>,
        options: &FjallOptions,
    ) -> Result<Self, OpenError> {
        home::refuse_others(directory, home::FJALL)?;
        let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
        let path = directory.join(home::FJALL);
        if !path.try_exists().map_err(unusable)? {
            make(directory, &path, &lock, options)?;
        }
        // Also when it is not new: the process that made it may have died before.
        home::sync_names(directory).map_err(unusable)?;
        if !path.join(FORMAT).try_exists().map_err(unusable)? {
            let source = format!("its file \"{FORMAT}\" is missing").into();
            return Err(OpenError::Damaged { path, source });
        }
        let kv = Self::open_files(&path, lock, options)?;
        schema::adopt_again(&kv).map_err(|error| error.into_open_error(directory))?;
        Ok(kv)
    }

    /// fjall's threads may hold its own lock for a moment after its last use.
    fn open_files(path: &Path, lock: Arc<DirectoryLock>, options: &FjallOptions) -> Result<Self, OpenError> {
        let is_held = |error: &OpenError| matches!(error, OpenError::Locked { .. });
        let (keyspace, db) = keep_trying(options.lock_wait, || try_open(path, options), is_held)?;
        Ok(Self { keyspace, db, _lock: lock })
    }
}

/// Makes an empty store, whole or not at all.
fn make(
    directory: &Path,
    path: &Path,
    lock: &Arc<DirectoryLock>,
    options: &FjallOptions,
) -> Result<(), OpenError> {
    let unfinished = directory.join(UNFINISHED);
    let unusable = |source| OpenError::Directory { path: unfinished.clone(), source };
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(error)),
        Ok(()) | Err(_) => {}
    }
    let kv = FjallKv::open_files(&unfinished, Arc::clone(lock), options)?;
    schema::adopt(&kv).map_err(|error| error.into_open_error(directory))?;
    drop(kv);
    fs::rename(&unfinished, path).map_err(unusable)
}

/// fjall panics over some damaged files, and reports others.
fn try_open(path: &Path, options: &FjallOptions) -> Result<(Keyspace, Database), OpenError> {
    let opening = || -> fjall::Result<(Keyspace, Database)> {
        let builder = Database::builder(path).cache_size(options.cache_bytes);
        let db = builder.max_cached_files(Some(MOST_OPEN_FILES)).open()?;
        Ok((db.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?, db))
    };
    let path = path.to_owned();
    match catch_unwind(AssertUnwindSafe(opening)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(fjall::Error::Locked)) => Err(OpenError::Locked { path, pid: None }),
        Ok(Err(error @ fjall::Error::InvalidVersion(Some(_)))) => {
            Err(OpenError::OtherLayout { path, source: Box::new(error) })
        }
        Ok(Err(error)) if is_damage(&error) => Err(OpenError::Damaged { path, source: Box::new(error) }),
        Ok(Err(error)) => Err(OpenError::Engine { path, source: Box::new(error) }),
        Err(panic) => Err(OpenError::Damaged { path, source: panic_message(&*panic).into() }),
    }
}

impl Kv for FjallKv {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        Ok(Box::new(FjallView { snapshot: self.db.snapshot(), keyspace: &self.keyspace }))
    }

    /// After a failure fjall takes nothing more until it is opened again.
    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.keyspace, key.as_slice(), value.as_slice()),
                None => batch.remove(&self.keyspace, key.as_slice()),
            }
        }
        batch.commit().map_err(failed)
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        Ok(Box::new(FjallSnapshot { snapshot: self.db.snapshot(), kv: Arc::downgrade(&self) }))
    }
}

/// fjall's own, which keeps what its moment needs on the disk.
struct FjallSnapshot {
    snapshot: fjall::Snapshot,
    /// Weak, so that a long reader does not keep the engine from being closed.
    kv: Weak<FjallKv>,
}

impl Snapshot for FjallSnapshot {
    fn engine(&self) -> &'static str {
        home::FJALL
    }

    fn look(&self, read: &mut dyn FnMut(&dyn View)) -> Result<(), KvError> {
        let kv = self.kv.upgrade().ok_or_else(|| KvError::Engine("it was closed".into()))?;
        read(&FjallView { snapshot: self.snapshot.clone(), keyspace: &kv.keyspace });
        Ok(())
    }

    fn done_below(&self, _: &[u8]) {}
}

struct FjallView<'k> {
    snapshot: fjall::Snapshot,
    keyspace: &'k Keyspace,
}

impl View for FjallView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        Ok(self.snapshot.get(self.keyspace, key).map_err(failed)?.map(|value| value.to_vec()))
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let pairs = self.snapshot.range(self.keyspace, range.start.as_slice()..range.end.as_slice());
        match direction {
            Direction::Forward => Box::new(pairs.map(copied)),
            Direction::Reverse => Box::new(pairs.rev().map(copied)),
        }
    }
}

fn copied(pair: Guard) -> Result<Pair, KvError> {
    let (key, value) = pair.into_inner().map_err(failed)?;
    Ok((key.to_vec(), value.to_vec()))
}

fn failed(error: fjall::Error) -> KvError {
    if is_damage(&error) { KvError::Damaged(Box::new(error)) } else { KvError::Engine(Box::new(error)) }
}

/// Whether the files are not what was written: one is missing or too short, or a checksum is wrong.
fn is_damage(error: &fjall::Error) -> bool {
    if let Some(error) = io_error(error) {
        return matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::InvalidData
        );
    }
    !matches!(error, fjall::Error::Locked | fjall::Error::Poisoned | fjall::Error::KeyspaceDeleted)
}

fn io_error(error: &fjall::Error) -> Option<&io::Error> {
    std::iter::successors(error.source(), |error| (*error).source()).find_map(|error| error.downcast_ref())
}

#[cfg(test)]
mod tests;
