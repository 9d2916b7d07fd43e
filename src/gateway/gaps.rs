//! Notices when nobody has taken customers' texts for a while (the daemon was down, the store did not write, the machine
//! slept), and has the providers asked for them.
//!
//! How far that is known to be in order is marked in the store. The mark stands still until everything that was missed
//! is taken: however often the daemon dies in between, what it missed before is asked for again.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::store::{Alive, StoreError};

use super::Gateway;
use super::channels::Channel;

/// How often it is marked that all is well.
const MARK_EVERY: Duration = Duration::from_secs(30);
/// A mark so old, of a process that runs, says that it could not write, or did not run.
const OUTAGE: Duration = Duration::from_secs(90);
/// A restart as quick as that has cost nothing: providers try for longer.
const BRIEF: Duration = Duration::from_secs(5);
/// How far providers' clocks and ours may be apart. Too much costs nothing but a longer list.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// How long a text may be missing from the provider's list: after that it is asked once more.
const LIST_LAG: Duration = Duration::from_secs(60);
/// The pauses after which a provider that could not be asked is asked again; the last one for ever.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
];

/// Why it ends.
struct Stopping;

/// What is known when the gateway starts.
pub(super) struct Watch {
    /// When it was marked last that all is well.
    last: Option<Alive>,
    /// Since when texts may have been missed.
    missed: Option<Alive>,
}

/// Looks at what an earlier process left. From here on it shows if this one dies.
pub(super) async fn begin(gateway: &Gateway) -> Result<Watch, StoreError> {
    let now = gateway.now();
    let last = gateway.store.last_alive().await?;
    let missed = last.filter(|last| !last.clean || now.since(last.at) > BRIEF);
    if missed.is_some() {
        return Ok(Watch { last, missed });
    }
    let alive = Alive { at: now, clean: false };
    gateway.store.mark_alive(alive).await?;
    Ok(Watch { last: Some(alive), missed: None })
}

/// Watches until the gateway stops.
pub(super) async fn watch(gateway: Arc<Gateway>, watch: Watch) {
    // Only where nothing is left to recover is it known that nothing is missing.
    if watch_until_stopped(&gateway, watch).await.is_ok() {
        mark(&gateway, Alive { at: gateway.now(), clean: true }).await;
    }
}

/// Ends well if the gateway stops while all is well.
async fn watch_until_stopped(gateway: &Gateway, watch: Watch) -> Result<(), Stopping> {
    let Watch { mut last, mut missed } = watch;
    loop {
        if let Some(missed) = missed {
            let since = missed.at.before(CLOCK_SKEW);
            tracing::info!(%since, clean = missed.clean, "texts may have been missed since then; asking the providers");
            recover_all(gateway, since).await?;
            rest(gateway, LIST_LAG).await?;
            recover_all(gateway, since).await?;
        }
        let alive = Alive { at: gateway.now(), clean: false };
        if mark(gateway, alive).await {
            last = Some(alive);
        }
        if rest(gateway, MARK_EVERY).await.is_err() {
            return Ok(());
        }
        missed = last.filter(|last| gateway.now().since(last.at) > OUTAGE);
    }
}

async fn mark(gateway: &Gateway, alive: Alive) -> bool {
    match gateway.store.mark_alive(alive).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "it could not be marked that no text was missed; the providers are asked later");
            false
        }
    }
}

/// Asks every channel that wants it, until all of them have answered.
async fn recover_all(gateway: &Gateway, since: Timestamp) -> Result<(), Stopping> {
    let wants = |channel: &&Arc<Channel>| channel.recover && channel.provider.capability().lists_received;
    let mut left: Vec<Arc<Channel>> = gateway.channels.iter().filter(wants).cloned().collect();
    let mut pauses = PAUSES.into_iter();
    let mut pause = Duration::ZERO;
    while !left.is_empty() {
        rest(gateway, pause).await?;
        pause = pauses.next().unwrap_or(pause);
        let mut failed = Vec::new();
        for channel in left {
            match gateway.recover(&channel, since).await {
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        channel = channel.name, %error, again_in_s = pause.as_secs(),
                        "the provider could not be asked for texts that were missed"
                    );
                    failed.push(channel);
                }
            }
        }
        left = failed;
    }
    Ok(())
}

async fn rest(gateway: &Gateway, pause: Duration) -> Result<(), Stopping> {
    tokio::select! {
        biased;
        () = gateway.stop.cancelled() => Err(Stopping),
        () = tokio::time::sleep(pause) => Ok(()),
    }
}
