//! Three daemons on one PostgreSQL, between people who keep going and a provider whose lines break: one of them at a time is
//! killed, stopped for a while, or cut off from the database, and the database itself is started again. All that one daemon
//! promises holds; no number exceeds its pace; and what a dead one did is done by another within seconds.
//!
//! `CLUSTER_SECONDS` sets for how long: 45 unless it says otherwise. `CRASH_SEED` repeats an earlier run's moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchboard::domain::time::Timestamp;

use super::ledger::Ledger;
use super::{Dice, audit, begin, everybody, faults, from_environment, people, settings};
use crate::fixture::proxy::{Proxy, Way};
use crate::fixture::{BRAND, Daemon, Provider, Relay, Setup, free_port, postgres};

const DAEMONS: usize = 3;
/// Of the brand's number, in segments a second.
const PACE: usize = 15;
/// For how long a call may be held back: two blows in a row, of nine seconds each, and some.
const LATE: Duration = Duration::from_secs(25);
/// How many more may arrive within a second than left, since one may take a quarter of a second longer than another.
const JITTER: usize = PACE / 4;
/// The most that may pass until somebody else does what a dead daemon did.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

struct Cluster {
    daemons: Vec<Daemon>,
    /// Each daemon's way to the database.
    cables: Vec<Proxy>,
    /// Everybody's way to the daemons.
    balancer: Proxy,
    database: String,
    taken_over: Vec<Duration>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures how soon a duty is taken over: scripts/test runs it by itself"]
async fn daemons_that_share_a_database_keep_every_promise_together() {
    let seconds = from_environment("CLUSTER_SECONDS").unwrap_or(45);
    let seed = from_environment("CRASH_SEED")
        .unwrap_or_else(|| switchboard::app::ambient::now().as_millis().unsigned_abs() % 1_000_000);
    println!("{seconds} s with CRASH_SEED={seed}");
    let mut dice = Dice(seed);

    let provider = Arc::new(Provider::start().await);
    provider.reset_to(seed).await;
    let ledger = Arc::new(Ledger::default());
    let bot = people::bot(Arc::clone(&ledger)).await;
    let ports: Vec<u16> = (0..DAEMONS).map(|_| free_port()).collect();
    let balancer = Proxy::to(&ports).await;
    let relay = Relay::to(balancer.port).await;
    provider.calls_back_at(&relay.url);
    let bot = format!("{}\nloop_guard = \"none\"", bot.section());
    let database = postgres::schema("cluster");
    let mut cluster =
        Cluster { daemons: Vec::new(), cables: Vec::new(), balancer, database, taken_over: Vec::new() };
    for port in ports {
        let cable = Proxy::to(&[postgres::port()]).await;
        let url = format!(
            "host=127.0.0.1 port={} user=postgres dbname=postgres sslmode=disable options=-csearch_path=cluster",
            cable.port
        );
        let setup = Setup {
            bot: bot.clone(),
            more: settings(),
            public_url: Some(relay.url.clone()),
            engine: "postgres".into(),
            store: format!("url = \"{url}\""),
            pace: Some("15/s"),
            env: vec![("RUST_LOG", "info,switchboard::gateway::outbound::departure=debug".into())],
            port,
            ..Setup::new(&provider.url)
        };
        cluster.daemons.push(Daemon::start(&setup).await);
        cluster.cables.push(cable);
    }

    let conversations = begin(&cluster.daemons[0], &provider).await;
    provider.faults(faults()).await;
    let url = format!("http://127.0.0.1:{}", cluster.balancer.port);
    let people = everybody(&url, &provider, &ledger, &conversations, LATE, &mut dice);
    let began = Instant::now();
    let (mut done, mut restarts) = (0, 0);
    let over = |began: Instant| began.elapsed().as_secs() >= seconds;
    while !over(began) {
        tokio::time::sleep(dice.millis(500, 3_000)).await;
        let due = began.elapsed().as_secs() * 3 / seconds;
        if due > restarts && restarts < 2 {
            restarts += 1;
            let how = if restarts == 1 { "restart" } else { "crash" };
            tokio::task::spawn_blocking(move || postgres::start_again(how)).await.unwrap();
        } else if let (true, Some(sender)) = (cluster.taken_over.is_empty(), cluster.who_sends().await) {
            cluster.kill(sender).await;
        } else {
            cluster.hit(&mut dice).await;
        }
        done += 1;
    }
    ledger.end();
    people.join_all().await;
    provider.faults(json!({})).await;

    let findings =
        audit::audit(&cluster.daemons[0], &provider, &ledger, &conversations, &relay.acknowledged()).await;
    let (departures, arrivals) = (departures(&cluster.daemons), arrivals(&provider, &conversations).await);
    let all_left = departures.len() >= arrivals.len();
    let (left, arrived) = (fullest_second(departures), fullest_second(arrivals));
    println!(
        "{done} blows on {DAEMONS} daemons in {seconds} s (seed {seed}), the database started again {restarts} times: {}; \
         {left} segments left in the fullest second at a pace of {PACE}/s, and {arrived} arrived; taken over within {:?}",
        findings.summary(),
        cluster.taken_over,
    );
    if let Some(complaint) = findings.complaint() {
        for (number, daemon) in cluster.daemons.iter().enumerate() {
            let log = std::env::temp_dir().join(format!("switchboard-cluster-{seed}-{number}.log"));
            std::fs::write(&log, daemon.log()).unwrap();
            println!("a daemon's log is kept in {}", log.display());
        }
        panic!("CRASH_SEED={seed}: {}\n{complaint}", findings.summary());
    }
    assert!(all_left, "some texts arrived that no daemon's log lets leave");
    assert!(left <= PACE + 1, "{left} segments left within a second");
    // On two cores that daemons, database and provider share, the way from the gate to the provider is not always as long.
    assert!(arrived <= PACE + 1 + JITTER, "{arrived} segments arrived within a second");
    assert!(!cluster.taken_over.is_empty(), "nobody who had anything to do was killed");
    assert!(cluster.taken_over.iter().all(|took| *took < TAKEN_OVER_WITHIN), "{:?}", cluster.taken_over);
    assert!(
        restarts == 2 && findings.texts_taken > done && findings.texts_accepted > done,
        "there was no load to speak of"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daemons_are_replaced_one_after_the_other_and_no_webhook_is_dropped() {
    let provider = Provider::start().await;
    let ports = [free_port(), free_port()];
    let balancer = Proxy::to(&ports).await;
    // A balancer gives a webhook that nobody answered to another daemon, and so does this.
    let url = Relay::to(balancer.port).await.url;
    provider.calls_back_at(&url);
    let store = format!("url = '''{}'''", postgres::schema("rolling"));
    let mut daemons = Vec::new();
    for port in ports {
        let setup = Setup {
            engine: "postgres".into(),
            store: store.clone(),
            public_url: Some(url.clone()),
            bot: "kind = \"none\"".into(),
            port,
            ..Setup::new(&provider.url)
        };
        daemons.push(Daemon::start(&setup).await);
    }
    let over = AtomicBool::new(false);
    let texting = async {
        let mut texts = 0;
        while !over.load(Ordering::SeqCst) {
            texts += 1;
            provider.text(&format!("+1415555{:04}", texts % 50), BRAND, &format!("{texts}")).await;
        }
        texts
    };
    let replacing = async {
        for round in 0..4 {
            let which = round % 2;
            // As the balancer does that asks for readiness.
            balancer.set(which, Way::Leaving);
            assert_eq!(daemons[which].terminate().await, Some(0));
            daemons[which].start_again().await;
            balancer.set(which, Way::Open);
        }
        over.store(true, Ordering::SeqCst);
    };
    let (texts, ()) = tokio::join!(texting, replacing);
    assert!(texts > 50, "there was no load to speak of: {texts} texts");
    let kept = postgres::select(&postgres::schema("rolling"), "SELECT count(*)::text FROM messages");
    assert_eq!(kept, [texts.to_string()]);
}

impl Cluster {
    /// Something happens to one of the daemons; afterwards it is well again.
    async fn hit(&mut self, dice: &mut Dice) {
        let chosen = usize::try_from(dice.below(DAEMONS as u64)).unwrap();
        // Whoever has most to do has most to lose.
        let which = self.who_sends().await.filter(|_| dice.one_in(2)).unwrap_or(chosen);
        let (briefly, long) = (dice.millis(200, 2_000), dice.millis(6_500, 9_000));
        // Mostly too short for others to take over.
        let for_a_while = if dice.one_in(3) { long } else { briefly };
        match dice.below(5) {
            0 | 1 => self.kill(which).await,
            2 => {
                self.balancer.set(which, Way::Cut);
                self.daemons[which].signal("STOP");
                tokio::time::sleep(for_a_while).await;
                self.daemons[which].signal("CONT");
            }
            3 => {
                self.cables[which].set(0, Way::Cut);
                tokio::time::sleep(for_a_while).await;
                self.cables[which].set(0, Way::Open);
            }
            _ => {
                self.balancer.set(which, Way::Cut);
                self.cables[which].set(0, Way::Silent);
                tokio::time::sleep(for_a_while).await;
                self.cables[which].set(0, Way::Open);
            }
        }
        self.daemons[which].until_ready().await;
        self.balancer.set(which, Way::Open);
    }

    /// Kills one, and waits until somebody else does what it did, if it was to send.
    async fn kill(&mut self, which: usize) {
        let sender = self.sender().await;
        let sends = self.who_sends().await == Some(which);
        self.balancer.set(which, Way::Cut);
        let killed = Instant::now();
        self.daemons[which].kill();
        if sends {
            while self.sender().await == sender {
                assert!(killed.elapsed() < Duration::from_secs(60), "nobody took over");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.taken_over.push(killed.elapsed());
        }
        self.daemons[which].start_again().await;
    }

    async fn who_sends(&self) -> Option<usize> {
        let owner = self.sender().await?;
        self.daemons.iter().position(|daemon| daemon.log().contains(&owner))
    }

    /// The daemon whose duty it is to send, as it calls itself.
    async fn sender(&self) -> Option<String> {
        let (database, sql) = (self.database.clone(), "SELECT owner FROM duties WHERE name = 'send main'");
        let row = tokio::task::spawn_blocking(move || postgres::select(&database, sql)).await.unwrap();
        row.first().cloned()
    }
}

/// When each segment left, in milliseconds, as the daemons' logs say.
fn departures(daemons: &[Daemon]) -> Vec<i64> {
    let mut left = Vec::new();
    for daemon in daemons {
        for line in daemon.log().lines().filter(|line| line.contains("at_us")) {
            // The last words of one that was killed may break off.
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let at = Timestamp::parse(line["timestamp"].as_str().unwrap()).unwrap();
            left.extend((0..line["segments"].as_u64().unwrap()).map(|_| at.as_millis()));
        }
    }
    left
}

/// When each segment arrived at the provider, in milliseconds.
async fn arrivals(provider: &Provider, conversations: &[Arc<people::Conversation>]) -> Vec<i64> {
    let mut arrived: Vec<i64> = Vec::new();
    for of in conversations {
        for text in provider.arrived(&of.number).await {
            let at = Timestamp::parse(text["accepted_at"].as_str().unwrap()).unwrap();
            let segments = text["segments"].as_u64().unwrap_or(1);
            arrived.extend((0..segments).map(|_| at.as_millis()));
        }
    }
    arrived
}

/// The most in any second.
fn fullest_second(mut left: Vec<i64>) -> usize {
    left.sort_unstable();
    let within = |start: usize| left[start..].iter().take_while(|at| **at < left[start] + 1_000).count();
    (0..left.len()).map(within).max().unwrap_or(0)
}
