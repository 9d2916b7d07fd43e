//! The engines under test. A new one is a line in `on_every_engine!` and a function that opens it.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use switchboard::domain::conversation::Policy;
use switchboard::store::Store;
use switchboard::store::embedded::{EmbeddedStore, FjallOptions, SledOptions};
use switchboard::store::memory::MemoryStore;

use crate::postgres;

/// A store, and what it stands on for as long as it is used.
pub struct Opened {
    pub store: Arc<dyn Store>,
    pub _home: Box<dyn Any + Send + Sync>,
}

/// Opens a new, empty store.
pub type Open = fn(Policy) -> Opened;

/// Runs these cases of a file on every engine.
macro_rules! on_every_engine {
    ($($case:ident),* $(,)?) => {
        on_engine! { memory: $($case),* }
        on_engine! { sled: $($case),* }
        on_engine! { fjall: $($case),* }
        on_engine! { postgres: $($case),* }
    };
}

macro_rules! on_engine {
    ($engine:ident: $($case:ident),*) => {
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(crate::engines::$engine).await;
                }
            )*
        }
    };
}

pub fn memory(rules: Policy) -> Opened {
    Opened { store: Arc::new(MemoryStore::new(rules)), _home: Box::new(()) }
}

pub fn sled(rules: Policy) -> Opened {
    opened(sled_at, rules)
}

pub fn fjall(rules: Policy) -> Opened {
    opened(fjall_at, rules)
}

pub fn postgres(rules: Policy) -> Opened {
    opened(postgres_at, rules)
}

/// Opens what a directory holds, or a new store in it. What stands in a database goes by the name of the directory.
pub type OpenAt = fn(&Path, Policy) -> Arc<dyn Store>;

const CACHE_BYTES: u64 = 4 * 1024 * 1024;
const LOCK_WAIT: Duration = Duration::from_secs(5);

pub fn sled_at(home: &Path, rules: Policy) -> Arc<dyn Store> {
    let options = SledOptions { cache_bytes: CACHE_BYTES, lock_wait: LOCK_WAIT };
    Arc::new(EmbeddedStore::open_sled(home, &options, rules).unwrap())
}

pub fn fjall_at(home: &Path, rules: Policy) -> Arc<dyn Store> {
    let options = FjallOptions { cache_bytes: CACHE_BYTES, lock_wait: LOCK_WAIT };
    Arc::new(EmbeddedStore::open_fjall(home, &options, rules).unwrap())
}

pub fn postgres_at(home: &Path, rules: Policy) -> Arc<dyn Store> {
    let name = home.file_name().unwrap().to_str().unwrap();
    Arc::new(postgres::open(name, rules))
}

fn opened(open: OpenAt, rules: Policy) -> Opened {
    let home = tempfile::tempdir().unwrap();
    Opened { store: open(home.path(), rules), _home: Box::new(home) }
}
