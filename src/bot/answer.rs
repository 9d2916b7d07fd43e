//! The bot's answer: reads what came back and refuses what breaks a rule, in words that help the bot's author.
//! Must not send anything, and never takes half of an answer.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::reading::{self, AnswerLimits};
use crate::domain::conversation::{Answer, AnswerText, check_bot_state, check_labels};
use crate::domain::delivery::LONGEST_VALID_FOR;

/// The longest that a bot may keep one of its texts back.
const MAX_DELAY_MS: u64 = 60 * 60 * 1000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireAnswer {
    messages: Option<Vec<WireText>>,
    handoff: Option<WireHandoff>,
    session: Option<WireSession>,
}

#[derive(Debug, Deserialize)]
struct WireText {
    content: String,
    content_type: Option<String>,
    delay_ms: Option<u64>,
    valid_for_s: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct WireHandoff {
    needed: bool,
    reason: Option<String>,
    note: Option<String>,
}

/// `null` leaves a field as it is; `{}`, `[]` clear it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireSession {
    tags: Option<Vec<String>>,
    topics: Option<Vec<String>>,
    state: Option<Value>,
}

/// Reads the body of a `200`. Nothing at all is an empty answer; unknown fields are passed over.
pub fn parse(body: &[u8], limits: AnswerLimits) -> Result<Answer, String> {
    if body.trim_ascii().is_empty() {
        return Ok(Answer::default());
    }
    let wire: WireAnswer = reading::json(body)?;
    // A list would be read as the fields in their order, and an empty one as nothing said.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err("the answer is a list; write an object, such as {\"messages\": […]}".into());
    }
    let texts = texts(wire.messages.unwrap_or_default(), limits)?;
    let handoff = wire.handoff.filter(|handoff| handoff.needed);
    let handoff = handoff.map(|handoff| reading::reason(handoff.reason, handoff.note)).transpose()?;
    let session = wire.session.unwrap_or_default();
    let labels = [("session.tags", &session.tags), ("session.topics", &session.topics)];
    for (name, list) in labels.into_iter().filter_map(|(name, list)| Some((name, list.as_ref()?))) {
        check_labels(list).map_err(|wrong| format!("{name} {wrong}"))?;
    }
    let state = session.state.map(|state| state.to_string());
    if let Some(state) = &state {
        check_bot_state(state).map_err(|wrong| format!("session.state {wrong}"))?;
    }
    Ok(Answer { texts, handoff, tags: session.tags, topics: session.topics, state })
}

fn texts(wire: Vec<WireText>, limits: AnswerLimits) -> Result<Vec<AnswerText>, String> {
    limits.check_count("messages", wire.len())?;
    wire.into_iter().enumerate().map(|(index, text)| answer_text(index, text, limits)).collect()
}

