//! Puts the house together: the only place where the configuration's words become engines, providers and bots.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::ambient::{self, OsEntropy, SystemClock};
use super::config::{
    self, BotKind, Config, Engine, KeywordAnswerer, ProviderKind, SignatureMode, StoreSettings, WebhookKind,
};
use super::{database, outside};
use crate::bot::echo::EchoBot;
use crate::bot::init::{InitBot, InitBotConfig};
use crate::bot::none::NoBot;
use crate::bot::openai::{OpenAiBot, OpenAiBotConfig};
use crate::bot::rasa::{RasaBot, RasaBotConfig};
use crate::bot::webhook::{Replies, WebhookBot, WebhookBotConfig};
use crate::bot::{AnswerLimits, Bot};
use crate::domain::conversation::{KeywordReplies, Policy};
use crate::domain::reply::ReplyKey;
use crate::domain::segments::MAX_CONTENT_UNITS;
use crate::gateway::ambient::Clock;
use crate::gateway::channels::{Channel, Channels, Sender, SignaturePolicy};
use crate::gateway::notices::{Notices, Subscriber};
use crate::gateway::pace::{ChannelPace, Paces};
use crate::gateway::{Gateway, Parts, Settings};
use crate::http::{ConfigToken, HttpSettings, HttpState, SecretHash};
use crate::notify::Notifier;
use crate::notify::slack::SlackNotifier;
use crate::notify::webhook::WebhookNotifier;
use crate::provider::Provider;
use crate::provider::simulator::{Simulator, SimulatorConfig};
use crate::provider::twilio::{self, Credentials, Secret, TwilioConfig, TwilioProvider};
use crate::store::Store;
use crate::store::embedded::{EmbeddedStore, FjallOptions, SledOptions};
use crate::store::postgres::{OpenError, PostgresOptions, PostgresStore};

/// Where the simulator of a running daemon is mounted.
pub const SIMULATOR_PATH: &str = "/simulator";
/// How often a database that is not there is looked for.
const DATABASE_PAUSE: Duration = Duration::from_millis(500);
/// How many turns the bot may have in hand at once.
const MAX_TURNS: usize = 64;
/// How many texts a turn's answer may have.
const MAX_ANSWERS: usize = 10;
const ANSWER_LIMITS: AnswerLimits =
    AnswerLimits { max_texts: MAX_ANSWERS, max_content_units: MAX_CONTENT_UNITS };

/// A daemon that is ready to run.
pub struct House {
    pub gateway: Arc<Gateway>,
    pub http: HttpState,
    pub simulator: Option<Arc<Simulator>>,
    pub store: Arc<dyn Store>,
}

/// The rules that the configuration chooses.
pub fn policy(config: &Config) -> Policy {
    Policy {
        idle_after: config.sessions.idle_after,
        has_bot: !matches!(config.bot.kind, BotKind::None),
        forward_keywords: config.consent.forward_keywords,
        max_content_units: MAX_CONTENT_UNITS,
        bot: config.bot.policy,
        attention: config.sessions.attention,
    }
}

/// Opens the store. Takes as long as another process takes to let go of it, or a database to be there.
pub async fn open_store(config: &Config) -> Result<Arc<dyn Store>> {
    let rules = policy(config);
    let StoreSettings { engine, path, cache_bytes, lock_wait, min_free_bytes, .. } = config.store.clone();
    if let Some(options) = database::options(config)? {
        let opened = open_database(&options, rules, lock_wait).await;
        let name = config.store.postgres.as_ref().map(database::name).unwrap_or_default();
        return Ok(Arc::new(opened.with_context(|| format!("{name} cannot be used"))?));
    }
    let open = move || match engine {
        Engine::Fjall => EmbeddedStore::open_fjall(&path, &FjallOptions { cache_bytes, lock_wait }, rules),
        Engine::Sled | Engine::Postgres => {
            EmbeddedStore::open_sled(&path, &SledOptions { cache_bytes, lock_wait }, rules)
        }
    };
    Ok(Arc::new(tokio::task::spawn_blocking(open).await??.keeping_free(min_free_bytes)))
}

