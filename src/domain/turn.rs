//! A turn: one thing that the bot is told, durably and in order, and that it may answer.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::conversation::{Answer, Refusal, fence, queue_turn};
use super::customer::Customer;
use super::ids::{CustomerId, MessageId, SessionId, TurnId};
use super::message::Message;
use super::session::{Asked, Session};
use super::time::Timestamp;

/// How many messages a turn's history has at the most.
pub const HISTORY: usize = 100;

/// What the bot is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TurnKind {
    /// The customer wrote: `message.received`. An answer is expected.
    MessageReceived,
    /// An agent wrote: `message.created`. No answer is expected.
    MessageCreated,
    /// The session came back from the agents: `session.updated`. No answer is expected.
    SessionUpdated,
    /// The customer wrote while agents have the session: `message.received`. No answer is expected, but one may be
    /// proposed to the agents.
    MessageObserved,
}

impl TurnKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived | Self::MessageObserved => "message.received",
            Self::MessageCreated => "message.created",
            Self::SessionUpdated => "session.updated",
        }
    }

    pub fn expects_reply(self) -> bool {
        self == Self::MessageReceived
    }

    /// Whether what the bot says to it counts: as an answer, or as what it proposes to the agents.
    pub fn may_be_answered(self) -> bool {
        matches!(self, Self::MessageReceived | Self::MessageObserved)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TurnState {
    Pending,
    InFlight {
        owner: String,
    },
    Done,
    /// Dropped when agents took the session, before the bot was asked.
    Dropped,
    /// The bot answered, and its answer was refused.
    Refused {
        reason: String,
    },
    /// The bot could not be reached, and nobody tries any more.
    Failed {
        reason: String,
    },
}

/// An answer to a turn that came by a call of the bot's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What makes a repeat a repeat.
    #[serde(with = "super::digest")]
    pub key: [u8; 32],
    pub messages: Vec<MessageId>,
}

/// The most that is kept of what was not taken of one turn's answers.
const MOST_REFUSED_TEXTS: usize = 20;
/// How many replies of a turn are remembered; one more is not taken.
const MOST_REPLIES: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub id: TurnId,
    pub session_id: SessionId,
    pub customer_id: CustomerId,
    /// Its place in the session's queue of turns, from 0.
    pub place: u64,
    /// Its number on the wire, gapless per session from 1; given when the bot is first told.
    pub number: Option<u64>,
    pub kind: TurnKind,
    /// The message it is about, the first of them; none for `session.updated`.
    pub message_id: Option<MessageId>,
    /// What else the customer wrote before the bot was told, in its order.
    #[serde(default)]
    pub also: Vec<MessageId>,
    /// What the bot said of its own accord, beside the answer to the call.
    #[serde(default)]
    pub replies: Vec<Reply>,
    /// What the bot said and what was not taken.
    #[serde(default)]
    pub refused_texts: Vec<String>,
    /// The places of the messages that the bot was not told of and is told of with it: what was said while it was paused,
    /// for `session.updated`; for any turn what an earlier one was to tell in vain, from its first claim on.
    pub history: Option<Range<u64>>,
    /// The session's version when it was queued: what is answered after a switch is refused.
    pub version: u64,
    pub attempts: u32,
    /// How many of the attempts ended with the bot's failure; others ended with the process that made them.
    #[serde(default)]
    pub failures: u32,
    /// How many of the attempts were none: the bot was not even called.
    #[serde(default)]
    pub put_off: u32,
    pub due_at: Timestamp,
    pub state: TurnState,
    pub created_at: Timestamp,
}

impl Turn {
    /// Whether the turns after it wait for it.
    pub fn is_open(&self) -> bool {
        matches!(self.state, TurnState::Pending | TurnState::InFlight { .. })
    }

    /// Whether it can tell of one more text: it waits to be told, for the first time, and tells of what such a turn of the
    /// session would.
    pub fn takes_along(&self, kind: TurnKind, session: &Session, most: usize) -> bool {
        self.kind == kind
            && self.session_id == session.id
            && self.version == session.version
            && self.state == TurnState::Pending
            && self.calls() == 0
            && self.also.len() < most
    }

