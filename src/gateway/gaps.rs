//! Has the providers asked for customers' texts that may have been missed: the daemon was down, the store refused one, the
//! machine slept, calls were turned away, for however short; providers give up after seconds.
//!
//! Until when nothing was missed is marked in the store. While any channel owes something (`owed`) the mark stands still at
//! the earliest of it: however often the daemon dies in between, what it missed before is asked for again. After a long
//! absence it moves with each day that is taken. Channels do not wait for one another.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::{CLOCK_SKEW, Timestamp};
use crate::store::{Alive, StoreError};

use super::channels::Channel;
use super::duties::one;
use super::owed::{Debt, Owing, wants_asking};
use super::recovery::{MOST_BACK, RecoverError};
use super::troubles::STORE_PAUSE;
use super::{Gateway, Stopping};

/// How often it is marked that all is well.
const MARK_EVERY: Duration = Duration::from_secs(30);
/// How often a process shows itself that it runs, and how late it may be: later, and providers may have given up.
const TICK: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(3);
/// A clock that is set loses or gains more than that from one tick to the next.
const DRIFT: Duration = Duration::from_millis(500);
/// How long a text may be missing from the provider's list: after that it is asked once more.
const LIST_LAG: Duration = Duration::from_secs(60);
/// What is older than that is in the provider's list, or never will be.
const LISTED: Duration = Duration::from_secs(60 * 60);
/// A provider is asked no more often than that, however many texts are missed; and as often as that where it is the store
/// that fails.
const ASK_EVERY: Duration = Duration::from_secs(10);
const NOT_MARKED: &str = "it could not be marked until when no text was missed";
/// The pauses after which a provider that could not be asked is asked again; the last one for ever.
const PAUSES: [Duration; 5] = [
    ASK_EVERY,
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
];

/// Looks at what an earlier process left: since its last mark, all may have been missed. A first start missed nothing.
pub(super) async fn begin(gateway: &Gateway) -> Result<(), StoreError> {
    let now = gateway.now();
    if let Some(last) = gateway.store.last_alive().await? {
        // A mark in the future was made by a wrong clock, nobody knows when.
        let since = if last.at > now { now.before(MOST_BACK) } else { last.at };
        tracing::info!(%since, clean = last.clean, "texts may have been missed since then");
        gateway.owed.note(since);
    }
    gateway.mark_alive(false).await
}

/// Watches until the gateway stops.
pub(super) async fn watch(gateway: Arc<Gateway>) {
    let mut seen = (gateway.now(), gateway.elapsed());
    while gateway.rest(TICK).await.is_ok() {
        let now = (gateway.now(), gateway.elapsed());
        notice_absence(&gateway, seen, now);
        seen = now;
    }
}

/// Marks again and again that nothing was missed, until the gateway stops. Of several daemons one marks for all: what the
/// others owe is known to those who come after them.
pub(super) async fn mark(gateway: Arc<Gateway>) {
    let mut trouble = gateway.troubles.watch();
    if gateway.store.is_shared() {
        // The one before may not have come to it.
        while let Err(error) = begin(&gateway).await {
            trouble.met(&error, NOT_MARKED);
            if gateway.rest(STORE_PAUSE).await.is_err() {
                return;
            }
        }
    }
    while gateway.rest(MARK_EVERY).await.is_ok() {
        trouble.note(gateway.mark_alive(false).await, NOT_MARKED);
    }
    trouble.note(gateway.mark_alive(true).await, NOT_MARKED);
}

/// Whether the process, or the machine, stood still since it was seen last, or the clock was set.
fn notice_absence(gateway: &Gateway, seen: (Timestamp, Duration), now: (Timestamp, Duration)) {
    let (by_clock, really) = (now.0.since(seen.0), now.1.saturating_sub(seen.1));
    let went_back = seen.0.after(really).since(now.0);
    if went_back > DRIFT {
        gateway.owed.clock_went_back(went_back);
    }
    // A machine that sleeps shows by the clock alone.
    if by_clock.max(really) > TICK + LATE {
        let since = if went_back > DRIFT { now.0.before(really) } else { seen.0 };
        tracing::warn!(%since, "the daemon did not run for a while; texts may have been missed");
        gateway.owed.note(since);
    }
}

