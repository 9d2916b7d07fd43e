//! What comes from outside the program: the time and randomness. `app` brings the real ones; tests bring their own.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::time::Timestamp;

/// The time.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// The time since some fixed moment of this process; never jumps. What pace is measured by.
    fn elapsed(&self) -> Duration;
    /// Returns when so much has elapsed: for what has to happen then, and not a millisecond later.
    async fn at(&self, elapsed: Duration) {
        let pause = elapsed.saturating_sub(self.elapsed());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Randomness good enough for secrets.
pub trait Entropy: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);

    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        bytes
    }

    /// Evenly between 0 and 1.
    fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }

    /// Six decimal digits, each number as likely as any other.
    fn six_digits(&self) -> String {
        loop {
            let mut bytes = [0; 4];
            self.fill(&mut bytes);
            let number = u32::from_le_bytes(bytes);
            // 4,294,000,000 is the largest multiple of a million in 32 bits: above it some numbers would come oftener.
            if number < 4_294_000_000 {
                return format!("{:06}", number % 1_000_000);
            }
        }
    }
}
