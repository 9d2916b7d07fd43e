//! A bot of Init.ai's kind, the first that this family of APIs had: each text of the customer's is POSTed to it as a
//! `LogicInvocation`. It answers by calls of its own, so a good status says only that it has heard.

use async_trait::async_trait;
use http::HeaderMap;

use super::endpoint::{Endpoint, secret_value};
use super::{Bot, BotError, SetupError};
use crate::domain::conversation::Answer;
use crate::domain::message::Message;
use crate::domain::reply::ReplyKey;
use crate::domain::turn::TurnWork;

mod config;
mod request;

pub use self::config::InitBotConfig;

const SECRET: &str = "x-init-ai-secret";
/// How much of the conversation an invocation tells.
const TRANSCRIPT: usize = 100;

pub struct InitBot {
    endpoint: Endpoint,
    headers: HeaderMap,
    api_base: String,
    reply_key: ReplyKey,
}

impl InitBot {
    /// `client` follows no redirect.
    pub fn new(config: InitBotConfig, client: reqwest::Client) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::new();
        headers.insert(SECRET, secret_value("secret", &config.secret)?);
        let endpoint = Endpoint::new(&config.url, config.timeout, client)?;
        let reply_key = ReplyKey::of(&config.secret);
        Ok(Self { endpoint, headers, api_base: config.api_base, reply_key })
    }
}

#[async_trait]
impl Bot for InitBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        true
    }

    fn transcript_len(&self) -> usize {
        TRANSCRIPT
    }

    /// An invocation asks for an answer: there is none where none is expected.
    async fn take_turn(&self, work: &TurnWork, transcript: &[Message]) -> Result<Answer, BotError> {
        if work.turn.kind.may_be_answered() {
            let body = request::body(work, transcript, &self.api_base, &self.reply_key);
            self.endpoint.post(self.headers.clone(), body).await?;
        }
        Ok(Answer::default())
    }
}

#[cfg(test)]
mod tests;
