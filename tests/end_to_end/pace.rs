//! Pace, measured: the real binary sends as fast as its numbers let it, with work waiting all the time.
//!
//! `PACE_SECONDS` (default 5) is how long, `PACE_RATES` (default `10,100`) are the paces in segments a second. Each has a
//! daemon and a provider of its own, all at the same time. For figures to believe, on a machine that does nothing else:
//! `PACE_SECONDS=600 cargo test --release --test end_to_end pace:: -- --ignored --nocapture`.
//!
//! Two things are audited, each over all windows of any length. The daemon's own record of what left when is exact, and
//! no window of it may hold more than the pace and one text. The provider's record of what arrived when is moved about by
//! the network and two schedulers: so it has `PACE_JITTER_MS` (default 250) more.

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};
use switchboard::domain::pace::TIMER_SLACK;
use switchboard::domain::segments;
use switchboard::domain::time::Timestamp;
use tokio::task::JoinSet;

use crate::fixture::{Daemon, Provider, Setup};

/// The text of most segments.
const LONGEST: u32 = 3;
/// So many calls write texts at once.
const WRITERS: usize = 8;
/// What is left out at the beginning: connections are made, pages are faulted in.
const WARM_UP: Duration = Duration::from_secs(1);

/// Some segments, and when, in seconds.
type Moments = Vec<(f64, u32)>;

fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the machine for itself; scripts/test gives it that"]
async fn with_work_waiting_a_number_keeps_its_pace_in_every_window_and_wastes_next_to_nothing() {
    let seconds: u64 = setting("PACE_SECONDS", "5").parse().expect("PACE_SECONDS is a number");
    let rates = setting("PACE_RATES", "10,100");
    let mut running = JoinSet::new();
    for rate in rates.split(',') {
        let rate: u32 = rate.trim().parse().expect("PACE_RATES are numbers");
        running.spawn(measure(rate, Duration::from_secs(seconds)));
    }
    let all = running.join_all().await;
    for measured in &all {
        println!("{}", measured.in_words());
    }
    all.iter().for_each(Measured::judge);
}

struct Measured {
    rate: u32,
    departures: Moments,
    arrivals: Moments,
    /// The fewest segments that waited at any look.
    least_waiting: i64,
}

impl Measured {
    /// What left in relation to what could have left.
    fn share(&self) -> f64 {
        let (first, last) = (self.departures[0].0, self.departures[self.departures.len() - 1].0);
        let left: u32 = self.departures[1..].iter().map(|(_, segments)| segments).sum();
        f64::from(left) / f64::from(self.rate) / (last - first)
    }

    fn in_words(&self) -> String {
        let (first, last) = (self.departures[0].0, self.departures[self.departures.len() - 1].0);
        format!(
            "{:>4}/s: {} texts in {:.1} s, {:.2} % of the pace; worst window: the pace, one text and {:.3} segments by \
             departures, {:.3} by arrivals; at least {} segments waited",
            self.rate,
            self.departures.len(),
            last - first,
            self.share() * 100.0,
            excess(&self.departures, self.rate),
            excess(&self.arrivals, self.rate),
            self.least_waiting,
        )
    }

    fn judge(&self) {
        let words = self.in_words();
        assert!(self.least_waiting > 0, "there was not always work waiting: {words}");
        let rate = f64::from(self.rate);
        // What a timer is late by is caught up: never more than one segment.
        let slack = (TIMER_SLACK.as_secs_f64() * rate).min(1.0);
        let span = self.departures[self.departures.len() - 1].0 - self.departures[0].0;
        assert!(self.share() >= 0.97, "{words}");
        assert!(self.share() <= 1.0 + (slack + 0.01) / (rate * span), "{words}");
        assert!(excess(&self.departures, self.rate) <= slack + 0.001, "{words}");
        let jitter_ms: f64 = setting("PACE_JITTER_MS", "250").parse().expect("PACE_JITTER_MS is a number");
        let arrivals = excess(&self.arrivals, self.rate);
        assert!(arrivals <= f64::from(LONGEST) + rate * jitter_ms / 1000.0, "{words}");
        // It was the same texts on both sides.
        assert!(self.arrivals.len() >= self.departures.len(), "{words}");
    }
}

/// By how many segments the fullest of all windows that begin and end with a text holds more than the pace lets through
/// in its length, the text that it begins with not counted.
fn excess(moments: &Moments, rate: u32) -> f64 {
    let (mut sent, mut least, mut worst) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for (moment, segments) in moments {
        sent += f64::from(*segments);
        let ahead = sent - f64::from(rate) * moment;
        worst = f64::max(worst, ahead - least);
        least = f64::min(least, ahead);
    }
    worst
}

#[test]
fn the_audit_finds_the_fullest_window() {
    let moments = |moments: &[(f64, u32)]| moments.to_vec();
    let close = |one: f64, other: f64| (one - other).abs() < 1e-9;
    assert!(close(excess(&moments(&[(0.0, 1), (0.1, 1), (0.2, 1)]), 10), 0.0));
    assert!(close(excess(&moments(&[(0.0, 1), (0.1, 1), (0.15, 1), (0.3, 1)]), 10), 0.5));
    assert!(close(excess(&moments(&[(0.0, 3), (0.1, 3), (1.0, 1)]), 10), 2.0));
    assert!(close(excess(&moments(&[(0.0, 1), (0.5, 1), (0.6, 2), (0.7, 2)]), 10), 2.0));
}

