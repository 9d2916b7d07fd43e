//! The real time and the real randomness. The one place that asks the machine for either.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::alarm::Alarm;
use crate::domain::time::Timestamp;
use crate::gateway::ambient::{Clock, Entropy};

/// The machine's clocks.
pub struct SystemClock {
    started: Duration,
    /// None where no thread can be had: then moments are kept to the millisecond or two.
    alarm: Option<Alarm>,
}

/// So long before a moment the runtime's timers are let go, which count in milliseconds and round up.
const COARSE: Duration = Duration::from_millis(3);

impl SystemClock {
    pub fn start() -> Self {
        let alarm = Alarm::start().inspect_err(|error| {
            tracing::warn!(%error, "there is no thread for exact moments; texts leave up to two milliseconds late");
        });
        Self { started: uptime(), alarm: alarm.ok() }
    }
}

/// How long the machine has been up, also while it slept: what others do of ours meanwhile they do as if we were gone.
fn uptime() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = rustix::time::ClockId::Boottime;
    // Where there is no such clock, this one counts on in sleep.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = rustix::time::ClockId::Monotonic;
    Duration::try_from(rustix::time::clock_gettime(clock)).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
fn soon(pause: Duration) -> Instant {
    Instant::now() + pause
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn elapsed(&self) -> Duration {
        uptime().saturating_sub(self.started)
    }

    async fn at(&self, elapsed: Duration) {
        let pause = elapsed.saturating_sub(self.elapsed());
        let Some(alarm) = &self.alarm else { return tokio::time::sleep(pause).await };
        if pause > COARSE {
            tokio::time::sleep(pause.saturating_sub(COARSE)).await;
        }
        alarm.until(soon(elapsed.saturating_sub(self.elapsed()))).await;
    }
}

/// The operating system's randomness.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    /// If the operating system has no randomness to give: nothing that needs a secret may go on then.
    #[expect(clippy::expect_used, reason = "without randomness, tokens and ids would be guessable")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has no randomness to give");
    }
}
