//! That a file is believed only whole, unchanged and of a known version.

use super::*;
use crate::domain::ids::{MessageId, TokenId};
use crate::store::{Token, TokenRole};

fn token(id: u8) -> Record {
    let id_of = TokenId(uuid::Uuid::from_u128(id.into()));
    let (name, role) = ("the secret name".to_owned(), TokenRole::Agent);
    let created_at = Timestamp::from_millis(1_700_000_000_000);
    Record::Token { token: Token { id: id_of, name, role, sha256: [id; 32], created_at, revoked_at: None } }
}

fn file_with(header: Header, records: &[Record]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::begin(header, &mut file).unwrap();
    for record in records {
        writer.record(record, &mut file).unwrap();
    }
    writer.end(&mut file).unwrap();
    file
}

fn file(records: &[Record]) -> Vec<u8> {
    file_with(Header::new("sled", Timestamp::from_millis(1_700_000_000_123), true), records)
}

fn read_in(pieces: usize, file: &[u8]) -> Result<(Vec<Record>, Summary), ReadError> {
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    file.chunks(pieces).try_for_each(|piece| reader.read(piece, &mut records))?;
    Ok((records, reader.finish()?))
}

fn read(file: &[u8]) -> Result<(Vec<Record>, Summary), ReadError> {
    read_in(usize::MAX, file)
}

fn lines(file: &[u8]) -> Vec<&str> {
    std::str::from_utf8(file).unwrap().lines().collect()
}

fn file_of_lines(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

/// An export of this version, with every kind of record.
const PROMISED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/exports/v2.ndjson");

/// What the format promises changes with its version only. `UPDATE_FIXTURES=1 cargo test --lib` writes the file anew,
/// which is right only for a version that nobody has used yet: otherwise raise `VERSION`, and add a file for it.
#[test]
fn what_is_written_is_what_was_promised() {
    let promised = std::fs::read(PROMISED).unwrap();
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    reader.read(&promised, &mut records).unwrap();
    let header = reader.header().unwrap().clone();
    assert_eq!(header.version, VERSION, "add an export of this version, and name it here");
    let written = file_with(header, &records);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(PROMISED, &written).unwrap();
    }
    let promised = std::fs::read(PROMISED).unwrap();
    for (promised, written) in lines(&promised).into_iter().zip(lines(&written)) {
        assert!(promised == written, "promised was\n{promised}\nbut this is written\n{written}");
    }
    let (_, summary) = self::read(&promised).unwrap();
    assert!(KINDS.iter().all(|kind| summary.trailer.counts[*kind] > 0), "a kind is missing from {PROMISED}");
}

#[test]
fn a_file_reads_back_in_pieces_of_any_size() {
    let records = [token(1), token(2)];
    let file = file(&records);
    for pieces in [1, 2, 7, 100, 10_000] {
        let (read, summary) = read_in(pieces, &file).unwrap();
        assert_eq!(read, records);
        assert_eq!((summary.records(), summary.header.engine.as_str()), (2, "sled"));
        assert_eq!(summary.header.created_at, Timestamp::from_millis(1_700_000_000_123));
    }
}

#[test]
fn a_file_that_breaks_off_anywhere_is_not_one() {
    let file = file(&[token(1), token(2)]);
    for length in 0..file.len() {
        let refused = read(&file[..length]).unwrap_err();
        assert!(
            matches!(refused, ReadError::Truncated { .. } | ReadError::NotAnExport),
            "{length}: {refused}"
        );
    }
    let refused = read(&file[..file.len() - 1]).unwrap_err();
    assert_eq!(refused.to_string(), "the export breaks off at line 4: it is not complete");
}

#[test]
fn a_byte_that_was_changed_anywhere_is_found() {
    let whole = file(&[token(1), token(2)]);
    for at in 0..whole.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            assert!(read(&changed).is_err(), "byte {at} as {}", changed[at]);
        }
    }
}

