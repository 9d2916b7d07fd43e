//! What must hold for the answer of any bot, whichever adapter has read it.

use super::{AnswerLimits, MAX_REASON_CHARS};
use crate::domain::conversation::Answer;
use crate::domain::segments::utf16_units;

pub const LIMITS: AnswerLimits = AnswerLimits { max_texts: 10, max_content_units: 1600 };
/// Why an answer is refused names a place, and never quotes: it stands in logs.
const LONGEST_REFUSAL: usize = 300;

pub fn holds(read: Result<Answer, String>) {
    match read {
        Ok(answer) => {
            assert!(answer.texts.len() <= LIMITS.max_texts, "more texts than allowed");
            for text in &answer.texts {
                let units = utf16_units(&text.content);
                assert!(units <= LIMITS.max_content_units && !text.content.trim().is_empty());
                assert!(text.delay.as_secs() <= 3600, "held back for too long");
            }
            if let Some(reason) = answer.handoff {
                assert!(!reason.trim().is_empty() && reason.chars().count() <= MAX_REASON_CHARS);
            }
        }
        Err(refusal) => {
            let bytes = refusal.len();
            assert!((1..=LONGEST_REFUSAL).contains(&bytes), "a refusal of {bytes} bytes");
        }
    }
}
