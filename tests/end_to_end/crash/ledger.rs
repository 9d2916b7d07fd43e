//! What the outside was promised, as the outside wrote it down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Agents have a session: from when that was answered until they asked to give it back, in milliseconds since 1970.
#[derive(Clone, Copy)]
pub struct Held {
    pub from_ms: i64,
    pub until_ms: i64,
}

#[derive(Default)]
pub struct Promises {
    /// Customers' texts, acknowledged or not: the provider has them, and can be asked for them.
    pub said: BTreeSet<String>,
    /// Customers' texts that were acknowledged.
    pub taken: BTreeSet<String>,
    /// Agents' texts that were answered with 201, by the message's id.
    pub accepted: BTreeMap<String, String>,
    /// Messages that somebody asked to cancel, whatever became of it.
    pub cancel_asked: BTreeSet<String>,
    /// Messages whose cancelling was answered with 200.
    pub canceled: BTreeSet<String>,
    pub held: Vec<Held>,
    /// When agents' call for the session was answered, or the bot handed it over: what the bot had queued before may
    /// have been recalled. In milliseconds since 1970.
    pub switched_ms: Vec<i64>,
}

/// The promises to and about each customer, by number.
#[derive(Default)]
pub struct Ledger {
    promises: Mutex<BTreeMap<String, Promises>>,
    over: AtomicBool,
}

impl Ledger {
    pub fn note(&self, number: &str, write: impl FnOnce(&mut Promises)) {
        write(self.promises().entry(number.to_owned()).or_default());
    }

    pub fn promises(&self) -> MutexGuard<'_, BTreeMap<String, Promises>> {
        self.promises.lock().unwrap()
    }

    /// Nobody begins anything new.
    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits for so long, or until it is over.
    pub async fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_over() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
