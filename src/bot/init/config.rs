//! What a bot of Init.ai's kind needs: where it is, the secret that is shared with it, and where it finds the API.

use std::fmt;
use std::time::Duration;

#[derive(Clone)]
pub struct InitBotConfig {
    pub url: String,
    /// Goes out in `X-Init-Ai-Secret`, as it comes back in with what the bot says.
    pub secret: String,
    /// How the bot reaches the daemon.
    pub api_base: String,
    /// For the whole call.
    pub timeout: Duration,
}

impl fmt::Debug for InitBotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitBotConfig").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
