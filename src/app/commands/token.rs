//! `switchboard token`: makes, lists and revokes API tokens; in the store, or through the daemon that has it open.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::cli::{Format, TokenCommand};
use crate::app::config::Config;
use crate::app::remote::{self, Holder, Missing, Remote};
use crate::app::{report, wiring};
use crate::domain::ids::TokenId;
use crate::gateway::Gateway;
use crate::gateway::access::check_token_name;
use crate::store::{Store, Token, TokenRole};

pub async fn run(
    config: &Config,
    admin_token_file: Option<&Path>,
    command: &TokenCommand,
    format: Format,
) -> Result<()> {
    if let TokenCommand::New { name, .. } = command {
        check_token_name(name).map_err(|wrong| anyhow::anyhow!("the token's name {wrong}"))?;
    }
    // The first token is often made before the first start.
    let missing = match command {
        TokenCommand::New { .. } => Missing::IsMade,
        TokenCommand::List | TokenCommand::Revoke { .. } => Missing::IsRefused,
    };
    match remote::holder(config, admin_token_file, missing).await? {
        Holder::Here(store) => {
            let done = in_store(config, Arc::clone(&store), command, format).await;
            remote::close(&*store, done).await
        }
        Holder::Daemon(daemon) => through(&daemon, command, format).await,
    }
}

async fn in_store(
    config: &Config,
    store: Arc<dyn Store>,
    command: &TokenCommand,
    format: Format,
) -> Result<()> {
    let gateway: Arc<Gateway> = wiring::build(config, store)?.gateway;
    match command {
        TokenCommand::New { name, role } => {
            let minted = gateway.mint_token(name.clone(), *role).await?;
            let id = minted.token.id.to_string();
            show_new(format, &id, name, *role, &minted.secret);
        }
        TokenCommand::List => {
            let tokens: Vec<Value> = gateway.store().tokens().await?.iter().map(listed).collect();
            show_list(format, &tokens);
        }
        TokenCommand::Revoke { id } => {
            if !gateway.revoke_token(TokenId(*id)).await? {
                bail!("there is no token {id}; `switchboard token list` shows them");
            }
            show_revoked(format, &id.to_string());
        }
    }
    Ok(())
}

fn listed(token: &Token) -> Value {
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "role": token.role.as_str(),
        "created_at": token.created_at.to_string(),
        "revoked_at": token.revoked_at.map(|at| at.to_string()),
    })
}

/// The daemon that has the store is asked over its API, as any admin could.
async fn through(daemon: &Remote, command: &TokenCommand, format: Format) -> Result<()> {
    let body = match command {
        TokenCommand::New { name, role } => {
            let new = json!({"name": name, "role": role.as_str()});
            daemon.call(Method::POST, "/v1/tokens", Some(&new)).await
        }
        TokenCommand::List => daemon.call(Method::GET, "/v1/tokens", None).await,
        TokenCommand::Revoke { id } => daemon.call(Method::DELETE, &format!("/v1/tokens/{id}"), None).await,
    }?;
    match command {
        TokenCommand::New { name, role } => {
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            show_new(format, &text("id"), name, *role, &text("secret"));
        }
        TokenCommand::List => show_list(format, body.as_array().map_or(&[], Vec::as_slice)),
        TokenCommand::Revoke { id } => show_revoked(format, &id.to_string()),
    }
    Ok(())
}

fn show_new(format: Format, id: &str, name: &str, role: TokenRole, secret: &str) {
    let json = json!({"id": id, "name": name, "role": role.as_str(), "secret": secret});
    let text =
        format!("{secret}\n\nThis is the {} token \"{name}\" ({id}). It is not shown again.", role.as_str());
    report::result(format, &json, &text);
}

fn show_list(format: Format, tokens: &[Value]) {
    let line = |token: &Value| {
        let text = |key: &str| token[key].as_str().unwrap_or("-").to_owned();
        format!(
            "{}  {:5}  {}  made {}  revoked {}",
            text("id"),
            text("role"),
            text("name"),
            text("created_at"),
            text("revoked_at")
        )
    };
    let text = match tokens {
        [] => "no tokens were made; `switchboard token new NAME --role agent` makes one".to_owned(),
        tokens => tokens.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    report::result(format, &json!(tokens), &text);
}

fn show_revoked(format: Format, id: &str) {
    report::result(format, &json!({"id": id, "revoked": true}), &format!("token {id} is revoked"));
}
