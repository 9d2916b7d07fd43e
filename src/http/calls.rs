//! How often a token may call. Each has its own allowance of a second, and one that runs dry is told when to come back.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::problem::{Kind, Problem};
use crate::gateway::Gateway;

type TokenHash = [u8; 32];
type Limiter<C> = RateLimiter<TokenHash, HashMapStateStore<TokenHash>, C, NoOpMiddleware<Duration>>;

/// Only tokens that are good are counted, so there are never more entries than tokens.
pub struct Calls {
    limiter: Option<Limiter<GatewayClock>>,
}

impl Calls {
    pub fn new(gateway: Arc<Gateway>, per_second: Option<NonZeroU32>) -> Self {
        let limiter = |rate| RateLimiter::hashmap_with_clock(Quota::per_second(rate), GatewayClock(gateway));
        Self { limiter: per_second.map(limiter) }
    }

    pub fn check(&self, token: TokenHash) -> Result<(), Problem> {
        match &self.limiter {
            Some(limiter) => allow(limiter, token),
            None => Ok(()),
        }
    }
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