async fn open_database(
    options: &PostgresOptions,
    rules: Policy,
    wait: Duration,
) -> Result<PostgresStore, OpenError> {
    let waited = tokio::time::sleep(wait);
    tokio::pin!(waited);
    let mut first = true;
    loop {
        match PostgresStore::open(options, rules.clone()).await {
            Err(error) if error.may_pass() && !wait.is_zero() && !waited.is_elapsed() => {
                if std::mem::take(&mut first) {
                    tracing::warn!(%error, "the database is not there; it is waited for");
                }
            }
            opened => return opened,
        }
        tokio::select! {
            () = &mut waited => {}
            () = tokio::time::sleep(DATABASE_PAUSE) => {}
        }
    }
}

/// Builds everything on an open store. Nothing runs yet.
pub fn build(config: &Config, store: Arc<dyn Store>) -> Result<House> {
    let clock = Arc::new(SystemClock::start());
    let simulator = simulator(config)?;
    let mut channels = Vec::new();
    for channel in &config.channels {
        channels.push(self::channel(config, channel, clock.as_ref())?);
    }
    let gateway = Gateway::new(Parts {
        store: Arc::clone(&store),
        channels: Channels::new(channels),
        bot: bot(config)?,
        clock,
        entropy: Arc::new(OsEntropy),
        settings: Settings {
            policy: policy(config),
            valid_for: config.sending.valid_for,
            max_in_flight: config.sending.max_in_flight,
            request_timeout: config.sending.request_timeout,
            looks: config.sending.looks.clone(),
            order_hold: config.sending.order_hold,
            asks: config.sending.asks.clone(),
            max_turns: MAX_TURNS,
            keep_messages: config.retention.messages,
            confirmation_text: config.consent.confirmation_text.clone(),
            bot_fallback: config.bot.fallback_text.clone(),
            keep_events: config.keep_events,
        },
        notices: notices(config)?,
    });
    let http = HttpState::new(Arc::clone(&gateway), http_settings(config));
    Ok(House { gateway, http, simulator, store })
}

/// The provider of a channel, by itself: what `check` asks.
pub fn provider(config: &Config, channel: &config::Channel) -> Result<Arc<dyn Provider>> {
    let secret = |secret: &config::Secret| Secret::new(secret.expose());
    let auth_tokens: Vec<Secret> = channel.auth_tokens.iter().map(secret).collect();
    let credentials = match (&channel.api_key, auth_tokens.first()) {
        (Some(key), _) => Credentials { user: key.sid.clone(), password: secret(&key.secret) },
        (None, Some(token)) => Credentials { user: channel.account_sid.clone(), password: token.clone() },
        (None, None) => anyhow::bail!("channel \"{}\" has neither auth_token nor api_key", channel.name),
    };
    let api_base = match channel.provider {
        ProviderKind::Twilio => channel.api_base.as_str().to_owned(),
        ProviderKind::Simulator => format!("{}{SIMULATOR_PATH}", own_url(config)),
    };
    let outside = match channel.provider {
        ProviderKind::Twilio => config.network.client_builder(&api_base),
        ProviderKind::Simulator => outside::own_client_builder(),
    };
    let twilio = TwilioConfig {
        account_sid: channel.account_sid.clone(),
        credentials,
        auth_tokens,
        api_base,
        request_timeout: config.sending.request_timeout,
    };
    let mut client = twilio::client_builder(outside);
    if config.sending.request_timeout < 2 * twilio::CONNECT_TIMEOUT {
        // Connecting must give up first: a time-out while connecting is known not to have sent anything.
        client = client.connect_timeout(config.sending.request_timeout / 2);
    }
    let client = client.build().context("the HTTP client for the provider")?;
    let provider =
        TwilioProvider::new(twilio, client).with_context(|| format!("channel \"{}\"", channel.name))?;
    Ok(Arc::new(provider))
}

