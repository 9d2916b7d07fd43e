//! What must hold for anything that a model answers. The body of a target in `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use super::answer::{self, Verdict};
use crate::bot::reading::fuzzing::{LIMITS, holds};

pub fn chat_completion(data: &[u8]) {
    match answer::parse(data, LIMITS) {
        Ok(Verdict::Answer(answer)) => {
            assert!(!answer.texts.is_empty() || answer.handoff.is_some(), "a customer would be left alone");
            holds(Ok(answer));
        }
        Ok(Verdict::UnknownTools { content, calls }) => {
            assert!(!calls.is_empty() && content.is_none_or(|content| !content.trim().is_empty()));
        }
        Err(refusal) => holds(Err(refusal)),
    }
}
