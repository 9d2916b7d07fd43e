//! A disk that takes no more, in the middle of the load: nothing is acknowledged that is not kept, and as soon as there
//! is room the same process goes on, with everything that it had acknowledged.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fixture::{BRAND, Daemon, Disk, Provider, Setup, run_to_end};

const WRITERS: usize = 6;
const DISK_MEGABYTES: u64 = 160;
/// How long it may take from there being room until calls should come again.
const SECONDS: Duration = Duration::from_secs(20);

/// Customers who text and agents who answer them, until they are stopped.
struct Load {
    /// Customers' texts that were answered with 200: number, and what they say.
    heard: Mutex<Vec<(String, String)>>,
    /// How many texts of the agents to each customer were answered with 201, in the end.
    accepted: [AtomicUsize; WRITERS],
    refused: AtomicUsize,
    over: AtomicBool,
}

fn number(writer: usize) -> String {
    format!("+1415555{:04}", 3000 + writer)
}

impl Load {
    async fn start(provider: &Arc<Provider>, daemon: &Daemon) -> (Arc<Self>, JoinSet<()>) {
        let load = Arc::new(Self {
            heard: Mutex::default(),
            accepted: Default::default(),
            refused: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let mut people = JoinSet::new();
        for writer in 0..WRITERS {
            provider.text(&number(writer), BRAND, "Hey").await;
            let customer = daemon.customer(&number(writer)).await;
            let url = format!("{}/v1/customers/{customer}/sessions/current/messages", daemon.url);
            people.spawn(Arc::clone(&load).text_on(Arc::clone(provider), writer));
            people.spawn(Arc::clone(&load).answer_on(daemon.http.clone(), url, writer));
        }
        (load, people)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    async fn text_on(self: Arc<Self>, provider: Arc<Provider>, writer: usize) {
        for count in 0.. {
            if self.is_over() {
                return;
            }
            let body = format!("in {writer} {count} {}", "long ".repeat(200));
            let answer = provider.try_text(json!({"from": number(writer), "to": BRAND, "body": body})).await;
            if answer["status"] == 200 {
                self.heard.lock().await.push((number(writer), body));
            } else {
                assert_eq!(answer["status"], 503, "{answer}");
                self.pause().await;
            }
        }
    }

    /// Says each thing until it is accepted, always under the same key.
    async fn answer_on(self: Arc<Self>, http: reqwest::Client, url: String, writer: usize) {
        for count in 0.. {
            loop {
                if self.is_over() {
                    return;
                }
                let say = http
                    .post(&url)
                    .bearer_auth("agent-secret")
                    .header("idempotency-key", format!("{writer}-{count}"));
                let body = json!({"content": format!("out {writer} {count}"), "content_type": "text"});
                let answer = say.json(&body).send().await.unwrap();
                if answer.status() == 201 {
                    break;
                }
                // Or too many calls of one token, of which there is but one here.
                assert!([429, 503].contains(&answer.status().as_u16()), "{answer:?}");
                assert!(answer.headers().contains_key("retry-after"));
                self.pause().await;
            }
            self.accepted[writer].fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn pause(&self) {
        self.refused.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    fn accepted(&self) -> usize {
        self.accepted.iter().map(|accepted| accepted.load(Ordering::SeqCst)).sum()
    }

    /// Returns once the agents were answered 201 so many times more.
    async fn goes_on(&self, daemon: &Daemon, times: usize) {
        let enough = self.accepted() + times;
        let deadline = Instant::now() + SECONDS;
        while self.accepted() < enough {
            assert!(Instant::now() < deadline, "nothing is accepted any more:\n{}", daemon.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that was acknowledged is there, once, and left once, in order.
    async fn audit(&self, daemon: &Daemon, provider: &Provider) {
        let heard = self.heard.lock().await;
        for writer in 0..WRITERS {
            let number = number(writer);
            let customer = daemon.customer(&number).await;
            let mut counts: HashMap<String, usize> = HashMap::new();
            for message in daemon.all_messages(&customer).await {
                *counts.entry(message["content"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            for (_, text) in heard.iter().filter(|(from, _)| *from == number) {
                assert_eq!(counts.get(text), Some(&1), "{number} was told that \"{text}\" is taken");
            }
            let accepted = self.accepted[writer].load(Ordering::SeqCst);
            let arrived = until_arrived(daemon, provider, &customer, &number, accepted).await;
            let arrived: Vec<usize> = arrived.iter().map(place_of).collect();
            // The one that was being said when the load ended may have been taken, too.
            let in_order = |count| arrived == (0..count).collect::<Vec<_>>();
            assert!(in_order(accepted) || in_order(accepted + 1), "{number}, {accepted}: {arrived:?}");
        }
        assert!(heard.len() > WRITERS && self.accepted() > WRITERS, "there was no load to speak of");
        println!(
            "{} texts taken and {} accepted, {} refused; 0 lost, 0 doubled, 0 out of order",
            heard.len(),
            self.accepted(),
            self.refused.load(Ordering::SeqCst)
        );
    }
}

/// What arrived, once it is so much; as long as something arrives, it may take its time.
async fn until_arrived(
    daemon: &Daemon,
    provider: &Provider,
    customer: &str,
    number: &str,
    count: usize,
) -> Vec<Value> {
    let mut last = (0, Instant::now());
    loop {
        let arrived = provider.arrived(number).await;
        if arrived.len() >= count {
            return arrived;
        }
        if arrived.len() > last.0 {
            last = (arrived.len(), Instant::now());
        }
        if last.1.elapsed() > Duration::from_secs(30) {
            let messages = daemon.all_messages(customer).await;
            let next = messages.iter().rfind(|message| {
                ["queued", "sending", "unknown"].iter().any(|status| message["delivery"]["status"] == *status)
            });
            panic!("{} of {count} texts arrived on {number}; next is {next:#?}\n{}", last.0, daemon.log());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn place_of(text: &Value) -> usize {
    text["body"].as_str().unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

/// Returns once `/readyz` says no, with its reason.
async fn until_not_ready(daemon: &Daemon) -> String {
    let deadline = Instant::now() + SECONDS;
    loop {
        let answer = daemon.http.get(format!("{}/readyz", daemon.url)).send().await.unwrap();
        if answer.status() == 503 {
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["checks"], json!({"store": "unavailable", "process": "ok"}));
            return body["reason"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "it is still ready:\n{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn metric(daemon: &Daemon, name: &str) -> String {
    let text = daemon.http.get(format!("{}/metrics", daemon.url)).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("there is no {name}:\n{text}")).rsplit(' ').next().unwrap().to_owned()
}

/// Starts a daemon on the disk, and a provider that answers at once.
async fn start_on(disk: &Disk, engine: &str, min_free: &str) -> (Arc<Provider>, Daemon) {
    let provider = Arc::new(Provider::start().await);
    let store = format!("path = \"{}\"\nmin_free = \"{min_free}\"", disk.path().join("data").display());
    let more = "[sending]\nlooks = [\"300ms\", \"1s\", \"3s\"]".to_owned();
    let bot = "kind = \"none\"".into();
    let daemon =
        Daemon::start(&Setup { engine: engine.into(), bot, more, store, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    (provider, daemon)
}

/// How often it complained at the level of errors.
fn complaints(daemon: &Daemon) -> usize {
    daemon.log().lines().filter(|line| line.contains("\"level\":\"ERROR\"")).count()
}

/// Fills the disk twice, so far that only so many bytes are left, and frees it again. Gives the reasons for not being
/// ready.
async fn fill_and_free(disk: &Disk, daemon: &mut Daemon, load: &Load, left_bytes: u64) -> Vec<String> {
    let pid = daemon.pid();
    let mut reasons = Vec::new();
    for _ in 0..2 {
        load.goes_on(daemon, 200).await;
        disk.fill_but(left_bytes);
        reasons.push(until_not_ready(daemon).await);
        assert_eq!(metric(daemon, "switchboard_store_ready").await, "0");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let refused = load.refused.load(Ordering::SeqCst);
        assert!(refused > WRITERS, "calls were refused: {refused}");
        disk.free();
        let room = Instant::now();
        daemon.until_ready().await;
        assert!(room.elapsed() < SECONDS, "ready only after {:?}", room.elapsed());
        println!("ready {:?} after there was room", room.elapsed());
        load.goes_on(daemon, 200).await;
        assert_eq!(metric(daemon, "switchboard_store_ready").await, "1");
        assert_eq!(daemon.pid(), pid, "it is the same process");
    }
    reasons
}

async fn gets_low(engine: &str) {
    let disk = Disk::of_megabytes(DISK_MEGABYTES);
    let (provider, mut daemon) = start_on(&disk, engine, "32MB").await;
    let (load, people) = Load::start(&provider, &daemon).await;
    let reasons = fill_and_free(&disk, &mut daemon, &load, 28 << 20).await;
    assert!(reasons.iter().all(|reason| reason.contains("33554432")), "they name the mark: {reasons:?}");
    assert!(
        !daemon.log().contains("the storage engine failed"),
        "it never met a full disk:\n{}",
        daemon.log()
    );
    load.over.store(true, Ordering::SeqCst);
    people.join_all().await;
    load.audit(&daemon, &provider).await;
    assert!(complaints(&daemon) <= 8, "it said so again and again:\n{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_gets_low_is_refused_and_nothing_is_lost() {
    gets_low("sled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_fjall_a_disk_that_gets_low_is_refused_and_nothing_is_lost() {
    gets_low("fjall").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_says_why_a_daemon_is_not_ready_and_still_has_its_figures() {
    let disk = Disk::of_megabytes(DISK_MEGABYTES);
    let (_provider, daemon) = start_on(&disk, "sled", "32MB").await;
    let ask = |format| run_to_end(daemon.folder.path(), &["doctor", "--format", format]);
    let well: Value = serde_json::from_slice(&ask("json").stdout).unwrap();
    assert_eq!((&well["ready"], &well["figures"]["switchboard_store_ready"]), (&json!(true), &json!(1)));
    assert_eq!(well["figures"]["switchboard_messages_held"], 0);
    disk.fill_but(28 << 20);
    until_not_ready(&daemon).await;
    let ill = ask("text");
    assert_eq!(ill.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ill.stdout).into_owned();
    for words in ["NOT READY", "reason: the store's disk has", "store_ready 0", "messages_held 0"] {
        assert!(said.contains(words), "\"{words}\" is not in:\n{said}");
    }
}

/// The engine itself finds the disk full.
async fn is_full(engine: &str) {
    let disk = Disk::of_megabytes(DISK_MEGABYTES);
    let (provider, mut daemon) = start_on(&disk, engine, "1B").await;
    let (load, people) = Load::start(&provider, &daemon).await;
    fill_and_free(&disk, &mut daemon, &load, 0).await;
    assert!(daemon.log().contains("the storage engine failed"), "{}", daemon.log());
    load.over.store(true, Ordering::SeqCst);
    people.join_all().await;
    load.audit(&daemon, &provider).await;
    assert!(complaints(&daemon) <= 60, "it said so again and again:\n{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_finds_the_disk_full_is_opened_again_and_nothing_is_lost() {
    is_full("sled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fjall_that_finds_the_disk_full_is_opened_again_and_nothing_is_lost() {
    is_full("fjall").await;
}

/// A daemon dies while its disk is low, and another is started before there is room.
async fn starts_low(engine: &str) {
    let disk = Disk::of_megabytes(DISK_MEGABYTES);
    let (provider, mut daemon) = start_on(&disk, engine, "32MB").await;
    let number = number(0);
    provider.text(&number, BRAND, "Hey").await;
    let customer = daemon.customer(&number).await;
    // They wait behind a text whose answer takes its time.
    provider.faults(json!({"next_sends": ["slow"], "slow_ms": 3_000})).await;
    for count in 0..4 {
        assert_eq!(daemon.say(&customer, "agent-secret", &format!("out 0 {count}")).await.0, 201);
    }
    disk.fill_but(28 << 20);
    until_not_ready(&daemon).await;
    daemon.kill();
    daemon.spawn_again();
    let deadline = Instant::now() + SECONDS;
    while daemon.http.get(format!("{}/readyz", daemon.url)).send().await.is_err() {
        assert!(Instant::now() < deadline, "it does not serve:\n{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = daemon.pid();
    assert!(until_not_ready(&daemon).await.contains("33554432"));
    assert_eq!(daemon.all_messages(&customer).await.len(), 5, "what is kept can be read");
    assert_eq!(daemon.say(&customer, "agent-secret", "in vain").await.0, 503);
    disk.free();
    daemon.until_ready().await;
    let arrived = until_arrived(&daemon, &provider, &customer, &number, 4).await;
    assert_eq!(arrived.iter().map(place_of).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(daemon.pid(), pid, "it is the same process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_starts_on_a_low_disk_serves_and_goes_on_when_there_is_room() {
    starts_low("sled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_fjall_a_daemon_that_starts_on_a_low_disk_serves_and_goes_on_when_there_is_room() {
    starts_low("fjall").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_that_stays_is_answered_503_until_somebody_lifts_it() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Arc::new(Provider::start().await);
    let store = format!("path = \"{}\"", folder.path().join("data").display());
    let (engine, bot) = ("sled".into(), "kind = \"none\"".into());
    let mut daemon = Daemon::start(&Setup { bot, engine, store, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    let (load, people) = Load::start(&provider, &daemon).await;
    load.goes_on(&daemon, 200).await;
    let pid = daemon.pid();
    let log = std::fs::metadata(folder.path().join("data/sled/db")).unwrap().len();
    limit_files(pid, &(log + 64 * 1024).to_string());
    until_not_ready(&daemon).await;
    // Several attempts to open it are made meanwhile, and none of them gives up.
    tokio::time::sleep(Duration::from_secs(5)).await;
    until_not_ready(&daemon).await;
    limit_files(pid, "unlimited");
    daemon.until_ready().await;
    load.goes_on(&daemon, 200).await;
    assert_eq!(daemon.pid(), pid);
    load.over.store(true, Ordering::SeqCst);
    people.join_all().await;
    load.audit(&daemon, &provider).await;
}

/// None of its files may grow beyond that. The hard limit stays as it is.
fn limit_files(pid: u32, bytes: &str) {
    let limit = format!("--fsize={bytes}:");
    let done = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status().unwrap();
    assert!(done.success(), "prlimit (of util-linux) sets the limits of a process that runs");
}
