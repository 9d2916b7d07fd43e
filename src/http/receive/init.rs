//! `POST /v1/receive/init`: the bot speaks of its own accord. The shape is that of Init.ai's webhook, which the
//! first API of this family was built on, so it may hold much that is of no interest here.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::conversation::check_content;
use crate::domain::customer::Customer;
use crate::domain::ids::TurnId;
use crate::domain::message::{Author, Role};
use crate::domain::phone::{Address, PhoneNumber};
use crate::gateway::conversation::Say;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::Sent;
use crate::http::objects::Message;
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{FieldError, Kind, Problem};
use crate::http::settings::SecretHash;
use crate::http::{idempotency, named};
use crate::store::TokenRole;

const SECRET: &str = "x-init-ai-secret";
/// The author of what comes with the shared secret, and so with nobody's token.
const AUTHOR: &str = "bot";

/// What the bot has to say. More may stand around it.
#[derive(ToSchema)]
#[schema(example = json!({
    "event_type": "MessageOutbound",
    "app_user": {"remote_id": "fffd7e80-1691-41f5-8946-9deeaf0b8640"},
    "data": {"content": "Hey Ho!", "content_type": "text"}
}))]
#[expect(dead_code, reason = "describes a body that is read by hand, as its shape is not ours")]
pub struct BotEvent {
    /// `MessageOutbound`; `Test` is answered, too.
    event_type: String,
    data: BotEventData,
    /// The customer's id. One of `customer_id`, `data.customer_id`, `app_user.remote_id` and `phone_number` must be
    /// there.
    customer_id: Option<String>,
    app_user: Option<BotEventUser>,
    /// The customer's number.
    phone_number: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is read by hand, as its shape is not ours")]
struct BotEventData {
    content: String,
    /// Only `text` is accepted.
    content_type: Option<String>,
    customer_id: Option<String>,
    /// The turn that it answers. It counts only while an answer to that would; null: it answers nothing. Left out, it is
    /// refused where the bot was asked something before agents had the session, and has not answered it.
    turn_id: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is read by hand, as its shape is not ours")]
struct BotEventUser {
    /// The customer's id.
    remote_id: Option<String>,
}

refusals!(Refused: WITH_BODY; Unauthorized, Forbidden, TooManyCalls, NotFound, CustomerUnconfirmed,
    CustomerUnsubscribed, CustomerUnreachable, SessionHeld, StaleTurn, LoopGuard, NoLane, UnsupportedEvent, IdempotencyMismatch,
    InvalidHeader, Unavailable);

/// The bot speaks
///
/// Texts the customer as the bot. Needs the header `X-Init-Ai-Secret`, or a bot's token.
#[utoipa::path(
    post, path = "/v1/receive/init", operation_id = "receive_init", tag = "Receive",
    security((), ("bearer" = [])),
    params(
        ("X-Init-Ai-Secret" = Option<String>, Header, description = "The shared secret of the configuration."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gives the first answer again, for a day."),
    ),
    request_body = BotEvent,
    responses(
        (status = 200, body = Message, description = "The message, queued; `{}` for a `Test`.",
            headers(("Idempotency-Replayed" = String, description = "`true` if it is the first answer again."))),
        Refused
    )
)]
pub async fn receive_init(
    State(state): State<HttpState>,
    headers: HeaderMap,
    params: Params,
    sent: Sent,
) -> Result<Response, Problem> {
    let speaker = speaker(&state, &headers).await?;
    params.finish()?;
    let author = Author { role: Role::Init, name: speaker.name };
    let (event, idempotency) = sent.read_foreign(&speaker.fingerprint).await?;
    match text_at(&event, "/event_type") {
        Some("MessageOutbound") => {}
        Some("Test") => return Ok(Json(json!({})).into_response()),
        Some("LogicInvocation") => {
            return Err(Problem::new(
                Kind::UnsupportedEvent,
                "LogicInvocation is not supported: the bot is called by a webhook of its own, see the section bot.",
            ));
        }
        Some(_) => {
            return Err(Problem::new(Kind::UnsupportedEvent, "Only MessageOutbound and Test are supported."));
        }
        None => return Err(invalid("/event_type", "is required")),
    }
    let customer_id = addressee(&state, &event).await?.id;
    let turn_id = turn(&event)?;
    let unprompted = event.pointer("/data/turn_id").is_some_and(Value::is_null);
    let content = content(&event, state.gateway().policy().max_content_units)?.to_owned();
    let (confirmation, valid_for) = (None, None);
    let say = Say { customer_id, author, content, confirmation, valid_for, turn_id, unprompted, idempotency };
    let created = state.gateway().say(say).await?;
    Ok(idempotency::mark(Json(Message::from(created.value)).into_response(), created.replayed))
}

/// Who is speaking, if it may speak as the bot.
async fn speaker(state: &HttpState, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(offered) = headers.get(SECRET) else {
        let caller = Caller::of(headers, state).await?;
        let refuse = || Problem::forbidden("Only a bot's token speaks as the bot.");
        return if caller.is_bot() { Ok(caller) } else { Err(refuse()) };
    };
    let Some(secret) = &state.init_secret else {
        return Err(Problem::forbidden(
            "No shared secret is configured: set init_secret in the configuration, or use a bot's token.",
        ));
    };
    let offered = offered.to_str().map(SecretHash::of);
    if offered.is_ok_and(|offered| secret.matches(&offered)) {
        return Ok(Caller::by_secret(AUTHOR, TokenRole::Bot, *secret));
    }
    Err(Problem::new(Kind::Unauthorized, "X-Init-Ai-Secret is not the one that is configured."))
}

/// The turn that it answers, if it says so.
fn turn(event: &Value) -> Result<Option<TurnId>, Problem> {
    match event.pointer("/data/turn_id") {
        None | Some(Value::Null) => Ok(None),
        // One that is not read would not hold the bot to its turn.
        Some(named) => {
            let id = named.as_str().and_then(|text| text.parse().ok());
            id.map(Some).ok_or_else(|| invalid("/data/turn_id", "must be the id of a turn"))
        }
    }
}

/// Whom the event is for.
async fn addressee(state: &HttpState, event: &Value) -> Result<Customer, Problem> {
    let ids = ["/customer_id", "/data/customer_id", "/app_user/remote_id"];
    if let Some(id) = ids.iter().find_map(|place| text_at(event, place)) {
        return named::customer(state, id).await;
    }
    let Some(number) = text_at(event, "/phone_number") else {
        return Err(invalid("/customer_id", "is required, or app_user.remote_id, or phone_number"));
    };
    let number = PhoneNumber::parse_human(number, state.default_region.as_deref())
        .map_err(|wrong| invalid("/phone_number", &format!("cannot be taken: {wrong}")))?;
    let customer = state.gateway().store().customer_by_number(&Address::Phone(number)).await?;
    customer.ok_or_else(|| Problem::new(Kind::NotFound, "No customer has this number."))
}

pub(in crate::http) fn content(event: &Value, max_units: usize) -> Result<&str, Problem> {
    if text_at(event, "/data/content_type").is_some_and(|content_type| content_type != "text") {
        return Err(invalid("/data/content_type", "must be text"));
    }
    let content = text_at(event, "/data/content").ok_or_else(|| invalid("/data/content", "is required"))?;
    check_content(content, max_units).map_err(|wrong| invalid("/data/content", &wrong))?;
    Ok(content)
}

fn text_at<'a>(event: &'a Value, pointer: &str) -> Option<&'a str> {
    event.pointer(pointer).and_then(Value::as_str)
}

fn invalid(pointer: &str, detail: &str) -> Problem {
    Problem::invalid_body(vec![FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() }])
}
