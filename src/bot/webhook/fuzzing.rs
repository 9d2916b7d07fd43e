//! What must hold for anything that a bot answers. The body of a target in `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use super::answer::{self, AnswerLimits};
use crate::domain::segments::utf16_units;

const LIMITS: AnswerLimits = AnswerLimits { max_texts: 10, max_content_units: 1600 };
/// A reason names a place, and never quotes: it stands in logs.
const LONGEST_REASON: usize = 300;

pub fn bot_answer(data: &[u8]) {
    match answer::parse(data, LIMITS) {
        Ok(answer) => {
            assert!(answer.texts.len() <= LIMITS.max_texts, "more texts than allowed");
            for text in &answer.texts {
                let units = utf16_units(&text.content);
                assert!(units <= LIMITS.max_content_units && !text.content.trim().is_empty());
                assert!(text.delay.as_secs() <= 3600, "held back for too long");
            }
        }
        Err(reason) => {
            assert!(
                !reason.is_empty() && reason.len() <= LONGEST_REASON,
                "a reason of {} bytes",
                reason.len()
            );
        }
    }
}
