//! The simulator over real sockets, and its state machine by itself. This file owns the simulator under test and
//! the receiver of its webhooks, which checks signatures by a computation of its own.

#![expect(clippy::disallowed_methods, reason = "a test owns what it starts, and may look at the clock")]

mod machine;
mod phones;
mod receipts;
mod sends;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "a token";
const BRAND: &str = "+15550001111";
const CUSTOMER: &str = "+14155552671";
const SERVICE: &str = "MG00000000000000000000000000000001";
const PATIENCE: Duration = Duration::from_secs(10);

fn config() -> SimulatorConfig {
    SimulatorConfig {
        messaging_services: vec![SERVICE.to_owned()],
        delays: Delays { queued_ms: 5, sending_ms: 5, sent_ms: 5, delivered_ms: 5 },
        ..SimulatorConfig::new(ACCOUNT, TOKEN, vec![BRAND.to_owned()])
    }
}

fn start_of_time() -> Timestamp {
    Timestamp::parse("2026-11-21T18:30:00Z").unwrap()
}

/// One webhook, as it came in.
struct Hook {
    url: String,
    headers: HeaderMap,
    form: Vec<(String, String)>,
}

impl Hook {
    fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Panics unless the signature is that of a form whose names are all different.
    fn assert_signed(&self) {
        let fields: BTreeMap<_, _> = self.form.iter().cloned().collect();
        assert_eq!(fields.len(), self.form.len());
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
        mac.update(self.url.as_bytes());
        for (name, value) in &fields {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        let expected = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(self.header("x-twilio-signature"), expected);
    }
}

/// A running simulator and a receiver for its webhooks.
struct Rig {
    base: String,
    hooks_base: String,
    hooks: mpsc::UnboundedReceiver<Hook>,
    http: reqwest::Client,
    simulator: Arc<Simulator>,
    _stop: DropGuard,
}

impl Rig {
    async fn start(config: SimulatorConfig) -> Self {
        Self::start_answering(config, StatusCode::OK).await
    }

    /// With a receiver that answers `answer` to every webhook.
    async fn start_answering(mut config: SimulatorConfig, answer: StatusCode) -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (hooks_base, hooks) = receive(answer).await;
        config.inbound_url = Some(format!("{hooks_base}/inbound"));
        let begun = Instant::now();
        let clock: Clock = Arc::new(move || start_of_time().after(begun.elapsed()));
        let simulator = Simulator::new(config, clock, 42, http.clone());
        let base = serve(axum::Router::new().nest("/simulator", simulator.router())).await;
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&simulator).run(stop.clone()));
        let base = format!("{base}/simulator");
        Self { base, hooks_base, hooks, http, simulator, _stop: stop.drop_guard() }
    }

    fn messages(&self) -> String {
        format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", self.base)
    }

    async fn try_send(&self, fields: &[(&str, &str)]) -> Result<(u16, Value), reqwest::Error> {
        let mut form = vec![("To", CUSTOMER), ("Body", "hello")];
        form.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        form.extend(fields);
        let request = self.http.post(self.messages()).basic_auth(ACCOUNT, Some(TOKEN)).form(&form);
        let response = request.send().await?;
        let (status, body) = (response.status().as_u16(), response.bytes().await?);
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    async fn send(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        self.try_send(fields).await.unwrap()
    }

    /// Texts whose receipts go to the receiver.
    async fn send_with_receipts(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/status?m=17", self.hooks_base);
        let mut form = vec![("From", BRAND), ("StatusCallback", url.as_str())];
        form.retain(|(name, _)| *name != "From" || !fields.iter().any(|(n, _)| *n == "MessagingServiceSid"));
        form.extend(fields);
        self.send(&form).await
    }

    async fn list(&self, query: &str) -> Value {
        let url = format!("{}?{query}", self.messages());
        self.http.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap().json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.base);
        self.http.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap().json().await.unwrap()
    }

    async fn person(&self, method: reqwest::Method, path: &str, body: &str) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.base)).body(body.to_owned());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn text(&self, body: &str) -> Value {
        let text = serde_json::json!({"from": CUSTOMER, "to": BRAND, "body": body}).to_string();
        let (status, answer) = self.person(reqwest::Method::POST, "/texts", &text).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// What is on the customer's phone once it has seen `count` texts.
    async fn phone(&self, count: u64) -> Vec<Value> {
        let path = format!("/phones/{CUSTOMER}/texts?after={}&wait_ms=10000", count - 1);
        self.person(reqwest::Method::GET, &path, "").await;
        let (_, all) = self.person(reqwest::Method::GET, &format!("/phones/{CUSTOMER}/texts"), "").await;
        all["texts"].as_array().unwrap().clone()
    }

    async fn next_hook(&mut self) -> Hook {
        tokio::time::timeout(PATIENCE, self.hooks.recv()).await.expect("a webhook").unwrap()
    }

    /// The states of the next `count` receipts.
    async fn receipts(&mut self, count: usize) -> Vec<String> {
        let mut states = Vec::new();
        for _ in 0..count {
            states.push(self.next_hook().await.field("MessageStatus").to_owned());
        }
        states
    }
}

async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn receive(answer: StatusCode) -> (String, mpsc::UnboundedReceiver<Hook>) {
    let (seen, hooks) = mpsc::unbounded_channel();
    let take = async move |State(seen): State<mpsc::UnboundedSender<Hook>>,
                           OriginalUri(uri): OriginalUri,
                           headers: HeaderMap,
                           body: String| {
        let url = format!("http://{}{uri}", headers[header::HOST].to_str().unwrap());
        let form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        seen.send(Hook { url, headers, form }).unwrap();
        (answer, [(header::CONTENT_TYPE, "text/xml")], "<Response/>")
    };
    let base = serve(axum::Router::new().fallback(any(take)).with_state(seen)).await;
    (base, hooks)
}
