//! Goes through a range of keys that may be long, on one view after the other, so that commits wait for a part of the
//! way only. Each part shows whole commits; a later part may show later ones.

use std::ops::ControlFlow;

use super::kv::{Direction, KeyRange, Kv};
use super::tables::Tables;
use crate::store::StoreError;

/// Calls `step` with the keys of a range in their order, until it breaks off; `per_view` of them, at least one, on
/// each view, which `step` may ask for more.
pub fn walk<S>(kv: &dyn Kv, mut range: KeyRange, per_view: usize, mut step: S) -> Result<(), StoreError>
where
    S: FnMut(Tables<'_>, &[u8]) -> Result<ControlFlow<()>, StoreError>,
{
    while let Some(last) = part(kv, &range, per_view, &mut step)? {
        range.start = last;
        // Just after it.
        range.start.push(0);
    }
    Ok(())
}

/// One view's part of the way. The last key, if there may be more after it.
fn part<S>(
    kv: &dyn Kv,
    range: &KeyRange,
    per_view: usize,
    step: &mut S,
) -> Result<Option<Vec<u8>>, StoreError>
where
    S: FnMut(Tables<'_>, &[u8]) -> Result<ControlFlow<()>, StoreError>,
{
    let view = kv.begin()?;
    let tables = Tables::new(&*view);
    for (number, pair) in (1..).zip(tables.scan(range, Direction::Forward)) {
        let (key, _) = pair?;
        if step(tables, &key)?.is_break() {
            return Ok(None);
        }
        if number >= per_view {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
