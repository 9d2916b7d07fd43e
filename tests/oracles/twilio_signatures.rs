//! Webhooks signed by Twilio's own libraries are believed; with one byte changed, anywhere, they are not.

use std::time::Duration;

use serde::Deserialize;
use switchboard::provider::twilio::{Credentials, Secret, TwilioConfig, TwilioProvider, client_builder};
use switchboard::provider::{Provider, SignatureError, WebhookRequest};

use crate::interpreter::{Interpreter, NODE, PYTHON};

const COUNT: usize = 1000;

#[derive(Clone, Debug, Deserialize)]
struct Signed {
    method: String,
    url: String,
    content_type: String,
    body: String,
    signature: String,
    token: String,
}

#[test]
fn what_the_python_library_signs_is_believed_and_what_is_changed_is_not() {
    check(&PYTHON, "twilio_signatures.py");
}

#[test]
fn what_the_node_library_signs_is_believed_and_what_is_changed_is_not() {
    check(&NODE, "twilio_signatures.js");
}

fn check(interpreter: &Interpreter, script: &str) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = client_builder(reqwest::Client::builder()).build().expect("a client");
    let mut changed = [0_usize; 4];
    let (lines, seed) = interpreter.lines(script, COUNT);
    for (index, line) in lines.iter().enumerate() {
        let signed: Signed = serde_json::from_str(line).expect("a line of the script");
        assert_eq!(verdict(&signed, &http), Ok(()), "{seed}: {signed:?}");
        let (part, tampered) =
            (0..4).find_map(|turn| tamper(&signed, (index + turn) % 4, index)).expect("a part to change");
        assert!(
            verdict(&tampered, &http).is_err(),
            "{seed}: believed, although changed:\n{signed:?}\n{tampered:?}"
        );
        changed[part] += 1;
    }
    assert_eq!(changed.iter().sum::<usize>(), COUNT);
    assert!(
        changed.iter().all(|count| *count >= COUNT / 10),
        "{changed:?}: some part was hardly ever changed"
    );
}

fn verdict(signed: &Signed, http: &reqwest::Client) -> Result<(), SignatureError> {
    let config = TwilioConfig {
        account_sid: "AC00000000000000000000000000000001".into(),
        credentials: Credentials { user: "AC1".into(), password: Secret::new("unused") },
        auth_tokens: vec![Secret::new("retired"), Secret::new(signed.token.clone())],
        api_base: "https://api.twilio.com".into(),
        request_timeout: Duration::from_secs(10),
    };
    let mut headers = http::HeaderMap::new();
    headers.insert("x-twilio-signature", signed.signature.parse().expect("a header"));
    let request = WebhookRequest {
        method: signed.method.clone(),
        url: signed.url.clone(),
        query: signed.url.split_once('?').map(|(_, query)| query.to_owned()),
        content_type: Some(signed.content_type.clone()),
        headers,
        body: signed.body.clone().into(),
    };
    TwilioProvider::new(config, http.clone()).expect("a usable account").verify(&request)
}

/// Changes one character of body, URL (behind the host), signature or token; None where that part has none to change.
fn tamper(signed: &Signed, part: usize, seed: usize) -> Option<(usize, Signed)> {
    let mut tampered = signed.clone();
    let (text, from) = match part {
        0 => (&mut tampered.body, 0),
        1 => {
            let host = signed.url.find("://")? + 3;
            (&mut tampered.url, host + signed.url[host..].find('/')?)
        }
        2 => (&mut tampered.signature, 0),
        _ => (&mut tampered.token, 0),
    };
    let places: Vec<_> =
        (from..text.len()).filter(|at| text.as_bytes()[*at].is_ascii_alphanumeric()).collect();
    let at = *places.get(seed.wrapping_mul(7919) % places.len().max(1))?;
    text.replace_range(at..=at, other(text.as_bytes()[at]));
    Some((part, tampered))
}

/// Another letter for a letter, another digit for a digit. What it decodes to is then another text, too: a
/// hexadecimal digit's case does not matter, and what separates names from values is not itself signed.
fn other(byte: u8) -> &'static str {
    match byte {
        b'7' => "8",
        b'0'..=b'9' => "7",
        b'a' | b'A' => "b",
        _ => "a",
    }
}

#[test]
fn every_change_is_a_real_one() {
    for byte in (0..=u8::MAX).filter(u8::is_ascii_alphanumeric) {
        assert!(!other(byte).as_bytes()[0].eq_ignore_ascii_case(&byte), "{}", char::from(byte));
    }
}
