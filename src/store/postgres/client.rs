//! Connections to the database: how they are made, what they are set to, and what their errors mean.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::poll_fn;
use tokio::sync::mpsc;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::TaskTracker;

use crate::store::StoreError;

/// How long the database may take to take a connection, or to answer on one.
const PATIENCE: Duration = Duration::from_secs(10);

/// What every connection is set to. Whoever is not heard of in the middle of a transaction holds up nobody for long; and a
/// plan that was made for an empty table is never a bad one for a large one.
const SETTINGS: &str = "
    SET client_min_messages = warning;
    SET default_transaction_isolation = 'read committed';
    SET lock_timeout = '8s';
    SET statement_timeout = '60s';
    SET idle_in_transaction_session_timeout = '5s';
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET max_parallel_workers_per_gather = 0;
    SET plan_cache_mode = force_generic_plan;
    SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Why the database did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// The connection is gone, or nothing was heard for too long. Nothing is known of what was under way on it.
    Lost(String),
    /// It says that it can do nothing now; what was asked for last was not done.
    Away(String),
    /// Somebody else was faster, or waited for us as we did for them: the same again may work.
    Again(String),
    /// Somebody else has kept what it needs locked for too long.
    Blocked(String),
    /// It would do no better again.
    Refused(StoreError),
}

impl Failure {
    /// For whoever asked for something to be written, all at once, and sent it.
    pub fn into_uncertain(self) -> StoreError {
        match self {
            Self::Lost(reason) => StoreError::Uncertain(reason),
            other => other.into_store_error(),
        }
    }

    /// For whoever asked.
    pub fn into_store_error(self) -> StoreError {
        match self {
            Self::Lost(reason) | Self::Away(reason) | Self::Again(reason) | Self::Blocked(reason) => {
                StoreError::Unavailable(reason)
            }
            Self::Refused(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else { return Self::Lost(words_of(&error)) };
        let words = words_of(&error);
        match code.code() {
            "55P03" => Self::Blocked(words),
            // Serialization failure, deadlock; a row that somebody else has added meanwhile.
            // Or what came before it in the pipeline failed, and of errors that arrive together either may be seen first: none
            // of the transaction stays, and the next try shows why.
            "40001" | "40P01" | "23505" | "25P02" => Self::Again(words),
            // A connection that is gone or ended by the server, or that it does not let in; one to a server that does not write
            // (any more); no resources; a statement that took too long.
            "57P01" | "57P02" => Self::Lost(words),
            "25006" | "57014" | "25P03" => Self::Away(words),
            code if ["08", "28", "3D", "53", "57", "58", "XX"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Self::Away(words)
            }
            // The part of the log that comes next is not there yet.
            "23514"
                if error.as_db_error().is_some_and(|error| error.message().starts_with("no partition")) =>
            {
                Self::Again(words)
            }
            _ => Self::Refused(StoreError::BrokeOff(words)),
        }
    }
}

/// What went wrong, without the values that a detail may quote.
pub fn words_of(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("the database says: {} ({})", error.message(), error.code().code());
    }
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("the database cannot be reached: {error}{cause}")
}

/// How a connection is made.
pub struct Dialer {
    config: Config,
    tls: MakeRustlsConnect,
    /// What moves the connections' bytes, and whatever else runs beside the batches.
    tasks: TaskTracker,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dialer")
    }
}

impl Dialer {
    pub fn new(mut config: Config, tls: rustls::ClientConfig) -> Self {
        config.connect_timeout(PATIENCE.min(Duration::from_secs(5)));
        config.tcp_user_timeout(PATIENCE);
        config.keepalives_idle(PATIENCE);
        config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("switchboard");
        }
        Self { config, tls: MakeRustlsConnect::new(tls), tasks: TaskTracker::new() }
    }

    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// A connection, set as all are.
    pub async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::new(self.dial(None).await?))
    }

    /// A connection whose notifications by the server go to `notified`.
    pub async fn listening(&self, notified: mpsc::UnboundedSender<String>) -> Result<Session, Failure> {
        Ok(Session::new(self.dial(Some(notified)).await?))
    }

    async fn dial(&self, notified: Option<mpsc::UnboundedSender<String>>) -> Result<Client, Failure> {
        let dialed = tokio::time::timeout(PATIENCE, async {
            let client = if self.config.get_ssl_mode() == SslMode::Disable {
                let (client, connection) = self.config.connect(NoTls).await?;
                self.tasks.spawn(drive(connection, notified));
                client
            } else {
                let (client, connection) = self.config.connect(self.tls.clone()).await?;
                self.tasks.spawn(drive(connection, notified));
                client
            };
            client.batch_execute(SETTINGS).await?;
            Ok(client)
        });
        dialed.await.unwrap_or_else(|_| Err(Failure::Lost("the database does not answer".into())))
    }
}

