//! What the store may have put into our hand without our knowing: it failed while it wrote an attempt or a claim down, and
//! when it works again, they may be there. Nobody acts on them: a text leaves, and the bot is told, only after the store
//! has answered. They go back to where they were, as soon as the store can do it.

use std::sync::Arc;

use tokio::sync::{Notify, RwLock, RwLockReadGuard};

use crate::store::{InHand, StoreError};

use super::Gateway;
use super::troubles::STORE_PAUSE;

#[derive(Default)]
pub(super) struct Reclaim {
    /// Read while something is put into our hand, until it is known here; written while it is looked up what is.
    taking: RwLock<()>,
    wanted: Notify,
}

impl Reclaim {
    /// To be held from before an attempt or a claim is asked for until what came of it is noted.
    pub(super) async fn taking(&self) -> RwLockReadGuard<'_, ()> {
        self.taking.read().await
    }

    /// An attempt or a claim failed: perhaps it is there all the same.
    pub(super) fn after(&self, error: &StoreError) {
        if error.is_uncertain() {
            self.wanted.notify_one();
        }
    }
}

/// Takes back whatever is in our hand without our knowing, until the gateway stops.
pub(super) async fn run(gateway: Arc<Gateway>) {
    loop {
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = gateway.reclaim.wanted.notified() => {}
        }
        let mut trouble = gateway.troubles.watch();
        while let Err(error) = gateway.reclaim().await {
            trouble.met(&error, "what was begun while the store failed could not be taken back");
            if gateway.rest(STORE_PAUSE).await.is_err() {
                return;
            }
        }
    }
}

impl Gateway {
    async fn reclaim(&self) -> Result<(), StoreError> {
        let alone = self.reclaim.taking.write().await;
        let known = InHand { messages: self.outbound.in_flight.all(), turns: self.turns.in_hand() };
        let reclaimed = self.store.reclaim(&self.duties.term().owner, known, self.now()).await?;
        drop(alone);
        if reclaimed.messages + reclaimed.turns > 0 {
            tracing::warn!(
                messages = reclaimed.messages,
                turns = reclaimed.turns,
                "the store had kept what it could not say that it kept; none of it had left, and it is taken up again"
            );
            self.turns.wake();
        }
        // Also if nothing was in hand: then a text may have been withdrawn, and its customer's next may go.
        self.outbound.wake_all();
        Ok(())
    }
}
