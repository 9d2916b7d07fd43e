//! What is counted, and under which names Prometheus finds it. Labels never hold a number, a name or a text.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::domain::message::Role;
use crate::store::{Counts, Pruned};

mod desk;
mod office;

use desk::Desk;
pub use desk::Streaming;
use office::Office;

/// The words that stand in the `outcome` label.
pub mod labels {
    pub const RECORDED: &str = "recorded";
    pub const RECOVERED: &str = "recovered";
    pub const DUPLICATE: &str = "duplicate";
    pub const ADVANCED: &str = "advanced";
    pub const STALE: &str = "stale";
    pub const PARKED: &str = "parked";
    pub const DISPLACING: &str = "displacing";
    pub const DROPPED: &str = "dropped";
    pub const NOT_KNOWN: &str = "not_known";
    pub const NOT_ANSWERED: &str = "not_answered";
    pub const PASSED: &str = "passed";
    pub const FOUND: &str = "found";
    pub const ABSENT: &str = "absent";
    pub const RESENT: &str = "resent";
    pub const HELD: &str = "held";
    pub const RESENT_BY_HAND: &str = "resent_by_hand";
    pub const DONE: &str = "done";
    pub const FAILED: &str = "failed";
}

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;

#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        // From one millisecond to about half a minute.
        Histogram::new(exponential_buckets(0.001, 2.0, 16))
    }
}

pub struct Metrics {
    registry: Registry,
    inbound: Counters,
    refused: Counters,
    recoveries: Counters,
    pruned_sessions: Counter,
    pruned_messages: Counter,
    created: Counters,
    sends: Counters,
    send_seconds: Family<Labels, Histogram, Seconds>,
    unknowns: Counters,
    asks: Counters,
    receipts: Counters,
    turns: Counters,
    turn_seconds: Histogram,
    requests: Counters,
    request_seconds: Family<Labels, Histogram, Seconds>,
    pauses: Family<Labels, Gauge>,
    queued: Gauge,
    unknown: Gauge,
    held: Gauge,
    waiting: Gauge,
    open_turns: Gauge,
    store_ready: Gauge,
    desk: Desk,
    office: Office,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("switchboard");
        let mut counters = |name: &str, help: &str| {
            let family = Counters::default();
            registry.register(name, help, family.clone());
            family
        };
        let inbound = counters(
            "inbound_texts",
            "Customers' texts, by channel and outcome (recorded, recovered, duplicate)",
        );
        let refused = counters(
            "webhooks_refused",
            "Provider webhooks that were not believed or not readable, by channel and reason",
        );
        let recoveries = counters(
            "recoveries",
            "Times that a provider was asked for texts that were missed, by channel and outcome (done, failed)",
        );
        let created = counters("messages_created", "Texts queued to customers, by the author's role");
        let sends = counters("sends", "Answers of the provider to a send, by channel and outcome");
        let receipts = counters(
            "receipts",
            "Receipts, by channel and outcome (advanced, stale, parked, displacing: parked in place of the oldest, dropped)",
        );
        let asks = counters(
            "silent_asks",
            "Questions about texts that the provider took and said nothing final of, by channel and outcome (advanced, \
             stale, not_known, not_answered)",
        );
        let unknowns = counters(
            "unknown_texts",
            "What became of texts of unknown fate, by channel and outcome (passed, found, absent, resent, held, \
             resent_by_hand)",
        );
        let turns = counters("bot_turns", "Turns told to the bot, by outcome");
        let requests = counters("http_requests", "HTTP requests, by method, route and status");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let pruned_sessions = counter("sessions_pruned", "Conversations removed for their age");
        let pruned_messages = counter("messages_pruned", "Messages removed with them");
        let send_seconds = Family::new_with_constructor(Seconds);
        registry.register(
            "send_seconds",
            "How long the provider took to answer a send",
            send_seconds.clone(),
        );
        let request_seconds = Family::new_with_constructor(Seconds);
        registry.register(
            "http_request_seconds",
            "How long requests took, by route",
            request_seconds.clone(),
        );
        let turn_seconds = Seconds.new_metric();
        registry.register("bot_turn_seconds", "How long the bot took to answer a turn", turn_seconds.clone());
        let pauses = Family::<Labels, Gauge>::default();
        registry.register(
            "pauses",
            "Pauses that the provider asked for and that last, by channel and scope (account, sender)",
            pauses.clone(),
        );
        let (desk, office) = (Desk::register(&mut registry), Office::register(&mut registry));
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            desk,
            office,
            queued: gauge("messages_queued", "Texts that wait, are being sent, or are of unknown fate"),
            unknown: gauge("messages_unknown", "Texts of unknown fate"),
            held: gauge("messages_held", "Texts of unknown fate that wait for a person's decision"),
            waiting: gauge("sessions_waiting", "Customers who wait for an agent"),
            open_turns: gauge("bot_turns_open", "Turns that the bot has not been told yet"),
            store_ready: gauge(
                "store_ready",
                "Whether the store takes new work: 1, or 0 while its disk is full or broken",
            ),
            inbound,
            refused,
            recoveries,
            pruned_sessions,
            pruned_messages,
            created,
            sends,
            send_seconds,
            unknowns,
            pauses,
            asks,
            receipts,
            turns,
            turn_seconds,
            requests,
            request_seconds,
            registry,
        }
    }

    pub(super) fn inbound(&self, channel: &str, outcome: &str) {
        self.inbound.get_or_create(&of_channel(channel, "outcome", outcome)).inc();
    }

    /// A webhook was refused: `signature`, `unreadable`, `unavailable` …
    pub fn webhook_refused(&self, channel: &str, reason: &str) {
        self.refused.get_or_create(&of_channel(channel, "reason", reason)).inc();
    }

    pub(super) fn pruned(&self, pruned: &Pruned) {
        self.pruned_sessions.inc_by(pruned.sessions);
        self.pruned_messages.inc_by(pruned.messages);
    }

    pub(super) fn recovery(&self, channel: &str, outcome: &str) {
        self.recoveries.get_or_create(&of_channel(channel, "outcome", outcome)).inc();
    }

    pub(super) fn created(&self, role: Role) {
        self.created.get_or_create(&vec![("role", role.as_str().to_owned())]).inc();
    }

    pub(super) fn sent(&self, channel: &str, outcome: &str, took: Duration) {
        self.sends.get_or_create(&of_channel(channel, "outcome", outcome)).inc();
        self.send_seconds.get_or_create(&vec![("channel", channel.to_owned())]).observe(took.as_secs_f64());
    }

    pub(super) fn pauses(&self, channel: &str, scope: &str, more: i64) {
        self.pauses.get_or_create(&of_channel(channel, "scope", scope)).inc_by(more);
    }

    pub(super) fn receipt(&self, channel: &str, outcome: &str) {
        self.receipts.get_or_create(&of_channel(channel, "outcome", outcome)).inc();
    }

    /// What became of a text of unknown fate, for now.
    pub(super) fn unknown(&self, channel: &str, outcome: &str) {
        self.unknowns.get_or_create(&of_channel(channel, "outcome", outcome)).inc();
    }

    /// The provider was asked about a silent text.
    pub(super) fn asked(&self, channel: &str, outcome: &str) {
        self.asks.get_or_create(&of_channel(channel, "outcome", outcome)).inc();
    }

    pub(super) fn turn(&self, outcome: &str, took: Duration) {
        self.turns.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
        self.turn_seconds.observe(took.as_secs_f64());
    }

    /// `route`: the pattern, never the path.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels =
            vec![("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&vec![("route", route.to_owned())]).observe(took.as_secs_f64());
    }

    fn note(&self, counts: Counts) {
        self.queued.set(whole(counts.queued));
        self.unknown.set(whole(counts.unknown));
        self.held.set(whole(counts.held));
        self.waiting.set(whole(counts.sessions_waiting));
        self.open_turns.set(whole(counts.turns_open));
    }

    /// All of it, in the OpenMetrics text format. Without `counts`, those that were known last.
    pub fn render(&self, counts: Option<Counts>, store_is_ready: bool) -> String {
        self.store_ready.set(i64::from(store_is_ready));
        if let Some(counts) = counts {
            self.note(counts);
        }
        let mut text = String::new();
        // Writing into a String cannot fail.
        encode(&mut text, &self.registry).map(|()| text).unwrap_or_default()
    }
}

