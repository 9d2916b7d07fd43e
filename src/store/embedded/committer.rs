//! Group commit: one thread takes all commands that wait, applies them one after the other, commits once, and only
//! then answers them all. The only place that writes; what a command means is none of its business.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

use super::kv::{Kv, WriteSet};
use super::overlay::Overlay;
use crate::store::StoreError;

/// How many commands may wait. About half a second's work; more would only make everybody wait for longer.
const MOST_WAITING: usize = 4096;
/// How many commands share a commit. More would gain little, and cost the first of them their patience.
const MOST_IN_BATCH: usize = 256;

/// A command, ready to be applied. What it returns is called once its writes are durable, or are not.
type Job = Box<dyn FnOnce(&mut Overlay<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(&Committed) + Send>;
/// How the commit went; else why the store is unavailable from now on.
type Committed = Result<(), String>;

pub struct Committer {
    /// None once it is closed.
    jobs: RwLock<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Why a commit failed. Its sender is the thread's, and gone with it.
    failure: watch::Receiver<Option<String>>,
}

impl Committer {
    pub fn start(kv: Arc<dyn Kv>) -> std::io::Result<Self> {
        Self::with_capacity(kv, MOST_WAITING)
    }

    fn with_capacity(kv: Arc<dyn Kv>, most_waiting: usize) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(most_waiting);
        let (failed, failure) = watch::channel(None);
        let work = move || work(&*kv, &waiting, &failed);
        let thread = std::thread::Builder::new().name("store-committer".into()).spawn(work)?;
        Ok(Self { jobs: RwLock::new(Some(jobs)), thread: Mutex::new(Some(thread)), failure })
    }

    /// Applies a command and returns when it is durable. An error of the command leaves no trace of it. Once this was
    /// polled, the command takes effect whether or not the caller still waits.
    pub async fn run<T, E, C>(&self, command: C) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        C: FnOnce(&mut Overlay<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.submit(job(command, answer))?;
        answered.await.unwrap_or_else(|_| Err(self.unavailable().into()))
    }

    /// Fails if a commit failed before, or if it is closed.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.is_open() && self.failure.borrow().is_none() { Ok(()) } else { Err(self.unavailable()) }
    }

    /// Returns, with the reason, when nothing will be committed any more, other than by [`Committer::close`].
    pub async fn broken(&self) -> String {
        let mut failure = self.failure.clone();
        // The borrow ends before the next await.
        let seen = failure.wait_for(Option::is_some).await.map(|reason| reason.clone());
        match seen {
            Ok(reason) => reason.unwrap_or_default(),
            Err(_) if self.is_open() => "the store's committer has died".into(),
            Err(_) => std::future::pending().await,
        }
    }

    fn is_open(&self) -> bool {
        self.jobs.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Finishes what waits, takes nothing more, and ends the thread. Blocks until then.
    pub fn close(&self) {
        drop(self.jobs.write().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's committer had died");
        }
    }

    fn submit(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        let jobs = jobs.as_ref().ok_or_else(|| self.unavailable())?;
        jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Overloaded,
            TrySendError::Disconnected(_) => self.unavailable(),
        })
    }

    fn unavailable(&self) -> StoreError {
        let reason = self.failure.borrow().clone();
        StoreError::Unavailable(reason.unwrap_or_else(|| "it is closed".into()))
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.close();
    }
}

fn job<T, E, C>(command: C, answer: oneshot::Sender<Result<T, E>>) -> Job
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    C: FnOnce(&mut Overlay<'_>) -> Result<T, E> + Send + 'static,
{
    Box::new(move |overlay| {
        // After a panic the command's layer is thrown away: nothing half-done is seen by anybody.
        let result = catch_unwind(AssertUnwindSafe(|| command(overlay)))
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the command panicked".into()).into()))
            .and_then(|done| match overlay.too_large() {
                None => Ok(done),
                Some(bytes) => Err(StoreError::TooLarge(bytes).into()),
            });
        match &result {
            Ok(_) => overlay.keep(),
            Err(_) => overlay.discard(),
        }
        Box::new(move |committed| {
            let result = match committed {
                Ok(()) => result,
                Err(reason) => Err(StoreError::Unavailable(reason.clone()).into()),
            };
            if answer.send(result).is_err() {
                tracing::debug!("a command was done, but its caller had left");
            }
        })
    })
}

fn work(kv: &dyn Kv, waiting: &Receiver<Job>, failed: &watch::Sender<Option<String>>) {
    while let Ok(first) = waiting.recv() {
        let batch = std::iter::once(first).chain(waiting.try_iter()).take(MOST_IN_BATCH);
        let (answers, committed) = commit(kv, batch.collect());
        if let Err(reason) = &committed {
            // What is in the engine's memory may now differ from what is on the disk: only a new start can tell.
            tracing::error!(reason, "a commit failed; the store is unavailable until it is opened again");
            failed.send_replace(Some(reason.clone()));
        }
        for answer in answers {
            answer(&committed);
        }
        if committed.is_err() {
            return;
        }
    }
}

fn commit(kv: &dyn Kv, batch: Vec<Job>) -> (Vec<Answer>, Committed) {
    let (answers, writes) = match kv.begin() {
        Ok(view) => {
            let mut overlay = Overlay::new(&*view);
            let answers = batch.into_iter().map(|job| job(&mut overlay)).collect();
            (answers, overlay.into_writes())
        }
        // Dropped jobs answer by themselves.
        Err(error) => return (Vec::new(), Err(StoreError::from(error).to_string())),
    };
    (answers, write(kv, &writes))
}

fn write(kv: &dyn Kv, writes: &WriteSet) -> Committed {
    if writes.is_empty() {
        return Ok(());
    }
    match catch_unwind(AssertUnwindSafe(|| kv.commit(writes))) {
        Ok(outcome) => outcome.map_err(|error| StoreError::from(error).to_string()),
        Err(_) => Err("the storage engine panicked".into()),
    }
}

#[cfg(test)]
mod tests;