/// Moves what a connection sends and receives, until it ends.
async fn drive<S, T>(mut connection: Connection<S, T>, notified: Option<mpsc::UnboundedSender<String>>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => {
                if let Some(notified) = &notified
                    && notified.send(notification.payload().to_owned()).is_err()
                {
                    return;
                }
            }
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!(code = notice.code().code(), "the database notes: {}", notice.message());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(reason = words_of(&error), "a connection to the database has ended");
                return;
            }
            None => return,
        }
    }
}

/// A connection, with the statements that were prepared on it.
pub struct Session {
    client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Session {
    fn new(client: Client) -> Self {
        Self { client, prepared: Mutex::default() }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub async fn prepared(&self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.known(sql) {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn known(&self, sql: &str) -> Option<Statement> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned()
    }

    pub async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    pub async fn query_one(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row, Failure> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query_one(&statement, values).await?)
    }

    pub async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Failure> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    pub async fn batch(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Fails where the server only reads: only one that takes writes gives a transaction a number.
    pub async fn takes_writes(&self) -> Result<(), Failure> {
        self.query("SELECT pg_current_xact_id()::text", &[]).await.map(drop)
    }
}

/// A connection that one batch at a time is written on. Statements that are asked for together go out together, in the order
/// in which they were asked for: every one of them was prepared beforehand.
pub struct Writing {
    session: Session,
    /// What the database calls the transaction under way.
    transaction: Mutex<Option<String>>,
}

impl Writing {
    /// Prepares all of `statements`.
    pub async fn new(session: Session, statements: &[&'static str]) -> Result<Self, Failure> {
        futures_util::future::try_join_all(statements.iter().map(|sql| session.prepared(sql))).await?;
        Ok(Self { session, transaction: Mutex::default() })
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub async fn batch(&self, sql: &str) -> Result<(), Failure> {
        self.session.batch(sql).await
    }

    pub async fn query(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        self.session.query(sql, values).await
    }

    pub async fn query_unless(
        &self,
        needless: bool,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        if needless { Ok(Vec::new()) } else { self.query(sql, values).await }
    }

    pub async fn execute(&self, sql: &'static str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Failure> {
        self.session.execute(sql, values).await
    }

    /// Remembers what the transaction is called, so that it can be asked what became of it.
    pub async fn note_transaction(&self) -> Result<(), Failure> {
        let rows = self.query(super::load::THIS_TRANSACTION, &[]).await?;
        let id = rows.first().map(|row| super::sql::column_of::<String>(row, "id")).transpose()?;
        *self.transaction.lock().unwrap_or_else(PoisonError::into_inner) = id;
        Ok(())
    }

    pub fn transaction(&self) -> Option<String> {
        self.transaction.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A connection for reads that is made when it is needed, and made again when it is gone. Many may read on it at once.
struct Link {
    dialer: Arc<Dialer>,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
}

impl Link {
    async fn session(&self) -> Result<Arc<Session>, Failure> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| !session.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let dialed = Arc::new(self.dialer.session().await?);
        *session = Some(Arc::clone(&dialed));
        Ok(dialed)
    }
}

/// Some connections for reads.
pub struct Pool {
    links: Vec<Link>,
    next: AtomicUsize,
}

impl Pool {
    pub fn new(dialer: &Arc<Dialer>, connections: usize) -> Self {
        let link = || Link { dialer: Arc::clone(dialer), session: tokio::sync::Mutex::default() };
        Self { links: (0..connections.max(1)).map(|_| link()).collect(), next: AtomicUsize::new(0) }
    }

    /// The next of them in turn.
    pub async fn session(&self) -> Result<Arc<Session>, Failure> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.links.len();
        let session = tokio::time::timeout(PATIENCE, self.links[at].session());
        session.await.unwrap_or_else(|_| Err(Failure::Lost("the database does not answer".into())))
    }

    /// Lets go of all of them.
    pub async fn close(&self) {
        for link in &self.links {
            link.session.lock().await.take();
        }
    }
}
