//! `switchboard export`: all that the store holds into a file; from the store, or through the daemon that has it open.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;

use crate::app::cli::{self, Format};
use crate::app::config::Config;
use crate::app::remote::{self, Holder, Missing, Remote};
use crate::app::{ambient, report};
use crate::store::Store;
use crate::store::export::{Lines, Reader, Summary};

/// How often it is said how far it is.
const TELL_EVERY: u64 = 100_000;

pub async fn run(config: &Config, export: &cli::Export, format: Format) -> Result<()> {
    let holder = remote::holder(config, export.admin_token_file.as_deref(), Missing::IsRefused).await?;
    let mut output = Output::create(&export.output)?;
    let (summary, of) = match holder {
        Holder::Here(store) => {
            let done = from_store(&*store, &mut output).await;
            let summary = remote::close(&*store, done).await?;
            (summary, remote::store_name(config))
        }
        Holder::Daemon(daemon) => {
            (from_daemon(&daemon, &mut output).await?, format!("the daemon at {}", daemon.url()))
        }
    };
    let is_stdout = matches!(output, Output::Stdout(_));
    output.finish()?;
    let path = &export.output;
    let to = match std::path::absolute(path) {
        Ok(whole) if !is_stdout => whole.display().to_string(),
        _ => path.display().to_string(),
    };
    let text = match format {
        Format::Json => {
            let mut json = as_json(&summary);
            (json["of"], json["file"]) = (of.into(), to.into());
            json.to_string()
        }
        Format::Text => format!("exported {} of {of} to {to}\n{}", records(&summary), in_detail(&summary)),
    };
    // The result is the export itself.
    if is_stdout {
        report::complain(&text);
    } else {
        report::print(&text);
    }
    Ok(())
}

async fn from_store(store: &dyn Store, output: &mut Output) -> Result<Summary> {
    let mut lines = Lines::of(store.export().await?, ambient::now());
    let mut progress = Progress::default();
    while let Some(chunk) = lines.next().await? {
        output.write(&chunk)?;
        progress.tell(lines.records(), "records are exported");
    }
    lines.summary().cloned().context("the export did not come to its end")
}

/// What comes is read as well: a connection that breaks must not look like an end.
async fn from_daemon(daemon: &Remote, output: &mut Output) -> Result<Summary> {
    let mut answer = daemon.ask(Method::GET, "/v1/export", None).await?;
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    let mut progress = Progress::default();
    while let Some(chunk) = answer.chunk().await.context("the running daemon broke the export off")? {
        reader.read(&chunk, &mut records).context("what the running daemon sent")?;
        records.clear();
        output.write(&chunk)?;
        progress.tell(reader.lines(), "records are exported");
    }
    reader.finish().context("what the running daemon sent")
}

pub fn records(summary: &Summary) -> String {
    format!("{} records", summary.records())
}

/// The counts and the checksum, a line each.
pub fn in_detail(summary: &Summary) -> String {
    let counts = summary.trailer.counts.iter().map(|(kind, count)| format!("  {kind} {count}"));
    counts.chain([format!("  sha256 {}", summary.sha256())]).collect::<Vec<_>>().join("\n")
}

pub fn as_json(summary: &Summary) -> serde_json::Value {
    let header = &summary.header;
    json!({
        "records": summary.records(),
        "counts": summary.trailer.counts,
        "sha256": summary.sha256(),
        "created_at": header.created_at.to_string(),
        "engine": header.engine,
        "program": header.program,
        "running": header.running,
        "version": header.version,
    })
}

/// Says how far it is, now and then, where a person may see it.
#[derive(Default)]
pub struct Progress {
    told: u64,
}

impl Progress {
    pub fn tell(&mut self, done: u64, words: &str) {
        if done / TELL_EVERY > self.told / TELL_EVERY {
            self.told = done;
            report::complain(&format!("{done} {words}"));
        }
    }
}

/// Where the export goes.
enum Output {
    Stdout(io::Stdout),
    File(PartialFile),
}

impl Output {
    fn create(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout(io::stdout()));
        }
        let file = PartialFile::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File(file))
    }

    fn write(&mut self, chunk: &[u8]) -> Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.lock().write_all(chunk).context("cannot write to stdout"),
            Self::File(file) => {
                file.write(chunk).with_context(|| format!("cannot write {}", file.path.display()))
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.lock().flush().context("cannot write to stdout"),
            Self::File(file) => {
                let path = file.path.clone();
                file.finish().with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}

/// A file that gets its name when it is whole and on the disk: an export that breaks off takes no older one's place.
struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    /// None once it has its name.
    out: Option<BufWriter<File>>,
}

impl PartialFile {
    fn create(path: &Path) -> io::Result<Self> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut options = File::options();
        options.write(true).create_new(true);
        // What customers wrote is nobody else's business on this machine.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let out = Some(BufWriter::new(options.open(&partial)?));
        Ok(Self { path: path.to_owned(), partial, out })
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), |out| out.write_all(chunk))
    }

    fn finish(mut self) -> io::Result<()> {
        if let Some(out) = self.out.take() {
            out.into_inner()?.sync_all()?;
            fs::rename(&self.partial, &self.path)?;
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.out.take().is_some()
            && let Err(error) = fs::remove_file(&self.partial)
        {
            tracing::warn!(file = %self.partial.display(), %error, "a part of an export could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        fs::write(&path, "an older one").unwrap();
        let mut broken = PartialFile::create(&path).unwrap();
        broken.write(b"half").unwrap();
        drop(broken);
        assert_eq!(fs::read_to_string(&path).unwrap(), "an older one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        // What a process left that was killed.
        fs::write(folder.path().join("backup.partial"), "rest").unwrap();
        let mut whole = PartialFile::create(&path).unwrap();
        whole.write(b"whole").unwrap();
        whole.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
