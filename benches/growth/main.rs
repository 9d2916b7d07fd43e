//! What an operation costs with few messages stored and with many, on PostgreSQL.
//!
//! cargo bench --bench growth
//!
//! Two stores in one server: `FEW` messages (10,000) and `MANY` (10,000,000), with as many customers, conversations, turns and
//! events as go with them. Each operation is done by one caller, `TIMES` times (400) on either in turn, and the medians are
//! compared. Filling the large one takes a quarter of an hour and some 25 GB.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, prints, and measures time"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use switchboard::store::postgres::{PostgresOptions, PostgresStore};

mod operations;
#[path = "../../tests/postgres/server.rs"]
mod postgres;

use operations::{Bench, OPERATIONS, once, rules, sample};

/// Messages of a conversation: half of them the customer's, half ours.
const PER_SESSION: u64 = 20;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Copies the sample until there are so many messages. Ids sort by time, as they do.
fn fill(address: &str, messages: u64) {
    let conversations = messages / PER_SESSION;
    let some = 2_000;
    for begin in (1..=conversations).step_by(some) {
        let end = (begin + some as u64 - 1).min(conversations);
        // A copy's ids are the sample's with its number in place of the time that they begin with.
        let id = |of: &str| {
            format!("(lpad(to_hex(n), 12, '0') || substr(replace({of}::text, '-', ''), 13))::uuid")
        };
        let record = |of: &str| {
            format!(
                "regexp_replace(replace({of}.record::text, '+14155550000', '+1' || (2000000000 + n)),
                    '\"[0-9a-f]{{8}}-[0-9a-f]{{4}}-(7[0-9a-f]{{3}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}\")',
                    '\"' || substr(lpad(to_hex(n), 12, '0'), 1, 8) || '-' || substr(lpad(to_hex(n), 12, '0'), 9, 4) || '-\\1',
                    'g')::json"
            )
        };
        let series = format!("generate_series({begin}::bigint, {end}::bigint) n");
        let seq = "s.seq + n * 100000";
        let sql = format!(
            "SET synchronous_commit = off;
            INSERT INTO customers SELECT {cid}, {seq}, '+1' || (2000000000 + n), NULL, NULL, {crec} FROM {series}, sample_customers s;
            INSERT INTO customer_words SELECT CASE WHEN left(word, 1) = '<' THEN '<' || reverse((12000000000 + n)::text) ELSE (12000000000 + n)::text END, {wid} FROM {series}, sample_words s;
            INSERT INTO sessions SELECT {cid}, {seq}, {scid}, inbox, inbox_since + n, attend_at, assignee, tags, topics, last_message_at, {crec} FROM {series}, sample_sessions s;
            INSERT INTO messages SELECT {cid}, {msid}, place, {scid}, status, {seq}, channel, sender, priority, segments, ready_at, valid_until, look_at, holds_since, asks, silent_since, owner, is_open, holds_queue, is_head, NULL, NULL, {crec} FROM {series}, sample_messages s;
            INSERT INTO turns SELECT {cid}, {seq}, {msid}, place, {scid}, due_at, owner, is_open, is_head, has_failed, {crec} FROM {series}, sample_turns s;
            INSERT INTO inbound_ids SELECT provider_id || n, channel, {mid} FROM {series}, sample_inbound s;
            INSERT INTO outbound_ids SELECT provider_id || '-' || n, channel, {mid} FROM {series}, sample_outbound s;
            INSERT INTO events SELECT (SELECT value FROM counters WHERE name = 'events') + row_number() OVER (), at, s.record FROM {series}, sample_events s;
            UPDATE counters SET value = value + (SELECT count(*) FROM sample_events) * {count} WHERE name = 'events'",
            cid = id("s.id"),
            wid = id("s.customer_id"),
            scid = id("s.customer_id"),
            msid = id("s.session_id"),
            mid = id("s.message_id"),
            crec = record("s"),
            count = end - begin + 1,
        );
        let part = format!(
            "DO $$ DECLARE p bigint; BEGIN FOR p IN SELECT generate_series(0, ((SELECT value FROM counters WHERE name = 'events')
                + {some} * (SELECT count(*) FROM sample_events)) / 4000000 + 1) LOOP
                EXECUTE format('CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)', p, p * 4000000, (p + 1) * 4000000);
            END LOOP; END $$"
        );
        postgres::execute(address, &part);
        postgres::execute(address, &sql);
        if (begin / some as u64).is_multiple_of(25) {
            println!("{} of {messages} messages", end * PER_SESSION);
        }
    }
    postgres::execute(address, &format!("SELECT setval('orders', {})", (conversations + 2) * 100_000));
    postgres::execute(address, "VACUUM ANALYZE");
}

async fn open(name: &str, messages: u64) -> Bench {
    let address = postgres::schema(name);
    let (database, tls) = (address.parse().unwrap(), postgres::tls());
    let options = PostgresOptions { database, tls, writers: 2, readers: 2 };
    let mut bench = Bench::new(Arc::new(PostgresStore::open(&options, rules()).await.unwrap()), 0);
    sample(&mut bench, PER_SESSION).await;
    for (table, from) in [
        ("customers", "customers"),
        ("words", "customer_words"),
        ("sessions", "sessions"),
        ("messages", "messages"),
        ("turns", "turns"),
        ("inbound", "inbound_ids"),
        ("outbound", "outbound_ids WHERE message_id IS NOT NULL"),
        ("events", "events"),
    ] {
        postgres::execute(&address, &format!("CREATE TABLE sample_{table} AS SELECT * FROM {from}"));
    }
    let filling = Instant::now();
    tokio::task::block_in_place(|| fill(&address, messages));
    println!("{name}: {messages} messages in {} s", filling.elapsed().as_secs());
    drop(bench);
    Bench::new(Arc::new(PostgresStore::open(&options, rules()).await.unwrap()), 1 << 40)
}

fn median(mut of: Vec<Duration>) -> f64 {
    of.sort_unstable();
    of[of.len() / 2].as_secs_f64() * 1_000.0
}

fn main() {
    postgres::wait_for_the_disk();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (few, many) = (from_environment("FEW", 10_000), from_environment("MANY", 10_000_000));
        let times = from_environment("TIMES", 400);
        let mut small = open("few", few).await;
        let mut large = open("many", many).await;
        let mut took = [Vec::new(), Vec::new()];
        // The first rounds warm up both.
        for round in 0..times + 50 {
            let (one, other) = (once(&mut small, round).await, once(&mut large, round).await);
            if round >= 50 {
                took[0].push(one);
                took[1].push(other);
            }
        }
        println!("| operation | {few} messages, ms | {many} messages, ms | ratio |\n|---|---|---|---|");
        for (place, operation) in OPERATIONS.iter().enumerate() {
            let of =
                |which: usize| median(took[which].iter().map(|round: &Vec<Duration>| round[place]).collect());
            let (one, other) = (of(0), of(1));
            println!("| {operation} | {one:.2} | {other:.2} | {:.2} |", other / one);
        }
    });
}
