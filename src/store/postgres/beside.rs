//! What is written beside the conversations, and what is cleared away: each a transaction of its own, on a connection of its
//! own, so that it is in no batch's way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::PostgresStore;
use super::client::{Failure, Session as Connection};
use super::load::BEGIN;
use super::rows;
use super::sql::{big, column_of, count, encode, record, text, unbig};
use super::write::{ADD_EVENTS, COMMIT};
use crate::domain::customer::{Customer, NumberHash};
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::What;
use crate::domain::ids::{CustomerId, SessionId, TokenId};
use crate::domain::message::Message;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::change::Changed;
use crate::store::{AdvanceEndpoint, Alive, CustomerError, Pruned, REMEMBERED, StoreError, Token};

type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// How often something is cleared away again that others were in the way of.
const CLEARING_TRIES: u32 = 3;
/// How many messages are cleared away by one statement.
const CLEARED_AT_A_TIME: i64 = 2_000;

pub const PUT_ALIVE: &str = "INSERT INTO facts (name, record) VALUES ('alive', $1::text::json)
    ON CONFLICT (name) DO UPDATE SET record = EXCLUDED.record";
pub const ADD_TOKEN: &str = "INSERT INTO tokens (id, sha256, record) VALUES ($1, $2, $3::text::json)";
pub const PUT_ENDPOINT: &str = "INSERT INTO endpoints (name, record) VALUES ($1, $2::text::json)
    ON CONFLICT (name) DO UPDATE SET record = EXCLUDED.record";
const PUT_DELIVERY: &str =
    "INSERT INTO deliveries (endpoint, place, next_at, record) VALUES ($1, $2, $3, $4::text::json)
    ON CONFLICT (endpoint, place) DO UPDATE SET next_at = EXCLUDED.next_at, record = EXCLUDED.record";

/// A transaction, open until it is committed. One that is dropped before that is rolled back with its connection.
pub struct Transaction {
    on: Arc<Connection>,
    done: bool,
    tasks: TaskTracker,
    /// Where the connection waits for the next one.
    idle: Idle,
}

/// How many connections wait for the next transaction.
const MOST_IDLE: usize = 4;
/// How long a connection that waited may take to begin one.
const BEGIN_PATIENCE: Duration = Duration::from_secs(1);

/// Connections that wait for a transaction.
#[derive(Clone)]
pub struct Idle {
    connections: Arc<Mutex<Vec<Arc<Connection>>>>,
    as_needed: fn(Connection) -> Connection,
}

