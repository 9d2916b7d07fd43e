//! Where everything is kept: the trait [`Store`], which every engine keeps to the letter.
//!
//! A method is a command of the business, not a row: each is one atomic transaction, and what it returns is durable
//! when it returns. What the rules of [`crate::domain::conversation`] decide inside it, no engine decides again.
//! Ids, the time and randomness come in as arguments. One conformance suite (`tests/conformance`) runs against every
//! engine, and a random-command test compares each of them with [`memory`].

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::conversation::{
    Answer, InboundIds, InboundText, OutboundText, Policy, Refusal, SessionPatch,
};
use crate::domain::customer::{ConfirmRefusal, ConsentEvidence, ConsentRecord, Customer, NumberHash};
use crate::domain::delivery::{Evidence, ReceiptStatus, SendOutcome, Status};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TokenId, TurnId};
use crate::domain::message::{Lane, Message};
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnWork};

mod change;
pub mod embedded;
pub mod memory;

/// The engine could not do it, whatever was asked. Nothing was taken; the same call may work later.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More work than the engine can take right now.
    #[error("the store has more work waiting than it takes")]
    Overloaded,
    /// The engine is gone: its disk is full or broken, or it is closing.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be read.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(String),
    /// The command would write a record of so many bytes. The one kind that no later call gets past.
    #[error("a record of {0} bytes is larger than the store takes")]
    TooLarge(usize),
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
}

/// What the bot is to be told next.
#[derive(Clone, Debug, PartialEq)]
pub enum TurnClaim {
    Work(Box<TurnWork>),
    /// Nothing before then, unless something new comes.
    NotBefore(Timestamp),
    Idle,
}

#[derive(Clone, Debug)]
pub struct CompleteTurn {
    pub turn_id: TurnId,
    pub attempt: u32,
    pub answer: Answer,
    /// One for each text of the answer.
    pub message_ids: Vec<MessageId>,
    pub bot_name: String,
    pub valid_for: Duration,
    pub new_turn: TurnId,
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
    /// Nobody tries any more: humans take the session, if the turn expected an answer.
    GiveUp {
        reason: String,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The call is not in hand any more. Nothing was changed.
    #[error("the turn is not in hand any more")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
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
    pub sha256: [u8; 32],
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What a sweep cleared away. `more`: there is more of it than its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages that waited for too long, now `expired`; the longest overdue first.
    pub expired: Vec<MessageId>,
    pub more: bool,
}

/// How much there is of what somebody on call asks about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that wait, are being sent, or are of unknown fate and looked for.
    pub queued: u64,
    /// Messages of unknown fate, looked for or not.
    pub unknown: u64,
    /// Sessions whose customer waits for an agent.
    pub sessions_waiting: u64,
    /// Turns that are pending or in hand.
    pub turns_open: u64,
}

