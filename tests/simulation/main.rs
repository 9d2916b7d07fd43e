//! Thousands of invented schedules, each from one number.
//!
//! A seed makes a [`plan`]: customers, numbers, paces, and how much goes wrong. The [`world`] lives through a script of
//! steps drawn from that seed: customers text, agents take sessions and speak and cancel, the bot answers late or not at
//! all, the [`network`] loses answers and lists late and sends receipts as providers do, the store is slow and refuses, and the
//! gateway crashes at any boundary of any call and starts again on what is on the disk. All of it runs on tokio's paused
//! clock and one thread, on the real gateway and the reference engine; nothing is random but the seed.
//!
//! The [`audit`] sees every effect, every departure and every promise, keeps a book of its own, and breaks the run off at
//! the first promise that the gateway breaks. At the end nothing goes wrong any more, time runs on, and everything that was
//! accepted must be settled as the provider's book says it is.
//!
//! * `cargo test --test simulation`: a fixed set of seeds.
//! * `SEEDS=100000 cargo test --release --test simulation -- --nocapture`: many more, with figures.
//! * `SEED=12345 cargo test --test simulation -- --nocapture`: one, with its log.
//!
//! A seed means something else as soon as the plan or the script changes: what it has found gets a test of its own, in
//! `src/gateway/tests`.

#![deny(dead_code)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

mod audit;
mod campaign;
mod chance;
mod desk;
mod journal;
mod life;
mod mortal;
mod network;
mod panics;
mod people;
mod plan;
mod receipts;
mod schedule;
mod time;
mod world;

use std::env;

/// Schedules of a plain test run.
const SEEDS: u64 = 600;

/// What must have happened in a plain test run: else something has silently stopped being tested.
const HAPPENS: [&str; 75] = [
    "a conversation was removed",
    "a second channel sent while the first one rested",
    "asked for customers' texts",
    "attempts abandoned",
    "bot failed",
    "bot given up",
    "bot handed off",
    "bot's answer refused",
    "clean stop",
    "confirmed by code",
    "crash",
    "customer erased",
    "departure",
    "disk full",
    "ended: canceled",
    "ended: delivered",
    "ended: expired",
    "ended: failed",
    "ended: sent",
    "ended: undelivered",
    "ended: unknown",
    "inbound repeat taken once",
    "list failed",
    "list lags",
    "listed by halves",
    "opt-out by text",
    "opt-out by the provider",
    "pause kept",
    "receipt advanced",
    "receipt parked",
    "receipt stale",
    "receipts contradict",
    "receipts lost",
    "receipts reordered",
    "receipts repeated",
    "say refused",
    "say replayed",
    "say without answer",
    "sent: adapter fell over",
    "sent: answered too late",
    "sent: channel at fault",
    "sent: lost",
    "sent: opted out",
    "sent: refused for good",
    "sent: refused for now",
    "sent: taken late",
    "sent: taken, answer lost",
    "sent: throttled",
    "sent: unreadable answer",
    "session taken",
    "silent text asked about",
    "stale settle",
    "start put off by the store",
    "status not told",
    "status told",
    "store refused",
    "store slow",
    "store uncertain",
    "taken",
    "taken back from the store",
    "text canceled",
    "text expired",
    "text owed after a crash",
    "text recovered",
    "text sent again by hand",
    "turn told again after a crash",
    "unknown text passed",
    "unknown: absent, sent again",
    "unknown: found",
    "unknown: held",
    "unknown: not yet",
    "unknown: passed",
    "unknown: sent again untold",
    "webhook repeated",
    "webhook twice at once",
];

#[test]
fn no_schedule_breaks_a_promise() {
    let number = |name| env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    if let Some(seed) = number("SEED") {
        let outcome = schedule::run(seed, true);
        outcome.pages.log.iter().for_each(|line| println!("{line}"));
        assert_eq!(outcome.pages.broken, None, "seed {seed}");
        return;
    }
    let first = number("FIRST").unwrap_or(0);
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    #[expect(
        clippy::disallowed_methods,
        reason = "how long the campaign took is about this machine, not about the simulation"
    )]
    let started = std::time::Instant::now();
    let report = campaign::run(first..first + seeds);
    println!("{}", report.describe(started.elapsed()));
    campaign::judge(&report);
    let never: Vec<_> = HAPPENS.iter().filter(|kind| !report.tally.contains_key(*kind)).collect();
    assert!(seeds < SEEDS || never.is_empty(), "what is to be tested never happened: {never:?}");
}

#[test]
fn the_same_seed_writes_the_same_log() {
    for seed in 0..25 {
        let (first, second) = (schedule::run(seed, true).pages, schedule::run(seed, true).pages);
        let parts = first.log.iter().zip(&second.log).position(|(one, other)| one != other);
        assert_eq!(parts.map(|at| (&first.log[at], &second.log[at])), None, "seed {seed}");
        assert_eq!(first.log.len(), second.log.len(), "seed {seed}");
        assert!(first.log.len() > 20, "seed {seed} wrote almost nothing");
    }
}
