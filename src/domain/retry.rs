//! When something is tried again. Jitter comes in as a value.

use std::time::Duration;

use jiff::fmt::rfc2822;

/// Exponential back-off: `first`, doubled each time, never more than `most`, spread by up to half of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub most: Duration,
}

impl Backoff {
    /// The pause after the `tries`-th failure (from 1). `jitter` lies in 0 to 1: 0 is half the pause, 1 the whole of it.
    pub fn pause(&self, tries: u32, jitter: f64) -> Duration {
        let doublings = tries.saturating_sub(1).min(30);
        let whole = self.first.saturating_mul(1 << doublings).min(self.most);
        whole.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
    }
}

/// What `Retry-After` asks for, in seconds: a number, or a date (RFC 9110, 10.2.3). A date is measured by the answer's own
/// `Date`, since the other's clock need not be ours.
pub fn asked_for_s(retry_after: &str, date: Option<&str>) -> Option<u64> {
    if let Ok(seconds) = retry_after.trim().parse() {
        return Some(seconds);
    }
    let moment = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp().as_second());
    let seconds = moment(retry_after)?.saturating_sub(moment(date?)?);
    Some(u64::try_from(seconds).unwrap_or(0))
}

/// How often, and after what pauses, the bot is asked again: somebody is waiting for its answer.
pub const BOT_PAUSES: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30), Duration::from_secs(120)];

/// The pause before the bot is asked again after its `tries`-th failure (from 1); none when it is enough.
pub fn bot_pause(tries: u32) -> Option<Duration> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    BOT_PAUSES.get(index).copied()
}

/// How long after an unknown send the provider is asked for it: growing, and never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks(Vec<Duration>);

/// The pauses do not grow, or there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write at least one pause, each longer than the one before it")]
pub struct InvalidLooks;

impl Looks {
    pub fn new(after: Vec<Duration>) -> Result<Self, InvalidLooks> {
        if after.is_empty() || !after.is_sorted_by(|one, next| one < next) {
            Err(InvalidLooks)
        } else {
            Ok(Self(after))
        }
    }

    /// How long after the send the first look is.
    pub fn first(&self) -> Duration {
        self.0[0]
    }

    /// How long after the send the next look is, so much later than the send; none if the last one was due by then.
    pub fn next(&self, later: Duration) -> Option<Duration> {
        self.0.iter().copied().find(|after| *after > later)
    }

    /// How long after the look of that number (from 1) the next one is; none after the last.
    pub fn pause_after(&self, looks: u32) -> Option<Duration> {
        let made = usize::try_from(looks).ok()?;
        let before =
            made.checked_sub(1).map_or(Duration::ZERO, |last| self.0.get(last).copied().unwrap_or_default());
        self.0.get(made).map(|next| next.saturating_sub(before))
    }

    /// The longest time after a send that it is looked for.
    pub fn last(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

impl Default for Looks {
    fn default() -> Self {
        Self([2, 10, 30, 90].map(Duration::from_secs).to_vec())
    }
}

/// How often the provider is asked about a text of which it says nothing final. After that it stays `sent`.
pub const MOST_ASKS: u8 = 4;

/// When the provider is asked about a text that it has taken and said nothing final of: so long after it took it, and then
/// less and less often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks(Vec<Duration>);

impl Asks {
    const LATER: [Duration; 3] =
        [Duration::from_secs(3_600), Duration::from_secs(6 * 3_600), Duration::from_secs(24 * 3_600)];

    /// None: never.
    pub fn new(first: Option<Duration>) -> Self {
        let later = |first| Self::LATER.into_iter().filter(move |later| *later > first);
        Self(first.into_iter().flat_map(|first| std::iter::once(first).chain(later(first))).collect())
    }

    /// How many asks come before each, and when it is due.
    pub fn steps(&self) -> impl Iterator<Item = (u8, Duration)> + '_ {
        (0..MOST_ASKS).zip(self.0.iter().copied())
    }

    /// How many are over, so much later; all that there can be, if none is left.
    pub fn over(&self, later: Duration) -> u8 {
        self.steps().find(|(_, after)| *after > later).map_or(MOST_ASKS, |(before, _)| before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_longest_nor_shorter_than_half_the_first(tries in 0u32..200, jitter in 0.0f64..=1.0) {
            let pause = BACKOFF.pause(tries, jitter);
            prop_assert!(pause >= Duration::from_millis(500));
            prop_assert!(pause <= Duration::from_secs(60));
        }

        #[test]
        fn pauses_grow(tries in 1u32..40, jitter in 0.0f64..=1.0) {
            prop_assert!(BACKOFF.pause(tries + 1, jitter) >= BACKOFF.pause(tries, jitter));
        }
    }

    #[test]
    fn the_bot_is_asked_five_times_in_all() {
        assert_eq!(bot_pause(1), Some(Duration::from_secs(2)));
        assert_eq!(bot_pause(4), Some(Duration::from_secs(120)));
        assert_eq!(bot_pause(5), None);
    }

    #[test]
    fn looks_grow_and_end() {
        let looks = Looks::default();
        assert_eq!(looks.first(), Duration::from_secs(2));
        let times: Vec<_> =
            std::iter::successors(looks.next(Duration::ZERO), |after| looks.next(*after)).collect();
        assert_eq!(times, [2, 10, 30, 90].map(Duration::from_secs));
        assert_eq!(looks.next(Duration::from_secs(11)), Some(Duration::from_secs(30)));
        assert_eq!(looks.last(), Duration::from_secs(90));
        let pauses: Vec<_> = (0..6).map_while(|made| looks.pause_after(made)).collect();
        assert_eq!(pauses, [2, 8, 20, 60].map(Duration::from_secs));
        assert_eq!(Looks::new(Vec::new()), Err(InvalidLooks));
        assert_eq!(Looks::new(vec![Duration::from_secs(2); 2]), Err(InvalidLooks));
    }

    #[test]
    fn a_silent_text_is_asked_about_less_and_less_often_and_then_no_more() {
        let minutes = |first: u64| {
            let asks = Asks::new(Some(Duration::from_secs(first * 60)));
            asks.steps().map(|(_, after)| after.as_secs() / 60).collect::<Vec<_>>()
        };
        assert_eq!(minutes(15), [15, 60, 360, 1440]);
        assert_eq!(minutes(120), [120, 360, 1440]);
        assert_eq!(minutes(5000), [5000]);
        assert_eq!(Asks::new(None).steps().count(), 0);
        let asks = Asks::new(Some(Duration::from_secs(900)));
        let over = [0, 899, 900, 3_600, 90_000].map(|later| asks.over(Duration::from_secs(later)));
        assert_eq!(over, [0, 0, 1, 2, MOST_ASKS]);
    }
}
