//! What this daemon does of what only one daemon at a time may do: send by a lane, tell an endpoint, sweep. Where the store
//! is shared, it shows itself again and again, and is given its share; where it has the store alone, it does everything.
//!
//! It is in office for a term, counted from before it asked for it: by its own clock it is never longer in office than
//! others believe. What it does in office carries the term's name, and is nothing once the term is over: a daemon that stood
//! still comes back with a new name and empty hands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::delivery::Status;
use crate::domain::ids::{CustomerId, uuid_v7};
use crate::domain::message::Lane;
use crate::domain::pace::Moment;
use crate::store::{Gone, Muster, Mustered, StoreError};

use super::Gateway;
use super::channels::{Channel, Channels};

/// How long a daemon is in office without showing itself again; and how often it shows itself.
const TERM: Duration = Duration::from_secs(6);
const EVERY: Duration = Duration::from_millis(1_500);
/// How soon what another daemon has changed is looked for, and how often at the most.
const NEWS_PAUSE: Duration = Duration::from_millis(50);
/// How often is read what no event tells of: pauses, and whether the bot is called.
const REFRESH_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked whether another daemon's text is on its way.
const LEAVING_PAUSE: Duration = Duration::from_millis(20);

/// The duties that there is one of.
pub(super) mod one {
    pub const SWEEP: &str = "sweep";
    pub const PRUNE: &str = "prune";
    pub const ATTEND: &str = "attend";
    pub const FORGET: &str = "forget events";
    pub const LOOK: &str = "look for unknown";
    pub const ASK: &str = "ask about silent";
    pub const MARK: &str = "mark";
}

/// A term of office.
#[derive(Debug)]
pub(super) struct Term {
    /// As attempts and turns name the daemon.
    pub owner: String,
    /// In milliseconds of the process.
    until: AtomicU64,
}

impl Term {
    fn new(owner: String, until: Moment) -> Self {
        Self { owner, until: AtomicU64::new(millis(until)) }
    }

    pub fn is_over(&self, now: Moment) -> bool {
        millis(now) >= self.until.load(Ordering::Acquire)
    }

    fn extend(&self, until: Moment) {
        self.until.fetch_max(millis(until), Ordering::AcqRel);
    }
}

fn millis(moment: Moment) -> u64 {
    u64::try_from(moment.as_millis()).unwrap_or(u64::MAX)
}

/// A duty that this daemon has. Whoever does something of it does so on `tasks`, and begins nothing once it is to end.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub term: Arc<Term>,
    /// Since when: nothing of whoever had it before left after that.
    pub since: Moment,
    pub end: CancellationToken,
    pub tasks: TaskTracker,
}

pub(super) struct Duties {
    /// All that there are, by the configuration.
    all: BTreeSet<String>,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    term: Arc<Term>,
    held: BTreeMap<String, Held>,
    others: usize,
    /// Daemons that are gone, and whose absence was noted.
    gone: BTreeSet<String>,
}

impl Duties {
    /// In office for ever where the store is this daemon's alone; else not yet.
    pub(super) fn new(
        owner: String,
        all: BTreeSet<String>,
        is_shared: bool,
        started: Moment,
        stop: &CancellationToken,
    ) -> Self {
        let term = Arc::new(Term::new(owner, if is_shared { Duration::ZERO } else { Duration::MAX }));
        let held = |duty: &String| (duty.clone(), Held::begin(&term, started, stop));
        let held = if is_shared { BTreeMap::new() } else { all.iter().map(held).collect() };
        let state = State { term, held, others: 0, gone: BTreeSet::new() };
        Self { all, state: Mutex::new(state), changed: watch::Sender::new(()) }
    }

    pub(super) fn term(&self) -> Arc<Term> {
        Arc::clone(&self.state().term)
    }

    /// The duty, if it is this daemon's now.
    pub(super) fn held(&self, duty: &str) -> Option<Held> {
        self.state().held.get(duty).filter(|held| !held.end.is_cancelled()).cloned()
    }

