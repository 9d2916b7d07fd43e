//! Customers' texts, signed as the provider does.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

pub const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub const AUTH_TOKEN: &str = "bench-auth-token";
pub const PUBLIC_URL: &str = "http://bench.example";
pub const NUMBER: &str = "+15550001111";

/// The number of a customer.
pub fn customer(number: u64) -> String {
    format!("+1415{}", 2_000_000 + number)
}

/// Well mixed, and the same each time.
pub fn mixed(number: u64) -> u64 {
    let mut word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word ^ (word >> 31)
}

pub fn words(number: u64) -> String {
    format!("text {number}, and as much more as customers write when they have something to say to a brand")
}

/// A form that is signed as Twilio does: HMAC-SHA1 of the URL and the sorted fields.
pub fn signed(path: &str, url: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench.example\r\nx-twilio-signature: {signature}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// A customer's text. `number` is its provider's id.
pub fn text(from: &str, number: u64) -> Vec<u8> {
    let (body, sid) = (words(number), format!("SM{:016x}{number:016x}", mixed(number)));
    let fields = [
        ("AccountSid", ACCOUNT),
        ("Body", body.as_str()),
        ("From", from),
        ("MessageSid", sid.as_str()),
        ("NumMedia", "0"),
        ("To", NUMBER),
    ];
    signed("/v1/receive/main", &format!("{PUBLIC_URL}/v1/receive/main"), &fields)
}
