//! The start: what an earlier process left in hand is taken up, and then everything begins that goes on by itself. A store
//! that takes no changes now is no reason not to start: both are done as soon as it does.

use std::sync::Arc;

use tokio::sync::watch;

use crate::store::StoreError;

use super::troubles::STORE_PAUSE;
use super::{Gateway, attention, events, gaps, notices, outbound, reclaim, retention, sweep, turns};

pub(super) struct Start(watch::Sender<State>);

#[derive(Clone)]
enum State {
    /// Not asked for yet, or done.
    Settled,
    PutOff,
    /// What is stored cannot be taken up.
    Failed(String),
}

impl Default for Start {
    fn default() -> Self {
        Self(watch::Sender::new(State::Settled))
    }
}

impl Gateway {
    /// Starts; nothing is sent, and the bot is told nothing, before what an earlier process left is taken up. Fails if that
    /// is wrong with what is stored, and not with the store's state; if that only shows later, [`Gateway::start_failed`]
    /// says so.
    pub async fn run(self: &Arc<Self>) -> Result<(), StoreError> {
        match self.take_up().await {
            Ok(()) => self.start_all(),
            Err(error) if error.may_pass() => {
                tracing::error!(
                    %error,
                    "the store takes no changes; nothing is sent, and the bot is not told, until it does"
                );
                self.start.0.send_replace(State::PutOff);
                self.spawn(Arc::clone(self).start_when_possible());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether it still waits for the store.
    pub fn start_is_put_off(&self) -> bool {
        !matches!(*self.start.0.borrow(), State::Settled)
    }

    /// Returns, with the reason, if what an earlier process left cannot be taken up, now that the store works.
    pub async fn start_failed(&self) -> String {
        let mut states = self.start.0.subscribe();
        loop {
            if let State::Failed(reason) = &*states.borrow_and_update() {
                return reason.clone();
            }
            // The sender is this gateway's own.
            if states.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn start_when_possible(self: Arc<Self>) {
        loop {
            if self.rest(STORE_PAUSE).await.is_err() {
                return;
            }
            match self.take_up().await {
                Ok(()) => {
                    tracing::info!(
                        "the store takes changes: what an earlier process left in hand is taken up"
                    );
                    self.start.0.send_replace(State::Settled);
                    return self.start_all();
                }
                Err(error) if error.may_pass() => tracing::debug!(%error, "the store takes no changes yet"),
                Err(error) => {
                    self.start.0.send_replace(State::Failed(error.to_string()));
                    return;
                }
            }
        }
    }

    /// What an earlier process was sending when it died may or may not have left: it becomes `unknown`, and evidence
    /// decides. What it was telling the bot is told again.
    async fn take_up(&self) -> Result<(), StoreError> {
        self.store.ready().await?;
        let now = self.now();
        let unknown = self.store.abandon_attempts(&self.owner, now).await?;
        let turns = self.store.release_turns(&self.owner, now).await?;
        if unknown + turns > 0 {
            tracing::warn!(
                unknown,
                turns,
                "the last shutdown was not a clean one; settling what it left in hand"
            );
        }
        gaps::begin(self).await?;
        self.recall_bot_state().await?;
        self.restore_pauses().await
    }

    fn start_all(self: &Arc<Self>) {
        self.spawn(outbound::pauses::watch(Arc::clone(self)));
        self.spawn(outbound::supervise(Arc::clone(self)));
        self.spawn(outbound::unknown::settle_unknown(Arc::clone(self)));
        self.spawn(outbound::silent::ask_about_silent(Arc::clone(self)));
        self.spawn(turns::pump(Arc::clone(self)));
        self.spawn(sweep::sweep(Arc::clone(self)));
        if let Some(keep) = self.settings.keep_messages {
            self.spawn(retention::prune(Arc::clone(self), keep));
        }
        self.spawn(reclaim::run(Arc::clone(self)));
        self.spawn(attention::attend(Arc::clone(self)));
        self.spawn(events::read_tail(Arc::clone(self)));
        self.spawn(events::forget(Arc::clone(self), self.settings.keep_events));
        for told in &self.notices {
            self.spawn(notices::tell(Arc::clone(self), Arc::clone(told)));
            self.spawn(notices::repeat(Arc::clone(self), Arc::clone(told)));
        }
        self.spawn(gaps::watch(Arc::clone(self)));
        for channel in self.channels.iter() {
            self.spawn(gaps::settle(Arc::clone(self), Arc::clone(channel)));
        }
    }
}
