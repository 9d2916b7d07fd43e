//! Group commit: one thread takes all commands that wait, applies them one after the other, commits once, and only
//! then answers them all. The only place that writes; what a command means is none of its business.
//!
//! A commit that fails does not end it: the engine is let go of and opened again ([`recovery`]), and what was in that
//! one batch may or may not have been kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

use super::engine::{Engine, Opener};
use super::kv::{Kv, KvError, WriteSet};
use super::overlay::Overlay;
use super::room::{Level, Room};
use super::schema;
use super::tables::{Tables, read_entry};
use crate::store::StoreError;
use crate::store::queue::{Queue, Refused, Urgency};

mod recovery;

pub use recovery::Patience;
use recovery::{Failure, Recovery};

/// How many commands of an urgency may wait. About half a second's work; more would only make everybody wait for longer.
const MOST_WAITING: usize = 4096;
/// How many commands share a commit. More would gain little, and cost the first of them their patience.
const MOST_IN_BATCH: usize = 256;

/// How the store is, as far as the committer knows.
#[derive(Clone, Debug)]
enum Condition {
    Works,
    /// Away, for that reason, and to be opened again.
    Away(String),
    /// Not to be opened again in this process.
    Broken(String),
}

/// What the committer stands on.
pub struct Ground {
    /// Opened already.
    pub engine: Arc<Engine>,
    pub opener: Opener,
    pub room: Room,
    /// Where the engine keeps its files.
    pub directory: PathBuf,
    pub patience: Patience,
}

pub struct Committer {
    queue: Arc<Queue<Box<dyn Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Its sender is the thread's, and gone with it.
    condition: watch::Receiver<Condition>,
    news: watch::Receiver<u64>,
}

impl Committer {
    pub fn start(ground: Ground) -> std::io::Result<Self> {
        Self::with_capacity(ground, MOST_WAITING)
    }

