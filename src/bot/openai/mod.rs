//! A language model behind a chat-completions API: OpenAI's, or a server that speaks it, such as llama.cpp, vLLM or Ollama. It
//! remembers nothing, so each turn brings the conversation; it may call for a human.

use async_trait::async_trait;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use self::answer::{Call, Verdict};
use super::endpoint::{Endpoint, no_answer, secret_value};
use super::{Bot, BotError, SetupError};
use crate::domain::conversation::Answer;
use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

mod answer;
mod config;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod request;
mod split;

pub use self::config::OpenAiBotConfig;

const COMPLETIONS: &str = "chat/completions";
/// The tool that the model has.
const REQUEST_HUMAN: &str = "request_human";
/// Where OpenAI's own API is.
const OPENAI: &str = "api.openai.com";
/// How often the model is asked for one turn: once more after it has called a tool that there is not.
const ROUNDS: usize = 2;

pub struct OpenAiBot {
    endpoint: Endpoint,
    headers: HeaderMap,
    config: OpenAiBotConfig,
}

impl OpenAiBot {
    /// `client` follows no redirect.
    pub fn new(config: OpenAiBotConfig, client: reqwest::Client) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &config.api_key {
            headers.insert(header::AUTHORIZATION, secret_value("api_key", &format!("Bearer {key}"))?);
        }
        let endpoint = Endpoint::beneath(&config.url, COMPLETIONS, config.timeout, client)?;
        Ok(Self { endpoint, headers, config })
    }

    async fn converse(&self, work: &TurnWork, transcript: &[Message]) -> Result<Answer, BotError> {
        let mut messages = request::messages(&self.config, work, transcript);
        let mut said_before = None;
        for _ in 0..ROUNDS {
            let body = request::body(&self.config, self.endpoint.host(), work, &messages);
            let reply = self.endpoint.post(self.headers.clone(), body).await?.body().await?;
            match answer::parse(&reply, self.config.limits).map_err(BotError::Refused)? {
                Verdict::Answer(answer) => return Ok(answer),
                Verdict::UnknownTools { content, calls } => {
                    messages.extend(there_is_no_such_tool(content.as_deref(), &calls));
                    said_before = content;
                }
            }
        }
        match said_before {
            Some(content) => answer::said(&content, None, self.config.limits).map_err(BotError::Refused),
            None => Err(BotError::Refused("the model insists on tools that there are not".into())),
        }
    }
}

#[async_trait]
impl Bot for OpenAiBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        true
    }

    fn transcript_len(&self) -> usize {
        match self.config.history {
            0 => 0,
            // The customer's text itself is among them.
            earlier => earlier + 1,
        }
    }

    /// The model is asked only for what it is to answer; what else was said is in the next turn's transcript.
    async fn take_turn(&self, work: &TurnWork, transcript: &[Message]) -> Result<Answer, BotError> {
        if !work.turn.kind.may_be_answered() {
            return Ok(Answer::default());
        }
        let timeout = self.config.timeout;
        tokio::time::timeout(timeout, self.converse(work, transcript))
            .await
            .unwrap_or_else(|_| Err(no_answer(timeout)))
    }
}

/// What the model said, and what its tools had to say to that.
fn there_is_no_such_tool(content: Option<&str>, calls: &[Call]) -> Vec<Value> {
    let made = |call: &Call| {
        let arguments = match &call.function.arguments {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let function = json!({"name": call.function.name, "arguments": arguments});
        json!({"id": call.id, "type": "function", "function": function})
    };
    let tool_calls: Vec<_> = calls.iter().map(made).collect();
    let said = json!({"role": "assistant", "content": content, "tool_calls": tool_calls});
    let error =
        format!("error: there is no such tool. Answer the customer in plain text, or call {REQUEST_HUMAN}.");
    let answer = |call: &Call| json!({"role": "tool", "tool_call_id": call.id, "content": error});
    std::iter::once(said).chain(calls.iter().map(answer)).collect()
}

#[cfg(test)]
pub(super) mod tests;
