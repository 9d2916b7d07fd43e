//! How fast it is: each scenario against the daemon on either embedded engine, against Kannel, and against what the machine
//! could do at all, in turns. Real processes on loopback, everything of ours durable before it is answered.
//!
//! scripts/bench
//!
//! installs what it needs and runs all of it in less than half an hour; tables and plots are written to `target/report`, and
//! with `WRITE=1` into docs/performance.md. `ONLY` chooses among inbound, outbound, paced, whole, growth (separated by
//! commas), `ROUNDS` sets how often each is repeated (3), `LASTING_MS` how long a closed loop runs (3,000), `ENGINES` which
//! engines (sled,fjall), `PEERS` against whom (bare,spool,file), `MANY` how many messages the largest store has (10,000,000), `SWITCHBOARD_BINARY` which daemon.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, prints, measures time and sleeps"
)]

mod calls;
mod fake;
mod floor;
mod growth;
mod load;
#[path = "../growth/operations.rs"]
mod operations;
mod report;
mod results;
mod scenarios;
mod servers;
mod signed;

use std::time::Duration;

use report::{KANNEL_FILE, KANNEL_SPOOL, Report};
use scenarios::Rate;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Whether `name` is in the list that the variable has, or there is none.
fn chosen(variable: &str, name: &str) -> bool {
    std::env::var(variable).map_or(true, |list| list.split(',').any(|one| one == name))
}

fn main() {
    servers::Bare::be_if_asked();
    let fake = fake::Fake::start();
    let engines: Vec<&'static str> =
        ["sled", "fjall"].into_iter().filter(|name| chosen("ENGINES", name)).collect();
    let wants = |name: &str| chosen("ONLY", name);
    let mut report = Report::default();
    for round in 1..=from_environment("ROUNDS", 3) {
        println!("round {round}");
        let flushes = floor::flushes(scenarios::lasting());
        report.add("flush, us", "the disk", flushes.mean_us);
        report.add("the longest flush, ms", "the disk", flushes.longest_ms);
        if wants("inbound") {
            inbound(&mut report, &engines, &fake);
        }
        if wants("outbound") {
            outbound(&mut report, &engines, &fake);
        }
        if wants("whole") {
            whole(&mut report, &engines, &fake);
        }
    }
    if wants("paced") {
        for engine in &engines {
            for (name, delay) in [("paced, 50 ms", 50), ("paced, 200 ms", 200)] {
                report.add(name, engine, scenarios::paced(engine, &fake, Duration::from_millis(delay)));
            }
        }
    }
    if wants("growth") {
        growth(&mut report, &engines, &fake);
    }
    report.write();
}

/// Those of Kannel's stores that are to be measured.
fn peers() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("spool", KANNEL_SPOOL), ("file", KANNEL_FILE)].into_iter().filter(|(store, _)| chosen("PEERS", store))
}

fn inbound(report: &mut Report, engines: &[&'static str], fake: &fake::Fake) {
    if chosen("PEERS", "bare") {
        let (few, many) = scenarios::bare();
        report.add_rate("texts, 8 connections", "bare handler", few);
        report.add_rate("texts, 64 connections", "bare handler", many);
    }
    for engine in engines {
        let inbound = scenarios::inbound(engine, fake);
        report.add("memory at rest", engine, inbound.at_rest.resident);
        report.add("memory after texts", engine, inbound.memory.peak);
        report.add_rate("texts, 8 connections", engine, inbound.few);
        report.add_rate("texts, 64 connections", engine, inbound.many);
        report.add_rate("texts, at half the rate", engine, inbound.at_half);
    }
    for (store, whose) in peers() {
        let inbound = scenarios::kannel_inbound(fake, store);
        report.add_rate("texts, 8 connections", whose, inbound.few);
        report.add_rate("texts, 64 connections", whose, inbound.many);
        report.add("texts told to the application", whose, inbound.told);
    }
}

fn outbound(report: &mut Report, engines: &[&'static str], fake: &fake::Fake) {
    for engine in engines {
        let outbound = scenarios::outbound(engine, fake);
        report.add_rate("accepted", engine, outbound.accepted);
        report.add("dispatched", engine, outbound.dispatched);
        report.add_rate("receipts, 64 connections", engine, outbound.receipts);
        report.add("memory with a backlog", engine, outbound.queued.resident);
    }
    for (store, whose) in peers() {
        let backlog = if store == "spool" { 4_000 } else { scenarios::BACKLOG };
        let outbound = scenarios::kannel_outbound(fake, store, backlog);
        report.add_rate("accepted", whose, outbound.accepted);
        report.add("dispatched", whose, outbound.dispatched);
        report.add_rate("receipts, 8 connections", whose, outbound.receipts_few);
        report.add_rate("receipts, 32 connections", whose, outbound.receipts);
        report.add("memory at rest", whose, outbound.idle);
        report.add("memory with a backlog", whose, outbound.queued);
    }
}

fn whole(report: &mut Report, engines: &[&'static str], fake: &fake::Fake) {
    for engine in engines {
        let busy = scenarios::whole(engine, fake, 64, Duration::ZERO, scenarios::lasting());
        report.add("conversations", engine, busy.per_second);
        report.add("busy, to the bot", engine, busy.to_bot[1]);
        report.add("busy, to the provider", engine, busy.to_provider[1]);
        let idle = scenarios::whole(engine, fake, 1, Duration::from_millis(10), 2 * scenarios::lasting());
        report.add("idle, to the bot, p50", engine, idle.to_bot[0]);
        report.add("idle, to the bot, p99", engine, idle.to_bot[1]);
        report.add("idle, to the provider, p99", engine, idle.to_provider[1]);
    }
}

fn growth(report: &mut Report, engines: &[&'static str], fake: &fake::Fake) {
    /// The store of which conversations are removed.
    const PRUNED: usize = 1;
    // Filling is not measured: both engines at once.
    let filled = std::thread::scope(|scope| {
        let fill = |engine: &'static str| {
            let many = [10_000, 1_000_000, from_environment("MANY", 10_000_000)];
            let stores = many.map(|messages| growth::filled(engine, messages));
            (engine, stores, growth::by_commands(engine, 200_000))
        };
        let filling: Vec<_> = engines.iter().map(|engine| scope.spawn(move || fill(engine))).collect();
        filling.into_iter().map(|filled| filled.join().unwrap()).collect::<Vec<_>>()
    });
    for (engine, [few, some, many], texts) in filled {
        println!("{engine}: {} messages in {:.0} s", many.messages, many.took.as_secs_f64());
        report.costs(engine, growth::costs(engine, &few, &many, 300));
        let stores =
            [(few, "imported"), (some, "imported"), (many, "imported"), (texts, "by their commands")];
        for (place, (store, how)) in stores.into_iter().enumerate() {
            let (started, lists, store) = growth::started(engine, store, fake.port);
            report.started(engine, &store, &started, lists, how);
            if place == PRUNED {
                report.pruned(engine, &growth::pruned(engine, &store));
            }
        }
    }
}

impl Report {
    fn add_rate(&mut self, what: &'static str, whose: &'static str, rate: Rate) {
        println!(
            "  {what}, {whose}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
            rate.per_second, rate.p50, rate.p99, rate.p999
        );
        self.rates(what, whose, rate);
    }
}
