//! How fast it is, beside Kannel and beside what the machine could do.
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
mod load;
mod scenarios;
mod servers;

use std::time::Duration;

pub fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn main() {
    servers::Bare::be_if_asked();
    let fake = fake::Fake::start();
    let only = std::env::var("ONLY").unwrap_or_default();
    let wants = |name: &str| only.is_empty() || only.split(',').any(|one| one == name);
    let engines: Vec<&'static str> = ["sled", "fjall"]
        .into_iter()
        .filter(|e| std::env::var("ENGINES").map_or(true, |s| s.contains(e)))
        .collect();
    for round in 1..=from_environment("ROUNDS", 1) {
        println!("round {round}; a flush takes {:.0} us", floor::flush_us());
        if wants("bare") {
            let (few, many) = scenarios::bare();
            println!("bare   {few:.0?}\n       {many:.0?}");
        }
        if wants("kannel") {
            for store in ["spool", "file"] {
                let (few, many) = scenarios::kannel_inbound(&fake, store);
                println!("kannel {store} in {few:.1?}\n          {many:.1?}");
                let out = scenarios::kannel_outbound(&fake, store);
                println!(
                    "kannel out accepted {:.1?} dispatched {:.0} dlr8 {:.1?} dlr32 {:.1?} queued {:.0} idle {:.0}",
                    out.accepted, out.dispatched, out.receipts_few, out.receipts, out.queued, out.idle
                );
            }
        }
        for engine in &engines {
            if wants("inbound") {
                let inbound = scenarios::inbound(engine, &fake);
                println!(
                    "{engine} in 8 {:.1?}\n      64 {:.1?}\n   half {:.1?} rss {:.0}",
                    inbound.few, inbound.many, inbound.at_half, inbound.memory.resident
                );
            }
            if wants("outbound") {
                let out = scenarios::outbound(engine, &fake);
                println!(
                    "{engine} out accepted {:.1?} dispatched {:.0} receipts {:.1?} rss {:.0}",
                    out.accepted, out.dispatched, out.receipts, out.queued.resident
                );
            }
            if wants("paced") {
                for delay in [50, 200] {
                    println!(
                        "{engine} paced {delay} ms: {:.3}",
                        scenarios::paced(engine, &fake, Duration::from_millis(delay))
                    );
                }
            }
            if wants("whole") {
                let whole = scenarios::whole(engine, &fake, 64, Duration::ZERO, scenarios::lasting());
                println!(
                    "{engine} whole {:.0}/s to bot {:.2?} to provider {:.2?}",
                    whole.per_second, whole.to_bot, whole.to_provider
                );
                let idle =
                    scenarios::whole(engine, &fake, 1, Duration::from_millis(20), scenarios::lasting());
                println!(
                    "{engine} idle {:.0}/s to bot {:.2?} to provider {:.2?}",
                    idle.per_second, idle.to_bot, idle.to_provider
                );
            }
        }
    }
}
