//! How values are written in SQL and read back. Records are JSON, as in an export; numbers are `bigint`s; and a NUL, which
//! PostgreSQL takes in no text, is written as two characters that sort where it would.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use crate::store::StoreError;

/// What a NUL and the character after it are written with.
const ESCAPE: char = '\u{1}';

/// As a text of the database.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        match character {
            '\0' => written.extend([ESCAPE, '\u{1}']),
            ESCAPE => written.extend([ESCAPE, '\u{2}']),
            other => written.push(other),
        }
    }
    Cow::Owned(written)
}

/// A text of the database, as it was.
pub fn untext(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE if characters.next() == Some('\u{1}') => text.push('\0'),
            ESCAPE => text.push(ESCAPE),
            other => text.push(other),
        }
    }
    text
}

/// As a `bigint`. No number of ours comes near the end of them, but for bounds that mean "all".
pub fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn unbig(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt("a number is negative".into()))
}

// serde's own words may quote what is stored, be it what a customer wrote: the kind of record has to do.
pub fn encode<T: Serialize>(record: &T) -> Result<String, StoreError> {
    serde_json::to_string(record)
        .map_err(|_| StoreError::Corrupt(format!("a {} cannot be written", kind::<T>())))
}

pub fn decode<T: DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt(format!("a {} cannot be read", kind::<T>())))
}

/// The name of its type.
fn kind<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    path.rsplit("::").next().unwrap_or(path)
}

/// The record in that column.
pub fn record<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, StoreError> {
    decode(column_of::<&str>(row, column)?)
}

/// A column of a row, of that type.
pub fn column_of<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    column: &str,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(|_| StoreError::Corrupt(format!("the column {column} cannot be read")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_reads_back_and_sorts_as_it_did(one in "[\u{0}-\u{3}a]{0,6}", other in "[\u{0}-\u{3}a]{0,6}") {
            prop_assert!(!text(&one).contains('\0'));
            prop_assert_eq!(untext(&text(&one)), one.clone());
            prop_assert_eq!(text(&one).cmp(&text(&other)), one.cmp(&other));
        }
    }
}
