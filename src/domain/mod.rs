//! Pure types and rules. No I/O, no clock, no randomness: they come in as values.
//!
//! What is true whoever asks stands here: who may be texted, who may speak, what a keyword does, how a message's
//! state moves, how many segments a text has, when the next one may leave. The engines in [`crate::store`] load and
//! keep; the use-cases in [`crate::gateway`] fetch and send; neither decides.

pub mod answer;
pub mod attention;
pub mod causes;
pub mod consent;
pub mod conversation;
pub mod customer;
pub mod delivery;
pub mod digest;
pub mod endpoint;
pub mod event;
#[cfg(test)]
mod fixtures;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
pub mod ids;
pub mod keywords;
pub mod message;
pub mod pace;
pub mod pause;
pub mod phone;
pub mod reply;
pub mod retry;
pub mod search;
pub mod segments;
pub mod session;
pub mod signature;
pub mod time;
pub mod turn;
