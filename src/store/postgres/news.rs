//! What others have told in the log: heard of by notifications, and looked up all the same, since a notification can be lost.
//! What this process has told is made known to the others; not with each commit, since a notification holds up all commits
//! of the database for a moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::client::{Dialer, Failure};
use super::log::{PART, make_parts, newest_place};

const CHANNEL: &str = "switchboard_events";
/// How long an event of another daemon's may go unnoticed at the most.
const LOOKED_UP_EVERY: Duration = Duration::from_secs(1);
/// How often the others are notified at the most.
const TOLD_EVERY: Duration = Duration::from_millis(20);

/// Makes a place of the log known, unless a later one is known already.
pub fn show(shown: &watch::Sender<u64>, place: u64) {
    shown.send_if_modified(|newest| {
        let newer = place > *newest;
        *newest = place.max(*newest);
        newer
    });
}

/// Until it is aborted.
pub async fn follow(dialer: Arc<Dialer>, news: watch::Sender<u64>, mut told: watch::Receiver<u64>) {
    loop {
        if let Err(failure) = listen(&dialer, &news, &mut told).await {
            tracing::debug!(reason = %failure.into_store_error(), "the log of events is not followed");
        }
        tokio::time::sleep(LOOKED_UP_EVERY).await;
    }
}

async fn listen(
    dialer: &Dialer,
    news: &watch::Sender<u64>,
    told: &mut watch::Receiver<u64>,
) -> Result<(), Failure> {
    let (notified, mut notifications) = mpsc::unbounded_channel();
    let session = dialer.listening(notified).await?;
    // Where there is no such thing, the log is looked at all the same.
    if let Err(failure) = session.batch(&format!("LISTEN {CHANNEL}")).await {
        tracing::warn!(reason = %failure.into_store_error(), "the database does not notify; its log is looked at each second");
    }
    let mut made_up_to = 0;
    loop {
        let newest = newest_place(&session).await?;
        show(news, newest);
        if newest / PART >= made_up_to {
            make_parts(&session, newest).await?;
            made_up_to = newest / PART + 1;
        }
        tokio::select! {
            heard = notifications.recv() => {
                if heard.is_none() {
                    return Ok(());
                }
                while notifications.try_recv().is_ok() {}
            }
            changed = told.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                // Others look all the same.
                drop(session.batch(&format!("NOTIFY {CHANNEL}")).await);
                tokio::time::sleep(TOLD_EVERY).await;
            }
            () = tokio::time::sleep(LOOKED_UP_EVERY) => {}
        }
    }
}
