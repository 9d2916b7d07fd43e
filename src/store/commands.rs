//! What the commands of [`super::Store`] take, and what they give back: shapes and errors, no decisions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::answer::{Fallback, GivenAnswer};
use crate::domain::attention::AssignRefusal;
use crate::domain::conversation::{Answer, InboundIds, InboundText, OutboundText, Refusal, SessionPatch};
use crate::domain::customer::{ConfirmRefusal, ConsentEvidence, Customer};
use crate::domain::delivery::{ReceiptStatus, Status};
use crate::domain::endpoint::Delivery;
use crate::domain::event::Event;
use crate::domain::ids::{CustomerId, MessageId, SessionId, TokenId, TurnId};
use crate::domain::message::Message;
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Reply, Turn, TurnWork};

/// The engine could not do it, whatever was asked. The same call may work later. But for [`StoreError::Uncertain`],
/// nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More work than the engine can take right now.
    #[error("the store has more work waiting than it takes")]
    Overloaded,
    /// The disk has less room than the store keeps.
    #[error("the store's disk has {free_bytes} bytes left, and the store keeps {min_free_bytes} free")]
    Full { free_bytes: u64, min_free_bytes: u64 },
    /// The engine is away: its disk is full or broken, or it is closing.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The engine failed while it wrote. What was asked for may have been kept all the same: who asks again has to do so
    /// in a way that does nothing twice.
    #[error("the store failed while it wrote, and what was asked for may or may not have been kept: {0}")]
    Uncertain(String),
    /// The command broke off. Nothing of it was taken, and it would break off again.
    #[error("the store's command broke off: {0}")]
    BrokeOff(String),
    /// What is stored cannot be read.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(String),
    /// The command would write a record of so many bytes. The one kind that no later call gets past.
    #[error("a record of {0} bytes is larger than the store takes")]
    TooLarge(usize),
}

impl StoreError {
    /// Whether what was asked for may have been kept in spite of the error.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Uncertain(_))
    }

    /// Whether it is a state of the store, which may pass; not of what was asked for, or of what is stored.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Overloaded | Self::Full { .. } | Self::Unavailable(_) | Self::Uncertain(_) => true,
            Self::BrokeOff(_) | Self::Corrupt(_) | Self::TooLarge(_) => false,
        }
    }
}

/// A list could not be given.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The cursor is not one that this list handed out.
    #[error("the cursor does not belong to this list")]
    InvalidCursor,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where the next page starts: after the last item of the page before, wherever that stands by now. So pages stay true
/// while items are added. Opaque: only the engine that made it can read it. It belongs to its list, that is to the
/// method and the customer or session it was asked about; the inbox's filter may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

#[derive(Clone, Debug)]
pub struct PageRequest {
    pub after: Option<Cursor>,
    /// At least 1.
    pub limit: usize,
}

/// One page of a list; `next` is there if there is more.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
}

/// The agents' inbox, narrowed down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxFilter {
    pub need_attention: Option<bool>,
    pub tag: Option<String>,
    pub topic: Option<String>,
    pub assignee: Option<AssigneeFilter>,
}

/// Whose sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssigneeFilter {
    /// Those that nobody has.
    Nobody,
    Agent(String),
}

impl InboxFilter {
    /// Whether a session is among what is asked for.
    pub fn takes(&self, session: &Session) -> bool {
        let assigned = |filter: &AssigneeFilter| match filter {
            AssigneeFilter::Nobody => session.assignee.is_none(),
            AssigneeFilter::Agent(name) => session.assignee.as_ref() == Some(name),
        };
        self.need_attention.is_none_or(|wanted| session.need_attention == wanted)
            && self.tag.as_ref().is_none_or(|tag| session.tags.contains(tag))
            && self.topic.as_ref().is_none_or(|topic| session.topics.contains(topic))
            && self.assignee.as_ref().is_none_or(assigned)
    }
}

/// Makes a creating call repeatable: the same key with the same request gives the first answer again.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Whose key it is: keys of different callers never meet.
    pub scope: String,
    pub key: String,
    /// SHA-256 of what was asked for, and of where.
    pub request: [u8; 32],
}

/// Something created, or the very thing that the same request created before, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh<T> {
    pub value: T,
    pub replayed: bool,
}

#[derive(Clone, Debug)]
pub struct RecordInbound {
    pub text: InboundText,
    pub ids: InboundIds,
    pub now: Timestamp,
}

