//! The event object: what the stream and the outgoing webhooks tell. What it is about comes whole, as the API has it.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::delivery::Failure;
use super::{Attention, Customer, Message, Moment, Session, SuggestedMessage};
use crate::domain::event::{CustomerChange, EventId, MessageChange, MessageNow, SessionChange, What};
use crate::domain::session;
use crate::gateway::events::{TYPING, Typing};
use crate::store::Logged;

/// Something that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01890a5d-ac96-7000-8000-00000000002a",
    "name": "session.updated",
    "created_at": "2017-04-21T18:10:51.475Z",
    "data": {
        "id": "10125e23-3ad9-46bc-a4c1-e1e8e1a79d16", "customer_id": "fffd7e80-1691-41f5-8946-9deeaf0b8640",
        "need_attention": true, "tags": [], "topics": [], "created_at": "2017-04-21T14:38:59.691Z",
        "updated_at": "2017-04-21T18:10:51.475Z",
        "attention": {
            "reason": null, "waiting_since": "2017-04-21T18:10:51.475Z", "assignee": null, "escalations": 0, "version": 2,
            "last_message_at": "2017-04-21T18:10:51.475Z"
        }
    }
}))]
pub struct Event {
    #[schema(value_type = String, format = "uuid")]
    pub id: String,
    pub name: &'static str,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// What it is about. Where that was erased or removed since: its ids, and `gone`.
    pub data: Value,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Confirmation tokens are not for them.
    Agents,
    /// Bots, admins, and the endpoints of the configuration.
    Systems,
}

impl Event {
    pub fn of(logged: &Logged, audience: Audience) -> Self {
        let event = &logged.event;
        Self {
            id: event.id().to_string(),
            name: event.what.name(),
            created_at: event.at.into(),
            data: data(logged, audience),
        }
    }

    /// As the outgoing webhooks have it.
    pub fn for_endpoints(logged: &Logged) -> String {
        json_of(&Self::of(logged, Audience::Systems))
    }
}

