//! The calls of a provider and of agents, made up and signed before anything is measured.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::fake::Taken;
use crate::load::Calls;

pub const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub const AUTH_TOKEN: &str = "bench-auth-token";
pub const PUBLIC_URL: &str = "http://bench.example";
pub const AGENT: &str = "bench-agent-secret";
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

fn words(number: u64) -> String {
    format!("text {number}, and as much more as customers write when they have something to say to a brand")
}

/// A form that is signed as Twilio does: HMAC-SHA1 of the URL and the sorted fields.
fn signed(path: &str, url: &str, fields: &[(&str, &str)]) -> Vec<u8> {
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

/// The first text of each customer.
pub fn first_texts(customers: u64) -> Calls {
    Calls::of((0..customers).map(|at| text(&customer(at), at)))
}

/// So many texts of customers at random, the `round`th time.
pub fn texts(customers: u64, many: u64, round: u64) -> Calls {
    let from = |number| customer(mixed(number) % customers);
    Calls::of((0..many).map(|at| (round << 32) + at).map(|number| text(&from(number), number)))
}

/// What becomes of a text that the provider took.
pub fn receipt(taken: &Taken, status: &str) -> Vec<u8> {
    let path = taken.callback.strip_prefix(PUBLIC_URL).unwrap();
    let fields = [
        ("AccountSid", ACCOUNT),
        ("From", NUMBER),
        ("MessageSid", taken.id.as_str()),
        ("MessageStatus", status),
        ("To", taken.to.as_str()),
    ];
    signed(path, &taken.callback, &fields)
}

/// An agent's text to a customer.
pub fn answer(customer_id: &str, number: u64) -> Vec<u8> {
    let body = format!(
        r#"{{"content":"answer {number}, which says as much as an agent has to say to that","content_type":"text"}}"#
    );
    format!(
        "POST /v1/customers/{customer_id}/sessions/current/messages HTTP/1.1\r\nhost: bench.example\r\n\
         authorization: Bearer {AGENT}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench.example\r\nauthorization: Bearer {AGENT}\r\n\r\n")
        .into_bytes()
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn plain_get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench.example\r\n\r\n").into_bytes()
}

/// The same for Kannel: a customer's text, by the port of its HTTP SMSC.
pub fn kannel_texts(customers: u64, many: u64, round: u64) -> Calls {
    let call = |number| {
        let (from, text) = (escaped(&customer(mixed(number) % customers)), escaped(&words(number)));
        plain_get(&format!("/sms?from={from}&to=%2B15550001111&text={text}"))
    };
    Calls::of((0..many).map(|at| call((round << 32) + at)))
}

/// A receipt.
pub fn kannel_receipt(taken: &Taken) -> Vec<u8> {
    let (id, to) = (&taken.id, escaped(&taken.to));
    plain_get(&format!("/sms?from={to}&to=%2B15550001111&text=&dlr-mid={id}&dlr-mask=1"))
}

/// An agent's text, for which receipts are asked.
pub fn kannel_answers(customers: u64, many: u64, app: u16) -> Calls {
    let receipts = escaped(&format!("http://127.0.0.1:{app}/dlr"));
    let call = |number: u64| {
        let to = escaped(&customer(number % customers));
        let text = escaped(&format!("answer {number}, which says as much as an agent has to say to that"));
        plain_get(&format!(
            "/cgi-bin/sendsms?username=u&password=p&from=%2B15550001111&to={to}&text={text}&dlr-mask=31&dlr-url={receipts}"
        ))
    };
    Calls::of((0..many).map(call))
}
