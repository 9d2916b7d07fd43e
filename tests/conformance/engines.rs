//! The engines under test. A new one is a line in `on_every_engine!` and a function that opens it.

use std::any::Any;
use std::sync::Arc;

use switchboard::domain::conversation::Policy;
use switchboard::store::Store;
use switchboard::store::embedded::{EmbeddedStore, SledOptions};
use switchboard::store::memory::MemoryStore;

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
    let home = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open_sled(home.path(), &SledOptions::default(), rules).unwrap();
    Opened { store: Arc::new(store), _home: Box::new(home) }
}
