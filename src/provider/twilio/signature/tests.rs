//! What is believed and what is not, with signatures of the official libraries and of another HMAC.

use super::*;
use proptest::prelude::*;
use ring::hmac as independent;
use serde::Deserialize;

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";
const URL: &str = "https://gw.example.com/v1/receive/twilio";

#[derive(Deserialize)]
struct Fixture {
    token: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    method: String,
    url: String,
    #[serde(default)]
    pairs: Vec<(String, String)>,
    json_body: Option<String>,
    signature: String,
}

fn request(method: &str, url: &str, content_type: &str, body: &[u8], signature: &str) -> WebhookRequest {
    let mut headers = http::HeaderMap::new();
    headers.insert(HEADER, signature.parse().unwrap());
    WebhookRequest {
        method: method.into(),
        url: url.into(),
        query: url.split_once('?').map(|(_, query)| query.to_owned()),
        content_type: Some(content_type.into()),
        headers,
        body: bytes::Bytes::copy_from_slice(body),
    }
}

fn post(url: &str, body: &str, signature: &str) -> WebhookRequest {
    request("POST", url, FORM, body.as_bytes(), signature)
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn tokens(tokens: &[&str]) -> Vec<Secret> {
    tokens.iter().map(|token| Secret::new(*token)).collect()
}

/// Signs with another library than the code under test.
fn signed(token: &str, text: &str) -> String {
    let key = independent::Key::new(independent::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    BASE64.encode(independent::sign(&key, text.as_bytes()))
}

#[test]
fn every_signature_of_the_official_libraries_is_believed() {
    let fixture: Fixture =
        serde_json::from_str(include_str!("../../../../tests/fixtures/twilio_signatures.json")).unwrap();
    assert!(fixture.cases.len() >= 17, "the fixture has lost cases");
    for case in fixture.cases {
        let request = match &case.json_body {
            Some(body) => request("POST", &case.url, "application/json", body.as_bytes(), &case.signature),
            None => request(&case.method, &case.url, FORM, encoded(&case.pairs).as_bytes(), &case.signature),
        };
        assert_eq!(verify(&request, &tokens(&[&fixture.token])), Ok(()), "{}", case.name);
        let other = format!("{}x", fixture.token);
        assert_eq!(verify(&request, &tokens(&[&other])), Err(SignatureError::Mismatch), "{}", case.name);
    }
}

#[test]
fn a_request_without_signature_is_told_from_one_with_a_wrong_one() {
    let mut request = post(URL, "a=b", "");
    assert_eq!(verify(&request, &tokens(&["t"])), Err(SignatureError::Missing));
    request.headers.clear();
    assert_eq!(verify(&request, &tokens(&["t"])), Err(SignatureError::Missing));
    assert_eq!(verify(&post(URL, "a=b", "x"), &tokens(&["t"])), Err(SignatureError::Mismatch));
}

#[test]
fn any_of_the_tokens_will_do_and_none_will_not() {
    let request = post(URL, "a=b", &signed("old", &format!("{URL}ab")));
    assert_eq!(verify(&request, &tokens(&["new", "old"])), Ok(()));
    assert_eq!(verify(&request, &tokens(&["new", "newer"])), Err(SignatureError::Mismatch));
    assert_eq!(verify(&request, &[]), Err(SignatureError::Mismatch));
}

#[test]
fn the_port_may_be_signed_or_not_whatever_was_configured() {
    let cases = [
        ("https://a.example/x", "https://a.example:443/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example/x?y=1", "http://a.example:80/x?y=1"),
        ("https://a.example:8443/x", "https://a.example/x"),
        ("https://u:p@a.example/x", "https://u:p@a.example:443/x"),
        ("https://u:p@[::1]/x", "https://u:p@[::1]:443/x"),
        ("https://[::1]:8443/x@y:1", "https://[::1]/x@y:1"),
        ("https://a.example?m=1:2", "https://a.example:443?m=1:2"),
    ];
    for (configured, url) in cases {
        assert_eq!(verify(&post(configured, "", &signed("t", url)), &tokens(&["t"])), Ok(()), "{url}");
        assert_eq!(
            verify(&post(configured, "", &signed("t", configured)), &tokens(&["t"])),
            Ok(()),
            "{configured}"
        );
    }
    let wrong = post("https://a.example/x", "", &signed("t", "https://a.example:8443/x"));
    assert_eq!(verify(&wrong, &tokens(&["t"])), Err(SignatureError::Mismatch));
}

#[test]
fn the_fragment_is_not_signed_and_the_trailing_slash_is() {
    let signature = signed("t", URL);
    assert_eq!(verify(&post(&format!("{URL}#rc=5&rp=5xx"), "", &signature), &tokens(&["t"])), Ok(()));
    let slashed = post(&format!("{URL}/"), "", &signature);
    assert_eq!(verify(&slashed, &tokens(&["t"])), Err(SignatureError::Mismatch));
}

#[test]
fn repeated_values_are_signed_once_and_sorted_and_empty_fields_are_signed() {
    let request = post(URL, "b=2&a=&b=10&b=2&B=x&c", &signed("t", &format!("{URL}Bxab10b2c")));
    assert_eq!(verify(&request, &tokens(&["t"])), Ok(()));
}

#[test]
fn a_query_may_be_signed_in_another_spelling() {
    let spellings =
        [("q=it's", "q=it%27s"), ("q=it%27s", "q=it's"), ("q=a%20b", "q=a%20b"), ("q=a+b", "q=a%20b")];
    for (received, signed_query) in spellings {
        let signature = signed("t", &format!("{URL}?{signed_query}"));
        assert_eq!(
            verify(&post(&format!("{URL}?{received}"), "", &signature), &tokens(&["t"])),
            Ok(()),
            "{received}"
        );
    }
}

#[test]
fn a_get_is_signed_by_its_url_alone() {
    let url = format!("{URL}?From=%2B14155550101");
    let request = request("GET", &url, FORM, b"a=b", &signed("t", &url));
    assert_eq!(verify(&request, &tokens(&["t"])), Ok(()));
}

#[test]
fn a_body_that_is_no_form_must_have_its_hash_signed() {
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let url = format!("{URL}?bodySHA256={hash}");
    let json = |url: &str, body: &[u8]| request("POST", url, "application/json", body, &signed("t", url));
    assert_eq!(verify(&json(&url, b"{}"), &tokens(&["t"])), Ok(()));
    assert_eq!(verify(&json(&url, b"{ }"), &tokens(&["t"])), Err(SignatureError::BodyMismatch));
    assert_eq!(verify(&json(URL, b"{}"), &tokens(&["t"])), Err(SignatureError::Mismatch));
}

#[test]
fn a_hash_that_is_not_in_the_signed_url_vouches_for_nothing() {
    let mut request = request("POST", URL, "application/json", b"{}", &signed("t", URL));
    request.query =
        Some("bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".into());
    assert_eq!(verify(&request, &tokens(&["t"])), Err(SignatureError::Mismatch));
}

#[test]
fn a_body_that_is_not_utf8_is_refused_and_never_replaced() {
    for body in ["Body=%ff", "Body=%C3%28"] {
        let replaced = signed("t", &format!("{URL}Body\u{fffd}"));
        let verdict = verify(&post(URL, body, &replaced), &tokens(&["t"]));
        assert!(matches!(verdict, Err(SignatureError::Unreadable(_))), "{body}: {verdict:?}");
    }
}

proptest! {
    #[test]
    fn what_was_signed_is_believed_and_one_changed_character_is_not(
        token in "[0-9a-f]{32}",
        path in "/[a-z0-9/_-]{0,20}",
        pairs in prop::collection::vec(("[A-Za-z0-9]{1,8}", any::<String>()), 1..6),
        place in any::<prop::sample::Index>(),
        part in 0..4,
    ) {
        let (url, sorted) = (format!("https://gw.example.com{path}"), pairs.iter().cloned().collect::<std::collections::BTreeSet<_>>());
        let text: String = sorted.iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
        let signature = signed(&token, &format!("{url}{text}"));
        prop_assert_eq!(verify(&post(&url, &encoded(&pairs), &signature), &tokens(&[&token])), Ok(()));

        let (mut token, mut url, mut pairs, mut signature) = (token, url, pairs, signature);
        match part {
            0 => flip(&mut token, place),
            1 => flip(&mut url, place),
            2 => flip(&mut signature, place),
            _ => {
                let chosen = place.index(pairs.len());
                flip(&mut pairs[chosen].0, place);
            }
        }
        prop_assert!(verify(&post(&url, &encoded(&pairs), &signature), &tokens(&[&token])).is_err());
    }
}

/// Puts another character in one place. Letter case stays, since browsers write schemes and hosts in one case.
fn flip(text: &mut String, place: prop::sample::Index) {
    let at = place.index(text.len());
    let other = if text.as_bytes()[at] == b'7' { "8" } else { "7" };
    text.replace_range(at..=at, other);
}
