//! Rows of the tables as the commands know them.

use tokio_postgres::Row;
use uuid::Uuid;

use super::sql::{column_of, record, unbig, untext};
use super::working::{CustomerRow, MessageRow, SessionRow, TurnRow};
use crate::store::StoreError;
use crate::store::apply::Parked;
use crate::store::change::IdempotencyName;

/// What is selected of each table, under the letter that it has in the statements.
macro_rules! columns {
    (customers) => {
        "c.seq, c.key_scope, c.key_name, c.record::text AS record"
    };
    (sessions) => {
        "s.seq, s.record::text AS record"
    };
    (messages) => {
        "m.seq, m.key_scope, m.key_name, m.is_head, m.record::text AS record"
    };
    (turns) => {
        "t.seq, t.is_head, t.record::text AS record"
    };
    (parked) => {
        "p.seq, p.at, p.record::text AS record"
    };
}
pub(super) use columns;

fn seq(row: &Row) -> Result<u64, StoreError> {
    unbig(column_of(row, "seq")?)
}

fn key(row: &Row) -> Result<Option<IdempotencyName>, StoreError> {
    let scope: Option<&str> = column_of(row, "key_scope")?;
    let name: Option<&str> = column_of(row, "key_name")?;
    Ok(scope.zip(name).map(|(scope, name)| (untext(scope), untext(name))))
}

pub fn customer(row: &Row) -> Result<CustomerRow, StoreError> {
    Ok(CustomerRow { seq: seq(row)?, key: key(row)?, customer: record(row, "record")? })
}

pub fn session(row: &Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow { seq: seq(row)?, session: record(row, "record")? })
}

pub fn message(row: &Row) -> Result<MessageRow, StoreError> {
    let seq = column_of::<Option<i64>>(row, "seq")?.map(unbig).transpose()?;
    Ok(MessageRow {
        seq,
        key: key(row)?,
        is_head: column_of(row, "is_head")?,
        message: record(row, "record")?,
    })
}

pub fn turn(row: &Row) -> Result<TurnRow, StoreError> {
    Ok(TurnRow { seq: seq(row)?, is_head: column_of(row, "is_head")?, turn: record(row, "record")? })
}

pub fn parked(row: &Row) -> Result<Parked, StoreError> {
    let at = crate::domain::time::Timestamp::from_millis(column_of(row, "at")?);
    Ok(Parked { order: seq(row)?, at, receipt: record(row, "record")? })
}

pub fn id(row: &Row, column: &str) -> Result<Uuid, StoreError> {
    column_of(row, column)
}
