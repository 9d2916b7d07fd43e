//! The store for more than one daemon: a PostgreSQL database that all of them share. Whatever they promise together is kept
//! here, by locks on rows, unique keys and fencing tokens; a daemon keeps nothing that another one needs.
//!
//! Commands go through the [`committer`]: in batches, each of which is one transaction. Reads go past it, each a statement
//! of its own.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::apply::{Hand, customers, inbound, messages, outbound, receipts, sessions, turns};
use super::export::{Export, ImportError, Record};
use super::queue::Urgency;
use super::{
    AdvanceEndpoint, Alive, AssignError, AssignSession, Attended, Begun, CancelError, CompleteTurn,
    ConfirmError, Counts, CreateCustomer, CreateCustomerError, CreateMessage, CreateMessageError,
    CustomerError, CustomerPatch, DueDeliveries, EventsError, Expand, Expanded, Fresh, Idempotency, InHand,
    Inbound, InboxFilter, LaneHeads, ListError, Logged, Muster, Mustered, Page, PageRequest, Pruned, Receipt,
    ReceiptOutcome, Reclaimed, RecordInbound, ReplayError, ReplyError, ReplyToTurn, ResendError, Rules,
    SetSubscription, SettleError, Silent, Store, StoreError, Subscription, Swept, Token, TurnClaim,
    TurnCompleted, TurnError, TurnFailed, TurnFailure, TurnReplied, UpdateSession, UpdateSessionError,
};
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

mod beside;
mod client;
mod committer;
mod export;
mod import;
mod job;
mod load;
mod log;
mod migrate;
mod muster;
mod news;
mod open;
mod queries;
mod rows;
mod sql;
mod statements;
mod working;
mod write;

pub use self::open::{OpenError, PostgresOptions, migrate_schema, schema_of};
pub use migrate::Schema;

use beside::Idle;
use client::{Dialer, Failure, Pool};
use committer::Committer;
use export::CursorExport;
use working::{Want, Working};

/// One daemon's hold on the store that all of them share.
pub struct PostgresStore {
    dialer: Arc<Dialer>,
    readers: Pool,
    /// What is written beside the batches, each a statement of its own.
    beside: Pool,
    /// Whether anything can be written.
    signs: Pool,
    /// The connection that signs of life are shown on, which nothing else may hold up.
    mustering: Idle,
    committer: Arc<Committer>,
    rules: Arc<Rules>,
    news: watch::Sender<u64>,
    told: watch::Sender<u64>,
    /// Connections that wait for a transaction beside the batches.
    idle: Idle,
    following: AbortHandle,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.following.abort();
        let committer = Arc::clone(&self.committer);
        // It finishes what was asked for; whoever drops the store need not wait for that.
        let closing =
            std::thread::Builder::new().name("store-closing".into()).spawn(move || committer.close());
        if let Err(error) = closing {
            tracing::error!(%error, "the store could not be closed; what was answered is kept");
        }
    }
}

/// For how many waiting customers it is planned at a time who attends to them.
const PLANNED_AT_A_TIME: usize = 100;

/// What a command wants to know, as far as it is known beforehand.
fn wants<const N: usize>(wants: [Want; N]) -> BTreeSet<Want> {
    BTreeSet::from(wants)
}

fn key_of(idempotency: Option<&Idempotency>) -> Option<Want> {
    idempotency.map(|idempotency| Want::Key((idempotency.scope.clone(), idempotency.key.clone())))
}

