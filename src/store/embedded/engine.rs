//! The engine that is open now. It may fail, be let go of and be opened again in place, while the store above it stays:
//! reads take it from here, and only the committer puts it here and takes it away.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::kv::Kv;
use super::open::OpenError;

/// Opens the engine, as often as it takes. What it opens holds the directory, so that no other process gets between
/// two openings.
pub type Opener = Box<dyn Fn() -> Result<Box<dyn Kv>, OpenError> + Send>;

/// An engine that failed may hang when it is let go of. It is not waited for longer than this; as long as it holds its
/// files, it cannot be opened again.
const LONGEST_PARTING: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Engine(RwLock<Option<Arc<dyn Kv>>>);

impl Engine {
    /// None while it is away, and once the store is closed.
    pub fn get(&self) -> Option<Arc<dyn Kv>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn put(&self, kv: Box<dyn Kv>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(kv));
    }

    pub fn take(&self) -> Option<Arc<dyn Kv>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lets go of one that failed. Reads that are going on end by themselves, and the last of them lets go of it.
    pub fn let_go(&self) {
        let Some(kv) = self.take() else { return };
        let (gone, parted) = channel();
        let parting = move || {
            drop(kv);
            gone.send(()).ok();
        };
        match std::thread::Builder::new().name("store-parting".into()).spawn(parting) {
            Ok(_) if parted.recv_timeout(LONGEST_PARTING).is_ok() => {}
            Ok(_) => tracing::error!("the storage engine that failed does not end"),
            Err(error) => tracing::error!(%error, "there is no thread to let go of the storage engine in"),
        }
    }
}

/// Makes the kernel forget what it holds of the files below `directory`, where that is not on the disk. A write that
/// failed may still be read back from memory, and would be taken for durable by who opens the files next.
pub fn forget_cached_files(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => forget_cached_files(&path),
            Ok(kind) if kind.is_file() => forget_cached(&path),
            Ok(_) | Err(_) => {}
        }
    }
}

fn forget_cached(path: &Path) {
    #[cfg(target_os = "linux")]
    let forgotten = File::open(path).and_then(|file| {
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).map_err(std::io::Error::from)
    });
    #[cfg(not(target_os = "linux"))]
    let forgotten = File::open(path).map(drop);
    if let Err(error) = forgotten {
        tracing::debug!(%error, "the cache of one of the store's files could not be dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::super::kv::testing::MapKv;
    use super::*;

    #[test]
    fn a_read_that_goes_on_keeps_the_engine_until_it_ends() {
        let engine = Engine::default();
        engine.put(Box::new(MapKv::of([(b"key", b"value")])));
        let read = engine.get().unwrap();
        engine.let_go();
        assert!(engine.get().is_none());
        assert_eq!(read.begin().unwrap().get(b"key").unwrap(), Some(b"value".to_vec()));
    }

    #[test]
    fn what_is_on_the_disk_is_still_there_when_its_cache_was_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("below");
        std::fs::create_dir(&below).unwrap();
        std::fs::write(below.join("file"), b"kept").unwrap();
        forget_cached_files(directory.path());
        assert_eq!(std::fs::read(below.join("file")).unwrap(), b"kept");
    }
}
