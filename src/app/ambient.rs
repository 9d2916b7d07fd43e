//! The real time and the real randomness. The one place that asks the machine for either.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;
use crate::gateway::ambient::{Clock, Entropy};

/// The machine's clocks.
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
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
