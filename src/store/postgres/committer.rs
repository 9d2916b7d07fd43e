//! Group commit: each of a few threads takes all commands that wait for it, locks and loads what they concern, runs them, writes
//! what they changed and commits once; only then are they answered. What a command means is none of its business.
//!
//! A batch whose commit was not answered is looked up: each has a number, which is written down with what it changes.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::client::{Dialer, Failure, Mark, Writing};
use super::job::{Command, Committed, Job, StoreErrorKind};
use super::statements::ALL;
use super::working::{Want, Working};
use super::{load, news, write};
use crate::domain::time::Timestamp;
use crate::store::queue::{Queue, Refused, Urgency};
use crate::store::{Rules, StoreError};

/// How many commands of an urgency may wait for one thread. More would only make everybody wait for longer.
const MOST_WAITING: usize = 4096;
/// How many commands share a commit. More would gain little, and cost the first of them their patience.
const MOST_IN_BATCH: usize = 256;
/// How often a batch is tried that others were in the way of.
const MOST_TRIES: u32 = 20;
/// While some commands wait aside that somebody else is in the way of: how long it is before they are tried again if nothing
/// else is to be done, how many of them are waited for at a time, how often each may be tried or passed over, and how many
/// there may be.
const ASIDE_PAUSE: Duration = Duration::from_millis(50);
const MOST_WAITS: usize = 8;
const MOST_ROUNDS_ASIDE: u32 = 300;
const MOST_ASIDE: usize = 1024;
/// How often somebody else may turn out to be concerned by a batch, who has to be locked first.
const MOST_STARTS: u32 = 32;
/// How long a batch may take, and then the connection is given up.
const BATCH_PATIENCE: Duration = Duration::from_secs(20);
/// How long a new connection may take until a batch can be written on it, and a batch to be given up on an old one.
const CONNECTING_PATIENCE: Duration = Duration::from_secs(15);
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(5);
/// How long it is asked what became of a transaction.
const SETTLING_PATIENCE: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How the store is, as far as the committers know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Works,
    /// Away, for that reason; each committer tries to reach it again.
    Away(String),
}

/// What all threads share.
struct Shared {
    dialer: Arc<Dialer>,
    rules: Arc<Rules>,
    condition: watch::Sender<Condition>,
    news: watch::Sender<u64>,
    /// Commits that others are to be told of.
    told: watch::Sender<u64>,
}

pub struct Committer {
    lines: Vec<Line>,
    next: AtomicUsize,
    condition: watch::Receiver<Condition>,
}

struct Line {
    queue: Arc<Queue<Box<dyn Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the committers stand on.
pub struct Ground {
    pub dialer: Arc<Dialer>,
    pub rules: Arc<Rules>,
    pub writers: usize,
    pub news: watch::Sender<u64>,
    /// Shows the newest event that this process has committed.
    pub told: watch::Sender<u64>,
}

impl Committer {
    /// The first connections are made when there is something to commit.
    pub fn start(ground: Ground) -> std::io::Result<Self> {
        let Ground { dialer, rules, writers, news, told } = ground;
        let (changed, condition) = watch::channel(Condition::Works);
        let shared = Arc::new(Shared { dialer, rules, condition: changed, news, told });
        let lines = (0..writers.max(1)).map(|number| {
            let queue = Arc::new(Queue::new(MOST_WAITING));
            let worker = Worker {
                shared: Arc::clone(&shared),
                queue: Arc::clone(&queue),
                connection: None,
                runtime: Handle::current(),
                aside: Vec::new(),
                is_patient: true,
            };
            let thread = std::thread::Builder::new().name(format!("store-committer-{number}"));
            let thread = Mutex::new(Some(thread.spawn(|| worker.run())?));
            Ok(Line { queue, thread })
        });
        let lines = lines.collect::<std::io::Result<Vec<_>>>()?;
        Ok(Self { lines, next: AtomicUsize::new(0), condition })
    }

