//! What a webhook bot needs: where it is, what its turns are signed with, what it may say.

use std::fmt;
use std::time::Duration;

use crate::bot::AnswerLimits;
use crate::domain::ids::TurnId;
use crate::domain::reply::ReplyKey;

#[derive(Clone)]
pub struct WebhookBotConfig {
    pub url: String,
    /// `whsec_…`. All of them sign every turn, so that the bot may change from one to the next.
    pub secrets: Vec<String>,
    /// For the whole call, the answer's body included.
    pub timeout: Duration,
    pub limits: AnswerLimits,
    /// How the bot may answer by a call of its own; none: it cannot.
    pub replies: Option<Replies>,
}

/// How a bot answers a turn by a call of its own.
#[derive(Clone, Debug)]
pub struct Replies {
    /// How the bot reaches the daemon, without a slash at its end.
    pub base_url: String,
    /// What its right to answer is signed with.
    pub key: ReplyKey,
}

impl Replies {
    pub fn url(&self, turn: TurnId) -> String {
        format!("{}/v1/bot/turns/{turn}/reply", self.base_url)
    }
}

impl fmt::Debug for WebhookBotConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookBotConfig").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
