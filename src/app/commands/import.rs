//! `switchboard import`: fills an empty store with an export, or only checks the file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::export::{Progress, as_json, in_detail, records};
use crate::app::cli::{self, Format};
use crate::app::config::Config;
use crate::app::{ambient, remote, report};
use crate::domain::time::Timestamp;
use crate::store::export::{ImportError, Reader, Record, Summary};
use crate::store::{Store, StoreError};

/// How much is read at once, and how many records are written at once.
const READ_BYTES: usize = 64 << 10;
const BATCH: usize = 1_000;

pub async fn run(config: &Config, import: &cli::Import, format: Format) -> Result<()> {
    let is_stdin = import.file == Path::new("-");
    // What can be read twice is known to be whole before anything is touched.
    let checked = if is_stdin && !import.verify { None } else { Some(check(&import.file)?) };
    if import.verify {
        let summary = checked.context("nothing was read")?;
        show(&summary, &format!("{} is whole: {}", import.file.display(), records(&summary)), 0, format);
        return Ok(());
    }
    let place = Place::of(config);
    let store = remote::open_at_once(config).await?;
    let done = match store.begin_import().await {
        Ok(()) => fill(&store, import).await.with_context(|| {
            format!(
                "the import broke off, and {}, which was empty before, will not open; {}, and import again",
                place.name, place.remedy
            )
        }),
        Err(error) => {
            let advice = not_begun(&error, &place);
            Err(anyhow::Error::from(error).context(advice))
        }
    };
    let (summary, doubted) = remote::close(&*store, done).await?;
    let words = format!("imported {} into {}", records(&summary), place.name);
    show(&summary, &words, doubted, format);
    Ok(())
}

/// Where it is imported to, and how that is made empty again.
struct Place {
    name: String,
    remedy: String,
    /// What to do where it is not empty.
    another: &'static str,
}

impl Place {
    fn of(config: &Config) -> Self {
        let name = remote::store_name(config);
        if config.store.postgres.is_some() {
            let remedy = "drop its tables, or make a new database".to_owned();
            return Self { name, remedy, another: "let store.url name a new database" };
        }
        let remedy = format!("remove {}", remote::store_path(config).display());
        Self { name, remedy, another: "give store.path a new folder" }
    }
}

/// What to do where nothing was imported yet.
fn not_begun(error: &ImportError, place: &Place) -> String {
    let name = &place.name;
    match error {
        ImportError::NotEmpty => {
            format!("nothing was imported, and {name} was not touched; {}", place.another)
        }
        ImportError::Store(StoreError::Full { .. }) => format!(
            "nothing was imported, and {name} was not touched; make room on its disk, and import again"
        ),
        // Only an empty one is begun with, and only then is it half of one.
        ImportError::Store(StoreError::Uncertain(_)) => {
            format!(
                "no record was imported into {name}; import again, which says if it has to be emptied first"
            )
        }
        ImportError::NotBegun | ImportError::Refused { .. } | ImportError::Store(_) => {
            format!("nothing was imported, and {name} was not touched")
        }
    }
}

fn show(summary: &Summary, words: &str, doubted: u64, format: Format) {
    let mut json = as_json(summary);
    json["may_have_left"] = doubted.into();
    let mut lines = vec![words.to_owned(), in_detail(summary)];
    if doubted > 0 {
        lines.push(format!(
            "{doubted} texts that waited may have left since: they are looked for before they are sent again"
        ));
    }
    report::result(format, &json, &lines.join("\n"));
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Box::new(file))
}

/// Reads the whole file, and keeps nothing of it.
fn check(path: &Path) -> Result<Summary> {
    let mut pieces = Pieces::open(path)?;
    while let Some(mut records) = pieces.next()? {
        records.clear();
    }
    pieces.finish()
}

/// A file, read piece by piece.
struct Pieces<'p> {
    path: &'p Path,
    from: Box<dyn Read + Send>,
    reader: Reader,
    buffer: Vec<u8>,
}

impl<'p> Pieces<'p> {
    fn open(path: &'p Path) -> Result<Self> {
        Ok(Self { path, from: open(path)?, reader: Reader::default(), buffer: vec![0; READ_BYTES] })
    }

    /// The records of the next piece; none at the end.
    fn next(&mut self) -> Result<Option<Vec<Record>>> {
        let count = self
            .from
            .read(&mut self.buffer)
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        if count == 0 {
            return Ok(None);
        }
        let mut records = Vec::new();
        let read = self.reader.read(&self.buffer[..count], &mut records);
        read.with_context(|| self.path.display().to_string())?;
        Ok(Some(records))
    }

    fn finish(self) -> Result<Summary> {
        self.reader.finish().with_context(|| self.path.display().to_string())
    }
}

/// Fills the store, once an import has begun. How many texts may have left since the export was made.
async fn fill(store: &Arc<dyn Store>, import: &cli::Import) -> Result<(Summary, u64)> {
    let mut pieces = Pieces::open(&import.file)?;
    let mut filling =
        Filling { store: &**store, batch: Vec::new(), imported: 0, progress: Progress::default() };
    let mut doubted = 0;
    while let Some(mut records) = pieces.next()? {
        if let Some(header) = pieces.reader.header()
            && (import.may_have_left || header.running && !import.as_it_was)
        {
            doubted += doubt(&mut records, header.created_at);
        }
        filling.take(records).await?;
    }
    filling.flush().await?;
    let summary = pieces.finish()?;
    store.end_import().await?;
    Ok((summary, doubted))
}

/// What waited when the export was made, and may have left since.
fn doubt(records: &mut [Record], since: Timestamp) -> u64 {
    let now = ambient::now();
    let mut doubted = 0;
    for record in records {
        if let Record::Message { message, .. } = record {
            doubted += u64::from(message.doubt(since, now));
        }
    }
    doubted
}

struct Filling<'s> {
    store: &'s dyn Store,
    batch: Vec<Record>,
    imported: u64,
    progress: Progress,
}

impl Filling<'_> {
    async fn take(&mut self, records: Vec<Record>) -> Result<()> {
        self.batch.extend(records);
        if self.batch.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let count = u64::try_from(batch.len())?;
        // The header is the first line.
        let first_line = self.imported + 2;
        self.store.import(batch).await.map_err(|error| match error {
            ImportError::Refused { at, .. } => {
                let line = first_line.saturating_add(u64::try_from(at).unwrap_or(0));
                anyhow::Error::from(error).context(format!("line {line} does not fit those before it"))
            }
            error => error.into(),
        })?;
        self.imported += count;
        self.progress.tell(self.imported, "records are imported");
        Ok(())
    }
}
