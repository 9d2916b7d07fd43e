//! What must hold for anything that comes from Twilio, or from somebody who pretends to be Twilio. Each function is the
//! body of a target in `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use http::{HeaderMap, HeaderValue, StatusCode, header};
use ring::{digest, hmac};

use super::client::Answer;
use super::config::Secret;
use super::form::Form;
use super::{fetching, listing, received, sending, signature, webhook};
use crate::domain::delivery::{ErrorClass, ReceiptStage, ReceiptStatus};
use crate::domain::time::Timestamp;
use crate::provider::{Sent, WebhookRequest};

const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "the-token";
const URL: &str = "https://gw.example.com/v1/receive/main";
const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// What is read is what everybody else reads, too; what others would have to guess at is refused.
pub fn form(data: &[u8]) {
    let Ok(form) = Form::decode(data) else { return };
    let read: Vec<_> =
        form.pairs().iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    assert_eq!(lenient(data), read, "another reader reads other pairs");
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(form.pairs()).finish();
    assert_eq!(Form::decode(written.as_bytes()), Ok(form), "it does not read back");
}

/// The lines are: the URL, another URL, a signature; what follows is the body, and its last byte changes it.
pub fn signature(data: &[u8]) {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (Ok(url), Ok(other_url)) = (std::str::from_utf8(line()), std::str::from_utf8(line())) else { return };
    let (forged, body) = (line(), line());

    // Nobody guesses a signature.
    for call in [post(url, body, Some(FORM)), post(url, body, None), get(url)] {
        let refused = signature::verify(&signed(call, forged), &tokens());
        assert!(refused.is_err(), "a signature was accepted that was never made");
    }
    form_is_believed_as_signed(url, other_url, body);
    get_is_believed_as_signed(url);
    json_is_believed_as_signed(url, body);
}

fn form_is_believed_as_signed(url: &str, other_url: &str, body: &[u8]) {
    if Form::decode(body).is_err() {
        return;
    }
    let good = sign(url, &joined(body));
    let believed = |url: &str, body: &[u8]| {
        signature::verify(&signed(post(url, body, Some(FORM)), good.as_bytes()), &tokens()).is_ok()
    };
    assert!(believed(url, body), "a good signature was refused");
    let changed = changed(body);
    assert_eq!(
        believed(url, &changed),
        Form::decode(&changed).is_ok() && joined(&changed) == joined(body),
        "a form is believed if and only if it says what was signed"
    );
    assert!(
        !believed(other_url, body) || same_place(url) == same_place(other_url),
        "believed for another URL than the signed one"
    );
}

fn get_is_believed_as_signed(url: &str) {
    let good = sign(url, "");
    assert_eq!(signature::verify(&signed(get(url), good.as_bytes()), &tokens()), Ok(()));
}

fn json_is_believed_as_signed(url: &str, body: &[u8]) {
    let (path, _) = url.split_once(['?', '#']).unwrap_or((url, ""));
    let url = format!("{path}?bodySHA256={}", hex(digest::digest(&digest::SHA256, body).as_ref()));
    let good = sign(&url, "");
    let believed = |body: &[u8]| {
        let call = post(&url, body, Some("application/json"));
        signature::verify(&signed(call, good.as_bytes()), &tokens()).is_ok()
    };
    assert!(believed(body), "a good signature was refused");
    assert_eq!(believed(&changed(body)), changed(body) == body, "another body was believed");
}

/// A customer's text, as a signed form.
pub fn webhook_text(data: &[u8]) {
    let call = post(URL, data, Some(FORM));
    let Ok(text) = webhook::parse_text(&call, ACCOUNT_SID) else { return };
    assert_plain_id(&text.provider_id);
    assert!(!text.content.contains('\0'), "stores of text cannot keep NUL");
    assert!(text.media.iter().all(|media| !media.url.is_empty() && !media.content_type.is_empty()));
    let Ok(query) = std::str::from_utf8(data) else { return };
    let by_get = WebhookRequest { query: Some(query.to_owned()), ..get(URL) };
    assert_eq!(webhook::parse_text(&by_get, ACCOUNT_SID), Ok(text), "it reads otherwise from a query");
}

/// A receipt: the first line is the query of the status URL, the rest the form.
pub fn receipt(data: &[u8]) {
    let (query, body) = halves(data);
    let query = std::str::from_utf8(query).ok().map(str::to_owned);
    let call = WebhookRequest { query, ..post(URL, body, Some(FORM)) };
    let Ok(receipt) = webhook::parse_receipt(&call, ACCOUNT_SID, Timestamp::from_millis(0)) else { return };
    assert_plain_id(&receipt.provider_id);
    assert_good_status(&receipt.status);
}

/// What the API says of one text when it is asked.
pub fn fetch_answer(data: &[u8]) {
    let now = Timestamp::from_millis(1_795_000_000_000);
    let Ok(status) = fetching::read_status(data, now) else { return };
    assert!(status.at <= now, "a word from the future");
    assert_good_status(&status);
}

fn assert_good_status(status: &ReceiptStatus) {
    let failed = matches!(status.stage, ReceiptStage::Failed | ReceiptStage::Undelivered);
    assert!(!failed || status.error.is_some(), "a failure without a reason");
    assert!(
        status.stage != ReceiptStage::Delivered || matches!(status.raw.as_str(), "delivered" | "read"),
        "a word that does not say so was read as delivered"
    );
}

