//! The store that needs no other service: an ordered map of bytes on this machine's disk, below the private seam
//! [`kv`]. Everything above the seam is the same for every engine; an engine is a folder here and an `open_…` below.
//!
//! Commands go through the [`committer`], one after the other; reads go past it, straight to what is committed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

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
    InboxFilter, LaneHeads, ListError, Logged, Page, PageRequest, Pruned, Receipt, ReceiptOutcome, Reclaimed,
    RecordInbound, ReplayError, ReplyError, ReplyToTurn, ResendError, Rules, SetSubscription, SettleError,
    Silent, Store, StoreError, Subscription, Swept, Token, TurnClaim, TurnCompleted, TurnError, TurnFailed,
    TurnFailure, TurnReplied, UpdateSession, UpdateSessionError,
};

mod codec;
mod commands;
mod committer;
mod engine;
mod export;
mod fjall;
mod floors;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod home;
mod keys;
mod kv;
mod lock;
mod migrate;
mod open;
mod originals;
mod overlay;
mod queries;
mod room;
mod schema;
mod sled;
mod tables;
mod tx;
mod walk;

pub use self::fjall::FjallOptions;
pub use self::home::holds_store;
pub use self::open::OpenError;
pub use self::sled::SledOptions;

use super::apply::{customers, inbound, messages, outbound, receipts, sessions, turns};
use crate::store::queue::Urgency;
use commands::{erasure, events, import, pauses, prune, sweep, tokens};
use committer::{Committer, Ground, Patience};
use engine::{Engine, Opener};
use export::SnapshotExport;
use floors::Floored;
use keys::{DeliveryKey, EndpointKey};
use kv::Kv;
use lock::DirectoryLock;
use room::Room;
use tables::Tables;
use tx::Tx;

/// When an import happens: before everything, so that nothing changes by coming to the front of a queue again.
const BEFORE_ALL: Timestamp = Timestamp::from_millis(i64::MIN);

/// One daemon's store. Dropping it finishes what was asked for, as [`Store::close`] does.
pub struct EmbeddedStore {
    // First, so that its thread has ended before the engine is let go of.
    committer: Arc<Committer>,
    engine: Arc<Engine>,
    min_free_bytes: Arc<AtomicU64>,
    rules: Arc<Rules>,
}

impl EmbeddedStore {
    /// Opens the directory, or makes a new store in it. Blocks until it is open: after a crash it reads the log.
    pub fn open_sled(path: &Path, options: &SledOptions, rules: Rules) -> Result<Self, OpenError> {
        let lock = Arc::new(DirectoryLock::acquire(path, options.lock_wait)?);
        let (directory, options) = (path.to_owned(), options.clone());
        let open = move || -> Result<Box<dyn Kv>, OpenError> {
            Ok(Box::new(self::sled::SledKv::open(&directory, Arc::clone(&lock), &options)?))
        };
        Self::start(path, Box::new(open), rules)
    }

    /// The same with fjall.
    pub fn open_fjall(path: &Path, options: &FjallOptions, rules: Rules) -> Result<Self, OpenError> {
        let lock = Arc::new(DirectoryLock::acquire(path, options.lock_wait)?);
        let (directory, options) = (path.to_owned(), options.clone());
        let open = move || -> Result<Box<dyn Kv>, OpenError> {
            Ok(Box::new(Floored::new(self::fjall::FjallKv::open(&directory, Arc::clone(&lock), &options)?)))
        };
        Self::start(path, Box::new(open), rules)
    }

    /// `opener` holds the directory's lock, and so does every engine that it opens.
    fn start(path: &Path, opener: Opener, rules: Rules) -> Result<Self, OpenError> {
        let engine = Arc::new(Engine::default());
        engine.put(opener()?);
        let min_free_bytes = Arc::new(AtomicU64::new(0));
        let ground = Ground {
            engine: Arc::clone(&engine),
            opener,
            room: Room::of(path, Arc::clone(&min_free_bytes)),
            directory: path.to_owned(),
            patience: Patience::default(),
        };
        let committer = Committer::start(ground)
            .map_err(|source| OpenError::Engine { path: path.to_owned(), source: Box::new(source) })?;
        Ok(Self { committer: Arc::new(committer), engine, min_free_bytes, rules: Arc::new(rules) })
    }