/// Texts, numbers and flags always serialize.
fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn object(value: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn with(value: impl Serialize, more: Value) -> Value {
    let mut object = object(value);
    if let Value::Object(more) = more {
        object.extend(more);
    }
    Value::Object(object)
}

/// The session as it was, with what somebody has put into words as that is now.
fn in_words(then: &session::Session, now: Option<&session::Session>) -> session::Session {
    let mut told = then.clone();
    let Some(now) = now else { return told };
    (told.tags, told.topics) = (now.tags.clone(), now.topics.clone());
    if now.version == then.version {
        told.attention_reason.clone_from(&now.attention_reason);
    }
    told
}

fn data(logged: &Logged, audience: Audience) -> Value {
    match &logged.event.what {
        What::Customer { id, change } => match (&logged.customer, change) {
            (_, CustomerChange::Erased) => json!({"id": id}),
            (None, _) => json!({"id": id, "gone": true}),
            (Some(customer), change) => customer_data(customer, *change, audience),
        },
        What::Session { session, .. } if logged.session.is_none() => {
            json!({"id": session.id, "customer_id": session.customer_id, "gone": true})
        }
        What::Session { change: SessionChange::Suggested, session } => {
            let proposed = logged.session.as_ref().map_or(&[][..], |now| &now.suggestions);
            let proposed: Vec<SuggestedMessage> = proposed.iter().cloned().map(Into::into).collect();
            json!({
                "session_id": session.id,
                "customer_id": session.customer_id,
                "suggested_messages": proposed,
            })
        }
        What::Session { session, .. } => {
            let session = in_words(session, logged.session.as_ref());
            let attention = Some(Box::new(Attention::of(&session)));
            json!(Session { attention, ..session.into() })
        }
        What::Message { id, session_id, customer_id, change, now } => match (&logged.message, change) {
            (None, MessageChange::Created | MessageChange::Updated) => {
                json!({"id": id, "session_id": session_id, "customer_id": customer_id, "gone": true})
            }
            (None, MessageChange::Delivery | MessageChange::Held) => {
                json!({"message_id": id, "session_id": session_id, "customer_id": customer_id, "gone": true})
            }
            (Some(message), MessageChange::Created | MessageChange::Updated) => message_data(message, now),
            (Some(message), MessageChange::Delivery | MessageChange::Held) => with(
                json!({"message_id": id, "session_id": session_id, "customer_id": customer_id}),
                with(
                    state(now),
                    json!({
                        "segments": message.delivery.segmentation.segments,
                        "channel": message.delivery.lane.channel,
                        "delivered_at": now.delivered_at.map(Moment),
                        "updated_at": Moment(now.updated_at),
                    }),
                ),
            ),
        },
        What::BotRefused { session_id, customer_id, turn_id, reason, texts } => json!({
            "turn_id": turn_id, "session_id": session_id, "customer_id": customer_id, "reason": reason, "texts": texts,
        }),
        // A bot may have said anything in its refusal's stead; of somebody who is gone nothing is told.
        What::BotFailed { session_id, customer_id, turn_id, .. } if logged.session.is_none() => json!({
            "turn_id": turn_id, "session_id": session_id, "customer_id": customer_id, "gone": true,
        }),
        What::BotFailed { session_id, customer_id, turn_id, reason } => json!({
            "turn_id": turn_id, "session_id": session_id, "customer_id": customer_id, "reason": reason,
        }),
        What::Disabled { endpoint, reason } => json!({"endpoint": endpoint, "reason": reason}),
        What::Enabled { endpoint } => json!({"endpoint": endpoint, "reason": null}),
    }
}

fn customer_data(
    customer: &crate::domain::customer::Customer,
    change: CustomerChange,
    audience: Audience,
) -> Value {
    let object = Customer::from(customer.clone());
    let more = match (change, audience) {
        (CustomerChange::NeedsConfirmation, Audience::Systems) => {
            let token = customer.confirmation.as_ref().map(|out| out.token.as_str());
            json!({"status": "needs_confirmation", "confirmation_token": token})
        }
        (CustomerChange::NeedsConfirmation, Audience::Agents) => json!({"status": "needs_confirmation"}),
        (CustomerChange::Confirmed, _) => json!({"status": "confirmed"}),
        _ => json!({}),
    };
    with(object, more)
}

/// The message as it was then.
fn message_data(message: &crate::domain::message::Message, now: &MessageNow) -> Value {
    let mut then = message.clone();
    then.delivered_at = now.delivered_at;
    then.updated_at = now.updated_at;
    let mut told = Message::expanded(then, &["author", "media"]);
    // They stand among what only events tell.
    let (author, media) = (told.author.take(), told.media.take());
    let more = json!({"customer_id": message.customer_id, "author": author, "media": media});
    with(told, with(more, state(now)))
}

fn state(now: &MessageNow) -> Value {
    json!({"status": now.status.as_str(), "error": now.error.as_ref().map(Failure::of)})
}

/// Who is typing: told like an event, but in no log, and so without an id.
#[derive(Clone, Debug, Serialize)]
pub struct TypingEvent {
    /// Always null.
    id: (),
    name: &'static str,
    created_at: Moment,
    data: Value,
}

impl TypingEvent {
    pub const NAME: &str = TYPING;

    pub fn of(typing: &Typing) -> Self {
        let Typing { session_id, customer_id, name, typing, at } = typing;
        let data =
            json!({"session_id": session_id, "customer_id": customer_id, "name": name, "typing": typing});
        Self { id: (), name: Self::NAME, created_at: Moment(*at), data }
    }
}

/// One frame of a stream of server-sent events.
pub fn frame(id: Option<EventId>, name: &str, data: &impl Serialize) -> String {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("{id}event: {name}\ndata: {}\n\n", json_of(data))
}
