//! How a record is written: MessagePack with named fields, so that a field may come later. The one place to change
//! if it is ever written differently.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kv::Value;
use crate::store::StoreError;

pub fn encode<T: Serialize>(record: &T) -> Result<Value, StoreError> {
    rmp_serde::to_vec_named(record)
        .map_err(|error| StoreError::Corrupt(format!("a record cannot be written: {error}")))
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(bytes)
        .map_err(|error| StoreError::Corrupt(format!("a record cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize)]
    struct Old {
        name: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct New {
        #[serde(default)]
        added_later: Option<u32>,
        name: String,
    }

    #[test]
    fn a_record_is_read_by_a_version_that_knows_more_fields() {
        let bytes = encode(&Old { name: "main".into() }).unwrap();
        assert_eq!(decode::<New>(&bytes).unwrap(), New { added_later: None, name: "main".into() });
    }

    #[test]
    fn what_is_no_record_is_corrupt() {
        assert!(matches!(decode::<New>(&[0xc1]), Err(StoreError::Corrupt(_))));
    }
}
