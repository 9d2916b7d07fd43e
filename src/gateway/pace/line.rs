//! When texts that wait for a full destination are looked at again. It is a guess, and never a far one: those before
//! them may be withdrawn, and agents' may come.

use std::time::Duration;

use crate::domain::pace::{Meter, Moment, Pace};

/// Texts whose turn is likely to come within this time are looked at again then.
const NEAR: Duration = Duration::from_secs(4);
/// Of the others so many are looked at again in a second: each look is a write.
const LOOKS_PER_SECOND: u16 = 250;
/// They are looked at together, so that the writes share commits.
const TOGETHER: Duration = Duration::from_millis(500);

/// The texts of one priority that were put off.
pub(super) struct Line {
    /// By the destination's own pace.
    near: Meter,
    far: Meter,
}

impl Line {
    pub fn starting(pace: Pace, now: Moment) -> Self {
        let looks = Pace::per_second(LOOKS_PER_SECOND);
        // A faster destination must not wait for the looks.
        let looks = if pace.interval() < looks.interval() { pace } else { looks };
        Self { near: Meter::starting(pace, now), far: Meter::new(looks, now) }
    }

    /// When a text is looked at again for which the destination has room from `open` on, and others wait before it.
    pub fn put_off(&mut self, now: Moment, open: Moment, segments: u32) -> Moment {
        if self.near.due(open, segments) <= now + NEAR {
            return self.near.reserve(open, segments);
        }
        round_up(self.far.reserve(now + NEAR, 1))
    }
}

fn round_up(moment: Moment) -> Moment {
    let parts = moment.as_nanos().div_ceil(TOGETHER.as_nanos());
    TOGETHER.saturating_mul(u32::try_from(parts).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Duration::from_secs(100);

    fn line(pace: &str) -> Line {
        Line::starting(pace.parse().unwrap(), START)
    }

    #[test]
    fn those_whose_turn_comes_soon_have_a_moment_each_and_the_others_are_looked_at_after_a_while() {
        let mut line = line("2/s");
        let again: Vec<_> = (0..1_000).map(|_| line.put_off(START, START, 1)).collect();
        assert_eq!(
            again[..8],
            [1, 2, 3, 4, 5, 6, 7, 8].map(|turn| START + Duration::from_millis(500) * turn)
        );
        let far = &again[8..];
        assert!(far.iter().all(|again| *again >= START + NEAR && *again <= START + NEAR * 2 + TOGETHER));
        assert!(far.is_sorted() && far.iter().collect::<std::collections::BTreeSet<_>>().len() <= 10);
    }

    #[test]
    fn a_line_that_was_left_is_as_good_as_new_after_a_few_seconds() {
        let mut line = line("1/s");
        for _ in 0..1_000 {
            line.put_off(START, START, 1);
        }
        let later = START + NEAR;
        assert_eq!(line.put_off(later, later + Duration::from_secs(1), 1), later + Duration::from_secs(1));
    }

    #[test]
    fn a_destination_that_is_slower_than_that_is_asked_again_all_the_same() {
        let mut line = line("4/h");
        let again = line.put_off(START, START + Duration::from_secs(900), 1);
        assert!((NEAR..NEAR + TOGETHER).contains(&again.saturating_sub(START)));
    }
}
