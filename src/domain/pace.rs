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

/// Says when something may leave. Burst is 1: k segments leave when k intervals have gone by since what left before
/// them, so that no window of time ever holds more segments than the pace allows, plus the one text at its edge.
///
/// It is asked ([`Meter::due`]) before anything is taken, so that what waits for another, larger limit afterwards
/// has cost nothing yet; and told what left ([`Meter::depart`]).
#[derive(Debug)]
pub struct Meter {
    limiter: RateLimiter<NotKeyed, Tat, HandClock, NoOpMiddleware<Moment>>,
    tat: Tat,
    interval: Duration,
}

/// How much of a timer's lateness is caught up. No window ever holds more than what may leave in this time above its pace,
/// and never more than one segment.
pub const TIMER_SLACK: Duration = Duration::from_millis(2);
/// What leaves later than that after it was due did not wait for a timer, but was not there before.
const NOT_WAITING: Duration = Duration::from_millis(50);

impl Meter {
    /// `tat`: the moment before which not one segment may leave; what [`Meter::tat`] said last.
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

    /// Of a process that starts at `now`. It owes one segment, since nobody remembers what left just before: with a
    /// burst of one, nothing older counts.
    pub fn starting(pace: Pace, now: Moment) -> Self {
        Self::new(pace, now + pace.interval)
    }

    /// The same pace, of a process that starts at `now`.
    #[must_use]
    pub fn started_again(&self, now: Moment) -> Self {
        Self::starting(Pace { interval: self.interval }, now)
    }

    /// When `segments` may leave, asked at `now`: at once, or later. Takes nothing.
    pub fn due(&self, now: Moment, segments: u32) -> Moment {
        now.max(self.tat() + self.all_but_one(segments))
    }

    /// When `segments` may leave, not before `by`, after others that leave at those moments, or as soon as they may then.
    /// Takes nothing.
    pub fn due_after(
        &self,
        others: impl IntoIterator<Item = (Moment, u32)>,
        by: Moment,
        segments: u32,
    ) -> Moment {
        let mut tat = self.tat();
        for (at, segments) in others {
            tat = at.max(tat + self.all_but_one(segments)) + self.interval;
        }
        by.max(tat + self.all_but_one(segments))
    }

    /// Takes `segments` cells, one after the other, and returns when the last of them may leave: now, or later.
    pub fn reserve(&mut self, now: Moment, segments: u32) -> Moment {
        let clock = self.limiter.clock();
        clock.set(now.saturating_sub(self.all_but_one(segments)));
        for _ in 0..segments.max(1) {
            while let Err(too_early) = self.limiter.check() {
                clock.set(too_early.earliest_possible());
            }
        }
        clock.now()
    }

    /// `segments` left at `now`. The little that timers are late by is caught up, so that a busy meter keeps its
    /// rate: what follows is counted from when they were due. What was later than that puts off all that follows.
    pub fn depart(&mut self, segments: u32, now: Moment) {
        let due = self.due(Moment::ZERO, segments);
        let waited = now <= due + NOT_WAITING;
        let caught_up = if waited { TIMER_SLACK.min(self.interval) } else { Duration::ZERO };
        self.reserve(due.max(now.saturating_sub(caught_up)), segments);
    }

    /// The theoretical arrival time: the one moment that is this meter's whole state.
    pub fn tat(&self) -> Moment {
        Duration::from_nanos(self.tat.0.load(Ordering::Acquire))
    }

    pub fn interval(&self) -> Duration {
        self.interval
    }