/// What became of a customer's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    Recorded {
        message: Box<Message>,
        session: Box<Session>,
        /// A turn of the bot was queued.
        turn: bool,
        /// The gateway's own answer to a keyword, queued.
        reply: Option<Box<Message>>,
    },
    /// The provider delivered it before; this is the message that it became.
    Duplicate { message_id: MessageId },
}

/// A new customer.
#[derive(Clone, Debug)]
pub struct CreateCustomer {
    pub id: CustomerId,
    pub number: Address,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub time_zone: String,
    pub country_code: Option<String>,
    /// Created confirmed, on this evidence; or else unconfirmed, with this token out.
    pub confirmed: Option<ConsentEvidence>,
    pub token: Option<String>,
    pub idempotency: Option<Idempotency>,
    pub now: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateCustomerError {
    #[error("another customer has this number")]
    NumberTaken(CustomerId),
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change of a customer; `None` leaves a field, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct CustomerPatch {
    pub email: Option<Option<String>>,
    pub first_name: Option<Option<String>>,
    pub last_name: Option<Option<String>>,
    pub time_zone: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    #[error("no such customer")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("no such customer")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] ConfirmRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a change of a subscription changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    Changed,
    Already,
}

#[derive(Clone, Debug)]
pub struct SetSubscription {
    pub customer_id: CustomerId,
    pub unsubscribed: bool,
    pub evidence: ConsentEvidence,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct CreateMessage {
    pub customer_id: CustomerId,
    pub text: OutboundText,
    pub idempotency: Option<Idempotency>,
    pub now: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateMessageError {
    #[error("no such customer")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Debug)]
pub struct UpdateSession {
    pub customer_id: CustomerId,
    pub patch: SessionPatch,
    pub new_turn: TurnId,
    pub now: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum UpdateSessionError {
    #[error("no such customer")]
    NotFound,
    #[error("the customer has no current session")]
    NoCurrentSession,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An agent takes a session on.
#[derive(Clone, Debug)]
pub struct AssignSession {
    pub customer_id: CustomerId,
    /// Who has it then; none: nobody.
    pub assignee: Option<String>,
    /// Who wants it so.
    pub caller: String,
    /// Also if somebody else has it.
    pub force: bool,
    pub now: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum AssignError {
    #[error("no such customer")]
    NotFound,
    #[error("the customer has no current session")]
    NoCurrentSession,
    #[error(transparent)]
    Refused(#[from] AssignRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was done for customers who wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attended {
    /// Agents are told again of these.
    pub escalated: Vec<Session>,
    /// The bot has these back.
    pub returned: Vec<Session>,
    /// When something is due next; none: not before somebody waits.
    pub next_at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("no such message")]
    NotFound,
    /// It is on its way, or it is a customer's: too late to cancel.
    #[error("the message is {}", .0.as_str())]
    NotQueued(Status),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    #[error("no such message")]
    NotFound,
    /// It is not waiting for anybody's decision.
    #[error("the message is {}, and not held", .0.as_str())]
    NotHeld(Status),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a lane has to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneHead {
    /// This message is next, now.
    Ready {
        message_id: MessageId,
        segments: u32,
    },
    /// Nothing before then, unless something new comes.
    NotBefore(Timestamp),
    Empty,
}

/// What is read beside sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expand {
    pub customer: bool,
    /// How many of each session's messages, at most.
    pub messages: usize,
}

/// What stands beside a session, as far as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    pub customer: Option<Customer>,
    /// The newest first.
    pub messages: Vec<Message>,
}

/// Texts that a lane may send, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneHeads {
    pub ready: Vec<Head>,
    /// When the first of those that are not ready yet is.
    pub next_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub message_id: MessageId,
    pub segments: u32,
}

impl From<LaneHeads> for LaneHead {
    fn from(heads: LaneHeads) -> Self {
        match (heads.ready.first(), heads.next_at) {
            (Some(&Head { message_id, segments }), _) => Self::Ready { message_id, segments },
            (None, Some(next_at)) => Self::NotBefore(next_at),
            (None, None) => Self::Empty,
        }
    }
}

/// What came of beginning an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The attempt is written down; the message may leave. `message.delivery.attempt_number()` is its fencing token.
    Attempt(Box<Message>),
    /// It will never leave: expired, canceled, or its customer may not be texted any more. It is out of the queue.
    Withdrawn(Status),
    /// It is not the one to send now: gone, in flight, or behind another of its customer's.
    NotDue,
}

#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The attempt is not in hand any more: somebody else settled it. Nothing was changed.
    #[error("the attempt is not in hand any more")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which silent messages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silent {
    /// For which so many times to ask are over.
    pub asks: u8,
    /// Taken by the provider between these moments, both included.
    pub from: Timestamp,
    pub until: Timestamp,
}

/// A provider's receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub channel: String,
    pub provider_id: String,
    /// Our own id of the message, where the receipt carries it back.
    pub message_id: Option<MessageId>,
    pub status: ReceiptStatus,
}

/// What became of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptOutcome {
    Advanced(MessageId, Status),
    /// It said nothing new, or nothing that moves the message forward.
    Stale(MessageId),
    /// No message has that provider id yet; kept until one does.
    Parked,
    /// The same, and the oldest of all that are parked was dropped to make room.
    Displacing,
    /// No message has that provider id, and there are too many receipts for it already: it is not kept.
    Dropped,
}

/// What the bot is to be told next.
#[derive(Clone, Debug, PartialEq)]
pub enum TurnClaim {
    Work(Box<TurnWork>),
    /// Nothing before then, unless something new comes.
    NotBefore(Timestamp),
    Idle,
}

/// What the bot says to a turn, with what it takes to keep it.
#[derive(Clone, Debug)]
pub struct BotSaid {
    pub answer: Answer,
    /// One for each text of the answer.
    pub message_ids: Vec<MessageId>,
    pub bot_name: String,
    pub valid_for: Duration,
    pub new_turn: TurnId,
}

impl BotSaid {
    /// `newer`: the customer's newest session, where that is not the turn's.
    pub fn given<'a>(&'a self, newer: Option<&'a Session>) -> GivenAnswer<'a> {
        let Self { answer, message_ids, bot_name, valid_for, new_turn } = self;
        GivenAnswer { answer, message_ids, bot_name, valid_for: *valid_for, new_turn: *new_turn, newer }
    }
}

/// What the bot says in answer to the call that told it the turn.
#[derive(Clone, Debug)]
pub struct CompleteTurn {
    pub turn_id: TurnId,
    pub attempt: u32,
    pub said: BotSaid,
    pub now: Timestamp,
}

/// What became of the bot's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnCompleted {
    pub messages: Vec<Message>,
    /// Why its texts were not taken. The refusal is recorded with the turn.
    pub refused: Option<Refusal>,
    /// The bot asked for a human, and got one.
    pub handed_off: bool,
}

/// What to do with a turn that the bot could not be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnFailure {
    RetryAt(Timestamp),
    /// It was not even asked, and is asked then.
    PutOff(Timestamp),
    /// Nobody tries any more: humans take the session, if the turn expected an answer, and the customer may be told so.
    GiveUp {
        reason: String,
        fallback: Option<Fallback>,
    },
    /// The same, though the bot was not even asked.
    NotAsked {
        reason: String,
        fallback: Option<Fallback>,
    },
}