    fn others(&self) -> usize {
        self.state().others
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn begin(term: &Arc<Term>, since: Moment, stop: &CancellationToken) -> Self {
        Self { term: Arc::clone(term), since, end: stop.child_token(), tasks: TaskTracker::new() }
    }
}

/// Which duty it is to send by all of a channel's senders.
fn of_channel(name: &str) -> String {
    format!("send {name}")
}

/// Which duty it is to send by a lane: where senders share a pace, one daemon sends by all of them.
pub(super) fn of_lane(channel: &Channel, lane: &Lane) -> String {
    let shared = channel.pace.account.is_some() || channel.pace.has_destinations();
    if shared || channel.sender(&lane.sender).is_none() {
        of_channel(&lane.channel)
    } else {
        format!("send {} {}", lane.channel, lane.sender)
    }
}

/// Which duty it is to tell an endpoint.
pub(super) fn of_endpoint(name: &str) -> String {
    format!("tell {name}")
}

/// All duties of a configuration.
pub(super) fn all_of<'e>(channels: &Channels, endpoints: impl Iterator<Item = &'e str>) -> BTreeSet<String> {
    let one = [one::SWEEP, one::PRUNE, one::ATTEND, one::FORGET, one::LOOK, one::ASK, one::MARK];
    let mut all: BTreeSet<String> = one.iter().map(|duty| (*duty).to_owned()).collect();
    for channel in channels.iter() {
        all.insert(of_channel(&channel.name));
        all.extend(channel.senders.iter().map(|sender| of_lane(channel, &channel.lane(&sender.name))));
    }
    all.extend(endpoints.map(of_endpoint));
    all
}

/// Shows that this daemon lives, and takes its share up, until the gateway stops; then all of it is free.
pub(super) async fn muster(gateway: Arc<Gateway>) {
    let mut trouble = gateway.troubles.watch();
    loop {
        let mustered = gateway.show_up().await;
        if mustered.is_err() && gateway.duties.term().is_over(gateway.elapsed()) {
            gateway.metrics.out_of_office();
        }
        trouble.note(mustered, "this daemon could not show that it lives; what it does falls to others");
        if gateway.rest(EVERY).await.is_err() {
            return;
        }
    }
}

/// Takes notice of what other daemons have changed, until the gateway stops.
pub(super) async fn follow_others(gateway: Arc<Gateway>) {
    let mut news = gateway.store.event_news();
    let mut refreshed = gateway.elapsed();
    loop {
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            Ok(()) = news.changed() => {}
            () = tokio::time::sleep(REFRESH_EVERY) => {}
        }
        if gateway.duties.others() > 0 {
            gateway.outbound.wake_all();
            gateway.outbound.look_again();
            gateway.turns.wake();
        }
        if gateway.elapsed().saturating_sub(refreshed) >= REFRESH_EVERY {
            refreshed = gateway.elapsed();
            if let Err(error) = gateway.refresh().await {
                tracing::debug!(%error, "what other daemons have changed could not be read");
            }
        }
        if gateway.rest(NEWS_PAUSE).await.is_err() {
            return;
        }
    }
}

/// Does a duty whenever it is this daemon's, until the gateway stops. What is done of it may be broken off at any moment.
pub(super) async fn keep<F>(gateway: Arc<Gateway>, duty: String, work: impl Fn(Arc<Gateway>) -> F)
where
    F: Future<Output = ()>,
{
    let mut changed = gateway.duties.changed.subscribe();
    loop {
        changed.borrow_and_update();
        if let Some(held) = gateway.duties.held(&duty) {
            let lost = async {
                held.end.cancelled().await;
                // It sees by itself that the gateway stops, and may have something to do then.
                if gateway.is_stopping() {
                    std::future::pending::<()>().await;
                }
            };
            let work = held.tasks.track_future(work(Arc::clone(&gateway)));
            tokio::select! {
                biased;
                () = work => {}
                () = lost => {}
            }
        }
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            _ = changed.changed() => {}
        }
    }
}

impl Gateway {
    async fn show_up(self: &Arc<Self>) -> Result<(), StoreError> {
        let (asked, term) = (self.elapsed(), self.duties.term());
        let muster = Muster {
            owner: term.owner.clone(),
            duties: self.duties.all.iter().cloned().collect(),
            missed_since: self.owed.since(),
            term: TERM,
        };
        match self.store.muster(muster).await? {
            Mustered::InOffice { duties, to_lay_down, others, gone } => {
                term.extend(asked + TERM);
                self.take_duties(&term, duties, others);
                self.note_gone(gone);
                for duty in to_lay_down {
                    self.lay_down(duty);
                }
                if self.duties.held(one::SWEEP).is_some() {
                    self.take_up_from_the_gone().await?;
                }
            }
            Mustered::OutOfOffice => self.begin_anew(&term),
        }
        Ok(())
    }

