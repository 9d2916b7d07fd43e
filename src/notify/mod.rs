//! Whom the outside is told of events by: the trait [`Notifier`], one adapter a folder. An adapter turns an event into one
//! call; it decides nothing about who is told what, and does not try again.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::event::Event;
use crate::domain::session::Session;

mod call;
pub mod slack;
pub mod webhook;

pub use call::SetupError;

/// An event to be told.
#[derive(Clone, Debug)]
pub struct Notice {
    pub event: Event,
    /// The session that it is about, as it is now; none where there is none, or not any more.
    pub session: Option<Session>,
    /// As it stands on the wire: the JSON of `{id, name, created_at, data}`.
    pub body: String,
}

/// Why somebody could not be told. Repeats neither addresses nor secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It may work later.
    #[error("{why}")]
    Failed {
        why: String,
        /// For how long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Nobody is there any more, and the address asks not to be called again (410).
    #[error("it answered 410 Gone, which asks not to be called again")]
    Gone,
}

/// One endpoint.
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// What kind it is, for people.
    fn kind(&self) -> &'static str;
    /// Whether the event is of interest to this kind of endpoint at all.
    fn wants(&self, event: &Event) -> bool;
    /// Tells it. May be called again with the same event; the id tells that it is the same.
    async fn tell(&self, notice: &Notice) -> Result<(), NotifyError>;
}

#[cfg(test)]
mod tests;
