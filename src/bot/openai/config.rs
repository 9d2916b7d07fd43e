//! What a language model behind a chat-completions API needs: where it is, what it is told to be, how much of the
//! conversation it sees, what it may say.

use std::fmt;
use std::time::Duration;

use crate::bot::AnswerLimits;

#[derive(Clone)]
pub struct OpenAiBotConfig {
    /// Of the API, as `https://api.openai.com/v1`.
    pub url: String,
    /// Servers of one's own often ask for none.
    pub api_key: Option<String>,
    pub model: String,
    pub system_prompt: String,
    /// Of one completion.
    pub max_tokens: usize,
    pub temperature: Option<f64>,
    /// How many messages before the customer's it sees, and how many characters of them.
    pub history: usize,
    pub max_history_chars: usize,
    /// For a whole turn, however often the model is asked for it.
    pub timeout: Duration,
    pub limits: AnswerLimits,
}

impl fmt::Debug for OpenAiBotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiBotConfig")
            .field("model", &self.model)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
