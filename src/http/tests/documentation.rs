//! The documentation says what is there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fixture::House;
use crate::http::api::for_every_body;
use crate::http::json::{FromFields, fields_of};
use crate::http::openapi_json;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[tokio::test]
async fn the_document_is_served_and_always_the_same() {
    let house = House::new();
    let served = house.call("", "GET", "/openapi.json", "").await;
    assert_eq!((served.status, served.header("content-type")), (200, "application/json"));
    assert_eq!(served.text, openapi_json());
    assert_eq!(document()["openapi"], "3.1.0");
}

/// What the API promises changes on purpose only: `UPDATE_FIXTURES=1 cargo test --lib` writes the document anew.
#[test]
fn the_document_is_the_one_that_was_promised() {
    const PROMISED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openapi.json");
    let document = openapi_json() + "\n";
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(PROMISED, &document).unwrap();
    }
    let promised = std::fs::read_to_string(PROMISED).unwrap();
    assert!(
        promised == document,
        "the API differs from tests/fixtures/openapi.json; if it is meant to, set UPDATE_FIXTURES=1"
    );
}

#[tokio::test]
async fn the_pages_come_with_the_program_and_fetch_nothing_from_elsewhere() {
    let house = House::new();
    let page = house.call("", "GET", "/docs/", "").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    assert!(!page.text.contains("https://"));
    let script = house.call("", "GET", "/docs/swagger-initializer.js", "").await.text;
    assert!(script.contains("/openapi.json") && script.contains(r#""validatorUrl": "none""#), "{script}");
}

#[test]
fn every_operation_has_a_name_of_its_own_words_and_its_refusals() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} names two operations");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            if path.starts_with("/v1/") {
                assert!(responses.keys().any(|status| status.starts_with('4')), "{method} {path}");
                assert!(responses.contains_key("503"), "{method} {path}");
            }
        }
    }
    assert!(names.len() >= 30, "{names:?}");
}

#[test]
fn every_slug_that_the_api_can_answer_stands_in_the_document() {
    let text = openapi_json();
    for kind in crate::http::problem::Kind::ALL {
        // Method-not-allowed is for calls that no operation describes.
        if !["method-not-allowed"].contains(&kind.slug()) {
            assert!(text.contains(&format!("/problems/{}", kind.slug())), "{}", kind.slug());
        }
    }
}

fn documented(schema: &str) -> Vec<String> {
    let document = document();
    let schema = &document["components"]["schemas"][schema];
    assert!(schema.is_object(), "no schema in {document:#}");
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

/// The name of a body's type is that of its schema.
fn assert_read_as_documented<T: FromFields>(seen: &mut BTreeSet<String>) {
    let schema = std::any::type_name::<T>().rsplit("::").next().unwrap().to_owned();
    assert_eq!(documented(&schema), fields_of::<T>(), "{schema}");
    seen.insert(schema);
}

#[test]
fn bodies_are_read_as_they_are_documented() {
    // The bot's event, whose shape is not ours, and its reply, which the bots' own reader reads, have targets of their own.
    let mut seen = BTreeSet::from(["BotEvent".to_owned(), "TurnReply".to_owned()]);
    for_every_body!(assert_read_as_documented(&mut seen));
    // The document says which there are: none is left out here, nor where they are fuzzed.
    let document = document();
    let operations = document["paths"].as_object().unwrap().values();
    let bodies = operations.flat_map(|path| path.as_object().unwrap().values()).filter_map(|operation| {
        let schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
        Some(schema.rsplit('/').next().unwrap().to_owned())
    });
    assert_eq!(seen, bodies.collect::<BTreeSet<_>>());
}

#[test]
fn the_objects_are_documented_with_their_keys_in_order() {
    let session = documented("Session");
    assert_eq!(
        session[..7],
        ["id", "customer_id", "need_attention", "tags", "topics", "created_at", "updated_at"]
    );
    let message = documented("Message");
    assert_eq!(message[..5], ["id", "session_id", "content", "content_type", "sender_role"]);
    assert_eq!(message[5..9], ["sent_at", "delivered_at", "created_at", "updated_at"]);
}
