//! The bot's turns: handed out one by one per session, answered, tried again or given up.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::answer::{Answered, GivenUp, GivingUp, answer, give_up, reply};
use crate::domain::conversation::Answer;
use crate::domain::event::of_refusal;
use crate::domain::ids::{SessionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{HISTORY, Turn, TurnState, TurnWork};
use crate::store::{
    CompleteTurn, ListError, Page, PageRequest, ReplayError, ReplyError, ReplyToTurn, StoreError, TurnClaim,
    TurnCompleted, TurnError, TurnFailed, TurnFailure, TurnReplied,
};

use super::pages::page;
use super::state::State;

impl State {
    pub fn claim_turn(&mut self, owner: &str, now: Timestamp) -> Result<TurnClaim, StoreError> {
        loop {
            let turn = match self.next_turn(now) {
                Ok(turn) => turn,
                Err(nothing) => return Ok(nothing),
            };
            let mut session = self.session_of(&turn)?;
            if !turn.is_obsolete(&session) {
                return Ok(TurnClaim::Work(Box::new(self.hand_out(turn, owner)?)));
            }
            let mut turn = turn;
            turn.drop_unasked(&mut session, self.message_of(&turn).cloned().as_ref());
            self.turns.put(turn);
            self.sessions.put(session);
        }
    }

    /// The turn that is due first, or when one is.
    fn next_turn(&self, now: Timestamp) -> Result<Turn, TurnClaim> {
        let mut first_of_each: BTreeMap<SessionId, (u64, &Turn)> = BTreeMap::new();
        for (number, turn) in self.turns.numbered().filter(|(_, turn)| turn.is_open()) {
            first_of_each.entry(turn.session_id).or_insert((number, turn));
        }
        let next = first_of_each
            .into_values()
            .filter(|(_, turn)| turn.state == TurnState::Pending)
            .min_by_key(|(number, turn)| (turn.due_at, *number));
        match next {
            None => Err(TurnClaim::Idle),
            Some((_, turn)) if turn.due_at > now => Err(TurnClaim::NotBefore(turn.due_at)),
            Some((_, turn)) => Ok(turn.clone()),
        }
    }

    fn hand_out(&mut self, mut turn: Turn, owner: &str) -> Result<TurnWork, StoreError> {
        let customer = self.owner(turn.customer_id)?.clone();
        let mut session = self.session_of(&turn)?;
        turn.claim(&mut session, self.message_of(&turn), owner);
        self.turns.put(turn.clone());
        self.sessions.put(session.clone());
        let message = self.message_of(&turn).cloned();
        let also = turn.also.iter().filter_map(|id| self.messages.get(*id)).cloned().collect();
        Ok(TurnWork { history: self.history_of(&turn), turn, session, customer, message, also })
    }

    fn session_of(&self, turn: &Turn) -> Result<Session, StoreError> {
        let session = self.sessions.get(turn.session_id).cloned();
        session.ok_or_else(|| StoreError::Corrupt("a turn belongs to no session".into()))
    }

    fn message_of(&self, turn: &Turn) -> Option<&Message> {
        turn.message_id.and_then(|id| self.messages.get(id))
    }

    fn history_of(&self, turn: &Turn) -> Vec<Message> {
        let Some(places) = &turn.history else { return Vec::new() };
        let of_session = self.messages.rows().filter(|message| message.session_id == turn.session_id);
        let mut said: Vec<Message> =
            of_session.filter(|message| places.contains(&message.place)).cloned().collect();
        said.sort_by_key(|message| message.place);
        said.split_off(said.len().saturating_sub(HISTORY))
    }

    fn in_hand(&self, id: TurnId, attempt: u32) -> Result<Turn, TurnError> {
        self.turns.get(id).filter(|turn| turn.has_attempt(attempt)).cloned().ok_or(TurnError::Stale)
    }

    pub fn complete_turn(&mut self, command: &CompleteTurn) -> Result<TurnCompleted, TurnError> {
        let turn = self.in_hand(command.turn_id, command.attempt)?;
        let given = command.said.given(self.newer_session(&turn));
        let (customer, session) = (self.owner(turn.customer_id)?, self.session_of(&turn)?);
        let answered = answer(customer, session, &turn, &given, &self.rules, command.now);
        let mut turn = turn;
        turn.complete(answered.refused, &command.said.answer);
        Ok(self.keep_answer(turn, answered, &command.said.answer, command.now))
    }

    pub fn reply_to_turn(&mut self, command: &ReplyToTurn) -> Result<TurnReplied, ReplyError> {
        let mut turn = self.turns.get(command.turn_id).cloned().ok_or(ReplyError::NotFound)?;
        if let Some(reply) = command.repeats(&turn)? {
            let messages = reply.messages.iter().filter_map(|id| self.messages.get(*id)).cloned().collect();
            let completed = TurnCompleted { messages, refused: None, handed_off: false };
            return Ok(TurnReplied { completed, replayed: true });
        }
        let given = command.said.given(self.newer_session(&turn));
        let (customer, session) = (self.owner(turn.customer_id)?, self.session_of(&turn)?);
        let answered = reply(customer, session, &turn, &given, &self.rules, command.now);
        let ids = answered.messages.iter().map(|message| message.id).collect();
        turn.note_reply(command.key, ids, answered.refused, &command.said.answer);
        let completed = self.keep_answer(turn, answered, &command.said.answer, command.now);
        Ok(TurnReplied { completed, replayed: false })
    }

    /// The customer's newest session, where that is not the turn's.
    fn newer_session(&self, turn: &Turn) -> Option<&Session> {
        self.newest_session(turn.customer_id).filter(|newest| newest.id != turn.session_id)
    }

    fn keep_answer(
        &mut self,
        turn: Turn,
        mut answered: Answered,
        answer: &Answer,
        now: Timestamp,
    ) -> TurnCompleted {
        let customer_id = turn.customer_id;
        self.told.extend(answered.refused.map(|refusal| of_refusal(&turn, refusal, answer)));
        self.turns.put(turn);
        self.change_queue(customer_id, now, |state| {
            if answered.silence_bot {
                state.silence_bot(&mut answered.session, now);
            }
            // After the bot was silenced: a hand-off leaves its own answer's texts.
            answered.messages.iter().for_each(|message| state.messages.put(message.clone()));
            state.sessions.put(answered.session.clone());
        });
        let Answered { messages, silence_bot, refused, .. } = answered;
        TurnCompleted { messages, refused, handed_off: silence_bot }
    }

    pub fn fail_turn(
        &mut self,
        id: TurnId,
        attempt: u32,
        failure: TurnFailure,
        now: Timestamp,
    ) -> Result<TurnFailed, TurnError> {
        let mut turn = self.in_hand(id, attempt)?;
        let called = !matches!(failure, TurnFailure::NotAsked { .. });
        match failure {
            TurnFailure::RetryAt(due_at) => {
                turn.failures += 1;
                let session = self.session_of(&turn)?;
                self.retry_turn(turn, session, due_at);
                Ok(TurnFailed::default())
            }
            TurnFailure::PutOff(due_at) => {
                let mut session = self.session_of(&turn)?;
                turn.was_not_told(&mut session);
                self.retry_turn(turn, session, due_at);
                Ok(TurnFailed::default())
            }
            TurnFailure::GiveUp { reason, fallback } | TurnFailure::NotAsked { reason, fallback } => {
                let overtaken = self.newer_session(&turn).is_some();
                let session = self.session_of(&turn)?;
                let message = turn.message_id.and_then(|id| self.messages.get(id));
                let giving_up = GivingUp { reason: &reason, fallback: fallback.as_ref(), overtaken, called };
                let customer = self.owner(turn.customer_id)?;
                let given_up = give_up(customer, &mut turn, session, message, &giving_up, &self.rules, now);
                let GivenUp { switched, message } = given_up;
                let handed_over = switched.silence_bot;
                self.turns.put(turn.clone());
                self.change_queue(turn.customer_id, now, |state| {
                    state.keep_switch(switched, now);
                    if let Some(message) = &message {
                        state.messages.put(message.clone());
                    }
                });
                Ok(TurnFailed { message, handed_over })
            }
        }
    }

    pub fn failed_turns(&self, request: &PageRequest) -> Result<Page<Turn>, ListError> {
        let failed = self.turns.numbered().filter(|(_, turn)| turn.has_failed());
        let rows = failed.map(|(number, turn)| (Reverse(number), turn.clone())).collect();
        page(("failed turns", uuid::Uuid::nil()), rows, request)
    }

    pub fn replay_turn(&mut self, id: TurnId, new_turn: TurnId, now: Timestamp) -> Result<Turn, ReplayError> {
        let turn = self.turns.get(id).ok_or(ReplayError::NotFound)?;
        if turn.is_open() {
            return Err(ReplayError::NotOver);
        }
        let mut session = self.session_of(turn)?;
        let again = turn.again(&mut session, new_turn, now)?;
        self.turns.put(again.clone());
        self.sessions.put(session);
        Ok(again)
    }

    pub fn release_turns(&mut self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        self.retry_turns(now, |turn| turn.is_abandoned(owner))
    }

    pub fn reclaim_turns(
        &mut self,
        owner: &str,
        known: &[(TurnId, u32)],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.retry_turns(now, |turn| turn.is_forgotten(owner, known))
    }

    /// Those turns are pending again. Returns how many.
    fn retry_turns(&mut self, now: Timestamp, which: impl Fn(&Turn) -> bool) -> Result<usize, StoreError> {
        let turns: Vec<Turn> = self.turns.rows().filter(|turn| which(turn)).cloned().collect();
        let count = turns.len();
        for turn in turns {
            let session = self.session_of(&turn)?;
            self.retry_turn(turn, session, now);
        }
        Ok(count)
    }

    fn retry_turn(&mut self, mut turn: Turn, mut session: Session, due_at: Timestamp) {
        turn.retry(&mut session, self.message_of(&turn).cloned().as_ref(), due_at);
        self.turns.put(turn);
        self.sessions.put(session);
    }
}
