//! Opens the store: looks whether the database is one that it can live in, and brings its schema up to date.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::beside::Idle;
use super::client::{Dialer, Failure, Pool, Session};
use super::committer::{Committer, Ground};
use super::log::newest_place;
use super::migrate::{self, Schema, VERSION};
use super::news::follow;
use super::sql::column_of;
use super::{PostgresStore, Rules};

/// The oldest server that is still maintained. It has all that is used.
const OLDEST_SERVER: i32 = 140_000;
/// How many connections write beside the batches.
const BESIDE: usize = 2;
/// How often it is tried again where somebody else was in the way.
const TRIES: u32 = 20;

#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where the database is, and who asks.
    pub database: tokio_postgres::Config,
    /// How the server's certificate is checked.
    pub tls: rustls::ClientConfig,
    /// How many connections write batches.
    pub writers: usize,
    /// How many connections read.
    pub readers: usize,
}

/// Why the store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}; see that it runs, that it lets this user in from here, and that store.url names it")]
    Away(String),
    #[error(
        "{0}; store.ca_file names who may vouch for the server, and sslmode=disable in store.url does without TLS, in a network that you \
         trust"
    )]
    NotSecret(String),
    #[error("{0}")]
    Refused(String),
    #[error("the server is PostgreSQL {found}, and 14 or newer is needed")]
    OldServer { found: String },
    #[error("the database's encoding is {found}, and UTF8 is needed; create it with ENCODING 'UTF8'")]
    Encoding { found: String },
    #[error("the database's schema has version {found}, which needs a newer switchboard than this one")]
    Newer { found: i32 },
    #[error(
        "an import into this database was not finished; drop its tables, or create a new database, and import again"
    )]
    HalfImported,
    #[error("the store's threads cannot be started")]
    Threads(#[source] std::io::Error),
}

impl OpenError {
    /// Whether it may open later, with nothing else changed: not where the server lets this user in not at all (28), or has no such
    /// database (3D).
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Away(reason) if !reason.contains("(28") && !reason.contains("(3D"))
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(reason) if reason.contains("TLS") => Self::NotSecret(reason),
            Failure::Lost(reason)
            | Failure::Away(reason)
            | Failure::Again(reason)
            | Failure::Blocked(reason) => Self::Away(reason),
            Failure::Forbidden(reason) => Self::Refused(reason),
            Failure::Refused(error) => Self::Refused(error.to_string()),
        }
    }
}

/// What a database has. Changes nothing.
pub async fn schema_of(options: &PostgresOptions) -> Result<Schema, OpenError> {
    let dialer = Dialer::new(options.database.clone(), options.tls.clone());
    look(&dialer.session().await?).await
}

/// What a database had before, and has now.
pub async fn migrate_schema(options: &PostgresOptions) -> Result<(Schema, Schema), OpenError> {
    let dialer = Dialer::new(options.database.clone(), options.tls.clone());
    let session = dialer.session().await?.without_haste();
    let before = look(&session).await?;
    bring_up(&session).await?;
    Ok((before, migrate::look(&session).await?))
}

impl PostgresStore {
    /// Opens the database, whose schema is made or brought up to date where it is not.
    pub async fn open(options: &PostgresOptions, rules: Rules) -> Result<Self, OpenError> {
        let dialer = Arc::new(Dialer::new(options.database.clone(), options.tls.clone()));
        let session = dialer.session().await?.without_haste();
        look(&session).await?;
        bring_up(&session).await?;
        let importing = session.query("SELECT FROM facts WHERE name = 'importing'", &[]).await?;
        if !importing.is_empty() {
            return Err(OpenError::HalfImported);
        }
        let newest = newest_place(&session).await?;
        let rules = Arc::new(rules);
        let (news, told) = (watch::Sender::new(newest), watch::Sender::new(newest));
        let ground = Ground {
            dialer: Arc::clone(&dialer),
            rules: Arc::clone(&rules),
            writers: options.writers,
            news: news.clone(),
            told: told.clone(),
        };
        let committer = Arc::new(Committer::start(ground).map_err(OpenError::Threads)?);
        let following =
            dialer.tasks().spawn(follow(Arc::clone(&dialer), news.clone(), told.subscribe())).abort_handle();
        let readers = Pool::new(&dialer, options.readers, |session| session);
        let beside = Pool::new(&dialer, BESIDE, |session| session);
        let signs = Pool::new(&dialer, 1, Session::in_haste);
        let (idle, mustering) = (Idle::new(|session| session), Idle::new(Session::in_haste));
        Ok(Self { dialer, readers, beside, signs, mustering, committer, rules, news, told, idle, following })
    }
}

/// Whether the server and what is in the database are such that it can be worked with.
async fn look(session: &Session) -> Result<Schema, OpenError> {
    let sql = "SELECT current_setting('server_version_num')::integer AS number,
        current_setting('server_version') AS name, current_setting('server_encoding') AS encoding,
        current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes";
    let row = session.query_one(sql, &[]).await?;
    let setting = |column| column_of::<String>(&row, column).map_err(Failure::from);
    if column_of::<i32>(&row, "number").map_err(Failure::from)? < OLDEST_SERVER {
        return Err(OpenError::OldServer { found: setting("name")? });
    }
    if setting("encoding")? != "UTF8" {
        return Err(OpenError::Encoding { found: setting("encoding")? });
    }
    if setting("fsync")? == "off" || setting("full_page_writes")? == "off" {
        tracing::warn!(
            "the database runs with fsync or full_page_writes off: what was answered may be lost with its machine's power"
        );
    }
    let schema = migrate::look(session).await?;
    if schema.works_from > i32::from(VERSION) {
        return Err(OpenError::Newer { found: schema.version });
    }
    Ok(schema)
}

async fn bring_up(session: &Session) -> Result<(), OpenError> {
    let mut tries = 0;
    loop {
        match migrate::migrate(session).await {
            Ok(_) => return Ok(()),
            Err(Failure::Again(reason) | Failure::Blocked(reason)) if tries < TRIES => {
                tracing::debug!(reason, "the schema is looked at again");
                tries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}
