//! Wakes a flush that sleeps over a failed write. sled writes its log in threads of its own, and one of the two places that
//! learn of a failure there tells nobody who waits for it: that flush would wait for ever. A second flush finds the
//! failure, and tells everybody. Costs the commits two stores of a number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked whether a flush sleeps. A slow disk is no failure, and is only flushed twice.
pub const EVERY: Duration = Duration::from_secs(1);

pub struct Nudge {
    /// Odd while a flush is going on.
    flushes: Arc<AtomicU64>,
    thread: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Nudge {
    /// `flush` is called when a flush goes on for so long that it was seen twice.
    pub fn start(every: Duration, flush: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let flushes = Arc::new(AtomicU64::new(0));
        let (end, ended) = channel();
        let seen = Arc::clone(&flushes);
        let watch = move || {
            let mut last = 0;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let now = seen.load(Ordering::Acquire);
                if now % 2 == 1 && now == last {
                    flush();
                }
                last = now;
            }
        };
        let thread = std::thread::Builder::new().name("sled-nudge".into()).spawn(watch)?;
        Ok(Self { flushes, thread: Mutex::new(Some((end, thread))) })
    }

    /// Runs a flush. One at a time.
    pub fn over<T>(&self, flush: impl FnOnce() -> T) -> T {
        self.flushes.fetch_add(1, Ordering::AcqRel);
        let flushed = flush();
        self.flushes.fetch_add(1, Ordering::AcqRel);
        flushed
    }
}

impl Drop for Nudge {
    fn drop(&mut self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((end, thread)) = thread {
            drop(end);
            if thread.join().is_err() {
                tracing::error!("the thread that watches over sled's flushes had died");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_that_sleeps_is_woken_and_others_are_left_alone() {
        let (woken, wake) = channel();
        let nudge = Nudge::start(Duration::from_millis(5), move || woken.send(()).unwrap()).unwrap();
        for _ in 0..3 {
            nudge.over(|| ());
            assert!(wake.recv_timeout(Duration::from_millis(30)).is_err(), "nothing sleeps");
        }
        nudge.over(|| wake.recv_timeout(Duration::from_secs(60)).unwrap());
    }

    #[test]
    fn it_ends_with_its_engine() {
        let nudge = Nudge::start(Duration::from_secs(3600), || ()).unwrap();
        drop(nudge);
    }
}
