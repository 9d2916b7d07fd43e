//! Time and entropy. True time is tokio's paused clock and goes on through all lives of the gateway; each life sees it
//! through a clock of its own, with a new epoch, and perhaps a wrong time of day.

use std::sync::Arc;
use std::time::Duration;

use switchboard::domain::time::Timestamp;
use switchboard::gateway::ambient::{Clock, Entropy};
use tokio::time::Instant;

use crate::chance::Dice;

/// True time, from the beginning of the schedule.
pub struct Time(Instant);

impl Time {
    #[expect(clippy::disallowed_methods, reason = "the simulation's clock is tokio's, which stands still")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).after(self.elapsed())
    }
}

/// The clock of one life.
pub struct LifeClock {
    pub time: Arc<Time>,
    pub born: Duration,
    /// How far its time of day is ahead of the true one.
    pub ahead_ms: i64,
}

impl Clock for LifeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.time.now().as_millis() + self.ahead_ms)
    }

    fn elapsed(&self) -> Duration {
        self.time.elapsed().saturating_sub(self.born)
    }
}

pub struct LifeEntropy(pub Dice);

impl Entropy for LifeEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.0.next().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}
