//! What it may cost to believe a webhook, and to read it: see [`crate::budget`].

use super::{form, signature, webhook};
use crate::budget::{Cost, keep_to};
use crate::domain::time::Timestamp;
use crate::provider::WebhookRequest;

const URL: &str = "https://gw.example.com/v1/receive/main";
const TOKEN: &str = "token";

fn signed(fields: &[(&str, &str)]) -> WebhookRequest {
    let mut signed = URL.to_owned();
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    for (name, value) in sorted {
        signed.extend([name, value]);
    }
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let signature = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        ring::hmac::sign(&key, signed.as_bytes()),
    );
    let mut headers = http::HeaderMap::new();
    headers.insert(signature::HEADER, signature.parse().unwrap());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    WebhookRequest {
        method: "POST".into(),
        url: URL.into(),
        query: None,
        content_type: Some("application/x-www-form-urlencoded".into()),
        headers,
        body: body.into(),
    }
}

#[test]
fn webhooks_keep_to_their_budget() {
    let text = signed(&[
        ("AccountSid", "AC1"),
        ("Body", "as much as customers write, when they have something to say"),
        ("From", "+14155550101"),
        ("MessageSid", "SM1"),
        ("NumMedia", "0"),
        ("To", "+15550001111"),
    ]);
    assert!(form::is_form(&text));
    let tokens = [super::Secret::new(TOKEN)];
    let allocations = |read: &dyn Fn()| allocation_counter::measure(read).count_total;
    let verify = allocations(&|| signature::verify(&text, &tokens).unwrap());
    keep_to("believe a webhook", &Cost { keys: 0, bytes: 0, allocations: verify });
    let parse = allocations(&|| drop(webhook::parse_text(&text, "AC1").unwrap()));
    keep_to("read a text", &Cost { keys: 0, bytes: 0, allocations: parse });
    let receipt = signed(&[
        ("AccountSid", "AC1"),
        ("From", "+15550001111"),
        ("MessageSid", "SM1"),
        ("MessageStatus", "delivered"),
        ("To", "+14155550101"),
    ]);
    let parse = allocations(&|| drop(webhook::parse_receipt(&receipt, "AC1", Timestamp::default()).unwrap()));
    keep_to("read a receipt", &Cost { keys: 0, bytes: 0, allocations: parse });
}
