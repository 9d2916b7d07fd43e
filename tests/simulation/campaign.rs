//! Many schedules, over all processors; what they met; and how to see again the one that failed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::journal::Tally;
use crate::schedule;

/// How many lines of a failed schedule's log are shown.
const TAIL: usize = 80;
/// So many broken schedules tell enough.
const ENOUGH: usize = 20;

#[derive(Default)]
pub struct Report {
    pub schedules: u64,
    pub steps: u64,
    pub tally: Tally,
    /// The seeds that broke a promise, and how.
    pub broken: BTreeMap<u64, String>,
}

/// Runs these seeds, until enough of them have broken a promise.
pub fn run(seeds: std::ops::Range<u64>) -> Report {
    let (next, report) = (AtomicU64::new(seeds.start), Mutex::new(Report::default()));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end || report.lock().unwrap_or_else(PoisonError::into_inner).broken.len() >= ENOUGH {
            return;
        }
        let outcome = schedule::run(seed, false);
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.schedules += 1;
        report.steps += outcome.steps;
        for (kind, count) in outcome.pages.tally {
            *report.tally.entry(kind).or_default() += count;
        }
        report.broken.extend(outcome.pages.broken.map(|how| (seed, how)));
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Fails, with all that is needed to see it again, if a promise was broken.
pub fn judge(report: &Report) {
    if let Some((seed, _)) = report.broken.first_key_value() {
        let log = schedule::run(*seed, true).pages.log;
        let tail = log[log.len().saturating_sub(TAIL)..].join("\n");
        let all = report.broken.iter().map(|(seed, how)| format!("  seed {seed} {how}"));
        let all = all.collect::<Vec<_>>().join("\n");
        panic!(
            "of {} schedules {} broke a promise:\n{all}\n\nThe end of the log of seed {seed}:\n{tail}\n\n\
             Again, with the whole log:\n  SEED={seed} cargo test --test simulation -- --nocapture\n",
            report.schedules,
            report.broken.len()
        );
    }
}

impl Report {
    pub fn describe(&self, took: Duration) -> String {
        let per_minute = u128::from(self.schedules) * 60_000 / took.as_millis().max(1);
        let mut text = format!(
            "{} schedules, {} steps in {:.1} s: {per_minute} schedules a minute\n",
            self.schedules,
            self.steps,
            took.as_secs_f64()
        );
        for (kind, count) in &self.tally {
            let _ = writeln!(text, "{count:>10}  {kind}");
        }
        text
    }
}
