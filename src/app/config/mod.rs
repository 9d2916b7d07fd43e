//! The configuration: `config.toml`, overridden by the environment, read once into values that are ready to use. Must
//! not start anything. Everything that is wrong is reported at once, each with its place and its mend.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

mod bot;
mod channels;
mod console;
mod env;
mod events;
#[cfg(any(fuzzing, test))]
pub(super) mod fuzzing;
mod log;
mod network;
mod problem;
mod retention;
mod secret;
mod section;
mod sending;
mod server;
mod sessions;
mod simulator;
mod store;
mod tokens;
mod tree;
mod values;

pub use self::bot::{Address, BotKind, BotSettings, OpenAi};
pub use self::channels::{ApiKey, Channel, DEMO_AUTH_TOKEN, KeywordAnswerer, ProviderKind, SignatureMode};
pub use self::console::Console;
pub use self::events::{Webhook, WebhookKind};
pub use self::log::{LogFormat, LogSettings};
pub use self::problem::{ConfigError, Problem, Problems};
pub use self::retention::Retention;
pub use self::secret::Secret;
pub use self::sending::{ChannelPace, Sending};
pub use self::server::Server;
pub use self::sessions::{Consent, Sessions};
pub use self::simulator::SimulatorSettings;
pub use self::store::{Engine, PostgresSettings, StoreSettings};
pub use self::tokens::{AccessToken, DEMO_TOKENS};
pub use self::tree::Place;
pub use self::values::{BaseUrl, PublicUrl, duration, is_callable};

use self::problem::Report;
use self::section::Section;
use self::tree::Table;
use super::outside::Outside;

/// The commented default file, and the reference of every key.
pub const DEFAULT_CONFIG: &str = include_str!("../../../config.toml");

#[derive(Clone, Debug)]
pub struct Config {
    pub server: Server,
    /// What may be called.
    pub network: Outside,
    pub store: StoreSettings,
    pub sessions: Sessions,
    pub retention: Retention,
    pub sending: Sending,
    pub consent: Consent,
    pub channels: Vec<Channel>,
    pub simulator: SimulatorSettings,
    pub bot: BotSettings,
    /// How long the log of events is kept.
    pub keep_events: Duration,
    pub webhooks: Vec<Webhook>,
    pub console: Console,
    pub tokens: Vec<AccessToken>,
    pub log: LogSettings,
    /// What is allowed but unwise; for the log.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the file, and the variables that override it.
    pub fn load(path: &Path, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ConfigError::Missing(path.to_owned()),
            _ => ConfigError::Unreadable { path: path.to_owned(), source },
        })?;
        read(&text, env).0.map_err(|problems| ConfigError::Invalid(Problems::new(path.to_owned(), problems)))
    }
}

/// The configuration or all that is wrong with it, and every key that was asked for.
fn read(
    text: &str,
    env: impl Iterator<Item = (String, String)>,
) -> (Result<Config, Vec<Problem>>, BTreeSet<String>) {
    let mut table = match tree::parse(text) {
        Ok(table) => table,
        Err(problems) => return (Err(problems), BTreeSet::new()),
    };
    let report = Report::default();
    let env: Vec<_> = env.collect();
    let proxy = env.iter().find(|(name, value)| network::is_proxy(name, value)).map(|(name, _)| name.clone());
    env::apply(&mut table, env.into_iter(), &report);
    let config = sections(&table, &report, proxy.as_deref());
    let (problems, warnings, known) = report.into_parts();
    let config = config.filter(|_| problems.is_empty()).map(|config| Config { warnings, ..config });
    (config.ok_or(problems), known)
}

/// `proxy`: the variable that names one.
fn sections(table: &Table, report: &Report, proxy: Option<&str>) -> Option<Config> {
    let mut root = Section::root(table, report);
    let server = Server::read(root.section("server"));
    let network = network::read(root.section("network"), proxy);
    let store = StoreSettings::read(root.section("store"));
    let sessions = Sessions::read(root.section("sessions"));
    let retention = Retention::read(root.section("retention"), sessions.idle_after);
    let sending = Sending::read(root.section("sending"));
    let consent = Consent::read(root.section("consent"));
    let channel_sections = root.sections("channels");
    let exposed = exposed(&server, &channel_sections);
    let channels = channels::read_all(channel_sections, &sending, exposed, &network);
    let simulator = SimulatorSettings::read(root.section("simulator"));
    let bot = BotSettings::read(root.section("bot"), &network);
    let webhooks = events::read_all(root.sections("webhooks"), &network);
    let keep_events = events::keep(root.section("events"), !webhooks.is_empty());
    let console = Console::read(root.section("console"));
    let tokens = tokens::read_all(root.sections("tokens"), exposed);
    let log = LogSettings::read(root.section("log"));
    warn_of_what_will_not_work(&root, &server, &channels);
    root.finish();
    let (bot, warnings) = (bot?, Vec::new());
    Some(Config {
        server,
        network,
        store,
        sessions,
        retention,
        sending,
        consent,
        channels,
        simulator,
        bot,
        keep_events,
        webhooks,
        console,
        tokens,
        log,
        warnings,
    })
}

/// Why the demo's secrets, which everybody knows, will not do.
fn exposed(server: &Server, channels: &[Section<'_>]) -> Option<&'static str> {
    let real = |section: &Section<'_>| {
        // A stand-in for the provider on this machine texts nobody either.
        let simulated = section.peek("provider") != Some(ProviderKind::Twilio);
        !simulated && !section.peek("api_base").is_some_and(|base: BaseUrl| base.is_local())
    };
    match () {
        () if !server.listen.ip().is_loopback() => Some("server.listen is open to other machines"),
        () if channels.iter().any(real) => Some("a channel texts real phones"),
        () => None,
    }
}

fn warn_of_what_will_not_work(root: &Section<'_>, server: &Server, channels: &[Channel]) {
    if channels.is_empty() {
        root.warn("channels", "is empty: nobody can be texted");
    }
    for channel in channels.iter().filter(|channel| channel.provider == ProviderKind::Twilio) {
        if channel.public_url.as_ref().unwrap_or(&server.public_url).is_local() {
            let name = &channel.name;
            root.warn(
                "server.public_url",
                format!("is of this machine: the provider of \"{name}\" cannot call it"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
