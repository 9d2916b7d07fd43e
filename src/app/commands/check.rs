//! `switchboard check`: whether the configuration, the store and the providers would do.

use anyhow::{Context, Result, bail};
use rustix::fs::Access;
use serde_json::json;

use crate::app::cli::{Check, Format};
use crate::app::config::{Config, ProviderKind};
use crate::app::remote::{NoStore, NoTables};
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
    let what = match config.store.postgres {
        Some(_) => remote::store_name(config),
        None => format!("store {}", remote::store_path(config).display()),
    };
    let (good, words) = match remote::open_existing(config).await {
        Ok(store) => {
            // It may open, and yet refuse everything.
            let ready = store.ready().await.context("opens, but takes nothing new");
            match remote::close(&*store, ready).await {
                Ok(()) => (true, "opens, and what is written reaches the disk".into()),
                Err(error) => (false, format!("{error:#}")),
            }
        }
        Err(error) => match (error.downcast_ref::<OpenError>(), error.downcast_ref::<NoStore>()) {
            (Some(OpenError::Locked { .. }), _) => {
                (true, "in use by another process; `switchboard doctor` asks a daemon how it is".into())
            }
            _ if error.is::<NoTables>() => (true, format!("warning: {error}")),
            // Before the first start there is none.
            (_, Some(none)) => could_be_made(none),
            _ => (false, format!("{error:#}")),
        },
    };
    Finding { what, good, words }
}

/// Whether a daemon's first start could make one, as far as that is known without making it.
fn could_be_made(none: &NoStore) -> (bool, String) {
    let Some(above) = none.path.ancestors().find(|folder| folder.exists()) else {
        return (false, none.to_string());
    };
    match rustix::fs::access(above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if above.is_dir() => (true, format!("warning: {none}")),
        Ok(()) => (false, format!("{none}. {} is no folder", above.display())),
        Err(error) => (false, format!("{none}. This user may not write to {}: {error}", above.display())),
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
