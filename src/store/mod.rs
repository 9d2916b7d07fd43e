//! Where everything is kept: the trait [`Store`], which every engine keeps to the letter.
//!
//! A method is a command of the business, not a row: each is one atomic transaction, and what it returns is durable
//! when it returns. What the rules of [`crate::domain::conversation`] decide inside it, no engine decides again.
//! Ids, the time and randomness come in as arguments. One conformance suite (`tests/conformance`) runs against every
//! engine, and a random-command test compares each of them with [`memory`].

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::domain::conversation::Policy;
use crate::domain::customer::{ConsentEvidence, ConsentRecord, Customer, NumberHash};
use crate::domain::delivery::{Evidence, ReceiptStatus, SendOutcome};
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TokenId, TurnId};
use crate::domain::message::{Lane, Message};
use crate::domain::pause::Pause;
use crate::domain::phone::Address;
use crate::domain::search::Query;
use crate::domain::session::{Session, Suggestion};
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

mod apply;
mod change;
mod commands;
mod cursors;
pub mod embedded;
pub mod export;
pub mod memory;
mod part;
pub mod postgres;
mod queue;

pub use change::Created;
pub use commands::*;
use export::{Export, ImportError, Record};

/// The store. Every command is atomic and durable when it returns, and takes effect before any later one.
///
/// Where several methods meet:
/// * *Order* of creation and of queueing is the order of the commands, whatever the ids and the clock say.
/// * *The queue of a customer.* Their texts that hold the queue ([`Message::holds_queue`]), in the order of creation,
///   over all lanes. Its *first* is the one in flight ([`Message::is_in_flight`]), or else the oldest: one that was
///   passed and is queued again waits until what overtook it has landed. A queued one that becomes the first because
///   another one left becomes ready at that moment, or later if it says so itself.
/// * *Keys of idempotency.* What was created is remembered as it was, until it is swept, pruned or its customer erased.
///   Refusals are not remembered. A key is asked for before anything else is.
/// * *Opt-outs* cancel what is `queued` for the customer, but for answers to keywords; each message says why. Those by
///   the provider are a permanent outcome, or a receipt that moves its message forward, with the class `OptedOut`;
///   they go into the consent log unless the customer is unsubscribed already.
/// * *Agents take a session*: by [`Store::update_session`], by beginning one, by the bot's hand-off, since the bot could
///   not be told, or since the customer may want out. In the same transaction the bot's texts to the customer are
///   recalled ([`Message::recall`]; one that was passed, when it would be sent again: [`Message::heed_switch`]) and its
///   pending turns of all kinds dropped; what these were about counts as not seen by the bot (`unseen_by_bot_from`).
/// * *Events.* Every command that changes a customer, a session or a message, and every turn that goes wrong, is told in the log in the
///   same transaction, as [`crate::domain::event`] says: what changed of each over the whole command, customers before
///   sessions before messages before turns, each kind by id, messages by session and place. An import tells nothing.
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
    /// The message that a customer's text became, by its channel and provider id; also after the customer was erased.
    async fn text_by_provider_id(
        &self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<MessageId>, StoreError>;

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
    /// Appends to the consent log, if it changes anything; every opt-out, in any case. Unsubscribing cancels what is queued for the customer
    /// (but for answers to keywords).
    async fn set_subscription(&self, command: SetSubscription) -> Result<Subscription, CustomerError>;
    /// Erases the person: the customer, their sessions, messages, turns, and everything that leads to them. What
    /// stays: the hashed number's consent log and, if they were unsubscribed, its suppression; and that the
    /// provider's ids of their texts were seen. All of it is gone for everybody at once; where it is much, an engine may
    /// leave the clearing away to the sweeps that follow.
    async fn erase_customer(&self, id: CustomerId, now: Timestamp) -> Result<(), CustomerError>;
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    /// The customer with that number, proved or not.
    async fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError>;
    /// In the order of their creation.
    async fn customers(&self, page: PageRequest) -> Result<Page<Customer>, ListError>;
    /// Those whom the query finds, at most `limit`: in the order of the words by which they are found, then of their ids.
    async fn search_customers(&self, query: Query, limit: usize) -> Result<Vec<Customer>, StoreError>;
    /// All that is on record for a number, oldest first.
    async fn consent_log(&self, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError>;

    // --- sessions ---

    /// Changes the current session, with all that [`crate::domain::conversation::update_session`] entails: when
    /// agents take it, the bot's queued texts of it are canceled and its pending turns dropped in the same
    /// transaction.
    async fn update_session(&self, command: UpdateSession) -> Result<Session, UpdateSessionError>;
    /// An agent takes the current session on, or lets it go, under the rules of [`crate::domain::attention::assign`].
    async fn assign_session(&self, command: AssignSession) -> Result<Session, AssignError>;
    /// Counts that an agent used a text that the bot proposed. None: it is not there, or not any more.
    async fn use_suggestion(
        &self,
        id: SuggestionId,
        now: Timestamp,
    ) -> Result<Option<Suggestion>, StoreError>;
    /// Does what is due for customers who wait for an agent ([`crate::domain::attention::attend`]), those first for whom it
    /// has been due for longest; as many as there are ids of new turns.
    async fn attend(&self, new_turns: Vec<TurnId>, now: Timestamp) -> Result<Attended, StoreError>;
    /// Brings what is planned for all who wait in line with the rules that there are now. For how many that changed something.
    async fn plan_attention(&self, now: Timestamp) -> Result<usize, StoreError>;
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
    /// What [`Store::customer`] and [`Store::messages_of`] say of each of these sessions, in their order.
    async fn expand(
        &self,
        sessions: Vec<(SessionId, CustomerId)>,
        what: Expand,
    ) -> Result<Vec<Expanded>, StoreError>;

    // --- messages ---

    /// Queues a text to the customer, under the rules of [`crate::domain::conversation::speak`]. A refusal changes
    /// nothing; one of a text of the bot's is told in the log, and does what [`crate::domain::conversation::decline`] says.
    async fn create_message(&self, command: CreateMessage) -> Result<Fresh<Message>, CreateMessageError>;
    async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError>;
    /// The newest first: by their place in the session.
    async fn messages_of(&self, session_id: SessionId, page: PageRequest)
    -> Result<Page<Message>, ListError>;
    /// Those that wait for a person's decision ([`Message::is_held`]), in the order of their creation.
    async fn held(&self, page: PageRequest) -> Result<Page<Message>, ListError>;
    /// Only while it is `queued`. It ends without an error.
    async fn cancel_message(&self, id: MessageId, now: Timestamp) -> Result<Message, CancelError>;
    /// Queues one that is held ([`Message::is_held`]) again, at its old place, as [`Message::resend`] says. Refused like a
    /// new one if its customer may not be texted, or if it is the bot's and agents have the session.
    async fn resend_message(
        &self,
        id: MessageId,
        valid_for: Duration,
        now: Timestamp,
    ) -> Result<Message, ResendError>;

    // --- sending ---

    /// What the lane has to send at `now`, at most `limit` of it. Of each customer only the first of their queue counts,
    /// and only if it is `queued`, so one of each is in flight, and in order, over all lanes. Of these: agents' before the
    /// bot's, then by `ready_at`, then by the order of queueing. Whether it may still leave is asked in
    /// [`Store::begin_attempt`].
    async fn lane_heads(&self, lane: &Lane, now: Timestamp, limit: usize) -> Result<LaneHeads, StoreError>;
    /// The first of [`Store::lane_heads`], or when there is one.
    async fn lane_head(&self, lane: &Lane, now: Timestamp) -> Result<LaneHead, StoreError> {
        Ok(self.lane_heads(lane, now, 1).await?.into())
    }
    /// The first of a customer's queue, whichever lane it goes out by; none if the queue is empty.
    async fn queue_front(&self, customer_id: CustomerId) -> Result<Option<Message>, StoreError>;
    /// The lanes that have anything `queued`, in no particular order.
    async fn busy_lanes(&self) -> Result<Vec<Lane>, StoreError>;
    /// Puts a text off: it is ready at `ready_at` and not before, and its place among what is ready is that moment's.
    /// Only if it could leave at `now` as far as its queue goes (it is queued, its customer's first, ready): else
    /// nothing is changed, and `false`. What its customer has next waits with it.
    async fn postpone(&self, id: MessageId, ready_at: Timestamp, now: Timestamp) -> Result<bool, StoreError>;
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
    /// Attempts that are `sending` in the hand of another process that is gone become `unknown`, to be looked for at `now`.
    /// Returns how many.
    async fn abandon_attempts(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError>;
    /// Messages of unknown fate whose `look_at` has come, at most `limit` of each channel; the longest due first.
    async fn unknown_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError>;
    /// Messages of unknown fate that their customers' later texts have waited for since `until` or longer
    /// ([`Message::holds_since`]), at most `limit` of each channel; the longest waited for first.
    async fn holding(&self, until: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError>;
    /// Settles an unknown fate, if the evidence, of the attempt that was looked for, counts ([`Message::takes_evidence`]); otherwise, for a message
    /// that is not there, and where what was found is another message's already ([`Message::yields_to`]), or may be that of a text whose answer is
    /// still out ([`Message::waits_for_twin`]), does nothing and returns none. What is
    /// sent again was asked before whether it still may speak ([`Message::heed_switch`]).
    async fn resolve(
        &self,
        id: MessageId,
        attempt: u32,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError>;
    /// Messages that the provider has taken and said nothing final of ([`Message::silent_since`]), as the filter says; at
    /// most `limit` of each channel, the longest silent first.
    async fn silent(&self, filter: Silent, limit: usize) -> Result<Vec<Message>, StoreError>;
    /// The provider was asked about a message ([`Message::take_answer`]), and what it said of that provider id is applied
    /// as a receipt is. Returns the message; none if it is not there.
    async fn take_answer(
        &self,
        id: MessageId,
        asks: u8,
        answer: Option<(String, ReceiptStatus)>,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError>;
    /// The messages of ours that a provider's id belongs to: of each channel the first that adopted it, in the order of
    /// the channels' names. Customers' texts are not found by theirs.
    async fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError>;

    // --- pauses ---

    /// Keeps a pause, in place of one of its scope that ends no later.
    async fn keep_pause(&self, pause: Pause) -> Result<(), StoreError>;
    /// Those that are not over at `now`, by their scopes.
    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>, StoreError>;

    // --- receipts ---

    /// Applies a receipt to the message of ours that it names, by our id (if that message goes out by the receipt's
    /// channel) or else by the provider's, as [`crate::domain::delivery::whose`] says. An opt-out unsubscribes the customer. Parked if there is no such message, as
    /// [`crate::domain::delivery::park`] says; where [`crate::domain::delivery::MAX_PARKED`] are, the oldest makes room.
    /// If it makes the message adopt the provider id, what is parked under that is applied before it.
    /// `Advanced` if the message's status is another one than before.
    async fn apply_receipt(&self, receipt: Receipt, now: Timestamp) -> Result<ReceiptOutcome, StoreError>;

    // --- the bot ---

    /// Hands out the turn that has been due for longest. One per session is in hand; the next of that session waits
    /// until it is completed or failed for good. A turn gets its number with its first claim, and tells what earlier
    /// ones told in vain ([`Turn::claim`]). The history of a session that was let go ends there.
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
        now: Timestamp,
    ) -> Result<TurnFailed, TurnError>;
    /// Keeps what the bot says to a turn by a call of its own, under the rules of [`crate::domain::answer::reply`]; the same key
    /// again changes nothing and gives the first texts again. While the turn is being told, that goes on; if it is to be
    /// told again, it is not.
    async fn reply_to_turn(&self, command: ReplyToTurn) -> Result<TurnReplied, ReplyError>;
    /// Turns that were given up, and those whose answer was refused; the newest first, by the order of queueing.
    async fn failed_turns(&self, page: PageRequest) -> Result<Page<Turn>, ListError>;
    /// Queues a turn again that is over, as a new one of its session.
    async fn replay_turn(&self, id: TurnId, new_turn: TurnId, now: Timestamp) -> Result<Turn, ReplayError>;
    /// Turns in the hand of another process that is gone are pending again, due at `now`, and keep their numbers. Returns how many.
    async fn release_turns(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError>;
    async fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError>;
    /// For a process that was told [`StoreError::Uncertain`] of [`Store::begin_attempt`] or [`Store::claim_turn`]. What is
    /// in its hand, but not among what it knows of, goes back: such a text never left, and is `queued` again (or
    /// canceled, if it was recalled meanwhile), ready at `now`; such a turn is as after [`Store::release_turns`].
    async fn reclaim(&self, owner: &str, known: InHand, now: Timestamp) -> Result<Reclaimed, StoreError>;

    // --- events ---

    /// The log after a place, at most `limit` of it, with what each event is about as that is now. `Forgotten`: what
    /// came next is not kept any more, or that place has not been reached.
    async fn events(&self, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError>;
    async fn event(&self, place: u64) -> Result<Option<Logged>, StoreError>;
    /// The place of the newest event; 0 before there was any.
    async fn last_event(&self) -> Result<u64, StoreError>;
    /// Shows the place of the newest event, also of one from before the store was opened, soon after it is durable. A hint:
    /// some changes may be skipped.
    fn event_news(&self) -> watch::Receiver<u64>;
    /// Forgets events that are older, the oldest first; never the newest. How many: `limit` at the most, or else a whole
    /// part of the log that an engine keeps apart.
    async fn prune_events(
        &self,
        before: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    // --- whom the events are told ---

    /// In the order of their names.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;
    async fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, StoreError>;
    /// Keeps how far an endpoint was told, and what it was told in vain on the way. Whether it is disabled stays as it
    /// was.
    async fn advance_endpoint(&self, command: AdvanceEndpoint) -> Result<(), StoreError>;
    /// An endpoint is called no more, for that reason, or again. Told in the log if it changes anything.
    async fn switch_endpoint(
        &self,
        name: &str,
        disabled: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// What an endpoint is to be told again by `now`, the longest due first, and when there is more.
    async fn due_deliveries(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<DueDeliveries, StoreError>;
    /// Replaces what is on record of an event that an endpoint was told in vain.
    async fn keep_delivery(&self, delivery: Delivery, now: Timestamp) -> Result<(), StoreError>;
    /// The endpoint was told, or need not be.
    async fn drop_delivery(&self, endpoint: &str, place: u64, now: Timestamp) -> Result<(), StoreError>;
    async fn delivery(&self, endpoint: &str, place: u64) -> Result<Option<Delivery>, StoreError>;
    /// What an endpoint was told in vain, in the order of the log.
    async fn deliveries(&self, endpoint: &str, page: PageRequest) -> Result<Page<Delivery>, ListError>;

    // --- access ---

    async fn mint_token(&self, token: Token) -> Result<(), StoreError>;
    /// Not a revoked one.
    async fn token_by_hash(&self, sha256: [u8; 32]) -> Result<Option<Token>, StoreError>;
    /// In the order of their ids, revoked ones too.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;
    /// `false`: there is none with this id. One that is revoked already stays revoked since then.
    async fn revoke_token(&self, id: TokenId, now: Timestamp) -> Result<bool, StoreError>;

    // --- several daemons ---

    /// A daemon shows that it lives, and gets its share of the duties. What is in the hand of a daemon whose term is over
    /// is taken up by others ([`Store::abandon_attempts`], [`Store::release_turns`]), and begun in its name is nothing any
    /// more. Terms are measured by the store's clock; a daemon that counts its own from before it asked is never longer in
    /// office than the store believes. A store that one daemon has to itself gives it everything, for ever.
    async fn muster(&self, muster: Muster) -> Result<Mustered, StoreError> {
        Ok(Mustered::alone(muster))
    }
    /// Whether other daemons may work on the same store.
    fn is_shared(&self) -> bool {
        false
    }
    /// The duty is free for others.
    async fn lay_down(&self, owner: &str, duty: &str) -> Result<(), StoreError> {
        let _ = (owner, duty);
        Ok(())
    }
    /// The daemon ends: its duties are free, and what it has in hand is abandoned.
    async fn resign(&self, owner: &str) -> Result<(), StoreError> {
        let _ = owner;
        Ok(())
    }

    // --- housekeeping ---

    /// Expires what waited for too long and is still `queued`; forgets idempotency keys and parked receipts older
    /// than [`REMEMBERED`]. At most `limit` of each: the longest overdue or the oldest first, and of the same moment
    /// messages in the order of queueing, keys by scope and key, receipts in the order of their arrival.
    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError>;
    /// Removes conversations that are over: held by nobody, with no message since `before`, none that is open
    /// ([`Message::is_open`]) and no open turn. With a session go its messages, its turns, and all that leads to them,
    /// the providers' ids and the keys of idempotency too; its customer and the consent log stay. All of it at once.
    ///
    /// Looks at no more than `limit` sessions, in the order of their ids, from `from` on; not at those whose id was made
    /// at `before` or later ([`SessionId::made_at`]), since nothing in them can be older.
    async fn prune(
        &self,
        before: Timestamp,
        from: Option<SessionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Pruned, StoreError>;
    /// Writes down until when nothing that customers texted was missed, in place of what was written before.
    async fn mark_alive(&self, alive: Alive) -> Result<(), StoreError>;
    /// What was written last.
    async fn last_alive(&self) -> Result<Option<Alive>, StoreError>;
    /// Each of them is as it was at some moment of the call.
    async fn counts(&self) -> Result<Counts, StoreError>;

    // --- all of it ---

    /// All that the store holds, as it is now. Commands go on meanwhile, and are not seen. One at a time, which is the
    /// caller's to see to; one that is read too slowly, while too much is written, may fail. Dropping it lets go of
    /// everything that is kept for it.
    async fn export(&self) -> Result<Box<dyn Export>, StoreError>;
    /// Begins to fill the store, if it holds nothing. Until [`Store::end_import`] it is no store that could be worked
    /// with: nothing else is asked of it, and once closed it does not open again.
    async fn begin_import(&self) -> Result<(), ImportError>;
    /// Takes records in the order of an [`Export`], all of a batch or none: afterwards everything is as it was where they
    /// come from, down to what is next in each lane.
    async fn import(&self, records: Vec<Record>) -> Result<(), ImportError>;
    /// That was all.
    async fn end_import(&self) -> Result<(), ImportError>;

    // --- the engine ---

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
