//! How often a token may call. Each has its own allowance of a second, and one that runs dry is told when to come back.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::problem::{Kind, Problem};
use crate::domain::pace::Pace;
use crate::gateway::Gateway;

type TokenHash = [u8; 32];
type Limiter<C> = RateLimiter<TokenHash, HashMapStateStore<TokenHash>, C, NoOpMiddleware<Duration>>;

/// Only tokens that are good are counted, so there are never more entries than tokens.
pub struct Calls {
    limiter: Option<Limiter<GatewayClock>>,
}

impl Calls {
    pub fn new(gateway: Arc<Gateway>, rate: Option<Pace>) -> Self {
        let quota = rate.and_then(quota);
        Self { limiter: quota.map(|quota| RateLimiter::hashmap_with_clock(quota, GatewayClock(gateway))) }
    }

    pub fn check(&self, token: TokenHash) -> Result<(), Problem> {
        match &self.limiter {
            Some(limiter) => allow(limiter, token),
            None => Ok(()),
        }
    }
}

/// One call each interval; what a second allows may also come at once.
fn quota(rate: Pace) -> Option<Quota> {
    let of_a_second = Duration::from_secs(1).div_duration_f64(rate.interval()).ceil().clamp(1.0, 1e6);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is clamped to 1 to a million"
    )]
    let burst = NonZeroU32::new(of_a_second as u32)?;
    Some(Quota::with_period(rate.interval())?.allow_burst(burst))
}

fn allow<C: Clock<Instant = Duration>>(limiter: &Limiter<C>, token: TokenHash) -> Result<(), Problem> {
    limiter.check_key(&token).map_err(|too_early| {
        let wait = too_early.wait_time_from(limiter.clock().now());
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Problem::new(Kind::TooManyCalls, "This token makes more calls than it may; see Retry-After.")
            .retry_after(seconds.max(1))
    })
}

/// The gateway's time, as governor reads it.
#[derive(Clone)]
struct GatewayClock(Arc<Gateway>);

impl Clock for GatewayClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Clone, Default)]
    struct Hand(Arc<AtomicU64>);

    impl Clock for Hand {
        type Instant = Duration;

        fn now(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn a_rate_below_one_a_second_is_kept() {
        let clock = Hand::default();
        let limiter = RateLimiter::hashmap_with_clock(quota("2/m".parse().unwrap()).unwrap(), clock.clone());
        assert!(allow(&limiter, [1; 32]).is_ok());
        clock.0.store(29_000, Ordering::Relaxed);
        assert!(allow(&limiter, [1; 32]).is_err());
        clock.0.store(30_000, Ordering::Relaxed);
        assert!(allow(&limiter, [1; 32]).is_ok());
    }

    #[test]
    fn each_token_has_its_own_allowance_and_gets_it_back() {
        let clock = Hand::default();
        let limiter =
            RateLimiter::hashmap_with_clock(Quota::per_second(NonZeroU32::new(2).unwrap()), clock.clone());
        let (one, two) = ([1; 32], [2; 32]);
        assert!(allow(&limiter, one).is_ok() && allow(&limiter, one).is_ok());
        assert_eq!(allow(&limiter, one).unwrap_err().kind(), Kind::TooManyCalls);
        assert!(allow(&limiter, two).is_ok());
        clock.0.store(500, Ordering::Relaxed);
        assert!(allow(&limiter, one).is_ok());
        assert!(allow(&limiter, one).is_err());
    }
}
