//! Facts about the store as a whole: the version of its schema, how often it was opened, and the counter that puts
//! things in order. Owns the versions; a change of what is stored raises [`CURRENT`] and gets a step in [`super::migrate`].

use super::keys::{FactKey, Family};
use super::kv::{Direction, Key, KeyRange, Kv, KvError, Value, View, WriteSet};
use super::migrate::migrate;
use super::open::OpenError;
use crate::store::StoreError;

/// The version that this program writes.
pub const CURRENT: u32 = 4;

const SCHEMA: u8 = 0;
const OPENINGS: u8 = 1;
const ORDER: u8 = 2;
const ALIVE: u8 = 3;
const IMPORTING: u8 = 4;
const PARKED: u8 = 5;
const MIGRATING: u8 = 6;
const EVENTS: u8 = 7;

/// Where the number stands that was last given to something that has an order.
pub fn order_key() -> Key {
    FactKey { fact: ORDER }.encode()
}

/// Where it stands until when nothing was missed.
pub fn alive_key() -> FactKey {
    FactKey { fact: ALIVE }
}

/// There while an import is not at its end.
pub fn importing_key() -> FactKey {
    FactKey { fact: IMPORTING }
}

/// Where it stands how many receipts are parked.
pub fn parked_key() -> Key {
    FactKey { fact: PARKED }.encode()
}

/// Where the place of the newest event stands.
pub fn events_key() -> Key {
    FactKey { fact: EVENTS }.encode()
}

/// Why the store's facts do not let it open.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("the schema is {found}")]
    Newer { found: u32 },
    /// There is something, but not a store of ours.
    #[error("it holds data, but no schema version")]
    Foreign,
    #[error("nothing is left of what was in it")]
    Lost,
    #[error("an import was not finished")]
    HalfImported,
    #[error("what an older version stored cannot be brought into this version's layout")]
    Migration(#[source] StoreError),
    #[error(transparent)]
    Kv(#[from] KvError),
}

/// Sees whether this program knows what is stored, and signs it; what an older version stored is brought into this version's
/// layout. Writes nothing if it does not know it. What it writes is the first commit of this opening, and is durable
/// when this returns.
pub fn adopt(kv: &dyn Kv) -> Result<(), SchemaError> {
    let (mut writes, found) = {
        let view = kv.begin()?;
        let found = layout(&*view)?;
        if view.get(&importing_key().encode())?.is_some() {
            return Err(SchemaError::HalfImported);
        }
        let openings = number::<8>(&*view, OPENINGS)?.map_or(0, u64::from_be_bytes) + 1;
        (WriteSet::from([fact(OPENINGS, openings.to_be_bytes())]), found)
    };
    if found.is_none_or(|found| found < CURRENT) {
        // Before anything is migrated, so that no older version takes a half-migrated store for its own.
        writes.extend([fact(SCHEMA, CURRENT.to_be_bytes())]);
    }
    let older = found.filter(|found| *found < CURRENT);
    writes.extend(older.map(|from| fact(MIGRATING, from.to_be_bytes())));
    kv.commit(&writes)?;
    if let Some(from) = older {
        migrate(kv, from).map_err(SchemaError::Migration)?;
        kv.commit(&WriteSet::from([(FactKey { fact: MIGRATING }.encode(), None)]))?;
    }
    Ok(())
}

/// The version whose layout the store has: an older one than it is signed with if it is still on its way there. None: it
/// is new.
fn layout(view: &dyn View) -> Result<Option<u32>, SchemaError> {
    match number::<4>(view, SCHEMA)?.map(u32::from_be_bytes) {
        Some(found) if found > CURRENT => Err(SchemaError::Newer { found }),
        Some(found) => Ok(Some(number::<4>(view, MIGRATING)?.map_or(found, u32::from_be_bytes))),
        None if is_empty(view)? => Ok(None),
        None => Err(SchemaError::Foreign),
    }
}

/// Adopts a store that cannot be new: if it is empty, something was lost.
pub fn adopt_again(kv: &dyn Kv) -> Result<(), SchemaError> {
    if is_empty(&*kv.begin()?)? {
        return Err(SchemaError::Lost);
    }
    adopt(kv)
}

/// Adopts the store, and proves that its writes are flushed: `flushes` counts them, and has to move.
pub fn adopt_durably(kv: &dyn Kv, flushes: impl Fn() -> Option<u64>) -> Result<bool, SchemaError> {
    let before = flushes();
    adopt(kv)?;
    Ok(match (before, flushes()) {
        (Some(before), Some(after)) => after > before,
        // Nothing to count where the engine needs no help to flush.
        _ => true,
    })
}

impl SchemaError {
    pub fn into_open_error(self, path: &std::path::Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Newer { found } => OpenError::NewerSchema { found, known: CURRENT },
            Self::HalfImported => OpenError::HalfImported { path },
            Self::Foreign
            | Self::Lost
            | Self::Migration(StoreError::Corrupt(_))
            | Self::Kv(KvError::Damaged(_)) => OpenError::Damaged { path, source: Box::new(self) },
            Self::Migration(_) => OpenError::Engine { path, source: Box::new(self) },
            Self::Kv(error) => OpenError::Engine { path, source: Box::new(error) },
        }
    }
}

