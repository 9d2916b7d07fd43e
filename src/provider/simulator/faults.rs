//! Owns the misbehaviour: which faults there are, how often they strike, and the dice. Carries none of them out.
//!
//! At most one fault strikes a send, and at most one a receipt. The dice come from the seed alone: the same seed
//! and the same sends give the same faults, whatever the timing. What is queued in `next_…` comes before the dice.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// What can happen to a request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendFault {
    /// 429 with code 20429 and `Retry-After`; not taken.
    Throttled,
    /// 503 with code 20503; not taken.
    ErrorNotTaken,
    /// Taken, and answered with a bare 500.
    ErrorTaken,
    /// The connection closes without an answer; not taken.
    DroppedBefore,
    /// Taken; the connection closes without an answer.
    DroppedAfter,
    /// Taken; the answer comes `slow_ms` late.
    Slow,
    /// Taken; the receipts up to `sent` are delivered before the answer.
    ReceiptFirst,
    /// Nothing: a place holder in `next_sends`.
    #[serde(rename = "none")]
    Nothing,
}

/// What can happen to a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptFault {
    /// It never comes.
    Lost,
    /// It comes twice, with the same idempotency token.
    Repeated,
    /// It comes after the next one of the same text. The last one cannot.
    Reordered,
    /// It comes `late_ms` late.
    Late,
    /// Nothing: a place holder in `next_receipts`.
    #[serde(rename = "none")]
    Nothing,
}

/// All of it, as it is configured, read and set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The chance of each fault of a send, 0 to 1.
    pub sends: BTreeMap<SendFault, f64>,
    /// The chance of each fault of a receipt, 0 to 1.
    pub receipts: BTreeMap<ReceiptFault, f64>,
    /// The chance that the webhook of a customer's text is never called: the text is in the list all the same.
    pub webhooks_lost: f64,
    /// The chance that a request to read (list, fetch) is answered with 503.
    pub reads_failed: f64,
    /// What strikes the next sends, in this order, whatever the chances say.
    pub next_sends: VecDeque<SendFault>,
    /// What strikes the next receipts, in this order, whatever the chances say.
    pub next_receipts: VecDeque<ReceiptFault>,
    pub retry_after_s: u64,
    pub slow_ms: u64,
    pub late_ms: u64,
    /// How long a new text is missing from the list.
    pub list_lag_ms: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            sends: BTreeMap::new(),
            receipts: BTreeMap::new(),
            webhooks_lost: 0.0,
            reads_failed: 0.0,
            next_sends: VecDeque::new(),
            next_receipts: VecDeque::new(),
            retry_after_s: 1,
            slow_ms: 5_000,
            late_ms: 5_000,
            list_lag_ms: 0,
        }
    }
}

impl Faults {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// In words, for whoever wrote it: the JSON's fault, or a chance that is none.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let faults: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        faults.check().map(|()| faults)
    }

    /// Whether every chance is one, and those of one kind leave room for each other.
    ///
    /// # Errors
    /// In words: which is not.
    pub fn check(&self) -> Result<(), String> {
        check_chances("sends", self.sends.values())?;
        check_chances("receipts", self.receipts.values())?;
        check_chances("webhooks_lost", std::iter::once(&self.webhooks_lost))?;
        check_chances("reads_failed", std::iter::once(&self.reads_failed))
    }

    pub(super) fn draw_send(&mut self, dice: &mut Dice) -> SendFault {
        // Thrown even where the queue decides, so that a one-shot fault does not shift the later ones.
        let thrown = pick(dice.chance(), &self.sends);
        self.next_sends.pop_front().or(thrown).unwrap_or(SendFault::Nothing)
    }

    pub(super) fn draw_receipt(&mut self, dice: &mut Dice) -> ReceiptFault {
        let thrown = pick(dice.chance(), &self.receipts);
        self.next_receipts.pop_front().or(thrown).unwrap_or(ReceiptFault::Nothing)
    }

    pub(super) fn draw_webhook_lost(&self, dice: &mut Dice) -> bool {
        dice.chance() < self.webhooks_lost
    }

    pub(super) fn draw_read_failed(&self, dice: &mut Dice) -> bool {
        dice.chance() < self.reads_failed
    }
}

fn check_chances<'a>(name: &str, chances: impl Iterator<Item = &'a f64>) -> Result<(), String> {
    let mut sum = 0.0;
    for chance in chances {
        if !(0.0..=1.0).contains(chance) {
            return Err(format!("{name}: {chance} is no chance; write a number from 0 to 1"));
        }
        sum += chance;
    }
    // Ten times a tenth is a little more than one.
    if sum > 1.0 + 1e-9 {
        return Err(format!("{name}: the chances add up to {sum}; at most one fault strikes, so at most 1"));
    }
    Ok(())
}

fn pick<T: Copy>(thrown: f64, chances: &BTreeMap<T, f64>) -> Option<T> {
    let mut below = 0.0;
    chances.iter().find_map(|(fault, chance)| {
        below += chance;
        (thrown < below).then_some(*fault)
    })
}

/// A seeded generator (SplitMix64): enough for dice and ids, and not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream number `stream` of `seed`.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self(seed);
        let base = mixed.next();
        Self(base ^ stream.wrapping_mul(0xd605_bbb5_8c8a_bbfd))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// At least 0, below 1.
    fn chance(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed() -> Faults {
        Faults::from_json(br#"{"sends": {"throttled": 0.2, "dropped_after": 0.2, "slow": 0.1}}"#).unwrap()
    }

    fn drawn(seed: u64) -> Vec<SendFault> {
        let (mut faults, mut dice) = (mixed(), Dice::new(seed, 1));
        (0..500).map(|_| faults.draw_send(&mut dice)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn a_chance_is_struck_about_as_often_as_it_says() {
        let struck = drawn(3).into_iter().filter(|fault| *fault == SendFault::Throttled).count();
        assert!((60..=140).contains(&struck), "{struck} of 500 at 0.2");
    }

    #[test]
    fn what_is_queued_comes_first_and_does_not_shift_the_dice() {
        let plain = drawn(5);
        let (mut faults, mut dice) = (mixed(), Dice::new(5, 1));
        faults.next_sends.extend([SendFault::ErrorTaken, SendFault::Nothing]);
        let queued: Vec<_> = (0..500).map(|_| faults.draw_send(&mut dice)).collect();
        assert_eq!(queued[..2], [SendFault::ErrorTaken, SendFault::Nothing]);
        assert_eq!(queued[2..], plain[2..]);
    }

    #[test]
    fn chances_that_are_none_or_too_many_are_refused_in_words() {
        let refused = |json: &str| Faults::from_json(json.as_bytes()).unwrap_err();
        assert!(refused(r#"{"sends": {"slow": 1.5}}"#).contains("1.5 is no chance"));
        assert!(refused(r#"{"receipts": {"lost": 0.6, "late": 0.6}}"#).contains("add up"));
        assert!(refused(r#"{"sends": {"sloww": 0.5}}"#).contains("sloww"));
        assert!(refused("{").contains("EOF"));
    }

    #[test]
    fn faults_read_back_as_they_are_written() {
        let mut faults = mixed();
        faults.next_receipts.extend([ReceiptFault::Nothing, ReceiptFault::Late]);
        let json = serde_json::to_vec(&faults).unwrap();
        assert_eq!(Faults::from_json(&json).unwrap(), faults);
    }
}
