//! How a record is written: MessagePack with named fields, so that a field may come later. The one place to change
//! if it is ever written differently.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::kv::Value;
use crate::store::StoreError;

// serde's own words may quote what is stored, be it what a customer wrote: the kind of record has to do.
pub fn encode<T: Serialize>(record: &T) -> Result<Value, StoreError> {
    rmp_serde::to_vec_named(record)
        .map_err(|_| StoreError::Corrupt(format!("a {} cannot be written", kind::<T>())))
}

pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(bytes).map_err(|_| StoreError::Corrupt(format!("a {} cannot be read", kind::<T>())))
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
