//! The start: what an earlier process left in hand is taken up, and then everything begins that goes on by itself. A store
//! that takes no changes now is no reason not to start: both are done as soon as it does.

use std::sync::Arc;

use tokio::sync::watch;

use crate::store::StoreError;

use super::duties::one;
use super::troubles::STORE_PAUSE;
use super::{Gateway, attention, duties, events, gaps, notices, outbound, reclaim, retention, sweep, turns};

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

    async fn take_up(&self) -> Result<(), StoreError> {
        self.store.ready().await?;
        self.take_up_from_the_gone().await?;
        if !self.store.is_shared() {
            gaps::begin(self).await?;
        }
        self.recall_bot_state().await?;
        self.restore_pauses().await
    }

    fn start_all(self: &Arc<Self>) {
        if self.store.is_shared() {
            self.spawn(duties::muster(Arc::clone(self)));
            self.spawn(duties::follow_others(Arc::clone(self)));
        }
        self.spawn(outbound::pauses::watch(Arc::clone(self)));
        self.spawn(outbound::supervise(Arc::clone(self)));
        self.spawn(turns::pump(Arc::clone(self)));
        self.spawn(reclaim::run(Arc::clone(self)));
        self.spawn(events::read_tail(Arc::clone(self)));
        self.keep(one::LOOK, outbound::unknown::settle_unknown);
        self.keep(one::ASK, outbound::silent::ask_about_silent);
        self.keep(one::SWEEP, sweep::sweep);
        if self.store.is_shared() {
            self.keep(one::SWEEP, duties::take_up_after_others);
        }
        if let Some(keep) = self.settings.keep_messages {
            self.keep(one::PRUNE, move |gateway| retention::prune(gateway, keep));
        }
        self.keep(one::ATTEND, attention::attend);
        let keep = self.settings.keep_events;
        self.keep(one::FORGET, move |gateway| events::forget(gateway, keep));
        for told in &self.notices {
            let duty = duties::of_endpoint(told.name());
            let (to_tell, to_repeat) = (Arc::clone(told), Arc::clone(told));
            self.keep(&duty, move |gateway| notices::tell(gateway, Arc::clone(&to_tell)));
            self.keep(&duty, move |gateway| notices::repeat(gateway, Arc::clone(&to_repeat)));
        }
        self.keep(one::MARK, gaps::mark);
        self.spawn(gaps::watch(Arc::clone(self)));
        for channel in self.channels.iter() {
            self.spawn(gaps::settle(Arc::clone(self), Arc::clone(channel)));
        }
    }

    /// Does a duty whenever it is this daemon's.
    fn keep<F>(self: &Arc<Self>, duty: &str, work: impl Fn(Arc<Self>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn(duties::keep(Arc::clone(self), duty.to_owned(), work));
    }
}
