//! How the test speaks with a daemon: as the provider, and as an agent.

use std::sync::Once;
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

pub const BRAND: &str = "+15550001111";
pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const TOKEN: &str = "agent-secret";

#[derive(Clone)]
pub struct Client {
    url: String,
    http: reqwest::Client,
}

impl Client {
    pub fn of(port: u16) -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().unwrap();
        Self { url: format!("http://127.0.0.1:{port}"), http }
    }

    pub async fn is_ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// A provider's webhook with a customer's text.
    pub fn webhook(&self, from: &str, sid: &str, body: &str) -> RequestBuilder {
        let fields =
            [("AccountSid", ACCOUNT), ("To", BRAND), ("From", from), ("MessageSid", sid), ("Body", body)];
        self.http.post(format!("{}/v1/receive/main", self.url)).form(&fields)
    }

    /// An agent's text to a customer.
    pub fn say(&self, customer: &str, content: &str) -> RequestBuilder {
        let body = json!({ "content": content, "content_type": "text" });
        let path = format!("/v1/customers/{customer}/sessions/current/messages");
        self.http.post(format!("{}{path}", self.url)).bearer_auth(TOKEN).json(&body)
    }

    /// A page of the API: what is on it, and the path of the next.
    pub async fn page(&self, path: &str) -> (Vec<Value>, Option<String>) {
        let answer = self.http.get(format!("{}{path}", self.url)).bearer_auth(TOKEN).send().await.unwrap();
        let status = answer.status();
        assert!(status == 200 || status == 404, "GET {path}: {status}");
        let next = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let next = next.map(|link| link.trim_start_matches('<').split('>').next().unwrap().to_owned());
        let body: Value = answer.json().await.unwrap();
        (body.as_array().cloned().unwrap_or_default(), next)
    }

    /// The customer with that number.
    pub async fn customer(&self, number: &str) -> Option<String> {
        let path = format!("/v1/customers?phone_number={}", number.replace('+', "%2B"));
        let (found, _) = self.page(&path).await;
        Some(found.first()?["id"].as_str().unwrap().to_owned())
    }

    /// How many texts of customers had that outcome since it started.
    pub async fn texts(&self, outcome: &str) -> usize {
        let metrics = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let name = "switchboard_inbound_texts_total{";
        let outcome = format!("outcome=\"{outcome}\"");
        let line = metrics.lines().find(|line| line.starts_with(name) && line.contains(&outcome));
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }
}
