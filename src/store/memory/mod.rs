//! The reference model of the store, and the engine of quick tests: everything in memory, behind one lock, found by
//! going through all of it. Slow on purpose, so that it is plain to see that it is right; keeps nothing on disk.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, OnceLock};
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

use super::export::{Export, ImportError, Record};
use super::{
    AdvanceEndpoint, Alive, AssignError, AssignSession, Attended, Begun, CancelError, CompleteTurn,
    ConfirmError, Counts, CreateCustomer, CreateCustomerError, CreateMessage, CreateMessageError,
    CustomerError, CustomerPatch, DueDeliveries, EventsError, Expand, Expanded, Fresh, InHand, Inbound,
    InboxFilter, LaneHeads, ListError, Logged, Muster, Mustered, Page, PageRequest, Pruned, Receipt,
    ReceiptOutcome, Reclaimed, RecordInbound, ReplayError, ReplyError, ReplyToTurn, ResendError,
    SetSubscription, SettleError, Silent, Store, StoreError, Subscription, Swept, Token, TurnClaim,
    TurnCompleted, TurnError, TurnFailed, TurnFailure, TurnReplied, UpdateSession, UpdateSessionError,
};

mod customers;
mod events;
mod export;
mod housekeeping;
mod import;
mod inbound;
mod messages;
mod outbound;
mod pages;
mod prune;
mod receipts;
mod sessions;
mod state;
mod table;
mod turns;

use state::State;

/// When an import happens: it tells nothing.
const BEFORE_ALL: Timestamp = Timestamp::from_millis(i64::MIN);

/// What a store refuses that is told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refused {
    #[default]
    Nothing,
    /// As one whose disk is full.
    Changes,
    /// As one whose engine is away.
    Everything,
    /// As one whose records are damaged, and that takes changes.
    Records,
}

/// A store that forgets everything when it is dropped.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    news: watch::Sender<u64>,
    shared: OnceLock<Shared>,
}

/// What a daemon is told that shows that it lives.
type Answers = dyn Fn(&Muster) -> Result<Mustered, StoreError> + Send + Sync;

struct Shared(Box<Answers>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// The state while a command changes it. At its end, what changed is told.
struct Changing<'s> {
    state: MutexGuard<'s, State>,
    now: Timestamp,
    news: &'s watch::Sender<u64>,
}

impl Deref for Changing<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Changing<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.state.tell(self.now);
        let newest = self.state.last_event;
        self.news.send_if_modified(|shown| std::mem::replace(shown, newest) != newest);
    }
}

impl MemoryStore {
    pub fn new(rules: Policy) -> Self {
        let (state, news) = (Mutex::new(State::new(rules)), watch::Sender::new(0));
        Self { state, news, shared: OnceLock::new() }
    }

    /// Other daemons work on it, too: what this one is told of them. For tests.
    pub fn share(&self, answers: impl Fn(&Muster) -> Result<Mustered, StoreError> + Send + Sync + 'static) {
        drop(self.shared.set(Shared(Box::new(answers))));
    }

    /// The next so many attempts and claims are kept, and answered as if nobody knew: what a disk may do. For tests.
    pub fn doubt(&self, next: usize) {
        if let Ok(mut state) = self.state.lock() {
            state.doubts = next;
        }
    }

    /// What it refuses from now on. For tests.
    pub fn refuse(&self, refused: Refused) {
        if let Ok(mut state) = self.state.lock() {
            state.refused = refused;
        }
    }

