//! What is measured. Each function is one round of one scenario against one server, started anew on an empty store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::unbounded_channel;

use crate::calls;
use crate::fake::{Came, Fake, Seen, Taken};
use crate::load::{self, Calls, Connection, Run};
use crate::servers::{Bare, Daemon, Kannel, Memory, Setup};
use crate::signed;

/// How many customers text.
pub const CUSTOMERS: u64 = 10_000;
const MANY: usize = 64;
const LONG: Duration = Duration::from_secs(600);

/// How long a closed loop runs.
pub fn lasting() -> Duration {
    Duration::from_millis(crate::from_environment("LASTING_MS", 3_000))
}

/// As many calls as the fastest daemon is likely to take in four seconds, and more; whoever takes all of them is done before.
const AMPLE: u64 = 160_000;

/// What a closed loop showed.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

impl Rate {
    pub fn of(mut run: Run) -> Self {
        assert_eq!(run.refused, 0, "some calls were not answered as they should be");
        Self {
            per_second: run.per_second(),
            p50: run.percentile(50.0),
            p99: run.percentile(99.0),
            p999: run.percentile(99.9),
        }
    }
}

fn ample(lasting: Duration) -> u64 {
    AMPLE * u64::try_from(lasting.as_millis()).unwrap() / 4_000
}

/// A daemon that knows all customers.
fn with_customers(setup: &Setup) -> Daemon {
    let daemon = Daemon::start(setup);
    let run = load::closed(daemon.port, MANY, LONG, &calls::first_texts(CUSTOMERS), 200);
    assert_eq!((run.took.len(), run.refused), (usize::try_from(CUSTOMERS).unwrap(), 0));
    daemon
}

/// Customers' texts, with few connections and with many; then at half of that rate, in an open loop.
pub struct Inbound {
    pub few: Rate,
    pub many: Rate,
    pub at_half: Rate,
    /// As it was started, and after all that.
    pub at_rest: Memory,
    pub memory: Memory,
}

pub fn inbound(engine: &'static str, fake: &Fake) -> Inbound {
    let at_rest = {
        let daemon = Daemon::start(&Setup::of(engine, fake.port));
        std::thread::sleep(Duration::from_secs(1));
        daemon.process.memory()
    };
    let daemon = with_customers(&Setup::of(engine, fake.port));
    let closed = |connections, round| {
        let texts = calls::texts(CUSTOMERS, ample(lasting()), round);
        Rate::of(load::closed(daemon.port, connections, lasting(), &texts, 200))
    };
    let (few, many) = (closed(8, 1), closed(MANY, 2));
    let rate = many.per_second / 2.0;
    let at_half = open(daemon.port, 128, rate, &calls::texts(CUSTOMERS, in_time(rate, lasting()), 3));
    Inbound { few, many, at_half, at_rest, memory: daemon.process.memory() }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is neither so large nor negative"
)]
fn in_time(rate: f64, lasting: Duration) -> u64 {
    (rate * lasting.as_secs_f64()) as u64
}

fn open(port: u16, connections: usize, rate: f64, calls: &Calls) -> Rate {
    Rate::of(load::open(port, connections, rate, calls, 200))
}

pub fn bare() -> (Rate, Rate) {
    let bare = Bare::start();
    let closed = |connections| {
        let texts = calls::texts(CUSTOMERS, ample(lasting()) * 2, 1);
        Rate::of(load::closed(bare.port, connections, lasting(), &texts, 200))
    };
    (closed(8), closed(MANY))
}

pub struct KannelInbound {
    pub few: Rate,
    pub many: Rate,
    /// With few connections, what its application was told of, until it was told of all.
    pub told: f64,
}

/// Texts by the port of Kannel's SMSC, which it hands to its application.
pub fn kannel_inbound(fake: &Fake, store: &'static str) -> KannelInbound {
    let kannel = Kannel::start(fake.port, store);
    let closed = |connections, round| {
        let texts = calls::kannel_texts(CUSTOMERS, ample(lasting()) / 4, round);
        Rate::of(load::closed(kannel.smsc, connections, lasting(), &texts, 202))
    };
    let called = || fake.seen.called.load(Ordering::Relaxed);
    let (began, before) = (Instant::now(), called());
    let few = closed(8, 1);
    let until = wait_until_still(called);
    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    let told = (called() - before) as f64 / until.duration_since(began).as_secs_f64();
    let many = closed(MANY, 2);
    wait_until_still(called);
    KannelInbound { few, many, told }
}

