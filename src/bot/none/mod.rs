//! No bot at all: every session belongs to agents. Must not be asked anything; if it is, it says nothing.

use async_trait::async_trait;

use super::{Bot, BotError};
use crate::domain::conversation::Answer;
use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

/// Stands where a bot would be.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBot;

#[async_trait]
impl Bot for NoBot {
    fn name(&self) -> &'static str {
        "bot"
    }

    fn is_present(&self) -> bool {
        false
    }

    async fn take_turn(&self, _work: &TurnWork, _transcript: &[Message]) -> Result<Answer, BotError> {
        Ok(Answer::default())
    }
}