    /// Applies a command and returns when it is durable. An error of the command leaves no trace of it. Once this was
    /// polled, the command takes effect whether or not the caller still waits. Commands that name the same `lane` are
    /// applied in the order in which they were given.
    pub async fn run<T, E, C>(
        &self,
        urgency: Urgency,
        lane: Option<u64>,
        now: Timestamp,
        wants: BTreeSet<Want>,
        command: C,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: Fn(&mut Working) -> Result<T, E> + Send + 'static,
    {
        self.check()?;
        let (answer, answered) = oneshot::channel();
        let command = Command { now, wants, run: command, result: None, answer };
        let lines = self.lines.len();
        let turn = || self.next.fetch_add(1, Ordering::Relaxed) % lines;
        let of = lane.map_or_else(turn, |lane| usize::try_from(lane % lines as u64).unwrap_or(0));
        self.lines[of].queue.push(urgency, Box::new(command)).map_err(|refused| match refused {
            Refused::Full => StoreError::Overloaded,
            Refused::Closed => self.unavailable(),
        })?;
        // Who drops a command without a word may have applied it.
        answered.await.unwrap_or_else(|_| Err(StoreError::Uncertain("the committer has died".into()).into()))
    }

    /// Fails while the database is away, and once it is closed.
    pub fn check(&self) -> Result<(), StoreError> {
        let works = *self.condition.borrow() == Condition::Works;
        if works && !self.is_closed() { Ok(()) } else { Err(self.unavailable()) }
    }

    pub fn is_closed(&self) -> bool {
        self.lines.iter().any(|line| line.queue.is_closed())
    }

    fn unavailable(&self) -> StoreError {
        match &*self.condition.borrow() {
            Condition::Away(reason) => StoreError::Unavailable(reason.clone()),
            Condition::Works => StoreError::Unavailable("it is closed".into()),
        }
    }

    /// Finishes what waits, takes nothing more, and ends the threads. Blocks until then.
    pub fn close(&self) {
        self.lines.iter().for_each(|line| line.queue.close());
        for line in &self.lines {
            let thread = line.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if thread.is_some_and(|thread| thread.join().is_err()) {
                tracing::error!("one of the store's committers had died");
            }
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    queue: Arc<Queue<Box<dyn Job>>>,
    connection: Option<Writing>,
    runtime: Handle,
    /// Commands that somebody is in the way of, in their order.
    aside: Vec<Aside>,
    /// Whether it is waited for what is locked: not while some are aside.
    is_patient: bool,
}

struct Aside {
    job: Box<dyn Job>,
    rounds: u32,
}

impl Aside {
    fn is_about(&self, job: &dyn Job) -> bool {
        self.job.wants().iter().any(|want| want.is_of_something() && job.wants().contains(want))
    }
}

/// What became of the transaction of a batch.
enum Fate {
    Committed,
    /// It never was, or was rolled back.
    Gone,
    Unknown,
}

impl Worker {
    fn run(mut self) {
        let runtime = self.runtime.clone();
        while let Some(batch) = self.next_batch() {
            let worked = AssertUnwindSafe(self.work(batch)).catch_unwind();
            if runtime.block_on(worked).is_err() {
                // Whoever waited for it is told that nobody knows; whoever comes next is not to suffer for it.
                tracing::error!("a batch could not be worked on: the program is wrong");
                self.connection = None;
            }
        }
        for Aside { job, .. } in std::mem::take(&mut self.aside) {
            job.end(&Err(StoreErrorKind::Unavailable("it is closed".into())));
        }
    }

    /// What waits; it may be nothing, where something was put aside. None: it is closed.
    fn next_batch(&self) -> Option<Vec<Box<dyn Job>>> {
        let batch = if self.aside.is_empty() {
            self.queue.next_batch(MOST_IN_BATCH)
        } else {
            self.queue.next_batch_within(MOST_IN_BATCH, ASIDE_PAUSE)
        };
        Some(batch?.into_iter().map(|(_, job)| job).collect())
    }

    async fn work(&mut self, batch: Vec<Box<dyn Job>>) {
        let mut free = Vec::new();
        for job in batch {
            if self.comes_after_one_aside(&*job) { self.put_aside(job) } else { free.push(job) }
        }
        if !free.is_empty() {
            self.commit(free).await;
        }
        self.is_patient = false;
        self.try_aside().await;
        self.is_patient = self.aside.is_empty();
    }

    /// Commits the batch, and answers its commands.
    async fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        match self.try_commit(&mut batch).await {
            // What one of them wants cannot be written, or is not to be had: the others shall not suffer for it.
            Err(StoreErrorKind::BrokeOff(_) | StoreErrorKind::InTheWay(_)) if batch.len() > 1 => {
                self.commit_each(batch).await;
            }
            Err(StoreErrorKind::Blocked(_)) => {
                self.is_patient = false;
                self.commit_each(batch).await;
            }
            committed => {
                if let Err(reason) = &committed {
                    tracing::debug!(?reason, "a batch was not committed");
                }
                end(batch, &committed);
            }
        }
    }

    /// Commits each by itself. Those that somebody is in the way of are put aside.
    async fn commit_each(&mut self, batch: Vec<Box<dyn Job>>) {
        for mut job in batch {
            if self.comes_after_one_aside(&*job) {
                self.put_aside(job);
                continue;
            }
            match self.commit_one(&mut job).await {
                Err(StoreErrorKind::Blocked(_)) => self.put_aside(job),
                committed => job.end(&committed),
            }
        }
    }

    async fn commit_one(&mut self, job: &mut Box<dyn Job>) -> Committed {
        if let Condition::Away(reason) = &*self.shared.condition.borrow() {
            return Err(StoreErrorKind::Unavailable(reason.clone()));
        }
        self.try_commit(std::slice::from_mut(job)).await
    }

    fn put_aside(&mut self, job: Box<dyn Job>) {
        if self.aside.len() < MOST_ASIDE {
            self.aside.push(Aside { job, rounds: 0 });
        } else {
            job.end(&Err(StoreErrorKind::Blocked(
                "too many wait for who keeps their customer locked".into(),
            )));
        }
    }

    /// Whether it may be about the same as one that waits aside.
    fn comes_after_one_aside(&self, job: &dyn Job) -> bool {
        self.aside.iter().any(|aside| aside.is_about(job))
    }

    /// Tries those again that were put aside: not all at a time, and those that are about the same in their order.
    async fn try_aside(&mut self) {
        let (mut tried, mut not_tried, mut behind) = (Vec::new(), Vec::new(), Vec::<Aside>::new());
        for mut aside in std::mem::take(&mut self.aside) {
            aside.rounds += 1;
            let mut before = tried.iter().chain(&not_tried).chain(&behind);
            let comes_after_another = before.any(|other: &Aside| other.is_about(&*aside.job));
            if aside.rounds > MOST_ROUNDS_ASIDE {
                aside.job.end(&Err(StoreErrorKind::Blocked("somebody keeps its customer locked".into())));
            } else if comes_after_another {
                behind.push(aside);
            } else if tried.len() == MOST_WAITS {
                not_tried.push(aside);
            } else {
                match self.commit_one(&mut aside.job).await {
                    Err(StoreErrorKind::Blocked(_)) => tried.push(aside),
                    committed => aside.job.end(&committed),
                }
            }
        }
        // Whoever was not tried is, the next time.
        self.aside = not_tried.into_iter().chain(tried).chain(behind).collect();
    }

    async fn try_commit(&mut self, batch: &mut [Box<dyn Job>]) -> Committed {
        let mut pause = FIRST_PAUSE / 10;
        for _ in 0..MOST_TRIES {
            let connection = match self.connect().await {
                Ok(connection) => connection,
                Err(failure) => return Err(self.away(failure)),
            };
            let mut committing = false;
            connection.be_patient(self.is_patient);
            let attempt = Box::pin(attempt(&connection, &self.shared, batch, &mut committing));
            let outcome = tokio::time::timeout(BATCH_PATIENCE, attempt).await;
            let outcome = outcome.unwrap_or_else(|_| Err(Failure::no_answer()));
            match outcome {
                Ok(place) => {
                    self.connection = Some(connection);
                    self.shared.works();
                    if let Some(place) = place {
                        self.shared.tell(place);
                    }
                    return Ok(());
                }
                Err(Failure::Blocked(reason)) if !committing => {
                    self.roll_back(connection).await;
                    return Err(StoreErrorKind::Blocked(reason));
                }
                Err(Failure::Again(reason) | Failure::Blocked(reason)) => {
                    tracing::debug!(reason, "a batch is tried again");
                    self.roll_back(connection).await;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE / 10);
                }
                Err(Failure::Refused(error)) => {
                    self.roll_back(connection).await;
                    return Err(StoreErrorKind::BrokeOff(error.to_string()));
                }
                Err(Failure::Forbidden(reason)) => {
                    self.roll_back(connection).await;
                    return Err(StoreErrorKind::BrokeOff(reason));
                }
                Err(failure @ (Failure::Lost(_) | Failure::Away(_))) if committing => {
                    let mark = connection.mark();
                    drop(connection);
                    let fate = self.settle(mark).await;
                    let reason = match failure {
                        // It has said that it can do nothing now.
                        Failure::Away(_) if matches!(fate, Fate::Gone) => return Err(self.away(failure)),
                        other => other.into_store_error().to_string(),
                    };
                    match fate {
                        Fate::Committed => {
                            tracing::warn!(reason, "the answer to a commit was lost; it was committed");
                            return Ok(());
                        }
                        Fate::Gone => {
                            tracing::warn!(reason, "a commit failed; it is tried again");
                            tokio::time::sleep(pause).await;
                        }
                        Fate::Unknown => return Err(StoreErrorKind::Uncertain(reason)),
                    }
                }
                Err(failure @ (Failure::Lost(_) | Failure::Away(_))) => {
                    // Not tried again: whoever asked may have stood still with us, and have asked another daemon since.
                    drop(connection);
                    return Err(self.away(failure));
                }
            }
        }
        Err(StoreErrorKind::InTheWay("others were in the way again and again".into()))
    }

    /// Gives up what is under way, and keeps the connection if it still works.
    async fn roll_back(&mut self, connection: Writing) {
        let rolled_back = tokio::time::timeout(ROLLBACK_PATIENCE, connection.batch("ROLLBACK")).await;
        if matches!(rolled_back, Ok(Ok(()))) {
            self.connection = Some(connection);
        }
    }

    /// The connection, or a new one.
    async fn connect(&mut self) -> Result<Writing, Failure> {
        if let Some(connection) =
            self.connection.take().filter(|connection| !connection.session().is_closed())
        {
            return Ok(connection);
        }
        if let Ok(connection) = begin_writing(&self.shared.dialer).await {
            return Ok(connection);
        }
        // It is asked once more, before all are told that it is away.
        tokio::time::sleep(FIRST_PAUSE).await;
        begin_writing(&self.shared.dialer).await
    }

    /// The database is away. Until it is back, nothing new is taken.
    fn away(&self, failure: Failure) -> StoreErrorKind {
        let reason = failure.into_store_error().to_string();
        self.shared.away(&reason);
        StoreErrorKind::Unavailable(reason)
    }

    /// Asks what became of a transaction whose commit was not answered.
    async fn settle(&mut self, mark: Mark) -> Fate {
        let asking = async {
            let mut pause = FIRST_PAUSE;
            loop {
                match fate_of(&self.shared.dialer, mark).await {
                    Ok(fate) => return fate,
                    // It is still under way.
                    Err(Failure::Blocked(_)) => {}
                    Err(failure) => self.shared.away(&failure.into_store_error().to_string()),
                }
                if self.queue.is_closed() {
                    return Fate::Unknown;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let fate = tokio::time::timeout(SETTLING_PATIENCE, asking).await.unwrap_or(Fate::Unknown);
        if !matches!(fate, Fate::Unknown) {
            self.shared.works();
        }
        fate
    }
}

impl Shared {
    fn works(&self) {
        let back = |condition: &mut Condition| {
            let changed = *condition != Condition::Works;
            *condition = Condition::Works;
            changed
        };
        if self.condition.send_if_modified(back) {
            tracing::info!("the database is there again");
        }
    }

    fn away(self: &Arc<Self>, reason: &str) {
        let gone = |condition: &mut Condition| {
            let changed = *condition == Condition::Works;
            *condition = Condition::Away(reason.to_owned());
            changed
        };
        if self.condition.send_if_modified(gone) {
            tracing::error!(reason, "the database is away; nothing is taken until it is back");
            self.dialer.tasks().spawn(look_for_it(Arc::clone(self)));
        }
    }

    fn tell(&self, place: u64) {
        news::show(&self.news, place);
        news::show(&self.told, place);
    }
}

/// Until the database is back, or nobody waits for it any more.
async fn look_for_it(shared: Arc<Shared>) {
    let mut pause = FIRST_PAUSE;
    while !shared.condition.is_closed() {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        let found = match shared.dialer.session().await {
            Ok(session) => session.in_haste().takes_writes().await,
            Err(failure) => Err(failure),
        };
        if found.is_ok() {
            shared.works();
            return;
        }
    }
}

fn end(batch: Vec<Box<dyn Job>>, committed: &Committed) {
    for job in batch {
        job.end(committed);
    }
}

/// Locks, loads, runs, writes and commits. `committing`: whether the commit was sent.
async fn attempt(
    on: &Writing,
    shared: &Shared,
    batch: &mut [Box<dyn Job>],
    committing: &mut bool,
) -> Result<Option<u64>, Failure> {
    let mut wants: BTreeSet<Want> = batch.iter().flat_map(|job| job.wants()).cloned().collect();
    let mut loaded: Option<Working> = None;
    let mut starts = 0;
    loop {
        let mut working = match loaded.take() {
            Some(working) => working,
            None => Box::pin(load::load(on, Arc::clone(&shared.rules), &wants)).await?,
        };
        let again = working.is_unlocked();
        if !again {
            for job in batch.iter_mut() {
                job.run(&mut working);
            }
            let more = working.take_wants();
            if more.is_empty() {
                if !write::has_changes(&working) {
                    on.batch("ROLLBACK").await?;
                    return Ok(None);
                }
                let parts = write::Parts::of(&working)?;
                *committing = true;
                return write::write(on, &parts).await;
            }
            let locks = more.iter().any(Want::locks);
            wants.extend(more.iter().cloned());
            if !locks {
                working.reset();
                Box::pin(load::load_more(on, &mut working, &more)).await?;
                loaded = Some(working);
                continue;
            }
        }
        // Somebody is to be locked who comes before one that is: all are let go of, and locked in order.
        on.batch("ROLLBACK").await?;
        starts += 1;
        if starts == MOST_STARTS {
            return Err(Failure::Again("whom the batch concerns changes all the time".into()));
        }
    }
}

async fn begin_writing(dialer: &Dialer) -> Result<Writing, Failure> {
    let begun = async { Writing::new(dialer.session().await?, ALL).await };
    tokio::time::timeout(CONNECTING_PATIENCE, begun).await.unwrap_or_else(|_| Err(Failure::no_answer()))
}

async fn fate_of(dialer: &Dialer, mark: Mark) -> Result<Fate, Failure> {
    Ok(match mark.is_committed(&dialer.session().await?).await? {
        Some(true) => Fate::Committed,
        Some(false) => Fate::Gone,
        None => Fate::Unknown,
    })
}
