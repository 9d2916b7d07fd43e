//! What is counted of the bot, of the agents' desk, and of those who are told of events.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Counters, Metrics};

pub(super) struct Desk {
    bot_called: Gauge,
    bot_refusals: Counters,
    attention: Counters,
    notices: Counters,
    streams: Gauge,
}

impl Desk {
    pub fn register(registry: &mut Registry) -> Self {
        let mut counters = |name: &str, help: &str| {
            let family = Counters::default();
            registry.register(name, help, family.clone());
            family
        };
        let bot_refusals =
            counters("bot_refusals", "Texts and answers of the bot that did not count, by reason");
        let attention = counters(
            "attention",
            "What was done for customers who waited long for an agent, by outcome (escalated, returned)",
        );
        let notices = counters(
            "webhook_notices",
            "Events told to endpoints, by endpoint and outcome (told, failed, gone, dead, forgotten)",
        );
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            bot_called: gauge(
                "bot_called",
                "Whether the bot is called: 1, or 0 while it fails again and again or is disabled",
            ),
            streams: gauge("event_streams", "Who follows the events right now"),
            bot_refusals,
            attention,
            notices,
        }
    }
}

impl Metrics {
    pub(in crate::gateway) fn bot_is_called(&self, called: bool) {
        self.desk.bot_called.set(i64::from(called));
    }

    /// What the bot said does not count.
    pub(in crate::gateway) fn bot_refused(&self, reason: &str) {
        self.desk.bot_refusals.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    pub(in crate::gateway) fn notice(&self, endpoint: &str, outcome: &str) {
        let labels = vec![("endpoint", endpoint.to_owned()), ("outcome", outcome.to_owned())];
        self.desk.notices.get_or_create(&labels).inc();
    }

    pub(in crate::gateway) fn attention(&self, outcome: &str) {
        self.desk.attention.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// Somebody follows the events, for as long as what is returned lives.
    pub fn stream(&self) -> Streaming {
        self.desk.streams.inc();
        Streaming(self.desk.streams.clone())
    }
}

/// Counts one who follows the events.
pub struct Streaming(Gauge);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.dec();
    }
}
