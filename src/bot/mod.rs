//! The conversational systems: the trait [`Bot`], one adapter a folder. An adapter turns a turn into one call of its
//! bot and the bot's words into an [`Answer`]; it decides nothing about sessions.

use async_trait::async_trait;

use crate::domain::conversation::Answer;
use crate::domain::turn::TurnWork;

pub mod echo;
#[cfg(test)]
mod fixtures;
pub mod none;
pub mod webhook;

/// Why a bot could not be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BotError {
    /// It may work later: unreachable, overloaded, broken.
    #[error("the bot is unavailable: {0}")]
    Unavailable(String),
    /// It will not work later: the bot refuses the turn, or answers what cannot be read.
    #[error("the bot refused: {0}")]
    Refused(String),
}

/// One conversational system.
#[async_trait]
pub trait Bot: Send + Sync + 'static {
    /// Its name, as the author of its messages.
    fn name(&self) -> &str;
    /// Whether there is one at all. Without one every session belongs to agents.
    fn is_present(&self) -> bool;
    /// Tells it one turn. May be called again with the same turn (`work.turn.id`) if the answer was lost.
    async fn take_turn(&self, work: &TurnWork) -> Result<Answer, BotError>;
}
