//! What happens, as it happens: the stream of events, over lost lines and deaths of the daemon; and the endpoints that are
//! told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{ANNA, BERT, BRAND, Bot, Daemon, Provider, Setup, client};

/// The id that comes before every log's first event.
const BEFORE_ALL: &str = "00000000-0000-7000-8000-000000000000";

/// A stream of server-sent events, read as its specification says.
pub struct Stream {
    response: reqwest::Response,
    unread: Vec<u8>,
}

/// What a frame says: its id, and the event, if it is one.
#[derive(Clone, Debug)]
pub struct Frame {
    pub id: Option<String>,
    pub name: Option<String>,
    pub data: Option<Value>,
}

/// One client for all; each stream has a connection of its own.
fn fresh_connections() -> &'static reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| {
        // Brings the provider of TLS along.
        drop(client());
        reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()
    })
}

impl Stream {
    pub async fn open(url: &str, token: &str, query: &str, after: Option<&str>) -> Result<Self, u16> {
        let mut request = fresh_connections().get(format!("{url}/v1/events{query}")).bearer_auth(token);
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let Ok(response) = request.send().await else { return Err(0) };
        let status = response.status().as_u16();
        if status == 200 { Ok(Self { response, unread: Vec::new() }) } else { Err(status) }
    }

    /// The next frame with anything in it; none if the line broke.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let frame: Vec<u8> = self.unread.drain(..end + 2).collect();
                let frame = String::from_utf8(frame).unwrap();
                let field = |name: &str| {
                    let line = frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.map(str::to_owned)
                };
                let data = field("data").map(|data| serde_json::from_str(&data).unwrap());
                let frame = Frame { id: field("id"), name: field("event"), data };
                if frame.id.is_some() || frame.data.is_some() {
                    return Some(frame);
                }
                continue;
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.unread.extend_from_slice(&bytes),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> Value {
        let wait = async {
            loop {
                let frame = self.next().await.expect("the stream ended");
                if let Some(data) = frame.data {
                    assert_eq!(Some(data["name"].as_str().unwrap()), frame.name.as_deref());
                    return data;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("no event came within 20 s")
    }

    /// The next event of that name.
    pub async fn until(&mut self, name: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["name"] == name {
                return event;
            }
        }
    }
}

/// All events of a name that the log has.
pub async fn all_of(daemon: &Daemon, name: &str) -> Vec<Value> {
    whole_log(daemon).await.into_iter().filter(|event| event["name"] == name).collect()
}

/// The whole log, as one who was away since the beginning reads it.
async fn whole_log(daemon: &Daemon) -> Vec<Value> {
    // Something that is certainly the last.
    let body = json!({"unconfirmed_phone_number": "+14155559999"});
    let (status, _) = daemon.call("POST", "/v1/customers", "admin-secret", Some(body)).await;
    assert!(matches!(status, 201 | 409), "{status}");
    let (_, customers) =
        daemon.call("GET", "/v1/customers?phone_number=%2B14155559999", "admin-secret", None).await;
    let last = customers[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/customers/{last}");
    let renamed = json!({"first_name": format!("the end {}", switchboard::app::ambient::now())});
    assert_eq!(daemon.call("PATCH", &path, "admin-secret", Some(renamed)).await.0, 200);
    let mut stream = Stream::open(&daemon.url, "admin-secret", "", Some(BEFORE_ALL)).await.unwrap();
    let mut events = vec![stream.event().await];
    while !events
        .iter()
        .any(|event| event["name"] == "customer.updated" && event["data"]["id"] == last.as_str())
    {
        events.push(stream.event().await);
    }
    // What is left comes at once: an earlier call may have left such an event, too, and receipts go on coming.
    while let Ok(frame) = tokio::time::timeout(Duration::from_millis(300), stream.next()).await {
        events.extend(frame.expect("the stream ended").data);
    }
    events
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// 1,000 reconnects, unless `RECONNECTS` says otherwise.
fn reconnects() -> u64 {
    std::env::var("RECONNECTS").map_or(1_000, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_misses_nothing_and_sees_nothing_twice_over_lost_lines_and_the_daemons_death() {
    let provider = Arc::new(Provider::start().await);
    let mut daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    let url = daemon.url.clone();
    // Customers go on writing, and the bot answering, whatever happens to the daemon.
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writing = {
        let (provider, stop, sent) = (Arc::clone(&provider), Arc::clone(&stop), Arc::clone(&sent));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                let from = if number % 2 == 0 { ANNA } else { BERT };
                provider.try_text(json!({"from": from, "to": BRAND, "body": format!("text {number}")})).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let following = {
        let url = url.clone();
        tokio::spawn(async move { follow(&url, reconnects()).await })
    };
    // Another one hangs on for as long as the line lasts.
    let staying = {
        let (url, stop) = (url.clone(), Arc::clone(&stop));
        tokio::spawn(async move { stay(&url, &stop).await })
    };
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        daemon.kill();
        daemon.start_again().await;
    }
    let seen = following.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    let (stayed, lines_lost) = staying.await.unwrap();

    let log = ids(&whole_log(&daemon).await);
    println!(
        "{} events seen over {} connections, {} over {lines_lost} deaths; {} in the log",
        seen.len(),
        reconnects(),
        stayed.len(),
        log.len()
    );
    assert!(lines_lost >= 3, "the daemon's deaths were not felt");
    // The end of an id is its place in the log.
    let places: Vec<u128> =
        log.iter().map(|id| id.parse::<uuid::Uuid>().unwrap().as_u128() << 66 >> 66).collect();
    assert!(places.windows(2).all(|pair| pair[1] == pair[0] + 1), "the log has a gap");
    for seen in [ids(&seen), ids(&stayed)] {
        assert_eq!(seen, log[..seen.len()], "a gap, a repeat, or another order");
    }
}

/// Reads a few events of each of so many connections.
async fn follow(url: &str, connections: u64) -> Vec<Value> {
    let (mut seen, mut made): (Vec<Value>, u64) = (Vec::new(), 0);
    let mut last_id = BEFORE_ALL.to_owned();
    while made < connections {
        let Ok(mut stream) = Stream::open(url, "agent-secret", "", Some(&last_id)).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        made += 1;
        for _ in 0..=made % 4 {
            let Ok(Some(frame)) = tokio::time::timeout(Duration::from_secs(5), stream.next()).await else {
                break;
            };
            last_id = frame.id.clone().unwrap_or(last_id);
            seen.extend(frame.data);
        }
    }
    seen
}

/// Follows until it is told to stop, coming again whenever the line breaks. What was seen, and how often it broke.
async fn stay(url: &str, stop: &AtomicBool) -> (Vec<Value>, u64) {
    let (mut seen, mut lines_lost): (Vec<Value>, u64) = (Vec::new(), 0);
    let mut last_id = BEFORE_ALL.to_owned();
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut stream) = Stream::open(url, "agent-secret", "", Some(&last_id)).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            match tokio::time::timeout(Duration::from_secs(1), stream.next()).await {
                Ok(Some(frame)) => {
                    last_id = frame.id.clone().unwrap_or(last_id);
                    seen.extend(frame.data);
                }
                Ok(None) => {
                    lines_lost += 1;
                    break;
                }
                Err(_) => {}
            }
        }
    }
    (seen, lines_lost)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_told_from_its_first_text_to_its_last_receipt() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    let mut stream = Stream::open(&daemon.url, "agent-secret", "", None).await.unwrap();
    assert!(stream.next().await.unwrap().data.is_none(), "the first frame says where the stream stands");
    provider.text(ANNA, BRAND, "Hey").await;
    let mut names = Vec::new();
    while names.last().is_none_or(|name| name != "message.updated") {
        names.push(stream.event().await["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        names,
        [
            "customer.created",
            "session.created",
            "message.created",
            "message.created",
            "delivery.sent",
            "delivery.delivered",
            "message.updated",
        ]
    );
    let customer = daemon.customer(ANNA).await;
    daemon.hold(&customer, true).await;
    let switched = stream.until("session.updated").await;
    assert_eq!(switched["data"]["need_attention"], true);
    assert!(switched["data"]["attention"]["waiting_since"].is_string());

    // A filter leaves out the rest; who types is told to others, and has no id.
    let query = format!("?type=message.created,session.typing&customer_id={customer}");
    let mut filtered = Stream::open(&daemon.url, "admin-secret", &query, None).await.unwrap();
    filtered.next().await.unwrap();
    let path = format!("/v1/customers/{customer}/sessions/current/typing");
    let (status, _) = daemon.call("POST", &path, "agent-secret", Some(json!({"typing": true}))).await;
    assert_eq!(status, 204);
    let typing = filtered.next().await.unwrap();
    assert_eq!((typing.id, typing.name.as_deref()), (None, Some("session.typing")));
    daemon.say(&customer, "agent-secret", "A human is here.").await;
    assert_eq!(filtered.event().await["data"]["content"], "A human is here.");

    // Who was erased is told of no more.
    assert_eq!(
        daemon.call("DELETE", &format!("/v1/customers/{customer}"), "admin-secret", None).await.0,
        204
    );
    stream.until("customer.erased").await;
    let log = Value::Array(whole_log(&daemon).await).to_string();
    assert!(!log.contains("A human is here.") && !log.contains(&ANNA[1..]), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_cannot_go_on_where_it_was_says_so() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    let open = |token: &'static str, query: &'static str, after: Option<&'static str>| {
        let url = daemon.url.clone();
        async move { Stream::open(&url, token, query, after).await.err() }
    };
    // An id of another log, or of one that is gone.
    assert_eq!(open("agent-secret", "", Some("01890a5d-ac96-7000-8000-000000000001")).await, Some(410));
    assert_eq!(open("agent-secret", "", Some("yesterday")).await, Some(400));
    assert_eq!(open("agent-secret", "?last_event_id=yesterday", None).await, Some(400));
    assert_eq!(open("agent-secret", "?type=messages.created", None).await, Some(400));
    assert_eq!(open("nobody", "", None).await, Some(401));
    assert_eq!(open("agent-secret", "", Some(BEFORE_ALL)).await, None);
}

/// An endpoint, told by the daemon: the bot's fixture takes any POST.
async fn endpoint(answer: impl Fn(&Value) -> u16 + Send + Sync + 'static) -> Bot {
    Bot::start(move |event| (answer(event), Value::Null, Duration::ZERO)).await
}

fn webhooks(endpoints: &[(&str, &Bot, &str)]) -> String {
    let one = |(name, at, more): &(&str, &Bot, &str)| {
        format!("[[webhooks]]\nname = \"{name}\"\nurl = \"{}\"\n{more}\n", at.url)
    };
    endpoints.iter().map(one).collect()
}

const SIGNED: &str = "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"";

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_told_what_happens_and_what_fails_is_told_again() {
    let provider = Provider::start().await;
    let failed_once = AtomicBool::new(false);
    let crm = endpoint(move |event| {
        let fails = event["name"] == "session.created" && !failed_once.swap(true, Ordering::SeqCst);
        if fails { 503 } else { 204 }
    })
    .await;
    let slack = endpoint(|_| 200).await;
    let more = webhooks(&[("crm", &crm, SIGNED), ("slack", &slack, "kind = \"slack\"")]);
    let daemon = Daemon::start(&Setup { more, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    until_known(&daemon, "crm").await;
    provider.text(ANNA, BRAND, "Hey").await;
    provider.until_arrived(ANNA, 1).await;
    let customer = daemon.customer(ANNA).await;
    daemon.hold(&customer, true).await;
    // customer.created, session.created (twice), message.created ×2, delivery.sent, delivered, message.updated, session.updated
    let told = crm.until(9).await;
    let of = |name: &str| told.iter().filter(|call| call.body["name"] == name).collect::<Vec<_>>();
    let repeated = of("session.created");
    assert_eq!(repeated.len(), 2, "after five seconds");
    assert_eq!(repeated[0].headers["webhook-id"], repeated[1].headers["webhook-id"]);
    assert_eq!(repeated[0].headers["webhook-id"].to_str().unwrap(), repeated[0].body["id"]);
    assert_eq!(of("message.created").len(), 2);
    let call = slack.until(1).await.remove(0);
    let text = call.body["text"].as_str().unwrap();
    assert!(text.starts_with("A customer needs an agent") && text.contains(&customer), "{text}");
    assert!(!text.contains("Hey") && !text.contains("5550101"), "{text}");
    // It is off the record as soon as the answer is written down.
    let mut left = Value::Null;
    for _ in 0..200 {
        left = daemon.call("GET", "/v1/webhooks/crm/deliveries", "admin-secret", None).await.1;
        if left == json!([]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("still on record: {left}");
}

/// The endpoint knows from where on it is told: that is on record.
async fn until_known(daemon: &Daemon, name: &str) {
    let record = format!("\"endpoint\":{{\"name\":\"{name}\"");
    for _ in 0..200 {
        let export = daemon.http.get(format!("{}/v1/export", daemon.url)).bearer_auth("admin-secret");
        if export.send().await.unwrap().text().await.unwrap().contains(&record) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{name} is not on record:\n{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_called_no_more_until_it_is_enabled_and_then_told_what_it_missed() {
    let provider = Provider::start().await;
    let gone = Arc::new(AtomicBool::new(true));
    let is_gone = Arc::clone(&gone);
    let crm = endpoint(move |_| if is_gone.load(Ordering::SeqCst) { 410 } else { 204 }).await;
    let mut daemon =
        Daemon::start(&Setup { more: webhooks(&[("crm", &crm, SIGNED)]), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    until_known(&daemon, "crm").await;
    let mut stream = Stream::open(&daemon.url, "admin-secret", "?type=webhook.*", None).await.unwrap();
    provider.text(ANNA, BRAND, "Hey").await;
    assert_eq!(stream.event().await["name"], "webhook.disabled");
    let called = crm.calls().len();
    // Also the next process knows.
    daemon.kill();
    daemon.start_again().await;
    provider.text(BERT, BRAND, "Hello").await;
    provider.until_arrived(BERT, 1).await;
    let (_, listed) = daemon.call("GET", "/v1/webhooks", "admin-secret", None).await;
    assert!(listed[0]["disabled"]["reason"].as_str().unwrap().contains("410"), "{listed}");
    assert_eq!(crm.calls().len(), called);

    gone.store(false, Ordering::SeqCst);
    assert_eq!(daemon.call("POST", "/v1/webhooks/crm/enable", "admin-secret", None).await.0, 204);
    let mut missed = crm.until(called + 1).await;
    while !missed.iter().any(|call| call.body["data"]["content"] == "Hello") {
        missed = crm.until(missed.len() + 1).await;
    }
    // And once more by hand.
    let event = missed.last().unwrap().body["id"].as_str().unwrap().to_owned();
    let before = crm.calls().len();
    let path = format!("/v1/webhooks/crm/deliveries/{event}/replay");
    assert_eq!(daemon.call("POST", &path, "admin-secret", None).await.0, 202);
    let mut known = before;
    while !crm.calls()[before..].iter().any(|call| call.body["id"] == event.as_str()) {
        known = crm.until(known + 1).await.len();
    }
    assert_eq!(daemon.call("POST", &path, "agent-secret", None).await.0, 403);
}