/// The answer to a send: a status line, a `Retry-After` line, and the body.
pub fn send_answer(data: &[u8]) {
    let (status, rest) = halves(data);
    let (retry_after, body) = halves(rest);
    let status = std::str::from_utf8(status).ok().and_then(|digits| digits.trim().parse().ok());
    let Some(status) = status.and_then(|status: u16| StatusCode::from_u16(status).ok()) else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(retry_after) {
        headers.insert(header::RETRY_AFTER, value);
        headers.insert(header::DATE, HeaderValue::from_static("Sat, 21 Nov 2026 12:00:00 +0000"));
    }
    match sending::outcome(&Answer { status, headers, body: body.to_vec() }) {
        Sent::Accepted { provider_id, .. } => {
            assert!(status.is_success() && !provider_id.is_empty(), "taken without an id");
        }
        Sent::Refused { error, .. } => {
            assert!(!status.is_success(), "what may have been taken would be sent again");
            assert!(
                !status.is_server_error() || error.class == ErrorClass::Throttled,
                "a server error leaves open whether the text was taken"
            );
            assert_ne!(error.class, ErrorClass::Unknown, "a refusal that is none");
        }
        Sent::Unknown { error } => assert_eq!(error.class, ErrorClass::Unknown),
    }
}

/// A page of the list: of what we sent, all is understood, or none of it is evidence; of what customers sent, what is
/// taken is as good as from a webhook.
pub fn listing_page(data: &[u8]) {
    let page = || listing::read_page(data).map(|page| page.messages).unwrap_or_default();
    for listed in page() {
        let Ok(created_at) = listed.created_at() else { continue };
        if let Some(received) = received::text(listed, created_at) {
            assert_plain_id(&received.text.provider_id);
            assert!(!received.text.content.contains('\0'), "stores of text cannot keep NUL");
        }
    }
    let Ok(records) = listing::sent(page()) else { return };
    // What is not asked for is not read, and need not be UTF-8.
    let page = String::from_utf8_lossy(data);
    let page: serde_json::Value = serde_json::from_str(&page).unwrap_or_default();
    let listed = page.get("messages").and_then(serde_json::Value::as_array);
    assert!(listed.map_or(0, Vec::len) >= records.len(), "more was found than is listed");
}

/// A list of media: all of it belongs to the text that was asked about.
pub fn media_list(data: &[u8]) {
    const PATH: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/MM1/Media";
    let Ok(media) = received::read_media(data, PATH) else { return };
    for media in media {
        let address = reqwest::Url::parse(&format!("https://api.twilio.com{}", media.url));
        let Ok(address) = address else { panic!("no address: {:?}", media.url) };
        assert_eq!(address.host_str(), Some("api.twilio.com"), "it leads to somebody else");
        assert_eq!(address.path(), media.url, "it leads elsewhere");
        assert_eq!(address.path().rsplit_once('/').map(|(path, _)| path), Some(PATH), "it is another text's");
    }
}

fn assert_plain_id(id: &str) {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    assert!(plain && (1..=64).contains(&id.len()), "not an id: {id:?}");
}

fn post(url: &str, body: &[u8], content_type: Option<&str>) -> WebhookRequest {
    WebhookRequest {
        method: "POST".into(),
        url: url.into(),
        query: None,
        content_type: content_type.map(str::to_owned),
        headers: HeaderMap::new(),
        body: body.to_vec().into(),
    }
}

fn get(url: &str) -> WebhookRequest {
    WebhookRequest { method: "GET".into(), ..post(url, &[], None) }
}

fn signed(mut call: WebhookRequest, signature: &[u8]) -> WebhookRequest {
    if let Ok(value) = HeaderValue::from_bytes(signature) {
        call.headers.insert("x-twilio-signature", value);
    }
    call
}

fn tokens() -> [Secret; 2] {
    [Secret::new("the-next-token"), Secret::new(TOKEN)]
}

/// The signature as Twilio describes it, by another library than the one that checks it.
fn sign(url: &str, pairs: &str) -> String {
    use base64::Engine;
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let tag = hmac::sign(&key, format!("{url}{pairs}").as_bytes());
    base64::engine::general_purpose::STANDARD.encode(tag.as_ref())
}

/// The pairs that are signed: each once, sorted, without anything in between.
fn joined(body: &[u8]) -> String {
    let pairs: std::collections::BTreeSet<_> = lenient(body).into_iter().collect();
    pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

fn lenient(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// `body` with one of its bytes changed; which, and to what, its last byte says.
fn changed(body: &[u8]) -> Vec<u8> {
    let mut changed = body.to_vec();
    if let Some(last) = body.last().copied() {
        changed[usize::from(last) % body.len()] ^= last.max(1);
    }
    changed
}

/// What two spellings of one URL have in common: no fragment, no port, the escapes undone.
fn same_place(url: &str) -> (String, Vec<(String, String)>) {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let portless = without_port(url);
    let written = reqwest::Url::parse(&portless).map_or(portless, |url| without_port(url.as_str()));
    match written.split_once('?') {
        Some((path, query)) => (path.to_owned(), lenient(query.as_bytes())),
        None => (written, Vec::new()),
    }
}

fn without_port(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host_start = authority.rfind(['@', ']']).unwrap_or(0);
    let port = authority[host_start..].find(':').map_or(authority.len(), |at| host_start + at);
    format!("{scheme}://{}{path}", &authority[..port])
}

fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (&data[..at], data.get(at + 1..).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}