/// The daemon's own address, as a process on the same machine reaches it.
pub fn own_url(config: &Config) -> String {
    let mut listen = config.server.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}")
}

fn channel(config: &Config, channel: &config::Channel, clock: &dyn Clock) -> Result<Channel> {
    let senders = channel.messaging_service_sid.iter().cloned();
    let senders = senders.chain(channel.numbers.iter().map(|number| number.as_str().to_owned()));
    let replies = |sender: &str| match channel.keyword_answerer(sender) {
        KeywordAnswerer::Gateway => config.consent.replies.clone(),
        KeywordAnswerer::Provider | KeywordAnswerer::Nobody => KeywordReplies::default(),
    };
    Ok(Channel {
        name: channel.name.clone(),
        provider: provider(config, channel)?,
        public_url: public_url(config, channel).as_str().to_owned(),
        signature: match channel.signature {
            SignatureMode::Enforce => SignaturePolicy::Enforce,
            SignatureMode::Report => SignaturePolicy::Report,
        },
        recover: channel.recover,
        senders: senders.map(|name| Sender { replies: replies(&name), name }).collect(),
        on_unknown: channel.on_unknown,
        pace: ChannelPace::starting(&paces(&channel.pace), clock.elapsed()),
    })
}

fn paces(pace: &config::ChannelPace) -> Paces {
    let config::ChannelPace { number, account, destinations } = pace.clone();
    Paces { number, account, destinations }
}

fn bot(config: &Config) -> Result<Arc<dyn Bot>> {
    let limits = ANSWER_LIMITS;
    let client = |at: &config::Address| {
        config.network.client_builder(&at.url).build().context("the HTTP client for the bot")
    };
    let text = |secret: &config::Secret| secret.expose().to_owned();
    Ok(match &config.bot.kind {
        BotKind::None => Arc::new(NoBot),
        BotKind::Echo => Arc::new(EchoBot),
        BotKind::Webhook { at, secrets } => {
            let secrets: Vec<String> = secrets.iter().map(text).collect();
            let replies = secrets.first().map(|secret| Replies {
                base_url: config.server.public_url.as_str().to_owned(),
                key: ReplyKey::of(secret),
            });
            let settings =
                WebhookBotConfig { url: at.url.clone(), secrets, timeout: at.timeout, limits, replies };
            Arc::new(WebhookBot::new(&settings, client(at)?, Arc::new(ambient::now))?)
        }
        BotKind::Rasa { at, token } => {
            let token = token.as_ref().map(text);
            let settings = RasaBotConfig { url: at.url.clone(), token, timeout: at.timeout, limits };
            Arc::new(RasaBot::new(&settings, client(at)?)?)
        }
        BotKind::OpenAi { at, model } => {
            let settings = OpenAiBotConfig {
                url: at.url.clone(),
                api_key: model.api_key.as_ref().map(text),
                model: model.model.clone(),
                system_prompt: model.system_prompt.clone(),
                max_tokens: model.max_tokens.get(),
                temperature: model.temperature,
                history: model.history,
                max_history_chars: model.max_history_chars,
                timeout: at.timeout,
                limits,
            };
            Arc::new(OpenAiBot::new(settings, client(at)?)?)
        }
        BotKind::Init { at, secret } => {
            let settings = InitBotConfig {
                url: at.url.clone(),
                secret: text(secret),
                api_base: config.server.public_url.as_str().to_owned(),
                timeout: at.timeout,
            };
            Arc::new(InitBot::new(settings, client(at)?)?)
        }
    })
}

