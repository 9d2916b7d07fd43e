//! A gateway with everything but a network: a hand-set clock, counted randomness, a provider and a bot that say
//! nothing, and a router to call.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::bot::echo::EchoBot;
use crate::domain::conversation::{BotPolicy, KeywordReplies, Policy};
use crate::domain::delivery::{ReceiptStage, ReceiptStatus};
use crate::domain::phone::Address;
use crate::domain::retry::Looks;
use crate::domain::time::Timestamp;
use crate::gateway::ambient::{Clock, Entropy};
use crate::gateway::channels::{Channel, Channels, Sender, SignaturePolicy};
use crate::gateway::notices::{Notices, Subscriber};
use crate::gateway::pace::{ChannelPace, Paces};
use crate::gateway::{Gateway, Parts, Settings};
use crate::http::{ConfigToken, HttpSettings, HttpState, SecretHash, router};
use crate::provider::{
    Acknowledgement, AskError, Capability, OutgoingText, ParseError, Provider, ProviderReceipt, ProviderText,
    Received, Sent, SentRecord, SignatureError, Span, WebhookRequest,
};
use crate::store::memory::MemoryStore;
use crate::store::{Store, TokenRole};

pub const ANNA: &str = "+14155550101";
pub const BRAND: &str = "+15550001111";
pub const INIT_SECRET: &str = "open sesame";
pub const PUBLIC_URL: &str = "https://sms.example.com";

/// A clock that shows what it is set to.
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::Relaxed)).unwrap())
    }
}

/// Counts: every draw is another, and the first six digits are known.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        for (byte, drawn) in
            bytes.iter_mut().rev().zip(count.to_le_bytes().into_iter().chain(std::iter::repeat(0)))
        {
            *byte = drawn;
        }
    }
}

/// A provider that signs with the header `signature`: the URL that it was given.
struct Courier;

#[async_trait]
impl Provider for Courier {
    fn capability(&self) -> Capability {
        Capability {
            lists_sent: false,
            lists_received: false,
            receipts: true,
            fetches_status: false,
            answers_keywords: false,
        }
    }

    fn verify(&self, request: &WebhookRequest) -> Result<(), SignatureError> {
        let signature = request.headers.get("signature").ok_or(SignatureError::Missing)?;
        if signature == request.url.as_str() { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    fn parse_text(&self, request: &WebhookRequest) -> Result<ProviderText, ParseError> {
        let fields = fields(request)?;
        let get = |name: &'static str| text(&fields, name).ok_or(ParseError::Missing(name));
        let invalid = |reason: String| ParseError::Invalid { field: "from", reason };
        let from = get("from")?;
        Ok(ProviderText {
            provider_id: get("id")?,
            from: Address::parse(&from).map_err(|_| invalid(format!("{from} is no number")))?,
            to: get("to")?,
            service: None,
            content: get("content")?,
            media: Vec::new(),
            sent_at: None,
            keyword: None,
        })
    }

    fn parse_receipt(&self, request: &WebhookRequest, now: Timestamp) -> Result<ProviderReceipt, ParseError> {
        let provider_id = text(&fields(request)?, "id").ok_or(ParseError::Missing("id"))?;
        let status =
            ReceiptStatus { stage: ReceiptStage::Delivered, raw: "delivered".into(), error: None, at: now };
        Ok(ProviderReceipt { provider_id, message_id: None, status })
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { content_type: "text/xml", body: "<Response/>" }
    }

    async fn send(&self, _: &OutgoingText) -> Sent {
        unreachable!("nothing is sent in these tests: the gateway does not run")
    }

    async fn list_sent(&self, _: &str, _: &str, _: Timestamp) -> Result<Vec<SentRecord>, AskError> {
        Ok(Vec::new())
    }

    async fn list_received(&self, _: &str, _: Span) -> Result<Received, AskError> {
        Err(AskError("nothing is listed here".into()))
    }

    async fn received_media(&self, _: &str) -> Result<Vec<crate::domain::message::Media>, AskError> {
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<String, AskError> {
        Ok("here".into())
    }
}

fn fields(request: &WebhookRequest) -> Result<Value, ParseError> {
    serde_json::from_slice(&request.body).map_err(|error| ParseError::NotAForm(error.to_string()))
}

fn text(fields: &Value, name: &str) -> Option<String> {
    fields[name].as_str().map(str::to_owned)
}

pub struct House {
    pub clock: Arc<HandClock>,
    pub gateway: Arc<Gateway>,
    pub state: HttpState,
    router: Router,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status, and the slug of the problem that it must be.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}: {}", self.status, self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        let slug = problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap();
        (self.status, slug.to_owned())
    }

    pub fn pointers(&self) -> Vec<String> {
        let problem = self.json();
        problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().into())
            .collect()
    }
}

/// Server-sent events, one frame after the other.
pub struct Frames {
    body: Body,
    unread: String,
}

