//! `POST /v1/bot/turns/{turn_id}/reply`: the bot answers a turn by a call of its own, whenever it is ready.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::bot::answer;
use crate::domain::ids::TurnId;
use crate::http::HttpState;
use crate::http::auth::bearer;
use crate::http::idempotency;
use crate::http::json::Sent;
use crate::http::named::{self, Named};
use crate::http::objects::Message;
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{FieldError, Kind, Problem};

/// What the bot says to a turn: the same as in the answer to the call that told it. All of it may be left out.
#[derive(ToSchema)]
#[schema(example = json!({"messages": [{"content": "Here you are.", "content_type": "text"}], "handoff": {"needed": false}}))]
#[expect(dead_code, reason = "describes a body that the bots' own reader reads")]
pub struct TurnReply {
    messages: Option<Vec<ReplyText>>,
    handoff: Option<ReplyHandoff>,
    session: Option<ReplySession>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that the bots' own reader reads")]
struct ReplyText {
    content: String,
    /// Only `text`.
    content_type: Option<String>,
    delay_ms: Option<u64>,
    valid_for_s: Option<u64>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that the bots' own reader reads")]
struct ReplyHandoff {
    needed: bool,
    reason: Option<String>,
    note: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that the bots' own reader reads")]
struct ReplySession {
    tags: Option<Vec<String>>,
    topics: Option<Vec<String>>,
    /// Any JSON, given back with every turn.
    state: Option<serde_json::Value>,
}

/// What it became.
#[derive(Serialize, ToSchema)]
pub struct TurnReplied {
    #[schema(value_type = String, format = "uuid")]
    turn_id: TurnId,
    /// The texts, queued.
    messages: Vec<Message>,
}

refusals!(Refused: WITH_BODY; Unauthorized, Unavailable, InvalidQuery, InvalidHeader, NotFound, StaleTurn, LoopGuard,
    CustomerUnconfirmed, CustomerUnsubscribed, CustomerUnreachable, NoLane, IdempotencyMismatch);

/// Answer a turn
///
/// With the turn's own token: `data.reply_token` of the turn, good for a day. The same `Idempotency-Key` again, or without one the
/// same body again, changes nothing and gives the first texts again. Refused once agents have taken the session, or a later
/// turn is answered: `stale-turn`; what was said is recorded with the turn.
#[utoipa::path(
    post, path = "/v1/bot/turns/{turn_id}/reply", operation_id = "reply_to_turn", tag = "Bot",
    params(
        ("turn_id" = String, Path, format = "uuid", description = "The `webhook-id` of the turn."),
        ("Idempotency-Key" = Option<String>, Header, description = "What makes a repeat a repeat; the body, if it is left out."),
    ),
    request_body = TurnReply,
    responses(
        (status = 200, body = TurnReplied, description = "The texts, queued.",
            headers(("Idempotency-Replayed" = String, description = "`true` if they were queued before."))),
        Refused
    )
)]
pub async fn reply_to_turn(
    State(state): State<HttpState>,
    headers: HeaderMap,
    Named(turn): Named<String>,
    params: Params,
    sent: Sent,
) -> Result<Response, Problem> {
    let id: TurnId = named::id("turn", &turn)?;
    let token = bearer(&headers)?;
    let now = state.gateway().now();
    if !state.reply_keys.iter().any(|key| key.admits(token, id, now)) {
        return Err(Problem::new(
            Kind::Unauthorized,
            "The token is not the reply_token of this turn, or its day is over.",
        ));
    }
    params.finish()?;
    let (bytes, key) = sent.read_bytes_keyed("reply").await?;
    let answer = answer::parse(&bytes, state.answer_limits)
        .map_err(|wrong| Problem::invalid_body(vec![FieldError { pointer: String::new(), detail: wrong }]))?;
    let key = reply_key(key.as_ref().map(|key| key.key.as_str()), &bytes);
    let replied = state.gateway().reply_to_turn(id, key, answer).await?;
    if let Some(refusal) = replied.completed.refused {
        return Err(refusal.into());
    }
    let messages = replied.completed.messages.into_iter().map(Message::from).collect();
    let response = Json(TurnReplied { turn_id: id, messages }).into_response();
    Ok(idempotency::mark(response, replied.replayed))
}

/// Its first half is of what names the call, its second of what is said: 128 bits of each are enough to tell them apart.
fn reply_key(named: Option<&str>, body: &[u8]) -> [u8; 32] {
    let said = Sha256::new().chain_update(b"body ").chain_update(body).finalize();
    let name = named.map_or(said, |key| Sha256::new().chain_update(b"key ").chain_update(key).finalize());
    let mut key = [0; 32];
    key[..16].copy_from_slice(&name[..16]);
    key[16..].copy_from_slice(&said[16..]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_its_key_and_what_it_says_by_its_body() {
        let (ours, other) = (reply_key(Some("a"), b"1"), reply_key(Some("a"), b"2"));
        assert_eq!(ours, reply_key(Some("a"), b"1"));
        assert_eq!(ours[..16], other[..16]);
        assert_ne!(ours[16..], other[16..]);
        assert_ne!(ours[..16], reply_key(Some("b"), b"1")[..16]);
        assert_ne!(reply_key(None, b"1")[..16], reply_key(None, b"2")[..16]);
    }
}
