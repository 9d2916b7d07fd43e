//! Wakes tasks at a moment, to a fraction of a millisecond, by a thread that sleeps until the next one: the runtime's own
//! timers count whole milliseconds, which is the whole interval of a fast number. Knows nothing of what it wakes.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

/// A task that wants to be woken.
type Wanted = (Instant, oneshot::Sender<()>);

pub struct Alarm {
    /// None while it is dropped.
    wanted: Option<Sender<Wanted>>,
    thread: Option<JoinHandle<()>>,
}

impl Alarm {
    pub fn start() -> std::io::Result<Self> {
        let (wanted, coming) = channel();
        let thread = std::thread::Builder::new().name("alarm".into()).spawn(move || ring(&coming))?;
        Ok(Self { wanted: Some(wanted), thread: Some(thread) })
    }

    /// Returns at that moment, and at once if it is over.
    pub async fn until(&self, moment: Instant) {
        if moment <= now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        let asked = self.wanted.as_ref().is_some_and(|wanted| wanted.send((moment, wake)).is_ok());
        if !asked || woken.await.is_err() {
            // The thread is gone.
            tokio::time::sleep_until(moment.into()).await;
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        drop(self.wanted.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread for exact moments had died");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
fn now() -> Instant {
    Instant::now()
}

fn ring(coming: &Receiver<Wanted>) {
    let mut waiting: BTreeMap<(Instant, u64), oneshot::Sender<()>> = BTreeMap::new();
    let mut count = 0;
    loop {
        let next = waiting.first_key_value().map(|((moment, _), _)| *moment);
        let wanted = match next {
            Some(moment) => coming.recv_timeout(moment.saturating_duration_since(now())),
            None => coming.recv().map_err(RecvTimeoutError::from),
        };
        match wanted {
            Ok((moment, wake)) => {
                waiting.insert((moment, count), wake);
                count += 1;
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Whoever still waits is told so by the dropped senders.
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= now()) {
            // One that does not wait any more is not told.
            first.remove().send(()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken_and_nobody_before_their_moment() {
        let alarm = Alarm::start().unwrap();
        let start = now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let wait = async |ms: u64| {
            alarm.until(at(ms)).await;
            assert!(now() >= at(ms));
        };
        tokio::join!(wait(30), wait(5), wait(0), wait(15), wait(5));
    }

    #[tokio::test]
    async fn one_that_stopped_waiting_holds_nobody_up() {
        let alarm = Alarm::start().unwrap();
        let start = now();
        let impatient = alarm.until(start + Duration::from_secs(3600));
        assert!(tokio::time::timeout(Duration::from_millis(5), impatient).await.is_err());
        alarm.until(start + Duration::from_millis(10)).await;
        drop(alarm);
    }
}
