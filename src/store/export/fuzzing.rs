//! What must hold for any bytes that are taken for an export: a file is believed whole and unchanged, or not at all. Each
//! function is the body of a target in `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use super::{Header, Line, Reader, Record, Writer, read_line};
use crate::domain::time::Timestamp;

/// The longest reason why a line cannot be read: it names a place, and never quotes.
const LONGEST_REASON: usize = 300;

pub fn export_line(data: &[u8]) {
    match read_line(data) {
        Ok(Line::Record(record)) => {
            let written = serde_json::to_vec(&record).unwrap_or_default();
            assert_eq!(read_line(&written), Ok(Line::Record(record)), "a record changes by being exported");
        }
        Ok(Line::Header(_) | Line::End(_)) => {}
        Err(error) => assert!(error.to_string().len() <= LONGEST_REASON, "{error}"),
    }
}

/// Lines of records, made into a file; the last byte says which of its bytes is changed, and where it is cut.
pub fn export_file(data: &[u8]) {
    let wild = read(&[data]);
    let (one, two) = data.split_at(data.len() / 2);
    assert_eq!(read(&[one, two]), wild, "it reads otherwise in pieces");

    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| read_line(line).ok());
    let records: Vec<_> =
        lines.filter_map(|line| if let Line::Record(record) = line { Some(record) } else { None }).collect();
    let Some(file) = written(&records) else { panic!("what was read cannot be written") };
    assert_eq!(read(&[&file]).as_ref(), Some(&records), "a file does not read back");

    let chance = usize::from(data.last().copied().unwrap_or(7)) * 257 % file.len();
    let mut changed = file.clone();
    changed[chance] ^= 1 << (chance % 8);
    let believed = read(&[&changed]);
    assert!(believed.is_none() || believed == Some(records), "a changed file is believed");
    assert_eq!(read(&[&file[..chance]]), None, "a file that breaks off is believed");
}

fn read(pieces: &[&[u8]]) -> Option<Vec<Record>> {
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    for piece in pieces {
        reader.read(piece, &mut records).ok()?;
    }
    reader.finish().ok().map(|_| records)
}

fn written(records: &[Record]) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut writer = Writer::begin(Header::new("sled", Timestamp::from_millis(0), false), &mut file).ok()?;
    for record in records {
        writer.record(record, &mut file).ok()?;
    }
    writer.end(&mut file).ok()?;
    Some(file)
}
