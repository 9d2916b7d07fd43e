//! What a webhook bot needs: where it is, what its turns are signed with, what it may say.

use std::fmt;
use std::time::Duration;

use crate::bot::AnswerLimits;

#[derive(Clone)]
pub struct WebhookBotConfig {
    pub url: String,
    /// `whsec_…`. All of them sign every turn, so that the bot may change from one to the next.
    pub secrets: Vec<String>,
    /// For the whole call, the answer's body included.
    pub timeout: Duration,
    pub limits: AnswerLimits,
}

impl fmt::Debug for WebhookBotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookBotConfig").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