    /// For a command, of that moment.
    fn state(&self, now: Timestamp) -> Result<Changing<'_>, StoreError> {
        let state = self.reading()?;
        match state.refused {
            Refused::Changes => Err(StoreError::Full { free_bytes: 0, min_free_bytes: 1 }),
            Refused::Records => Err(StoreError::Corrupt("it is told to be damaged".into())),
            Refused::Nothing | Refused::Everything => Ok(Changing { state, now, news: &self.news }),
        }
    }

    fn reading(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state =
            self.state.lock().map_err(|_| StoreError::Corrupt("a command broke off halfway".into()))?;
        match () {
            () if state.closed => Err(StoreError::Unavailable("it is closed".into())),
            () if state.refused == Refused::Everything => {
                Err(StoreError::Unavailable("it is told to refuse".into()))
            }
            () => Ok(state),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn muster(&self, muster: Muster) -> Result<Mustered, StoreError> {
        match self.shared.get() {
            Some(Shared(answers)) => answers(&muster),
            None => Ok(Mustered::alone(muster)),
        }
    }

    fn is_shared(&self) -> bool {
        self.shared.get().is_some()
    }

    async fn record_inbound(&self, command: RecordInbound) -> Result<Inbound, StoreError> {
        Ok(self.state(command.now)?.record_inbound(command))
    }

    async fn text_by_provider_id(
        &self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<MessageId>, StoreError> {
        let key = (channel.to_owned(), provider_id.to_owned());
        Ok(self.reading()?.received.get(&key).copied())
    }

    async fn create_customer(&self, command: CreateCustomer) -> Result<Fresh<Customer>, CreateCustomerError> {
        self.state(command.now)?.create_customer(command)
    }

    async fn update_customer(
        &self,
        id: CustomerId,
        patch: CustomerPatch,
        now: Timestamp,
    ) -> Result<Customer, CustomerError> {
        self.state(now)?.update_customer(id, patch, now)
    }

    async fn begin_confirmation(
        &self,
        id: CustomerId,
        token: String,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        self.state(now)?.begin_confirmation(id, token, now)
    }

    async fn confirm_customer(
        &self,
        id: CustomerId,
        token: String,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        self.state(now)?.confirm_customer(id, &token, evidence, now)
    }

    async fn set_subscription(&self, command: SetSubscription) -> Result<Subscription, CustomerError> {
        self.state(command.now)?.set_subscription(command)
    }

    async fn erase_customer(&self, id: CustomerId, now: Timestamp) -> Result<(), CustomerError> {
        self.state(now)?.erase_customer(id)
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.reading()?.customers.get(id).cloned())
    }

    async fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError> {
        Ok(self.reading()?.customer_by_number(number).cloned())
    }

    async fn customers(&self, page: PageRequest) -> Result<Page<Customer>, ListError> {
        self.reading()?.customers_page(&page)
    }

    async fn search_customers(&self, query: Query, limit: usize) -> Result<Vec<Customer>, StoreError> {
        Ok(self.reading()?.search_customers(&query, limit))
    }

    async fn consent_log(&self, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError> {
        Ok(self.reading()?.consent.iter().filter(|record| record.number == number).cloned().collect())
    }

    async fn update_session(&self, command: UpdateSession) -> Result<Session, UpdateSessionError> {
        self.state(command.now)?.update_session(command)
    }

    async fn assign_session(&self, command: AssignSession) -> Result<Session, AssignError> {
        self.state(command.now)?.assign_session(command)
    }

    async fn use_suggestion(
        &self,
        id: SuggestionId,
        now: Timestamp,
    ) -> Result<Option<Suggestion>, StoreError> {
        Ok(self.state(now)?.use_suggestion(id, now))
    }

    async fn attend(&self, new_turns: Vec<TurnId>, now: Timestamp) -> Result<Attended, StoreError> {
        Ok(self.state(now)?.attend(new_turns, now))
    }

    async fn plan_attention(&self, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.state(now)?.plan_attention(now))
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.reading()?.sessions.get(id).cloned())
    }

    async fn newest_session(&self, customer_id: CustomerId) -> Result<Option<Session>, StoreError> {
        Ok(self.reading()?.newest_session(customer_id).cloned())
    }

    async fn sessions_of(
        &self,
        customer_id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<Session>, ListError> {
        self.reading()?.sessions_of(customer_id, &page)
    }

    async fn inbox(&self, filter: InboxFilter, page: PageRequest) -> Result<Page<Session>, ListError> {
        self.reading()?.inbox(&filter, &page)
    }

    async fn expand(
        &self,
        sessions: Vec<(SessionId, CustomerId)>,
        what: Expand,
    ) -> Result<Vec<Expanded>, StoreError> {
        Ok(self.reading()?.expand(&sessions, what))
    }

    async fn create_message(&self, command: CreateMessage) -> Result<Fresh<Message>, CreateMessageError> {
        self.state(command.now)?.create_message(command)
    }

    async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        Ok(self.reading()?.messages.get(id).cloned())
    }

    async fn messages_of(
        &self,
        session_id: SessionId,
        page: PageRequest,
    ) -> Result<Page<Message>, ListError> {
        self.reading()?.messages_of(session_id, &page)
    }

    async fn held(&self, page: PageRequest) -> Result<Page<Message>, ListError> {
        self.reading()?.held(&page)
    }

    async fn cancel_message(&self, id: MessageId, now: Timestamp) -> Result<Message, CancelError> {
        self.state(now)?.cancel_message(id, now)
    }

    async fn resend_message(
        &self,
        id: MessageId,
        valid_for: Duration,
        now: Timestamp,
    ) -> Result<Message, ResendError> {
        self.state(now)?.resend_message(id, valid_for, now)
    }

    async fn lane_heads(&self, lane: &Lane, now: Timestamp, limit: usize) -> Result<LaneHeads, StoreError> {
        Ok(self.reading()?.lane_heads(lane, now, limit))
    }

    async fn queue_front(&self, customer_id: CustomerId) -> Result<Option<Message>, StoreError> {
        Ok(self.reading()?.first_in_queue(customer_id).cloned())
    }

    async fn busy_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        Ok(self.reading()?.busy_lanes())
    }

    async fn postpone(&self, id: MessageId, ready_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.state(now)?.postpone(id, ready_at, now))
    }

    async fn begin_attempt(&self, id: MessageId, owner: &str, now: Timestamp) -> Result<Begun, StoreError> {
        let mut state = self.state(now)?;
        let begun = state.begin_attempt(id, owner, now)?;
        if matches!(begun, Begun::Attempt(_)) { state.unless_doubted(begun) } else { Ok(begun) }
    }

    async fn settle(
        &self,
        id: MessageId,
        attempt: u32,
        outcome: SendOutcome,
        now: Timestamp,
    ) -> Result<Message, SettleError> {
        self.state(now)?.settle(id, attempt, &outcome, now)
    }

    async fn abandon_attempts(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        Ok(self.state(now)?.abandon_attempts(owner, now))
    }

    async fn holding(&self, until: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
        Ok(self.reading()?.holding(until, limit))
    }

    async fn unknown_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
        Ok(self.reading()?.unknown_due(now, limit))
    }

    async fn resolve(
        &self,
        id: MessageId,
        attempt: u32,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        self.state(now)?.resolve(id, attempt, &evidence, now)
    }

    async fn silent(&self, filter: Silent, limit: usize) -> Result<Vec<Message>, StoreError> {
        Ok(self.reading()?.silent(filter, limit))
    }

    async fn take_answer(
        &self,
        id: MessageId,
        asks: u8,
        answer: Option<(String, ReceiptStatus)>,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        Ok(self.state(now)?.take_answer(id, asks, answer.as_ref(), now))
    }

    async fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        Ok(self.reading()?.messages_by_provider_id(provider_id).cloned().collect())
    }

    async fn keep_pause(&self, pause: Pause) -> Result<(), StoreError> {
        let mut state = self.state(pause.until)?;
        if state.pauses.get(&pause.scope).is_none_or(|kept| kept.until <= pause.until) {
            state.pauses.insert(pause.scope.clone(), pause);
        }
        Ok(())
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>, StoreError> {
        Ok(self.reading()?.pauses.values().filter(|pause| pause.until > now).cloned().collect())
    }

    async fn apply_receipt(&self, receipt: Receipt, now: Timestamp) -> Result<ReceiptOutcome, StoreError> {
        Ok(self.state(now)?.apply_receipt(receipt, now))
    }

    async fn claim_turn(&self, owner: &str, now: Timestamp) -> Result<TurnClaim, StoreError> {
        let mut state = self.state(now)?;
        let claim = state.claim_turn(owner, now)?;
        if matches!(claim, TurnClaim::Work(_)) { state.unless_doubted(claim) } else { Ok(claim) }
    }

    async fn complete_turn(&self, command: CompleteTurn) -> Result<TurnCompleted, TurnError> {
        self.state(command.now)?.complete_turn(&command)
    }

    async fn fail_turn(
        &self,
        id: TurnId,
        attempt: u32,
        failure: TurnFailure,
        now: Timestamp,
    ) -> Result<TurnFailed, TurnError> {
        self.state(now)?.fail_turn(id, attempt, failure, now)
    }

    async fn reply_to_turn(&self, command: ReplyToTurn) -> Result<TurnReplied, ReplyError> {
        self.state(command.now)?.reply_to_turn(&command)
    }

    async fn failed_turns(&self, page: PageRequest) -> Result<Page<Turn>, ListError> {
        self.reading()?.failed_turns(&page)
    }

    async fn replay_turn(&self, id: TurnId, new_turn: TurnId, now: Timestamp) -> Result<Turn, ReplayError> {
        self.state(now)?.replay_turn(id, new_turn, now)
    }

    async fn release_turns(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        self.state(now)?.release_turns(owner, now)
    }

    async fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError> {
        Ok(self.reading()?.turns.get(id).cloned())
    }

    async fn reclaim(&self, owner: &str, known: InHand, now: Timestamp) -> Result<Reclaimed, StoreError> {
        let mut state = self.state(now)?;
        let messages = state.reclaim_attempts(owner, &known.messages, now);
        Ok(Reclaimed { messages, turns: state.reclaim_turns(owner, &known.turns, now)? })
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError> {
        self.reading()?.events_after(after, limit)
    }

    async fn event(&self, place: u64) -> Result<Option<Logged>, StoreError> {
        let state = self.reading()?;
        Ok(state.events.get(&place).map(|event| state.logged(event)))
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        Ok(self.reading()?.last_event)
    }

    fn event_news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    async fn prune_events(
        &self,
        before: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        Ok(self.state(now)?.prune_events(before, limit))
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        Ok(self.reading()?.endpoints.values().cloned().collect())
    }

    async fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, StoreError> {
        Ok(self.reading()?.endpoints.get(name).cloned())
    }

    async fn advance_endpoint(&self, command: AdvanceEndpoint) -> Result<(), StoreError> {
        self.state(command.now)?.advance_endpoint(command);
        Ok(())
    }

    async fn switch_endpoint(
        &self,
        name: &str,
        disabled: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.state(now)?.switch_endpoint(name, disabled, now);
        Ok(())
    }

    async fn due_deliveries(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<DueDeliveries, StoreError> {
        Ok(self.reading()?.due_deliveries(endpoint, now, limit))
    }

    async fn keep_delivery(&self, delivery: Delivery, now: Timestamp) -> Result<(), StoreError> {
        self.state(now)?.keep_delivery(delivery);
        Ok(())
    }

    async fn drop_delivery(&self, endpoint: &str, place: u64, now: Timestamp) -> Result<(), StoreError> {
        self.state(now)?.deliveries.remove(&(endpoint.to_owned(), place));
        Ok(())
    }

    async fn delivery(&self, endpoint: &str, place: u64) -> Result<Option<Delivery>, StoreError> {
        Ok(self.reading()?.deliveries.get(&(endpoint.to_owned(), place)).cloned())
    }

    async fn deliveries(&self, endpoint: &str, page: PageRequest) -> Result<Page<Delivery>, ListError> {
        self.reading()?.deliveries_of(endpoint, &page)
    }

    async fn mint_token(&self, token: Token) -> Result<(), StoreError> {
        self.state(token.created_at)?.tokens.insert(token.id, token);
        Ok(())
    }

    async fn token_by_hash(&self, sha256: [u8; 32]) -> Result<Option<Token>, StoreError> {
        let state = self.reading()?;
        let alive = state.tokens.values().find(|token| token.sha256 == sha256 && token.revoked_at.is_none());
        Ok(alive.cloned())
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        Ok(self.reading()?.tokens.values().cloned().collect())
    }

    async fn revoke_token(&self, id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state(now)?;
        let Some(token) = state.tokens.get_mut(&id) else { return Ok(false) };
        token.revoked_at.get_or_insert(now);
        Ok(true)
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        Ok(self.state(now)?.sweep(now, limit))
    }

    async fn prune(
        &self,
        before: Timestamp,
        from: Option<SessionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        Ok(self.state(now)?.prune(before, from, limit))
    }

    async fn mark_alive(&self, alive: Alive) -> Result<(), StoreError> {
        self.state(alive.at)?.alive = Some(alive);
        Ok(())
    }

    async fn last_alive(&self) -> Result<Option<Alive>, StoreError> {
        Ok(self.reading()?.alive)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.reading()?.counts())
    }

    async fn export(&self) -> Result<Box<dyn Export>, StoreError> {
        Ok(Box::new(self.reading()?.export()))
    }

    async fn begin_import(&self) -> Result<(), ImportError> {
        self.state(BEFORE_ALL)?.begin_import()
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), ImportError> {
        self.state(BEFORE_ALL)?.import(records)
    }

    async fn end_import(&self) -> Result<(), ImportError> {
        self.state(BEFORE_ALL)?.end_import()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.state(BEFORE_ALL).map(drop)
    }

    async fn broken(&self) -> String {
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        // One that is closed already has nothing to let go of.
        if let Ok(mut state) = self.state.lock() {
            state.closed = true;
        }
        Ok(())
    }
}
