//! A turn as Rasa's REST channel takes it. The sender is the customer's id: a phone number is nobody's business there.

use serde_json::{Value, json};

use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

/// `newest`: of the customer's, that the turn is about. `metadata` is handed to the bot's actions as it is.
pub fn body(work: &TurnWork, newest: &Message) -> Vec<u8> {
    let said = |message: &Message| json!({"sender_role": message.author.role, "content": message.content});
    let state: Option<Value> =
        work.session.bot_state.as_deref().and_then(|state| serde_json::from_str(state).ok());
    let metadata = json!({
        "session_id": work.session.id.to_string(),
        "turn": work.turn.number,
        "turn_id": work.turn.id.to_string(),
        "message_id": newest.id.to_string(),
        "channel": newest.delivery.lane.channel,
        "media": work.messages().flat_map(|message| &message.media).collect::<Vec<_>>(),
        "country_code": work.customer.country_code,
        "time_zone": work.customer.time_zone,
        "tags": work.session.tags,
        "topics": work.session.topics,
        "state": state,
        "history": work.history.iter().map(said).collect::<Vec<_>>(),
    });
    let body = json!({
        "sender": work.customer.id.to_string(),
        "message": work.heard(),
        "metadata": metadata,
    });
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::fixtures::{message, work};
    use crate::domain::turn::TurnKind;

    #[test]
    fn the_sender_is_the_customers_id_and_no_number_is_told() {
        let mut work = work(TurnKind::MessageReceived, "Hi");
        work.history = vec![message("missed")];
        let text = message("Hi");
        let sent = String::from_utf8(body(&work, &text)).unwrap();
        assert!(!sent.contains("5550002222"), "{sent}");
        insta::assert_snapshot!(sent, @r#"{"sender":"00000000-0000-0000-0000-000000000001","message":"Hi","metadata":{"session_id":"00000000-0000-0000-0000-000000000002","turn":1,"turn_id":"00000000-0000-0000-0000-000000000004","message_id":"00000000-0000-0000-0000-000000000003","channel":"main","media":[],"country_code":"US","time_zone":"UTC","tags":[],"topics":[],"state":null,"history":[{"sender_role":"end-user","content":"missed"}]}}"#);
    }
}
