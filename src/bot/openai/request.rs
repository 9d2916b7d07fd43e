//! What the model is asked: the system's prompt, the conversation, and the one tool that it has. Must not name the
//! customer by anything but their id.

use serde_json::{Value, json};

use super::config::OpenAiBotConfig;
use super::{OPENAI, REQUEST_HUMAN};
use crate::bot::transcript::conversation;
use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

/// The conversation as the model reads it, the customer's text last.
pub fn messages(config: &OpenAiBotConfig, work: &TurnWork, transcript: &[Message]) -> Vec<Value> {
    let said = conversation(work, transcript);
    let (asked, earlier) =
        said.split_last().map_or((None, &said[..]), |(asked, earlier)| (Some(asked), earlier));
    let mut room = config.max_history_chars;
    let mut lines: Vec<(&str, String)> = asked.into_iter().map(|message| line(message)).collect();
    for (role, content) in earlier.iter().rev().take(config.history).map(|message| line(message)) {
        let chars = content.chars().count();
        if chars > room {
            break;
        }
        room -= chars;
        lines.push((role, content));
    }
    let mut messages = vec![json!({"role": "system", "content": config.system_prompt})];
    for (role, content) in lines.into_iter().rev().filter(|(_, content)| !content.is_empty()) {
        match messages.last_mut() {
            // Many models know of no more than one message in a row from either side.
            Some(last) if last["role"] == role => {
                last["content"] =
                    format!("{}\n{content}", last["content"].as_str().unwrap_or_default()).into();
            }
            _ => messages.push(json!({"role": role, "content": content})),
        }
    }
    messages
}

fn line(message: &Message) -> (&'static str, String) {
    let role = if message.is_inbound() { "user" } else { "assistant" };
    let files = message.media.iter().map(|media| format!("[a file: {}]", media.content_type));
    let text = Some(message.content.clone()).filter(|text| !text.trim().is_empty());
    (role, text.into_iter().chain(files).collect::<Vec<_>>().join("\n"))
}

/// `host`: of the API.
pub fn body(config: &OpenAiBotConfig, host: &str, work: &TurnWork, messages: &[Value]) -> Vec<u8> {
    // OpenAI's newer models refuse the old name of the limit; other servers may know no other.
    let limit = if host == OPENAI { "max_completion_tokens" } else { "max_tokens" };
    let mut body = json!({
        "model": config.model,
        "messages": messages,
        "tools": [tool()],
        limit: config.max_tokens,
        "user": work.customer.id.to_string(),
        "stream": false,
    });
    if let Some(temperature) = config.temperature {
        body["temperature"] = temperature.into();
    }
    body.to_string().into_bytes()
}

fn tool() -> Value {
    json!({
        "type": "function",
        "function": {
            "name": REQUEST_HUMAN,
            "description": "Hands the conversation to a human colleague. Call it when the customer asks for a person, \
                            or when you cannot help them. What you say with the call is sent first.",
            "parameters": {
                "type": "object",
                "properties": {
                    "reason": {"type": "string", "description": "Why, in a few words, for the colleague to read."},
                },
                "required": ["reason"],
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::bot::fixtures::{media, message, work};
    use crate::bot::openai::tests::config;
    use crate::domain::ids::MessageId;
    use crate::domain::message::{Author, Role};
    use crate::domain::turn::TurnKind;

    fn said(place: u64, role: Role, content: &str) -> Message {
        let id = MessageId(Uuid::from_u128(100 + u128::from(place)));
        let author = Author { role, name: "somebody".into() };
        Message { id, place, author, ..message(content) }
    }

    fn shown(config: &OpenAiBotConfig, transcript: &[Message]) -> Vec<String> {
        let mut work = work(TurnKind::MessageReceived, "now");
        work.message = Some(said(50, Role::EndUser, "now"));
        let messages = messages(config, &work, transcript);
        let text = |message: &Value| {
            format!("{}: {}", message["role"].as_str().unwrap(), message["content"].as_str().unwrap())
        };
        messages.iter().map(text).collect()
    }

    #[test]
    fn customers_are_the_user_and_the_brand_is_the_assistant() {
        let told = [
            said(0, Role::EndUser, "one"),
            said(1, Role::Init, "two"),
            said(2, Role::Agent, "three"),
            said(3, Role::EndUser, "four"),
        ];
        assert_eq!(
            shown(&config("http://bot"), &told),
            ["system: Be brief.", "user: one", "assistant: two\nthree", "user: four\nnow"]
        );
    }

    #[test]
    fn only_so_much_of_the_conversation_is_shown() {
        let told: Vec<_> = (0..9).map(|place| said(place, Role::Agent, &place.to_string())).collect();
        let few = OpenAiBotConfig { history: 2, ..config("http://bot") };
        assert_eq!(shown(&few, &told)[1..], ["assistant: 7\n8", "user: now"]);
        let none = OpenAiBotConfig { history: 0, ..config("http://bot") };
        assert_eq!(shown(&none, &told)[1..], ["user: now"]);
        let short = OpenAiBotConfig { max_history_chars: 3, ..config("http://bot") };
        assert_eq!(shown(&short, &told)[1..], ["assistant: 6\n7\n8", "user: now"]);
    }

    #[test]
    fn files_are_told_by_their_kind_and_never_by_their_address() {
        let mut text = said(0, Role::EndUser, "");
        text.media = vec![media()];
        assert_eq!(line(&text).1, "[a file: image/jpeg]");
    }

    #[test]
    fn a_request_names_the_customer_by_their_id() {
        let config = config("http://bot");
        let work = work(TurnKind::MessageReceived, "Hi");
        let sent = body(&config, "bot", &work, &messages(&config, &work, &[]));
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(sent["user"], work.customer.id.to_string());
        assert_eq!((&sent["max_tokens"], &sent["model"]), (&json!(500), &json!("small")));
        assert_eq!(sent["tools"][0]["function"]["name"], "request_human");
        assert!(sent.get("temperature").is_none() && !sent.to_string().contains("5550002222"));
        let own = OpenAiBotConfig { temperature: Some(0.5), ..config };
        let sent: Value = serde_json::from_slice(&body(&own, OPENAI, &work, &[])).unwrap();
        assert_eq!(sent["max_completion_tokens"], 500);
        assert_eq!(sent["temperature"], 0.5);
        assert!(sent.get("max_tokens").is_none());
    }
}
