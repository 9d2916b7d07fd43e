//! What must hold for anything that Rasa answers. The body of a target in `fuzz/fuzz_targets`.

use super::answer;
use crate::bot::reading::fuzzing::{LIMITS, holds};

pub fn rasa_answer(data: &[u8]) {
    holds(answer::parse(data, LIMITS));
}
