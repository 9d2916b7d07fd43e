//! A store that does not work is met by everything that goes on by itself, again and again. It is said once, and once that
//! it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::StoreError;

/// How long a store that does not work is left alone.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How many are in trouble now.
#[derive(Clone, Default)]
pub(super) struct Troubles(Arc<Mutex<usize>>);

/// One who may meet it.
pub(super) struct Trouble {
    among: Troubles,
    in_it: bool,
}

impl Troubles {
    pub(super) fn watch(&self) -> Trouble {
        Trouble { among: self.clone(), in_it: false }
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble {
    /// What came of something that was to be done; none if the store failed, and `what` could not be done for that.
    pub(super) fn note<T>(&mut self, done: Result<T, StoreError>, what: &'static str) -> Option<T> {
        match done {
            Ok(done) => {
                self.over();
                Some(done)
            }
            Err(error) => {
                self.met(&error, what);
                None
            }
        }
    }

    /// The store failed; `what` could not be done for that. It will be tried again.
    pub(super) fn met(&mut self, error: &StoreError, what: &'static str) {
        let first = !std::mem::replace(&mut self.in_it, true) && {
            let mut count = self.among.count();
            *count += 1;
            *count == 1
        };
        if first {
            tracing::error!(%error, "{what}; all that fails with the store is tried again, and said at the end");
        } else {
            tracing::debug!(%error, "{what}");
        }
    }

    /// What could not be done is done.
    pub(super) fn over(&mut self) {
        if !std::mem::take(&mut self.in_it) {
            return;
        }
        let mut count = self.among.count();
        *count -= 1;
        if *count == 0 {
            tracing::info!("what failed with the store has been done");
        }
    }
}

impl Drop for Trouble {
    fn drop(&mut self) {
        self.over();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_it_is_over_for_all() {
        let troubles = Troubles::default();
        let (mut one, mut two) = (troubles.watch(), troubles.watch());
        let error = StoreError::Overloaded;
        one.met(&error, "one");
        one.met(&error, "one");
        two.met(&error, "two");
        assert_eq!(*troubles.count(), 2);
        one.over();
        one.over();
        assert_eq!(*troubles.count(), 1);
        drop(two);
        assert_eq!(*troubles.count(), 0);
    }
}
