//! Conversations are not kept for ever, where a deployment says for how long. Those that are over are looked for, the
//! oldest first, and removed a few at a time, so that nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::SessionId;
use crate::store::{Pruned, StoreError};

use super::Gateway;

/// How many sessions are looked at, and removed, at a time; and the pause in between.
const AT_ONCE: usize = 20;
const BETWEEN: Duration = Duration::from_millis(200);
/// The pause between going through all of them.
const PAUSE: Duration = Duration::from_secs(10 * 60);

/// Removes what is older than `keep`, until the gateway stops.
pub(super) async fn prune(gateway: Arc<Gateway>, keep: Duration) {
    let mut from = None;
    let mut removed = Pruned::default();
    loop {
        let pause = match prune_some(&gateway, keep, from).await {
            Ok(pruned) => {
                removed.sessions += pruned.sessions;
                removed.messages += pruned.messages;
                from = pruned.next;
                if from.is_some() { BETWEEN } else { PAUSE }
            }
            Err(error) => {
                tracing::error!(%error, "old conversations could not be removed");
                PAUSE
            }
        };
        if from.is_none() && removed.sessions > 0 {
            let Pruned { sessions, messages, .. } = std::mem::take(&mut removed);
            tracing::info!(sessions, messages, "old conversations were removed");
        }
        if gateway.rest(pause).await.is_err() {
            return;
        }
    }
}

async fn prune_some(
    gateway: &Gateway,
    keep: Duration,
    from: Option<SessionId>,
) -> Result<Pruned, StoreError> {
    let now = gateway.now();
    let pruned = gateway.store.prune(now.before(keep), from, AT_ONCE, now).await?;
    gateway.metrics.pruned(&pruned);
    Ok(pruned)
}
