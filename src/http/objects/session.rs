//! The session object.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Attention, Customer, Message, Moment, SuggestedMessage};
use crate::domain;
use crate::domain::ids::{CustomerId, SessionId};

/// A conversation of a customer, and who has it: the bot, or agents.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "10125e23-3ad9-46bc-a4c1-e1e8e1a79d16",
    "customer_id": "fffd7e80-1691-41f5-8946-9deeaf0b8640",
    "need_attention": true,
    "tags": ["mobile"],
    "topics": ["sleep", "skin+hair"],
    "created_at": "2017-04-21T14:38:59.691Z",
    "updated_at": "2017-04-21T18:10:51.475Z"
}))]
pub struct Session {
    #[schema(value_type = String, format = "uuid")]
    pub id: SessionId,
    #[schema(value_type = String, format = "uuid")]
    pub customer_id: CustomerId,
    /// `true`: agents have it, and the bot is paused. `false`: the bot has it, and agents may not speak.
    pub need_attention: bool,
    pub tags: Vec<String>,
    pub topics: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Moment,
    /// With `expand=messages`: its newest 100 messages, the oldest of them first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub messages: Option<Vec<Message>>,
    /// With `expand=customer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer: Option<Box<Customer>>,
    /// With `expand=last_message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_message: Option<Box<Message>>,
    /// With `expand=attention`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub attention: Option<Box<Attention>>,
    /// With `expand=suggested_messages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub suggested_messages: Option<Vec<SuggestedMessage>>,
}

impl From<domain::session::Session> for Session {
    fn from(session: domain::session::Session) -> Self {
        Self {
            id: session.id,
            customer_id: session.customer_id,
            need_attention: session.need_attention,
            tags: session.tags,
            topics: session.topics,
            created_at: session.created_at.into(),
            updated_at: session.updated_at.into(),
            messages: None,
            customer: None,
            last_message: None,
            attention: None,
            suggested_messages: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_session_has_its_documented_keys_in_their_order() {
        let id = Uuid::nil();
        let mut session =
            domain::session::Session::new(SessionId(id), CustomerId(id), true, Timestamp::from_millis(1));
        session.tags = vec!["mobile".into()];
        let written = serde_json::to_string(&Session::from(session)).unwrap();
        assert_eq!(
            written,
            "{\"id\":\"00000000-0000-0000-0000-000000000000\",\
             \"customer_id\":\"00000000-0000-0000-0000-000000000000\",\"need_attention\":true,\
             \"tags\":[\"mobile\"],\"topics\":[],\"created_at\":\"1970-01-01T00:00:00.001Z\",\
             \"updated_at\":\"1970-01-01T00:00:00.001Z\"}"
        );
    }
}
