//! The only place that names engines, providers and bots: configuration, wiring, life cycle, telemetry, commands.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

mod alarm;
pub mod ambient;
pub mod cli;
mod commands;
pub mod config;
mod database;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod lifecycle;
mod listen;
mod memory;
pub mod outside;
mod patient_stream;
mod remote;
mod report;
pub mod telemetry;
mod wiring;

use cli::{Cli, Command};
use config::Config;

/// Wrong usage or configuration.
const WRONG_CONFIGURATION: u8 = 2;

/// The command line asks for something that the configuration does not have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongUsage(String);

/// Runs the command that was asked for. 0: done, 1: failed, 2: wrong usage or configuration.
pub fn main() -> ExitCode {
    memory::use_small_pages();
    let cli = Cli::parse();
    if let Command::Check(check) = cli.chosen()
        && check.print_default
    {
        report::print(config::DEFAULT_CONFIG);
        return ExitCode::SUCCESS;
    }
    let config = match load(&cli.config) {
        Ok(config) => config,
        Err(problem) => {
            report::complain(&problem);
            return ExitCode::from(WRONG_CONFIGURATION);
        }
    };
    match run(&cli, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("switchboard: {error:#}"));
            if error.is::<WrongUsage>() { ExitCode::from(WRONG_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

fn load(path: &Path) -> Result<Config, String> {
    // Variables that are no text cannot be meant for us.
    let env = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    Config::load(path, env).map_err(|error| error.to_string())
}

fn run(cli: &Cli, config: Config) -> anyhow::Result<()> {
    telemetry::start(config.log, std::env::var("RUST_LOG").ok().as_deref())?;
    // With one provider of cryptography linked in this cannot fail but by being done already.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    let done = runtime.block_on(async {
        match cli.chosen() {
            Command::Serve => commands::serve::run(config).await,
            Command::Check(check) => commands::check::run(&config, check, cli.format).await,
            Command::Token { admin_token_file, command } => {
                commands::token::run(&config, admin_token_file.as_deref(), command, cli.format).await
            }
            Command::Migrate => commands::migrate::run(&config, cli.format).await,
            Command::Export(export) => commands::export::run(&config, export, cli.format).await,
            Command::Import(import) => commands::import::run(&config, import, cli.format).await,
            Command::Simulate(simulate) => commands::simulate::run(&config, simulate).await,
            Command::Recover(recover) => commands::recover::run(&config, recover, cli.format).await,
            Command::Doctor(doctor) => commands::doctor::run(&config, doctor, cli.format).await,
        }
    });
    // What still runs in the background has been told to end, and holds nothing that is not on disk.
    runtime.shutdown_background();
    done
}
