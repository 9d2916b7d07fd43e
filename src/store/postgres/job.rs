//! A command that waits for a batch: what it will want to know, what it does, and who is told what came of it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::working::{Want, Working};
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// What became of a batch.
pub type Committed = Result<(), StoreErrorKind>;

/// Why a batch was not committed, for each of its commands.
#[derive(Clone, Debug)]
pub enum StoreErrorKind {
    Unavailable(String),
    /// Somebody else keeps what it needs locked.
    Blocked(String),
    /// Others were faster, again and again.
    InTheWay(String),
    Uncertain(String),
    BrokeOff(String),
}

impl StoreErrorKind {
    fn error(&self) -> StoreError {
        match self {
            Self::Unavailable(reason) | Self::Blocked(reason) | Self::InTheWay(reason) => {
                StoreError::Unavailable(reason.clone())
            }
            Self::Uncertain(reason) => StoreError::Uncertain(reason.clone()),
            Self::BrokeOff(reason) => StoreError::BrokeOff(reason.clone()),
        }
    }
}

/// Run as often as it takes until everything was loaded that it asked for.
pub trait Job: Send {
    fn wants(&self) -> &BTreeSet<Want>;
    fn run(&mut self, working: &mut Working);
    /// Tells the caller.
    fn end(self: Box<Self>, committed: &Committed);
}

pub struct Command<T, E, C> {
    pub now: Timestamp,
    pub wants: BTreeSet<Want>,
    pub run: C,
    pub result: Option<Result<T, E>>,
    pub answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, C> Job for Command<T, E, C>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    C: Fn(&mut Working) -> Result<T, E> + Send + 'static,
{
    fn wants(&self) -> &BTreeSet<Want> {
        &self.wants
    }

    fn run(&mut self, working: &mut Working) {
        working.begin(self.now);
        // After a panic the command's writes are thrown away: nothing half-done is seen by anybody.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let done = (self.run)(working)?;
            working.keep()?;
            Ok(done)
        }))
        .unwrap_or_else(|_| Err(StoreError::BrokeOff("it panicked".into()).into()));
        if result.is_err() {
            working.discard();
        }
        self.result = Some(result);
    }

    fn end(self: Box<Self>, committed: &Committed) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::BrokeOff("it was not run".into()).into()),
            (Err(reason), _) => Err(reason.error().into()),
        };
        if self.answer.send(result).is_err() {
            tracing::debug!("a command was done, but its caller had left");
        }
    }
}
