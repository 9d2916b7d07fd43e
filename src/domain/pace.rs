//! Pace: how many SMS segments may leave in how much time, by the generic cell rate algorithm (GCRA, ITU-T I.371)
//! of the `governor` crate. The state is one moment; time comes in as a value.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use serde::{Deserialize, Deserializer};

/// A rate in segments: `1/s`, `3.75/s`, `30/m`, `4000/h`, `200000/d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    interval: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no pace; write segments per second, minute, hour or day, such as \"1/s\", \"3.75/s\" or \"200000/d\""
)]
pub struct InvalidPace(String);

impl Pace {
    /// So many segments a second; none is taken for one.
    pub const fn per_second(segments: u16) -> Self {
        let segments = if segments == 0 { 1 } else { segments };
        Self { interval: Duration::from_nanos(1_000_000_000 / segments as u64) }
    }

    /// The time between two segments.
    pub fn interval(self) -> Duration {
        self.interval
    }
}

impl FromStr for Pace {
    type Err = InvalidPace;

    fn from_str(text: &str) -> Result<Self, InvalidPace> {
        let refuse = || InvalidPace(text.to_owned());
        let (count, unit) = text.split_once('/').ok_or_else(refuse)?;
        let count: f64 = count.trim().replace('_', "").parse().map_err(|_| refuse())?;
        let period = match unit.trim() {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(refuse()),
        };
        let seconds = period / count;
        if !count.is_finite() || count <= 0.0 || !(1e-6..=86_400.0).contains(&seconds) {
            return Err(refuse());
        }
        Ok(Self { interval: Duration::from_secs_f64(seconds) })
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}/s", 1.0 / self.interval.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Pace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A moment on the meter's own scale: the time since whatever epoch its owner counts from.
pub type Moment = Duration;

/// Hands out departure times. Burst is 1: a text of k segments waits until its last one may go, so that no window of
/// time ever holds more segments than the pace allows, plus that one text.
#[derive(Debug)]
pub struct Meter {
    limiter: RateLimiter<NotKeyed, Tat, HandClock, NoOpMiddleware<Moment>>,
    tat: Tat,
    interval: Duration,
}

/// How late a timer and a commit usually are. No window ever holds more than what may leave in this time above its pace.
const TIMER_SLACK: Duration = Duration::from_millis(5);

impl Meter {
    /// `tat`: the moment before which nothing may leave; what [`Meter::tat`] said last, or one interval after a start.
    pub fn new(pace: Pace, tat: Moment) -> Self {
        // A pace is never shorter than a microsecond, so the quota always exists; the fallback is the gentlest one.
        let quota = Quota::with_period(pace.interval).unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN));
        let tat = Tat(Arc::new(AtomicU64::new(nanos(tat))));
        Self {
            limiter: RateLimiter::new(quota, tat.clone(), HandClock::default()),
            tat,
            interval: pace.interval,
        }
    }

    /// Takes `segments` cells, one after the other, and returns when the last of them may leave: now, or later.
    pub fn reserve(&mut self, now: Moment, segments: u32) -> Moment {
        let clock = self.limiter.clock();
        clock.set(now);
        for _ in 0..segments.max(1) {
            while let Err(too_early) = self.limiter.check() {
                clock.set(too_early.earliest_possible());
            }
        }
        clock.now()
    }

    /// Something left at `now`. The next cell is an interval away from then at least, but for the little that timers are
    /// late by: that much is caught up, so that a busy meter keeps its rate.
    pub fn depart(&mut self, now: Moment) {
        let next = (now + self.interval).saturating_sub(TIMER_SLACK.min(self.interval));
        self.tat.0.fetch_max(nanos(next), Ordering::AcqRel);
    }

    /// The theoretical arrival time: the one moment that is this meter's whole state.
    pub fn tat(&self) -> Moment {
        Duration::from_nanos(self.tat.0.load(Ordering::Acquire))
    }
}

/// A clock that shows what it was set to.
#[derive(Debug, Default)]
struct HandClock(AtomicU64);

