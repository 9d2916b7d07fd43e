//! How a SHA-256 is written down: in hex where people may read it, as its bytes where nobody does.
//! For serde's `with`.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

pub fn serialize<S: Serializer>(digest: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.serialize_str(&hex(digest))
    } else {
        digest.serialize(serializer)
    }
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    if !deserializer.is_human_readable() {
        return Deserialize::deserialize(deserializer);
    }
    let text = String::deserialize(deserializer)?;
    read_hex(&text).ok_or_else(|| D::Error::custom("not a SHA-256: write 64 hexadecimal digits"))
}

pub fn hex(digest: &[u8; 32]) -> String {
    digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Small letters only, so that a digest is written in one way.
fn read_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Written(#[serde(with = "super")] [u8; 32]);

    #[test]
    fn it_is_hex_in_json_and_bytes_in_what_is_stored() {
        let digest = Written(std::array::from_fn(|at| u8::try_from(at * 8).unwrap()));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, "\"0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8\"");
        assert_eq!(serde_json::from_str::<Written>(&json).unwrap(), digest);
        let stored = rmp_serde::to_vec_named(&digest).unwrap();
        assert_eq!(stored, rmp_serde::to_vec_named(&digest.0).unwrap());
        assert_eq!(rmp_serde::from_slice::<Written>(&stored).unwrap(), digest);
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in
            ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"A".repeat(64), &"é".repeat(32)]
        {
            assert!(read_hex(text).is_none(), "{text}");
        }
    }
}
