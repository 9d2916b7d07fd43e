//! The conversational systems: the trait [`Bot`], one adapter a folder. An adapter turns a turn into one call of its
//! bot and the bot's words into an [`Answer`]; it decides nothing about sessions.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::conversation::Answer;
use crate::domain::message::Message;
use crate::domain::turn::TurnWork;

pub mod answer;
pub mod echo;
mod endpoint;
#[cfg(test)]
mod fixtures;
pub mod init;
pub mod none;
pub mod openai;
pub mod rasa;
mod reading;
#[cfg(test)]
pub(crate) mod tests;
mod transcript;
pub mod webhook;

pub use self::reading::AnswerLimits;

/// Why a bot could not be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BotError {
    /// It may work later: unreachable, overloaded, broken.
    #[error("{why}")]
    Unavailable {
        why: String,
        /// For how long the bot asks to be left alone; five minutes at the most.
        retry_after: Option<Duration>,
    },
    /// It will not work later: the bot refuses the turn, or answers what cannot be read.
    #[error("{0}")]
    Refused(String),
    /// Nobody is there any more, and the address asks not to be called again (410).
    #[error("it answered 410 Gone, which asks not to be called again")]
    Gone,
}

impl BotError {
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), retry_after: None }
    }
}

/// Why an adapter cannot work as it is configured. Repeats neither addresses nor secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bot cannot be called: {0}")]
pub struct SetupError(String);

/// One conversational system. `bot/tests/behaviour.rs` holds every adapter to this.
///
/// * A turn that cannot be answered ([`TurnKind::may_be_answered`](crate::domain::turn::TurnKind::may_be_answered)) is
///   answered with nothing, whatever the bot says.
/// * What the bot says keeps its order. An empty answer is nothing said.
/// * An answer is taken whole or not at all: one with too many texts, or with one that is too long, is refused.
/// * Time-outs, broken lines, `5xx`, `408`, `425` and `429` are [`BotError::Unavailable`]; `410` is [`BotError::Gone`]; any
///   other `4xx`, a redirect, and what cannot be read are [`BotError::Refused`].
/// * Redirects are not followed, nothing is tried again, and no more is read than an answer may have.
/// * No error repeats an address, a secret, or what a customer or the bot said.
#[async_trait]
pub trait Bot: Send + Sync + 'static {
    /// Its name, as the author of its messages.
    fn name(&self) -> &str;
    /// Whether there is one at all. Without one every session belongs to agents.
    fn is_present(&self) -> bool;
    /// How many of the session's newest messages it wants to be given with each turn; 0 for a bot that remembers by itself.
    fn transcript_len(&self) -> usize {
        0
    }
    /// Tells it one turn. May be called again with the same turn (`work.turn.id`) if the answer was lost.
    /// `transcript`: the session's newest messages, oldest first, at most [`Self::transcript_len`].
    async fn take_turn(&self, work: &TurnWork, transcript: &[Message]) -> Result<Answer, BotError>;
}
