//! Chance, all of it from one number: the same seed draws the same lots. Each part of the world draws from a stream of
//! its own, so that one more draw here changes nothing there.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// SplitMix64 (Steele, Lea, Flood 2014): small, even, and good enough to choose what goes wrong.
pub struct Dice(Mutex<u64>);

impl Dice {
    /// The stream of that name, of that seed.
    pub fn new(seed: u64, stream: &str) -> Self {
        // FNV-1a: streams of one seed start far apart.
        let start = stream.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let dice = Self(Mutex::new(start ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        dice.next();
        dice
    }

    pub fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn between(&self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.next() % (range.end() - range.start() + 1)
    }

    /// True so many times in 10,000.
    pub fn chance(&self, in_ten_thousand: u32) -> bool {
        in_ten_thousand > 0 && self.next() % 10_000 < u64::from(in_ten_thousand)
    }

    pub fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        let index = usize::try_from(self.next() % from.len() as u64).unwrap();
        &from[index]
    }

    /// One of them, as often as its weight says.
    pub fn weighted<T: Copy>(&self, of: &[(u64, T)]) -> T {
        let mut drawn = self.next() % of.iter().map(|(weight, _)| weight).sum::<u64>();
        for (weight, item) in of {
            if drawn < *weight {
                return *item;
            }
            drawn -= weight;
        }
        unreachable!("the drawn number is below the sum of the weights")
    }
}
