//! The log of events as a table of parts: each part is made ahead, and dropped as a whole once all of it is old.

use tokio_postgres::Row;

use super::PostgresStore;
use super::client::{Failure, Session};
use super::sql::{big, column_of, count, unbig};
use crate::domain::time::Timestamp;
use crate::store::StoreError;

/// How many events a part of the log has.
pub const PART: u64 = 4_000_000;

/// The place of the newest event.
pub const NEWEST_PLACE: &str = "SELECT value FROM counters WHERE name = 'events'";

/// What [`NEWEST_PLACE`] has found; 0 where nothing was told yet.
pub fn place_in(rows: &[Row]) -> Result<u64, StoreError> {
    rows.first().map_or(Ok(0), |row| unbig(column_of(row, "value")?))
}

pub async fn newest_place(on: &Session) -> Result<u64, Failure> {
    Ok(place_in(&on.query(NEWEST_PLACE, &[]).await?)?)
}

/// Whether there is a table of that name.
pub async fn is_there(on: &Session, table: &str) -> Result<bool, Failure> {
    let row = on.query_one("SELECT to_regclass($1::text) IS NOT NULL AS there", &[&table]).await?;
    Ok(column_of(&row, "there")?)
}

/// Makes the parts around a place that are not there: that of the place, and the next.
pub async fn make_parts(on: &Session, place: u64) -> Result<(), Failure> {
    for part in [place / PART, place / PART + 1] {
        let (from, until) = (part * PART, (part + 1) * PART);
        let name = format!("events_{part}");
        if is_there(on, &name).await? {
            continue;
        }
        // Attached, and not made as a part: that would wait for everybody who reads the log.
        let made = on
            .batch(&format!(
                "BEGIN;
                CREATE TABLE {name} (LIKE events INCLUDING ALL, CHECK (place >= {from} AND place < {until}));
                ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({until});
                COMMIT"
            ))
            .await;
        if let Err(failure) = made {
            on.batch("ROLLBACK").await?;
            if matches!(failure, Failure::Forbidden(_)) && place / PART < part {
                tracing::warn!(
                    room = from - place,
                    "this user may not make the log's next part: run `switchboard migrate` as the owner before the room is used up"
                );
                continue;
            }
            // Another daemon may have made it at the same moment.
            if !is_there(on, &name).await? {
                return Err(failure);
            }
        }
    }
    Ok(())
}

impl PostgresStore {
    /// Forgets what is older; whole parts of the log at once, where they are.
    pub(super) async fn clear_events(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.committer.check()?;
        // A connection of its own: whoever asks on another one does not wait for this.
        let session = self.dialer.session().await.map_err(Failure::into_store_error)?;
        let newest = self.get_last_event().await?;
        match drop_part(&session, before, newest).await {
            Ok(0) => {}
            Err(Failure::Forbidden(_)) => {
                session.batch("ROLLBACK").await.map_err(Failure::into_store_error)?;
            }
            Ok(dropped) => return Ok(dropped),
            // Somebody reads the log, as a backup does: the next time, then.
            Err(Failure::Blocked(_)) => return Ok(0),
            Err(failure) => return Err(failure.into_store_error()),
        }
        let sql = "WITH oldest AS (SELECT place, at FROM events WHERE place < $1 ORDER BY place LIMIT $2),
            kept AS (SELECT min(place) AS place FROM oldest WHERE at >= $3),
            gone AS (
                DELETE FROM events e USING oldest o
                WHERE e.place = o.place AND (SELECT place IS NULL OR e.place < place FROM kept)
                RETURNING e.place),
            forgotten AS (
                DELETE FROM deliveries d USING endpoints e
                WHERE d.endpoint = e.name AND d.place <= (SELECT max(place) FROM gone))
            SELECT count(*) AS gone FROM gone";
        let row = session.query_one(sql, &[&big(newest), &count(limit), &before.as_millis()]).await;
        let gone = unbig(column_of(&row.map_err(Failure::into_uncertain)?, "gone")?)?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

/// Drops the first part, if it is full and all of it is old. How many events it had, about.
///
/// Whoever wants to drop a part waits for all who read the log, and all who tell wait for them: not for longer than nobody
/// notices.
async fn drop_part(on: &Session, before: Timestamp, newest: u64) -> Result<usize, Failure> {
    let first = on.query("SELECT place FROM events ORDER BY place LIMIT 1", &[]).await?;
    let place = |row: &Row| unbig(column_of(row, "place")?);
    let Some(first) = first.first().map(place).transpose()? else { return Ok(0) };
    let (part, last) = (first / PART, (first / PART + 1) * PART - 1);
    if last >= newest {
        return Ok(0);
    }
    let sql = "SELECT at FROM events WHERE place = $1";
    let at = on.query(sql, &[&big(last)]).await?;
    let is_old = at.first().map(|row| column_of::<i64>(row, "at")).transpose()?;
    if is_old.is_none_or(|at| at >= before.as_millis()) {
        return Ok(0);
    }
    on.batch(&format!("BEGIN; SET LOCAL lock_timeout = '100ms'; DROP TABLE events_{part}; COMMIT")).await?;
    let sql = "DELETE FROM deliveries d USING endpoints e WHERE d.endpoint = e.name AND d.place <= $1";
    on.execute(sql, &[&big(last)]).await?;
    Ok(usize::try_from(last - first + 1).unwrap_or(usize::MAX))
}
