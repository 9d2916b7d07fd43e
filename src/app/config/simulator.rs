//! `[simulator]`: how the simulated provider behaves, for channels with `provider = "simulator"` and for
//! `switchboard simulate`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::section::Section;
use super::values::{Delay, Share};
use crate::provider::simulator::{Delays, Faults, ReceiptFault, SendFault};

/// What can happen to a call that sends, as it is written.
const SENDS: [(&str, SendFault); 7] = [
    ("throttled", SendFault::Throttled),
    ("error_not_taken", SendFault::ErrorNotTaken),
    ("error_taken", SendFault::ErrorTaken),
    ("dropped_before", SendFault::DroppedBefore),
    ("dropped_after", SendFault::DroppedAfter),
    ("slow", SendFault::Slow),
    ("receipt_first", SendFault::ReceiptFirst),
];
/// What can happen to a receipt.
const RECEIPTS: [(&str, ReceiptFault); 4] = [
    ("lost", ReceiptFault::Lost),
    ("repeated", ReceiptFault::Repeated),
    ("reordered", ReceiptFault::Reordered),
    ("late", ReceiptFault::Late),
];
/// Ten times a tenth is a little more than one.
const WHOLE: f64 = 1.0 + 1e-9;

#[derive(Clone, Debug, PartialEq)]
pub struct SimulatorSettings {
    /// The same seed and the same texts make the same faults.
    pub seed: u64,
    delays: Delays,
    faults: Faults,
}

impl SimulatorSettings {
    /// How long a text takes from each state to the next.
    pub fn delays(&self) -> Delays {
        self.delays
    }

    /// What goes wrong, from the start.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    pub(super) fn read(mut section: Section<'_>) -> Self {
        let settings = Self {
            seed: section.or("seed", 1),
            delays: delays(section.section("delays")),
            faults: Faults {
                sends: chances(&mut section, "sends", &SENDS),
                receipts: chances(&mut section, "receipts", &RECEIPTS),
                webhooks_lost: section.or("webhooks_lost", Share::default()).0,
                reads_failed: section.or("reads_failed", Share::default()).0,
                // A header in whole seconds: what is less is told as one.
                retry_after_s: millis(&mut section, "retry_after", 1_000).div_ceil(1_000),
                slow_ms: millis(&mut section, "slow_by", 5_000),
                late_ms: millis(&mut section, "late_by", 5_000),
                list_lag_ms: millis(&mut section, "list_lag", 0),
                ..Faults::default()
            },
        };
        section.finish();
        settings
    }
}

fn delays(mut section: Section<'_>) -> Delays {
    let delays = Delays {
        queued_ms: millis(&mut section, "queued", 20),
        sending_ms: millis(&mut section, "sending", 50),
        sent_ms: millis(&mut section, "sent", 150),
        delivered_ms: millis(&mut section, "delivered", 800),
    };
    section.finish();
    delays
}

fn millis(section: &mut Section<'_>, key: &'static str, default: u64) -> u64 {
    let delay = section.or(key, Delay(Duration::from_millis(default))).0;
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

/// At most one fault strikes, so together they are no more than always.
fn chances<F: Copy + Ord>(
    section: &mut Section<'_>,
    key: &'static str,
    faults: &[(&'static str, F)],
) -> BTreeMap<F, f64> {
    let mut table = section.section(key);
    let chances: BTreeMap<F, f64> =
        faults.iter().map(|&(name, fault)| (fault, table.or(name, Share::default()).0)).collect();
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