/// Commands about the same thing are given to the same committer, so that they keep their order.
fn line(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl PostgresStore {
    async fn command<T, E, C>(
        &self,
        urgency: Urgency,
        now: Timestamp,
        wants: BTreeSet<Want>,
        command: C,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: Fn(&mut Working) -> Result<T, E> + Send + 'static,
    {
        self.committer.run(urgency, None, now, wants, command).await
    }

    /// Shows an event that was told beside the batches.
    fn show(&self, place: Option<u64>) {
        let Some(place) = place else { return };
        for shown in [&self.news, &self.told] {
            news::show(shown, place);
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn record_inbound(&self, command: RecordInbound) -> Result<Inbound, StoreError> {
        let text = &command.text;
        let known = wants([
            Want::InboundId((text.provider_id.clone(), text.lane.channel.clone())),
            Want::Number(text.from.as_str().to_owned()),
        ]);
        let (line, now) = (Some(line(&text.from.as_str())), command.now);
        let record = move |tx: &mut Working| inbound::record(tx, &command);
        self.committer.run(Urgency::New, line, now, known, record).await
    }

    async fn text_by_provider_id(
        &self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<MessageId>, StoreError> {
        self.get_inbound_id(channel, provider_id).await
    }

    async fn create_customer(&self, command: CreateCustomer) -> Result<Fresh<Customer>, CreateCustomerError> {
        let mut known = wants([Want::Number(command.number.as_str().to_owned())]);
        known.extend(key_of(command.idempotency.as_ref()));
        self.command(Urgency::New, command.now, known, move |tx| customers::create(tx, &command)).await
    }

    async fn update_customer(
        &self,
        id: CustomerId,
        patch: CustomerPatch,
        now: Timestamp,
    ) -> Result<Customer, CustomerError> {
        let known = wants([Want::Customer(id)]);
        self.command(Urgency::New, now, known, move |tx| customers::update(tx, id, &patch)).await
    }

    async fn begin_confirmation(
        &self,
        id: CustomerId,
        token: String,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        let known = wants([Want::Customer(id)]);
        self.command(Urgency::New, now, known, move |tx| customers::begin_confirmation(tx, id, &token)).await
    }

    async fn confirm_customer(
        &self,
        id: CustomerId,
        token: String,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> Result<Customer, ConfirmError> {
        let confirm = move |tx: &mut Working| customers::confirm(tx, id, &token, &evidence);
        Ok(self.command(Urgency::New, now, wants([Want::Customer(id)]), confirm).await??)
    }

    async fn set_subscription(&self, command: SetSubscription) -> Result<Subscription, CustomerError> {
        let urgency = if command.unsubscribed { Urgency::UnderWay } else { Urgency::New };
        let known = wants([Want::Customer(command.customer_id)]);
        self.command(urgency, command.now, known, move |tx| customers::set_subscription(tx, &command)).await
    }

    async fn erase_customer(&self, id: CustomerId, now: Timestamp) -> Result<(), CustomerError> {
        self.erase(id, now).await
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.get_customer(id).await
    }

    async fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError> {
        self.get_customer_by_number(number).await
    }

    async fn customers(&self, page: PageRequest) -> Result<Page<Customer>, ListError> {
        self.list_customers(&page).await
    }

    async fn search_customers(&self, query: Query, limit: usize) -> Result<Vec<Customer>, StoreError> {
        self.find_customers(&query, limit).await
    }

    async fn consent_log(&self, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError> {
        self.list_consent(number).await
    }

    async fn update_session(&self, command: UpdateSession) -> Result<Session, UpdateSessionError> {
        let known = wants([Want::Customer(command.customer_id)]);
        self.command(Urgency::New, command.now, known, move |tx| sessions::update(tx, &command)).await
    }

    async fn assign_session(&self, command: AssignSession) -> Result<Session, AssignError> {
        let known = wants([Want::Customer(command.customer_id)]);
        self.command(Urgency::New, command.now, known, move |tx| sessions::assign(tx, &command)).await
    }

    async fn use_suggestion(
        &self,
        id: SuggestionId,
        now: Timestamp,
    ) -> Result<Option<Suggestion>, StoreError> {
        let known = wants([Want::Suggestion(id)]);
        self.command(Urgency::New, now, known, move |tx| sessions::use_suggestion(tx, id)).await
    }

    async fn attend(&self, new_turns: Vec<TurnId>, now: Timestamp) -> Result<Attended, StoreError> {
        let known = wants([Want::ToBeAttended(new_turns.len() + 1)]);
        self.command(Urgency::New, now, known, move |tx| sessions::attend(tx, &new_turns)).await
    }

    async fn plan_attention(&self, now: Timestamp) -> Result<usize, StoreError> {
        let (mut changed, mut after) = (0, None);
        loop {
            // Some at a time: there may be very many, and all are locked while it is planned for them.
            let waiting = self.list_waiting(after, PLANNED_AT_A_TIME).await?;
            let known = waiting.iter().copied().map(Want::Session).collect();
            after = waiting.last().copied();
            let are_all = waiting.len() < PLANNED_AT_A_TIME;
            let plan = move |tx: &mut Working| sessions::plan_attention(tx, &waiting);
            changed += self.command(Urgency::New, now, known, plan).await?;
            if are_all {
                return Ok(changed);
            }
        }
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.get_session(id).await
    }

    async fn newest_session(&self, customer_id: CustomerId) -> Result<Option<Session>, StoreError> {
        self.get_newest_session(customer_id).await
    }

    async fn sessions_of(
        &self,
        customer_id: CustomerId,
        page: PageRequest,
    ) -> Result<Page<Session>, ListError> {
        self.list_sessions(customer_id, &page).await
    }

    async fn inbox(&self, filter: InboxFilter, page: PageRequest) -> Result<Page<Session>, ListError> {
        self.list_inbox(&filter, &page).await
    }

    async fn expand(
        &self,
        sessions: Vec<(SessionId, CustomerId)>,
        what: Expand,
    ) -> Result<Vec<Expanded>, StoreError> {
        self.get_expanded(&sessions, what).await
    }

    async fn create_message(&self, command: CreateMessage) -> Result<Fresh<Message>, CreateMessageError> {
        let mut known = wants([Want::Customer(command.customer_id)]);
        known.extend(key_of(command.idempotency.as_ref()));
        known.extend(command.text.turn_id.map(Want::Turn));
        let (line, now) = (Some(line(&command.customer_id)), command.now);
        let create = move |tx: &mut Working| messages::create(tx, &command);
        Ok(self.committer.run(Urgency::New, line, now, known, create).await??)
    }

    async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.get_message(id).await
    }

    async fn messages_of(
        &self,
        session_id: SessionId,
        page: PageRequest,
    ) -> Result<Page<Message>, ListError> {
        self.list_messages(session_id, &page).await
    }

    async fn held(&self, page: PageRequest) -> Result<Page<Message>, ListError> {
        self.list_held(&page).await
    }

    async fn cancel_message(&self, id: MessageId, now: Timestamp) -> Result<Message, CancelError> {
        let known = wants([Want::Message(id)]);
        self.command(Urgency::UnderWay, now, known, move |tx| messages::cancel(tx, id)).await
    }

    async fn resend_message(
        &self,
        id: MessageId,
        valid_for: Duration,
        now: Timestamp,
    ) -> Result<Message, ResendError> {
        let known = wants([Want::Message(id)]);
        self.command(Urgency::New, now, known, move |tx| messages::resend(tx, id, valid_for)).await
    }

    async fn lane_heads(&self, lane: &Lane, now: Timestamp, limit: usize) -> Result<LaneHeads, StoreError> {
        self.get_lane_heads(lane, now, limit).await
    }

    async fn queue_front(&self, customer_id: CustomerId) -> Result<Option<Message>, StoreError> {
        self.get_queue_front(customer_id).await
    }

    async fn busy_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.list_busy_lanes().await
    }

    async fn postpone(&self, id: MessageId, ready_at: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let known = wants([Want::Message(id)]);
        self.command(Urgency::UnderWay, now, known, move |tx| outbound::postpone(tx, id, ready_at)).await
    }

    async fn begin_attempt(&self, id: MessageId, owner: &str, now: Timestamp) -> Result<Begun, StoreError> {
        let (owner, known) = (owner.to_owned(), wants([Want::Message(id), Want::Office(owner.to_owned())]));
        self.command(Urgency::Due, now, known, move |tx| outbound::begin_attempt(tx, id, &owner)).await
    }

    async fn settle(
        &self,
        id: MessageId,
        attempt: u32,
        outcome: SendOutcome,
        now: Timestamp,
    ) -> Result<Message, SettleError> {
        let known = wants([Want::Message(id)]);
        let settle = move |tx: &mut Working| outbound::settle(tx, id, attempt, &outcome);
        self.command(Urgency::UnderWay, now, known, settle).await
    }

    async fn abandon_attempts(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let (owner, known) = (owner.to_owned(), wants([Want::MessagesIn(Hand::GoneBut(owner.to_owned()))]));
        self.command(Urgency::UnderWay, now, known, move |tx| outbound::abandon_attempts(tx, &owner)).await
    }

    async fn holding(&self, until: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.list_holding(until, limit).await
    }

    async fn unknown_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.list_unknown_due(now, limit).await
    }

    async fn resolve(
        &self,
        id: MessageId,
        attempt: u32,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        let mut known = wants([Want::Message(id)]);
        if let Evidence::Found { provider_id } = &evidence {
            known.insert(Want::ProviderId(provider_id.clone()));
        }
        self.command(Urgency::UnderWay, now, known, move |tx| outbound::resolve(tx, id, attempt, &evidence))
            .await
    }

    async fn silent(&self, filter: Silent, limit: usize) -> Result<Vec<Message>, StoreError> {
        self.list_silent(filter, limit).await
    }

    async fn take_answer(
        &self,
        id: MessageId,
        asks: u8,
        answer: Option<(String, ReceiptStatus)>,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        let known = wants([Want::Message(id)]);
        let take = move |tx: &mut Working| receipts::take_answer(tx, id, asks, answer.as_ref());
        self.command(Urgency::UnderWay, now, known, take).await
    }

    async fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        self.list_by_provider_id(provider_id).await
    }

    async fn keep_pause(&self, pause: Pause) -> Result<(), StoreError> {
        self.put_pause(&pause).await
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>, StoreError> {
        self.list_pauses(now).await
    }

    async fn apply_receipt(&self, receipt: Receipt, now: Timestamp) -> Result<ReceiptOutcome, StoreError> {
        let id = (receipt.provider_id.clone(), receipt.channel.clone());
        let mut known = wants([Want::OutboundId(id.clone()), Want::Parked(id)]);
        known.extend(receipt.message_id.map(Want::Message));
        let line = Some(line(&receipt.provider_id));
        let apply = move |tx: &mut Working| receipts::apply(tx, &receipt);
        self.committer.run(Urgency::UnderWay, line, now, known, apply).await
    }

    async fn claim_turn(&self, owner: &str, now: Timestamp) -> Result<TurnClaim, StoreError> {
        // The same line for all of this process, so that they do not wait for each other's rows.
        let (owner, line) = (owner.to_owned(), Some(line(&"turns")));
        let known = wants([Want::DueTurns(8), Want::Office(owner.clone())]);
        let claim = move |tx: &mut Working| turns::claim(tx, &owner);
        self.committer.run(Urgency::Due, line, now, known, claim).await
    }

    async fn complete_turn(&self, command: CompleteTurn) -> Result<TurnCompleted, TurnError> {
        let known = wants([Want::Turn(command.turn_id)]);
        self.command(Urgency::UnderWay, command.now, known, move |tx| turns::complete(tx, &command)).await
    }

    async fn fail_turn(
        &self,
        id: TurnId,
        attempt: u32,
        failure: TurnFailure,
        now: Timestamp,
    ) -> Result<TurnFailed, TurnError> {
        let known = wants([Want::Turn(id)]);
        self.command(Urgency::UnderWay, now, known, move |tx| turns::fail(tx, id, attempt, &failure)).await
    }

    async fn reply_to_turn(&self, command: ReplyToTurn) -> Result<TurnReplied, ReplyError> {
        let known = wants([Want::Turn(command.turn_id)]);
        self.command(Urgency::UnderWay, command.now, known, move |tx| turns::reply(tx, &command)).await
    }

    async fn failed_turns(&self, page: PageRequest) -> Result<Page<Turn>, ListError> {
        self.list_failed_turns(&page).await
    }

    async fn replay_turn(&self, id: TurnId, new_turn: TurnId, now: Timestamp) -> Result<Turn, ReplayError> {
        let known = wants([Want::Turn(id)]);
        self.command(Urgency::New, now, known, move |tx| turns::replay(tx, id, new_turn)).await
    }

    async fn release_turns(&self, owner: &str, now: Timestamp) -> Result<usize, StoreError> {
        let (owner, known) = (owner.to_owned(), wants([Want::TurnsIn(Hand::GoneBut(owner.to_owned()))]));
        self.command(Urgency::UnderWay, now, known, move |tx| turns::release(tx, &owner)).await
    }

    async fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError> {
        self.get_turn(id).await
    }

    async fn reclaim(&self, owner: &str, known: InHand, now: Timestamp) -> Result<Reclaimed, StoreError> {
        let owner = owner.to_owned();
        let hand = Hand::Of(owner.clone());
        let command = move |tx: &mut Working| -> Result<Reclaimed, StoreError> {
            let messages = outbound::reclaim(tx, &owner, &known.messages)?;
            Ok(Reclaimed { messages, turns: turns::reclaim(tx, &owner, &known.turns)? })
        };
        let known = wants([Want::MessagesIn(hand.clone()), Want::TurnsIn(hand)]);
        self.command(Urgency::UnderWay, now, known, command).await
    }

    async fn events(&self, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError> {
        self.list_events(after, limit).await
    }

    async fn event(&self, place: u64) -> Result<Option<Logged>, StoreError> {
        self.get_event(place).await
    }

    async fn last_event(&self) -> Result<u64, StoreError> {
        self.get_last_event().await
    }

    fn event_news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    async fn prune_events(&self, before: Timestamp, limit: usize, _: Timestamp) -> Result<usize, StoreError> {
        self.clear_events(before, limit).await
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.list_endpoints().await
    }

    async fn endpoint(&self, name: &str) -> Result<Option<Endpoint>, StoreError> {
        self.get_endpoint(name).await
    }

    async fn advance_endpoint(&self, command: AdvanceEndpoint) -> Result<(), StoreError> {
        self.move_endpoint(&command).await
    }

    async fn switch_endpoint(
        &self,
        name: &str,
        disabled: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.turn_endpoint(name, disabled, now).await
    }

    async fn due_deliveries(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<DueDeliveries, StoreError> {
        self.list_due_deliveries(endpoint, now, limit).await
    }

    async fn keep_delivery(&self, delivery: Delivery, _: Timestamp) -> Result<(), StoreError> {
        self.put_delivery(&delivery).await
    }

    async fn drop_delivery(&self, endpoint: &str, place: u64, _: Timestamp) -> Result<(), StoreError> {
        self.remove_delivery(endpoint, place).await
    }

    async fn delivery(&self, endpoint: &str, place: u64) -> Result<Option<Delivery>, StoreError> {
        self.get_delivery(endpoint, place).await
    }

    async fn deliveries(&self, endpoint: &str, page: PageRequest) -> Result<Page<Delivery>, ListError> {
        self.list_deliveries(endpoint, &page).await
    }

    async fn mint_token(&self, token: Token) -> Result<(), StoreError> {
        self.add_token(&token).await
    }

    async fn token_by_hash(&self, sha256: [u8; 32]) -> Result<Option<Token>, StoreError> {
        self.get_token(sha256).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.list_tokens().await
    }

    async fn revoke_token(&self, id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
        self.end_token(id, now).await
    }

    async fn muster(&self, muster: Muster) -> Result<Mustered, StoreError> {
        self.show_up(&muster).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn lay_down(&self, owner: &str, duty: &str) -> Result<(), StoreError> {
        self.free_duty(owner, duty).await
    }

    async fn resign(&self, owner: &str) -> Result<(), StoreError> {
        self.free_all(owner).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<Swept, StoreError> {
        let known = wants([Want::Overdue(now, limit.saturating_add(1))]);
        let expire = move |tx: &mut Working| outbound::expire(tx, limit);
        let (expired, more) = self.command(Urgency::UnderWay, now, known, expire).await?;
        let more_keys = self.clear_keys(now, limit).await?;
        let more_receipts = self.clear_parked(now, limit).await?;
        Ok(Swept { expired, more: more || more_keys || more_receipts })
    }

    async fn prune(
        &self,
        before: Timestamp,
        from: Option<SessionId>,
        limit: usize,
        _: Timestamp,
    ) -> Result<Pruned, StoreError> {
        self.clear_sessions(before, from, limit).await
    }

    async fn mark_alive(&self, alive: Alive) -> Result<(), StoreError> {
        self.put_alive(&alive).await
    }

    async fn last_alive(&self) -> Result<Option<Alive>, StoreError> {
        self.get_last_alive().await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.get_counts().await
    }

    async fn export(&self) -> Result<Box<dyn Export>, StoreError> {
        self.committer.check()?;
        let begun = async { CursorExport::begin(self.dialer.session().await?).await };
        Ok(Box::new(begun.await.map_err(Failure::into_store_error)?))
    }

    async fn begin_import(&self) -> Result<(), ImportError> {
        self.start_import().await
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), ImportError> {
        self.take_records(records).await
    }

    async fn end_import(&self) -> Result<(), ImportError> {
        self.finish_import().await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.committer.check()?;
        let session = self.signs.session().await.map_err(Failure::into_store_error)?;
        session.takes_writes().await.map_err(Failure::into_store_error)
    }

    async fn broken(&self) -> String {
        // Whatever becomes of the database, it is looked for until it is back.
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.following.abort();
        let committer = Arc::clone(&self.committer);
        let closed = tokio::task::spawn_blocking(move || committer.close()).await;
        for pool in [&self.readers, &self.beside, &self.signs] {
            pool.close().await;
        }
        closed.map_err(|_| StoreError::Unavailable("closing panicked".into()))
    }
}
