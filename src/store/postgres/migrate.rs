//! The schema and its versions. Forward only: a step is written once and never changed, and leaves alone what an older
//! daemon works with, so that daemons of both versions run side by side.

use super::client::{Failure, Session};
use super::log::{is_there, make_parts, newest_place};
use super::sql::column_of;

/// The steps, each from the version before it.
const STEPS: [&str; VERSION as usize] = [include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The version of this program.
pub const VERSION: u8 = 2;
/// The oldest version that a daemon may know and still work with this schema.
const WORKS_FROM: u8 = 1;

/// What the database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// 0: nothing.
    pub version: i32,
    /// The oldest version that a daemon may know and still work with it.
    pub works_from: i32,
}

impl Schema {
    /// Whether this program would bring it up to date first.
    pub fn is_older(&self) -> bool {
        self.version < i32::from(VERSION)
    }
}

pub async fn look(on: &Session) -> Result<Schema, Failure> {
    if !is_there(on, "schema_version").await? {
        return Ok(Schema { version: 0, works_from: 0 });
    }
    let row = on.client().query_one("SELECT version, works_from FROM schema_version", &[]).await?;
    Ok(Schema { version: column_of(&row, "version")?, works_from: column_of(&row, "works_from")? })
}

/// Brings the schema to this program's version. Several daemons may do so at once. The version that it had.
pub async fn migrate(on: &Session) -> Result<Schema, Failure> {
    let before = look(on).await?;
    if before.is_older() {
        let taken = take_steps(on).await;
        if taken.is_err() {
            // What it failed for is what is told.
            drop(on.batch("ROLLBACK").await);
        }
        taken?;
    }
    make_parts(on, newest_place(on).await?).await?;
    Ok(before)
}

async fn take_steps(on: &Session) -> Result<(), Failure> {
    // Whoever comes second waits for the first, and finds nothing left to do.
    let lock = "BEGIN;
        SET LOCAL statement_timeout = 0;
        CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL, works_from integer NOT NULL);
        LOCK TABLE schema_version;
        INSERT INTO schema_version SELECT 0, 0 WHERE NOT EXISTS (SELECT FROM schema_version)";
    on.batch(lock).await?;
    let row = on.client().query_one("SELECT version FROM schema_version", &[]).await?;
    let version: i32 = column_of(&row, "version")?;
    for (step, sql) in (1..).zip(STEPS) {
        if step > version {
            on.batch(sql).await?;
        }
    }
    if version < i32::from(VERSION) {
        on.batch(&format!("UPDATE schema_version SET version = {VERSION}, works_from = {WORKS_FROM}"))
            .await?;
    }
    on.batch("COMMIT").await
}