/// Until the provider has taken so many.
fn wait_until_taken(fake: &Fake, many: usize) {
    let began = Instant::now();
    while fake.taken() < many {
        assert!(began.elapsed() < Duration::from_secs(60), "only {} of {many} texts left", fake.taken());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the moment since when nothing more came.
fn wait_until_still(count: impl Fn() -> u64) -> Instant {
    let (mut last, mut since) = (count(), Instant::now());
    while since.elapsed() < Duration::from_millis(700) {
        std::thread::sleep(Duration::from_millis(20));
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    since
}

/// Agents' texts, and what becomes of them.
pub struct Outbound {
    /// Taken, while they leave for a provider that answers at once.
    pub accepted: Rate,
    /// Leaving, of those that had waited.
    pub dispatched: f64,
    pub receipts: Rate,
    /// With all of them queued.
    pub queued: Memory,
}

/// How many texts wait before the provider answers.
pub const BACKLOG: u64 = 20_000;

/// The ids of the customers, as the daemon has them.
fn customer_ids(port: u16) -> Vec<String> {
    load::on_one_thread(async {
        let (mut connection, mut ids) = (Connection::to(port), Vec::new());
        let mut path = "/v1/customers?limit=1000".to_owned();
        loop {
            assert_eq!(connection.call(&calls::get(&path)).await, 200);
            let text = String::from_utf8_lossy(connection.answer()).into_owned();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            ids.extend(body.split(r#"{"id":""#).skip(1).map(|rest| rest[..36].to_owned()));
            let link = head.lines().find_map(|line| line.strip_prefix("link: <"));
            match link.and_then(|link| link.split('>').next()) {
                Some(next) => next.strip_prefix(signed::PUBLIC_URL).unwrap_or(next).clone_into(&mut path),
                None => return ids,
            }
        }
    })
}

fn answers(ids: &[String], many: u64, round: u64) -> Calls {
    let many = (round << 32)..(round << 32) + many;
    Calls::of(many.map(|number| calls::answer(&ids[usize::try_from(number).unwrap() % ids.len()], number)))
}

pub fn outbound(engine: &'static str, fake: &Fake) -> Outbound {
    fake.take_all();
    fake.thinks(Duration::ZERO);
    let daemon = with_customers(&Setup::of(engine, fake.port));
    let ids = customer_ids(daemon.port);
    assert_eq!(ids.len(), usize::try_from(CUSTOMERS).unwrap());

    let accepted =
        Rate::of(load::closed(daemon.port, 32, lasting(), &answers(&ids, ample(lasting()), 1), 201));
    wait_until_still(|| fake.taken() as u64);

    // The first ones wait for an answer, and the others behind them.
    fake.thinks(Duration::from_secs(8));
    let before = fake.taken();
    let run = load::closed(daemon.port, 32, LONG, &answers(&ids, BACKLOG, 2), 201);
    assert_eq!(run.refused, 0);
    let queued = daemon.process.memory();
    fake.thinks(Duration::ZERO);
    wait_until_taken(fake, before + usize::try_from(BACKLOG).unwrap());
    let taken = fake.take_all();
    let (of_backlog, rate) = (taken.len() - before, rate_of(&taken[before..]));
    assert_eq!(of_backlog, usize::try_from(BACKLOG).unwrap());

    let receipts = taken.iter().flat_map(|taken| [(taken, "sent"), (taken, "delivered")]);
    let receipts = Calls::of(receipts.map(|(taken, status)| calls::receipt(taken, status)));
    let receipts = Rate::of(load::closed(daemon.port, MANY, lasting(), &receipts, 200));
    Outbound { accepted, dispatched: rate, receipts, queued }
}

/// How fast they came, without the first ones, which had to wait for an answer.
#[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
fn rate_of(taken: &[Taken]) -> f64 {
    let after = taken.len() / 10;
    let (first, last) = (&taken[after], &taken[taken.len() - 1]);
    (taken.len() - after - 1) as f64 / last.at.duration_since(first.at).as_secs_f64()
}

pub struct KannelOutbound {
    pub accepted: Rate,
    pub dispatched: f64,
    pub receipts_few: Rate,
    pub receipts: Rate,
    pub queued: f64,
    pub idle: f64,
}

pub fn kannel_outbound(fake: &Fake, store: &'static str, backlog: u64) -> KannelOutbound {
    fake.take_all();
    fake.thinks(Duration::ZERO);
    let kannel = Kannel::start(fake.port, store);
    let memory = || kannel.bearerbox.memory().resident + kannel.smsbox.memory().resident;
    let idle = memory();
    let sent = calls::kannel_answers(CUSTOMERS, ample(lasting()) / 2, fake.port);
    let accepted = Rate::of(load::closed(kannel.sendsms, 32, lasting(), &sent, 202));
    wait_until_still(|| fake.taken() as u64);

    fake.thinks(Duration::from_secs(3));
    let before = fake.taken();
    let run =
        load::closed(kannel.sendsms, 32, LONG, &calls::kannel_answers(CUSTOMERS, backlog, fake.port), 202);
    assert_eq!(run.refused, 0);
    let queued = memory();
    fake.thinks(Duration::ZERO);
    wait_until_taken(fake, before + usize::try_from(backlog).unwrap());
    let taken = fake.take_all();
    let dispatched = rate_of(&taken[before..]);

    let called = || fake.seen.called.load(Ordering::Relaxed);
    let called_before = called();
    let half = taken.len().min(40_000) / 2;
    let receipts = |taken: &[Taken], connections| {
        let receipts = Calls::of(taken.iter().map(calls::kannel_receipt));
        Rate::of(load::closed(kannel.smsc, connections, lasting(), &receipts, 202))
    };
    let receipts_few = receipts(&taken[..half], 8);
    wait_until_still(called);
    let receipts = receipts(&taken[half..half * 2], 32);
    wait_until_still(called);
    assert!(called() > called_before, "its application was told of no receipt");
    KannelOutbound { accepted, dispatched, receipts_few, receipts, queued, idle }
}

/// Dispatch to a provider that takes its time, with a pace that it can be held to: what share of it was reached.
pub fn paced(engine: &'static str, fake: &Fake, delay: Duration) -> f64 {
    const PACE: f64 = 1_000.0;
    fake.take_all();
    let setup = Setup { pace: "1000/s", max_in_flight: 512, ..Setup::of(engine, fake.port) };
    let daemon = with_customers(&setup);
    let ids = customer_ids(daemon.port);
    fake.thinks(delay);
    let run = load::closed(daemon.port, 32, LONG, &answers(&ids, 8_000, 1), 201);
    assert_eq!(run.refused, 0);
    wait_until_taken(fake, 8_000);
    fake.thinks(Duration::ZERO);
    rate_of(&fake.take_all()) / PACE
}

/// A customer texts, the bot is asked and answers, the answer leaves, and two receipts come.
pub struct Whole {
    pub per_second: f64,
    /// From the text's call to the bot's; to the provider's; and all of it. In milliseconds.
    pub to_bot: [f64; 2],
    pub to_provider: [f64; 2],
}

/// With so many customers at once, each of whom begins again when the last receipt was taken.
pub fn whole(engine: &'static str, fake: &Fake, at_once: u64, pause: Duration, lasting: Duration) -> Whole {
    fake.take_all();
    fake.thinks(Duration::ZERO);
    let setup = Setup { bot: true, ..Setup::of(engine, fake.port) };
    let daemon = Daemon::start(&setup);
    let began = Instant::now();
    let talks = load::on_one_thread(async {
        let talks: Vec<_> = (0..at_once)
            .map(|number| {
                let whose = (number, at_once);
                tokio::task::spawn_local(talk(
                    daemon.port,
                    Arc::clone(&fake.seen),
                    whose,
                    began,
                    (pause, lasting),
                ))
            })
            .collect();
        let mut all = Vec::new();
        for talk in talks {
            all.push(talk.await.unwrap());
        }
        all
    });
    let lasted = began.elapsed();
    fake.forget_who_waits();
    let (mut to_bot, mut to_provider): (Vec<u32>, Vec<u32>) = talks.into_iter().flatten().unzip();
    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    let per_second = to_bot.len() as f64 / lasted.as_secs_f64();
    let both = |took: &mut Vec<u32>| [load::percentile(took, 50.0), load::percentile(took, 99.0)];
    Whole { per_second, to_bot: both(&mut to_bot), to_provider: both(&mut to_provider) }
}

/// How long it took to the bot, and to the provider, in microseconds, time after time.
async fn talk(
    port: u16,
    seen: Arc<Seen>,
    (place, at_once): (u64, u64),
    began: Instant,
    (pause, lasting): (Duration, Duration),
) -> Vec<(u32, u32)> {
    let (told, mut coming) = unbounded_channel();
    let mut connection = Connection::to(port);
    let mut took = Vec::new();
    for round in 1.. {
        if began.elapsed() >= lasting {
            break;
        }
        // Each customer comes back after a while.
        let customer = signed::customer((place + round * at_once) % CUSTOMERS);
        seen.wait_for(&customer, told.clone());
        let text = signed::text(&customer, (round << 32) + place);
        let asked = Instant::now();
        assert_eq!(connection.call(&text).await, 200);
        let (mut to_bot, mut to_provider) = (None, None);
        let since = |at: Instant| u32::try_from(at.duration_since(asked).as_micros()).unwrap();
        while to_provider.is_none() {
            match coming.recv().await.unwrap() {
                Came::Turn(at) => to_bot = Some(since(at)),
                Came::Text(text) => {
                    to_provider = Some(since(text.at));
                    for status in ["sent", "delivered"] {
                        assert_eq!(connection.call(&calls::receipt(&text, status)).await, 200);
                    }
                }
            }
        }
        took.extend(to_bot.zip(to_provider));
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    took
}