    /// Keeps so much of the directory's file system free: with less, nothing new is taken. As it is opened, it keeps
    /// nothing, and the engine finds the disk full by itself.
    #[must_use]
    pub fn keeping_free(self, bytes: u64) -> Self {
        self.min_free_bytes.store(bytes, Ordering::Relaxed);
        self
    }

    /// Takes something new.
    async fn command<T, E, C>(&self, now: Timestamp, command: C) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: FnOnce(&mut Tx<'_, '_>) -> Result<T, E> + Send + 'static,
    {
        self.urgent(Urgency::New, now, command).await
    }

    /// Ends what was begun, or takes something back.
    async fn under_way<T, E, C>(&self, now: Timestamp, command: C) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: FnOnce(&mut Tx<'_, '_>) -> Result<T, E> + Send + 'static,
    {
        self.urgent(Urgency::UnderWay, now, command).await
    }

    async fn urgent<T, E, C>(&self, urgency: Urgency, now: Timestamp, command: C) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: FnOnce(&mut Tx<'_, '_>) -> Result<T, E> + Send + 'static,
    {
        let rules = Arc::clone(&self.rules);
        self.committer
            .run(urgency, move |overlay| {
                let mut tx = Tx::new(overlay, &rules, now);
                let done = command(&mut tx)?;
                tx.finish()?;
                Ok(done)
            })
            .await
    }

