//! Logs: their level, their form, and where they go, which is stderr. Must not decide what is logged.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::config::{LogFormat, LogSettings};

/// Starts logging, once for the process. `rust_log`: the variable of that name, which wins over the level.
pub fn start(settings: LogSettings, rust_log: Option<&str>) -> anyhow::Result<()> {
    let registry = tracing_subscriber::registry().with(filter(settings.level, rust_log)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let terminal = io::stderr().is_terminal();
    let started = if is_pretty(settings.format, terminal) {
        registry.with(lines.with_ansi(terminal)).try_init()
    } else {
        registry.with(lines.json().flatten_event(true).with_span_list(false)).try_init()
    };
    started.context("logging was started before")
}

fn filter(level: tracing::Level, rust_log: Option<&str>) -> anyhow::Result<EnvFilter> {
    match rust_log.filter(|directives| !directives.trim().is_empty()) {
        Some(directives) => EnvFilter::try_new(directives)
            .context("RUST_LOG cannot be read; write a level, or such as \"info,switchboard=debug\""),
        // Dependencies say little that helps: theirs is left out below warnings, until somebody asks.
        None if level <= tracing::Level::INFO => {
            Ok(EnvFilter::try_new(format!("warn,switchboard={}", level.as_str().to_lowercase()))?)
        }
        None => Ok(EnvFilter::try_new(level.as_str().to_lowercase())?),
    }
}

fn is_pretty(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn rust_log_wins_over_the_level() {
        let words = |rust_log| filter(Level::INFO, rust_log).unwrap().to_string();
        assert_eq!(words(Some("trace")), "trace");
        assert!(words(None).contains("switchboard=info"));
        assert!(words(Some(" ")).contains("switchboard=info"));
        assert!(filter(Level::INFO, Some("a=b=c")).is_err());
    }

    #[test]
    fn auto_is_pretty_on_a_terminal_only() {
        assert!(is_pretty(LogFormat::Auto, true) && !is_pretty(LogFormat::Auto, false));
        assert!(is_pretty(LogFormat::Pretty, false) && !is_pretty(LogFormat::Json, true));
    }
}
