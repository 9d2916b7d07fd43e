//! What a Rasa bot needs: where its REST channel is, and what it may say.

use std::fmt;
use std::time::Duration;

use crate::bot::AnswerLimits;

#[derive(Clone)]
pub struct RasaBotConfig {
    /// Of the server, or of its REST channel's webhook.
    pub url: String,
    /// What a gate in front of it asks for; Rasa's own REST channel asks for nothing.
    pub token: Option<String>,
    /// For the whole call, the answer's body included.
    pub timeout: Duration,
    pub limits: AnswerLimits,
}

impl fmt::Debug for RasaBotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RasaBotConfig").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