    /// All the messages it is about, in their order.
    pub fn message_ids(&self) -> impl Iterator<Item = MessageId> {
        self.message_id.into_iter().chain(self.also.iter().copied())
    }

    /// Hands it to `owner`. Its first claim numbers it. What the bot has missed before, it is told with this one.
    /// `message`: the one that the turn names.
    pub fn claim(&mut self, session: &mut Session, message: Option<&Message>, owner: &str) {
        self.attempts += 1;
        self.state = TurnState::InFlight { owner: owner.to_owned() };
        if self.number.is_none() {
            session.turns_numbered += 1;
            self.number = Some(session.turns_numbered);
        }
        if self.kind.expects_reply() {
            session.asked = Some(Asked { version: self.version, at: self.due_at });
        }
        // While agents have the session, it is told when they let go.
        if !session.need_attention {
            self.tell_missed(session, message);
        }
    }

    fn tell_missed(&mut self, session: &mut Session, message: Option<&Message>) {
        let end = match (&self.history, message) {
            (Some(places), _) => places.end,
            (None, Some(message)) => message.place,
            (None, None) => session.message_count,
        };
        let Some(from) = session.unseen_by_bot_from.filter(|from| *from < end) else { return };
        let start = self.history.as_ref().map_or(from, |places| places.start.min(from));
        self.history = Some(start..end);
        session.unseen_by_bot_from = None;
    }

    /// The bot is asked again at `due_at`; or never, where agents have taken the session since, and it was to answer.
    /// `message`: the one that the turn names.
    pub fn retry(&mut self, session: &mut Session, message: Option<&Message>, due_at: Timestamp) {
        if !self.replies.is_empty() {
            // It was told, and has answered, by a call of its own.
            self.state = TurnState::Done;
        } else if self.is_obsolete(session) {
            self.drop_unasked(session, message);
        } else {
            self.state = TurnState::Pending;
            self.due_at = due_at;
        }
    }

    fn first_place(&self, message: Option<&Message>) -> Option<u64> {
        let named = message.map(|message| message.place);
        named.into_iter().chain(self.history.as_ref().map(|places| places.start)).min()
    }

    /// How often the bot was called, or may have been.
    pub fn calls(&self) -> u32 {
        self.attempts.saturating_sub(self.put_off)
    }

    /// It was handed out, and the bot was not even called: as if it had not been. One that the bot has answered all the same
    /// keeps its number.
    pub fn was_not_told(&mut self, session: &mut Session) {
        self.put_off += 1;
        let is_last = |number| number == session.turns_numbered && number > session.turns_answered;
        if self.calls() == 0 && self.number.is_some_and(is_last) {
            session.turns_numbered -= 1;
            self.number = None;
        }
        session.asked = session.asked.filter(|asked| asked.version != self.version);
    }

    /// The process that has it in hand.
    pub fn owner(&self) -> Option<&str> {
        match &self.state {
            TurnState::InFlight { owner } => Some(owner),
            TurnState::Pending
            | TurnState::Done
            | TurnState::Dropped
            | TurnState::Refused { .. }
            | TurnState::Failed { .. } => None,
        }
    }

    /// Whether a process other than `owner` has it in hand.
    pub fn is_abandoned(&self, owner: &str) -> bool {
        self.owner().is_some_and(|holder| holder != owner)
    }

    /// Whether `owner` has it in hand and does not know of that, but at most of earlier attempts.
    pub fn is_forgotten(&self, owner: &str, known: &[(TurnId, u32)]) -> bool {
        self.owner() == Some(owner) && !known.contains(&(self.id, self.attempts))
    }

    /// Whether a switch has made it needless to ask.
    pub fn is_obsolete(&self, session: &Session) -> bool {
        match self.kind {
            TurnKind::MessageReceived => fence(self, session).is_err(),
            TurnKind::MessageObserved => self.version != session.version,
            TurnKind::MessageCreated | TurnKind::SessionUpdated => false,
        }
    }

