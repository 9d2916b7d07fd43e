//! Standard Webhooks signatures, version `v1` (specification 1.0.0): HMAC-SHA256 over `{id}.{timestamp}.{body}`.
//! Signs; must not read a clock or send anything.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

const PREFIX: &str = "whsec_";
/// What the specification asks of a key, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why a secret cannot sign. Never repeats the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    #[error("a webhook secret starts with \"whsec_\"")]
    Prefix,
    #[error("a webhook secret is \"whsec_\" and base64")]
    Base64,
    #[error("a webhook secret holds 24 to 64 bytes in base64, not {0}")]
    Length(usize),
}

/// One key to sign with.
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Reads `whsec_` and the key in base64.
    pub fn parse(secret: &str) -> Result<Self, InvalidSecret> {
        let encoded = secret.strip_prefix(PREFIX).ok_or(InvalidSecret::Prefix)?;
        let key = STANDARD.decode(encoded).map_err(|_| InvalidSecret::Base64)?;
        if KEY_BYTES.contains(&key.len()) {
            Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
        } else {
            Err(InvalidSecret::Length(key.len()))
        }
    }

    pub fn parse_all(secrets: &[String]) -> Result<Vec<Self>, InvalidSecret> {
        secrets.iter().map(|secret| Self::parse(secret)).collect()
    }

    fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut signed = hmac::Context::with_key(&self.0);
        signed.update(format!("{id}.{timestamp_s}.").as_bytes());
        signed.update(body);
        format!("v1,{}", STANDARD.encode(signed.sign()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The value of `webhook-signature`: one signature for each key, so that the receiver may change keys at leisure.
pub fn signature_header(keys: &[SigningKey], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    keys.iter().map(|key| key.sign(id, timestamp_s, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The vector that the libraries for Python, Node and Rust agree on.
    #[test]
    fn a_signature_is_the_one_that_other_implementations_make() {
        let keys = [SigningKey::parse(SECRET).unwrap()];
        let header = signature_header(
            &keys,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_key_signs() {
        let keys = [SigningKey::parse(SECRET).unwrap(), SigningKey::parse(SECRET).unwrap()];
        let header = signature_header(&keys, "a", 1, b"");
        let [first, second] = header.split(' ').collect::<Vec<_>>()[..] else { panic!("two signatures") };
        assert_eq!(first, second);
    }

    #[test]
    fn a_bad_secret_is_refused_and_never_repeated() {
        assert_eq!(SigningKey::parse("MfKQ9r8G").unwrap_err(), InvalidSecret::Prefix);
        assert_eq!(SigningKey::parse("whsec_???").unwrap_err(), InvalidSecret::Base64);
        assert_eq!(SigningKey::parse("whsec_c2hvcnQ=").unwrap_err(), InvalidSecret::Length(5));
        assert_eq!(format!("{:?}", SigningKey::parse(SECRET).unwrap()), "SigningKey(…)");
    }
}