    /// Reads on one view.
    async fn query<T, E, Q>(&self, query: Q) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        Q: FnOnce(Tables<'_>) -> Result<T, E> + Send + 'static,
    {
        self.read(move |kv| {
            let view = kv.begin().map_err(StoreError::from)?;
            query(Tables::new(&*view))
        })
        .await
    }

    /// Off the executor, even for a single key: it may be on the disk, or wait for a batch that is being applied.
    async fn read<T, E, R>(&self, read: R) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        R: FnOnce(&dyn Kv) -> Result<T, E> + Send + 'static,
    {
        let kv = self.kv()?;
        match tokio::task::spawn_blocking(move || read(&*kv)).await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Unavailable("a read panicked".into()).into()),
        }
    }

    fn kv(&self) -> Result<Arc<dyn Kv>, StoreError> {
        self.committer.check()?;
        self.engine.get().ok_or_else(|| StoreError::Unavailable("it is away".into()))
    }
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore").field("rules", &self.rules).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn record_inbound(&self, command: RecordInbound) -> Result<Inbound, StoreError> {
        self.command(command.now, move |tx| inbound::record(tx, &command)).await
    }

    async fn text_by_provider_id(
        &self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<MessageId>, StoreError> {
        let (channel, provider_id) = (channel.to_owned(), provider_id.to_owned());
        self.query(move |tables| tables.inbound_id(&channel, &provider_id)).await
    }

    async fn create_customer(&self, command: CreateCustomer) -> Result<Fresh<Customer>, CreateCustomerError> {
        self.command(command.now, move |tx| customers::create(tx, &command)).await
    }

    async fn update_customer(
        &self,
        id: CustomerId,
        patch: CustomerPatch,
        now: Timestamp,
    ) -> Result<Customer, CustomerError> {
        self.command(now, move |tx| customers::update(tx, id, &patch)).await
    }

    async fn begin_confirmation(
        &self,
        id: CustomerId,
        token: String,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        self.command(now, move |tx| customers::begin_confirmation(tx, id, &token)).await
    }

    async fn confirm_customer(
        &self,
        id: CustomerId,
        token: String,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        let confirmed = self.command(now, move |tx| customers::confirm(tx, id, &token, &evidence)).await?;
        Ok(confirmed?)
    }

    async fn set_subscription(&self, command: SetSubscription) -> Result<Subscription, CustomerError> {
        // Who wants no more texts is heard also when there is hardly any room.
        let urgency = if command.unsubscribed { Urgency::UnderWay } else { Urgency::New };
        self.urgent(urgency, command.now, move |tx| customers::set_subscription(tx, &command)).await
    }

    async fn erase_customer(&self, id: CustomerId, now: Timestamp) -> Result<(), CustomerError> {
        self.command(now, move |tx| erasure::erase(tx, id)).await
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.query(move |tables| tables.customer(id)).await
    }

    async fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError> {
        let number = number.clone();
        self.query(move |tables| tables.customer_by_number(&number)).await
    }

    async fn customers(&self, page: PageRequest) -> Result<Page<Customer>, ListError> {
        self.query(move |tables| queries::customers(tables, &page)).await
    }

    async fn search_customers(&self, query: Query, limit: usize) -> Result<Vec<Customer>, StoreError> {
        self.read(move |kv| queries::search_customers(kv, &query, limit)).await
    }

    async fn consent_log(&self, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError> {
        self.query(move |tables| queries::consent_log(tables, number)).await
    }

    async fn update_session(&self, command: UpdateSession) -> Result<Session, UpdateSessionError> {
        self.command(command.now, move |tx| sessions::update(tx, &command)).await
    }

    async fn assign_session(&self, command: AssignSession) -> Result<Session, AssignError> {
        self.command(command.now, move |tx| sessions::assign(tx, &command)).await
    }

    async fn use_suggestion(
        &self,
        id: SuggestionId,
        now: Timestamp,
    ) -> Result<Option<Suggestion>, StoreError> {
        self.command(now, move |tx| sessions::use_suggestion(tx, id)).await
    }

    async fn attend(&self, new_turns: Vec<TurnId>, now: Timestamp) -> Result<Attended, StoreError> {
        self.command(now, move |tx| sessions::attend(tx, &new_turns)).await
    }

    async fn plan_attention(&self, now: Timestamp) -> Result<usize, StoreError> {
        let plan = |tx: &mut Tx<'_, '_>| {
            let waiting = tx.waiting_sessions()?;
            sessions::plan_attention(tx, &waiting)
        };
        self.command(now, plan).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.query(move |tables| tables.session(id)).await
    }

    async fn newest_session(&self, customer_id: CustomerId) -> Result<Option<Session>, StoreError> {
        self.query(move |tables| tables.newest_session(customer_id)).await
    }

    async fn sessions_of(
        &self,
        customer_id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<Session>, ListError> {
        self.query(move |tables| queries::sessions_of(tables, customer_id, &page)).await
    }

    async fn inbox(&self, filter: InboxFilter, page: PageRequest) -> Result<Page<Session>, ListError> {
        self.read(move |kv| queries::inbox(kv, &filter, &page)).await
    }

    async fn expand(
        &self,
        sessions: Vec<(SessionId, CustomerId)>,
        what: Expand,
    ) -> Result<Vec<Expanded>, StoreError> {
        self.read(move |kv| queries::expand(kv, &sessions, what)).await
    }

    async fn create_message(&self, command: CreateMessage) -> Result<Fresh<Message>, CreateMessageError> {
        let created = self.command(command.now, move |tx| messages::create(tx, &command)).await?;
        Ok(created?)
    }

    async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.query(move |tables| tables.message(id)).await
    }

    async fn messages_of(
        &self,
        session_id: SessionId,
        page: PageRequest,
    ) -> Result<Page<Message>, ListError> {
        self.query(move |tables| queries::messages_of(tables, session_id, &page)).await
    }

    async fn held(&self, page: PageRequest) -> Result<Page<Message>, ListError> {
        self.query(move |tables| queries::held(tables, &page)).await
    }

    async fn cancel_message(&self, id: MessageId, now: Timestamp) -> Result<Message, CancelError> {
        self.under_way(now, move |tx| messages::cancel(tx, id)).await
    }

    async fn resend_message(
        &self,
        id: MessageId,
        valid_for: Duration,
        now: Timestamp,
    ) -> Result<Message, ResendError> {
        self.command(now, move |tx| messages::resend(tx, id, valid_for)).await
    }

    async fn lane_heads(&self, lane: &Lane, now: Timestamp, limit: usize) -> Result<LaneHeads, StoreError> {
        let lane = lane.clone();
        self.query(move |tables| queries::lane_heads(tables, &lane, now, limit)).await
    }

    async fn queue_front(&self, customer_id: CustomerId) -> Result<Option<Message>, StoreError> {
        self.query(move |tables| Ok(tables.queue_front(customer_id)?.map(|(_, first)| first))).await
    }

    async fn busy_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.query(queries::busy_lanes).await
    }

    async fn postpone(&self, id: MessageId, ready_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        self.under_way(now, move |tx| outbound::postpone(tx, id, ready_at)).await
    }

    async fn begin_attempt(&self, id: MessageId, owner: &str, now: Timestamp) -> Result<Begun, StoreError> {
        let owner = owner.to_owned();
        self.urgent(Urgency::Due, now, move |tx| outbound::begin_attempt(tx, id, &owner)).await
    }

    async fn settle(
        &self,
        id: MessageId,
        attempt: u32,
        outcome: SendOutcome,
        now: Timestamp,
    ) -> Result<Message, SettleError> {
        self.under_way(now, move |tx| outbound::settle(tx, id, attempt, &outcome)).await
    }

    async fn abandon_attempts(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let owner = owner.to_owned();
        self.under_way(now, move |tx| outbound::abandon_attempts(tx, &owner)).await
    }

    async fn holding(&self, until: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.query(move |tables| queries::holding(tables, until, limit)).await
    }

    async fn unknown_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.query(move |tables| queries::unknown_due(tables, now, limit)).await
    }

    async fn resolve(
        &self,
        id: MessageId,
        attempt: u32,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        self.under_way(now, move |tx| outbound::resolve(tx, id, attempt, &evidence)).await
    }

    async fn silent(&self, filter: Silent, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.query(move |tables| queries::silent(tables, filter, limit)).await
    }

    async fn take_answer(
        &self,
        id: MessageId,
        asks: u8,
        answer: Option<(String, ReceiptStatus)>,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        self.under_way(now, move |tx| receipts::take_answer(tx, id, asks, answer.as_ref())).await
    }

    async fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        let provider_id = provider_id.to_owned();
        self.query(move |tables| tables.messages_by_provider_id(&provider_id)).await
    }

    async fn keep_pause(&self, pause: Pause) -> Result<(), StoreError> {
        self.under_way(pause.until, move |tx| pauses::keep(tx, &pause)).await
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>, StoreError> {
        self.query(move |tables| queries::pauses(tables, now)).await
    }

    async fn apply_receipt(&self, receipt: Receipt, now: Timestamp) -> Result<ReceiptOutcome, StoreError> {
        self.under_way(now, move |tx| receipts::apply(tx, &receipt)).await
    }

    async fn claim_turn(&self, owner: &str, now: Timestamp) -> Result<TurnClaim, StoreError> {
        let owner = owner.to_owned();
        self.urgent(Urgency::Due, now, move |tx| turns::claim(tx, &owner)).await
    }

    async fn complete_turn(&self, command: CompleteTurn) -> Result<TurnCompleted, TurnError> {
        self.under_way(command.now, move |tx| turns::complete(tx, &command)).await
    }

    async fn fail_turn(
        &self,
        id: TurnId,
        attempt: u32,
        failure: TurnFailure,
        now: Timestamp,
    ) -> Result<TurnFailed, TurnError> {
        self.under_way(now, move |tx| turns::fail(tx, id, attempt, &failure)).await
    }

    async fn reply_to_turn(&self, command: ReplyToTurn) -> Result<TurnReplied, ReplyError> {
        self.under_way(command.now, move |tx| turns::reply(tx, &command)).await
    }

    async fn failed_turns(&self, page: PageRequest) -> Result<Page<Turn>, ListError> {
        self.query(move |tables| queries::failed_turns(tables, &page)).await
    }

    async fn replay_turn(&self, id: TurnId, new_turn: TurnId, now: Timestamp) -> Result<Turn, ReplayError> {
        self.command(now, move |tx| turns::replay(tx, id, new_turn)).await
    }

    async fn release_turns(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let owner = owner.to_owned();
        self.under_way(now, move |tx| turns::release(tx, &owner)).await
    }

    async fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError> {
        self.query(move |tables| tables.turn(id)).await
    }

    async fn reclaim(&self, owner: &str, known: InHand, now: Timestamp) -> Result<Reclaimed, StoreError> {
        let owner = owner.to_owned();
        let command = move |tx: &mut Tx<'_, '_>| -> Result<Reclaimed, StoreError> {
            let messages = outbound::reclaim(tx, &owner, &known.messages)?;
            Ok(Reclaimed { messages, turns: turns::reclaim(tx, &owner, &known.turns)? })
        };
        self.under_way(now, command).await
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError> {
        self.query(move |tables| queries::events(tables, after, limit)).await
    }

    async fn event(&self, place: u64) -> Result<Option<Logged>, StoreError> {
        self.query(move |tables| queries::event(tables, place)).await
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        self.query(queries::last_event).await
    }

    fn event_news(&self) -> watch::Receiver<u64> {
        self.committer.news()
    }

    async fn prune_events(
        &self,
        before: Timestamp,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.under_way(now, move |tx| events::prune(tx, before, limit)).await
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.query(queries::endpoints).await
    }

    async fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, StoreError> {
        let key = EndpointKey { name: name.to_owned() };
        self.query(move |tables| tables.record(&key)).await
    }

    async fn advance_endpoint(&self, command: AdvanceEndpoint) -> Result<(), StoreError> {
        self.under_way(command.now, move |tx| events::advance(tx, &command)).await
    }

    async fn switch_endpoint(
        &self,
        name: &str,
        disabled: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.under_way(now, move |tx| events::switch(tx, &name, disabled)).await
    }

    async fn due_deliveries(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<DueDeliveries, StoreError> {
        let endpoint = endpoint.to_owned();
        self.query(move |tables| queries::due_deliveries(tables, &endpoint, now, limit)).await
    }

    async fn keep_delivery(&self, delivery: Delivery, now: Timestamp) -> Result<(), StoreError> {
        self.under_way(now, move |tx| events::keep_delivery(tx, &delivery)).await
    }

    async fn drop_delivery(&self, endpoint: &str, place: u64, now: Timestamp) -> Result<(), StoreError> {
        let endpoint = endpoint.to_owned();
        self.under_way(now, move |tx| events::drop_delivery(tx, &endpoint, place)).await
    }

    async fn delivery(&self, endpoint: &str, place: u64) -> Result<Option<Delivery>, StoreError> {
        let key = DeliveryKey { endpoint: endpoint.to_owned(), place };
        self.query(move |tables| tables.record(&key)).await
    }

    async fn deliveries(&self, endpoint: &str, page: PageRequest) -> Result<Page<Delivery>, ListError> {
        let endpoint = endpoint.to_owned();
        self.query(move |tables| queries::deliveries(tables, &endpoint, &page)).await
    }

    async fn mint_token(&self, token: Token) -> Result<(), StoreError> {
        self.command(token.created_at, move |tx| tokens::mint(tx, &token)).await
    }

    async fn token_by_hash(&self, sha256: [u8; 32]) -> Result<Option<Token>, StoreError> {
        self.query(move |tables| queries::token_by_hash(tables, sha256)).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.query(queries::tokens).await
    }

    async fn revoke_token(&self, id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
        self.under_way(now, move |tx| tokens::revoke(tx, id)).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        self.under_way(now, move |tx| sweep::sweep(tx, limit)).await
    }

    async fn prune(
        &self,
        before: Timestamp,
        from: Option<SessionId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Pruned, StoreError> {
        let (over, next) = self.query(move |tables| prune::candidates(tables, before, from, limit)).await?;
        let pruned = match over.as_slice() {
            [] => Pruned::default(),
            _ => self.command(now, move |tx| prune::prune(tx, &over, before)).await?,
        };
        Ok(Pruned { next, ..pruned })
    }

    async fn mark_alive(&self, alive: Alive) -> Result<(), StoreError> {
        // As new texts are: where the store takes none, they are missed, and the mark stands still.
        self.command(alive.at, move |tx| tx.put_record(&schema::alive_key(), &alive)).await
    }

    async fn last_alive(&self) -> Result<Option<Alive>, StoreError> {
        self.query(|tables| tables.record(&schema::alive_key())).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read(queries::counts).await
    }

    async fn export(&self) -> Result<Box<dyn Export>, StoreError> {
        let kv = self.kv()?;
        let begun = tokio::task::spawn_blocking(move || kv.snapshot()).await;
        let snapshot = begun.map_err(|_| StoreError::Unavailable("a read panicked".into()))??;
        Ok(Box::new(SnapshotExport::new(snapshot)))
    }

    async fn begin_import(&self) -> Result<(), ImportError> {
        self.command(BEFORE_ALL, import::begin).await
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), ImportError> {
        self.command(BEFORE_ALL, |tx| import::import(tx, records)).await
    }

    async fn end_import(&self) -> Result<(), ImportError> {
        self.command(BEFORE_ALL, import::end).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.committer.check()?;
        // A commit that hangs would let this one hang with it: the caller's time-out is the answer.
        self.committer.run(Urgency::New, |_| Ok(())).await
    }

    async fn broken(&self) -> String {
        self.committer.broken().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        let (committer, engine) = (Arc::clone(&self.committer), Arc::clone(&self.engine));
        let closing = move || {
            committer.close();
            // The last to hold the engine lets go of it; that may take a moment, too.
            drop(engine.take());
        };
        let closed = tokio::task::spawn_blocking(closing).await;
        closed.map_err(|_| StoreError::Unavailable("closing panicked".into()))
    }
}

#[cfg(test)]
mod tests;
