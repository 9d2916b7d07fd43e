//! Connections to the database: how they are made, what they are set to, and what their errors mean.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::poll_fn;
use tokio::sync::mpsc;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::store::StoreError;

/// How long the database may take to take a connection; where it is one of several servers, a part of that.
const PATIENCE: Duration = Duration::from_secs(10);
const LEAST_PATIENCE: Duration = Duration::from_secs(3);
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
/// After how long nobody else is to wait on a connection on which somebody has stopped waiting.
const SOON: Duration = Duration::from_secs(1);
/// How long it may take to answer on one: longer than it lets a statement take itself.
const ANSWER_PATIENCE: Duration = Duration::from_secs(65);
/// The same where the answer takes it no time.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);

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

/// A batch does not wait for long for who keeps locked what it needs, and not at all to speak of while some of its commands
/// do already.
const WRITERS_SETTINGS: &str = "SET lock_timeout = '1s'";
const BEGIN_IMPATIENTLY: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '20ms'";
const WRITE_PATIENTLY: &str = "SET LOCAL lock_timeout = '1s'";

const NEW_WRITER: &str =
    "INSERT INTO writers VALUES (gen_random_uuid(), 0, clock_timestamp()) RETURNING name";
const FORGET_WRITERS: &str = "DELETE FROM writers WHERE at < clock_timestamp() - interval '1 day'";
const LAST_BATCH: &str = "SELECT batch FROM writers WHERE name = $1 FOR UPDATE";

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
    /// This user may not.
    Forbidden(String),
    /// It would do no better again.
    Refused(StoreError),
}

impl Failure {
    pub fn no_answer() -> Self {
        Self::Lost("the database does not answer".into())
    }

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
            Self::Forbidden(reason) => StoreError::BrokeOff(reason),
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
            // Serialization failure, deadlock; a row that somebody else has added meanwhile. Or what came before it in the
            // pipeline failed, and of errors that arrive together either may be seen first: none of the transaction stays,
            // and the next try shows why.
            "40001" | "40P01" | "23505" | "25P02" => Self::Again(words),
            // The server ends the connection; or a pooler in between has lost its own.
            "57P01" | "57P02" => Self::Lost(words),
            code if code.starts_with("08") => Self::Lost(words),
            "42501" => Self::Forbidden(words),
            // A server that does not write (any more); a statement that took too long; we, who stood still in a transaction;
            // a server that does not let us in, or has no resources.
            "25006" | "57014" | "25P03" => Self::Away(words),
            code if ["28", "3D", "53", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
                Self::Away(words)
            }
            // The part of the log that comes next is not there yet: what a rule of ours forbids has that rule's name.
            "23514" if error.as_db_error().is_some_and(|error| error.constraint().is_none()) => {
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
    /// The servers, of which one takes writes.
    servers: Vec<Config>,
    /// Which of them was found last.
    found: AtomicUsize,
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
        config.tcp_user_timeout(PATIENCE);
        config.keepalives_idle(PATIENCE);
        config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("switchboard");
        }
        let servers = each_server(&config);
        Self {
            servers,
            found: AtomicUsize::default(),
            tls: MakeRustlsConnect::new(tls),
            tasks: TaskTracker::new(),
        }
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

    /// Each server in turn, from the one that was found last: one that says nothing keeps nobody from the next.
    async fn dial(&self, notified: Option<mpsc::UnboundedSender<String>>) -> Result<Client, Failure> {
        let count = self.servers.len();
        let patience = (PATIENCE / u32::try_from(count).unwrap_or(1).max(1)).max(LEAST_PATIENCE);
        let first = self.found.load(Ordering::Relaxed);
        let mut failed = None;
        for at in (first..first + count).map(|at| at % count) {
            let dialed = tokio::time::timeout(patience, self.dial_one(&self.servers[at], notified.clone()));
            match dialed.await.unwrap_or_else(|_| Err(Failure::no_answer())) {
                Ok(client) => {
                    self.found.store(at, Ordering::Relaxed);
                    return Ok(client);
                }
                // That of the one that is asked first.
                Err(failure) => drop(failed.get_or_insert(failure)),
            }
        }
        Err(failed.unwrap_or_else(|| Failure::Lost("no server is named".into())))
    }