impl Idle {
    pub fn new(as_needed: fn(Connection) -> Connection) -> Self {
        Self { connections: Arc::default(), as_needed }
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transaction {
    pub async fn rows(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        self.on.query(sql, values).await.map_err(Failure::into_store_error)
    }

    pub async fn execute(&self, sql: &str, values: Values<'_>) -> Result<u64, StoreError> {
        self.on.execute(sql, values).await.map_err(Failure::into_store_error)
    }

    /// What is told, and then nothing else: whoever tells holds up all others until the commit.
    async fn tell(&self, what: &[What], now: Timestamp) -> Result<Option<u64>, StoreError> {
        if what.is_empty() {
            return Ok(None);
        }
        let at: Vec<i64> = what.iter().map(|_| now.as_millis()).collect();
        let records = what.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let places = self.rows(ADD_EVENTS, &[&at, &records]).await?;
        let places =
            places.iter().map(|row| column_of::<i64>(row, "place")).collect::<Result<Vec<_>, _>>()?;
        places.into_iter().max().map(unbig).transpose()
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        let committed = self.on.batch(COMMIT).await;
        self.done = committed.is_ok();
        if self.done {
            let mut idle = self.idle.connections();
            if idle.len() < MOST_IDLE {
                idle.push(Arc::clone(&self.on));
            }
        }
        committed.map_err(Failure::into_uncertain)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.done {
            let on = Arc::clone(&self.on);
            self.tasks.spawn(async move { on.batch("ROLLBACK").await.map_err(Failure::into_store_error) });
        }
    }
}

impl PostgresStore {
    /// A statement that is all of its transaction.
    pub(super) async fn put(&self, sql: &str, values: Values<'_>) -> Result<u64, StoreError> {
        self.committer.check()?;
        let on = self.beside.session().await.map_err(Failure::into_store_error)?;
        on.prepared(sql).await.map_err(Failure::into_store_error)?;
        on.execute(sql, values).await.map_err(Failure::into_uncertain)
    }

    pub(super) async fn transaction(&self) -> Result<Transaction, StoreError> {
        self.committer.check()?;
        self.transaction_on(&self.idle).await
    }

    /// On one of those that wait, if it still works; else on a new one.
    pub(super) async fn transaction_on(&self, idle: &Idle) -> Result<Transaction, StoreError> {
        let (idle, tasks) = (idle.clone(), self.dialer.tasks().clone());
        let waiting = idle.connections().pop();
        if let Some(on) = waiting {
            if let Ok(Ok(())) = tokio::time::timeout(BEGIN_PATIENCE, on.batch(BEGIN)).await {
                return Ok(Transaction { on, done: false, tasks, idle });
            }
            // The others have waited for as long.
            idle.connections().clear();
        }
        let on = (idle.as_needed)(self.dialer.session().await.map_err(Failure::into_store_error)?);
        let on = Arc::new(on);
        on.batch(BEGIN).await.map_err(Failure::into_store_error)?;
        Ok(Transaction { on, done: false, tasks, idle })
    }

    // --- pauses, the mark, tokens ---

    pub(super) async fn put_pause(&self, pause: &Pause) -> Result<(), StoreError> {
        self.committer.check()?;
        let on = self.beside.session().await.map_err(Failure::into_store_error)?;
        put_pause(&on, pause).await.map_err(Failure::into_uncertain)
    }

    pub(super) async fn put_alive(&self, alive: &Alive) -> Result<(), StoreError> {
        self.put(PUT_ALIVE, &[&encode(alive)?]).await.map(drop)
    }

    pub(super) async fn add_token(&self, token: &Token) -> Result<(), StoreError> {
        self.put(ADD_TOKEN, &[&token.id.0, &token.sha256.as_slice(), &encode(token)?]).await.map(drop)
    }

    pub(super) async fn end_token(&self, id: TokenId, now: Timestamp) -> Result<bool, StoreError> {
        let transaction = self.transaction().await?;
        let sql = "SELECT record::text AS record FROM tokens WHERE id = $1 FOR UPDATE";
        let rows = transaction.rows(sql, &[&id.0]).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        let mut token: Token = record(row, "record")?;
        token.revoked_at.get_or_insert(now);
        let sql = "UPDATE tokens SET record = $2::text::json WHERE id = $1";
        transaction.execute(sql, &[&id.0, &encode(&token)?]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    // --- endpoints ---

    pub(super) async fn move_endpoint(&self, command: &AdvanceEndpoint) -> Result<(), StoreError> {
        let AdvanceEndpoint { name, position, in_vain, reached, now } = command;
        let transaction = self.transaction().await?;
        let mut endpoint = endpoint_of(&transaction, name, *position).await?;
        endpoint.advance(*position, *reached, *now);
        transaction.execute(PUT_ENDPOINT, &[&text(name), &encode(&endpoint)?]).await?;
        for delivery in in_vain {
            put_delivery(&transaction.on, delivery).await.map_err(Failure::into_store_error)?;
        }
        transaction.commit().await
    }

    pub(super) async fn turn_endpoint(
        &self,
        name: &str,
        disabled: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let last = self.get_last_event().await?;
        let transaction = self.transaction().await?;
        let mut endpoint = endpoint_of(&transaction, name, last).await?;
        let told: Vec<What> = endpoint.switch(disabled, now).into_iter().collect();
        transaction.execute(PUT_ENDPOINT, &[&text(name), &encode(&endpoint)?]).await?;
        let place = transaction.tell(&told, now).await?;
        transaction.commit().await?;
        self.show(place);
        Ok(())
    }

    pub(super) async fn put_delivery(&self, delivery: &Delivery) -> Result<(), StoreError> {
        self.committer.check()?;
        let on = self.beside.session().await.map_err(Failure::into_store_error)?;
        put_delivery(&on, delivery).await.map_err(Failure::into_uncertain)
    }

    pub(super) async fn remove_delivery(&self, endpoint: &str, place: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM deliveries WHERE endpoint = $1 AND place = $2";
        self.put(sql, &[&text(endpoint), &big(place)]).await.map(drop)
    }

    // --- what is cleared away ---

    /// All of a customer, in one transaction.
    pub(super) async fn erase(&self, id: CustomerId, now: Timestamp) -> Result<(), CustomerError> {
        let transaction = self.transaction().await?;
        let sql =
            "SELECT key_scope, key_name, record::text AS record FROM customers WHERE id = $1 FOR UPDATE";
        let rows = transaction.rows(sql, &[&id.0]).await?;
        let row = rows.first().ok_or(CustomerError::NotFound)?;
        let customer: Customer = record(row, "record")?;
        let sessions = transaction.rows("SELECT id FROM sessions WHERE customer_id = $1", &[&id.0]).await?;
        let sessions = sessions.iter().map(|row| rows::id(row, "id")).collect::<Result<Vec<_>, _>>()?;
        clear(&transaction, &sessions, false).await?;
        if customer.unsubscribed
            && let Some(number) = customer.address().map(NumberHash::of)
        {
            let sql = "INSERT INTO suppressed_numbers VALUES ($1) ON CONFLICT DO NOTHING";
            transaction.execute(sql, &[&number.0.as_slice()]).await?;
        }
        let key: (Option<&str>, Option<&str>) = (column_of(row, "key_scope")?, column_of(row, "key_name")?);
        let sql = "DELETE FROM idempotency_keys
            WHERE scope = $1 AND name = $2 AND customer_id = $3 AND session_id IS NULL";
        transaction.execute(sql, &[&key.0, &key.1, &id.0]).await?;
        transaction.execute("DELETE FROM customer_words WHERE customer_id = $1", &[&id.0]).await?;
        transaction.execute("DELETE FROM customers WHERE id = $1", &[&id.0]).await?;
        let changed = Changed { customers: vec![(Some(customer), None)], ..Changed::default() };
        let place = transaction.tell(&changed.told(), now).await?;
        transaction.commit().await?;
        self.show(place);
        Ok(())
    }

    pub(super) async fn clear_sessions(
        &self,
        before: Timestamp,
        from: Option<SessionId>,
        limit: usize,
    ) -> Result<Pruned, StoreError> {
        let transaction = self.transaction().await?;
        let from = from.map_or(Uuid::nil(), |id| id.0);
        let sql = "SELECT id, customer_id, record::text AS record FROM sessions WHERE id >= $1 ORDER BY id LIMIT $2";
        let rows = transaction.rows(sql, &[&from, &count(limit.saturating_add(1))]).await?;
        let (mut next, mut candidates, mut customers) = (None, Vec::new(), BTreeSet::new());
        for (looked_at, row) in rows.iter().enumerate() {
            let id = SessionId(rows::id(row, "id")?);
            if id.made_at() >= before {
                break;
            }
            if looked_at >= limit {
                next = Some(id);
                break;
            }
            if record::<Session>(row, "record")?.is_over(before) {
                candidates.push(id.0);
                customers.insert(rows::id(row, "customer_id")?);
            }
        }
        let mut pruned = Pruned { next, ..Pruned::default() };
        if candidates.is_empty() {
            transaction.commit().await?;
            return Ok(pruned);
        }
        let customers: Vec<Uuid> = customers.into_iter().collect();
        transaction
            .rows("SELECT id FROM customers WHERE id = ANY ($1) ORDER BY id FOR UPDATE", &[&customers])
            .await?;
        // Again, now that nobody else changes them.
        let sql = "SELECT id, record::text AS record FROM sessions s WHERE id = ANY ($1)
            AND NOT EXISTS (SELECT FROM messages m WHERE m.customer_id = s.customer_id AND m.is_open AND m.session_id = s.id)
            AND NOT EXISTS (SELECT FROM turns t WHERE t.customer_id = s.customer_id AND t.is_open AND t.session_id = s.id)";
        let mut going = Vec::new();
        for row in &transaction.rows(sql, &[&candidates]).await? {
            let session: Session = record(row, "record")?;
            if session.is_over(before) {
                pruned.sessions += 1;
                pruned.messages += session.message_count;
                going.push(session.id.0);
            }
        }
        clear(&transaction, &going, true).await?;
        transaction.commit().await?;
        Ok(pruned)
    }

    /// Old idempotency keys; whether there are more.
    pub(super) async fn clear_keys(&self, now: Timestamp, limit: usize) -> Result<bool, StoreError> {
        let sql = "WITH old AS (
                SELECT scope, name, row_number() OVER (ORDER BY at, scope, name) AS number FROM (
                    SELECT scope, name, at FROM idempotency_keys WHERE at < $1 ORDER BY at, scope, name LIMIT $2::bigint + 1) k),
            gone AS (
                DELETE FROM idempotency_keys k USING old
                WHERE k.scope = old.scope AND k.name = old.name AND old.number <= $2::bigint)
            SELECT count(*) AS found FROM old";
        self.clear_old(sql, now, limit).await
    }

    /// Old parked receipts; whether there are more.
    pub(super) async fn clear_parked(&self, now: Timestamp, limit: usize) -> Result<bool, StoreError> {
        let sql = "WITH old AS (
                SELECT provider_id, channel, seq, row_number() OVER (ORDER BY at, seq) AS number FROM (
                    SELECT provider_id, channel, seq, at FROM parked_receipts WHERE at < $1
                    ORDER BY at, seq LIMIT $2::bigint + 1) p),
            gone AS (
                DELETE FROM parked_receipts p USING old
                WHERE p.provider_id = old.provider_id AND p.channel = old.channel AND p.seq = old.seq
                    AND old.number <= $2::bigint
                RETURNING p.provider_id, p.channel),
            counted AS (
                UPDATE counters SET value = value - (SELECT count(*) FROM gone)
                WHERE name = 'parked' AND EXISTS (SELECT FROM gone)),
            forgotten AS (
                DELETE FROM outbound_ids o USING (SELECT provider_id, channel, count(*) AS gone FROM gone GROUP BY 1, 2) g
                WHERE o.provider_id = g.provider_id AND o.channel = g.channel AND o.message_id IS NULL
                    AND g.gone = (SELECT count(*) FROM parked_receipts p
                        WHERE p.provider_id = o.provider_id AND p.channel = o.channel))
            SELECT count(*) AS found FROM old";
        self.clear_old(sql, now, limit).await
    }

    async fn clear_old(&self, sql: &str, now: Timestamp, limit: usize) -> Result<bool, StoreError> {
        self.committer.check()?;
        let before = now.before(REMEMBERED).as_millis();
        let mut tries = 0;
        let row = loop {
            let on = self.beside.session().await.map_err(Failure::into_store_error)?;
            match on.query_one(sql, &[&before, &count(limit)]).await {
                // A batch and this have waited for each other.
                Err(Failure::Again(_)) if tries < CLEARING_TRIES => tries += 1,
                row => break row.map_err(Failure::into_uncertain)?,
            }
        };
        Ok(column_of::<i64>(&row, "found")? > count(limit))
    }
}

async fn endpoint_of(transaction: &Transaction, name: &str, position: u64) -> Result<Endpoint, StoreError> {
    // Whoever else knows it for the first time at this moment waits, and finds it.
    let sql = "INSERT INTO endpoints (name, record) VALUES ($1, $2::text::json) ON CONFLICT DO NOTHING";
    transaction.execute(sql, &[&text(name), &encode(&Endpoint::new(name, position))?]).await?;
    let sql = "SELECT record::text AS record FROM endpoints WHERE name = $1 FOR UPDATE";
    let rows = transaction.rows(sql, &[&text(name)]).await?;
    rows.first().map_or_else(|| Ok(Endpoint::new(name, position)), |row| record(row, "record"))
}

pub async fn put_delivery(on: &Connection, delivery: &Delivery) -> Result<(), Failure> {
    let next_at = delivery.next_at.map(Timestamp::as_millis);
    let (endpoint, place) = (text(&delivery.endpoint), big(delivery.place));
    on.execute(PUT_DELIVERY, &[&endpoint, &place, &next_at, &encode(delivery)?]).await?;
    Ok(())
}

pub async fn put_pause(on: &Connection, pause: &Pause) -> Result<(), Failure> {
    let sender = match &pause.scope {
        PauseScope::Account { .. } => "",
        PauseScope::Sender(lane) => lane.sender.as_str(),
    };
    let sql = "INSERT INTO pauses (channel, sender, until, record) VALUES ($1, $2, $3, $4::text::json)
        ON CONFLICT (channel, sender) DO UPDATE SET until = EXCLUDED.until, record = EXCLUDED.record
        WHERE EXCLUDED.until >= pauses.until";
    let (channel, until) = (text(pause.scope.channel()), pause.until.as_millis());
    on.execute(sql, &[&channel, &text(sender), &until, &encode(pause)?]).await?;
    Ok(())
}

/// Removes these sessions and all that leads to them. That a customer's text was received stays known, unless that is to be
/// forgotten, too.
async fn clear(
    transaction: &Transaction,
    sessions: &[Uuid],
    forget_received: bool,
) -> Result<(), StoreError> {
    if sessions.is_empty() {
        return Ok(());
    }
    loop {
        let sql = "DELETE FROM messages WHERE id IN (
                SELECT id FROM messages WHERE session_id = ANY ($1) ORDER BY session_id, place LIMIT $2)
            RETURNING key_scope, key_name, record::text AS record";
        let gone = transaction.rows(sql, &[&sessions, &CLEARED_AT_A_TIME]).await?;
        let mut inbound = Ids::default();
        let mut outbound = Ids::default();
        let (mut scopes, mut names, mut of) = (Vec::<String>::new(), Vec::<String>::new(), Vec::new());
        for row in &gone {
            let message: Message = record(row, "record")?;
            let ids = if message.is_inbound() { &mut inbound } else { &mut outbound };
            ids.add(&message);
            if let (Some(scope), Some(name)) = (column_of(row, "key_scope")?, column_of(row, "key_name")?) {
                scopes.push(scope);
                names.push(name);
                of.push(message.session_id.0);
            }
        }
        let forget = |table: &str| {
            format!(
                "DELETE FROM {table} i USING unnest($1::text[], $2::text[], $3::uuid[]) AS v (provider_id, channel, id)
                WHERE i.provider_id = v.provider_id AND i.channel = v.channel AND i.message_id = v.id"
            )
        };
        transaction
            .execute(&forget("outbound_ids"), &[&outbound.provider_id, &outbound.channel, &outbound.message])
            .await?;
        if forget_received {
            transaction
                .execute(&forget("inbound_ids"), &[&inbound.provider_id, &inbound.channel, &inbound.message])
                .await?;
        }
        // Since a key was swept it may stand for something else.
        let sql = "DELETE FROM idempotency_keys k
            USING unnest($1::text[], $2::text[], $3::uuid[]) AS v (scope, name, session_id)
            WHERE k.scope = v.scope AND k.name = v.name AND k.session_id = v.session_id";
        transaction.execute(sql, &[&scopes, &names, &of]).await?;
        if count(gone.len()) < CLEARED_AT_A_TIME {
            break;
        }
    }
    transaction.execute("DELETE FROM turns WHERE session_id = ANY ($1)", &[&sessions]).await?;
    transaction.execute("DELETE FROM suggestions WHERE session_id = ANY ($1)", &[&sessions]).await?;
    transaction.execute("DELETE FROM sessions WHERE id = ANY ($1)", &[&sessions]).await?;
    Ok(())
}

/// Providers' ids, and the messages that they lead to.
#[derive(Default)]
struct Ids {
    provider_id: Vec<String>,
    channel: Vec<String>,
    message: Vec<Uuid>,
}

impl Ids {
    fn add(&mut self, message: &Message) {
        for provider_id in &message.delivery.provider_ids {
            self.provider_id.push(text(provider_id).into_owned());
            self.channel.push(text(&message.delivery.lane.channel).into_owned());
            self.message.push(message.id.0);
        }
    }
}
