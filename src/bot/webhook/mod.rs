//! A bot behind a URL: each turn is POSTed to it, signed as Standard Webhooks 1.0.0 says, and the body of its `200` is
//! its answer.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue};

use super::endpoint::Endpoint;
use super::{AnswerLimits, Bot, BotError, SetupError, answer};
use crate::domain::conversation::Answer;
use crate::domain::message::Message;
use crate::domain::signature::{SigningKey, signature_header};
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnWork;

mod config;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod request;

pub use self::config::{Replies, WebhookBotConfig};

/// What tells the time of an attempt.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub struct WebhookBot {
    endpoint: Endpoint,
    keys: Vec<SigningKey>,
    limits: AnswerLimits,
    replies: Option<Replies>,
    clock: Clock,
}

impl WebhookBot {
    /// `client` follows no redirect.
    pub fn new(config: &WebhookBotConfig, client: reqwest::Client, clock: Clock) -> Result<Self, SetupError> {
        let keys = SigningKey::parse_all(&config.secrets);
        Ok(Self {
            endpoint: Endpoint::new(&config.url, config.timeout, client)?,
            keys: keys.map_err(|wrong| SetupError(wrong.to_string()))?,
            limits: config.limits,
            replies: config.replies.clone(),
            clock,
        })
    }

    fn headers(&self, id: &str, body: &[u8]) -> Result<HeaderMap, BotError> {
        let timestamp_s = (self.clock)().as_secs();
        let signature = signature_header(&self.keys, id, timestamp_s, body);
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| BotError::Refused("the turn cannot be signed".into()))
        };
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", value(id)?);
        headers.insert("webhook-timestamp", timestamp_s.into());
        headers.insert("webhook-signature", value(&signature)?);
        Ok(headers)
    }
}

#[async_trait]
impl Bot for WebhookBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        true
    }

    /// Of a turn that cannot be answered only the status counts: whatever the bot says to it, hand-off and session
    /// included, is passed over unread. A bot that wants to act then uses the API.
    async fn take_turn(&self, work: &TurnWork, _transcript: &[Message]) -> Result<Answer, BotError> {
        let body = request::body(work, self.replies.as_ref())
            .map_err(|error| BotError::Refused(format!("the turn cannot be written: {error}")))?;
        let headers = self.headers(&work.turn.id.to_string(), &body)?;
        let reply = self.endpoint.post(headers, body).await?;
        if reply.is_silent() || !work.turn.kind.may_be_answered() {
            return Ok(Answer::default());
        }
        answer::parse(&reply.body().await?, self.limits).map_err(BotError::Refused)
    }
}

#[cfg(test)]
mod tests;