/// What came of a turn that the bot could not be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnFailed {
    /// What the customer is told.
    pub message: Option<Message>,
    /// Humans have the session now.
    pub handed_over: bool,
}

/// What the bot says to a turn by a call of its own.
#[derive(Clone, Debug)]
pub struct ReplyToTurn {
    pub turn_id: TurnId,
    /// What makes a repeat a repeat: its first half is of what names the call, its second of what is said.
    pub key: [u8; 32],
    pub said: BotSaid,
    pub now: Timestamp,
}

impl ReplyToTurn {
    /// What was said under its key before, if anything; or why the turn takes no reply.
    pub fn repeats<'t>(&self, turn: &'t Turn) -> Result<Option<&'t Reply>, ReplyError> {
        match turn.reply(self.key) {
            _ if turn.calls() == 0 => Err(ReplyError::NotFound),
            Some(reply) => Ok(Some(reply)),
            None if turn.is_other_reply(self.key) => Err(ReplyError::IdempotencyMismatch),
            None if turn.is_answered_out() => Err(ReplyError::AnsweredOut),
            None => Ok(None),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TurnReplied {
    pub completed: TurnCompleted,
    /// It was said before: these are the texts that it became.
    pub replayed: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// There is no such turn, or the bot was never told it.
    #[error("no such turn")]
    NotFound,
    /// Something else was said under that key.
    #[error("the idempotency key was used for another reply")]
    IdempotencyMismatch,
    /// It was answered more often than anybody remembers.
    #[error("the turn was answered too often")]
    AnsweredOut,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("no such turn")]
    NotFound,
    /// It is still to be told or answered.
    #[error("the turn is not over")]
    NotOver,
    /// The bot is not to be asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event, with what it is about as that is now. What is not there was erased or pruned since.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    pub event: Event,
    /// Of an event about a customer.
    pub customer: Option<Customer>,
    /// Of an event about a session, a turn or the bot's words.
    pub session: Option<Session>,
    /// Of an event about a message.
    pub message: Option<Message>,
}

