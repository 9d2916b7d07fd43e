//! Whether the bot is called at all: not while it has failed again and again, but for a probe now and then; and not once it
//! asked not to be called. Knows no bot, and calls nobody.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::domain::endpoint::Disabled;
use crate::domain::retry::Backoff;

/// After so many failures in a row nobody calls.
const MOST_FAILURES: u32 = 5;
/// After that it is probed, at first soon and then less and less often.
const PROBES: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(30) };

#[derive(Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    /// When it may be probed, once it is open.
    probe_at: Duration,
    probing: bool,
    /// Raised when it opens and with each probe: what was called before says nothing any more.
    generation: u64,
    disabled: Option<Disabled>,
}

/// What becomes of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// With that number the caller reports.
    Call(u64),
    /// Not before so much has elapsed.
    Wait(Duration),
    /// Never, until somebody says so.
    Disabled(String),
}

/// How it stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// The bot is called.
    Closed,
    /// It is not, but for a probe now and then.
    Open,
    /// It is being probed.
    Probing,
}

impl BreakerState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Probing => "probing",
        }
    }
}

impl Breaker {
    /// Asked before each call; where it says so, the caller calls, and reports.
    pub fn passage(&self, elapsed: Duration) -> Passage {
        let mut state = self.state();
        match &state.disabled {
            Some(disabled) => return Passage::Disabled(disabled.reason.clone()),
            None if state.failures < MOST_FAILURES => return Passage::Call(state.generation),
            None => {}
        }
        if state.probing {
            return Passage::Wait(PROBES.first);
        }
        match state.probe_at.checked_sub(elapsed) {
            Some(wait) if !wait.is_zero() => Passage::Wait(wait),
            _ => {
                state.probing = true;
                state.generation += 1;
                Passage::Call(state.generation)
            }
        }
    }

    /// It answered, whatever it said. Whether the breaker was open.
    pub fn succeeded(&self, call: u64) -> bool {
        let mut state = self.state();
        if call != state.generation {
            return false;
        }
        let was_open = state.failures >= MOST_FAILURES;
        (state.failures, state.probing) = (0, false);
        was_open
    }

    /// It failed. Whether that opened the breaker.
    pub fn failed(&self, call: u64, elapsed: Duration) -> bool {
        let mut state = self.state();
        if call != state.generation {
            return false;
        }
        state.failures = state.failures.saturating_add(1);
        state.probing = false;
        let over = state.failures.saturating_sub(MOST_FAILURES);
        state.probe_at = elapsed + PROBES.pause(over + 1, 1.0);
        let opens = state.failures == MOST_FAILURES;
        state.generation += u64::from(opens);
        opens
    }

    /// The caller never got to know: the next may probe.
    pub fn gave_up(&self, call: u64) {
        let mut state = self.state();
        if call == state.generation {
            state.probing = false;
        }
    }

    pub fn disable(&self, disabled: Option<Disabled>) {
        let mut state = self.state();
        state.disabled = disabled;
        state.generation += 1;
        (state.failures, state.probing) = (0, false);
    }

    pub fn look(&self) -> (BreakerState, Option<Disabled>) {
        let state = self.state();
        let stands = match (state.failures < MOST_FAILURES, state.probing) {
            (true, _) => BreakerState::Closed,
            (false, true) => BreakerState::Probing,
            (false, false) => BreakerState::Open,
        };
        (stands, state.disabled.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn call(passage: &Passage) -> u64 {
        let Passage::Call(call) = passage else { panic!("it is not called: {passage:?}") };
        *call
    }

    fn open() -> Breaker {
        let breaker = Breaker::default();
        let opened: Vec<bool> = (0..5).map(|_| breaker.failed(0, s(100))).collect();
        assert_eq!(opened, [false, false, false, false, true]);
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_any_answer_closes_it() {
        let breaker = open();
        assert_eq!(breaker.passage(s(101)), Passage::Wait(s(4)));
        let probe = call(&breaker.passage(s(105)));
        assert!(breaker.succeeded(probe));
        let next = call(&breaker.passage(s(105)));
        assert!(!breaker.succeeded(next));
    }

    #[test]
    fn what_was_called_before_it_opened_or_before_a_probe_changes_nothing() {
        let breaker = open();
        assert!(!breaker.succeeded(0), "it was called before that");
        assert_eq!(breaker.look().0, BreakerState::Open);
        let probe = call(&breaker.passage(s(105)));
        assert!(!breaker.failed(0, s(106)));
        breaker.gave_up(0);
        assert_eq!(breaker.look().0, BreakerState::Probing);
        breaker.failed(probe, s(106));
        assert_eq!(breaker.look().0, BreakerState::Open);
    }

    #[test]
    fn one_probe_at_a_time_goes_through() {
        let breaker = open();
        let probe = call(&breaker.passage(s(105)));
        assert_eq!(breaker.look().0, BreakerState::Probing);
        assert!(matches!(breaker.passage(s(200)), Passage::Wait(_)));
        breaker.gave_up(probe);
        call(&breaker.passage(s(200)));
    }

    #[test]
    fn probes_that_fail_come_less_and_less_often() {
        let breaker = open();
        let mut pauses = Vec::new();
        for hour in 1..=5 {
            let probe = call(&breaker.passage(s(hour * 3_600)));
            breaker.failed(probe, s(0));
            let Passage::Wait(pause) = breaker.passage(s(0)) else { panic!("it is open") };
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [10, 20, 30, 30, 30]);
    }

    #[test]
    fn one_that_is_disabled_is_not_even_probed() {
        let breaker = open();
        let reason = "it answered 410".to_owned();
        breaker.disable(Some(Disabled { at: Timestamp::from_millis(0), reason: reason.clone() }));
        assert_eq!(breaker.passage(s(9_999)), Passage::Disabled(reason));
        breaker.disable(None);
        call(&breaker.passage(s(0)));
    }
}
