//! An endpoint behind a URL: each event is POSTed to it, signed as Standard Webhooks 1.0.0 says. Its id is the event's, the
//! same on every repeat.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue};

use super::call::{Call, SetupError, failed};
use super::{Notice, Notifier, NotifyError};
use crate::domain::event::Event;
use crate::domain::signature::{SigningKey, signature_header};
use crate::domain::time::Timestamp;

/// What tells the time of an attempt.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub struct WebhookNotifier {
    call: Call,
    /// All of them sign, so that the receiver may change from one to the next.
    keys: Vec<SigningKey>,
    clock: Clock,
}

impl WebhookNotifier {
    /// `secrets`: `whsec_…`, at least one. `client` follows no redirect.
    pub fn new(
        url: &str,
        secrets: &[String],
        client: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        let keys = SigningKey::parse_all(secrets);
        Ok(Self {
            call: Call::new(url, client)?,
            keys: keys.map_err(|wrong| SetupError(wrong.to_string()))?,
            clock,
        })
    }

    fn headers(&self, id: &str, body: &str) -> Option<HeaderMap> {
        let timestamp_s = (self.clock)().as_secs();
        let signature = signature_header(&self.keys, id, timestamp_s, body.as_bytes());
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
        headers.insert("webhook-timestamp", timestamp_s.into());
        headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
        Some(headers)
    }
}

#[async_trait]
impl Notifier for WebhookNotifier {
    fn kind(&self) -> &'static str {
        "standard"
    }

    fn wants(&self, _event: &Event) -> bool {
        true
    }

    async fn tell(&self, notice: &Notice) -> Result<(), NotifyError> {
        let id = notice.event.id().to_string();
        let headers = self.headers(&id, &notice.body).ok_or_else(|| failed("the event cannot be signed"))?;
        self.call.post(headers, notice.body.clone()).await
    }
}

#[cfg(test)]
mod tests;
