//! `switchboard recover`: has a running daemon ask its providers for what they could not deliver.

use std::time::Duration;

use anyhow::{Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::cli::{Format, Recover};
use crate::app::config::Config;
use crate::app::remote::{AskError, Remote};
use crate::app::{WrongUsage, ambient, report};

/// A week's list of a busy number takes its time.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

pub async fn run(config: &Config, recover: &Recover, format: Format) -> Result<()> {
    let names = names(config, recover.channel.as_deref())?;
    let daemon = Remote::patient(config, recover.admin_token_file.as_deref(), PATIENCE)?;
    let body = json!({"since": ambient::now().before(recover.since).to_string()});
    let (mut results, mut lines, mut failed) = (Vec::new(), Vec::new(), 0);
    for name in names {
        match ask(&daemon, name, &body).await {
            Ok(recovered) => {
                lines.push(in_words(name, &recovered));
                results.push(json!({"channel": name, "recovered": recovered["recovered"], "known": recovered["known"], "unreadable": recovered["unreadable"], "error": null}));
            }
            Err(error) => {
                failed += 1;
                let error = in_full(error);
                lines.push(format!("{name}: FAILED: {error}"));
                results.push(json!({"channel": name, "error": error}));
            }
        }
    }
    report::result(format, &Value::Array(results), &lines.join("\n"));
    if failed > 0 {
        bail!("{failed} of the channels could not be asked; what was taken is kept");
    }
    Ok(())
}

/// The channels to ask for: names of the configuration, which stand in a path as they are.
fn names<'c>(config: &'c Config, only: Option<&str>) -> Result<Vec<&'c str>> {
    let names: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    match only {
        None => Ok(names),
        Some(only) => match names.iter().find(|name| **name == only) {
            Some(name) => Ok(vec![name]),
            None => Err(WrongUsage(format!(
                "no channel of the configuration is called \"{only}\"; there is: {}",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            ))
            .into()),
        },
    }
}

async fn ask(daemon: &Remote, channel: &str, body: &Value) -> Result<Value, AskError> {
    daemon.call(Method::POST, &format!("/v1/channels/{channel}/recover"), Some(body)).await
}

/// The error with its causes; without a daemon there is something to add.
fn in_full(error: AskError) -> String {
    let alone = matches!(error, AskError::Nobody { .. });
    let error = anyhow::Error::from(error);
    if alone {
        format!("only a running daemon recovers texts; one that starts does so by itself: {error:#}")
    } else {
        format!("{error:#}")
    }
}

fn in_words(channel: &str, recovered: &Value) -> String {
    let count = |key: &str| recovered[key].as_u64().unwrap_or_default();
    let unreadable = match count("unreadable") {
        0 => String::new(),
        unreadable => format!(", {unreadable} that nothing can be made of"),
    };
    format!("{channel}: {} recovered, {} there already{unreadable}", count("recovered"), count("known"))
}
