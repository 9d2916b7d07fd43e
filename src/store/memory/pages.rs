//! Pages of lists. A cursor names its list, whose it is, and the key of the last item that was given.

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::store::{Cursor, ListError, Page, PageRequest, StoreError};

/// A list: its name, and whose it is.
pub(super) type List = (&'static str, Uuid);

/// The page of these rows that is asked for, in the order of their keys.
pub(super) fn page<K, T>(
    list: List,
    mut rows: Vec<(K, T)>,
    request: &PageRequest,
) -> Result<Page<T>, ListError>
where
    K: Ord + Serialize + DeserializeOwned,
{
    let after = request.after.as_ref().map(|cursor| read::<K>(list, cursor)).transpose()?;
    rows.retain(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    rows.sort_by(|(left, _), (right, _)| left.cmp(right));
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    let next = match rows.last() {
        Some((key, _)) if more => Some(write(list, key)?),
        _ => None,
    };
    Ok(Page { items: rows.into_iter().map(|(_, item)| item).collect(), next })
}

fn write<K: Serialize>(list: List, key: &K) -> Result<Cursor, StoreError> {
    let bytes = serde_json::to_vec(&(list, key)).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Cursor(bytes))
}

fn read<K: DeserializeOwned>(list: List, cursor: &Cursor) -> Result<K, ListError> {
    let read: Result<((String, Uuid), K), _> = serde_json::from_slice(&cursor.0);
    match read {
        Ok(((name, owner), key)) if (name.as_str(), owner) == list => Ok(key),
        _ => Err(ListError::InvalidCursor),
    }
}