#[test]
fn a_line_that_is_missing_or_too_many_is_found() {
    let whole = file(&[token(1), token(2)]);
    let lines = lines(&whole);
    let without = [lines[0], lines[1], lines[3]];
    let refused = read(&file_of_lines(&without)).unwrap_err();
    assert_eq!(refused.to_string(), "line 3: the end speaks of 2 records of kind token, but there are 1");
    let swapped = [lines[0], lines[2], lines[1], lines[3]];
    assert_eq!(read(&file_of_lines(&swapped)).unwrap_err(), ReadError::Checksum { line: 4 });
    let more = [lines[0], lines[1], lines[2], lines[3], lines[1]];
    assert_eq!(read(&file_of_lines(&more)).unwrap_err(), ReadError::AfterEnd { line: 5 });
    let headers = [lines[0], lines[0], lines[1]];
    assert_eq!(read(&file_of_lines(&headers)).unwrap_err(), ReadError::SecondHeader { line: 2 });
    let headless = [lines[1], lines[2], lines[3]];
    assert_eq!(read(&file_of_lines(&headless)).unwrap_err(), ReadError::NotAnExport);
}

#[test]
fn a_later_version_is_refused_whatever_else_its_header_says() {
    let now = Timestamp::default();
    let newer = file_with(Header { version: VERSION + 1, ..Header::new("sled", now, false) }, &[]);
    assert_eq!(read(&newer).unwrap_err(), ReadError::Newer { found: VERSION + 1 });
    let changed = format!(
        "{{\"kind\":\"header\",\"record\":{{\"format\":\"{FORMAT}\",\"version\":{},\"at\":1}}}}\n",
        VERSION + 7
    );
    assert_eq!(read(changed.as_bytes()).unwrap_err(), ReadError::Newer { found: VERSION + 7 });
    let other =
        file_with(Header { format: "a shopping list".into(), ..Header::new("sled", now, false) }, &[]);
    assert_eq!(read(&other).unwrap_err(), ReadError::NotAnExport);
}

#[test]
fn a_line_that_is_too_long_is_refused_before_it_is_at_its_end() {
    let header = lines(&file(&[]))[0].to_owned() + "\n";
    let (mut reader, mut records) = (Reader::default(), Vec::new());
    reader.read(header.as_bytes(), &mut records).unwrap();
    let piece = vec![b' '; 64 << 10];
    let refused = (0..100).find_map(|_| reader.read(&piece, &mut records).err()).unwrap();
    assert_eq!(refused, ReadError::Line { line: 2, error: LineError::TooLong });
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_never_quoted() {
    let whole = file(&[token(1)]);
    let line = lines(&whole)[1];
    let cases = [
        (line.replace("\"agent\"", "\"the secret role\""), "record.token.role"),
        (line.replace("1700000000000", "\"the secret time\""), "record.token.created_at"),
        (line.replace("\"token\",", "\"the secret kind\","), "kind"),
        (line.replace("\"name\":\"the secret name\",", ""), "record.token"),
        (line.replace("{\"token\":", "{\"secret\":1,\"token\":"), "record.secret"),
        (line.replace("\"the secret name\"", "the secret name"), "it is not JSON"),
        (line.to_owned() + "the secret rest", "it is not JSON"),
        (String::new(), "it is not JSON"),
        ("[]".to_owned(), "it cannot be read"),
    ];
    for (line, words) in cases {
        let said = read_line(line.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(words), "{said} of {line}");
        assert!(!said.contains("the secret"), "{said}");
    }
}

#[test]
fn kinds_are_named_as_they_are_written() {
    let id = Record::InboundId {
        channel: "main".into(),
        provider_id: "SM1".into(),
        message_id: MessageId(uuid::Uuid::nil()),
    };
    for record in [id, token(1)] {
        let value = serde_json::to_value(&record).unwrap();
        assert_eq!(value["kind"], record.kind());
    }
}
