//! `switchboard doctor`: asks a running daemon how it is.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::app::cli::{Doctor, Format};
use crate::app::config::Config;
use crate::app::{outside, report, wiring};

const PATIENCE: Duration = Duration::from_secs(5);
/// The figures worth seeing at three in the morning.
const FIGURES: [&str; 7] = [
    "switchboard_store_ready",
    "switchboard_messages_queued",
    "switchboard_messages_unknown",
    "switchboard_messages_held",
    "switchboard_sessions_waiting",
    "switchboard_bot_turns_open",
    "switchboard_pauses",
];

pub async fn run(config: &Config, doctor: &Doctor, format: Format) -> Result<()> {
    let url = doctor.url.clone().unwrap_or_else(|| wiring::own_url(config));
    let url = url.trim_end_matches('/');
    // A proxy in front of the daemon may send on whoever asks; nothing secret is asked with.
    let client = outside::own_client_builder().redirect(reqwest::redirect::Policy::limited(3));
    let client = client.timeout(PATIENCE).build().context("the HTTP client")?;
    let answer = client.get(format!("{url}/readyz")).send().await.with_context(|| {
        format!("no daemon answers at {url}; is it running, and does server.listen say so?")
    })?;
    let ready = answer.status().is_success();
    let state: Value = answer.json().await.unwrap_or(Value::Null);
    // Also when it is not ready: that is when they are looked for.
    let (figures, no_figures) = match figures(&client, url).await {
        Ok(figures) => (figures, None),
        Err(error) => (Vec::new(), Some(format!("{error:#}"))),
    };
    let checks = state["checks"].as_object().into_iter().flatten();
    let checks: Vec<_> =
        checks.map(|(name, said)| format!("{name} {}", said.as_str().unwrap_or("?"))).collect();
    let word = if ready { "ready" } else { "NOT READY" };
    let mut text = vec![format!("{word}: {url} ({})", checks.join(", "))];
    if let Some(reason) = state["reason"].as_str() {
        text.push(format!("  reason: {reason}"));
    }
    if let Some(error) = &no_figures {
        text.push(format!("  no figures: {error}"));
    }
    text.extend(figures.iter().map(|(name, value)| format!("  {name} {value}")));
    let json = json!({"url": url, "ready": ready, "state": state, "no_figures": no_figures, "figures": figures.into_iter().collect::<serde_json::Map<_, _>>()});
    report::result(format, &json, &text.join("\n"));
    if !ready {
        bail!("the daemon at {url} is not ready");
    }
    Ok(())
}

async fn figures(client: &reqwest::Client, url: &str) -> Result<Vec<(String, Value)>> {
    let answer =
        client.get(format!("{url}/metrics")).send().await.and_then(reqwest::Response::error_for_status);
    let text = answer.context("/metrics does not answer")?.text().await.context("/metrics breaks off")?;
    let figure = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        let family = name.split('{').next().unwrap_or(name);
        FIGURES
            .contains(&family)
            .then(|| (name.to_owned(), value.trim().parse::<i64>().map_or(Value::Null, |value| json!(value))))
    };
    Ok(text.lines().filter_map(figure).collect())
}
