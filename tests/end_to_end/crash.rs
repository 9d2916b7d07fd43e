//! `kill -9` under load: nothing that was acknowledged is lost.
//!
//! `CRASHES` sets how often the daemon is killed: 4 unless it says otherwise.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::fixture::{BRAND, Daemon, Provider, Setup};

const WRITERS: usize = 8;

/// What the outside was promised.
#[derive(Default)]
struct Promised {
    /// Customers' texts that were answered with 200, by number.
    inbound: Mutex<BTreeMap<String, Vec<String>>>,
    /// Agents' texts that were answered with 201: number, and what they say.
    outbound: Mutex<Vec<(String, String)>>,
    stop: AtomicBool,
}

impl Promised {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

fn number(writer: usize) -> String {
    format!("+1415555{:04}", 2000 + writer)
}

/// A customer who keeps texting.
async fn text_on(provider: Arc<Provider>, promised: Arc<Promised>, writer: usize) {
    let from = number(writer);
    for count in 0.. {
        if promised.is_over() {
            return;
        }
        let body = format!("in {writer} {count}");
        let answer = provider.try_text(json!({"from": from, "to": BRAND, "body": body})).await;
        if answer["status"] == 200 {
            promised.inbound.lock().await.entry(from.clone()).or_default().push(body);
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// An agent who keeps answering one customer.
async fn answer_on(
    url: String,
    http: reqwest::Client,
    promised: Arc<Promised>,
    writer: usize,
    customer: String,
) {
    for count in 0.. {
        if promised.is_over() {
            return;
        }
        let content = format!("out {writer} {count}");
        let sent = http
            .post(format!("{url}/v1/customers/{customer}/sessions/current/messages"))
            .bearer_auth("agent-secret")
            .json(&json!({"content": content, "content_type": "text"}))
            .send()
            .await;
        if sent.is_ok_and(|answer| answer.status() == 201) {
            promised.outbound.lock().await.push((number(writer), content));
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn all_messages(daemon: &Daemon, customer: &str) -> Vec<Value> {
    let mut path =
        Some(format!("/v1/customers/{customer}/sessions/current/messages?limit=1000&expand=delivery"));
    let mut all = Vec::new();
    while let Some(next) = path {
        let answer = daemon
            .http
            .get(format!("{}{next}", daemon.url))
            .bearer_auth("agent-secret")
            .send()
            .await
            .unwrap();
        let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        all.extend(answer.json::<Value>().await.unwrap().as_array().unwrap().iter().cloned());
        path = link.map(|link| link.trim_start_matches('<').split('>').next().unwrap().to_owned());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_loses_nothing_that_was_acknowledged() {
    let kills: usize =
        std::env::var("CRASHES").map_or(4, |count| count.parse().expect("CRASHES is a number"));
    assert!(kills > 0);
    let provider = Arc::new(Provider::start().await);
    // What was being sent when it died is looked for, and the last look must not be minutes away.
    let more = "[sending]\nlooks = [\"300ms\", \"1s\", \"3s\"]".to_owned();
    let bot = "kind = \"none\"".into();
    let mut daemon = Daemon::start(&Setup { bot, more, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    let promised = Arc::new(Promised::default());
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        provider.text(&number(writer), BRAND, "Hey").await;
        let customer = daemon.customer(&number(writer)).await;
        writers.spawn(text_on(Arc::clone(&provider), Arc::clone(&promised), writer));
        writers.spawn(answer_on(
            daemon.url.clone(),
            daemon.http.clone(),
            Arc::clone(&promised),
            writer,
            customer,
        ));
    }
    for kill in 0..kills {
        // Any moment will do: the seed is the count, so that a run can be told from another.
        let pause = 300 + (kill * 7919) % 700;
        tokio::time::sleep(Duration::from_millis(u64::try_from(pause).unwrap())).await;
        daemon.kill();
        daemon.start_again().await;
    }
    promised.stop.store(true, Ordering::SeqCst);
    writers.join_all().await;
    audit(&daemon, &provider, &promised, kills).await;
}

async fn audit(daemon: &Daemon, provider: &Provider, promised: &Promised, kills: usize) {
    let inbound = promised.inbound.lock().await;
    let outbound = promised.outbound.lock().await;
    for (number, texts) in inbound.iter() {
        let customer = daemon.customer(number).await;
        let stored = all_messages(daemon, &customer).await;
        let heard = stored.iter().filter(|message| message["sender_role"] == "end-user");
        let mut counts = HashMap::new();
        for message in heard {
            *counts.entry(message["content"].as_str().unwrap()).or_insert(0) += 1;
        }
        for text in texts {
            assert_eq!(counts.get(text.as_str()), Some(&1), "{number} was told that \"{text}\" is taken");
        }
    }
    for writer in 0..WRITERS {
        let number = number(writer);
        let promised =
            outbound.iter().filter(|(to, _)| *to == number).map(|(_, content)| content.clone()).collect();
        let arrived = provider.until_all_said(&number, &promised).await;
        let counts: Vec<usize> = arrived
            .iter()
            .map(|text| text["body"].as_str().unwrap().rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(counts.is_sorted(), "{number} got its texts out of order: {counts:?}");
        let mut once = counts.clone();
        once.dedup();
        assert_eq!(once, counts, "{number} got a text twice");
    }
    let texts: usize = inbound.values().map(Vec::len).sum();
    println!(
        "{kills} kills: {texts} texts taken and {} accepted, 0 lost, 0 doubled, 0 out of order",
        outbound.len()
    );
    assert!(texts > kills && outbound.len() > kills, "there was no load to speak of");
}