/// Writes a fact.
fn fact<const N: usize>(fact: u8, number: [u8; N]) -> (Key, Option<Value>) {
    (FactKey { fact }.encode(), Some(number.to_vec()))
}

fn number<const N: usize>(view: &dyn View, fact: u8) -> Result<Option<[u8; N]>, KvError> {
    let Some(value) = view.get(&FactKey { fact }.encode())? else { return Ok(None) };
    let value = value.try_into().map_err(|_| KvError::Damaged("a number has the wrong length".into()))?;
    Ok(Some(value))
}

fn is_empty(view: &dyn View) -> Result<bool, KvError> {
    let everything = KeyRange { start: Vec::new(), end: vec![u8::MAX] };
    Ok(view.scan(&everything, Direction::Forward).next().transpose()?.is_none())
}

#[cfg(test)]
mod tests {
    use super::super::kv::testing::MapKv;
    use super::*;

    #[test]
    fn a_fresh_directory_gets_the_current_schema_and_opens_again() {
        let kv = MapKv::default();
        adopt(&kv).unwrap();
        adopt(&kv).unwrap();
        let view = kv.begin().unwrap();
        assert_eq!(number::<4>(&*view, SCHEMA).unwrap(), Some(CURRENT.to_be_bytes()));
        assert_eq!(number::<8>(&*view, OPENINGS).unwrap(), Some(2u64.to_be_bytes()));
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_as_it_is() {
        let key = FactKey { fact: SCHEMA }.encode();
        let kv = MapKv::of([(&key, &(CURRENT + 1).to_be_bytes())]);
        let refused = adopt(&kv).unwrap_err().into_open_error("data".as_ref());
        assert!(
            matches!(refused, OpenError::NewerSchema { found, known } if found == CURRENT + 1 && known == CURRENT),
            "{refused}"
        );
        assert_eq!(kv.keys(), [key]);
    }

    #[test]
    fn what_was_imported_by_halves_is_refused() {
        let kv = MapKv::default();
        adopt(&kv).unwrap();
        kv.commit(&WriteSet::from([(importing_key().encode(), Some(Vec::new()))])).unwrap();
        let refused = adopt(&kv).unwrap_err().into_open_error("data".as_ref());
        assert!(matches!(refused, OpenError::HalfImported { .. }), "{refused}");
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let kv = MapKv::of([(b"something", b"else")]);
        let refused = adopt(&kv).unwrap_err().into_open_error("data".as_ref());
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    }

    #[test]
    fn a_store_that_cannot_be_new_must_not_be_empty() {
        let kv = MapKv::default();
        assert!(matches!(adopt_again(&kv), Err(SchemaError::Lost)));
        assert_eq!(kv.keys().len(), 0);
        adopt(&kv).unwrap();
        adopt_again(&kv).unwrap();
    }

    #[test]
    fn a_store_whose_flushes_are_not_seen_is_not_durable() {
        assert!(!adopt_durably(&MapKv::default(), || Some(7)).unwrap());
    }
}
