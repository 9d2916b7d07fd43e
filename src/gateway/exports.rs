//! The export of everything while work goes on: one at a time, whatever the engine, and none for longer than somebody
//! reads it. What it pins in the store is let go of when its reader goes away, or stands still.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::export::{Lines, Summary};

use super::Gateway;

/// A reader that takes nothing for so long has gone to sleep, and would keep the moment that it reads for ever.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How many parts are made before they are asked for.
const PARTS_AHEAD: usize = 1;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("an export that was begun at {since} is still being read")]
    UnderWay { since: Timestamp },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// When the export under way was begun, if there is one.
#[derive(Default)]
pub(super) struct Exports(Arc<Mutex<Option<Timestamp>>>);

/// The only place there is. Dropping it makes room for the next.
struct Place(Arc<Mutex<Option<Timestamp>>>);

impl Exports {
    fn take(&self, now: Timestamp) -> Result<Place, ExportError> {
        let mut begun = lock(&self.0);
        if let Some(since) = *begun {
            return Err(ExportError::UnderWay { since });
        }
        *begun = Some(now);
        Ok(Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *lock(&self.0) = None;
    }
}

fn lock(begun: &Mutex<Option<Timestamp>>) -> MutexGuard<'_, Option<Timestamp>> {
    begun.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Part {
    Lines(Vec<u8>),
    Failed(StoreError),
    End,
}

/// An export for whoever reads it. Dropping it breaks it off.
pub struct Exporting {
    parts: mpsc::Receiver<Part>,
    is_over: bool,
}

impl Exporting {
    /// The next whole lines; none after the last. After an error there is nothing more to be had.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_over {
            return Ok(None);
        }
        match self.parts.recv().await {
            Some(Part::Lines(lines)) => Ok(Some(lines)),
            Some(Part::End) => {
                self.is_over = true;
                Ok(None)
            }
            Some(Part::Failed(error)) => Err(error),
            // Without its end it must not look whole.
            None => Err(StoreError::Unavailable("the export was given up: nothing of it was read".into())),
        }
    }
}

/// In this order: what the store keeps for it goes before the next may begin.
struct UnderWay {
    lines: Lines,
    _place: Place,
}

impl Gateway {
    /// Begins to export everything, as it is now.
    pub async fn export(&self) -> Result<Exporting, ExportError> {
        let place = self.exports.take(self.now())?;
        let lines = Lines::of_running(self.store.export().await?, self.now());
        let (sender, parts) = mpsc::channel(PARTS_AHEAD);
        self.spawn(hand_out(UnderWay { lines, _place: place }, sender));
        Ok(Exporting { parts, is_over: false })
    }
}

/// Makes part after part, as long as they are taken.
async fn hand_out(mut export: UnderWay, reader: mpsc::Sender<Part>) {
    loop {
        let part = match export.lines.next().await {
            Ok(Some(part)) => part,
            // The last part came before this, and was the end.
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "an export broke off");
                drop(export);
                give(&reader, Part::Failed(error)).await;
                return;
            }
        };
        if let Some(summary) = export.lines.summary() {
            tell(summary);
            // Before the reader has all of it: who was answered to the end may ask again at once.
            drop(export);
            if give(&reader, Part::Lines(part)).await {
                give(&reader, Part::End).await;
            }
            return;
        }
        if !give(&reader, Part::Lines(part)).await {
            return;
        }
    }
}

/// Whether the reader takes it.
async fn give(reader: &mpsc::Sender<Part>, part: Part) -> bool {
    match tokio::time::timeout(PATIENCE, reader.send(part)).await {
        Ok(Ok(())) => true,
        Ok(Err(_)) => {
            tracing::warn!("an export was broken off by its reader");
            false
        }
        Err(_) => {
            tracing::warn!(after_s = PATIENCE.as_secs(), "an export was given up: nothing of it was read");
            false
        }
    }
}

fn tell(summary: &Summary) {
    tracing::info!(records = summary.records(), sha256 = summary.sha256(), "an export is at its end");
}