impl HandClock {
    fn set(&self, moment: Moment) {
        self.0.store(nanos(moment), Ordering::Release);
    }
}

impl Clock for HandClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Duration::from_nanos(self.0.load(Ordering::Acquire))
    }
}

/// The meter's state, where both the limiter and whoever wants to keep it can see it.
#[derive(Clone, Debug)]
struct Tat(Arc<AtomicU64>);

impl StateStore for Tat {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            let (answer, next) = decide(Some(Nanos::from(seen)))?;
            match self.0.compare_exchange_weak(seen, next.into(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(answer),
                Err(newer) => seen = newer,
            }
        }
    }
}

fn nanos(moment: Moment) -> u64 {
    u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meter(pace: &str) -> Meter {
        Meter::new(pace.parse().unwrap(), Duration::ZERO)
    }

    #[test]
    fn a_pace_reads_as_it_is_written() {
        for (text, millis) in
            [("1/s", 1000.0), ("4/s", 250.0), ("30/m", 2000.0), ("3600/h", 1000.0), ("86_400/d", 1000.0)]
        {
            let pace: Pace = text.parse().unwrap();
            assert!((pace.interval().as_secs_f64() * 1000.0 - millis).abs() < 1e-6, "{text}");
        }
        for text in ["", "1", "0/s", "-1/s", "1/y", "fast", "NaN/s", "inf/s", "99999999/s"] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_long_text_waits_for_its_last_segment() {
        let mut meter = meter("1/s");
        assert_eq!(meter.reserve(Duration::from_secs(100), 3), Duration::from_secs(102));
        assert_eq!(meter.reserve(Duration::from_secs(102), 1), Duration::from_secs(103));
    }

    #[test]
    fn the_state_outlives_the_meter() {
        let mut first = meter("1/s");
        first.reserve(Duration::from_secs(5), 2);
        let mut second = Meter::new("1/s".parse().unwrap(), first.tat());
        assert_eq!(second.reserve(Duration::from_secs(6), 1), Duration::from_secs(7));
    }

    #[test]
    fn what_leaves_late_puts_off_what_follows() {
        let mut meter = meter("1/s");
        assert_eq!(meter.reserve(Duration::from_secs(10), 1), Duration::from_secs(10));
        meter.depart(Duration::from_secs(12));
        let next = meter.reserve(Duration::from_secs(12), 1);
        assert!(next >= Duration::from_secs(13).checked_sub(TIMER_SLACK).unwrap(), "{next:?}");
        meter.depart(next);
        assert!(meter.reserve(next, 1) >= Duration::from_secs(14).checked_sub(TIMER_SLACK).unwrap());
    }

    proptest! {
        /// However the texts come, the segments of any run of them but its first fit into the time that it took.
        #[test]
        fn no_window_holds_more_than_the_pace_and_one_text(
            texts in prop::collection::vec((0u64..3_000, 1u32..12), 1..60),
        ) {
            let mut meter = meter("4/s");
            let mut now = Duration::ZERO;
            let mut left = Vec::new();
            for (idle_ms, segments) in texts {
                now += Duration::from_millis(idle_ms);
                now = meter.reserve(now, segments);
                left.push((now, segments));
            }
            for first in 0..left.len() {
                let mut segments = 0;
                for &(moment, count) in &left[first + 1..] {
                    segments += count;
                    prop_assert!(moment.checked_sub(left[first].0).unwrap() >= Duration::from_millis(250) * segments);
                }
            }
        }

        /// With work waiting, not one slot is left empty.
        #[test]
        fn a_busy_meter_wastes_nothing(segments in prop::collection::vec(1u32..5, 1..50)) {
            let mut meter = meter("10/s");
            let total: u32 = segments.iter().sum();
            let mut now = Duration::ZERO;
            for count in segments {
                now = meter.reserve(now, count);
            }
            prop_assert_eq!(now, Duration::from_millis(100) * (total - 1));
        }
    }
}