    fn with_capacity(ground: Ground, most_waiting: usize) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(most_waiting));
        let (changed, condition) = watch::channel(Condition::Works);
        let Ground { engine, opener, room, directory, patience } = ground;
        let (told, news) = watch::channel(engine.get().map_or(0, |kv| newest_event(&*kv)));
        let recovery = Recovery::new(opener, directory, patience);
        let worker =
            Worker { engine, recovery, room, queue: Arc::clone(&queue), condition: changed, news: told };
        let thread = std::thread::Builder::new().name("store-committer".into()).spawn(|| worker.run())?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)), condition, news })
    }

    /// Applies a command and returns when it is durable. An error of the command leaves no trace of it. Once this was
    /// polled, the command takes effect whether or not the caller still waits.
    pub async fn run<T, E, C>(&self, urgency: Urgency, command: C) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: FnOnce(&mut Overlay<'_>) -> Result<T, E> + Send + 'static,
    {
        self.check()?;
        let (answer, answered) = oneshot::channel();
        self.queue.push(urgency, Box::new(Command { command, answer })).map_err(|refused| match refused {
            Refused::Full => StoreError::Overloaded,
            Refused::Closed => self.unavailable(),
        })?;
        // Who drops a command without a word may have applied it.
        answered.await.unwrap_or_else(|_| Err(StoreError::Uncertain("the committer has died".into()).into()))
    }

    /// Shows the place of the newest event that is durable.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// Fails while the engine is away, and once it is closed.
    pub fn check(&self) -> Result<(), StoreError> {
        let works = matches!(*self.condition.borrow(), Condition::Works);
        if works && !self.queue.is_closed() { Ok(()) } else { Err(self.unavailable()) }
    }

    /// Returns, with the reason, when nothing will be committed any more, other than by [`Committer::close`].
    pub async fn broken(&self) -> String {
        let mut condition = self.condition.clone();
        // The borrow ends before the next await.
        let broken = condition.wait_for(|condition| matches!(condition, Condition::Broken(_))).await;
        if let Ok(Condition::Broken(reason)) = broken.map(|condition| condition.clone()) {
            return reason;
        }
        // It was closed.
        std::future::pending().await
    }

    /// Finishes what waits, takes nothing more, and ends the thread. Blocks until then.
    pub fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's committer had died");
        }
    }

    fn unavailable(&self) -> StoreError {
        match &*self.condition.borrow() {
            Condition::Away(reason) | Condition::Broken(reason) => StoreError::Unavailable(reason.clone()),
            Condition::Works => StoreError::Unavailable("it is closed".into()),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

/// How the commit went; else why nobody knows whether it did.
type Committed = Result<(), String>;
/// Called once a command's writes are durable, or nobody knows.
type Answer = Box<dyn FnOnce(&Committed)>;

/// A command that waits. It is applied or refused.
trait Job: Send {
    fn apply(self: Box<Self>, overlay: &mut Overlay<'_>) -> Answer;
    fn refuse(self: Box<Self>, reason: StoreError);
}

struct Command<T, E, C> {
    command: C,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, C> Job for Command<T, E, C>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    C: FnOnce(&mut Overlay<'_>) -> Result<T, E> + Send + 'static,
{
    fn apply(self: Box<Self>, overlay: &mut Overlay<'_>) -> Answer {
        let Self { command, answer } = *self;
        // After a panic the command's layer is thrown away: nothing half-done is seen by anybody.
        let result = catch_unwind(AssertUnwindSafe(|| command(overlay)))
            .unwrap_or_else(|_| Err(StoreError::BrokeOff("it panicked".into()).into()))
            .and_then(|done| match overlay.too_large() {
                None => Ok(done),
                Some(bytes) => Err(StoreError::TooLarge(bytes).into()),
            });
        match &result {
            Ok(_) => overlay.keep(),
            Err(_) => overlay.discard(),
        }
        Box::new(move |committed| match committed {
            Ok(()) => tell(answer, result),
            Err(reason) => tell(answer, Err(StoreError::Uncertain(reason.clone()).into())),
        })
    }

    fn refuse(self: Box<Self>, reason: StoreError) {
        tell(self.answer, Err(reason.into()));
    }
}

fn tell<T>(answer: oneshot::Sender<T>, result: T) {
    if answer.send(result).is_err() {
        tracing::debug!("a command was done, but its caller had left");
    }
}

struct Worker {
    engine: Arc<Engine>,
    recovery: Recovery,
    room: Room,
    queue: Arc<Queue<Box<dyn Job>>>,
    condition: watch::Sender<Condition>,
    news: watch::Sender<u64>,
}

impl Worker {
    fn run(mut self) {
        let mut level = Level::Enough;
        while let Some(batch) = self.queue.next_batch(MOST_IN_BATCH) {
            let before = std::mem::replace(&mut level, self.room.look());
            self.report_room(before, level);
            let batch = self.admit(batch);
            let Err(failure) = self.commit(batch) else { continue };
            if !self.recover(failure) {
                return;
            }
        }
    }

    /// Those for whom there is room.
    fn admit(&self, batch: Vec<(Urgency, Box<dyn Job>)>) -> Vec<Box<dyn Job>> {
        let admit = |(urgency, job): (Urgency, Box<dyn Job>)| {
            if self.room.allows(urgency) {
                return Some(job);
            }
            job.refuse(self.room.refusal());
            None
        };
        batch.into_iter().filter_map(admit).collect()
    }

    fn report_room(&self, before: Level, now: Level) {
        match now {
            _ if before == now => {}
            Level::Enough => tracing::info!("the store's disk has room again"),
            Level::Low => {
                tracing::error!(
                    reason = %self.room.refusal(),
                    "the store's disk is nearly full: nothing new is taken or begun until it has room; what is under \
                     way is finished"
                );
            }
            Level::Out => {
                tracing::error!(
                    reason = %self.room.refusal(),
                    "the store's disk is nearly full, and half of the reserve is gone: nothing is written any more \
                     until it has room"
                );
            }
        }
    }

    fn commit(&mut self, batch: Vec<Box<dyn Job>>) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let failed_to_begin = |batch: Vec<Box<dyn Job>>, failure: Failure| {
            for job in batch {
                job.refuse(StoreError::Unavailable(failure.reason.clone()));
            }
            Err(failure)
        };
        let Some(kv) = self.engine.get() else {
            return failed_to_begin(batch, Failure::of_words("the storage engine is away"));
        };
        let view = match guarded(|| kv.begin()) {
            Ok(view) => view,
            Err(failure) => return failed_to_begin(batch, failure),
        };
        let mut overlay = Overlay::new(&*view);
        let answers: Vec<Answer> = batch.into_iter().map(|job| job.apply(&mut overlay)).collect();
        let writes = overlay.into_writes();
        drop(view);
        let outcome = if writes.is_empty() { Ok(()) } else { guarded(|| kv.commit(&writes)) };
        if outcome.is_ok() && !writes.is_empty() {
            self.recovery.works();
        }
        let committed = outcome.as_ref().copied().map_err(|failure| failure.reason.clone());
        if let Err(reason) = &committed {
            // Before anybody is told, so that whoever asks again is told the same.
            self.condition.send_replace(Condition::Away(reason.clone()));
        }
        if committed.is_ok() {
            self.tell_news(&writes);
        }
        for answer in answers {
            answer(&committed);
        }
        outcome
    }

    /// Who follows the log need not look again and again.
    fn tell_news(&self, writes: &WriteSet) {
        let written = writes.get(&schema::events_key()).and_then(Option::as_ref);
        if let Some(Ok(place)) = written.map(|value| read_entry(value)) {
            self.news.send_replace(place);
        }
    }

    /// Until the engine is open again; `false`: it will not be.
    fn recover(&mut self, failure: Failure) -> bool {
        tracing::error!(
            reason = failure.reason,
            "the storage engine failed; nothing is taken until it is open again"
        );
        self.condition.send_replace(Condition::Away(failure.reason.clone()));
        self.engine.let_go();
        let waiting = || self.queue.drain().into_iter();
        let reopened = self.recovery.reopen(&mut self.room, &self.queue, failure, |reason| {
            waiting().for_each(|job| job.refuse(StoreError::Unavailable(reason.to_owned())));
        });
        match reopened {
            Ok(Some(kv)) => {
                // What nobody knew of, and was kept after all.
                self.news.send_replace(newest_event(&*kv));
                self.engine.put(kv);
                self.condition.send_replace(Condition::Works);
                tracing::info!("the storage engine is open again");
                true
            }
            Ok(None) => false,
            Err(reason) => {
                tracing::error!(reason, "the storage engine cannot be opened again");
                self.condition.send_replace(Condition::Broken(reason));
                false
            }
        }
    }
}

impl Drop for Worker {
    /// However it ends, nobody waits for ever.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.condition.send_replace(Condition::Broken("the store's committer has died".into()));
        }
        self.queue.close();
        let reason = match &*self.condition.borrow() {
            Condition::Away(reason) | Condition::Broken(reason) => reason.clone(),
            Condition::Works => "it is closed".into(),
        };
        self.queue.drain().into_iter().for_each(|job| job.refuse(StoreError::Unavailable(reason.clone())));
    }
}

/// Where the log of events stands; a hint, and none if it cannot be read.
fn newest_event(kv: &dyn Kv) -> u64 {
    kv.begin().map_or(0, |view| Tables::new(&*view).last_event().unwrap_or(0))
}

fn guarded<T>(call: impl FnOnce() -> Result<T, KvError>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(outcome) => outcome.map_err(|error| Failure::of(&error)),
        Err(_) => Err(Failure::of_words("the storage engine panicked")),
    }
}

#[cfg(test)]
mod tests;