    async fn dial_one(
        &self,
        server: &Config,
        notified: Option<mpsc::UnboundedSender<String>>,
    ) -> Result<Client, Failure> {
        let client = if server.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = server.connect(NoTls).await?;
            self.tasks.spawn(drive(connection, notified));
            client
        } else {
            let (client, connection) = server.connect(self.tls.clone()).await?;
            self.tasks.spawn(drive(connection, notified));
            client
        };
        client.batch_execute(SETTINGS).await?;
        Ok(client)
    }
}

/// A configuration for each of the servers that one names.
fn each_server(config: &Config) -> Vec<Config> {
    let ports = config.get_ports();
    let of = |(at, host): (usize, &Host)| {
        let mut one = Config::new();
        // Of each of its addresses.
        one.connect_timeout(CONNECT_PATIENCE);
        match host {
            Host::Tcp(name) => one.host(name),
            Host::Unix(folder) => one.host_path(folder),
        };
        if let Some(port) = ports.get(at).or(ports.first()) {
            one.port(*port);
        }
        config.get_user().map(|user| one.user(user));
        config.get_password().map(|password| one.password(password));
        config.get_dbname().map(|name| one.dbname(name));
        config.get_options().map(|options| one.options(options));
        config.get_application_name().map(|name| one.application_name(name));
        config.get_keepalives_interval().map(|interval| one.keepalives_interval(interval));
        config.get_keepalives_retries().map(|retries| one.keepalives_retries(retries));
        config.get_tcp_user_timeout().map(|timeout| one.tcp_user_timeout(*timeout));
        one.ssl_mode(config.get_ssl_mode())
            .ssl_negotiation(config.get_ssl_negotiation())
            .channel_binding(config.get_channel_binding())
            .keepalives(config.get_keepalives())
            .keepalives_idle(config.get_keepalives_idle())
            .load_balance_hosts(config.get_load_balance_hosts())
            .target_session_attrs(config.get_target_session_attrs());
        one
    };
    config.get_hosts().iter().enumerate().map(of).collect()
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

/// A connection, with the statements that were prepared on it. One that was not answered on in time is given up.
pub struct Session {
    client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
    patience: Duration,
    is_given_up: AtomicBool,
}

impl Session {
    fn new(client: Client) -> Self {
        let (prepared, is_given_up) = (Mutex::default(), AtomicBool::new(false));
        Self { client, prepared, patience: ANSWER_PATIENCE, is_given_up }
    }

    /// For what may take as long as it takes.
    pub fn without_haste(mut self) -> Self {
        self.patience = Duration::MAX;
        self
    }

    /// For what takes the database no time, and must not take long.
    pub fn in_haste(mut self) -> Self {
        self.patience = SHORT_PATIENCE;
        self
    }

    async fn answered<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        tokio::pin!(asked);
        if let Ok(answered) = tokio::time::timeout(SOON, &mut asked).await {
            return Ok(answered?);
        }
        // Also if whoever asks goes away now.
        let waiting = Waiting { given_up: Some(&self.is_given_up) };
        let rest = self.patience.saturating_sub(SOON);
        let answered = tokio::time::timeout(rest, asked).await.map_err(|_| Failure::no_answer())?;
        waiting.end();
        Ok(answered?)
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.is_given_up.load(Ordering::Relaxed)
    }

    pub async fn prepared(&self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.known(sql) {
            return Ok(statement);
        }
        let statement = self.answered(self.client.prepare(sql)).await?;
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
        self.answered(self.client.query(&statement, values)).await
    }

    pub async fn query_one(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row, Failure> {
        let statement = self.prepared(sql).await?;
        self.answered(self.client.query_one(&statement, values)).await
    }

    pub async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Failure> {
        let statement = self.prepared(sql).await?;
        self.answered(self.client.execute(&statement, values)).await
    }

    pub async fn batch(&self, sql: &str) -> Result<(), Failure> {
        self.answered(self.client.batch_execute(sql)).await
    }

    /// Fails where nothing can be written.
    pub async fn takes_writes(&self) -> Result<(), Failure> {
        self.execute("UPDATE counters SET value = value WHERE name = 'written'", &[]).await.map(drop)
    }
}

/// Somebody waits for an answer. Who stops waiting gives the connection up.
struct Waiting<'s> {
    given_up: Option<&'s AtomicBool>,
}

impl Waiting<'_> {
    fn end(mut self) {
        self.given_up = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(given_up) = self.given_up {
            given_up.store(true, Ordering::Relaxed);
        }
    }
}

