//! `switchboard check`: whether the configuration, the store and the providers would do.

use anyhow::{Result, bail};
use serde_json::json;

use crate::app::cli::{Check, Format};
use crate::app::config::{Config, ProviderKind};
use crate::app::{remote, report, wiring};
use crate::store::embedded::OpenError;

struct Finding {
    what: String,
    good: bool,
    words: String,
}

pub async fn run(config: &Config, check: &Check, format: Format) -> Result<()> {
    let mut findings = vec![Finding { what: "configuration".into(), good: true, words: "good".into() }];
    findings.extend(config.warnings.iter().map(|warning| Finding {
        what: "configuration".into(),
        good: true,
        words: format!("warning: {warning}"),
    }));
    if !check.offline {
        findings.push(store(config).await);
        for channel in &config.channels {
            findings.push(provider(config, channel).await);
        }
    }
    show(&findings, format);
    match findings.iter().filter(|finding| !finding.good).count() {
        0 => Ok(()),
        bad => bail!("{bad} of {} checks failed", findings.len()),
    }
}

async fn store(config: &Config) -> Finding {
    let what = format!("store {}", config.store.path.display());
    match remote::open_at_once(config).await {
        Ok(store) => match store.close().await {
            Ok(()) => {
                Finding { what, good: true, words: "opens, and what is written reaches the disk".into() }
            }
            Err(error) => Finding { what, good: false, words: error.to_string() },
        },
        Err(error) => match error.downcast_ref::<OpenError>() {
            Some(OpenError::Locked { .. }) => {
                Finding { what, good: true, words: "in use by a running daemon".into() }
            }
            _ => Finding { what, good: false, words: format!("{error:#}") },
        },
    }
}

async fn provider(config: &Config, channel: &crate::app::config::Channel) -> Finding {
    let what = format!("channel {}", channel.name);
    if channel.provider == ProviderKind::Simulator {
        return Finding { what, good: true, words: "simulated".into() };
    }
    let asked = match wiring::provider(config, channel) {
        Ok(provider) => provider.check().await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    match asked {
        Ok(words) => Finding { what, good: true, words },
        Err(words) => Finding { what, good: false, words },
    }
}

fn show(findings: &[Finding], format: Format) {
    let json = findings
        .iter()
        .map(|finding| json!({"what": finding.what, "good": finding.good, "detail": finding.words}))
        .collect();
    let text: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!("{:6} {}: {}", if finding.good { "good" } else { "FAILED" }, finding.what, finding.words)
        })
        .collect();
    report::result(format, &serde_json::Value::Array(json), &text.join("\n"));
}
