//! What the model answers: what it says, or the tool that it calls. Decides what of it is texted; must not text an empty
//! message, half of a sentence, or what the model thinks to itself.

use serde::Deserialize;
use serde_json::Value;

use super::REQUEST_HUMAN;
use super::split::{split, until_last_sentence};
use crate::bot::reading::{self, ASKED, AnswerLimits, MAX_REASON_CHARS};
use crate::domain::conversation::Answer;

#[derive(Debug, Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    content: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    #[serde(default)]
    pub id: String,
    pub function: Function,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Function {
    pub name: String,
    /// JSON as a string; some servers give the object itself.
    #[serde(default)]
    pub arguments: Value,
}

/// What a completion comes to.
#[derive(Debug)]
pub enum Verdict {
    Answer(Answer),
    /// It called tools that there are not, and is to be told so.
    UnknownTools {
        content: Option<String>,
        calls: Vec<Call>,
    },
}

/// Reads the body of a `200`; what no customer should get is refused, so that humans answer.
pub fn parse(body: &[u8], limits: AnswerLimits) -> Result<Verdict, String> {
    let completion: Completion = reading::json(body)?;
    let choice = completion.choices.into_iter().next().ok_or("the answer has no choices")?;
    let calls = choice.message.tool_calls.unwrap_or_default();
    let content = choice.message.content.as_deref().map(without_thoughts).unwrap_or_default();
    let asked = calls.iter().find(|call| call.function.name == REQUEST_HUMAN);
    let finish = choice.finish_reason.as_deref();
    let content = match finish {
        Some("content_filter") => return Err("what the model said was filtered".into()),
        Some("length") if asked.is_none() => until_last_sentence(content).ok_or(
            "the model was cut off before it had finished a sentence; a larger max_tokens gives it more room",
        )?,
        _ => content,
    };
    let handoff = asked.map(|call| reason(&call.function.arguments));
    if handoff.is_none() && !calls.is_empty() {
        let content = Some(content.to_owned()).filter(|content| !content.is_empty());
        return Ok(Verdict::UnknownTools { content, calls });
    }
    if handoff.is_none() && content.is_empty() {
        return Err("the model said nothing".into());
    }
    said(content, handoff, limits).map(Verdict::Answer)
}

/// Its words as texts.
pub fn said(content: &str, handoff: Option<String>, limits: AnswerLimits) -> Result<Answer, String> {
    let pieces = split(content, limits.max_content_units);
    limits.check_count("the model's answer, split into texts,", pieces.len())?;
    let texts = pieces.into_iter().map(|piece| limits.text("the model's answer", piece));
    Ok(Answer { texts: texts.collect::<Result<_, _>>()?, handoff, ..Answer::default() })
}

/// Models that reason aloud do so before they speak, between marks of which the first may be a part of their prompt.
fn without_thoughts(content: &str) -> &str {
    let spoken = match content.rsplit_once("</think>") {
        Some((_, spoken)) => spoken,
        None if content.trim_start().starts_with("<think>") => "",
        None => content,
    };
    spoken.trim()
}

/// Why it calls for a human: as much as agents are shown. That it calls counts even if the reason cannot be read.
fn reason(arguments: &Value) -> String {
    let parsed: Option<Value> = arguments.as_str().and_then(|text| serde_json::from_str(text).ok());
    let arguments = parsed.as_ref().unwrap_or(arguments);
    let given = arguments["reason"].as_str().map(str::trim).filter(|reason| !reason.is_empty());
    given.unwrap_or(ASKED).chars().take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIMITS: AnswerLimits = AnswerLimits { max_texts: 10, max_content_units: 1600 };

    fn parsed(message: &Value, finish: &str) -> Result<Verdict, String> {
        let body = json!({"choices": [{"message": message, "finish_reason": finish}]});
        parse(body.to_string().as_bytes(), LIMITS)
    }

    fn answer(message: &Value, finish: &str) -> Answer {
        match parsed(message, finish).unwrap() {
            Verdict::Answer(answer) => answer,
            Verdict::UnknownTools { .. } => panic!("an answer"),
        }
    }

    fn texts(content: &str, finish: &str) -> Vec<String> {
        answer(&json!({"content": content}), finish).texts.into_iter().map(|text| text.content).collect()
    }

    fn asking(arguments: &Value) -> Value {
        json!({"content": null, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "request_human", "arguments": arguments}}]})
    }

    #[test]
    fn what_the_model_says_is_texted_and_what_it_thinks_is_not() {
        assert_eq!(texts(" Hello! ", "stop"), ["Hello!"]);
        assert_eq!(texts("<think>They greet me.</think>\n\nHello!", "stop"), ["Hello!"]);
        assert_eq!(texts("They greet me.</think>Hello!", "stop"), ["Hello!"]);
    }

    #[test]
    fn a_call_for_a_human_hands_off_whatever_its_arguments() {
        for (arguments, reason) in [
            (json!(r#"{"reason":"refund"}"#), "refund"),
            (json!({"reason": "refund"}), "refund"),
            (json!(r#"{"reason":"ref"#), ASKED),
            (json!(r#"{"reason":" "}"#), ASKED),
            (json!(null), ASKED),
        ] {
            let answer = answer(&asking(&arguments), "tool_calls");
            assert_eq!(answer.handoff.as_deref(), Some(reason), "{arguments}");
            assert!(answer.texts.is_empty());
        }
        let long = "x".repeat(3000);
        let answer = answer(&asking(&json!({"reason": long})), "length");
        assert_eq!(answer.handoff.unwrap().len(), MAX_REASON_CHARS);
    }

    #[test]
    fn what_it_says_with_the_call_goes_first() {
        let mut asking = asking(&json!(r#"{"reason":"refund"}"#));
        asking["content"] = json!("One moment.");
        let answer = answer(&asking, "tool_calls");
        assert_eq!((answer.texts.len(), answer.handoff.as_deref()), (1, Some("refund")));
    }

    #[test]
    fn an_answer_that_was_cut_off_ends_with_its_last_sentence() {
        assert_eq!(texts("We open at nine. We close at", "length"), ["We open at nine."]);
    }

    #[test]
    fn what_nobody_should_be_texted_is_refused() {
        let refusal = |content: Value, finish| parsed(&json!({"content": content}), finish).unwrap_err();
        insta::assert_snapshot!(refusal(json!(null), "stop"), @"the model said nothing");
        insta::assert_snapshot!(refusal(json!("  \n"), "stop"), @"the model said nothing");
        insta::assert_snapshot!(refusal(json!("<think>Hm."), "stop"), @"the model said nothing");
        insta::assert_snapshot!(refusal(json!("Half of"), "content_filter"), @"what the model said was filtered");
        insta::assert_snapshot!(refusal(json!("Half of"), "length"), @"the model was cut off before it had finished a sentence; a larger max_tokens gives it more room");
        insta::assert_snapshot!(refusal(json!("word ".repeat(4000)), "stop"), @"the model's answer, split into texts, has 13 entries; at most 10 are taken");
        insta::assert_snapshot!(refusal(json!(5), "stop"), @"a field of the answer is missing or of the wrong type, at choices[0].message.content");
        let of = |body: &str| parse(body.as_bytes(), LIMITS).unwrap_err();
        insta::assert_snapshot!(of(r#"{"choices":[]}"#), @"the answer has no choices");
        insta::assert_snapshot!(of(r#"{"error":{"message":"no such model"}}"#), @"a field of the answer is missing or of the wrong type, at its top");
        insta::assert_snapshot!(of("data: {}"), @"the answer is not JSON (line 1, column 1)");
    }
}
