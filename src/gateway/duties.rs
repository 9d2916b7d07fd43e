//! What this daemon does of what only one daemon at a time may do: send by a lane, tell an endpoint, sweep. Where the store
//! is shared, it shows itself again and again, and is given its share; where it has the store alone, it does everything.
//!
//! It is in office for a term, counted from before it asked for it: by its own clock it is never longer in office than
//! others believe. What it does in office carries the term's name, and is nothing once the term is over: a daemon that stood
//! still comes back with a new name and empty hands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
use super::pace::Lead;

/// How long a daemon is in office without showing itself again; and how often it shows itself.
const TERM: Duration = Duration::from_secs(6);
const EVERY: Duration = Duration::from_millis(1_500);
/// How long that may take: so that it is tried again before the term is over.
const SHOWING_PATIENCE: Duration = Duration::from_secs(3);
/// How often what daemons had in hand that are gone is taken up.
const TAKE_UP_EVERY: Duration = Duration::from_millis(1_500);
/// How soon what another daemon has changed is looked for, and how often at the most.
const NEWS_PAUSE: Duration = Duration::from_millis(50);
/// How often is read what no event tells of: pauses, and whether the bot is called.
const REFRESH_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked whether another daemon's text is on its way.
const LEAVING_PAUSE: Duration = Duration::from_millis(20);
/// How long another daemon may need to let a text leave whose attempt it has begun.
const LEAVES_WITHIN: Duration = Lead::MOST.saturating_add(Duration::from_millis(250));

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
    /// It has become another daemon's, without being laid down.
    lost: Arc<AtomicBool>,
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
    /// How many were laid down in all: what was read before that may name them still.
    laid_down: u64,
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
        let state = State { term, held, others: 0, laid_down: 0, gone: BTreeSet::new() };
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
        let (lost, end) = (Arc::default(), stop.child_token());
        Self { term: Arc::clone(term), since, lost, end, tasks: TaskTracker::new() }
    }

    /// Whether it is this daemon's still: if not, nothing of it may be begun, or leave.
    pub(super) fn is_this_daemons(&self, now: Moment) -> bool {
        !self.lost.load(Ordering::Acquire) && !self.term.is_over(now)
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Release);
        self.end.cancel();
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lost, &other.lost)
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
        let pause = if matches!(mustered, Ok(false)) { Duration::ZERO } else { EVERY };
        let mustered = mustered.map(drop);
        trouble.note(mustered, "this daemon could not show that it lives; what it does falls to others");
        if gateway.rest(pause).await.is_err() {
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
        if gateway.may_have_others() {
            // Which wakes the lanes that have something to send.
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

/// What daemons had in hand that are gone is taken up, until the gateway stops.
pub(super) async fn take_up_after_others(gateway: Arc<Gateway>) {
    let mut trouble = gateway.troubles.watch();
    loop {
        let taken_up = gateway.take_up_from_the_gone().await;
        trouble.note(taken_up, "what daemons had in hand that are gone could not be taken up");
        if gateway.rest(TAKE_UP_EVERY).await.is_err() {
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
    /// `false`: others have believed this daemon dead, and it has a new name now.
    async fn show_up(self: &Arc<Self>) -> Result<bool, StoreError> {
        let (asked, term) = (self.elapsed(), self.duties.term());
        let laid_down = self.duties.state().laid_down;
        let duties = self.duties.all.iter().cloned().collect();
        match self.show(&term, duties).await? {
            Mustered::InOffice { duties, to_lay_down, others, gone } => {
                self.take_duties(&term, duties, others, laid_down);
                term.extend(asked + TERM);
                self.note_gone(gone);
                for duty in to_lay_down {
                    self.lay_down(duty);
                }
                Ok(true)
            }
            Mustered::OutOfOffice => {
                self.begin_anew(&term);
                Ok(false)
            }
        }
    }

    /// Shows that this daemon lives, and could do that.
    async fn show(&self, term: &Term, duties: Vec<String>) -> Result<Mustered, StoreError> {
        let muster = Muster {
            owner: term.owner.clone(),
            duties,
            missed_since: self.owed.since(),
            noted: self.duties.state().gone.iter().cloned().collect(),
            term: TERM,
        };
        let mustered = tokio::time::timeout(SHOWING_PATIENCE, self.store.muster(muster)).await;
        mustered.unwrap_or_else(|_| Err(StoreError::Unavailable("the store does not answer".into())))
    }

    /// While the gateway stops: what is under way is nobody else's to take up until it has ended. Never returns.
    pub(super) async fn stay_in_office(&self) {
        if !self.store.is_shared() {
            return std::future::pending().await;
        }
        loop {
            let (asked, term) = (self.elapsed(), self.duties.term());
            match self.show(&term, Vec::new()).await {
                Ok(Mustered::InOffice { .. }) => term.extend(asked + TERM),
                // What it still has under way is somebody else's by now.
                Ok(Mustered::OutOfOffice) => return std::future::pending().await,
                Err(error) => {
                    tracing::debug!(%error, "this daemon could not show that it still ends what is under way");
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Whether other daemons may be at work. Who has not been heard of cannot know.
    pub(super) fn may_have_others(&self) -> bool {
        self.duties.others() > 0 || self.store.is_shared() && self.duties.term().is_over(self.elapsed())
    }

    /// `laid_down`: how many had been laid down when it was asked whose they are.
    fn take_duties(&self, term: &Arc<Term>, duties: Vec<String>, others: usize, laid_down: u64) {
        let now = self.elapsed();
        let mut taken = Vec::new();
        {
            let mut state = self.duties.state();
            state.others = others;
            let mut kept: BTreeSet<String> = duties.into_iter().collect();
            state.held.retain(|duty, held| {
                let kept = kept.contains(duty);
                if !kept {
                    held.lose();
                }
                kept
            });
            if state.laid_down != laid_down {
                // Which of them are free by now is asked the next time.
                kept.retain(|duty| state.held.contains_key(duty));
            }
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
        state.held.values().for_each(Held::lose);
        state.held.clear();
        state.term = Arc::new(Term::new(owner, Duration::ZERO));
        drop(state);
        self.metrics.term_lost();
        self.duties.changed.send_replace(());
    }

    /// Each of them is somebody else's as soon as nothing of it is under way, however long that of another one takes.
    pub(super) fn lay_all_down(self: &Arc<Self>) {
        if self.store.is_shared() {
            let held = self.duties.state().held.clone();
            for (duty, held) in held {
                self.end_and_lay_down(duty, held);
            }
        }
    }

    fn lay_down(self: &Arc<Self>, duty: String) {
        if let Some(held) = self.duties.held(&duty) {
            self.end_and_lay_down(duty, held);
        }
    }

    /// Ends what is under way of a duty, and then leaves it to others.
    fn end_and_lay_down(self: &Arc<Self>, duty: String, held: Held) {
        held.end.cancel();
        held.tasks.close();
        let gateway = Arc::clone(self);
        self.spawn(async move {
            held.tasks.wait().await;
            match gateway.store.lay_down(&held.term.owner, &duty).await {
                Ok(()) => tracing::info!(duty, "a duty was laid down"),
                // It is this daemon's again with the next sign of life, and laid down again.
                Err(error) => tracing::warn!(duty, %error, "a duty could not be laid down"),
            }
            let mut state = gateway.duties.state();
            state.laid_down += 1;
            // Not what has become this daemon's under the same name since.
            if state.held.get(&duty).is_some_and(|now| now.is(&held)) {
                state.held.remove(&duty);
            }
        });
    }

    /// What a daemon that is gone may have missed is asked for: by one that lives, which says so the next time that it is
    /// heard of.
    fn note_gone(&self, gone: Vec<Gone>) {
        let is_noted_here = self.duties.held(one::MARK).is_some();
        let mut noted = BTreeSet::new();
        for Gone { owner, missed_since } in gone {
            let was_noted = self.duties.state().gone.contains(&owner);
            if !was_noted && is_noted_here {
                tracing::info!(owner, "a daemon has gone; what it may have been sent since is asked for");
                self.owed.note(missed_since);
            }
            if was_noted || is_noted_here {
                noted.insert(owner);
            }
        }
        self.duties.state().gone = noted;
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
        if !self.may_have_others() {
            return Ok(());
        }
        self.learn_pauses().await?;
        self.learn_bot_state().await
    }

    /// Returns when no other daemon has a text to this customer on its way any more, or ever will by what is stored now.
    pub(super) async fn until_none_leaves_elsewhere(&self, customer: CustomerId) {
        if !self.may_have_others() {
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
            if !leaves {
                return;
            }
            // Also while the gateway stops: whoever waits for it is answered all the same.
            tokio::time::sleep(LEAVING_PAUSE).await;
        }
    }

    /// Returns when what other daemons have begun to send before has left, or is held back, whatever is stored of it now.
    pub(super) async fn until_none_can_leave_elsewhere(&self) {
        if self.may_have_others() {
            tokio::time::sleep(LEAVES_WITHIN).await;
        }
    }

    /// All of this daemon's work is done, and nobody calls it any more.
    pub async fn resign(&self) {
        if !self.store.is_shared() {
            return;
        }
        if let Err(error) = self.store.resign(&self.duties.term().owner).await {
            tracing::warn!(%error, "this daemon's duties are free only when its term is over");
        }
    }
}
