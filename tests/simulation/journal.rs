//! What happened: the log of a schedule, how often each kind of thing was seen, and the first promise that was broken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Time;

/// How often each kind of thing happened.
pub type Tally = BTreeMap<&'static str, u64>;

pub struct Journal {
    time: Arc<Time>,
    keeps_log: bool,
    pages: Mutex<Pages>,
}

#[derive(Default)]
pub struct Pages {
    pub log: Vec<String>,
    pub tally: Tally,
    pub broken: Option<String>,
}

impl Journal {
    pub fn new(time: Arc<Time>, keeps_log: bool) -> Self {
        Self { time, keeps_log, pages: Mutex::default() }
    }

    /// A line of the log. Made only if the log is kept.
    pub fn note(&self, line: impl FnOnce() -> String) {
        if self.keeps_log {
            let line = format!("{:>10.3}  {}", self.time.elapsed().as_secs_f64(), line());
            self.pages().log.push(line);
        }
    }

    /// One more of that kind.
    pub fn saw(&self, kind: &'static str) {
        *self.pages().tally.entry(kind).or_default() += 1;
    }

    /// A promise is broken. Only the first counts: what follows may follow from it.
    pub fn broken(&self, how: impl Into<String>) {
        let how = how.into();
        self.note(|| format!("BROKEN: {how}"));
        let at = self.time.elapsed().as_secs_f64();
        self.pages().broken.get_or_insert_with(|| format!("at {at:.3} s: {how}"));
    }

    pub fn is_broken(&self) -> bool {
        self.pages().broken.is_some()
    }

    pub fn close(&self) -> Pages {
        std::mem::take(&mut self.pages())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
