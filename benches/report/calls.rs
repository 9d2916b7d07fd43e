//! The calls of a provider and of agents, made up and signed before anything is measured.

use crate::fake::Taken;
use crate::load::Calls;
use crate::signed::{ACCOUNT, NUMBER, PUBLIC_URL, customer, mixed, signed, text, words};

pub const AGENT: &str = "bench-agent-secret";

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