    /// The bot has answered; `refused` is why its answer does not count.
    pub fn complete(&mut self, refused: Option<Refusal>, answer: &Answer) {
        self.state = match refused {
            None => TurnState::Done,
            Some(refusal) => TurnState::Refused { reason: refusal.slug().to_owned() },
        };
        if refused.is_some() {
            self.note_refused(answer);
        }
    }

    /// The bot has answered by a call of its own; while it is still being told, that goes on.
    pub fn note_reply(
        &mut self,
        key: [u8; 32],
        messages: Vec<MessageId>,
        refused: Option<Refusal>,
        answer: &Answer,
    ) {
        if let Some(refusal) = refused {
            self.note_refused(answer);
            if self.state == TurnState::Done && self.replies.is_empty() {
                self.state = TurnState::Refused { reason: refusal.slug().to_owned() };
            }
            return;
        }
        // Of nothing that was said nothing could be said twice.
        if !answer.is_empty() {
            self.replies.push(Reply { key, messages });
        }
        if self.state == TurnState::Pending {
            self.state = TurnState::Done;
        }
    }

    /// What was answered under that key before.
    pub fn reply(&self, key: [u8; 32]) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.key == key)
    }

    /// Whether something else was said under that key: its first half is of what names the call, its second of what was said.
    pub fn is_other_reply(&self, key: [u8; 32]) -> bool {
        self.replies.iter().any(|reply| reply.key != key && reply.key[..16] == key[..16])
    }

    /// Whether it was answered as often as anybody remembers.
    pub fn is_answered_out(&self) -> bool {
        self.replies.len() >= MOST_REPLIES
    }

    fn note_refused(&mut self, answer: &Answer) {
        for text in &answer.texts {
            if self.refused_texts.len() < MOST_REFUSED_TEXTS && !self.refused_texts.contains(&text.content) {
                self.refused_texts.push(text.content.clone());
            }
        }
    }

    /// Agents have taken the session before the bot was asked: it has missed what the turn is about.
    /// `message`: the one that the turn names.
    pub fn drop_unasked(&mut self, session: &mut Session, message: Option<&Message>) {
        self.state = TurnState::Dropped;
        self.missed(session, message);
    }

    /// The bot was not told: the session's next turn tells it; where agents have the session, once they let go.
    pub(super) fn missed(&self, session: &mut Session, message: Option<&Message>) {
        if let Some(place) = self.first_place(message) {
            session.bot_missed(place);
        }
    }

    /// Whether it was given up, or its answer refused.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, TurnState::Failed { .. } | TurnState::Refused { .. })
    }

    /// The same turn once more, as a new one at the end of the session's. Refused while agents have the session, and the bot
    /// is not to be asked.
    pub fn again(&self, session: &mut Session, id: TurnId, now: Timestamp) -> Result<Self, Refusal> {
        if session.need_attention {
            return Err(Refusal::SessionHeld);
        }
        let kind = if self.kind == TurnKind::MessageObserved { TurnKind::MessageReceived } else { self.kind };
        session.updated_at = now;
        Ok(Self { also: self.also.clone(), ..queue_turn(session, id, kind, self.message_id, now) })
    }

    /// The fencing token of the call in hand.
    pub fn has_attempt(&self, attempt: u32) -> bool {
        matches!(self.state, TurnState::InFlight { .. }) && self.attempts == attempt
    }
}

/// A turn with all that the bot needs to know. `turn.attempts` is the fencing token of the call.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnWork {
    pub turn: Turn,
    pub session: Session,
    pub customer: Customer,
    /// The message it is about, the first of them.
    pub message: Option<Message>,
    /// What else the customer wrote before the bot was told.
    pub also: Vec<Message>,
    /// What was said while the bot was paused, oldest first (at most [`HISTORY`], the newest ones).
    pub history: Vec<Message>,
}

impl TurnWork {
    /// All the messages that it is about, in their order.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.message.iter().chain(&self.also)
    }

    /// What the customer wrote, as one text: a line for each, where it was several.
    pub fn heard(&self) -> String {
        let texts = self.messages().map(|message| message.content.as_str());
        texts.filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests;
