//! `POST /v1/customers/{customer_id}/sessions/{session_id}/messages`: a text to the customer.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::conversation::check_content;
use crate::domain::delivery::LONGEST_VALID_FOR;
use crate::domain::ids::TurnId;
use crate::domain::message::Role;
use crate::gateway::conversation::Say;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::idempotency;
use crate::http::json::{Fields, FromFields, FromJson, Sent};
use crate::http::named::{self, Named};
use crate::http::objects::{Message, words};
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{FieldError, Problem};

/// A text to the customer.
#[derive(ToSchema)]
#[schema(example = json!({"content": "Hey Ho!", "content_type": "text"}))]
pub struct NewMessage {
    /// At most 1,600 characters, unless the server is set up otherwise.
    #[schema(min_length = 1)]
    content: String,
    #[schema(schema_with = words::content_type)]
    #[expect(dead_code, reason = "that it is there is all there is to know")]
    content_type: Text,
    /// What the token makes of the message anyway: `agent`, or `init` (also written `bot`) with a bot's token.
    #[schema(nullable = false)]
    sender_role: Option<String>,
    /// For how many seconds it is worth sending: one that could not leave by then expires. As the server is set up, if it
    /// is left out.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 604_800, nullable = false)]
    valid_for_s: Option<ValidFor>,
    /// With a bot's token: the turn that it answers. It counts only while an answer to that would; null: it answers nothing. Left
    /// out, it is refused where the bot was asked something before agents had the session, and has not answered it.
    #[schema(value_type = Option<String>, format = "uuid")]
    #[expect(clippy::option_option, reason = "left out, nothing, or a turn")]
    turn_id: Option<Option<TurnId>>,
}

struct ValidFor(Duration);

impl FromJson for ValidFor {
    fn from_json(value: Value) -> Result<Self, (String, String)> {
        let longest = LONGEST_VALID_FOR.as_secs();
        match value.as_u64() {
            Some(seconds) if (1..=longest).contains(&seconds) => Ok(Self(Duration::from_secs(seconds))),
            _ => Err((String::new(), format!("must be a whole number of seconds from 1 to {longest}"))),
        }
    }
}

impl FromJson for TurnId {
    fn from_json(value: Value) -> Result<Self, (String, String)> {
        let id = value.as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| (String::new(), "must be the id of a turn".to_owned()))
    }
}

/// The only content type that there is.
struct Text;

impl FromJson for Text {
    fn from_json(value: Value) -> Result<Self, (String, String)> {
        match value.as_str() {
            Some("text") => Ok(Self),
            _ => Err((String::new(), "must be text".to_owned())),
        }
    }
}

impl FromFields for NewMessage {
    fn read(fields: &mut Fields) -> Option<Self> {
        let content = fields.required("content");
        let content_type = fields.required("content_type");
        let sender_role: Option<String> = fields.optional("sender_role");
        let valid_for_s = fields.optional("valid_for_s");
        let turn_id = fields.nullable("turn_id");
        Some(Self { content: content?, content_type: content_type?, sender_role, valid_for_s, turn_id })
    }
}

impl NewMessage {
    /// What can only be said with the server's settings and the caller's role at hand.
    fn check(&self, max_units: usize, role: Role) -> Result<(), Problem> {
        let mut errors = Vec::new();
        if let Err(detail) = check_content(&self.content, max_units) {
            errors.push(FieldError { pointer: "/content".into(), detail });
        }
        let said =
            self.sender_role.as_deref().map(|said| if said == "bot" { Role::Init.as_str() } else { said });
        if said.is_some_and(|said| said != role.as_str()) {
            let detail = format!("must be {}, as the token is, or be left out", role.as_str());
            errors.push(FieldError { pointer: "/sender_role".into(), detail });
        }
        if self.turn_id.is_some() && role != Role::Init {
            let detail = "is for a bot's token".to_owned();
            errors.push(FieldError { pointer: "/turn_id".into(), detail });
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid_body(errors)) }
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; NotFound, CustomerUnconfirmed, CustomerUnsubscribed, CustomerUnreachable,
    SessionHeld, SessionNotHeld, SessionAssigned, StaleTurn, LoopGuard, NoLane, IdempotencyMismatch, InvalidHeader);

/// Create a message
///
/// Texts the customer: as an agent (with an agent's or admin's token), or as the bot (with a bot's token). Agents speak
/// while `need_attention` is true, the bot while it is false; without a current session a new one starts. Answers as
/// soon as the text is safely queued; it leaves at the pace of its number.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/sessions/{session_id}/messages", operation_id = "create_message",
    tag = "Messages",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "Only `current` is accepted.", example = "current"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gives the first answer again, for a day."),
    ),
    request_body = NewMessage,
    responses(
        (status = 201, body = Message, description = "The message, queued.",
            headers(("Idempotency-Replayed" = String, description = "`true` if it is the first answer again."))),
        Refused
    )
)]
pub async fn create_message(
    State(state): State<HttpState>,
    caller: Caller,
    Named((customer, session)): Named<(String, String)>,
    params: Params,
    sent: Sent,
) -> Result<Response, Problem> {
    named::must_be_current(&session)?;
    let customer_id = named::customer(&state, &customer).await?.id;
    params.finish()?;
    let (message, idempotency) = sent.read_keyed::<NewMessage>(&caller).await?;
    let author = caller.author();
    message.check(state.gateway().policy().max_content_units, author.role)?;
    let valid_for = message.valid_for_s.map(|seconds| seconds.0);
    let (content, unprompted) = (message.content, message.turn_id == Some(None));
    let turn_id = message.turn_id.flatten();
    let say =
        Say { customer_id, author, content, confirmation: None, valid_for, turn_id, unprompted, idempotency };
    let created = state.gateway().say(say).await?;
    let response = (StatusCode::CREATED, Json(Message::from(created.value))).into_response();
    Ok(idempotency::mark(response, created.replayed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, sender_role: Option<&str>, role: Role) -> Result<(), Problem> {
        let message = NewMessage {
            content: content.into(),
            content_type: Text,
            sender_role: sender_role.map(Into::into),
            valid_for_s: None,
            turn_id: None,
        };
        message.check(5, role)
    }

    #[test]
    fn a_sender_role_must_agree_with_the_token() {
        for (said, role) in [
            (None, Role::Agent),
            (Some("agent"), Role::Agent),
            (Some("init"), Role::Init),
            (Some("bot"), Role::Init),
        ] {
            assert!(check("Hey", said, role).is_ok(), "{said:?}");
        }
        for (said, role) in
            [("init", Role::Agent), ("agent", Role::Init), ("end-user", Role::Agent), ("x", Role::Init)]
        {
            assert_eq!(
                check("Hey", Some(said), role).unwrap_err().errors()[0].pointer,
                "/sender_role",
                "{said}"
            );
        }
    }

    #[test]
    fn content_is_neither_empty_nor_too_long() {
        for content in ["", "  ", "123456"] {
            assert_eq!(check(content, None, Role::Agent).unwrap_err().errors()[0].pointer, "/content");
        }
    }
}
