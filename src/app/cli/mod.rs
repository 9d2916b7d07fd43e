//! The command line: what can be written, and its help. Must not do anything of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

use super::config::{duration, is_callable};
use crate::gateway::recovery::MOST_BACK;
use crate::store::TokenRole;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong usage or wrong configuration

Logs go to stderr, results to stdout.";

const RECOVER_HELP: &str = "\
Example:
  switchboard recover --channel main --since 2h

Exit codes:
  0  done
  1  failed, for at least one channel
  2  wrong usage or wrong configuration

Logs go to stderr, results to stdout.";

const EXAMPLES: &str = "\
Examples:
  switchboard                                       serve as ./config.toml says
  switchboard --config /etc/switchboard/config.toml check
  switchboard token new desk --role agent
  switchboard recover --since 2h
  switchboard doctor --url http://127.0.0.1:8080

Exit codes:
  0  done
  1  failed
  2  wrong usage or wrong configuration

Logs go to stderr, results to stdout.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  switchboard export --output backup.ndjson
  switchboard export | gzip > backup.ndjson.gz

Exit codes:
  0  done
  1  failed
  2  wrong usage or wrong configuration";

const IMPORT_EXAMPLES: &str = "\
Examples:
  switchboard import --verify backup.ndjson
  SWITCHBOARD__STORE__PATH=data.new switchboard import backup.ndjson
  gunzip -c backup.ndjson.gz | switchboard import -

Exit codes:
  0  done
  1  failed
  2  wrong usage or wrong configuration";

