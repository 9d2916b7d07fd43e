//! Bot or agent, never both: who has a session, what each said while it had it, and what the bot was told.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::domain::delivery::Exemption;
use switchboard::domain::ids::{MessageId, SessionId, TurnId};
use switchboard::domain::message::Message;
use switchboard::domain::session::Session;
use switchboard::domain::turn::TurnWork;
use switchboard::store::{
    CompleteTurn, CreateMessage, CreateMessageError, Fresh, Store, StoreError, TurnClaim, TurnCompleted,
    TurnError, TurnFailed, TurnFailure, UpdateSession, UpdateSessionError,
};

use super::{Audit, Book, Voice, at_once};

#[derive(Default)]
pub struct Hands {
    sessions: BTreeMap<SessionId, Hand>,
    /// Calls of the bot: how often the session had been switched when the turn was handed out.
    calls: BTreeMap<(TurnId, u32), u64>,
    /// Turns whose texts were taken.
    answered: BTreeSet<TurnId>,
    /// What must not leave any more once that switch is answered.
    fences: BTreeMap<String, Vec<MessageId>>,
    /// The number that each turn was told with.
    numbers: BTreeMap<TurnId, u64>,
    /// What the bot was told of.
    pub told: BTreeSet<MessageId>,
}

#[derive(Default)]
struct Hand {
    held: bool,
    switches: u64,
    /// The last number of a turn of it that the bot was told.
    turns_told: u64,
    /// The last place of a customer's text of it that the bot was told as a turn.
    place_told: Option<u64>,
}

impl Audit {
    /// Something may have switched that session.
    pub(super) fn look_at_session(&self, book: &mut Book, id: SessionId) {
        let Some(session) = at_once(self.disk.session(id)).unwrap() else { return };
        let hand = book
            .hands
            .sessions
            .entry(id)
            .or_insert_with(|| Hand { held: session.need_attention, ..Hand::default() });
        if hand.held != session.need_attention {
            hand.held = session.need_attention;
            hand.switches += 1;
        }
    }

    pub fn saw_switch(&self, answer: &Result<Session, UpdateSessionError>, command: &UpdateSession) {
        let Ok(session) = answer else { return };
        let mut book = self.book();
        if let (Some(true), Some(mark)) = (command.patch.need_attention, &command.patch.reason) {
            let bots = book.of_customer(session.customer_id).filter(|(_, text)| text.voice == Voice::Bot);
            let bots = bots.map(|(id, _)| *id).collect();
            book.hands.fences.insert(mark.clone(), bots);
        }
        self.look_at_session(&mut book, session.id);
    }

    /// Agents were told that they have it: what the bot had said and not sent by then never leaves.
    pub fn hold_is_acknowledged(&self, mark: &str) {
        let mut book = self.book();
        for id in book.hands.fences.remove(mark).unwrap_or_default() {
            book.texts.get_mut(&id).unwrap().fenced = true;
        }
    }

    pub fn saw_message(&self, answer: &Result<Fresh<Message>, CreateMessageError>, command: &CreateMessage) {
        let Ok(Fresh { value: message, replayed: false }) = answer else { return };
        let mut book = self.book();
        let mut expected = Exemption::None;
        if command.text.confirmation.is_some() {
            expected = Exemption::Confirmation;
        }
        if message.delivery.exemption != expected {
            self.journal.broken(format!("a text is exempt from consent as {:?}", message.delivery.exemption));
        }
        let held = at_once(self.disk.session(message.session_id)).unwrap().unwrap().need_attention;
        match Voice::of(&message.author) {
            Voice::Agent if !held => {
                self.journal.broken("an agent spoke while the bot had the session");
            }
            Voice::Bot if held => self.journal.broken("the bot spoke while agents had the session"),
            Voice::Agent | Voice::Bot | Voice::Gateway => {}
        }
        book.create(message, &self.journal);
        self.look_at_session(&mut book, message.session_id);
    }

    pub fn saw_claim(&self, answer: &Result<TurnClaim, StoreError>) {
        let Ok(TurnClaim::Work(work)) = answer else { return };
        let mut book = self.book();
        self.look_at_session(&mut book, work.session.id);
        let switches = book.hands.sessions[&work.session.id].switches;
        book.hands.calls.insert((work.turn.id, work.turn.attempts), switches);
    }

    pub fn saw_answer(&self, answer: &Result<TurnCompleted, TurnError>, command: &CompleteTurn) {
        let Ok(completed) = answer else { return };
        let turn = at_once(self.disk.turn(command.turn_id)).unwrap().unwrap();
        let mut book = self.book();
        if completed.refused.is_some() {
            self.journal.saw("bot's answer refused");
        }
        if !completed.messages.is_empty() {
            let then = book.hands.calls.get(&(command.turn_id, command.attempt)).copied();
            let hand = &book.hands.sessions[&turn.session_id];
            if hand.held || then != Some(hand.switches) {
                self.journal
                    .broken("the bot's answer was taken though its session was switched since it was asked");
            }
            if !book.hands.answered.insert(command.turn_id) {
                self.journal.broken("two answers to one turn were taken");
            }
        }
        completed.messages.iter().for_each(|message| book.create(message, &self.journal));
        self.look_at_session(&mut book, turn.session_id);
    }

    pub fn saw_failure(&self, answer: &Result<TurnFailed, TurnError>, id: TurnId, failure: &TurnFailure) {
        if answer.is_err() {
            return;
        }
        if matches!(failure, TurnFailure::GiveUp { .. }) {
            self.journal.saw("bot given up");
        }
        let turn = at_once(self.disk.turn(id)).unwrap().unwrap();
        self.look_at_session(&mut self.book(), turn.session_id);
    }

    pub fn saw_released(&self, answer: &Result<usize, StoreError>) {
        if matches!(answer, Ok(1..)) {
            self.journal.saw("turn told again after a crash");
        }
    }

    pub fn saw_mark(&self, answer: &Result<(), StoreError>) {
        self.book().is_marked |= answer.is_ok();
    }

    /// The bot is told, turn after turn, each session's in the order in which it happened.
    pub fn bot_was_told(&self, work: &TurnWork) {
        let mut book = self.book();
        let number = work.turn.number.unwrap();
        self.journal.note(|| format!("the bot is told turn {number}, attempt {} of it", work.turn.attempts));
        let fresh = book.hands.numbers.insert(work.turn.id, number).is_none();
        let Hands { sessions, told, .. } = &mut book.hands;
        let hand = sessions.entry(work.session.id).or_default();
        // Not without a gap: what was handed out just before a crash may never have been told.
        if fresh && number <= hand.turns_told {
            self.journal.broken(format!("the bot was told turn {number} after {}", hand.turns_told));
        }
        hand.turns_told = hand.turns_told.max(number);
        if let Some(message) = work.message.as_ref().filter(|message| message.is_inbound() && fresh)
            && hand.place_told.replace(message.place).is_some_and(|last| last > message.place)
        {
            self.journal.broken("the bot was told a customer's texts out of order");
        }
        told.extend(work.message.iter().chain(&work.history).map(|message| message.id));
    }
}
