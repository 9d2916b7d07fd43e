//! The use-cases: what happens when a customer texts, an agent answers, the bot speaks, a receipt comes.
//!
//! Everything here stands on the three traits [`Store`], [`Provider`](crate::provider::Provider) and [`Bot`], and on
//! [`ambient`] for time and randomness; no engine, provider, bot, HTTP server or client is named. A use-case that a
//! caller waits for is a method of [`Gateway`], in the file of its subject; what goes on by itself (lanes, turns,
//! unknown sends, housekeeping) is a loop that [`Gateway::run`] starts.
//!
//! Nothing here is left to chance: every `select!` is `biased` and nothing is gone through in the order of a hash, so that the
//! same events in the same order give the same run. `tests/simulation` stands on that.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::bot::Bot;
use crate::domain::conversation::Policy;
use crate::domain::ids::uuid_v7;
use crate::domain::retry::{Asks, Looks};
use crate::domain::time::Timestamp;
use crate::store::{Logged, Store};

pub mod access;
pub mod ambient;
pub mod attention;
mod breaker;
pub mod channels;
pub mod conversation;
pub mod customers;
mod duties;
pub mod events;
pub mod exports;
mod gaps;
pub mod inbound;
pub mod metrics;
pub mod notices;
pub mod outbound;
mod owed;
pub mod pace;
pub mod receipts;
mod reclaim;
pub mod recovery;
mod retention;
mod start;
pub mod sweep;
mod troubles;
pub mod turns;

pub use breaker::BreakerState;

use ambient::{Clock, Entropy};
use channels::{Channel, Channels};
use metrics::Metrics;
use notices::Notices;
use outbound::Outbound;

/// The numbers that a deployment chooses.
#[derive(Clone, Debug)]
pub struct Settings {
    pub policy: Policy,
    /// How long a text may wait before it is not worth sending any more.
    pub valid_for: Duration,
    /// How many sends of one lane may be on their way at once.
    pub max_in_flight: usize,
    /// The longest that a provider is waited for, for one text.
    pub request_timeout: Duration,
    /// When the provider is asked for a text of unknown fate.
    pub looks: Looks,
    /// How long a text of unknown fate holds its customer's later ones at the most.
    pub order_hold: Duration,
    /// When the provider is asked about a text of which it says nothing final.
    pub asks: Asks,
    /// How many turns the bot may have in hand at once, over all sessions.
    pub max_turns: usize,
    /// How long a conversation is kept after its last message. None: for ever.
    pub keep_messages: Option<Duration>,
    /// What a confirmation text says; `{token}` stands for the token. None: no text is sent.
    pub confirmation_text: Option<String>,
    /// What a customer is told when the bot could not be asked and humans take over. None: nothing.
    pub bot_fallback: Option<String>,
    /// How long the log of events is kept.
    pub keep_events: Duration,
}

/// What a gateway is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub channels: Channels,
    pub bot: Arc<dyn Bot>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: Settings,
    pub notices: Notices,
}

pub struct Gateway {
    store: Arc<dyn Store>,
    channels: Channels,
    bot: Arc<dyn Bot>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    metrics: Metrics,
    outbound: Outbound,
    turns: turns::Turns,
    recovery: recovery::Recovery,
    owed: owed::Owed,
    /// Held while it is marked until when nothing was missed.
    marking: tokio::sync::Mutex<()>,
    reclaim: reclaim::Reclaim,
    exports: exports::Exports,
    events: events::Events,
    notices: Vec<Arc<notices::Told>>,
    notices_render: Arc<dyn Fn(&Logged) -> String + Send + Sync>,
    troubles: troubles::Troubles,
    start: start::Start,
    duties: duties::Duties,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What goes on by itself ends: the gateway stops.
struct Stopping;

impl Gateway {
    /// Builds it; nothing happens until [`Gateway::run`].
    pub fn new(parts: Parts) -> Arc<Self> {
        let owner = uuid_v7(parts.clock.now(), parts.entropy.ten_bytes()).to_string();
        let stop = CancellationToken::new();
        let endpoints = parts.notices.subscribers.iter().map(|subscriber| subscriber.name.as_str());
        let all = duties::all_of(&parts.channels, endpoints);
        let (is_shared, started) = (parts.store.is_shared(), parts.clock.elapsed());
        let metrics = Metrics::new();
        if !is_shared {
            metrics.in_office(0, all.len());
        }
        Arc::new(Self {
            duties: duties::Duties::new(owner, all, is_shared, started, &stop),
            outbound: Outbound::new(&parts.settings),
            turns: turns::Turns::new(parts.settings.max_turns),
            metrics,
            recovery: recovery::Recovery::of(&parts.channels),
            owed: owed::Owed::of(&parts.channels),
            marking: tokio::sync::Mutex::default(),
            reclaim: reclaim::Reclaim::default(),
            exports: exports::Exports::default(),
            events: events::Events::default(),
            notices: notices::Told::all_of(parts.notices.subscribers),
            notices_render: parts.notices.render,
            troubles: troubles::Troubles::default(),
            start: start::Start::default(),
            store: parts.store,
            channels: parts.channels,
            bot: parts.bot,
            clock: parts.clock,
            entropy: parts.entropy,
            settings: parts.settings,
            tasks: TaskTracker::new(),
            stop,
        })
    }

    /// The soft stop: nothing new is begun; returns when what is under way has ended and been written down.
    pub async fn stop(self: &Arc<Self>) {
        self.stop.cancel();
        self.lay_all_down();
        self.tasks.close();
        tokio::select! {
            biased;
            () = self.tasks.wait() => {}
            () = self.stay_in_office() => {}
        }
    }

    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    pub fn channel(&self, name: &str) -> Option<&Arc<Channel>> {
        self.channels.get(name)
    }

    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time since some fixed moment of this process; never jumps.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// A new id of that moment.
    pub fn new_id(&self, now: Timestamp) -> Uuid {
        uuid_v7(now, self.entropy.ten_bytes())
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits so long.
    async fn rest(&self, pause: Duration) -> Result<(), Stopping> {
        self.unless_stopped(tokio::time::sleep(pause)).await
    }

    async fn unless_stopped<T>(&self, event: impl Future<Output = T>) -> Result<T, Stopping> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopping),
            outcome = event => Ok(outcome),
        }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }
}

#[cfg(test)]
mod tests;