/// Stands between a brand's phone numbers, its bot and its human agents.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(name = "switchboard", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The configuration. Every key can be overridden: SWITCHBOARD__SERVER__LISTEN=0.0.0.0:8080
    #[arg(long, value_name = "FILE", global = true, default_value = "config.toml")]
    pub config: PathBuf,
    /// How results are written: for people, or for programs
    #[arg(long, value_enum, global = true, default_value_t = Format::Text)]
    pub format: Format,
    /// `serve` if none is given.
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    pub fn chosen(&self) -> &Command {
        self.command.as_ref().unwrap_or(&Command::Serve)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the daemon until it is told to stop (the default)
    ///
    /// The first SIGINT or SIGTERM lets what is under way end, for server.shutdown_grace at the most. The second
    /// stops at once: what was answered 2xx is on disk either way.
    #[command(after_help = EXIT_CODES)]
    Serve,
    /// Check the configuration, the store, and the credentials of every provider
    ///
    /// The store is good if it opens and takes something new. None is made where there is none: before the first start that
    /// is a warning.
    #[command(after_help = EXIT_CODES)]
    Check(Check),
    /// Bring the database's schema to this version's, with the rights that this takes
    ///
    /// For engine = "postgres". A daemon does the same as it starts; done beforehand, its own user needs no rights to create
    /// tables. Older daemons may go on meanwhile, and after it.
    #[command(after_help = EXIT_CODES)]
    Migrate,
    /// Make, list and revoke API tokens
    ///
    /// In the store; or, while a daemon has it open, through that daemon's API, which takes an admin token. Only `new`
    /// makes a store where there is none.
    #[command(after_help = EXIT_CODES)]
    Token {
        /// An admin token to ask a running daemon with; by default the configuration's own, if it stands there in clear
        #[arg(long, value_name = "FILE", global = true)]
        admin_token_file: Option<PathBuf>,
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Write all that the store holds to a file: a backup, and the way to another engine
    ///
    /// From the store; or, while a daemon has it open, through that daemon's API, which takes an admin token, and goes on
    /// with its work. The file holds what customers wrote. It is its owner's alone (mode 0600), and gets its name when
    /// it is whole. Where there is no store, nothing is written.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// Fill an empty store with an export, or only check the file
    ///
    /// The file is read to its end before anything is written. No daemon may have the store open. A store whose import was
    /// not finished does not open: remove it, and import again. What to remove is said; a store that held something before
    /// is not touched.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Play the provider: an API like the real one's, faults included, and the customers' phones
    ///
    /// Point a channel's api_base at it. How it behaves is in the configuration's [simulator].
    #[command(after_help = EXIT_CODES)]
    Simulate(Simulate),
    /// Have a running daemon ask the providers for texts that they could not deliver
    ///
    /// It does so by itself after an outage; this is for what it cannot know of, such as a wrong webhook URL. What is
    /// there already is not taken again.
    #[command(after_help = RECOVER_HELP)]
    Recover(Recover),
    /// Ask a running daemon how it is
    ///
    /// Done if it is ready to take texts, failed if it is not or cannot be reached. Good for a container's health check.
    #[command(after_help = EXIT_CODES)]
    Doctor(Doctor),
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Check {
    /// Check the configuration alone: open no store, call nobody
    #[arg(long)]
    pub offline: bool,
    /// Print the default configuration, with all keys explained, and check nothing
    #[arg(long, conflicts_with = "offline")]
    pub print_default: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once
    #[command(after_help = "Example:\n  switchboard token new desk --role agent")]
    New {
        /// Whose it is: recorded as the author of what it writes
        name: String,
        /// What it allows
        #[arg(long, value_parser = role, value_name = "agent|bot|admin")]
        role: TokenRole,
    },
    /// List the tokens that were made, without their secrets
    List,
    /// Make a token worthless, at once
    Revoke {
        /// As `token list` shows it
        id: Uuid,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Export {
    /// Where to write it; - is stdout, and the summary goes to stderr
    #[arg(long, short, value_name = "FILE|-", default_value = "-")]
    pub output: PathBuf,
    /// An admin token to ask a running daemon with; by default the configuration's own, if it stands there in clear
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Import {
    /// The export; - is stdin
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// Check that the file is whole and unchanged, and import nothing
    #[arg(long, conflicts_with_all = ["may_have_left", "as_it_was"])]
    pub verify: bool,
    /// Texts that waited may have left since: have them looked for before they are sent again. So it is by default
    /// for an export of a running daemon
    #[arg(long, conflicts_with = "as_it_was")]
    pub may_have_left: bool,
    /// Nothing has left since: send what waits, also if a daemon was running
    #[arg(long)]
    pub as_it_was: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Simulate {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// The same seed makes the same faults; overrides simulator.seed
    #[arg(long)]
    pub seed: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Recover {
    /// Only this channel; by default all of them
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// How far back to ask, 7d at the most
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = back)]
    pub since: Duration,
    /// An admin token to ask the daemon with; by default the configuration's own, if it stands there in clear
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Doctor {
    /// Where the daemon is; by default where the configuration says that it listens
    #[arg(long, value_parser = url)]
    pub url: Option<String>,
}

fn url(text: &str) -> Result<String, String> {
    if is_callable(text) {
        Ok(text.to_owned())
    } else {
        Err("write an address such as http://127.0.0.1:8080".to_owned())
    }
}

fn back(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(back) if back > MOST_BACK => Err("providers are asked for the last 7d at the most".to_owned()),
        Ok(back) => Ok(back),
        Err(wrong) => Err(format!("it {wrong}")),
    }
}

fn role(text: &str) -> Result<TokenRole, String> {
    [TokenRole::Agent, TokenRole::Bot, TokenRole::Admin]
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| "write agent, bot or admin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_what_is_done_unless_told_otherwise() {
        let cli = parsed("switchboard").unwrap();
        assert_eq!(cli.chosen(), &Command::Serve);
        assert_eq!(cli.config, PathBuf::from("config.toml"));
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        let after = parsed("switchboard check --config a.toml --format json").unwrap();
        assert_eq!(after, parsed("switchboard --config a.toml --format json check").unwrap());
    }

    #[test]
    fn a_token_is_made_with_a_name_and_a_role() {
        let cli = parsed("switchboard token new desk --role agent").unwrap();
        let new = TokenCommand::New { name: "desk".into(), role: TokenRole::Agent };
        assert_eq!(cli.chosen(), &Command::Token { admin_token_file: None, command: new });
        assert!(parsed("switchboard token new desk --role chief").is_err());
        assert!(parsed("switchboard token new desk").is_err());
    }

    #[test]
    fn no_more_is_recovered_than_a_week() {
        let recover = |since| parsed(&format!("switchboard recover --since {since}"));
        assert!(recover("7d").is_ok() && recover("2h").is_ok());
        for wrong in ["8d", "2", "yesterday"] {
            assert!(recover(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_import_looks_for_what_waits_or_sends_it_but_not_both() {
        assert!(parsed("switchboard import backup.ndjson --as-it-was").is_ok());
        assert!(parsed("switchboard import - --may-have-left").is_ok());
        assert!(parsed("switchboard import - --may-have-left --as-it-was").is_err());
        assert!(parsed("switchboard import").is_err());
    }

    #[test]
    fn wrong_usage_is_exit_code_2_and_help_is_0() {
        assert_eq!(parsed("switchboard sing").unwrap_err().exit_code(), 2);
        assert_eq!(parsed("switchboard --help").unwrap_err().exit_code(), 0);
    }
}