/// A connection that one batch at a time is written on. Statements that are asked for together go out together, in the order
/// in which they were asked for: every one of them was prepared beforehand.
pub struct Writing {
    session: Session,
    /// Whether it waits for what somebody else has locked.
    is_patient: AtomicBool,
    /// What the database knows it by, and the number of the batch under way.
    name: Uuid,
    batch: AtomicI64,
}

impl Writing {
    /// Prepares all of `statements`.
    pub async fn new(session: Session, statements: &[&'static str]) -> Result<Self, Failure> {
        session.batch(WRITERS_SETTINGS).await?;
        futures_util::future::try_join_all(statements.iter().map(|sql| session.prepared(sql))).await?;
        session.execute(FORGET_WRITERS, &[]).await?;
        let name = super::rows::id(&session.query_one(NEW_WRITER, &[]).await?, "name")?;
        Ok(Self { session, is_patient: AtomicBool::new(true), name, batch: AtomicI64::new(0) })
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub async fn batch(&self, sql: &str) -> Result<(), Failure> {
        self.session.batch(sql).await
    }

    /// Whether the next transactions wait for what somebody else has locked.
    pub fn be_patient(&self, patient: bool) {
        self.is_patient.store(patient, Ordering::Relaxed);
    }

    fn is_patient(&self) -> bool {
        self.is_patient.load(Ordering::Relaxed)
    }

    /// Begins a transaction, in which customers are locked.
    pub async fn begin(&self) -> Result<(), Failure> {
        self.batch(if self.is_patient() { super::load::BEGIN } else { BEGIN_IMPATIENTLY }).await
    }

    /// All is locked that somebody may keep for long: what is written now waits for the others' commits at the most.
    pub async fn begin_to_write(&self) -> Result<(), Failure> {
        if self.is_patient() { Ok(()) } else { self.batch(WRITE_PATIENTLY).await }
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

    /// Numbers the transaction, so that it can be asked what became of it. From here on until it has ended, whoever asks waits.
    pub async fn number(&self) -> Result<(), Failure> {
        let batch = self.batch.fetch_add(1, Ordering::Relaxed) + 1;
        match self.execute(super::load::NUMBER, &[&self.name, &batch]).await? {
            1 => Ok(()),
            // It was idle for so long that it was forgotten.
            _ => Err(Failure::Lost("the connection was forgotten".into())),
        }
    }

    /// What was numbered last.
    pub fn mark(&self) -> Mark {
        Mark { writer: self.name, batch: self.batch.load(Ordering::Relaxed) }
    }
}

/// A transaction of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    writer: Uuid,
    batch: i64,
}

impl Mark {
    /// Whether it was committed: known once it has ended, which is waited for. None: the database knows nothing of it.
    pub async fn is_committed(self, on: &Session) -> Result<Option<bool>, Failure> {
        let rows = on.query(LAST_BATCH, &[&self.writer]).await?;
        let last = rows.first().map(|row| super::sql::column_of::<i64>(row, "batch")).transpose()?;
        Ok(last.map(|last| last >= self.batch))
    }
}

/// A connection that is made when it is needed, and made again when it is gone. Many may ask on it at once.
struct Link {
    dialer: Arc<Dialer>,
    as_needed: fn(Session) -> Session,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
}

impl Link {
    async fn session(&self) -> Result<Arc<Session>, Failure> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| !session.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let dialed = Arc::new((self.as_needed)(self.dialer.session().await?));
        *session = Some(Arc::clone(&dialed));
        Ok(dialed)
    }
}

/// Some connections, on each of which many ask at once.
pub struct Pool {
    links: Vec<Link>,
    next: AtomicUsize,
}

impl Pool {
    pub fn new(dialer: &Arc<Dialer>, connections: usize, as_needed: fn(Session) -> Session) -> Self {
        let link = || {
            let (dialer, session) = (Arc::clone(dialer), tokio::sync::Mutex::default());
            Link { dialer, as_needed, session }
        };
        Self { links: (0..connections.max(1)).map(|_| link()).collect(), next: AtomicUsize::new(0) }
    }

    /// The next of them in turn.
    pub async fn session(&self) -> Result<Arc<Session>, Failure> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.links.len();
        let session = tokio::time::timeout(PATIENCE, self.links[at].session());
        session.await.unwrap_or_else(|_| Err(Failure::no_answer()))
    }

    /// Lets go of all of them.
    pub async fn close(&self) {
        for link in &self.links {
            link.session.lock().await.take();
        }
    }
}