/// How long an idempotency key, and a receipt for an unknown id, are remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// The store. Every command is atomic and durable when it returns, and takes effect before any later one.
///
/// Where several methods meet:
/// * *Order* of creation and of queueing is the order of the commands, whatever the ids and the clock say.
/// * *The queue of a customer.* Their texts that hold the queue ([`Message::holds_queue`]), in the order of creation,
///   over all lanes. A queued one that becomes its first because the one before it left becomes ready at that moment,
///   or later if it says so itself.
/// * *Keys of idempotency.* What was created is remembered as it was, until it is swept or its customer erased.
///   Refusals are not remembered. A key is asked for before anything else is.
/// * *Opt-outs* cancel what is `queued` for the customer, but for answers to keywords; each message says why. Those by
///   the provider are a permanent outcome, or a receipt that moves its message forward, with the class `OptedOut`;
///   they go into the consent log unless the customer is unsubscribed already.
/// * *Agents take a session*: by [`Store::update_session`], by beginning one, by the bot's hand-off, since the bot could
///   not be told, or since the customer may want out. In the same transaction the bot's texts to the customer are recalled ([`Message::recall`]) and its pending turns
///   of all kinds dropped; what these were about counts as not seen by the bot (`unseen_by_bot_from`).
/// * *Parked receipts* are applied in the order of their arrival, as soon as a message adopts their provider id: by
///   being settled or found, or by a receipt that names it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // --- what customers do ---

    /// Takes a customer's text, once.
    /// * A text is known by its channel and provider id: a repeat changes nothing and names the first, whatever else
    ///   it says, also after the customer was erased.
    /// * Finds or creates the customer by number; finds the current session or starts one.
    /// * All of [`crate::domain::conversation::receive`] is kept at once; an opt-out also cancels what is queued for
    ///   the customer (but for answers to keywords).
    async fn record_inbound(&self, command: RecordInbound) -> Result<Inbound, StoreError>;

    // --- customers ---

    /// A number belongs to one customer, proved or not. One that opted out stays opted out, even if its person was
    /// erased since. One that is created confirmed gets a line in the consent log.
    async fn create_customer(&self, command: CreateCustomer) -> Result<Fresh<Customer>, CreateCustomerError>;
    async fn update_customer(
        &self,
        id: CustomerId,
        patch: CustomerPatch,
        now: Timestamp,
    ) -> Result<Customer, CustomerError>;
    /// Puts `token` out, in place of an older one. Refuses with `AlreadyConfirmed`.
    async fn begin_confirmation(
        &self,
        id: CustomerId,
        token: String,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError>;
    /// A wrong token costs a try, durably. The right one gets a line in the consent log.
    async fn confirm_customer(
        &self,
        id: CustomerId,
        token: String,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError>;
    /// Appends to the consent log, if it changes anything. Unsubscribing cancels what is queued for the customer
    /// (but for answers to keywords).
    async fn set_subscription(&self, command: SetSubscription) -> Result<Subscription, CustomerError>;
    /// Erases the person: the customer, their sessions, messages, turns, and everything that leads to them. What
    /// stays: the hashed number's consent log and, if they were unsubscribed, its suppression; and that the
    /// provider's ids of their texts were seen.
    async fn erase_customer(&self, id: CustomerId, now: Timestamp) -> Result<(), CustomerError>;
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    /// The customer with that number, proved or not.
    async fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError>;
    /// In the order of their creation.
    async fn customers(&self, page: PageRequest) -> Result<Page<Customer>, ListError>;
    /// All that is on record for a number, oldest first.
    async fn consent_log(&self, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError>;

    // --- sessions ---

    /// Changes the current session, with all that [`crate::domain::conversation::update_session`] entails: when
    /// agents take it, the bot's queued texts of it are canceled and its pending turns dropped in the same
    /// transaction.
    async fn update_session(&self, command: UpdateSession) -> Result<Session, UpdateSessionError>;
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// The customer's newest session, current or not.
    async fn newest_session(&self, customer_id: CustomerId) -> Result<Option<Session>, StoreError>;
    /// In the order of their creation.
    async fn sessions_of(
        &self,
        customer_id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<Session>, ListError>;
    /// Who waits first, the longest waiting first; then who was answered; then whom the bot has, each by their last
    /// message, the oldest first ([`crate::domain::session::InboxPlace`], then the session's id). A session that moves
    /// while the page is read is on it once at the most.
    async fn inbox(&self, filter: InboxFilter, page: PageRequest) -> Result<Page<Session>, ListError>;

    // --- messages ---

    /// Queues a text to the customer, under the rules of [`crate::domain::conversation::speak`]. A refusal changes
    /// nothing.
    async fn create_message(&self, command: CreateMessage) -> Result<Fresh<Message>, CreateMessageError>;
    async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError>;
    /// The newest first: by their place in the session.
    async fn messages_of(&self, session_id: SessionId, page: PageRequest)
    -> Result<Page<Message>, ListError>;
    /// Only while it is `queued`. It ends without an error.
    async fn cancel_message(&self, id: MessageId, now: Timestamp) -> Result<Message, CancelError>;

    // --- sending ---

    /// What the lane has to send at `now`. Of each customer only the oldest text that holds the queue counts, and only
    /// if it is `queued`, so one of each is in flight, and in order, over all lanes. Of these: agents' before the
    /// bot's, then by `ready_at`, then by the order of queueing. Whether it may still leave is asked in
    /// [`Store::begin_attempt`].
    async fn lane_head(&self, lane: &Lane, now: Timestamp) -> Result<LaneHead, StoreError>;
    /// The lanes that have anything `queued`, in no particular order.
    async fn busy_lanes(&self) -> Result<Vec<Lane>, StoreError>;
    /// Writes the attempt down, if the message may leave at `now`: it is queued, its customer's first, ready, not
    /// past its `valid_until` (else `Expired`), and its customer may be texted (else `Canceled`, with the reason).
    /// Asked in this order; what is missing of the first three is `NotDue`, and changes nothing.
    async fn begin_attempt(&self, id: MessageId, owner: &str, now: Timestamp) -> Result<Begun, StoreError>;
    /// Ends the attempt. A stale one is refused and changes nothing. An opt-out unsubscribes the customer; parked
    /// receipts of the provider id are applied, and are in what is returned. What the customer has next becomes ready
    /// at `now`, or later if it says so itself.
    async fn settle(
        &self,
        id: MessageId,
        attempt: u32,
        outcome: SendOutcome,
        now: Timestamp,
    ) -> Result<Message, SettleError>;
    /// Attempts that are `sending` in another process's hand become `unknown`, to be looked for at `now`.
    /// Returns how many.
    async fn abandon_attempts(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError>;
    /// Messages of unknown fate whose `look_at` has come; the longest due first.
    async fn unknown_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError>;
    /// Settles an unknown fate, if the evidence counts ([`Message::takes_evidence`]); otherwise, and for a message
    /// that is not there, does nothing and returns none.
    async fn resolve(
        &self,
        id: MessageId,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError>;
    /// The message of ours that a provider's id belongs to: the first that adopted it. Customers' texts are not
    /// found by theirs.
    async fn message_by_provider_id(
        &self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<MessageId>, StoreError>;

    // --- receipts ---

    /// Applies a receipt to the message of ours that it names, by our id (if that message goes out by the receipt's
    /// channel) or else by the provider's. An opt-out unsubscribes the customer. Parked if there is no such message.
    /// If it makes the message adopt the provider id, what is parked under that is applied before it.
    /// `Advanced` if the message's status is another one than before.
    async fn apply_receipt(&self, receipt: Receipt, now: Timestamp) -> Result<ReceiptOutcome, StoreError>;

    // --- the bot ---

    /// Hands out the turn that has been due for longest. One per session is in hand; the next of that session waits
    /// until it is completed or failed for good. A turn gets its number with its first claim. Its history ends where
    /// the session was let go.
    async fn claim_turn(&self, owner: &str, now: Timestamp) -> Result<TurnClaim, StoreError>;
    /// Keeps the bot's answer, all of it or none, under the rules of [`crate::domain::answer::answer`]; records the
    /// refusal otherwise. A hand-off takes effect after the answer's texts were queued, and leaves them.
    async fn complete_turn(&self, command: CompleteTurn) -> Result<TurnCompleted, TurnError>;
    /// What becomes of a turn that is not tried again: [`crate::domain::answer::give_up`].
    async fn fail_turn(
        &self,
        id: TurnId,
        attempt: u32,
        failure: TurnFailure,
        new_turn: TurnId,
        now: Timestamp,
    ) -> Result<(), TurnError>;
    /// Turns in another process's hand are pending again, due at `now`, and keep their numbers. Returns how many.
    async fn release_turns(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError>;
    async fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError>;

    // --- access ---

    async fn mint_token(&self, token: Token) -> Result<(), StoreError>;
    /// Not a revoked one.
    async fn token_by_hash(&self, sha256: [u8; 32]) -> Result<Option<Token>, StoreError>;
    /// In the order of their ids, revoked ones too.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;
    /// `false`: there is none with this id. One that is revoked already stays revoked since then.
    async fn revoke_token(&self, id: TokenId, now: Timestamp) -> Result<bool, StoreError>;

    // --- housekeeping ---

    /// Expires what waited for too long and is still `queued`; forgets idempotency keys and parked receipts older
    /// than [`REMEMBERED`]. At most `limit` of each: the longest overdue or the oldest first, and of the same moment
    /// messages in the order of queueing, keys by scope and key, receipts in the order of their arrival.
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError>;
    /// Each of them is as it was at some moment of the call.
    async fn counts(&self) -> Result<Counts, StoreError>;
    /// Whether it can write.
    async fn ready(&self) -> Result<(), StoreError>;
    /// Returns, with the reason, once the engine can never work again in this process: only a new one may tell what is
    /// on the disk. Pending for as long as it works, and when it was closed.
    async fn broken(&self) -> String;
    /// Finishes what was asked for and lets go of everything. Later calls are `Unavailable`; only closing again is fine.
    async fn close(&self) -> Result<(), StoreError>;
}

/// The rules under which an engine was opened; the same for all its commands.
pub type Rules = Policy;