fn answer_text(index: usize, text: WireText, limits: AnswerLimits) -> Result<AnswerText, String> {
    if text.content_type.as_deref().is_some_and(|kind| kind != "text") {
        return Err(format!("messages[{index}].content_type is not \"text\", the only one there is"));
    }
    let said = limits.text(&format!("messages[{index}].content"), text.content)?;
    let delay_ms = text.delay_ms.unwrap_or(0);
    if delay_ms > MAX_DELAY_MS {
        return Err(format!("messages[{index}].delay_ms is {delay_ms}; at most {MAX_DELAY_MS} is taken"));
    }
    let longest = LONGEST_VALID_FOR.as_secs();
    if let Some(seconds) = text.valid_for_s.filter(|seconds| !(1..=longest).contains(seconds)) {
        return Err(format!("messages[{index}].valid_for_s is {seconds}; 1 to {longest} are taken"));
    }
    let valid_for = text.valid_for_s.map(Duration::from_secs);
    Ok(AnswerText { delay: Duration::from_millis(delay_ms), valid_for, ..said })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AnswerLimits = AnswerLimits { max_texts: 10, max_content_units: 1600 };

    fn parsed(body: &str) -> Result<Answer, String> {
        parse(body.as_bytes(), LIMITS)
    }

    fn refusal(body: &str) -> String {
        parsed(body).unwrap_err()
    }

    #[test]
    fn everything_in_an_answer_is_optional() {
        for body in
            ["", "  \n", "{}", r#"{"messages":null}"#, r#"{"handoff":{"needed":false}}"#, r#"{"new":1}"#]
        {
            assert!(parsed(body).unwrap().is_empty(), "{body}");
        }
    }

    #[test]
    fn texts_keep_their_order_and_delay() {
        let answer = parsed(
            r#"{"messages":[{"content":"a","content_type":"text"},{"content":"b","delay_ms":1500,"valid_for_s":60,"mood":"new"}]}"#,
        );
        let text = |content: &str, ms, valid_for| AnswerText {
            content: content.into(),
            delay: Duration::from_millis(ms),
            valid_for,
        };
        assert_eq!(
            answer.unwrap().texts,
            [text("a", 0, None), text("b", 1500, Some(Duration::from_secs(60)))]
        );
    }

    #[test]
    fn a_hand_off_says_why() {
        let asked = |handoff: &str| parsed(&format!(r#"{{"handoff":{handoff}}}"#)).unwrap().handoff;
        assert_eq!(asked(r#"{"needed":true}"#).as_deref(), Some("the bot asked for a human"));
        assert_eq!(asked(r#"{"needed":true,"reason":"refund"}"#).as_deref(), Some("refund"));
        assert_eq!(
            asked(r#"{"needed":true,"reason":"refund","note":"angry"}"#).as_deref(),
            Some("refund: angry")
        );
    }

    #[test]
    fn a_session_is_patched() {
        let answer = parsed(r#"{"session":{"tags":["vip"],"topics":[],"state":{"b":[1]}}}"#).unwrap();
        assert_eq!(answer.tags, Some(vec!["vip".to_owned()]));
        assert_eq!(answer.topics, Some(vec![]));
        assert_eq!(answer.state.as_deref(), Some(r#"{"b":[1]}"#));
        assert_eq!(parsed(r#"{"session":{"state":null}}"#).unwrap().state, None);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_its_place() {
        insta::assert_snapshot!(refusal("ok"), @"the answer is not JSON (line 1, column 1)");
        insta::assert_snapshot!(refusal("{} {}"), @"the answer goes on after its JSON");
        for list in ["[]", " [null]", r#"[[{"content":"a"}]]"#] {
            assert_eq!(refusal(list), r#"the answer is a list; write an object, such as {"messages": […]}"#);
        }
        insta::assert_snapshot!(refusal(r#"{"messages":"hi"}"#), @"a field of the answer is missing or of the wrong type, at messages");
        insta::assert_snapshot!(refusal(r#"{"messages":[{"content":"a"},{"content":5}]}"#), @"a field of the answer is missing or of the wrong type, at messages[1].content");
        insta::assert_snapshot!(refusal(r#"{"messages":[{}]}"#), @"a field of the answer is missing or of the wrong type, at messages[0]");
        insta::assert_snapshot!(refusal(r#"{"messages":[{"content":" "}]}"#), @"messages[0].content is empty; a text needs at least one character");
        insta::assert_snapshot!(refusal(r#"{"messages":[{"content":"a","content_type":"image"}]}"#), @r#"messages[0].content_type is not "text", the only one there is"#);
        insta::assert_snapshot!(refusal(r#"{"messages":[{"content":"a","delay_ms":-1}]}"#), @"a field of the answer is missing or of the wrong type, at messages[0].delay_ms");
        insta::assert_snapshot!(refusal(r#"{"messages":[{"content":"a","delay_ms":3600001}]}"#), @"messages[0].delay_ms is 3600001; at most 3600000 is taken");
        for seconds in [0, 604_801] {
            let body = format!(r#"{{"messages":[{{"content":"a","valid_for_s":{seconds}}}]}}"#);
            assert_eq!(
                refusal(&body),
                format!("messages[0].valid_for_s is {seconds}; 1 to 604800 are taken")
            );
        }
        insta::assert_snapshot!(refusal(r#"{"handoff":{}}"#), @"a field of the answer is missing or of the wrong type, at handoff");
        insta::assert_snapshot!(refusal(r#"{"session":{"tags":[""]}}"#), @"session.tags each entry needs 1 to 100 characters");
        let long = "x".repeat(1601);
        insta::assert_snapshot!(refusal(&format!(r#"{{"messages":[{{"content":"{long}"}}]}}"#)), @"messages[0].content has 1601 characters; at most 1600 fit into one message");
        let many = [r#"{"content":"a"}"#; 11].join(",");
        insta::assert_snapshot!(refusal(&format!(r#"{{"messages":[{many}]}}"#)), @"messages has 11 entries; at most 10 are taken");
        let state = "x".repeat(9000);
        insta::assert_snapshot!(refusal(&format!(r#"{{"session":{{"state":"{state}"}}}}"#)), @"session.state has 9002 bytes; at most 8192 are kept");
        insta::assert_snapshot!(refusal(&format!(r#"{{"handoff":{{"needed":true,"note":"{long}"}}}}"#)), @"handoff has 1601 characters of reason and note; at most 1000 are kept");
    }
}
