//! The store as one life of the gateway sees it: slow, refusing now and then, and gone with the life. A command that
//! was applied stays applied, whether or not anybody heard of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use switchboard::domain::customer::{ConsentEvidence, ConsentRecord, Customer, NumberHash};
use switchboard::domain::delivery::{Evidence, ReceiptStatus, SendOutcome};
use switchboard::domain::endpoint::{Delivery, Endpoint};
use switchboard::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TokenId, TurnId};
use switchboard::domain::message::{Lane, Message};
use switchboard::domain::pause::Pause;
use switchboard::domain::phone::Address;
use switchboard::domain::search::Query;
use switchboard::domain::session::{Session, Suggestion};
use switchboard::domain::time::Timestamp;
use switchboard::domain::turn::Turn;
use switchboard::store::export::{Export, ImportError, Record};
use switchboard::store::{
    AdvanceEndpoint, Alive, AssignError, AssignSession, Attended, Begun, CancelError, CompleteTurn,
    ConfirmError, Counts, CreateCustomer, CreateCustomerError, CreateMessage, CreateMessageError,
    CustomerError, CustomerPatch, DueDeliveries, EventsError, Expand, Expanded, Fresh, InHand, Inbound,
    InboxFilter, LaneHeads, ListError, Logged, Page, PageRequest, Pruned, Receipt, ReceiptOutcome, Reclaimed,
    RecordInbound, ReplayError, ReplyError, ReplyToTurn, ResendError, SetSubscription, SettleError, Silent,
    Store, StoreError, Subscription, Swept, Token, TurnClaim, TurnCompleted, TurnError, TurnFailed,
    TurnFailure, TurnReplied, UpdateSession, UpdateSessionError,
};
use tokio::sync::watch;

use crate::life::Life;
use crate::world::World;

pub struct MortalStore {
    world: Arc<World>,
    life: Arc<Life>,
}

/// What is asked again and again whether or not there is anything to do. Lives should rather end elsewhere.
const POLLS: [&str; 15] = [
    "silent",
    "lane_heads",
    "busy_lanes",
    "unknown_due",
    "holding",
    "sweep",
    "claim_turn",
    "counts",
    "attend",
    "plan_attention",
    "events",
    "last_event",
    "prune_events",
    "endpoint",
    "due_deliveries",
];

/// What changes nothing.
const READS: [&str; 37] = [
    "failed_turns",
    "search_customers",
    "events",
    "event",
    "last_event",
    "endpoints",
    "endpoint",
    "due_deliveries",
    "delivery",
    "deliveries",
    "held",
    "holding",
    "customer",
    "customer_by_number",
    "customers",
    "consent_log",
    "session",
    "newest_session",
    "sessions_of",
    "inbox",
    "expand",
    "message",
    "messages_of",
    "lane_heads",
    "queue_front",
    "busy_lanes",
    "unknown_due",
    "messages_by_provider_id",
    "text_by_provider_id",
    "pauses",
    "silent",
    "turn",
    "token_by_hash",
    "tokens",
    "last_alive",
    "counts",
    "export",
];

impl MortalStore {
    pub fn new((world, life): (Arc<World>, Arc<Life>)) -> Self {
        Self { world, life }
    }

    fn crash_rate(&self, command: &str) -> u32 {
        let rate = self.world.plan.crash;
        if POLLS.contains(&command) { rate / 15 } else { rate }
    }

    async fn before(&self, command: &'static str) -> Result<(), StoreError> {
        self.life.boundary(&self.world, ("before", command), self.crash_rate(command)).await;
        self.linger(command).await;
        let refused = self.refuses();
        if let Err(error) = &refused {
            self.world.journal.note(|| format!("store: {command} is refused: {error}"));
            self.world.journal.saw("store refused");
            // What a start begins with, and nothing else asks for.
            if command == "abandon_attempts" {
                self.world.journal.saw("start put off by the store");
            }
            self.world.audit.store_was_trouble();
        }
        refused
    }

    /// The store may fail to say that it did what it did.
    async fn after(&self, command: &'static str) -> Result<(), StoreError> {
        self.life.boundary(&self.world, ("after", command), self.crash_rate(command)).await;
        self.linger(command).await;
        if !READS.contains(&command) && self.goes_wrong(self.world.plan.store_doubts) {
            self.world.journal.note(|| format!("store: {command} is done, and nobody hears of it"));
            self.world.journal.saw("store uncertain");
            self.world.audit.store_was_in_doubt();
            return Err(StoreError::Uncertain("it is done".into()));
        }
        Ok(())
    }

    fn goes_wrong(&self, in_ten_thousand: u32) -> bool {
        self.world.is_chaotic() && self.world.dice.store.chance(in_ten_thousand)
    }

