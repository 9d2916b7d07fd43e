//! The message object.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Delivery, Moment, words};
use crate::domain;
use crate::domain::ids::{MessageId, SessionId};

/// One text, in either direction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "9a7c5cf3-0ed5-40b0-8f63-c425bc14afe0",
    "session_id": "18e22f89-f945-4d6a-858f-7d487c321d67",
    "content": "Hey",
    "content_type": "text",
    "sender_role": "agent",
    "sent_at": "2017-05-02T12:04:42.693Z",
    "delivered_at": null,
    "created_at": "2017-05-02T12:04:42.694Z",
    "updated_at": "2017-05-02T12:04:42.694Z"
}))]
pub struct Message {
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    #[schema(value_type = String, format = "uuid")]
    pub session_id: SessionId,
    pub content: String,
    #[schema(schema_with = words::content_type)]
    pub content_type: &'static str,
    #[schema(schema_with = words::sender_role)]
    pub sender_role: &'static str,
    /// When its author sent it.
    #[schema(value_type = String, format = DateTime)]
    pub sent_at: Moment,
    /// When the handset had it, by the provider's receipt; null until then.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub delivered_at: Option<Moment>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Moment,
    /// With `expand=delivery`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery: Option<Box<Delivery>>,
    /// With `expand=author`: the name of the token that it was written with; `customer`, `bot` or `gateway` where
    /// there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub author: Option<String>,
    /// With `expand=media`: what came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub media: Option<Vec<Media>>,
}

/// A picture, sound or file. It stays with the provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Media {
    #[schema(format = "uri")]
    pub url: String,
    pub content_type: String,
}

impl From<domain::message::Message> for Message {
    fn from(message: domain::message::Message) -> Self {
        Self {
            id: message.id,
            session_id: message.session_id,
            content: message.content,
            content_type: "text",
            sender_role: message.author.role.as_str(),
            sent_at: message.sent_at.into(),
            delivered_at: message.delivered_at.map(Moment),
            created_at: message.created_at.into(),
            updated_at: message.updated_at.into(),
            delivery: None,
            author: None,
            media: None,
        }
    }
}

impl Message {
    /// The names that `?expand=` takes.
    pub const EXPANSIONS: [&str; 3] = ["delivery", "author", "media"];

    pub fn expanded(message: domain::message::Message, wishes: &[&str]) -> Self {
        let asked_for = |name| wishes.contains(&name);
        Self {
            delivery: asked_for("delivery").then(|| Box::new(Delivery::of(&message))),
            author: asked_for("author").then(|| message.author.name.clone()),
            media: asked_for("media").then(|| message.media.iter().map(Media::of).collect()),
            ..Self::from(message)
        }
    }
}

impl Media {
    fn of(media: &domain::message::Media) -> Self {
        Self { url: media.url.clone(), content_type: media.content_type.clone() }
    }
}
