//! `[simulator]`: how the simulated provider behaves, for channels with `provider = "simulator"` and for
//! `switchboard simulate`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::section::Section;
use super::values::{Delay, Share};

/// What can happen to a call that sends, as the simulator names it.
const SENDS: [&str; 7] = [
    "throttled",
    "error_not_taken",
    "error_taken",
    "dropped_before",
    "dropped_after",
    "slow",
    "receipt_first",
];
/// What can happen to a receipt.
const RECEIPTS: [&str; 4] = ["lost", "repeated", "reordered", "late"];
/// Ten times a tenth is a little more than one.
const WHOLE: f64 = 1.0 + 1e-9;

/// The chance of each fault, by its name.
type Chances = BTreeMap<&'static str, f64>;

#[derive(Clone, Debug, PartialEq)]
pub struct SimulatorSettings {
    /// The same seed and the same texts make the same faults.
    pub seed: u64,
    pub delays: SimulatorDelays,
    pub sends: Chances,
    pub receipts: Chances,
    /// The chance that a call that reads fails.
    pub reads_failed: f64,
    /// What a throttled call is told to wait.
    pub retry_after: Duration,
    /// How late slow answers and late receipts are.
    pub slow_by: Duration,
    pub late_by: Duration,
    /// How long a new text is missing from the provider's list.
    pub list_lag: Duration,
}

/// How long a text takes from each state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatorDelays {
    pub queued: Duration,
    pub sending: Duration,
    pub sent: Duration,
    pub delivered: Duration,
}

impl SimulatorSettings {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let settings = Self {
            seed: section.or("seed", 1),
            delays: SimulatorDelays::read(section.section("delays")),
            sends: chances(&mut section, "sends", &SENDS),
            receipts: chances(&mut section, "receipts", &RECEIPTS),
            reads_failed: section.or("reads_failed", Share::default()).0,
            retry_after: delay_s(&mut section, "retry_after", 1),
            slow_by: delay_s(&mut section, "slow_by", 5),
            late_by: delay_s(&mut section, "late_by", 5),
            list_lag: delay_s(&mut section, "list_lag", 0),
        };
        section.finish();
        settings
    }

    /// The faults in the JSON that the simulator reads.
    pub fn faults_json(&self) -> Value {
        let millis = |delay: Duration| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        json!({
            "sends": self.sends,
            "receipts": self.receipts,
            "reads_failed": self.reads_failed,
            "retry_after_s": self.retry_after.as_secs(),
            "slow_ms": millis(self.slow_by),
            "late_ms": millis(self.late_by),
            "list_lag_ms": millis(self.list_lag),
        })
    }
}

impl SimulatorDelays {
    fn read(mut section: Section<'_>) -> Self {
        let mut delay = |key, millis| section.or(key, Delay(Duration::from_millis(millis))).0;
        let delays = Self {
            queued: delay("queued", 20),
            sending: delay("sending", 50),
            sent: delay("sent", 150),
            delivered: delay("delivered", 800),
        };
        section.finish();
        delays
    }
}

fn delay_s(section: &mut Section<'_>, key: &'static str, seconds: u64) -> Duration {
    section.or(key, Delay(Duration::from_secs(seconds))).0
}

/// At most one fault strikes, so together they are no more than always.
fn chances(section: &mut Section<'_>, key: &'static str, faults: &[&'static str]) -> Chances {
    let mut table = section.section(key);
    let chances: Chances = faults
        .iter()
        .map(|fault| (*fault, table.or(fault, Share::default()).0))
        .collect();
    table.finish();
    let sum: f64 = chances.values().sum();
    if sum > WHOLE {
        section.refuse(
            key,
            format!("adds up to {sum}; at most one fault strikes, so write 1.0 in all at the most"),
        );
    }
    chances
}
