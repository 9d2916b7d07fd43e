//! A number's own pace, between the one who writes texts' attempts down and the one who lets them leave.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::pace::{Meter, Moment, Pace};

/// What the number may send, and what is about to leave. Without a pace everything may leave at once.
pub(super) struct NumberPace {
    state: Mutex<State>,
}

struct State {
    meter: Option<Meter>,
    /// The segments of what is written down and has not left, in the order of leaving; never more than
    /// `max_in_flight` of it.
    waiting: VecDeque<u32>,
}

impl NumberPace {
    pub fn starting(pace: Option<Pace>, now: Moment) -> Self {
        let meter = pace.map(|pace| Meter::starting(pace, now));
        Self { state: Mutex::new(State { meter, waiting: VecDeque::new() }) }
    }

    /// When texts of so many segments each may leave, one after the other and after all that waits.
    pub fn plan(&self, now: Moment, texts: impl Iterator<Item = u32>) -> Vec<Moment> {
        let state = self.state();
        let Some(meter) = &state.meter else { return texts.map(|_| now).collect() };
        let mut last: Option<Moment> = None;
        let mut next = |segments: u32| {
            let due = match last {
                Some(last) => last + meter.interval().saturating_mul(segments.max(1)),
                None => meter.due(now, segments),
            };
            last = Some(due);
            due
        };
        state.waiting.iter().copied().map(&mut next).for_each(drop);
        texts.map(next).collect()
    }

    pub fn wait(&self, segments: u32) {
        self.state().waiting.push_back(segments);
    }

    /// When the first of what waits may leave.
    pub fn due(&self, now: Moment, segments: u32) -> Moment {
        self.state().meter.as_ref().map_or(now, |meter| meter.due(now, segments))
    }

    /// The first of what waits left at `now`.
    pub fn depart(&self, segments: u32, now: Moment) {
        let mut state = self.state();
        state.waiting.pop_front();
        if let Some(meter) = &mut state.meter {
            meter.depart(segments, now);
        }
    }

    /// The first of what waits does not leave after all.
    pub fn give_up(&self) {
        self.state().waiting.pop_front();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Moment = Duration::from_secs(100);

    fn at(seconds: u64) -> Moment {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn a_plan_comes_after_all_that_waits() {
        let pace = NumberPace::starting(Some("1/s".parse().unwrap()), START);
        assert_eq!(pace.plan(at(0), [1, 2, 1].into_iter()), [at(1), at(3), at(4)]);
        pace.wait(2);
        pace.wait(1);
        assert_eq!(pace.plan(at(0), [3].into_iter()), [at(6)]);
        pace.depart(2, at(2));
        assert_eq!(pace.plan(at(2), [3].into_iter()), [at(6)]);
        pace.give_up();
        assert_eq!(pace.plan(at(2), [3].into_iter()), [at(5)]);
    }

    #[test]
    fn without_a_pace_all_may_leave_now() {
        let pace = NumberPace::starting(None, START);
        pace.wait(9);
        assert_eq!(pace.plan(at(0), [1, 2].into_iter()), [at(0), at(0)]);
    }
}
