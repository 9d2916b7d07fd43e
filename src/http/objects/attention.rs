//! How a session stands with the agents, and what the bot would say in it.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Moment, words};
use crate::domain;
use crate::domain::ids::SuggestionId;

/// How a session stands with the agents.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "reason": "the bot asked for a human", "waiting_since": "2017-04-21T18:10:51.475Z", "assignee": "ann", "escalations": 0,
    "version": 2, "last_message_at": "2017-04-21T18:10:51.475Z"
}))]
pub struct Attention {
    /// Why it needs a human, where the gateway (`possible_opt_out`, `bot_unavailable: …`, `bot_disabled: …`, `loop_guard`) or the
    /// bot, in its own words, decided so.
    #[schema(required)]
    pub reason: Option<String>,
    /// Since when the customer has been waiting for an agent's answer.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub waiting_since: Option<Moment>,
    /// The agent who has it, by the name of their token.
    #[schema(required)]
    pub assignee: Option<String>,
    /// How often agents were told again that the customer waits.
    pub escalations: u32,
    /// Counts the switches between the bot and the agents, from 1.
    pub version: u64,
    #[schema(value_type = String, format = DateTime)]
    pub last_message_at: Moment,
}

impl Attention {
    pub fn of(session: &domain::session::Session) -> Self {
        Self {
            reason: session.attention_reason.clone(),
            waiting_since: session.waiting_since.map(Moment),
            assignee: session.assignee.clone(),
            escalations: session.escalations,
            version: session.version,
            last_message_at: session.last_message_at.into(),
        }
    }
}

/// A text that the bot proposes while agents have the session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestedMessage {
    #[schema(value_type = String, format = "uuid")]
    pub id: SuggestionId,
    /// The bot's own id of it: the turn that it would have answered.
    #[schema(required)]
    pub remote_id: Option<String>,
    pub content: String,
    #[schema(schema_with = words::content_type)]
    pub content_type: &'static str,
    /// How often an agent has used it.
    pub selected_count: u32,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
}

impl From<domain::session::Suggestion> for SuggestedMessage {
    fn from(suggestion: domain::session::Suggestion) -> Self {
        Self {
            id: suggestion.id,
            remote_id: Some(suggestion.turn_id.to_string()),
            content: suggestion.content,
            content_type: "text",
            selected_count: suggestion.selected_count,
            created_at: suggestion.created_at.into(),
        }
    }
}
