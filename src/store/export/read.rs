//! Reads the lines, believing nothing: each is checked by itself, and all of them by the trailer. What is wrong is said
//! with its line, and never quoted: it may be what a customer wrote.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FORMAT, Header, KINDS, MAX_LINE_BYTES, Record, Summary, Trailer, VERSION};

/// What one line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Header(Header),
    Record(Record),
    End(Trailer),
}

/// What stands around the records, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "record", rename_all = "snake_case")]
pub(super) enum Frame {
    Header(Header),
    End(Trailer),
}

/// The paths of the format are shorter.
const LONGEST_PATH: usize = 100;

/// Why a line cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("it is not JSON from column {column} on")]
    NotJson { column: usize },
    /// JSON, but no record of this format.
    #[error("{} cannot be read, at column {column}", if path.is_empty() { "it" } else { path })]
    NotARecord { path: String, column: usize },
    #[error("it is longer than {MAX_LINE_BYTES} bytes, which no line is")]
    TooLong,
}

/// Reads one line, without its end.
pub fn read_line(line: &[u8]) -> Result<Line, LineError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(LineError::TooLong);
    }
    if let Ok(record) = serde_json::from_slice(line) {
        return Ok(Line::Record(record));
    }
    match serde_json::from_slice(line) {
        Ok(Frame::Header(header)) => Ok(Line::Header(header)),
        Ok(Frame::End(trailer)) => Ok(Line::End(trailer)),
        Err(_) => Err(line_error(line)),
    }
}

/// The same once more, slower and with the way to what is wrong.
fn line_error(line: &[u8]) -> LineError {
    #[derive(Deserialize)]
    struct Tag {
        kind: String,
    }
    let framed =
        serde_json::from_slice(line).is_ok_and(|Tag { kind }| ["header", "end"].contains(&kind.as_str()));
    if framed { way_to_error::<Frame>(line) } else { way_to_error::<Record>(line) }
}

fn way_to_error<T: DeserializeOwned>(line: &[u8]) -> LineError {
    let mut json = serde_json::Deserializer::from_slice(line);
    let wrong = serde_path_to_error::deserialize::<_, T>(&mut json).err();
    let (path, column, is_json) = wrong.map_or_else(
        // What is wrong comes after the object.
        || (String::new(), 0, false),
        |wrong| {
            let path = wrong.path().to_string();
            let path = if is_of_the_format(&path) { path } else { String::new() };
            (path, wrong.inner().column(), wrong.inner().is_data())
        },
    );
    if is_json { LineError::NotARecord { path, column } } else { LineError::NotJson { column } }
}

/// Whether it leads through fields of the format, as far as one can see: any other word may be what somebody wrote.
fn is_of_the_format(path: &str) -> bool {
    let is_plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '.' | '[' | ']');
    path != "." && path.len() <= LONGEST_PATH && path.chars().all(is_plain)
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("line 1: this is not an export of switchboard's")]
    NotAnExport,
    #[error(
        "line 1: the export was written by a newer version (its format is {found}, this version knows {VERSION}); use \
         that version or a later one"
    )]
    Newer { found: u32 },
    #[error("line {line}: {error}")]
    Line {
        line: u64,
        #[source]
        error: LineError,
    },
    #[error("line {line}: a header stands only at the beginning")]
    SecondHeader { line: u64 },
    #[error("line {line}: there is something after the end of the export")]
    AfterEnd { line: u64 },
    #[error("the export breaks off at line {line}: it is not complete")]
    Truncated { line: u64 },
    #[error("line {line}: the end speaks of {said} records of kind {kind}, but there are {found}")]
    Count { line: u64, kind: String, said: u64, found: u64 },
    #[error("line {line}: the end counts a kind of records that this format does not have")]
    UnknownKind { line: u64 },
    #[error("line {line}: the checksum does not fit; a line before it was changed")]
    Checksum { line: u64 },
}

