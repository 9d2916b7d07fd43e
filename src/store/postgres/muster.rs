//! Who of the daemons is in office, and which of them does what only one may do. The server's clock rules: a daemon is in
//! office until the moment that it was given when it last showed itself, and what it leaves then is free.
//!
//! Each duty falls to the daemon whose name and its own give the highest number together: so all come to the same without
//! asking each other, and where one comes or goes, only its share moves.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use super::PostgresStore;
use super::load::is_gone;
use super::sql::column_of;
use crate::domain::time::Timestamp;
use crate::store::{Gone, Muster, Mustered, StoreError};

/// One whose term is over gets none again under the same name; unless the server was not there to be shown anything.
const SHOW_UP: &str = "INSERT INTO daemons AS d (name, in_office_until, shown_at, duties, missed_since)
    VALUES ($1, clock_timestamp() + $2::bigint * interval '1 millisecond', clock_timestamp(), $3, $4)
    ON CONFLICT (name) DO UPDATE SET in_office_until = EXCLUDED.in_office_until, shown_at = EXCLUDED.shown_at,
        duties = EXCLUDED.duties, missed_since = EXCLUDED.missed_since
    WHERE d.in_office_until > clock_timestamp()
        OR d.in_office_until > '-infinity' AND pg_postmaster_start_time() > clock_timestamp() - interval '10 seconds'";
/// Whoever is gone stays so, also if the server is started again.
const BURY: &str = concat!(
    "UPDATE daemons o SET in_office_until = '-infinity'
    WHERE in_office_until > '-infinity' AND in_office_until <= clock_timestamp() AND ",
    is_gone!("o.name")
);
const NOTE: &str =
    concat!("UPDATE daemons o SET is_noted = true WHERE name = ANY ($1::text[]) AND ", is_gone!("o.name"));
const IN_OFFICE: &str =
    concat!("SELECT o.name, o.duties FROM daemons o WHERE NOT ", is_gone!("o.name"), " ORDER BY o.name");
const GONE: &str = concat!(
    "SELECT o.name, least(o.missed_since, (extract(epoch FROM o.shown_at) * 1000)::bigint) AS missed_since
    FROM daemons o WHERE NOT o.is_noted AND ",
    is_gone!("o.name")
);
const NEW_DUTIES: &str = "INSERT INTO duties (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";
const DUTIES: &str = "SELECT name, owner FROM duties WHERE name = ANY ($1::text[]) ORDER BY name";
const TAKE: &str =
    concat!("UPDATE duties SET owner = $2 WHERE name = $1 AND (owner IS NULL OR ", is_gone!("owner"), ")");
/// So long that nobody can still believe to be one of them.
const FORGET_THE_GONE: &str = "DELETE FROM daemons WHERE in_office_until < clock_timestamp() AND shown_at < clock_timestamp() - interval '1 day'";