/// Who outside is told of events.
fn notices(config: &Config) -> Result<Notices> {
    let console_url = format!("{}/console", config.server.public_url.as_str());
    let subscriber = |webhook: &config::Webhook| -> Result<Subscriber> {
        let url = webhook.url.expose();
        let client = config.network.client_builder(url).build().context("the HTTP client for webhooks")?;
        let named = || format!("webhook \"{}\"", webhook.name);
        let notifier: Arc<dyn Notifier> = match &webhook.kind {
            WebhookKind::Standard { secrets } => {
                let secrets: Vec<String> = secrets.iter().map(|secret| secret.expose().to_owned()).collect();
                let notifier = WebhookNotifier::new(url, &secrets, client, Arc::new(ambient::now));
                Arc::new(notifier.with_context(named)?)
            }
            WebhookKind::Slack => {
                Arc::new(SlackNotifier::new(url, console_url.clone(), client).with_context(named)?)
            }
        };
        Ok(Subscriber { name: webhook.name.clone(), filter: webhook.filter.clone(), notifier })
    };
    let subscribers = config.webhooks.iter().map(subscriber).collect::<Result<_>>()?;
    Ok(Notices { subscribers, render: Arc::new(crate::http::objects::Event::for_endpoints) })
}

fn http_settings(config: &Config) -> HttpSettings {
    let token = |token: &config::AccessToken| ConfigToken {
        name: token.name.clone(),
        role: token.role,
        secret: SecretHash::from_sha256(token.sha256),
    };
    HttpSettings {
        max_body_bytes: usize::try_from(config.server.max_body_bytes).unwrap_or(usize::MAX),
        default_region: config.consent.default_region.clone(),
        init_secret: config.bot.init_secret.as_ref().map(|secret| SecretHash::of(secret.expose())),
        config_tokens: config.tokens.iter().map(token).collect(),
        calls: Some(config.server.api_rate),
        reply_keys: match &config.bot.kind {
            // All of them: while one replaces another, the bot may hold a turn's token from before.
            BotKind::Webhook { secrets, .. } => {
                secrets.iter().map(|secret| ReplyKey::of(secret.expose())).collect()
            }
            BotKind::Init { secret, .. } => vec![ReplyKey::of(secret.expose())],
            _ => Vec::new(),
        },
        answer_limits: ANSWER_LIMITS,
        canned_replies: config.console.canned_replies.clone(),
        secure_cookies: config.server.public_url.as_str().starts_with("https://"),
    }
}

/// The simulator behind the channel that wants one.
fn simulator(config: &Config) -> Result<Option<Arc<Simulator>>> {
    let mut wanted = config.channels.iter().filter(|channel| channel.provider == ProviderKind::Simulator);
    let Some(channel) = wanted.next() else { return Ok(None) };
    ensure!(wanted.next().is_none(), "only one channel can be simulated; give it all the numbers");
    let account = simulated_account(config, channel);
    Ok(Some(Simulator::new(account, Arc::new(ambient::now), config.simulator.seed, webhook_client()?)))
}

/// How the provider of a channel reaches the daemon.
fn public_url<'c>(config: &'c Config, channel: &'c config::Channel) -> &'c config::PublicUrl {
    channel.public_url.as_ref().unwrap_or(&config.server.public_url)
}

/// Where the provider of a channel posts customers' texts.
pub fn inbound_url(config: &Config, channel: &config::Channel) -> String {
    format!("{}/v1/receive/{}", public_url(config, channel).as_str(), channel.name)
}

/// The account that the simulator has for a channel.
pub fn simulated_account(config: &Config, channel: &config::Channel) -> SimulatorConfig {
    let numbers = channel.numbers.iter().map(|number| number.as_str().to_owned()).collect();
    let auth_token = channel.auth_tokens.first().map_or("", config::Secret::expose);
    let mut account = SimulatorConfig::new(&channel.account_sid, auth_token, numbers);
    account.messaging_services.extend(channel.messaging_service_sid.clone());
    account.inbound_url = Some(inbound_url(config, channel));
    account.delays = config.simulator.delays();
    account.faults = config.simulator.faults();
    account
}

/// The client that a simulator posts webhooks with: it waits as long as the real one would.
pub fn webhook_client() -> Result<reqwest::Client> {
    outside::own_client_builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(15))
        .build()
        .context("the HTTP client for webhooks")
}
