//! An export as chunks of lines, each made when it is asked for.

use super::{Export, Header, Record, Summary, Writer};
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// The file, chunk by chunk.
pub struct Lines {
    export: Box<dyn Export>,
    state: State,
    records: u64,
}

enum State {
    /// The moment whose state it is, and whether work goes on after it.
    New(Timestamp, bool),
    Writing(Writer),
    Done(Summary),
    Failed,
}

impl Lines {
    /// Of a store that nobody else works with. `now`: when the export was taken. Where the last daemon did not stop cleanly,
    /// it counts as running: it died, and whoever supervises it is about to start it again.
    pub fn of(export: Box<dyn Export>, now: Timestamp) -> Self {
        Self { export, state: State::New(now, false), records: 0 }
    }

    /// Of a store that its daemon goes on working with.
    pub fn of_running(export: Box<dyn Export>, now: Timestamp) -> Self {
        Self { export, state: State::New(now, true), records: 0 }
    }

    /// The next whole lines; none after the last. After an error there is nothing more to be had.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut chunk = Vec::new();
        let mut records = None;
        let mut writer = match std::mem::replace(&mut self.state, State::Failed) {
            State::New(now, running) => {
                // The mark that the last daemon left is the first of all records.
                let first = self.export.next().await?;
                let may_go_on = running || first.iter().any(was_not_stopped);
                records = Some(first);
                Writer::begin(Header::new(self.export.engine(), now, may_go_on), &mut chunk)?
            }
            State::Writing(writer) => writer,
            done @ State::Done(_) => {
                self.state = done;
                return Ok(None);
            }
            State::Failed => return Err(StoreError::Unavailable("the export has failed".into())),
        };
        let records = match records {
            Some(first) => first,
            None => self.export.next().await?,
        };
        for record in &records {
            writer.record(record, &mut chunk)?;
            self.records += 1;
        }
        self.state =
            if records.is_empty() { State::Done(writer.end(&mut chunk)?) } else { State::Writing(writer) };
        Ok(Some(chunk))
    }

    /// How many records were given.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What it held, once the last chunk was given.
    pub fn summary(&self) -> Option<&Summary> {
        match &self.state {
            State::Done(summary) => Some(summary),
            State::New(..) | State::Writing(_) | State::Failed => None,
        }
    }
}

/// Whether the last daemon died: then its supervisor starts it again.
fn was_not_stopped(record: &Record) -> bool {
    matches!(record, Record::Alive { alive } if !alive.clean)
}
