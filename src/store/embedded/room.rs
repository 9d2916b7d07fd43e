//! How much room the store's file system has left: asked before each commit, so that the engine never meets a full disk
//! while there is a reserve. Decides who may still write; frees nothing.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::StoreError;
use crate::store::queue::Urgency;

/// How many bytes are free; none where the file system does not say.
type Measure = Box<dyn Fn() -> io::Result<Option<u64>> + Send>;

pub struct Room {
    measure: Measure,
    min_free_bytes: Arc<AtomicU64>,
    level: Level,
    free_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Enough,
    /// Only what is under way is still finished.
    Low,
    /// Nothing is written any more.
    Out,
}

impl Room {
    /// The file system that the directory is on. While it is to keep nothing free, it is never asked.
    pub fn of(directory: &Path, min_free_bytes: Arc<AtomicU64>) -> Self {
        let directory = directory.to_owned();
        let measure = move || {
            let stat = rustix::fs::statvfs(&directory)?;
            // One without a size, such as a tmpfs without limits, has no blocks at all.
            let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
            Ok((stat.f_blocks > 0).then_some(free_bytes))
        };
        Self::measured_by(Box::new(measure), min_free_bytes)
    }

    pub fn measured_by(measure: Measure, min_free_bytes: Arc<AtomicU64>) -> Self {
        Self { measure, min_free_bytes, level: Level::Enough, free_bytes: u64::MAX }
    }

    /// Looks again. A disk that cannot be asked is one that the engine has to find full by itself.
    pub fn look(&mut self) -> Level {
        let min_free_bytes = self.min_free_bytes.load(Ordering::Relaxed);
        if min_free_bytes == 0 {
            return self.level;
        }
        self.free_bytes = (self.measure)()
            .unwrap_or_else(|error| {
                tracing::debug!(%error, "the store's file system does not say how much room it has");
                None
            })
            .unwrap_or(u64::MAX);
        // Enough again is a little more than enough: no flickering at the mark.
        let enough = match self.level {
            Level::Enough => min_free_bytes,
            Level::Low | Level::Out => min_free_bytes.saturating_add(min_free_bytes / 8),
        };
        self.level = match self.free_bytes {
            free if free >= enough => Level::Enough,
            free if free >= min_free_bytes / 2 => Level::Low,
            _ => Level::Out,
        };
        self.level
    }

    /// As of the last look.
    pub fn allows(&self, urgency: Urgency) -> bool {
        match self.level {
            Level::Enough => true,
            Level::Low => urgency == Urgency::UnderWay,
            Level::Out => false,
        }
    }

    /// What those are told who may not write.
    pub fn refusal(&self) -> StoreError {
        let min_free_bytes = self.min_free_bytes.load(Ordering::Relaxed);
        StoreError::Full { free_bytes: self.free_bytes, min_free_bytes }
    }
}

/// Whether the failure is that there is no room: on the disk, in a quota, or under a limit of the file's size.
pub fn is_lack_of_room(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: u64) -> Arc<AtomicU64> {
        Arc::new(AtomicU64::new(bytes))
    }

    #[test]
    fn the_reserve_is_for_what_is_under_way_down_to_its_half() {
        let free = Arc::new(AtomicU64::new(100));
        let measured = Arc::clone(&free);
        let mut room =
            Room::measured_by(Box::new(move || Ok(Some(measured.load(Ordering::SeqCst)))), kept(100));
        let mut with = |bytes: u64| {
            free.store(bytes, Ordering::SeqCst);
            room.look();
            [Urgency::UnderWay, Urgency::Due, Urgency::New].map(|urgency| room.allows(urgency))
        };
        assert_eq!(with(100), [true; 3]);
        assert_eq!(with(99), [true, false, false]);
        assert_eq!(with(50), [true, false, false]);
        assert_eq!(with(49), [false; 3]);
        assert_eq!(with(111), [true, false, false], "not enough again before there is some to spare");
        assert_eq!(with(112), [true; 3]);
        assert_eq!(with(100), [true; 3]);
    }

    #[test]
    fn a_file_system_that_does_not_say_has_room() {
        let mut silent = Room::measured_by(Box::new(|| Ok(None)), kept(100));
        assert_eq!(silent.look(), Level::Enough);
        let mut failing = Room::measured_by(Box::new(|| Err(io::Error::other("no such thing"))), kept(100));
        assert_eq!(failing.look(), Level::Enough);
    }

    #[test]
    fn the_file_system_of_a_directory_is_asked() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Room::of(directory.path(), kept(1)).look(), Level::Enough);
        assert_eq!(Room::of(directory.path(), kept(u64::MAX - 1)).look(), Level::Out);
    }

    #[test]
    fn a_lack_of_room_is_found_below_what_it_caused() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let above = super::super::kv::KvError::Engine(Box::new(full));
        assert!(is_lack_of_room(&above));
        let other = super::super::kv::KvError::Engine(Box::new(io::Error::from(io::ErrorKind::Other)));
        assert!(!is_lack_of_room(&other));
    }
}
