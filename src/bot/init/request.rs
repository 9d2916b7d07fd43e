//! A turn as Init.ai's webhook told it: a `LogicInvocation`. Keys that its clients read are there, also where there is
//! nothing to say; those that it called deprecated are not.

use serde_json::{Value, json};

use crate::bot::transcript::conversation;
use crate::domain::customer::Customer;
use crate::domain::message::Message;
use crate::domain::reply::{REPLY_LIFE, ReplyKey};
use crate::domain::turn::TurnWork;

/// `api_base`: how the bot reaches the daemon; `reply_key` signs the token with which it may answer this turn.
pub fn body(work: &TurnWork, transcript: &[Message], api_base: &str, reply_key: &ReplyKey) -> Vec<u8> {
    let until = work.turn.created_at.after(REPLY_LIFE);
    let messages: Vec<_> = conversation(work, transcript).into_iter().map(message).collect();
    let state: Option<Value> =
        work.session.bot_state.as_deref().and_then(|state| serde_json::from_str(state).ok());
    let id = work.customer.id.to_string();
    let payload = json!({
        "invocation_data": {
            "invocation_id": work.turn.id.to_string(),
            "initiated_at": work.turn.created_at.to_string(),
            "auth_token": reply_key.token(work.turn.id, until),
            "api": {"base_url": api_base},
        },
        "current_conversation": {
            "id": work.session.id.to_string(),
            "state": state.unwrap_or_else(|| json!({})),
            "conversation_message_index_to_process": messages.len().saturating_sub(1),
            "messages": messages,
        },
        "users": {&id: user(&work.customer, &id)},
        "current_application": {"id": "switchboard", "environment": {}},
    });
    let body = json!({
        "event_type": "LogicInvocation",
        "data": {"version": "1", "format": "plain_object", "payload": payload},
    });
    body.to_string().into_bytes()
}

fn message(message: &Message) -> Value {
    let text = (!message.content.is_empty() || message.media.is_empty())
        .then(|| part("text", &message.content.as_str().into()));
    let media = message.media.iter().map(|media| {
        let kinds = ["image", "video", "audio"];
        let kind = kinds.into_iter().find(|kind| media.content_type.starts_with(kind)).unwrap_or("file");
        part(kind, &json!({"url": media.url, "content_type": media.content_type}))
    });
    let parts: Vec<_> = text.into_iter().chain(media).collect();
    json!({"sender_role": message.author.role, "parts": parts})
}

fn part(kind: &str, content: &Value) -> Value {
    json!({
        "content_type": kind,
        "content": content,
        // Nothing here understands language: what Init.ai would have classified, it was not sure of.
        "classification": {
            "overall_confidence": 0,
            "base_type": {"confidence": 0, "value": ""},
            "sub_type": {"confidence": 0, "value": ""},
        },
        "slots": {},
    })
}

/// `remote_id` is what the bot answers with.
fn user(customer: &Customer, id: &str) -> Value {
    json!({
        "id": id,
        "platform_user_id": id,
        "remote_id": id,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "metadata": {"country_code": customer.country_code, "time_zone": customer.time_zone},
        "created_at": customer.created_at.to_string(),
        "updated_at": customer.updated_at.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::fixtures::work;
    use crate::domain::turn::TurnKind;

    #[test]
    fn a_turn_is_a_logic_invocation() {
        let mut work = work(TurnKind::MessageReceived, "Hi");
        work.session.bot_state = Some(r#"{"step":2}"#.into());
        let key = ReplyKey::of("shared");
        let sent = body(&work, &[], "https://sms.example.com", &key);
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        let payload = &sent["data"]["payload"];
        assert_eq!(sent["event_type"], "LogicInvocation");
        assert_eq!(payload["invocation_data"]["invocation_id"], work.turn.id.to_string());
        assert_eq!(payload["invocation_data"]["api"]["base_url"], "https://sms.example.com");
        let token = payload["invocation_data"]["auth_token"].as_str().unwrap();
        assert!(key.admits(token, work.turn.id, crate::bot::fixtures::THEN));
        assert_eq!(payload["current_conversation"]["state"], json!({"step": 2}));
        assert_eq!(payload["current_conversation"]["conversation_message_index_to_process"], 0);
        let message = &payload["current_conversation"]["messages"][0];
        assert_eq!(message["sender_role"], "end-user");
        assert_eq!(message["parts"][0]["content"], "Hi");
        let id = work.customer.id.to_string();
        assert_eq!(payload["users"][&id]["remote_id"], id);
        assert!(!sent.to_string().contains("5550002222"), "no number is told");
    }
}