    fn take_duties(&self, term: &Arc<Term>, duties: Vec<String>, others: usize) {
        let now = self.elapsed();
        let mut taken = Vec::new();
        {
            let mut state = self.duties.state();
            state.others = others;
            let kept: BTreeSet<String> = duties.into_iter().collect();
            state.held.retain(|duty, held| {
                let kept = kept.contains(duty);
                if !kept {
                    held.end.cancel();
                }
                kept
            });
            for duty in kept {
                state.held.entry(duty).or_insert_with_key(|duty| {
                    taken.push(duty.clone());
                    Held::begin(term, now, &self.stop)
                });
            }
            self.metrics.in_office(others, state.held.len());
        }
        if taken.is_empty() {
            return;
        }
        tracing::info!(owner = term.owner, duties = ?taken, others, "this daemon takes duties up");
        for channel in self.channels.iter().filter(|channel| taken.contains(&of_channel(&channel.name))) {
            // What left before by another daemon is not known here: as after a start, one segment is owed.
            channel.pace.restart(now);
        }
        self.duties.changed.send_replace(());
        self.outbound.look_again();
    }

    /// Others have believed this daemon dead: whatever it did, it does no more, and begins with empty hands.
    fn begin_anew(&self, over: &Term) {
        tracing::error!(
            owner = over.owner,
            "this daemon was not heard of for too long, and others do its work; it begins anew"
        );
        let owner = uuid_v7(self.now(), self.entropy.ten_bytes()).to_string();
        let mut state = self.duties.state();
        state.held.values().for_each(|held| held.end.cancel());
        state.held.clear();
        state.term = Arc::new(Term::new(owner, Duration::ZERO));
        drop(state);
        self.metrics.term_lost();
        self.duties.changed.send_replace(());
    }

    /// Ends what is under way of a duty, and then leaves it to others.
    fn lay_down(self: &Arc<Self>, duty: String) {
        let Some(held) = self.duties.held(&duty) else { return };
        held.end.cancel();
        held.tasks.close();
        let gateway = Arc::clone(self);
        self.spawn(async move {
            held.tasks.wait().await;
            match gateway.store.lay_down(&held.term.owner, &duty).await {
                Ok(()) => tracing::info!(duty, "another daemon takes a duty over"),
                // It is given up with the next term.
                Err(error) => tracing::warn!(duty, %error, "a duty could not be laid down"),
            }
            gateway.duties.state().held.remove(&duty);
        });
    }

    /// What a daemon that is gone may have missed is asked for.
    fn note_gone(&self, gone: Vec<Gone>) {
        for Gone { owner, missed_since } in gone {
            if self.duties.state().gone.insert(owner.clone()) {
                tracing::warn!(owner, "a daemon is gone; what it was sent may have been missed");
                self.owed.note(missed_since);
            }
        }
    }

    /// What a daemon that is gone had in hand, be it an earlier process of this one: what it was sending may or may not have
    /// left, which evidence decides; what it was telling the bot is told again.
    pub(super) async fn take_up_from_the_gone(&self) -> Result<(), StoreError> {
        let (now, owner) = (self.now(), self.duties.term().owner.clone());
        let unknown = self.store.abandon_attempts(&owner, now).await?;
        let turns = self.store.release_turns(&owner, now).await?;
        if unknown + turns > 0 {
            tracing::warn!(unknown, turns, "what a daemon had in hand that is gone is taken up");
            self.turns.wake();
        }
        Ok(())
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        if self.duties.others() == 0 {
            return Ok(());
        }
        self.learn_pauses().await?;
        self.learn_bot_state().await
    }

    /// Returns when no other daemon has a text to this customer on its way any more, or ever will by what is stored now.
    pub(super) async fn until_none_leaves_elsewhere(&self, customer: CustomerId) {
        if self.duties.others() == 0 {
            return;
        }
        let (owner, began) = (self.duties.term().owner.clone(), self.elapsed());
        let patience = self.outbound.in_flight.patience();
        while self.elapsed().saturating_sub(began) < patience {
            let leaves = match self.store.queue_front(customer).await {
                Ok(front) => front.is_some_and(|message| {
                    let delivery = &message.delivery;
                    delivery.status == Status::Sending && delivery.owner.as_ref() != Some(&owner)
                }),
                Err(_) => true,
            };
            if !leaves || self.rest(LEAVING_PAUSE).await.is_err() {
                return;
            }
        }
    }

    /// All of this daemon's work is done.
    pub(super) async fn resign(&self) {
        if !self.store.is_shared() {
            return;
        }
        if let Err(error) = self.store.resign(&self.duties.term().owner).await {
            tracing::warn!(%error, "this daemon's duties are free only when its term is over");
        }
    }
}