/// Sends at that pace for so long.
async fn measure(rate: u32, length: Duration) -> Measured {
    let provider = Provider::start().await;
    let setup = Setup {
        bot: "kind = \"none\"".into(),
        env: vec![
            ("SWITCHBOARD__CHANNELS__0__PACE__NUMBER", format!("{rate}/s")),
            ("SWITCHBOARD__CHANNELS__0__PACE__ACCOUNT", "none".into()),
            ("SWITCHBOARD__SENDING__MAX_IN_FLIGHT", "512".into()),
            ("SWITCHBOARD__SERVER__API_RATE", "100000/s".into()),
            ("RUST_LOG", "warn,switchboard::gateway::outbound::departure=debug".into()),
        ],
        ..Setup::new(&provider.url)
    };
    let mut daemon = Daemon::start(&setup).await;
    provider.calls_back(&daemon);
    // As many as have a text on its way in half a second, and some.
    let numbers: Vec<String> =
        (0..20 + rate).map(|number| format!("+1415{:07}", 5_550_000 + number)).collect();
    let customers = customers(&daemon, &numbers).await;
    let (departures, least_waiting) = drive(&daemon, &customers, rate, length).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let arrivals = arrivals(&provider, &numbers, departures.len()).await;
    Measured { rate, departures, arrivals, least_waiting }
}

async fn customers(daemon: &Daemon, numbers: &[String]) -> Vec<String> {
    let mut customers = Vec::new();
    for number in numbers {
        let body = json!({"unconfirmed_phone_number": number, "confirmation": false});
        let (status, customer) = daemon.call("POST", "/v1/customers", "agent-secret", Some(body)).await;
        assert_eq!(status, 201, "{customer}");
        customers.push(customer["id"].as_str().unwrap().to_owned());
    }
    customers
}

/// Keeps some seconds' work waiting, and returns what left once that was for long enough.
async fn drive(daemon: &Daemon, customers: &[String], rate: u32, length: Duration) -> (Moments, i64) {
    let enough = i64::from(rate) * 3 + i64::from(LONGEST) * i64::try_from(customers.len()).unwrap();
    let mut record = Record::of(daemon);
    let (mut written, mut texts, mut least) = (0, 0, i64::MAX);
    loop {
        record.read();
        let waiting = written - record.segments;
        if let (Some(&(first, _)), Some(&(last, _))) = (record.moments.first(), record.moments.last()) {
            let start = first + WARM_UP.as_secs_f64();
            if last > start {
                least = least.min(waiting);
            }
            if last > start + length.as_secs_f64() {
                let measured = |moment: &&(f64, u32)| moment.0 >= start;
                return (record.moments.iter().filter(measured).copied().collect(), least);
            }
        }
        if waiting < enough {
            written += write(daemon, customers, &mut texts).await;
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Texts the next customers, a few at the same time; how many segments that is.
async fn write(daemon: &Daemon, customers: &[String], texts: &mut usize) -> i64 {
    let mut writing = JoinSet::new();
    let mut written = 0;
    for _ in 0..WRITERS {
        let content = "x".repeat([20, 200, 400][*texts % 3]);
        written += i64::from(segments::analyse(&content).segments);
        let customer = &customers[*texts % customers.len()];
        let url = format!("{}/v1/customers/{customer}/sessions/current/messages", daemon.url);
        let body = json!({"content": content, "content_type": "text"});
        let request = daemon.http.post(url).bearer_auth("agent-secret").json(&body);
        writing.spawn(async move { request.send().await.unwrap().status().as_u16() });
        *texts += 1;
    }
    assert!(writing.join_all().await.iter().all(|status| *status == 201), "a text was not taken");
    written
}

/// What the daemon's log says about departures, read as it grows.
struct Record {
    log: std::fs::File,
    /// The beginning of a line whose end is not there yet.
    rest: String,
    moments: Moments,
    segments: i64,
}

impl Record {
    fn of(daemon: &Daemon) -> Self {
        let log = std::fs::File::open(daemon.folder.path().join("log")).unwrap();
        Self { log, rest: String::new(), moments: Vec::new(), segments: 0 }
    }

    fn read(&mut self) {
        self.log.read_to_string(&mut self.rest).unwrap();
        let whole = self.rest.rfind('\n').map_or(0, |end| end + 1);
        let lines: String = self.rest.drain(..whole).collect();
        for line in lines.lines().filter(|line| line.contains("at_us")) {
            let line: Value = serde_json::from_str(line).unwrap();
            let at_s = Duration::from_micros(line["at_us"].as_u64().unwrap()).as_secs_f64();
            let segments = u32::try_from(line["segments"].as_u64().unwrap()).unwrap();
            self.moments.push((at_s, segments));
            self.segments += i64::from(segments);
        }
    }
}

/// What the provider took, and when. It shows on the phones a moment after that: so many are waited for.
async fn arrivals(provider: &Provider, numbers: &[String], least: usize) -> Moments {
    let mut arrivals = arrived(provider, numbers).await;
    for _ in 0..100 {
        if arrivals.len() >= least {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        arrivals = arrived(provider, numbers).await;
    }
    arrivals.sort_by(|one, other| one.0.total_cmp(&other.0));
    arrivals
}

async fn arrived(provider: &Provider, numbers: &[String]) -> Moments {
    let mut arrivals = Vec::new();
    for number in numbers {
        for text in provider.arrived(number).await {
            let at = Timestamp::parse(text["accepted_at"].as_str().unwrap()).unwrap();
            let at_s = Duration::from_millis(u64::try_from(at.as_millis()).unwrap()).as_secs_f64();
            arrivals.push((at_s, segments::analyse(text["body"].as_str().unwrap()).segments));
        }
    }
    arrivals
}
