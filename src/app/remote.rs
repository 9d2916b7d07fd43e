//! Whoever has the store: this process, which opens it, or a running daemon, asked over its API by a command of the same
//! binary. A command that only reads never makes a store: an empty one would look like an answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::config::{Config, Secret};
use super::{database, outside, report, wiring};
use crate::store::embedded::{self, OpenError};
use crate::store::{Store, TokenRole, postgres};

/// How long its answer may take; of a streamed one, each part of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever has the store.
pub enum Holder {
    /// Nobody had it: it is open here, and closed by whoever asked.
    Here(Arc<dyn Store>),
    /// A running daemon.
    Daemon(Remote),
}

/// What becomes of a command where there is no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    IsRefused,
    /// As a daemon's first start would.
    IsMade,
}

/// The configuration names a folder that holds no store.
#[derive(Debug, thiserror::Error)]
#[error("there is no store in {}. {}", path.display(), advice(*is_relative))]
pub struct NoStore {
    /// From the root.
    pub path: PathBuf,
    is_relative: bool,
}

/// The configuration names a database that holds no store.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no store in {name}: see that store.url names the right one. If it is to be a new store, start the daemon, which makes it"
)]
pub struct NoTables {
    name: String,
}

fn advice(is_relative: bool) -> &'static str {
    if is_relative {
        "store.path is relative, and taken from the working directory: run this where the daemon works (a service's \
         WorkingDirectory), or write the whole path into the configuration. If it is to be a new store, start the \
         daemon, which makes it"
    } else {
        "See that store.path names the right folder and that its disk is mounted. If it is to be a new store, start \
         the daemon, which makes it"
    }
}

/// Where the store is, from the root.
pub fn store_path(config: &Config) -> PathBuf {
    let path = &config.store.path;
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

/// As messages call the store.
pub fn store_name(config: &Config) -> String {
    match &config.store.postgres {
        Some(settings) => database::name(settings),
        None => format!("the store in {}", store_path(config).display()),
    }
}

/// Opens the store, or finds the daemon that has it open; that one is asked with an admin token.
pub async fn holder(config: &Config, admin_token_file: Option<&Path>, missing: Missing) -> Result<Holder> {
    let opened = match missing {
        Missing::IsRefused => open_existing(config).await,
        Missing::IsMade => open_at_once(config).await,
    };
    match opened {
        Ok(store) => Ok(Holder::Here(store)),
        Err(error) => match error.downcast_ref::<OpenError>() {
            Some(OpenError::Locked { .. }) => {
                let daemon = Remote::new(config, admin_token_file).with_context(|| {
                    format!(
                        "another process has the store in {} open, and has to be asked for it, or stopped first",
                        store_path(config).display()
                    )
                })?;
                Ok(Holder::Daemon(daemon))
            }
            _ => Err(error),
        },
    }
}

/// Opens the store, without waiting for a process that has it; makes none.
pub async fn open_existing(config: &Config) -> Result<Arc<dyn Store>> {
    if let Some(schema) = schema(config).await? {
        if schema.version == 0 {
            return Err(NoTables { name: store_name(config) }.into());
        }
        return open_impatiently(config).await;
    }
    let path = store_path(config);
    let is_relative = config.store.path.is_relative();
    let looked_at = path.clone();
    if tokio::task::spawn_blocking(move || embedded::holds_store(&looked_at)).await?? {
        open_at_once(config).await
    } else {
        Err(NoStore { path, is_relative }.into())
    }
}

/// Opens the store, or makes a new one, without waiting for a process that has it. A database that daemons of an older version
/// may work with is left as it is.
pub async fn open_at_once(config: &Config) -> Result<Arc<dyn Store>> {
    schema(config).await?;
    open_impatiently(config).await
}

/// What the database has, where the store is one: not less than this version works with, unless it has nothing.
async fn schema(config: &Config) -> Result<Option<postgres::Schema>> {
    let Some(options) = database::options(config)? else { return Ok(None) };
    let name = store_name(config);
    let schema = postgres::schema_of(&options).await.with_context(|| format!("{name} cannot be used"))?;
    if schema.version > 0 && schema.is_older() {
        bail!(
            "the schema of {name} has version {}, and this version works with a newer one; `switchboard migrate` brings it up to \
             date, as the start of a daemon does",
            schema.version
        );
    }
    Ok(Some(schema))
}

async fn open_impatiently(config: &Config) -> Result<Arc<dyn Store>> {
    let mut impatient = config.clone();
    impatient.store.lock_wait = Duration::ZERO;
    impatient.store.path = store_path(config);
    wiring::open_store(&impatient).await
}

/// Closes the store. What failed before counts for more than that closing failed, too.
pub async fn close<T>(store: &dyn Store, done: Result<T>) -> Result<T> {
    let closed = store.close().await.context("closing the store");
    match (done, closed) {
        (Err(failed), Err(closing)) => {
            report::complain(&format!("switchboard: {closing:#}"));
            Err(failed)
        }
        (done, closed) => done.and_then(|done| closed.map(|()| done)),
    }
}

/// The API of the daemon that runs by this configuration.
pub struct Remote {
    client: reqwest::Client,
    url: String,
    admin: String,
}

/// Why a running daemon did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("no daemon answers at {url}; is it running, and does server.listen say so?")]
    Nobody {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the daemon at {url} was asked, but did not answer")]
    NoAnswer {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the daemon at {url} answered {status}: {detail}")]
    Refused { url: String, status: StatusCode, detail: String },
}

impl Remote {
    pub fn new(config: &Config, admin_token_file: Option<&Path>) -> Result<Self> {
        Self::patient(config, admin_token_file, PATIENCE)
    }

    /// The same, for calls whose answer may take so long.
    pub fn patient(config: &Config, admin_token_file: Option<&Path>, patience: Duration) -> Result<Self> {
        let client = outside::own_client_builder()
            .connect_timeout(PATIENCE)
            .read_timeout(patience)
            .build()
            .context("the HTTP client")?;
        Ok(Self { client, url: wiring::own_url(config), admin: admin_token(config, admin_token_file)? })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls the API; what it answers as JSON, null where it answers with nothing.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, AskError> {
        let answer = self.ask(method, path, body).await?;
        Ok(answer.json().await.unwrap_or(Value::Null))
    }

    /// Calls the API; a good answer, its body still to be read.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response, AskError> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.admin);
        if let Some(body) = body {
            request = request.json(body);
        }
        let url = self.url.clone();
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(source) if source.is_connect() => return Err(AskError::Nobody { url, source }),
            Err(source) => return Err(AskError::NoAnswer { url, source }),
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let problem: Value = answer.json().await.unwrap_or(Value::Null);
        let detail = problem["detail"].as_str().unwrap_or("without a word").to_owned();
        Err(AskError::Refused { url, status, detail })
    }
}

/// What the running daemon is asked with.
fn admin_token(config: &Config, file: Option<&Path>) -> Result<String> {
    if let Some(path) = file {
        let token =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(token.trim().to_owned());
    }
    let admin = config.tokens.iter().find(|token| token.role == TokenRole::Admin);
    let secret = admin.and_then(|token| token.secret.as_ref()).map(Secret::expose).context(
        "the configuration holds no admin token in clear to ask a running daemon with; name one with \
         --admin-token-file FILE",
    )?;
    Ok(secret.to_owned())
}
