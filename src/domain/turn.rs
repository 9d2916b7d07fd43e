//! A turn: one thing that the bot is told, durably and in order, and that it may answer.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::conversation::{Refusal, fence};
use super::customer::Customer;
use super::ids::{CustomerId, MessageId, SessionId, TurnId};
use super::message::Message;
use super::session::Session;
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
}

impl TurnKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived => "message.received",
            Self::MessageCreated => "message.created",
            Self::SessionUpdated => "session.updated",
        }
    }

    pub fn expects_reply(self) -> bool {
        self == Self::MessageReceived
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
    /// The message it is about; none for `session.updated`.
    pub message_id: Option<MessageId>,
    /// The places of the messages that the bot was not told of and is told of with it: what was said while it was paused,
    /// for `session.updated`; for any turn what an earlier one was to tell in vain, from its first claim on.
    pub history: Option<Range<u64>>,
    /// The session's version when it was queued: what is answered after a switch is refused.
    pub version: u64,
    pub attempts: u32,
    /// How many of the attempts ended with the bot's failure; others ended with the process that made them.
    #[serde(default)]
    pub failures: u32,
    pub due_at: Timestamp,
    pub state: TurnState,
    pub created_at: Timestamp,
}

impl Turn {
    /// Whether the turns after it wait for it.
    pub fn is_open(&self) -> bool {
        matches!(self.state, TurnState::Pending | TurnState::InFlight { .. })
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
        if self.kind.expects_reply() && fence(self, session).is_err() {
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

    /// Whether a process other than `owner` has it in hand.
    pub fn is_abandoned(&self, owner: &str) -> bool {
        matches!(&self.state, TurnState::InFlight { owner: holder } if holder != owner)
    }

    /// Whether `owner` has it in hand and does not know of that, but at most of earlier attempts.
    pub fn is_forgotten(&self, owner: &str, known: &[(TurnId, u32)]) -> bool {
        matches!(&self.state, TurnState::InFlight { owner: holder } if holder == owner)
            && !known.contains(&(self.id, self.attempts))
    }

    /// The bot has answered; `refused` is why its answer does not count.
    pub fn complete(&mut self, refused: Option<Refusal>) {
        self.state = match refused {
            None => TurnState::Done,
            Some(refusal) => TurnState::Refused { reason: refusal.slug().to_owned() },
        };
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
    /// The message it is about.
    pub message: Option<Message>,
    /// What was said while the bot was paused, oldest first (at most [`HISTORY`], the newest ones).
    pub history: Vec<Message>,
}
