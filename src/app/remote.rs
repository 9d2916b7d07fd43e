//! A running daemon, asked over its API by a command of the same binary: it has the store open, and nobody else may.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, Response};
use serde_json::Value;

use super::config::{Config, Secret};
use super::wiring;
use crate::store::embedded::OpenError;
use crate::store::{Store, TokenRole};

/// How long its answer may take; of a streamed one, each part of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever has the store.
pub enum Holder {
    /// Nobody had it: it is open here, and closed by whoever asked.
    Here(Arc<dyn Store>),
    /// A running daemon.
    Daemon(Remote),
}

/// Opens the store, or finds the daemon that has it open; that one is asked with an admin token.
pub async fn holder(config: &Config, admin_token_file: Option<&Path>) -> Result<Holder> {
    match open_at_once(config).await {
        Ok(store) => Ok(Holder::Here(store)),
        Err(error) => match error.downcast_ref::<OpenError>() {
            Some(OpenError::Locked { .. }) => Ok(Holder::Daemon(Remote::new(config, admin_token_file)?)),
            _ => Err(error),
        },
    }
}

/// Opens the store, without waiting for a process that has it.
pub async fn open_at_once(config: &Config) -> Result<Arc<dyn Store>> {
    let mut impatient = config.clone();
    impatient.store.lock_wait = Duration::ZERO;
    tokio::task::spawn_blocking(move || wiring::open_store(&impatient)).await?
}

/// The API of the daemon that runs by this configuration.
pub struct Remote {
    client: reqwest::Client,
    url: String,
    admin: String,
}

impl Remote {
    pub fn new(config: &Config, admin_token_file: Option<&Path>) -> Result<Self> {
        Self::patient(config, admin_token_file, PATIENCE)
    }

    /// The same, for calls whose answer may take so long.
    pub fn patient(config: &Config, admin_token_file: Option<&Path>, patience: Duration) -> Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(PATIENCE)
            .read_timeout(patience)
            .no_proxy()
            .build()
            .context("the HTTP client")?;
        Ok(Self { client, url: wiring::own_url(config), admin: admin_token(config, admin_token_file)? })
    }

    /// Calls the API; what it answers as JSON, null where it answers with nothing.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.ask(method, path, body).await?;
        Ok(answer.json().await.unwrap_or(Value::Null))
    }

    /// Calls the API; a good answer, its body still to be read.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.admin);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.context("a running daemon has the store, but does not answer")?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let problem: Value = answer.json().await.unwrap_or(Value::Null);
        bail!(
            "the running daemon answered {status}: {}",
            problem["detail"].as_str().unwrap_or("without a word")
        );
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
        "a running daemon has the store, and the configuration holds no admin token in clear to ask it with; \
         name one with --admin-token-file, or stop the daemon",
    )?;
    Ok(secret.to_owned())
}
