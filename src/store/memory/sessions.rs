//! Sessions: who has them, and the lists of them.

use crate::domain::conversation::{self, Switched};
use crate::domain::ids::CustomerId;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnState;
use crate::store::{InboxFilter, ListError, Page, PageRequest, UpdateSession, UpdateSessionError};

use super::pages::page;
use super::state::State;

impl State {
    pub fn update_session(&mut self, command: UpdateSession) -> Result<Session, UpdateSessionError> {
        let UpdateSession { customer_id, patch, new_turn, now } = command;
        if self.customers.get(customer_id).is_none() {
            return Err(UpdateSessionError::NotFound);
        }
        let session = self
            .newest_session(customer_id)
            .filter(|session| session.is_current(now, self.rules.idle_after))
            .cloned()
            .ok_or(UpdateSessionError::NoCurrentSession)?;
        let switched = conversation::update_session(session, &patch, &self.rules, new_turn, now);
        Ok(self.change_queue(customer_id, now, |state| state.keep_switch(switched, now)))
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
        for message in self.messages.rows_mut() {
            if message.customer_id == session.customer_id && message.author.is_bot() {
                message.recall(now);
            }
        }
        for turn in self.turns.rows_mut() {
            if turn.session_id == session.id && turn.state == TurnState::Pending {
                turn.drop_unasked(session, turn.message_id.and_then(|id| self.messages.get(id)));
            }
        }
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
            .filter(|session| is_wanted(session, filter))
            .map(|session| {
                let place = session.inbox_place();
                ((place.queue as u8, place.since, session.id), session.clone())
            })
            .collect();
        page(("inbox", uuid::Uuid::nil()), rows, request)
    }
}

fn is_wanted(session: &Session, filter: &InboxFilter) -> bool {
    filter.need_attention.is_none_or(|wanted| session.need_attention == wanted)
        && filter.tag.as_ref().is_none_or(|tag| session.tags.contains(tag))
        && filter.topic.as_ref().is_none_or(|topic| session.topics.contains(topic))
}