#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// What comes after that place is not known any more, or that place was never reached.
    #[error("the log does not go back that far")]
    Forgotten,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far an endpoint was told.
#[derive(Clone, Debug)]
pub struct AdvanceEndpoint {
    pub name: String,
    /// Up to this place in the log. It never goes back.
    pub position: u64,
    /// What it was told in vain on the way.
    pub in_vain: Vec<Delivery>,
    /// Whether anything reached it; none where nothing was told.
    pub reached: Option<bool>,
    pub now: Timestamp,
}

/// What an endpoint is to be told again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueDeliveries {
    pub due: Vec<Delivery>,
    /// When the first of those that are not due yet is.
    pub next_at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The call is not in hand any more. Nothing was changed.
    #[error("the turn is not in hand any more")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A daemon that shows that it lives, and what it could do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Muster {
    /// As attempts and turns name it. A new one for each term of office.
    pub owner: String,
    pub duties: Vec<String>,
    /// Since when customers' texts may have been missed that it still has to ask for.
    pub missed_since: Option<Timestamp>,
    /// Those of the gone whose texts are among these: nobody else has to ask for them.
    pub noted: Vec<String>,
    /// How long it is in office without showing itself again.
    pub term: Duration,
}

/// What a daemon has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mustered {
    InOffice {
        /// Its own, and nobody else's, until its term is over or it lays them down.
        duties: Vec<String>,
        /// Those of them that somebody else is to have: to be laid down as soon as nothing of them is under way.
        to_lay_down: Vec<String>,
        /// How many other daemons are in office.
        others: usize,
        /// Those who are gone, for a day, and whose texts nobody has said to ask for.
        gone: Vec<Gone>,
    },
    /// Its term was over before it showed itself. What it had in hand is somebody else's to take up: it may come back under
    /// another name, and with empty hands.
    OutOfOffice,
}

impl Mustered {
    /// It has everything to itself.
    pub fn alone(muster: Muster) -> Self {
        Self::InOffice { duties: muster.duties, to_lay_down: Vec::new(), others: 0, gone: Vec::new() }
    }
}

/// A daemon that is not heard of any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub owner: String,
    /// Since when customers' texts may have been missed: since it was last heard of, or since it said so itself.
    pub missed_since: Timestamp,
}

/// What a process knows that it has in hand, with the number of the attempt: what it is sending, and what it is telling
/// the bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InHand {
    pub messages: Vec<(MessageId, u32)>,
    pub turns: Vec<(TurnId, u32)>,
}

/// How much of it went back to where it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    pub messages: usize,
    pub turns: usize,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenRole {
    Agent,
    Bot,
    Admin,
}

impl TokenRole {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Bot => "bot",
            Self::Admin => "admin",
        }
    }
}

/// A minted access token. The token itself is shown once and never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub name: String,
    pub role: TokenRole,
    #[serde(with = "crate::domain::digest")]
    pub sha256: [u8; 32],
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// Until when a daemon is known to have taken all that customers texted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alive {
    pub at: Timestamp,
    /// It was told to stop, and did: nothing leaves any more that was to leave.
    pub clean: bool,
}

/// What a sweep cleared away. `more`: there is more of it than its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages that waited for too long, now `expired`; the longest overdue first.
    pub expired: Vec<MessageId>,
    pub more: bool,
}

/// What came of looking for conversations that are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many were removed, and how many messages they had.
    pub sessions: u64,
    pub messages: u64,
    /// The first session that was not looked at; none if there is none that is old enough.
    pub next: Option<SessionId>,
}

/// How much there is of what somebody on call asks about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that wait, are being sent, or are of unknown fate and hold up others.
    pub queued: u64,
    /// Messages of unknown fate, looked for or not.
    pub unknown: u64,
    /// Those of them that nobody looks for any more, and that wait for a person's decision.
    pub held: u64,
    /// Sessions whose customer waits for an agent.
    pub sessions_waiting: u64,
    /// Turns that are pending or in hand.
    pub turns_open: u64,
}

/// How long an idempotency key, and a receipt for an unknown id, are remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