/// Reads a file, fed to it in pieces of any size.
#[derive(Default)]
pub struct Reader {
    /// How many lines are read.
    lines: u64,
    /// The beginning of the next one.
    rest: Vec<u8>,
    header: Option<Header>,
    counts: BTreeMap<&'static str, u64>,
    sha256: Sha256,
    trailer: Option<Trailer>,
}

impl Reader {
    /// Reads on. The records of the lines that are whole now are added to `records`.
    pub fn read(&mut self, mut bytes: &[u8], records: &mut Vec<Record>) -> Result<(), ReadError> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end + 1);
            bytes = rest;
            if self.rest.is_empty() {
                self.line(line, records)?;
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.line(&whole, records)?;
            }
        }
        if self.rest.len() + bytes.len() > MAX_LINE_BYTES {
            return Err(ReadError::Line { line: self.lines + 1, error: LineError::TooLong });
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// The first line, once it is read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// How many lines are read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// There is nothing more to read: whether that was all of it.
    pub fn finish(self) -> Result<Summary, ReadError> {
        let line = self.lines + u64::from(!self.rest.is_empty());
        match (self.header, self.trailer) {
            (None, _) => Err(ReadError::NotAnExport),
            (Some(header), Some(trailer)) if self.rest.is_empty() => Ok(Summary { header, trailer }),
            (Some(_), Some(_)) => Err(ReadError::AfterEnd { line }),
            (Some(_), None) => Err(ReadError::Truncated { line }),
        }
    }

    /// One line, with its end.
    fn line(&mut self, whole: &[u8], records: &mut Vec<Record>) -> Result<(), ReadError> {
        self.lines += 1;
        let line = self.lines;
        if self.trailer.is_some() {
            return Err(ReadError::AfterEnd { line });
        }
        let said = read_line(whole.strip_suffix(b"\n").unwrap_or(whole));
        match (&self.header, said) {
            (None, Ok(Line::Header(header))) => self.header = Some(known(header)?),
            (None, _) => return Err(newer(whole).unwrap_or(ReadError::NotAnExport)),
            (Some(_), Ok(Line::Record(record))) => {
                *self.counts.entry(record.kind()).or_default() += 1;
                records.push(record);
            }
            (Some(_), Ok(Line::End(trailer))) => {
                self.check(&trailer)?;
                self.trailer = Some(trailer);
            }
            (Some(_), Ok(Line::Header(_))) => return Err(ReadError::SecondHeader { line }),
            (Some(_), Err(error)) => return Err(ReadError::Line { line, error }),
        }
        self.sha256.update(whole);
        Ok(())
    }

    fn check(&self, trailer: &Trailer) -> Result<(), ReadError> {
        let line = self.lines;
        if trailer.counts.keys().any(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(ReadError::UnknownKind { line });
        }
        for kind in KINDS {
            let said = trailer.counts.get(kind).copied().unwrap_or(0);
            let found = self.counts.get(kind).copied().unwrap_or(0);
            if said != found {
                return Err(ReadError::Count { line, kind: kind.to_owned(), said, found });
            }
        }
        let found: [u8; 32] = self.sha256.clone().finalize().into();
        if found == trailer.sha256 { Ok(()) } else { Err(ReadError::Checksum { line }) }
    }
}

fn known(header: Header) -> Result<Header, ReadError> {
    match () {
        () if header.format != FORMAT => Err(ReadError::NotAnExport),
        () if header.version > VERSION => Err(ReadError::Newer { found: header.version }),
        () => Ok(header),
    }
}

/// A later version's header may have changed in everything but this.
fn newer(line: &[u8]) -> Option<ReadError> {
    #[derive(Deserialize)]
    struct Line {
        record: Sign,
    }
    #[derive(Deserialize)]
    struct Sign {
        format: String,
        version: u32,
    }
    let Line { record: Sign { format, version } } = serde_json::from_slice(line).ok()?;
    (format == FORMAT && version > VERSION).then_some(ReadError::Newer { found: version })
}