impl Frames {
    /// The next frame, without the empty line at its end; none at the end of the stream.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.unread.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(frame);
            }
            let bytes = self.body.frame().await?.unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event, and the id of its frame.
    pub async fn event(&mut self) -> (Option<String>, Value) {
        loop {
            let frame = self.next().await.expect("the stream ended");
            let field = |name: &str| {
                let line = frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.map(str::to_owned)
            };
            if let Some(data) = field("data") {
                let event: Value = serde_json::from_str(&data).unwrap();
                assert_eq!(event["name"].as_str(), field("event").as_deref());
                return (field("id"), event);
            }
        }
    }
}

pub fn settings() -> HttpSettings {
    let token = |name: &str, role| ConfigToken { name: name.into(), role, secret: SecretHash::of(name) };
    HttpSettings {
        max_body_bytes: 10_000,
        default_region: Some("US".into()),
        init_secret: Some(SecretHash::of(INIT_SECRET)),
        config_tokens: vec![
            token("desk", TokenRole::Agent),
            token("robot", TokenRole::Bot),
            token("boss", TokenRole::Admin),
        ],
        ..HttpSettings::default()
    }
}

fn channel(name: &str, signature: SignaturePolicy) -> Channel {
    Channel {
        name: name.into(),
        provider: Arc::new(Courier),
        public_url: format!("{PUBLIC_URL}/"),
        signature,
        recover: false,
        senders: vec![Sender { name: BRAND.into(), replies: KeywordReplies::default() }],
        on_unknown: crate::domain::delivery::OnUnknown::Hold,
        pace: ChannelPace::starting(&Paces::default(), Duration::ZERO),
    }
}

impl House {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: HttpSettings) -> Self {
        Self::of(settings, BotPolicy::default(), Vec::new())
    }

    /// One whose bot is held to these rules, and that tells those outside of events.
    pub fn of(settings: HttpSettings, bot: BotPolicy, subscribers: Vec<Subscriber>) -> Self {
        let policy = Policy {
            idle_after: Duration::from_secs(2 * 60 * 60),
            has_bot: true,
            forward_keywords: false,
            max_content_units: 1600,
            bot,
            attention: crate::domain::conversation::AttentionPolicy::default(),
        };
        let clock = Arc::new(HandClock(AtomicI64::new(1_493_726_682_693)));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(policy.clone()));
        let gateway = Gateway::new(Parts {
            notices: Notices { subscribers, ..Notices::default() },
            store,
            channels: Channels::new(vec![
                channel("main", SignaturePolicy::Enforce),
                channel("lenient", SignaturePolicy::Report),
            ]),
            bot: Arc::new(EchoBot),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(Counting::default()),
            settings: Settings {
                policy,
                valid_for: Duration::from_secs(4 * 60 * 60),
                max_in_flight: 1,
                request_timeout: Duration::from_secs(10),
                looks: Looks::default(),
                order_hold: Duration::from_secs(120),
                asks: crate::domain::retry::Asks::default(),
                max_turns: 1,
                keep_messages: None,
                confirmation_text: Some("Your code is {token}".into()),
                bot_fallback: None,
                keep_events: Duration::from_secs(7 * 24 * 3600),
            },
        });
        let state = HttpState::new(Arc::clone(&gateway), settings);
        Self { clock, gateway, router: router(state.clone()), state }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// A call whose answer is a stream of frames.
    pub async fn follow(&self, request: Request<Body>) -> (HeaderMap, Frames) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        (parts.headers, Frames { body, unread: String::new() })
    }

    /// A call with the token of `who`, and a JSON body unless it is empty.
    pub async fn call(&self, who: &str, method: &str, path: &str, body: &str) -> Answer {
        self.send(request(who, method, path, body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("desk", "GET", path, "").await
    }

    /// Anna texts; her customer's id.
    pub async fn anna_texts(&self, id: &str, content: &str) -> String {
        let body = serde_json::json!({"id": id, "from": ANNA, "to": BRAND, "content": content}).to_string();
        let taken = self.send(webhook("/v1/receive/main", &body)).await;
        assert_eq!(taken.status, 200, "{}", taken.text);
        self.get(&format!("/v1/customers?phone_number={ANNA}")).await.json()[0]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A customer who texted, and whose session agents have.
    pub async fn held(&self) -> String {
        let customer = self.anna_texts("in-1", "Hey").await;
        let path = format!("/v1/customers/{customer}/sessions/current");
        let held = self.call("desk", "PATCH", &path, r#"{"need_attention":true}"#).await;
        assert_eq!(held.status, 200, "{}", held.text);
        customer
    }

    /// A customer who never texted; `rest` of the body starts with a comma or is empty.
    pub async fn created(&self, rest: &str) -> String {
        let body = format!(r#"{{"unconfirmed_phone_number":"{ANNA}"{rest}}}"#);
        let created = self.call("desk", "POST", "/v1/customers", &body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        created.json()["id"].as_str().unwrap().to_owned()
    }
}

pub fn request(who: &str, method: &str, path: &str, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !who.is_empty() {
        request = request.header("authorization", format!("Bearer {who}"));
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// A call of the provider, signed as it must be.
pub fn webhook(path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header("host", "attacker.example.com")
        .header("signature", format!("{PUBLIC_URL}{path}"))
        .body(Body::from(body.to_owned()))
        .unwrap()
}