    /// The command takes its time; the life may end meanwhile.
    async fn linger(&self, command: &str) {
        let (plan, dice) = (&self.world.plan, &self.world.dice.store);
        let mut pause_ms = if POLLS.contains(&command) { 0 } else { dice.between(0..=plan.store_base_ms) };
        if self.world.is_chaotic() && dice.chance(plan.store_slow) {
            pause_ms = dice.weighted(&[(20, 30), (4, 300), (1, 4_000)]);
            pause_ms = dice.between(1..=pause_ms);
            self.world.journal.saw("store slow");
            self.world.audit.store_was_trouble();
        }
        if pause_ms > 0 {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            if pause_ms > 8 {
                self.world.audit.store_was_trouble();
            }
            self.life.boundary(&self.world, ("", ""), 0).await;
        }
    }

    fn refuses(&self) -> Result<(), StoreError> {
        if self.world.disk_is_full.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("no space left on device".into()));
        }
        if !self.goes_wrong(self.world.plan.store_refuses) {
            return Ok(());
        }
        Err(match self.world.dice.store.between(0..=3) {
            0 => StoreError::Overloaded,
            1 => StoreError::Uncertain("it is not done".into()),
            _ => StoreError::Unavailable("for now".into()),
        })
    }
}

/// Every command: boundary, the command itself, what the auditor sees of it, boundary.
macro_rules! commands {
    ($($name:ident($($arg:ident: $type:ty),*) -> $ok:ty, $error:ty $(, $seen:ident($($given:expr),*))?;)*) => {
        #[async_trait]
        impl Store for MortalStore {
            $(
                #[allow(clippy::clone_on_copy, reason = "some arguments are Copy, others are not")]
                async fn $name(&self, $($arg: $type),*) -> Result<$ok, $error> {
                    self.before(stringify!($name)).await?;
                    self.world.audit.will(stringify!($name));
                    let answer = self.world.disk.$name($(Clone::clone(&$arg)),*).await;
                    $(self.world.audit.$seen(&answer, $($given),*);)?
                    self.after(stringify!($name)).await?;
                    answer
                }
            )*

            fn event_news(&self) -> watch::Receiver<u64> {
                self.world.disk.event_news()
            }

            async fn broken(&self) -> String {
                std::future::pending().await
            }
        }
    };
}

