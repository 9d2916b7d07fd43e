//! Who may call, and what.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use super::fixture::{House, request, settings};
use crate::http::HttpSettings;

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let house = House::new();
    for who in ["", "wrong"] {
        let answer = house.call(who, "GET", "/v1/customers", "").await;
        assert_eq!(answer.problem(), (401, "unauthorized".into()));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"switchboard\"");
    }
    let basic =
        Request::get("/v1/customers").header("authorization", "Basic ZGVzazo=").body(Body::empty()).unwrap();
    assert_eq!(house.send(basic).await.status, 401);
}

#[tokio::test]
async fn both_schemes_of_the_family_are_taken() {
    let house = House::new();
    for scheme in ["Bearer", "Token", "bearer"] {
        let request = Request::get("/v1/customers").header("authorization", format!("{scheme} desk"));
        assert_eq!(house.send(request.body(Body::empty()).unwrap()).await.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn who_is_calling_is_asked_before_anything_else() {
    let house = House::new();
    let long = "x".repeat(20_000);
    let answer =
        house.call("", "POST", &format!("/v1/customers/{NOBODY}/sessions/old/messages"), &long).await;
    assert_eq!(answer.problem(), (401, "unauthorized".into()));
}

#[tokio::test]
async fn what_a_role_may_not_do_is_403_before_the_body_is_read() {
    let house = House::new();
    for (who, method, path) in [
        ("robot", "POST", "/v1/customers".to_owned()),
        ("robot", "PATCH", format!("/v1/customers/{NOBODY}")),
        ("robot", "DELETE", format!("/v1/customers/{NOBODY}")),
        ("desk", "DELETE", format!("/v1/customers/{NOBODY}")),
        ("robot", "POST", format!("/v1/customers/{NOBODY}/subscribe")),
        ("robot", "POST", format!("/v1/messages/{NOBODY}/cancel")),
        ("robot", "POST", "/v1/tokens".to_owned()),
        ("desk", "POST", "/v1/tokens".to_owned()),
        ("desk", "GET", "/v1/tokens".to_owned()),
        ("desk", "GET", "/v1/export".to_owned()),
        ("desk", "DELETE", format!("/v1/tokens/{NOBODY}")),
        ("desk", "POST", "/v1/receive/init".to_owned()),
    ] {
        let answer = house.call(who, method, &path, "{").await;
        assert_eq!(answer.problem(), (403, "forbidden".into()), "{who} {method} {path}");
    }
}

#[tokio::test]
async fn a_bot_may_ask_for_a_human_and_not_send_one_away() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let path = format!("/v1/customers/{customer}/sessions/current");
    assert_eq!(house.call("robot", "PATCH", &path, r#"{"need_attention":true}"#).await.status, 200);
    let refused = house.call("robot", "PATCH", &path, r#"{"need_attention":false}"#).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    assert_eq!(house.call("desk", "PATCH", &path, r#"{"need_attention":false}"#).await.status, 200);
}

#[tokio::test]
async fn a_minted_token_works_until_it_is_revoked() {
    let house = House::new();
    let minted = house.call("boss", "POST", "/v1/tokens", r#"{"name":"night desk","role":"agent"}"#).await;
    assert_eq!(minted.status, 201, "{}", minted.text);
    let minted = minted.json();
    let (id, secret) = (minted["id"].as_str().unwrap(), minted["secret"].as_str().unwrap());
    assert_eq!(house.call(secret, "GET", "/v1/customers", "").await.status, 200);

    let listed = house.call("boss", "GET", "/v1/tokens", "").await;
    assert!(!listed.text.contains(secret) && !listed.text.contains("secret"));
    assert_eq!(listed.json()[0]["name"], "night desk");

    let path = format!("/v1/tokens/{id}");
    assert_eq!(house.call("boss", "DELETE", &path, "").await.status, 204);
    assert_eq!(house.call(secret, "GET", "/v1/customers", "").await.status, 401);
    let listed = house.call("boss", "GET", "/v1/tokens", "").await.json();
    assert_eq!(listed[0]["revoked_at"], "2017-05-02T12:04:42.693Z");
    let unknown = house.call("boss", "DELETE", &format!("/v1/tokens/{NOBODY}"), "").await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_token_needs_a_name_of_its_own_and_a_role_that_exists() {
    let house = House::new();
    let refused = house.call("boss", "POST", "/v1/tokens", r#"{"name":"gateway","role":"king"}"#).await;
    assert_eq!(refused.problem(), (422, "invalid-body".into()));
    assert_eq!(refused.pointers(), ["/name", "/role"]);
}

#[tokio::test]
async fn too_many_calls_of_one_token_are_429_and_say_when_to_come_back() {
    let house = House::with(HttpSettings { calls: Some("2/s".parse().unwrap()), ..settings() });
    for _ in 0..2 {
        assert_eq!(house.get("/v1/customers").await.status, 200);
    }
    let refused = house.get("/v1/customers").await;
    assert_eq!(refused.problem(), (429, "too-many-calls".into()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(house.call("boss", "GET", "/v1/customers", "").await.status, 200);
    house.clock.pass(Duration::from_secs(1));
    assert_eq!(house.get("/v1/customers").await.status, 200);
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let house = House::new();
    let (one, two) = (house.get("/v1/customers").await, house.get("/nowhere").await);
    assert_eq!(one.header("x-request-id").len(), 36);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn health_needs_no_token_and_tells_of_the_store() {
    let house = House::new();
    let open = |path: &'static str| house.send(request("", "GET", path, ""));
    assert_eq!(open("/healthz").await.text, r#"{"status":"ok"}"#);
    let ready = open("/readyz").await;
    assert_eq!(
        (ready.status, ready.text.as_str()),
        (200, r#"{"status":"ok","checks":{"store":"ok","process":"ok"}}"#)
    );
    let metrics = open("/metrics").await;
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    assert!(metrics.text.contains("switchboard_store_ready 1"), "{}", metrics.text);
    assert!(
        metrics
            .text
            .contains("switchboard_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1")
    );

    house.state.retire();
    let ready = open("/readyz").await;
    assert_eq!((ready.status, ready.json()["checks"]["process"].as_str()), (503, Some("stopping")));
    house.gateway.store().close().await.unwrap();
    assert_eq!(open("/healthz").await.status, 200);
    let ready = open("/readyz").await.json();
    assert_eq!(ready["checks"]["store"], "unavailable");
    assert!(!ready["reason"].as_str().unwrap().is_empty());
    let metrics = open("/metrics").await;
    assert_eq!(metrics.status, 200, "they are needed most when something is wrong");
    assert!(metrics.text.contains("switchboard_store_ready 0"), "{}", metrics.text);
}
