//! What is cleared away with time.

use super::{receipts, remains};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::store::embedded::keys::{
    ExpiryKey, Family, IdempotencyAgeKey, IdempotencyKey, ParkedAgeKey, ParkedKey, Part,
};
use crate::store::embedded::kv::KeyRange;
use crate::store::embedded::tables::missing;
use crate::store::embedded::tx::Tx;
use crate::store::{REMEMBERED, StoreError, Swept};

pub fn sweep(tx: &mut Tx<'_, '_>, limit: usize) -> Result<Swept, StoreError> {
    let (expired, more_expire) = expire(tx, limit)?;
    let more_keys = forget_keys(tx, limit)?;
    let more_receipts = forget_receipts(tx, limit)?;
    let more_remains = remains::sweep(tx, limit)?;
    Ok(Swept { expired, more: more_expire || more_keys || more_receipts || more_remains })
}

fn expire(tx: &mut Tx<'_, '_>, limit: usize) -> Result<(Vec<MessageId>, bool), StoreError> {
    let (overdue, more) = first_of::<ExpiryKey, MessageId>(tx, tx.now, limit)?;
    let mut expired = Vec::with_capacity(overdue.len());
    for (_, id) in overdue {
        let mut message: Message = tx.tables().message(id)?.ok_or_else(|| missing("a queued message"))?;
        message.expire(tx.now);
        tx.update_message(&message)?;
        expired.push(id);
    }
    Ok((expired, more))
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
        let ParkedAgeKey { at, order, channel, provider_id } = age;
        receipts::unpark(tx, ParkedKey { channel, provider_id, order }, at)?;
    }
    Ok(more)
}

/// The first entries of a family that sorts by time, of those before `before`; and whether there are more of them.
fn first_of<F: Family, P: Part>(
    tx: &Tx<'_, '_>,
    before: Timestamp,
    limit: usize,
) -> Result<(Vec<(F, P)>, bool), StoreError> {
    let range = KeyRange { start: F::all().start, end: F::within(&before).start };
    let mut found =
        tx.tables().entries(&range).take(limit.saturating_add(1)).collect::<Result<Vec<_>, _>>()?;
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}
