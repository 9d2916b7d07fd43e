//! Sessions: who has them, and the lists of them.

use std::cmp::Reverse;

use crate::domain::attention::{self, Attention, asks_something};
use crate::domain::conversation::{self, Switched};
use crate::domain::ids::{CustomerId, SessionId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::{Session, Suggestion};
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnState;
use crate::store::{
    AssignError, AssignSession, Attended, Expand, Expanded, InboxFilter, ListError, Page, PageRequest,
    UpdateSession, UpdateSessionError,
};

use super::pages::page;
use super::state::State;

impl State {
    pub fn update_session(&mut self, command: UpdateSession) -> Result<Session, UpdateSessionError> {
        let UpdateSession { customer_id, patch, new_turn, now } = command;
        if self.customers.get(customer_id).is_none() {
            return Err(UpdateSessionError::NotFound);
        }
        let session = self.current_session(customer_id, now).ok_or(UpdateSessionError::NoCurrentSession)?;
        let switched = conversation::update_session(session, &patch, &self.rules, new_turn, now);
        Ok(self.change_queue(customer_id, now, |state| state.keep_switch(switched, now)))
    }

    fn current_session(&self, customer_id: CustomerId, now: Timestamp) -> Option<Session> {
        let newest = self.newest_session(customer_id);
        newest.filter(|session| session.is_current(now, self.rules.idle_after)).cloned()
    }

    /// Keeps a switch with all that it entails. Within [`State::change_queue`].
    pub fn keep_switch(&mut self, switched: Switched, now: Timestamp) -> Session {
        let Switched { mut session, silence_bot, turn } = switched;
        if silence_bot {
            self.silence_bot(&mut session, now);
        }
        if let Some(turn) = turn {
            self.turns.put(turn);
        }
        self.sessions.put(session.clone());
        session
    }

    /// Agents have the session now.
    pub fn silence_bot(&mut self, session: &mut Session, now: Timestamp) {
        let customer_id = session.customer_id;
        self.messages.change(
            |message| message.customer_id == customer_id && message.author.is_bot(),
            |message| message.recall(now),
        );
        let (id, messages) = (session.id, &self.messages);
        self.turns.change(
            |turn| turn.session_id == id && turn.state == TurnState::Pending,
            |turn| turn.drop_unasked(session, turn.message_id.and_then(|id| messages.get(id))),
        );
    }

    pub fn assign_session(&mut self, command: AssignSession) -> Result<Session, AssignError> {
        let AssignSession { customer_id, assignee, caller, force, now } = command;
        if self.customers.get(customer_id).is_none() {
            return Err(AssignError::NotFound);
        }
        let session = self.current_session(customer_id, now).ok_or(AssignError::NoCurrentSession)?;
        let assigned = attention::assign(session, assignee, &caller, force, &self.rules, now)?;
        self.sessions.put(assigned.clone());
        Ok(assigned)
    }

    pub fn use_suggestion(&mut self, id: SuggestionId, now: Timestamp) -> Option<Suggestion> {
        let has_it = |session: &&Session| session.suggestions.iter().any(|suggestion| suggestion.id == id);
        let mut session = self.sessions.rows().find(has_it)?.clone();
        let used = session.use_suggestion(id, now);
        self.sessions.put(session);
        used
    }

    pub fn attend(&mut self, new_turns: Vec<TurnId>, now: Timestamp) -> Attended {
        let mut due: Vec<_> =
            self.sessions.rows().filter_map(|session| Some((session.attend_at?, session.id))).collect();
        due.sort();
        due.retain(|(at, _)| *at <= now);
        let mut attended = Attended::default();
        for ((_, id), new_turn) in due.into_iter().zip(new_turns) {
            let Some(session) = self.sessions.get(id).cloned() else { continue };
            let unanswered = self.unanswered(&session);
            let done = attention::attend(session, unanswered.as_ref(), &self.rules, new_turn, now);
            self.sessions.put(done.session.clone());
            match done.outcome {
                Attention::Planned => {}
                Attention::Escalated => attended.escalated.push(done.session),
                Attention::Returned(turn) => {
                    if let Some(turn) = turn {
                        self.turns.put(*turn);
                    }
                    attended.returned.push(done.session);
                }
            }
        }
        attended.next_at = self.sessions.rows().filter_map(|session| session.attend_at).min();
        attended
    }

    pub fn plan_attention(&mut self, now: Timestamp) -> usize {
        let mut waiting: Vec<Session> = self.sessions.rows().cloned().collect();
        waiting.retain_mut(|session| session.plan_anew(&self.rules, now));
        let changed = waiting.len();
        for session in waiting {
            self.sessions.put(session);
        }
        changed
    }

    /// The customer's last text that the bot has not seen.
    fn unanswered(&self, session: &Session) -> Option<Message> {
        let from = session.unseen_by_bot_from?;
        let of_session = self.messages.rows().filter(|message| message.session_id == session.id);
        let unseen = of_session.filter(|message| message.place >= from && asks_something(message));
        unseen.max_by_key(|message| message.place).cloned()
    }

    pub fn sessions_of(
        &self,
        customer_id: CustomerId,
        request: &PageRequest,
    ) -> Result<Page<Session>, ListError> {
        let rows = self
            .sessions
            .numbered()
            .filter(|(_, session)| session.customer_id == customer_id)
            .map(|(number, session)| (number, session.clone()))
            .collect();
        page(("sessions", customer_id.0), rows, request)
    }

    pub fn inbox(&self, filter: &InboxFilter, request: &PageRequest) -> Result<Page<Session>, ListError> {
        let rows = self
            .sessions
            .rows()
            .filter(|session| filter.takes(session))
            .map(|session| {
                let place = session.inbox_place();
                ((place.queue as u8, place.since, session.id), session.clone())
            })
            .collect();
        page(("inbox", uuid::Uuid::nil()), rows, request)
    }

    pub fn expand(&self, sessions: &[(SessionId, CustomerId)], what: Expand) -> Vec<Expanded> {
        let newest = |session: SessionId| {
            if what.messages == 0 {
                return Vec::new();
            }
            let of_session = self.messages.rows().filter(|message| message.session_id == session);
            let mut messages: Vec<Message> = of_session.cloned().collect();
            messages.sort_by_key(|message| Reverse(message.place));
            messages.truncate(what.messages);
            messages
        };
        let beside = |&(session, customer): &(SessionId, CustomerId)| Expanded {
            customer: what.customer.then(|| self.customers.get(customer).cloned()).flatten(),
            messages: newest(session),
        };
        sessions.iter().map(beside).collect()
    }
}
