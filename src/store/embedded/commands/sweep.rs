//! What is cleared away with time.

use super::remains;
use crate::domain::time::Timestamp;
use crate::store::apply::{missing, outbound};
use crate::store::embedded::keys::{Family, IdempotencyAgeKey, IdempotencyKey, ParkedAgeKey, Part};
use crate::store::embedded::kv::KeyRange;
use crate::store::embedded::tx::Tx;
use crate::store::{REMEMBERED, StoreError, Swept};

pub fn sweep(tx: &mut Tx<'_, '_>, limit: usize) -> Result<Swept, StoreError> {
    let (expired, more_expire) = outbound::expire(tx, limit)?;
    let more_keys = forget_keys(tx, limit)?;
    let more_receipts = forget_receipts(tx, limit)?;
    let more_remains = remains::sweep(tx, limit)?;
    Ok(Swept { expired, more: more_expire || more_keys || more_receipts || more_remains })
}

fn forget_keys(tx: &mut Tx<'_, '_>, limit: usize) -> Result<bool, StoreError> {
    let (old, more) = first_of::<IdempotencyAgeKey, ()>(tx, tx.now.before(REMEMBERED), limit)?;
    for (age, ()) in old {
        tx.remove(&age);
        tx.remove(&IdempotencyKey { scope: age.scope, key: age.key });
    }
    Ok(more)
}

fn forget_receipts(tx: &mut Tx<'_, '_>, limit: usize) -> Result<bool, StoreError> {
    let (old, more) = first_of::<ParkedAgeKey, ()>(tx, tx.now.before(REMEMBERED), limit)?;
    for (age, ()) in old {
        let parked = tx.tables().parked_at(&age)?.ok_or_else(|| missing("a parked receipt"))?;
        tx.remove_parked(&parked)?;
    }
    Ok(more)
}

/// The first entries of a family that sorts by time, of those before `before`; and whether there are more of them.
fn first_of<F: Family, P: Part>(
    tx: &Tx<'_, '_>,
    before: Timestamp,
    limit: usize,
) -> Result<(Vec<(F, P)>, bool), StoreError> {
    let mut found = self::before(tx, before, limit.saturating_add(1))?;
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}

/// The first entries of a family that sorts by time, of those before `before`.
pub fn before<F: Family, P: Part>(
    tx: &Tx<'_, '_>,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<(F, P)>, StoreError> {
    let range = KeyRange { start: F::all().start, end: F::within(&before).start };
    tx.tables().entries(&range).take(limit).collect()
}