commands! {
    record_inbound(command: RecordInbound) -> Inbound, StoreError, saw_inbound(&command);
    create_customer(command: CreateCustomer) -> Fresh<Customer>, CreateCustomerError, saw_customer(&command);
    update_customer(id: CustomerId, patch: CustomerPatch, now: Timestamp) -> Customer, CustomerError;
    begin_confirmation(id: CustomerId, token: String, now: Timestamp) -> Customer, ConfirmError;
    confirm_customer(id: CustomerId, token: String, evidence: ConsentEvidence, now: Timestamp) -> Customer, ConfirmError, saw_confirmation();
    set_subscription(command: SetSubscription) -> Subscription, CustomerError, saw_subscription(&command);
    erase_customer(id: CustomerId, now: Timestamp) -> (), CustomerError, saw_erasure(id);
    customer(id: CustomerId) -> Option<Customer>, StoreError;
    customer_by_number(number: &Address) -> Option<Customer>, StoreError;
    customers(page: PageRequest) -> Page<Customer>, ListError;
    consent_log(number: NumberHash) -> Vec<ConsentRecord>, StoreError;
    update_session(command: UpdateSession) -> Session, UpdateSessionError, saw_switch(&command);
    session(id: SessionId) -> Option<Session>, StoreError;
    newest_session(customer_id: CustomerId) -> Option<Session>, StoreError;
    sessions_of(customer_id: CustomerId, page: PageRequest) -> Page<Session>, ListError;
    inbox(filter: InboxFilter, page: PageRequest) -> Page<Session>, ListError;
    expand(sessions: Vec<(SessionId, CustomerId)>, what: Expand) -> Vec<Expanded>, StoreError;
    create_message(command: CreateMessage) -> Fresh<Message>, CreateMessageError, saw_message(&command);
    message(id: MessageId) -> Option<Message>, StoreError;
    messages_of(session_id: SessionId, page: PageRequest) -> Page<Message>, ListError;
    cancel_message(id: MessageId, now: Timestamp) -> Message, CancelError, saw_cancel(id);
    text_by_provider_id(channel: &str, provider_id: &str) -> Option<MessageId>, StoreError;
    resend_message(id: MessageId, valid_for: Duration, now: Timestamp) -> Message, ResendError, saw_resend(id);
    lane_heads(lane: &Lane, now: Timestamp, limit: usize) -> LaneHeads, StoreError;
    postpone(id: MessageId, ready_at: Timestamp, now: Timestamp) -> bool, StoreError;
    queue_front(customer_id: CustomerId) -> Option<Message>, StoreError;
    busy_lanes() -> Vec<Lane>, StoreError;
    begin_attempt(id: MessageId, owner: &str, now: Timestamp) -> Begun, StoreError, saw_attempt(id);
    settle(id: MessageId, attempt: u32, outcome: SendOutcome, now: Timestamp) -> Message, SettleError, saw_settled(id, attempt, &outcome);
    abandon_attempts(owner: &str, now: Timestamp) -> usize, StoreError, saw_abandoned();
    unknown_due(now: Timestamp, limit: usize) -> Vec<Message>, StoreError;
    holding(until: Timestamp, limit: usize) -> Vec<Message>, StoreError;
    held(page: PageRequest) -> Page<Message>, ListError;
    resolve(id: MessageId, attempt: u32, evidence: Evidence, now: Timestamp) -> Option<Message>, StoreError, saw_evidence(id, &evidence);
    messages_by_provider_id(provider_id: &str) -> Vec<Message>, StoreError;
    keep_pause(pause: Pause) -> (), StoreError, saw_pause(&pause);
    pauses(now: Timestamp) -> Vec<Pause>, StoreError;
    apply_receipt(receipt: Receipt, now: Timestamp) -> ReceiptOutcome, StoreError, saw_receipt(&receipt);
    silent(filter: Silent, limit: usize) -> Vec<Message>, StoreError;
    take_answer(id: MessageId, asks: u8, answer: Option<(String, ReceiptStatus)>, now: Timestamp) -> Option<Message>, StoreError, saw_told(answer.as_ref());
    claim_turn(owner: &str, now: Timestamp) -> TurnClaim, StoreError, saw_claim();
    complete_turn(command: CompleteTurn) -> TurnCompleted, TurnError, saw_answer(&command);
    fail_turn(id: TurnId, attempt: u32, failure: TurnFailure, now: Timestamp) -> TurnFailed, TurnError, saw_failure(id, &failure);
    reply_to_turn(command: ReplyToTurn) -> TurnReplied, ReplyError;
    failed_turns(page: PageRequest) -> Page<Turn>, ListError;
    replay_turn(id: TurnId, new_turn: TurnId, now: Timestamp) -> Turn, ReplayError;
    search_customers(query: Query, limit: usize) -> Vec<Customer>, StoreError;
    assign_session(command: AssignSession) -> Session, AssignError;
    use_suggestion(id: SuggestionId, now: Timestamp) -> Option<Suggestion>, StoreError;
    attend(new_turns: Vec<TurnId>, now: Timestamp) -> Attended, StoreError;
    plan_attention(now: Timestamp) -> usize, StoreError;
    events(after: u64, limit: usize) -> Vec<Logged>, EventsError;
    event(place: u64) -> Option<Logged>, StoreError;
    last_event() -> u64, StoreError;
    prune_events(before: Timestamp, limit: usize, now: Timestamp) -> usize, StoreError;
    endpoints() -> Vec<Endpoint>, StoreError;
    endpoint(name: &str) -> Option<Endpoint>, StoreError;
    advance_endpoint(command: AdvanceEndpoint) -> (), StoreError;
    switch_endpoint(name: &str, disabled: Option<String>, now: Timestamp) -> (), StoreError;
    due_deliveries(endpoint: &str, now: Timestamp, limit: usize) -> DueDeliveries, StoreError;
    keep_delivery(delivery: Delivery, now: Timestamp) -> (), StoreError;
    drop_delivery(endpoint: &str, place: u64, now: Timestamp) -> (), StoreError;
    delivery(endpoint: &str, place: u64) -> Option<Delivery>, StoreError;
    deliveries(endpoint: &str, page: PageRequest) -> Page<Delivery>, ListError;
    release_turns(owner: &str, now: Timestamp) -> usize, StoreError, saw_released();
    turn(id: TurnId) -> Option<Turn>, StoreError;
    reclaim(owner: &str, known: InHand, now: Timestamp) -> Reclaimed, StoreError, saw_reclaimed();
    mint_token(token: Token) -> (), StoreError;
    token_by_hash(sha256: [u8; 32]) -> Option<Token>, StoreError;
    tokens() -> Vec<Token>, StoreError;
    revoke_token(id: TokenId, now: Timestamp) -> bool, StoreError;
    sweep(now: Timestamp, limit: usize) -> Swept, StoreError, saw_sweep();
    prune(before: Timestamp, from: Option<SessionId>, limit: usize, now: Timestamp) -> Pruned, StoreError, saw_prune(before);
    mark_alive(alive: Alive) -> (), StoreError, saw_mark();
    last_alive() -> Option<Alive>, StoreError;
    counts() -> Counts, StoreError;
    export() -> Box<dyn Export>, StoreError;
    begin_import() -> (), ImportError;
    import(records: Vec<Record>) -> (), ImportError;
    end_import() -> (), ImportError;
    ready() -> (), StoreError;
    close() -> (), StoreError;
}