impl PostgresStore {
    pub(super) async fn show_up(&self, muster: &Muster) -> Result<Mustered, StoreError> {
        let Muster { owner, duties, missed_since, noted, term } = muster;
        let missed_since = missed_since.map(Timestamp::as_millis);
        let term = i64::try_from(term.as_millis()).unwrap_or(i64::MAX);
        // Who cannot write anything is of no use in office.
        self.committer.check()?;
        let transaction = self.transaction_on(&self.mustering).await?;
        if transaction.execute(SHOW_UP, &[&owner, &term, &duties, &missed_since]).await? == 0 {
            transaction.commit().await?;
            return Ok(Mustered::OutOfOffice);
        }
        transaction.execute(BURY, &[]).await?;
        if !noted.is_empty() {
            transaction.execute(NOTE, &[&noted]).await?;
        }
        let mut daemons: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &transaction.rows(IN_OFFICE, &[]).await? {
            daemons.insert(column_of(row, "name")?, column_of(row, "duties")?);
        }
        let mut rows = transaction.rows(DUTIES, &[duties]).await?;
        if rows.len() < duties.len() {
            transaction.execute(NEW_DUTIES, &[duties]).await?;
            rows = transaction.rows(DUTIES, &[duties]).await?;
        }
        let (mut held, mut to_lay_down) = (Vec::new(), Vec::new());
        for row in &rows {
            let (duty, holder): (String, Option<String>) =
                (column_of(row, "name")?, column_of(row, "owner")?);
            let is_due = whose(&duty, &daemons).is_some_and(|due| due == owner);
            let holder = holder.filter(|holder| daemons.contains_key(holder));
            match holder {
                Some(holder) if holder == *owner => {
                    if !is_due {
                        to_lay_down.push(duty.clone());
                    }
                    held.push(duty);
                }
                None if is_due && transaction.execute(TAKE, &[&duty, owner]).await? == 1 => held.push(duty),
                Some(_) | None => {}
            }
        }
        let gone = transaction.rows(GONE, &[]).await?.iter().map(gone).collect::<Result<_, _>>()?;
        transaction.execute(FORGET_THE_GONE, &[]).await?;
        transaction.commit().await?;
        daemons.remove(owner);
        Ok(Mustered::InOffice { duties: held, to_lay_down, others: daemons.len(), gone })
    }

    pub(super) async fn free_duty(&self, owner: &str, duty: &str) -> Result<(), StoreError> {
        let sql = "UPDATE duties SET owner = NULL WHERE name = $1 AND owner = $2";
        self.put(sql, &[&duty, &owner]).await.map(drop)
    }

    pub(super) async fn free_all(&self, owner: &str) -> Result<(), StoreError> {
        let transaction = self.transaction().await?;
        transaction.execute("UPDATE duties SET owner = NULL WHERE owner = $1", &[&owner]).await?;
        // Its name stays, so that nothing more is begun in it; and what it was sent since it was last heard of is left for others
        // to ask for.
        transaction
            .execute("UPDATE daemons SET in_office_until = '-infinity' WHERE name = $1", &[&owner])
            .await?;
        transaction.commit().await
    }
}

fn gone(row: &Row) -> Result<Gone, StoreError> {
    let missed_since = Timestamp::from_millis(column_of(row, "missed_since")?);
    Ok(Gone { owner: column_of(row, "name")?, missed_since })
}

/// Whose duty it is, of those who could do it.
fn whose<'d>(duty: &str, daemons: &'d BTreeMap<String, Vec<String>>) -> Option<&'d String> {
    let able = daemons.iter().filter(|(_, duties)| duties.iter().any(|other| other == duty));
    able.max_by_key(|(name, _)| Sha256::digest(format!("{duty}\n{name}"))).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemons(names: &[&str], duties: &[String]) -> BTreeMap<String, Vec<String>> {
        names.iter().map(|name| ((*name).to_owned(), duties.to_vec())).collect()
    }

    #[test]
    fn duties_spread_and_only_the_share_of_who_goes_moves() {
        let duties: Vec<String> = (0..300).map(|number| format!("lane {number}")).collect();
        let (three, two) = (daemons(&["a", "b", "c"], &duties), daemons(&["a", "c"], &duties));
        let mut share: BTreeMap<&str, usize> = BTreeMap::new();
        for duty in &duties {
            let before = whose(duty, &three).unwrap();
            *share.entry(before).or_default() += 1;
            if before != "b" {
                assert_eq!(whose(duty, &two), Some(before));
            }
        }
        assert!(share.values().all(|count| (60..=140).contains(count)), "{share:?}");
    }

    #[test]
    fn a_duty_falls_to_nobody_who_cannot_do_it() {
        let mut daemons = daemons(&["a", "b"], &["lane".to_owned()]);
        daemons.insert("a".into(), vec!["another".into()]);
        assert_eq!(whose("lane", &daemons).map(String::as_str), Some("b"));
        assert_eq!(whose("nobody's", &daemons), None);
    }
}