    fn all_but_one(&self, segments: u32) -> Duration {
        self.interval.saturating_mul(segments.saturating_sub(1))
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

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_long_text_waits_for_its_last_segment_and_not_where_that_time_has_gone_by() {
        let mut meter = meter("1/s");
        meter.depart(1, secs(100));
        assert_eq!(meter.due(secs(101), 3), secs(103));
        assert_eq!(meter.due(secs(104), 3), secs(104));
        meter.depart(3, secs(104));
        assert_eq!(meter.due(secs(104), 1), secs(105));
    }

    #[test]
    fn what_is_asked_costs_nothing_and_what_is_reserved_does() {
        let mut meter = meter("1/s");
        meter.depart(1, secs(100));
        assert_eq!((meter.due(secs(100), 2), meter.due(secs(100), 2)), (secs(102), secs(102)));
        assert_eq!((meter.reserve(secs(100), 2), meter.reserve(secs(100), 2)), (secs(102), secs(104)));
    }

    #[test]
    fn a_start_owes_one_interval_whatever_left_before_it() {
        for pace in ["100/s", "1/s", "4/h"] {
            let pace: Pace = pace.parse().unwrap();
            let started = secs(7);
            for segments in 1..5 {
                // The last departure of the process before it was no later than this start.
                let due = Meter::starting(pace, started).due(started, segments);
                assert_eq!(due, started + pace.interval() * segments);
            }
        }
    }

    #[test]
    fn the_state_outlives_the_meter() {
        let mut first = meter("1/s");
        first.depart(2, secs(6));
        let mut second = Meter::new("1/s".parse().unwrap(), first.tat());
        assert_eq!(second.reserve(secs(6), 1), secs(7));
    }

    #[test]
    fn what_leaves_late_puts_off_what_follows() {
        let mut meter = meter("1/s");
        meter.depart(1, secs(10));
        assert_eq!(meter.due(secs(10), 1), secs(11));
        meter.depart(1, secs(12));
        assert_eq!(meter.due(secs(12), 1), secs(13));
    }

    #[test]
    fn what_a_timer_is_late_by_is_caught_up() {
        let mut meter = meter("100/s");
        let mut now = secs(1);
        for _ in 0..1000 {
            let planned = meter.due(now, 1);
            now = planned + Duration::from_micros(1_500);
            meter.depart(1, now);
        }
        assert_eq!(now, secs(11).checked_sub(Duration::from_millis(7)).unwrap());
    }

    #[test]
    fn a_fast_meter_catches_one_interval_up_and_no_more() {
        let mut meter = meter("1000/s");
        meter.depart(1, secs(1));
        for (late_us, next_ms) in [(900, 2), (3_000, 5), (20_000, 25), (60_000, 86)] {
            let due = meter.due(Moment::ZERO, 1);
            meter.depart(1, due + Duration::from_micros(late_us));
            let next = meter.due(Moment::ZERO, 1).checked_sub(secs(1)).unwrap();
            assert_eq!(next.as_millis(), next_ms, "{late_us} µs late");
        }
    }

    proptest! {
        /// However the texts come and however late they leave, the segments of any run of them but its first fit into
        /// the time that it took, but for the slack.
        #[test]
        fn no_window_holds_more_than_the_pace_and_one_text(
            texts in prop::collection::vec((0u64..3_000, 1u32..12, prop_oneof![Just(0), 0u64..5, 0u64..900]), 1..60),
        ) {
            let mut meter = meter("4/s");
            let mut now = Duration::ZERO;
            let mut left = Vec::new();
            for (idle_ms, segments, late_ms) in texts {
                let planned = meter.due(now + Duration::from_millis(idle_ms), segments);
                now = planned + Duration::from_millis(late_ms);
                meter.depart(segments, now);
                left.push((now, segments));
            }
            for first in 0..left.len() {
                let mut segments = 0;
                for &(moment, count) in &left[first + 1..] {
                    segments += count;
                    let window = moment.checked_sub(left[first].0).unwrap();
                    prop_assert!(window + TIMER_SLACK >= Duration::from_millis(250) * segments);
                }
            }
        }

        /// With work waiting, not one slot is left empty.
        #[test]
        fn a_busy_meter_wastes_nothing(segments in prop::collection::vec(1u32..5, 1..50)) {
            let mut meter = meter("10/s");
            let total: u32 = segments.iter().sum();
            let start = secs(1);
            let mut now = start;
            meter.depart(1, start);
            for count in segments {
                now = meter.due(now, count);
                meter.depart(count, now);
            }
            prop_assert_eq!(now, start + Duration::from_millis(100) * total);
        }
    }
}