impl Gateway {
    /// Calls were turned away before anybody knew whose they were: customers' texts may have been among them.
    pub fn calls_were_lost(&self) {
        self.owed.note(self.now());
    }

    /// Marks until when nothing was missed. `stopped`: this is the last that is heard of this process.
    async fn mark_alive(&self, stopped: bool) -> Result<(), StoreError> {
        let _one_by_one = self.marking.lock().await;
        let now = self.now();
        let owed = self.owed.since();
        let alive = Alive { at: owed.unwrap_or(now).min(now), clean: stopped };
        self.store.mark_alive(alive).await
    }
}

/// Has a channel's provider asked for what was missed, whenever something was, until the gateway stops.
pub(super) async fn settle(gateway: Arc<Gateway>, channel: Arc<Channel>) {
    if !wants_asking(&channel) {
        return;
    }
    if let Some(owing) = gateway.owed.by(&channel.name) {
        // It only ever ends because the gateway stops.
        let Err(Stopping) = settle_until_stopped(&gateway, &channel, owing).await;
    }
}

async fn settle_until_stopped(
    gateway: &Gateway,
    channel: &Channel,
    owing: &Owing,
) -> Result<std::convert::Infallible, Stopping> {
    loop {
        gateway.unless_stopped(owing.debt_noted()).await?;
        let Some(debt) = ask(gateway, channel, owing).await? else { continue };
        // What was late in the list is asked for when that has settled; unless more is missed before.
        let settled = tokio::time::timeout(LIST_LAG, owing.more_noted(debt));
        // What was noted after the first time has not had its minute, whatever was asked for since.
        if gateway.unless_stopped(settled).await?.is_err() && ask(gateway, channel, owing).await?.is_some() {
            owing.asked_for(debt);
        }
        gateway.rest(ASK_EVERY).await?;
    }
}

/// Asks until the provider has answered and all is taken: what was owed by then.
async fn ask(gateway: &Gateway, channel: &Channel, owing: &Owing) -> Result<Option<Debt>, Stopping> {
    let mut pauses = PAUSES.into_iter();
    let mut pause = PAUSES[0];
    loop {
        until_store_works(gateway).await?;
        let Some(debt) = owing.asking() else { return Ok(None) };
        let taken_until = |until: Timestamp| {
            if until <= gateway.now().before(LISTED) {
                owing.taken_until(until);
            }
        };
        let asked_at = gateway.now();
        match gateway.recover_by_days(channel, debt.since.before(CLOCK_SKEW), taken_until).await {
            Ok(_) => {
                // However often more is noted, what is long since in the list is not asked for again.
                owing.taken_until(asked_at.before(LISTED));
                return Ok(Some(debt));
            }
            Err(RecoverError::Stopping) => return Err(Stopping),
            Err(error) => {
                let again_in = if matches!(error, RecoverError::Store(_)) {
                    ASK_EVERY
                } else {
                    pause = pauses.next().unwrap_or(pause);
                    pause
                };
                tracing::warn!(
                    channel = channel.name, %error, again_in_s = again_in.as_secs(),
                    "the provider could not be asked for texts that were missed"
                );
                gateway.rest(again_in).await?;
            }
        }
    }
}

/// What is owed is on record: where another daemon marks, this one tells it each time that it shows that it lives.
async fn shown(gateway: &Gateway) -> Result<(), StoreError> {
    if gateway.duties.held(one::MARK).is_some() {
        gateway.mark_alive(false).await
    } else {
        gateway.store.ready().await
    }
}

/// Nothing can be taken before; and with it what is owed is on record.
async fn until_store_works(gateway: &Gateway) -> Result<(), Stopping> {
    let mut trouble = gateway.troubles.watch();
    while let Err(error) = shown(gateway).await {
        trouble.met(&error, "texts that were missed cannot be taken");
        gateway.rest(STORE_PAUSE).await?;
    }
    Ok(())
}
