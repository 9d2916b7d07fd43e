//! What the answers of all bots have in common: how JSON is read, and what one answer may hold. Refuses in words that help
//! the bot's author and never quote: they stand in logs.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::domain::conversation::{AnswerText, check_content};

#[cfg(any(fuzzing, test))]
pub mod fuzzing;

/// The longest reason for a hand-off, its note included, in characters.
pub const MAX_REASON_CHARS: usize = 1000;
/// The reason of a hand-off that gave none.
pub const ASKED: &str = "the bot asked for a human";

/// What one answer may hold.
#[derive(Clone, Copy, Debug)]
pub struct AnswerLimits {
    pub max_texts: usize,
    /// Of each text, in UTF-16 units.
    pub max_content_units: usize,
}

impl AnswerLimits {
    /// `what`: where the texts stand in the answer.
    pub(super) fn check_count(self, what: &str, count: usize) -> Result<(), String> {
        if count > self.max_texts {
            return Err(format!("{what} has {count} entries; at most {} are taken", self.max_texts));
        }
        Ok(())
    }

    /// A text that leaves at once. `place`: where it stands in the answer.
    pub(super) fn text(self, place: &str, content: String) -> Result<AnswerText, String> {
        check_content(&content, self.max_content_units).map_err(|wrong| format!("{place} {wrong}"))?;
        Ok(AnswerText { content, delay: Duration::ZERO, valid_for: None })
    }
}

/// Why a human is asked for, for the agents to read.
pub fn reason(reason: Option<String>, note: Option<String>) -> Result<String, String> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let reason = match (given(reason), given(note)) {
        (Some(reason), Some(note)) => format!("{reason}: {note}"),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => ASKED.to_owned(),
    };
    match reason.chars().count() {
        chars if chars > MAX_REASON_CHARS => Err(format!(
            "handoff has {chars} characters of reason and note; at most {MAX_REASON_CHARS} are kept"
        )),
        _ => Ok(reason),
    }
}

/// Reads a body that is one JSON value.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| unreadable(&error))?;
    json.end().map_err(|_| "the answer goes on after its JSON".to_owned())?;
    Ok(read)
}

/// Names where it goes wrong. serde's own words would quote the value, which may be a customer's.
fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let inner = error.inner();
    match inner.classify() {
        serde_json::error::Category::Data => {
            let path = error.path().to_string();
            let place = if path == "." { "its top" } else { &path };
            format!("a field of the answer is missing or of the wrong type, at {place}")
        }
        _ => format!("the answer is not JSON (line {}, column {})", inner.line(), inner.column()),
    }
}
