//! `[store]`: which engine keeps everything, and where.

use std::path::PathBuf;
use std::time::Duration;

use super::section::Section;
use super::tree::Node;
use super::values::{ByteSize, Setting, choice};

#[derive(Clone, Debug)]
pub struct StoreSettings {
    pub engine: Engine,
    /// The folder that the engine has for itself; from the working directory unless absolute.
    pub path: PathBuf,
    pub cache_bytes: u64,
    /// How long to wait for another daemon to let go of the folder.
    pub lock_wait: Duration,
    /// How much room the folder's file system keeps.
    pub min_free_bytes: u64,
}

/// Less would only make the engine read everything twice; sled refuses to open with next to nothing.
const LEAST_CACHE_BYTES: u64 = 1 << 20;

/// The engines of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sled,
    Fjall,
}

impl Setting for Engine {
    fn read(node: &Node) -> Result<Self, String> {
        let known = [("sled", Some(Self::Sled)), ("fjall", Some(Self::Fjall)), ("postgres", None)];
        choice(node, &known)?.ok_or_else(|| {
            "names an engine that is not built into this binary; write \"sled\" or \"fjall\"".to_owned()
        })
    }
}

impl StoreSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let path = section.or("path", "data".to_owned());
        if path.trim().is_empty() {
            section.refuse("path", "is empty; write the folder to keep everything in");
        }
        let cache_bytes = section.or("cache", ByteSize(256 << 20)).0;
        if cache_bytes < LEAST_CACHE_BYTES {
            section.refuse("cache", "is too small to work with; write 1MB or more");
        }
        let store = Self {
            engine: section.or("engine", Engine::Sled),
            path: path.into(),
            cache_bytes,
            lock_wait: section.or("lock_wait", Duration::from_secs(10)),
            min_free_bytes: section.or("min_free", ByteSize(64 << 20)).0,
        };
        section.finish();
        store
    }
}
