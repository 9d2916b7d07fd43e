//! Goes through the whole store as it was at one moment, table by table, and hands out its records.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::client::{Failure, Session};
use super::rows;
use super::sql::{column_of, decode, record, unbig, untext};
use crate::domain::customer::NumberHash;
use crate::domain::event::Event;
use crate::domain::ids::MessageId;
use crate::domain::time::Timestamp;
use crate::store::change::Remembered;
use crate::store::export::{Export, Record};
use crate::store::{Alive, StoreError};

const RECORDS_AT_A_TIME: u32 = 500;

/// One kind of records: how they are selected, in their order, and read.
struct Part {
    select: &'static str,
    record: fn(&Row) -> Result<Record, StoreError>,
}

/// Texts sort by their length, then by their bytes.
macro_rules! by_length {
    ($first:literal, $second:literal) => {
        concat!(" ORDER BY octet_length(", $first, "), ", $first, ", octet_length(", $second, "), ", $second)
    };
}

/// In the order of [`Record`].
const PARTS: [Part; 16] = [
    Part {
        // While a daemon is in office, something may leave that is to leave, whatever another one has said as it ended.
        select: "SELECT record::text AS record,
            EXISTS (SELECT FROM daemons WHERE in_office_until > clock_timestamp()) AS in_office
            FROM facts WHERE name = 'alive'",
        record: alive,
    },
    Part { select: "SELECT seq, record::text AS record FROM customers ORDER BY seq", record: customer },
    Part { select: "SELECT record::text AS record FROM consent_log ORDER BY number, seq", record: consent },
    Part { select: "SELECT number FROM suppressed_numbers ORDER BY number", record: suppression },
    Part {
        select: "SELECT seq, record::text AS record FROM sessions ORDER BY customer_id, seq",
        record: session,
    },
    Part {
        select: "SELECT seq, record::text AS record FROM messages ORDER BY session_id, place",
        record: message,
    },
    Part {
        select: concat!(
            "SELECT channel, provider_id, message_id FROM inbound_ids",
            by_length!("channel", "provider_id")
        ),
        record: inbound_id,
    },
    Part {
        select: concat!(
            "SELECT channel, provider_id, message_id FROM outbound_ids WHERE message_id IS NOT NULL",
            by_length!("channel", "provider_id")
        ),
        record: outbound_id,
    },
    Part { select: "SELECT seq, record::text AS record FROM turns ORDER BY id", record: turn },
    Part {
        select: concat!(
            "SELECT scope, name, record::text AS record FROM idempotency_keys",
            by_length!("scope", "name")
        ),
        record: idempotency_key,
    },
    Part {
        select: concat!(
            "SELECT seq, at, record::text AS record FROM parked_receipts",
            by_length!("channel", "provider_id"),
            ", seq"
        ),
        record: parked_receipt,
    },
    Part { select: "SELECT record::text AS record FROM tokens ORDER BY id", record: token },
    Part {
        select: concat!("SELECT record::text AS record FROM pauses", by_length!("channel", "sender")),
        record: pause,
    },
    Part { select: "SELECT place, at, record::text AS record FROM events ORDER BY place", record: event },
    Part {
        select: "SELECT record::text AS record FROM endpoints ORDER BY octet_length(name), name",
        record: endpoint,
    },
    Part {
        select: "SELECT record::text AS record FROM deliveries ORDER BY octet_length(endpoint), endpoint, place",
        record: delivery,
    },
];

/// An export under way: a transaction that sees what was there when it began.
pub struct CursorExport {
    on: Session,
    part: usize,
    /// A cursor of the part is open.
    open: bool,
    failed: bool,
}

impl CursorExport {
    pub async fn begin(on: Session) -> Result<Self, Failure> {
        let on = on.without_haste();
        on.batch(
            "SET idle_in_transaction_session_timeout = '1h'; SET statement_timeout = 0;
            SET enable_seqscan = on; SET cursor_tuple_fraction = 1;
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1",
        )
        .await?;
        Ok(Self { on, part: 0, open: false, failed: false })
    }

