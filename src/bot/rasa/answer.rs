//! What Rasa's REST channel answers: an array, each entry a text, a picture, buttons, a file, or something of the bot's own.
//! Makes texts of it; must not take half of an answer.

use serde::Deserialize;
use serde_json::Value;

use crate::bot::reading::{self, AnswerLimits};
use crate::domain::conversation::{Answer, AnswerText};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    text: Option<String>,
    buttons: Option<Vec<Button>>,
    image: Option<String>,
    attachment: Option<Value>,
    custom: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Button {
    title: String,
}

/// Reads the body of a `200`. `[]`, or nothing at all, is nothing said.
pub fn parse(body: &[u8], limits: AnswerLimits) -> Result<Answer, String> {
    if body.trim_ascii().is_empty() {
        return Ok(Answer::default());
    }
    let entries: Vec<Entry> = reading::json(body)?;
    let mut texts = Vec::new();
    let mut handoff = None;
    for (index, entry) in entries.into_iter().enumerate() {
        if handoff.is_none() {
            handoff = entry.custom.as_ref().map(asks_for_human).transpose()?.flatten();
        }
        said(index, entry, limits, &mut texts)?;
    }
    limits.check_count("the answer", texts.len())?;
    Ok(Answer { texts, handoff, ..Answer::default() })
}

/// A text with its buttons beneath it; then the picture and the file, each in a text of its own. An entry that has none of
/// them says nothing: it may be meant for another channel.
fn said(index: usize, entry: Entry, limits: AnswerLimits, texts: &mut Vec<AnswerText>) -> Result<(), String> {
    let lines = entry.text.filter(|text| !text.trim().is_empty()).into_iter();
    let buttons = entry.buttons.unwrap_or_default().into_iter().enumerate();
    let lines = lines.chain(buttons.map(|(number, button)| format!("{}) {}", number + 1, button.title)));
    let parts = [
        ("text", Some(lines.collect::<Vec<_>>().join("\n"))),
        ("image", entry.image),
        ("attachment", entry.attachment.and_then(address)),
    ];
    for (key, part) in parts {
        if let Some(part) = part.filter(|part| !part.trim().is_empty()) {
            texts.push(limits.text(&format!("[{index}].{key}"), part)?);
        }
    }
    Ok(())
}

/// An attachment is its address, or has it inside.
fn address(attachment: Value) -> Option<String> {
    match attachment {
        Value::String(address) => Some(address),
        nested => {
            let within = |pointer| nested.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            ["/url", "/src", "/payload/url", "/payload/src"].into_iter().find_map(within)
        }
    }
}

/// `custom.handoff`: `true`, a reason, or `{"reason", "note"}`, which may say `"needed": false`.
fn asks_for_human(custom: &Value) -> Result<Option<String>, String> {
    let asked = &custom["handoff"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (reason, note) = match asked {
        Value::Bool(true) => (text(&custom["reason"]), text(&custom["note"])),
        Value::String(reason) => (Some(reason.clone()), None),
        Value::Object(handoff) if handoff.get("needed") != Some(&Value::Bool(false)) => {
            (text(&asked["reason"]), text(&asked["note"]))
        }
        _ => return Ok(None),
    };
    reading::reason(reason, note).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AnswerLimits = AnswerLimits { max_texts: 10, max_content_units: 1600 };

    fn parsed(body: &str) -> Result<Answer, String> {
        parse(body.as_bytes(), LIMITS)
    }

    fn said(body: &str) -> Vec<String> {
        parsed(body).unwrap().texts.into_iter().map(|text| text.content).collect()
    }

    #[test]
    fn nothing_is_an_answer() {
        for body in ["", "[]", r#"[{"recipient_id":"1"}]"#, r#"[{"text":""}]"#, r#"[{"custom":{"card":1}}]"#]
        {
            assert!(parsed(body).unwrap().is_empty(), "{body}");
        }
    }

    #[test]
    fn buttons_are_numbered_lines_and_files_are_addresses() {
        let body = r#"[
            {"recipient_id":"1","text":"Which one?","buttons":[{"title":"Red","payload":"/r"},{"title":"Blue","payload":"/b"}]},
            {"image":"https://cdn.example/cat.png"},
            {"text":"Your bill","attachment":{"type":"file","payload":{"src":"https://cdn.example/bill.pdf"}}}
        ]"#;
        assert_eq!(
            said(body),
            [
                "Which one?\n1) Red\n2) Blue",
                "https://cdn.example/cat.png",
                "Your bill",
                "https://cdn.example/bill.pdf"
            ]
        );
    }

    #[test]
    fn a_hand_off_says_why() {
        let asked = |custom: &str| parsed(&format!(r#"[{{"text":"Bye"}},{{"custom":{custom}}}]"#)).unwrap();
        assert_eq!(asked(r#"{"handoff":true}"#).handoff.as_deref(), Some("the bot asked for a human"));
        assert_eq!(asked(r#"{"handoff":true,"reason":"refund"}"#).handoff.as_deref(), Some("refund"));
        assert_eq!(asked(r#"{"handoff":"refund"}"#).handoff.as_deref(), Some("refund"));
        let both = asked(r#"{"handoff":{"reason":"refund","note":"angry"}}"#);
        assert_eq!((both.handoff.as_deref(), both.texts.len()), (Some("refund: angry"), 1));
        for none in [r#"{"handoff":false}"#, r#"{"handoff":{"needed":false}}"#, "[1]", "null", "\"x\""] {
            assert_eq!(asked(none).handoff, None, "{none}");
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_its_place() {
        let refusal = |body: &str| parsed(body).unwrap_err();
        insta::assert_snapshot!(refusal("ok"), @"the answer is not JSON (line 1, column 1)");
        insta::assert_snapshot!(refusal(r#"{"text":"a"}"#), @"a field of the answer is missing or of the wrong type, at its top");
        insta::assert_snapshot!(refusal(r#"[{"text":"a"},{"text":5}]"#), @"a field of the answer is missing or of the wrong type, at [1].text");
        let long = "x".repeat(1601);
        insta::assert_snapshot!(refusal(&format!(r#"[{{"text":"{long}"}}]"#)), @"[0].text has 1601 characters; at most 1600 fit into one message");
        insta::assert_snapshot!(refusal(&format!("[{}]", [r#"{"text":"a"}"#; 11].join(","))), @"the answer has 11 entries; at most 10 are taken");
        insta::assert_snapshot!(refusal(&format!(r#"[{{"custom":{{"handoff":"{long}"}}}}]"#)), @"handoff has 1601 characters of reason and note; at most 1000 are kept");
    }
}
