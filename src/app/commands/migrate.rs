//! `switchboard migrate`: brings the database's schema to this version's, before a daemon of this version is started.

use anyhow::{Context, Result};
use serde_json::json;

use crate::app::cli::Format;
use crate::app::config::Config;
use crate::app::{WrongUsage, database, remote, report};
use crate::store::postgres::migrate_schema;

pub async fn run(config: &Config, format: Format) -> Result<()> {
    let Some(options) = database::options(config)? else {
        let words = "store.engine is an embedded one, whose daemon brings its store up to date by itself as it opens it";
        return Err(WrongUsage(words.to_owned()).into());
    };
    let name = remote::store_name(config);
    let (before, after) = migrate_schema(&options).await.with_context(|| {
        format!("{name} could not be brought up to date; a step is taken as a whole or not at all")
    })?;
    let words = match (before.version, after.version) {
        (0, now) => format!("{name} was empty, and has schema version {now} now"),
        (before, now) if before < now => format!("{name} had schema version {before}, and has {now} now"),
        (_, now) => format!("{name} has schema version {now} already"),
    };
    let json = json!({"store": name, "before": before.version, "after": after.version});
    report::result(format, &json, &words);
    Ok(())
}
