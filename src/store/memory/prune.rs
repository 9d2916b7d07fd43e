//! Conversations that are over, removed.

use std::collections::BTreeSet;

use crate::domain::ids::SessionId;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::Pruned;

use super::state::State;

impl State {
    pub fn prune(&mut self, before: Timestamp, from: Option<SessionId>, limit: usize) -> Pruned {
        let mut in_order: Vec<&Session> = self
            .sessions
            .rows()
            .filter(|session| from.is_none_or(|from| session.id >= from) && session.id.made_at() < before)
            .collect();
        in_order.sort_by_key(|session| session.id);
        let next = in_order.get(limit).map(|session| session.id);
        let over = in_order.into_iter().take(limit).filter(|session| self.may_go(session, before));
        let (ids, counts): (BTreeSet<SessionId>, Vec<u64>) =
            over.map(|session| (session.id, session.message_count)).unzip();
        self.remove_sessions(&ids);
        let sessions = counts.iter().fold(0, |count, _| count + 1);
        Pruned { sessions, messages: counts.iter().sum(), next }
    }

    fn may_go(&self, session: &Session, before: Timestamp) -> bool {
        let open_message =
            self.messages.rows().any(|message| message.session_id == session.id && message.is_open());
        let open_turn = self.turns.rows().any(|turn| turn.session_id == session.id && turn.is_open());
        session.is_over(before) && !open_message && !open_turn
    }

    fn remove_sessions(&mut self, ids: &BTreeSet<SessionId>) {
        self.sessions.retain(|session| !ids.contains(&session.id));
        let messages = &self.messages;
        let gone = |id| messages.get(id).is_some_and(|message| ids.contains(&message.session_id));
        self.adopted.retain(|_, message| !gone(*message));
        self.received.retain(|_, message| !gone(*message));
        self.messages.retain(|message| !ids.contains(&message.session_id));
        self.turns.retain(|turn| !ids.contains(&turn.session_id));
        self.remembered.retain(|_, remembered| {
            remembered.created.session_id().is_none_or(|session| !ids.contains(&session))
        });
    }
}
