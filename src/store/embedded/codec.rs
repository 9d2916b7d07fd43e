//! How a record is written: MessagePack, each struct as the list of its fields' values in their order. So a field may come
//! later only behind all others of its struct, with a default, and none ever goes or changes its place; a test keeps to
//! that. Until version 3 of the layout fields stood with their names, as maps: those records are read as well. The one place
//! to change if it is ever written differently.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kv::Value;
use crate::store::StoreError;

/// As much as most records need, so that a record is not moved while it grows.
const ROOM: usize = 384;

// serde's own words may quote what is stored, be it what a customer wrote: the kind of record has to do.
pub fn encode<T: Serialize>(record: &T) -> Result<Value, StoreError> {
    let mut value = Vec::with_capacity(ROOM);
    encode_into(&mut value, record)?;
    Ok(value)
}

/// Writes a record behind what stands there.
pub fn encode_into<T: Serialize>(value: &mut Value, record: &T) -> Result<(), StoreError> {
    rmp_serde::encode::write(value, record)
        .map_err(|_| StoreError::Corrupt(format!("a {} cannot be written", kind::<T>())))
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(bytes).map_err(|_| unreadable::<T>())
}

/// Records that stand one behind the other.
pub fn decode_all<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, StoreError> {
    let (mut rest, mut records) = (bytes, Vec::new());
    while !rest.is_empty() {
        // It takes from the slice what it reads.
        records.push(rmp_serde::from_read(&mut rest).map_err(|_| unreadable::<T>())?);
    }
    Ok(records)
}

fn unreadable<T>() -> StoreError {
    StoreError::Corrupt(format!("a {} cannot be read", kind::<T>()))
}

/// The name of its type.
fn kind<T>() -> &'static str {
    let path = std::any::type_name::<T>();
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct New {
        name: String,
        #[serde(default)]
        added_later: Option<u32>,
    }

    fn new() -> New {
        New { added_later: None, name: "main".into() }
    }

    #[test]
    fn a_record_is_read_by_a_version_that_knows_more_fields() {
        assert_eq!(decode::<New>(&encode(&Old { name: "main".into() }).unwrap()).unwrap(), new());
    }

    #[test]
    fn a_record_whose_fields_have_names_is_read() {
        let bytes = rmp_serde::to_vec_named(&Old { name: "main".into() }).unwrap();
        assert_eq!(decode::<New>(&bytes).unwrap(), new());
        let both = [bytes, encode(&Old { name: "other".into() }).unwrap()].concat();
        let names: Vec<Old> = decode_all(&both).unwrap();
        assert_eq!(names.iter().map(|old| old.name.as_str()).collect::<Vec<_>>(), ["main", "other"]);
    }

    #[test]
    fn what_is_no_record_is_corrupt() {
        assert!(matches!(decode::<New>(&[0xc1]), Err(StoreError::Corrupt(_))));
        let cut_off = [encode(&Old { name: "main".into() }).unwrap(), vec![0x91]].concat();
        assert!(matches!(decode_all::<Old>(&cut_off), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn what_cannot_be_read_is_named_but_never_quoted() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Role {
            Agent,
        }
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "never read")]
        struct Row {
            name: Role,
        }
        let bytes = encode(&Old { name: "my secret".into() }).unwrap();
        let error = decode::<Row>(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "the store holds something that cannot be read: a Row cannot be read");
    }
}
