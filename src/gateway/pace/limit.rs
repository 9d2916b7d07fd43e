//! A limit that several lanes share: what has left by it, and what is about to. Knows nothing of what leaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::pace::{Meter, Moment, Pace};

pub struct Limit {
    state: Mutex<State>,
}

struct State {
    /// What has left.
    left: Meter,
    /// The segments of what has been chosen to leave, by the moment and then in the order of choosing. Only what leaves
    /// within the lead: no more than `max_in_flight` of each lane.
    claims: BTreeMap<Place, u32>,
    claimed: u64,
}

type Place = (Moment, u64);

impl State {
    fn due(&self, by: Moment, segments: u32) -> Moment {
        let claims = self.claims.iter().map(|(&(at, _), &segments)| (at, segments));
        self.left.due_after(claims, by, segments)
    }
}

impl Limit {
    pub fn starting(pace: Pace, now: Moment) -> Self {
        let left = Meter::starting(pace, now);
        Self { state: Mutex::new(State { left, claims: BTreeMap::new(), claimed: 0 }) }
    }

    /// As if it had started at that moment.
    pub fn restart(&self, now: Moment) {
        let mut state = self.state();
        state.left = state.left.started_again(now);
    }

    /// When `segments` may leave, not before `by`, after all that is about to.
    pub fn due(&self, by: Moment, segments: u32) -> Moment {
        self.state().due(by, segments)
    }

    /// Claims the first departure of `segments` that is not before `by`.
    pub fn claim(self: &Arc<Self>, by: Moment, segments: u32) -> Claim {
        let mut state = self.state();
        let at = state.due(by, segments);
        self.take(&mut state, at, segments)
    }

    /// Claims the departure of `segments` at that moment, or else says when there is one.
    pub fn claim_at(self: &Arc<Self>, at: Moment, segments: u32) -> Result<Claim, Moment> {
        let mut state = self.state();
        match state.due(at, segments) {
            due if due > at => Err(due),
            due => Ok(self.take(&mut state, due, segments)),
        }
    }

    fn take(self: &Arc<Self>, state: &mut State, at: Moment, segments: u32) -> Claim {
        state.claimed += 1;
        let place = (at, state.claimed);
        state.claims.insert(place, segments);
        Claim { limit: Arc::clone(self), place, segments }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right of one text to leave at a moment. What is not used of it is given back: dropping it is enough.
pub struct Claim {
    limit: Arc<Limit>,
    place: Place,
    segments: u32,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.limit.state().claims.remove(&self.place);
    }
}

/// What one text has claimed of the limits that it shares with others.
#[derive(Default)]
pub struct Claims {
    /// Locked in this order: the account before the destination.
    all: Vec<Claim>,
}

impl Claims {
    pub fn new(account: Option<Claim>, destination: Option<Claim>) -> Self {
        Self { all: account.into_iter().chain(destination).collect() }
    }

    /// When it may leave: as was claimed, or later, if something else was late.
    pub fn due(&self, now: Moment) -> Moment {
        let due = |claim: &Claim| claim.limit.state().left.due(now, claim.segments).max(claim.place.0);
        self.all.iter().map(due).max().map_or(now, |due| due.max(now))
    }

    /// It leaves at `now`, and costs what it costs; or else nothing is taken of any limit, and it waits until then.
    pub fn depart(&mut self, now: Moment) -> Result<(), Moment> {
        let mut states: Vec<_> = self.all.iter().map(|claim| (claim, claim.limit.state())).collect();
        let due = states.iter().map(|(claim, state)| state.left.due(now, claim.segments)).max();
        if let Some(due) = due.filter(|due| *due > now) {
            return Err(due);
        }
        for (claim, state) in &mut states {
            state.left.depart(claim.segments, now);
            state.claims.remove(&claim.place);
        }
        drop(states);
        self.all.clear();
        Ok(())
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

    fn limit() -> Arc<Limit> {
        Arc::new(Limit::starting("1/s".parse().unwrap(), START))
    }

    #[test]
    fn a_claim_comes_after_all_others_and_is_one_texts() {
        let limit = limit();
        assert_eq!(limit.due(at(0), 1), at(1));
        let first = limit.claim(at(2), 2);
        assert_eq!((limit.due(at(0), 1), limit.due(at(0), 3)), (at(3), at(5)));
        let second = limit.claim(at(0), 1);
        assert_eq!((first.place.0, second.place.0), (at(2), at(3)));
        assert_eq!(limit.claim_at(at(3), 2).map(|claim| claim.place.0), Err(at(5)));
        assert_eq!(limit.claim_at(at(6), 2).map(|claim| claim.place.0), Ok(at(6)));
        assert_eq!(limit.due(at(0), 1), at(4), "it was given back");
    }

    #[test]
    fn what_is_not_used_is_given_back() {
        let limit = limit();
        let (first, second) = (limit.claim(at(1), 1), limit.claim(at(1), 4));
        assert_eq!(limit.due(at(1), 1), at(6));
        drop(second);
        assert_eq!(limit.due(at(1), 1), at(2));
        drop(first);
        assert_eq!(limit.due(at(1), 1), at(1));
    }

    #[test]
    fn nothing_is_taken_of_any_limit_before_all_let_it_leave() {
        let (account, destination) = (limit(), limit());
        let claim = |limit: &Arc<Limit>| limit.claim(at(1), 1);
        let mut one = Claims::new(Some(claim(&account)), Some(claim(&destination)));
        let mut other = Claims::new(None, Some(claim(&destination)));
        assert_eq!((one.due(at(0)), other.due(at(0))), (at(1), at(2)));
        assert_eq!(other.depart(at(1)), Ok(()));
        assert_eq!((one.depart(at(1)), one.due(at(1))), (Err(at(2)), at(2)));
        assert_eq!(account.due(at(1), 1), at(2), "its claim alone");
        assert_eq!(one.depart(at(2)), Ok(()));
        assert_eq!((account.due(at(2), 1), destination.due(at(2), 1)), (at(3), at(3)));
    }
}
