//! The turn object: one thing that the bot was told, and what came of it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Moment;
use crate::domain;
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::turn::TurnState;

/// One thing that the bot is told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Turn {
    /// The `webhook-id` under which the bot knows it.
    #[schema(value_type = String, format = "uuid")]
    pub id: TurnId,
    #[schema(value_type = String, format = "uuid")]
    pub session_id: SessionId,
    #[schema(value_type = String, format = "uuid")]
    pub customer_id: CustomerId,
    /// Its number in the session, from 1; null before the bot is first told.
    #[schema(required)]
    pub turn: Option<u64>,
    /// `message.received`, `message.created` or `session.updated`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `pending`, `in_flight`, `done`; `dropped`: agents took the session before the bot was told; `refused`: its answer did
    /// not count; `failed`: it could not be told.
    pub status: &'static str,
    /// Why it was refused or failed.
    #[schema(required)]
    pub reason: Option<String>,
    pub attempts: u32,
    #[schema(value_type = Vec<String>)]
    pub message_ids: Vec<MessageId>,
    /// What the bot said and what was not sent.
    pub refused_messages: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
}

impl From<domain::turn::Turn> for Turn {
    fn from(turn: domain::turn::Turn) -> Self {
        let (status, reason) = match &turn.state {
            TurnState::Pending => ("pending", None),
            TurnState::InFlight { .. } => ("in_flight", None),
            TurnState::Done => ("done", None),
            TurnState::Dropped => ("dropped", None),
            TurnState::Refused { reason } => ("refused", Some(reason.clone())),
            TurnState::Failed { reason } => ("failed", Some(reason.clone())),
        };
        Self {
            id: turn.id,
            session_id: turn.session_id,
            customer_id: turn.customer_id,
            turn: turn.number,
            kind: turn.kind.as_str(),
            status,
            reason,
            attempts: turn.calls(),
            message_ids: turn.message_ids().collect(),
            refused_messages: turn.refused_texts,
            created_at: turn.created_at.into(),
        }
    }
}