/// A gauge holds no more.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn of_channel(channel: &str, key: &'static str, value: &str) -> Labels {
    vec![("channel", channel.to_owned()), (key, value.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole names in a text, without what the format adds to them.
    fn named(text: &str) -> Vec<&str> {
        let is_of_name = |char: char| char.is_ascii_lowercase() || char == '_';
        let names = text.match_indices("switchboard_").map(|(at, _)| {
            let rest = &text[at..];
            &rest[..rest.find(|char| !is_of_name(char)).unwrap_or(rest.len())]
        });
        names
            .map(|name| ["_total", "_bucket"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name))
            .collect()
    }

    #[test]
    fn operators_are_told_of_no_metric_that_does_not_exist() {
        let metrics = Metrics::new();
        metrics.inbound("main", labels::RECORDED);
        metrics.webhook_refused("main", "signature");
        metrics.recovery("main", labels::FAILED);
        metrics.created(Role::Agent);
        metrics.sent("main", "accepted", Duration::ZERO);
        metrics.pauses("main", "account", 1);
        metrics.receipt("main", labels::DROPPED);
        metrics.unknown("main", labels::HELD);
        metrics.asked("main", labels::STALE);
        metrics.turn("given_up", Duration::ZERO);
        metrics.notice("crm", "dead");
        metrics.attention("escalated");
        metrics.bot_refused("stale-turn");
        metrics.request("GET", "/readyz", 200, Duration::ZERO);
        let served = metrics.render(None, true);
        let there = named(&served);
        let told = named(include_str!("../../docs/operations.md"));
        assert!(told.len() > 15, "{told:?}");
        for name in told {
            assert!(there.contains(&name), "{name} is not among {there:?}");
        }
    }
}
