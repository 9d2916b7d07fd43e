//! Customers who wait for an agent are not forgotten: agents are told again, and in the end the bot may have the
//! conversation back.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::{CustomerId, SessionId, SuggestionId, TurnId};
use crate::domain::session::{Session, Suggestion};
use crate::store::{AssignError, AssignSession, Attended, StoreError};

use super::Gateway;
use super::events::Typing;

/// How many sessions are attended to at a time.
const AT_ONCE: usize = 50;
/// The longest pause: somebody may have begun to wait.
const PAUSE: Duration = Duration::from_secs(1);

/// Does what is due for those who wait, until the gateway stops.
pub(super) async fn attend(gateway: Arc<Gateway>) {
    let mut trouble = gateway.troubles.watch();
    // An earlier process may have planned under other rules, or an earlier version nothing at all.
    let mut planned = false;
    loop {
        if !planned {
            planned = gateway.store.plan_attention(gateway.now()).await.is_ok();
        }
        let attended = attend_to_some(&gateway).await;
        let pause = trouble.note(attended, "those who wait for an agent could not be looked after");
        if gateway.rest(pause.unwrap_or(PAUSE)).await.is_err() {
            return;
        }
    }
}

async fn attend_to_some(gateway: &Gateway) -> Result<Duration, StoreError> {
    let now = gateway.now();
    let turns = (0..AT_ONCE).map(|_| TurnId(gateway.new_id(now))).collect();
    let Attended { escalated, returned, next_at } = gateway.store.attend(turns, now).await?;
    for session in &escalated {
        gateway.metrics.attention("escalated");
        tracing::warn!(
            session = %session.id,
            escalations = session.escalations,
            waiting_s = session.waiting_since.map(|since| now.since(since).as_secs()),
            "a customer still waits for an agent"
        );
    }
    for session in &returned {
        gateway.metrics.attention("returned");
        tracing::warn!(session = %session.id, version = session.version, "no agent came; the bot has the session back");
    }
    if !returned.is_empty() {
        gateway.turns.wake();
    }
    Ok(next_at.map_or(PAUSE, |at| at.since(now).min(PAUSE)))
}

impl Gateway {
    /// An agent takes the current session on, or lets it go.
    pub async fn assign_session(
        &self,
        customer_id: CustomerId,
        assignee: Option<String>,
        caller: &str,
        force: bool,
    ) -> Result<Session, AssignError> {
        let caller = caller.to_owned();
        let command = AssignSession { customer_id, assignee, caller, force, now: self.now() };
        let session = self.store.assign_session(command).await?;
        tracing::info!(session = %session.id, assigned = session.assignee.is_some(), "a session was assigned");
        Ok(session)
    }

    /// An agent has used a text that the bot proposed.
    pub async fn use_suggestion(&self, id: SuggestionId) -> Result<Option<Suggestion>, StoreError> {
        self.store.use_suggestion(id, self.now()).await
    }

    /// An agent is typing in a session, or is not any more.
    pub fn types(&self, session_id: SessionId, customer_id: CustomerId, name: &str, typing: bool) {
        let (name, at) = (name.to_owned(), self.now());
        self.note_typing(Typing { session_id, customer_id, name, typing, at });
    }
}
