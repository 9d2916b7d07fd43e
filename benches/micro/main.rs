//! What single steps take: reading and believing a webhook, counting segments, the pace, writing and reading a record, and a
//! commit of one text, of 16 and of 256, durable.
//!
//! cargo bench --bench micro
//!
//! Each is done in rounds that take turns; the median of the rounds is given, with the lowest and the highest.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, prints, and measures time"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use switchboard::domain::message::Message;
use switchboard::domain::pace::Meter;
use switchboard::domain::segments::analyse;
use switchboard::provider::twilio::{Credentials, Secret, TwilioConfig, TwilioProvider};
use switchboard::provider::{Provider, WebhookRequest};
use switchboard::store::embedded::{EmbeddedStore, FjallOptions, SledOptions};
use switchboard::store::{Inbound, Store};

#[path = "../growth/operations.rs"]
#[expect(dead_code, reason = "of all operations, one is done here")]
mod operations;
#[path = "../report/signed.rs"]
mod signed;

use operations::{Bench, rules};

const ROUNDS: usize = 9;

struct Step {
    name: String,
    /// Does it so often.
    run: Box<dyn FnMut(u32)>,
    /// How often it is done in a round: some tens of milliseconds.
    times: u32,
    /// Of which each is so many.
    each: f64,
}

fn step<T>(name: &str, times: u32, mut run: impl FnMut() -> T + 'static) -> Step {
    let run = move |times| {
        for _ in 0..times {
            black_box(run());
        }
    };
    Step { name: name.to_owned(), run: Box::new(run), times, each: 1.0 }
}

fn provider() -> TwilioProvider {
    let config = TwilioConfig {
        account_sid: signed::ACCOUNT.into(),
        credentials: Credentials { user: signed::ACCOUNT.into(), password: Secret::new(signed::AUTH_TOKEN) },
        auth_tokens: vec![Secret::new(signed::AUTH_TOKEN)],
        api_base: "http://127.0.0.1:9".into(),
        request_timeout: Duration::from_secs(10),
    };
    rustls::crypto::ring::default_provider().install_default().ok();
    TwilioProvider::new(config, reqwest::Client::builder().build().unwrap()).unwrap()
}

/// The call as the HTTP floor hands it on.
fn webhook() -> WebhookRequest {
    let call = String::from_utf8(signed::text(&signed::customer(7), 7)).unwrap();
    let (head, body) = call.split_once("\r\n\r\n").unwrap();
    let mut headers = http::HeaderMap::new();
    for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
        headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    WebhookRequest {
        method: "POST".into(),
        url: format!("{}/v1/receive/main", signed::PUBLIC_URL),
        query: None,
        content_type: Some("application/x-www-form-urlencoded".into()),
        headers,
        body: body.to_owned().into(),
    }
}

/// A commit of so many texts of known customers; how long each took.
fn commit(engine: &str, together: usize) -> Step {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("data");
    let store = match engine {
        "sled" => EmbeddedStore::open_sled(&path, &SledOptions::default(), rules()),
        _ => EmbeddedStore::open_fjall(&path, &FjallOptions::default(), rules()),
    };
    let store: Arc<dyn Store> = Arc::new(store.unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut callers: Vec<Bench> =
        (0..together as u64).map(|caller| Bench::new(Arc::clone(&store), caller << 40)).collect();
    let run = move |times| {
        black_box(&home);
        for _ in 0..times {
            runtime.block_on(async {
                let texts = callers.iter_mut().enumerate().map(async |(at, caller)| {
                    caller.hear(&signed::customer(at as u64)).await;
                });
                futures_util::future::join_all(texts).await;
            });
        }
    };
    let times = if together > 100 { 4 } else { 40 };
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let each = together as f64;
    Step { name: format!("a text, of {together} in a commit, {engine}"), run: Box::new(run), times, each }
}

fn message() -> Message {
    let home = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = EmbeddedStore::open_fjall(&home.path().join("data"), &FjallOptions::default(), rules());
        let mut bench = Bench::new(Arc::new(store.unwrap()), 0);
        let text = bench.text(&signed::customer(1));
        match bench.store.record_inbound(text).await.unwrap() {
            Inbound::Recorded { message, .. } => *message,
            Inbound::Duplicate { .. } => panic!("it is new"),
        }
    })
}

fn main() {
    let (provider, call) = (Arc::new(provider()), Arc::new(webhook()));
    let (believer, believable) = (Arc::clone(&provider), Arc::clone(&call));
    let (message, mut now) = (message(), Duration::ZERO);
    let written = rmp_serde::to_vec(&message).unwrap();
    let (read, read_named) = (written.clone(), rmp_serde::to_vec_named(&message).unwrap());
    println!(
        "a message is {} bytes, and would be {} with its fields' names",
        written.len(),
        read_named.len()
    );
    let mut meter = Meter::starting("1000/s".parse().unwrap(), now);
    let (plain, emoji) = ("as much as fits, ".repeat(9), "as much as fits, 🎉".repeat(4));
    let mut steps = vec![
        step("believe a webhook (HMAC-SHA1 of URL and form)", 10_000, move || {
            believer.verify(black_box(&believable)).unwrap();
        }),
        step("read a text from its form", 10_000, move || provider.parse_text(black_box(&call))),
        step("segments of 153 characters, GSM-7", 10_000, move || analyse(black_box(&plain))),
        step("segments of 72 characters, UCS-2", 10_000, move || analyse(black_box(&emoji))),
        step("the pace: when, and that it left", 100_000, move || {
            now = black_box(meter.due(now, 1));
            meter.depart(1, now);
        }),
        step("write a message", 10_000, move || rmp_serde::to_vec(black_box(&message))),
        step("read a message", 10_000, move || rmp_serde::from_slice::<Message>(black_box(&read))),
        step("read a message whose fields have names", 10_000, move || {
            rmp_serde::from_slice::<Message>(black_box(&read_named))
        }),
    ];
    for engine in ["sled", "fjall"] {
        steps.extend([1, 16, 256].map(|together| commit(engine, together)));
    }
    let mut took = vec![Vec::new(); steps.len()];
    for round in 0..=ROUNDS {
        for (step, took) in steps.iter_mut().zip(&mut took) {
            let began = Instant::now();
            (step.run)(step.times);
            // The first one warms up.
            if round > 0 {
                took.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(step.times) / step.each);
            }
        }
    }
    println!("| step | µs: median (lowest–highest) |\n|---|---|");
    for (step, mut took) in steps.into_iter().zip(took) {
        took.sort_by(f64::total_cmp);
        println!(
            "| {} | {:.2} ({:.2}–{:.2}) |",
            step.name,
            took[took.len() / 2],
            took[0],
            took[took.len() - 1]
        );
    }
}
