//! A bot behind a URL: each turn is POSTed to it, signed as Standard Webhooks 1.0.0 says, and the body of its `200` is
//! its answer. Owns the call and the reading of its status; must not try again by itself, nor follow redirects.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;

use self::answer::AnswerLimits;
use self::signature::SigningKey;
use super::{Bot, BotError};
use crate::domain::conversation::Answer;
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnWork;

mod answer;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod request;
pub mod signature;

pub use self::signature::InvalidSecret;

/// The most that is read of an answer.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Where the bot is and what it may say.
#[derive(Clone)]
pub struct WebhookBotConfig {
    pub url: String,
    /// `whsec_…`. All of them sign every turn, so that the bot may change from one to the next.
    pub secrets: Vec<String>,
    /// For the whole call, the answer's body included.
    pub timeout: Duration,
    /// Of one answer.
    pub max_texts: usize,
    /// Of one text, in UTF-16 units.
    pub max_content_units: usize,
}

impl fmt::Debug for WebhookBotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookBotConfig").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// What tells the time of an attempt.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub struct WebhookBot {
    url: String,
    keys: Vec<SigningKey>,
    timeout: Duration,
    limits: AnswerLimits,
    client: reqwest::Client,
    clock: Clock,
}

impl WebhookBot {
    /// `client` is to be made from [`Self::client_builder`].
    pub fn new(
        config: WebhookBotConfig,
        client: reqwest::Client,
        clock: Clock,
    ) -> Result<Self, InvalidSecret> {
        let keys = config.secrets.iter().map(|secret| SigningKey::parse(secret)).collect::<Result<_, _>>()?;
        let limits =
            AnswerLimits { max_texts: config.max_texts, max_content_units: config.max_content_units };
        Ok(Self { url: config.url, keys, timeout: config.timeout, limits, client, clock })
    }

    /// A client that follows no redirect: a turn is for the configured address and for no other.
    pub fn client_builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none())
    }

    async fn post(&self, work: &TurnWork) -> Result<reqwest::Response, BotError> {
        let body = request::body(work)
            .map_err(|error| BotError::Refused(format!("the turn cannot be written: {error}")))?;
        let id = work.turn.id.to_string();
        let timestamp_s = (self.clock)().as_secs();
        let signature = signature::signature_header(&self.keys, &id, timestamp_s, &body);
        self.client
            .post(&self.url)
            .timeout(self.timeout)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp_s)
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await
            .map_err(|error| self.unreachable(error))
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, BotError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(BotError::Refused(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// In words without the URL, which may carry a secret.
    fn unreachable(&self, error: reqwest::Error) -> BotError {
        if error.is_builder() {
            return BotError::Refused("its url is not one that can be called".into());
        }
        if error.is_timeout() {
            return BotError::Unavailable(format!("no answer within {:?}", self.timeout));
        }
        let error = error.without_url();
        let mut words = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        BotError::Unavailable(words)
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

    /// Of a turn that expects no reply only the status counts: whatever the bot says to it, hand-off and session
    /// included, is passed over unread. A bot that wants to act then uses the API.
    async fn take_turn(&self, work: &TurnWork) -> Result<Answer, BotError> {
        let response = self.post(work).await?;
        let status = response.status();
        judge(status)?;
        let silent = matches!(status, StatusCode::NO_CONTENT | StatusCode::ACCEPTED);
        if silent || !work.turn.kind.expects_reply() {
            return Ok(Answer::default());
        }
        let body = self.read(response).await?;
        answer::parse(&body, self.limits).map_err(BotError::Refused)
    }
}

/// What a status means for the turn.
fn judge(status: StatusCode) -> Result<(), BotError> {
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    match status {
        _ if status.is_success() => Ok(()),
        _ if status.is_server_error() || passing.contains(&status) => {
            Err(BotError::Unavailable(format!("it answered {status}")))
        }
        _ if status.is_redirection() => Err(BotError::Refused(format!(
            "it answered {status}; redirects are not followed, set its final url"
        ))),
        _ => Err(BotError::Refused(format!("it answered {status}"))),
    }
}

#[cfg(test)]
mod tests;
