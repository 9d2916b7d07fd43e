//! A Rasa bot, by its REST channel: each text of the customer's is POSTed to it, and the array that it answers is what it says.
//! It remembers the conversation by itself, so it is told nothing but what customers write.

use async_trait::async_trait;
use http::{HeaderMap, header};

use super::endpoint::{Endpoint, secret_value};
use super::{AnswerLimits, Bot, BotError, SetupError};
use crate::domain::conversation::Answer;
use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

mod answer;
mod config;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod request;

pub use self::config::RasaBotConfig;

/// Where Rasa's REST channel listens.
const CHANNEL: &str = "webhooks/rest/webhook";

pub struct RasaBot {
    endpoint: Endpoint,
    headers: HeaderMap,
    limits: AnswerLimits,
}

impl RasaBot {
    /// `client` follows no redirect.
    pub fn new(config: &RasaBotConfig, client: reqwest::Client) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &config.token {
            headers.insert(header::AUTHORIZATION, secret_value("token", &format!("Bearer {token}"))?);
        }
        let endpoint = Endpoint::beneath(&config.url, CHANNEL, config.timeout, client)?;
        Ok(Self { endpoint, headers, limits: config.limits })
    }
}

#[async_trait]
impl Bot for RasaBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        true
    }

    async fn take_turn(&self, work: &TurnWork, _transcript: &[Message]) -> Result<Answer, BotError> {
        let newest = work.messages().next_back();
        let Some(newest) = newest.filter(|_| work.turn.kind.may_be_answered()) else {
            return Ok(Answer::default());
        };
        let reply = self.endpoint.post(self.headers.clone(), request::body(work, newest)).await?;
        if reply.is_silent() {
            return Ok(Answer::default());
        }
        answer::parse(&reply.body().await?, self.limits).map_err(BotError::Refused)
    }
}

#[cfg(test)]
mod tests;
