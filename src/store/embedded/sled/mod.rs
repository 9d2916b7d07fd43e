//! sled 0.34 behind the seam, used in the one way that is safe: one tree, one batch at a time from one thread, and a
//! blocking `flush` after each, which [`durability`] makes a real one. Never `flush_async` and never a transaction:
//! together they dead-lock.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use super::home;
use super::kv::{Direction, KeyRange, Kv, KvError, Scan, Snapshot, Value, View, WriteSet};
use super::lock::{DirectoryLock, keep_trying};
use super::open::{OpenError, panic_message};
use super::originals::{Frozen, Originals};
use super::schema;

mod durability;
mod nudge;
mod segment;

use nudge::Nudge;

/// What sled keeps its parameters in.
const PARAMETERS: &str = "conf";

#[derive(Clone, Debug)]
pub struct SledOptions {
    /// What sled may keep in memory; the process takes about twice that under load.
    pub cache_bytes: u64,
    /// How long a process that holds the directory is waited for: it may be dying.
    pub lock_wait: Duration,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self { cache_bytes: 256 * 1024 * 1024, lock_wait: Duration::from_secs(5) }
    }
}

/// How the newest commit went.
enum Flushed {
    Whole,
    Failed,
}

pub struct SledKv {
    // First: it flushes.
    nudge: Nudge,
    tree: sled::Tree,
    /// Commits hold it until they are flushed, views read it: so a view shows each batch whole, over all its reads, and
    /// nothing that a crash would take back. Broken once a flush failed: nobody knows what of it is on the disk.
    commits: RwLock<Flushed>,
    /// sled has no snapshots.
    originals: Originals,
    db: sled::Db,
    // Last, so that it is let go of last.
    _lock: Arc<DirectoryLock>,
}

impl SledKv {
    /// Opens the store, and proves that it is durable.
    pub fn open(
        directory: &Path,
        lock: Arc<DirectoryLock>,
        options: &SledOptions,
    ) -> Result<Self, OpenError> {
        home::refuse_others(directory, home::SLED)?;
        let path = directory.join(home::SLED);
        let db = open_db(&path, options)?;
        let tree = (*db).clone();
        let flushed = db.clone();
        let flush = move || {
            if let Err(error) = flushed.flush() {
                tracing::debug!(%error, "a flush was woken over a failed write");
            }
        };
        let nudge = Nudge::start(nudge::EVERY, flush)
            .map_err(|source| OpenError::Engine { path: path.clone(), source: Box::new(source) })?;
        let (commits, originals) = (RwLock::new(Flushed::Whole), Originals::default());
        let kv = Self { nudge, tree, commits, originals, db, _lock: lock };
        let durable = schema::adopt_durably(&kv, durability::flushes)
            .map_err(|error| error.into_open_error(directory))?;
        if !durable {
            return Err(OpenError::NotDurable);
        }
        sync_beside_the_log(directory, &path)
            .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
        Ok(kv)
    }
}

/// sled's threads may hold its own lock for a moment after its last use.
fn open_db(path: &Path, options: &SledOptions) -> Result<sled::Db, OpenError> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(options.cache_bytes)
        .segment_size(segment::SEGMENT_BYTES);
    let is_held = |error: &OpenError| matches!(error, OpenError::Locked { .. });
    keep_trying(options.lock_wait, || try_open(&config, path), is_held)
}

/// sled panics over some damaged files, and reports others.
fn try_open(config: &sled::Config, path: &Path) -> Result<sled::Db, OpenError> {
    let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
    let path = path.to_owned();
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) if is_locked(&error) => Err(OpenError::Locked { path, pid: None }),
        Ok(Err(sled::Error::Io(error))) => Err(OpenError::Engine { path, source: Box::new(error) }),
        // Its parameters are others than ours; nothing was read or written beyond them.
        Ok(Err(error @ sled::Error::Unsupported(_))) => {
            Err(OpenError::OtherLayout { path, source: Box::new(error) })
        }
        Ok(Err(error)) => Err(OpenError::Damaged { path, source: Box::new(error) }),
        Err(panic) => Err(OpenError::Damaged { path, source: panic_message(&*panic).into() }),
    }
}

/// sled has no kind of error for it.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// sled flushes its log, but neither its parameters nor the directories that name its files.
fn sync_beside_the_log(directory: &Path, path: &Path) -> io::Result<()> {
    File::open(path.join(PARAMETERS))?.sync_all()?;
    File::open(path)?.sync_all()?;
    home::sync_names(directory)
}

impl Kv for SledKv {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        Ok(Box::new(SledView { kv: self, _commits: self.flushed()? }))
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        self.commit_with(writes, || self.nudge.over(|| self.db.flush()))
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        let _commits = self.flushed()?;
        Ok(Box::new(Frozen::new("sled", &self, self.originals.begin()?)))
    }
}

impl SledKv {
    /// Waits for the commit under way, if there is one.
    fn flushed(&self) -> Result<RwLockReadGuard<'_, Flushed>, KvError> {
        let commits = self.commits.read().unwrap_or_else(PoisonError::into_inner);
        match *commits {
            Flushed::Whole => Ok(commits),
            Flushed::Failed => Err(KvError::Engine("what it wrote last could not be flushed".into())),
        }
    }

    fn commit_with(
        &self,
        writes: &WriteSet,
        flush: impl FnOnce() -> sled::Result<usize>,
    ) -> Result<(), KvError> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        let mut commits = self.commits.write().unwrap_or_else(PoisonError::into_inner);
        self.originals.set_aside(writes, |key| self.get(key));
        // Also if it panics.
        *commits = Flushed::Failed;
        self.tree.apply_batch(batch).map_err(failed)?;
        flush().map_err(failed)?;
        *commits = Flushed::Whole;
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        Ok(self.tree.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }
}

struct SledView<'k> {
    kv: &'k SledKv,
    _commits: RwLockReadGuard<'k, Flushed>,
}

impl View for SledView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        self.kv.get(key)
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let pairs = self.kv.tree.range(range.start.as_slice()..range.end.as_slice());
        let copied = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            pair.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(failed)
        };
        match direction {
            Direction::Forward => Box::new(pairs.map(copied)),
            Direction::Reverse => Box::new(pairs.rev().map(copied)),
        }
    }
}

fn failed(error: sled::Error) -> KvError {
    match error {
        sled::Error::Corruption { .. } => KvError::Damaged(Box::new(error)),
        // sled does not tell of it as a source.
        sled::Error::Io(error) => KvError::Engine(Box::new(error)),
        _ => KvError::Engine(Box::new(error)),
    }
}

#[cfg(test)]
mod tests;