    async fn read(&mut self) -> Result<Vec<Record>, Failure> {
        while let Some(part) = PARTS.get(self.part) {
            if !self.open {
                self.on.batch(&format!("DECLARE part NO SCROLL CURSOR FOR {}", part.select)).await?;
                self.open = true;
            }
            let rows = self.on.client().query(&format!("FETCH {RECORDS_AT_A_TIME} FROM part"), &[]).await?;
            if rows.is_empty() {
                self.on.batch("CLOSE part").await?;
                self.open = false;
                self.part += 1;
                continue;
            }
            return Ok(rows.iter().map(part.record).collect::<Result<_, _>>()?);
        }
        Ok(Vec::new())
    }
}

#[async_trait]
impl Export for CursorExport {
    fn engine(&self) -> &'static str {
        "postgres"
    }

    async fn next(&mut self) -> Result<Vec<Record>, StoreError> {
        if self.failed {
            return Err(StoreError::Unavailable("the export broke off".into()));
        }
        let records = self.read().await.map_err(Failure::into_store_error);
        self.failed = records.is_err();
        records
    }
}

fn seq(row: &Row) -> Result<u64, StoreError> {
    unbig(column_of(row, "seq")?)
}

fn words(row: &Row, column: &str) -> Result<String, StoreError> {
    Ok(untext(column_of::<&str>(row, column)?))
}

fn alive(row: &Row) -> Result<Record, StoreError> {
    let mut alive: Alive = record(row, "record")?;
    alive.clean &= !column_of::<bool>(row, "in_office")?;
    Ok(Record::Alive { alive })
}

fn customer(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Customer { order: seq(row)?, customer: record(row, "record")? })
}

fn consent(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Consent { consent: record(row, "record")? })
}

fn suppression(row: &Row) -> Result<Record, StoreError> {
    let number: &[u8] = column_of(row, "number")?;
    let number = number.try_into().map_err(|_| StoreError::Corrupt("a number's hash is cut".into()))?;
    Ok(Record::Suppression { number: NumberHash(number) })
}

fn session(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Session { order: seq(row)?, session: record(row, "record")? })
}

fn message(row: &Row) -> Result<Record, StoreError> {
    let order = column_of::<Option<i64>>(row, "seq")?.map(unbig).transpose()?;
    Ok(Record::Message { order, message: record(row, "record")? })
}

fn inbound_id(row: &Row) -> Result<Record, StoreError> {
    let (channel, provider_id) = (words(row, "channel")?, words(row, "provider_id")?);
    Ok(Record::InboundId { channel, provider_id, message_id: MessageId(rows::id(row, "message_id")?) })
}

fn outbound_id(row: &Row) -> Result<Record, StoreError> {
    let (channel, provider_id) = (words(row, "channel")?, words(row, "provider_id")?);
    Ok(Record::OutboundId { channel, provider_id, message_id: MessageId(rows::id(row, "message_id")?) })
}

fn turn(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Turn { order: seq(row)?, turn: record(row, "record")? })
}

fn idempotency_key(row: &Row) -> Result<Record, StoreError> {
    let Remembered { request, at, created } = record(row, "record")?;
    Ok(Record::IdempotencyKey { scope: words(row, "scope")?, key: words(row, "name")?, request, at, created })
}

fn parked_receipt(row: &Row) -> Result<Record, StoreError> {
    let parked = rows::parked(row)?;
    Ok(Record::ParkedReceipt { order: parked.order, at: parked.at, receipt: parked.receipt })
}

fn token(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Token { token: record(row, "record")? })
}

fn pause(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Pause { pause: record(row, "record")? })
}

fn event(row: &Row) -> Result<Record, StoreError> {
    let (place, at) = (unbig(column_of(row, "place")?)?, Timestamp::from_millis(column_of(row, "at")?));
    Ok(Record::Event { event: Event { place, at, what: decode(column_of(row, "record")?)? } })
}

fn endpoint(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Endpoint { endpoint: record(row, "record")? })
}

fn delivery(row: &Row) -> Result<Record, StoreError> {
    Ok(Record::Delivery { delivery: record(row, "record")? })
}
