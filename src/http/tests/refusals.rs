//! What is refused before any rule of conversations is asked.

use axum::body::Body;
use axum::http::Request;

use super::fixture::{House, request, webhook};

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

#[tokio::test]
async fn an_unknown_route_is_404_and_a_wrong_method_405_with_allow() {
    let house = House::new();
    assert_eq!(house.get("/v2/customers").await.problem(), (404, "not-found".into()));
    let wrong = house.call("desk", "PUT", "/v1/customers", "").await;
    assert_eq!(wrong.problem(), (405, "method-not-allowed".into()));
    let mut allowed: Vec<_> = wrong.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    assert_eq!(house.call("", "DELETE", "/healthz", "").await.problem(), (405, "method-not-allowed".into()));
}

#[tokio::test]
async fn what_the_path_names_is_asked_before_the_body_is_read() {
    let house = House::new();
    for (method, path) in [
        ("POST", format!("/v1/customers/{NOBODY}/sessions/current/messages")),
        ("PATCH", format!("/v1/customers/{NOBODY}/sessions/current")),
        ("PATCH", format!("/v1/customers/{NOBODY}")),
        ("POST", format!("/v1/customers/{NOBODY}/confirm")),
        ("POST", format!("/v1/customers/{NOBODY}/generate_confirmation")),
        ("POST", format!("/v1/customers/{NOBODY}/send_confirmation")),
        ("POST", format!("/v1/customers/{NOBODY}/subscribe")),
        ("POST", format!("/v1/customers/{NOBODY}/unsubscribe")),
        ("DELETE", format!("/v1/customers/{NOBODY}")),
        ("GET", format!("/v1/customers/{NOBODY}")),
        ("GET", format!("/v1/customers/{NOBODY}/sessions")),
        ("GET", format!("/v1/customers/{NOBODY}/sessions/current")),
        ("GET", format!("/v1/customers/{NOBODY}/sessions/current/messages")),
        ("GET", format!("/v1/messages/{NOBODY}")),
        ("GET", format!("/v1/messages/{NOBODY}/delivery")),
        ("POST", format!("/v1/messages/{NOBODY}/cancel")),
        ("GET", "/v1/customers/42".to_owned()),
        ("GET", "/v1/customers/%ff".to_owned()),
    ] {
        let answer = house.call("boss", method, &path, "{").await;
        assert_eq!(answer.problem(), (404, "not-found".into()), "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400_and_says_where() {
    let house = House::new();
    let path = format!("/v1/customers/{}/sessions/current/messages", house.held().await);
    for (body, place) in [("{\"content\"", "line 1, column 10"), ("{}\n}", "line 2, column 1")] {
        let answer = house.call("desk", "POST", &path, body).await;
        assert_eq!(answer.problem(), (400, "invalid-body".into()), "{body}");
        assert!(answer.text.contains(place), "{}", answer.text);
    }
    let empty = Request::post(&path)
        .header("authorization", "Bearer desk")
        .header("content-type", "application/json");
    let answer = house.send(empty.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), (400, "invalid-body".into()));
    let bytes = Request::post(&path)
        .header("authorization", "Bearer desk")
        .header("content-type", "application/json");
    let answer = house.send(bytes.body(Body::from(&b"{\"content\":\"\xff\"}"[..])).unwrap()).await;
    assert_eq!(answer.problem(), (400, "invalid-body".into()));
}

#[tokio::test]
async fn a_body_that_is_not_as_expected_is_422_and_points_at_each_field() {
    let house = House::new();
    let path = format!("/v1/customers/{}/sessions/current/messages", house.held().await);
    for (body, pointers) in [
        ("{}", vec!["/content", "/content_type"]),
        (r#"{"content":7,"content_type":"text"}"#, vec!["/content"]),
        (r#"{"content":null,"content_type":"html"}"#, vec!["/content", "/content_type"]),
        (r#"{"content":"Hey","content_type":"text","priority":1}"#, vec!["/priority"]),
        (r#"{"content":" ","content_type":"text"}"#, vec!["/content"]),
        (r#"{"content":"Hey","content_type":"text","sender_role":"init"}"#, vec!["/sender_role"]),
        (r#"{"content":"Hey","content_type":"text","sender_role":"end-user"}"#, vec!["/sender_role"]),
        ("[]", vec![""]),
    ] {
        let answer = house.call("desk", "POST", &path, body).await;
        assert_eq!(answer.problem(), (422, "invalid-body".into()), "{body}");
        assert_eq!(answer.pointers(), pointers, "{body}");
    }
    let too_long = format!(r#"{{"content":"{}","content_type":"text"}}"#, "x".repeat(1601));
    assert_eq!(house.call("desk", "POST", &path, &too_long).await.pointers(), ["/content"]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_whether_it_says_so_or_not() {
    let house = House::new();
    let long = format!(r#"{{"unconfirmed_phone_number":"{}"}}"#, "1".repeat(10_000));
    let answer = house.call("desk", "POST", "/v1/customers", &long).await;
    assert_eq!(answer.problem(), (413, "body-too-large".into()));
    let mut declared = request("desk", "POST", "/v1/customers", "{}");
    declared.headers_mut().insert("content-length", "10001".parse().unwrap());
    assert_eq!(house.send(declared).await.problem(), (413, "body-too-large".into()));
    let answer = house.send(webhook("/v1/receive/main", &"x".repeat(64 * 1024 + 1))).await;
    assert_eq!(answer.problem(), (413, "body-too-large".into()));
}

#[tokio::test]
async fn another_media_type_is_415() {
    let house = House::new();
    for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = Request::post("/v1/customers").header("authorization", "Bearer desk");
        let request = request.header("content-type", content_type).body(Body::from("{}")).unwrap();
        assert_eq!(house.send(request).await.problem(), (415, "unsupported-media-type".into()));
    }
    let request = Request::post("/v1/customers").header("authorization", "Bearer desk");
    assert_eq!(house.send(request.body(Body::from("{}")).unwrap()).await.status, 415);
}

#[tokio::test]
async fn an_unknown_parameter_or_expansion_is_400() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    for path in [
        "/v1/customers?phone=1".to_owned(),
        "/v1/customers?phone_number=%2B0415".to_owned(),
        "/v1/sessions?need_attention=maybe".to_owned(),
        "/v1/sessions?expand=customers".to_owned(),
        "/v1/sessions?limit=1001".to_owned(),
        "/v1/sessions?cursor=AAAA".to_owned(),
        format!("/v1/customers/{customer}?expand=sessions"),
        format!("/v1/customers/{customer}/sessions/current?expand=delivery"),
        format!("/v1/customers/{customer}/sessions/current/messages?offset=3"),
    ] {
        assert_eq!(house.get(&path).await.problem(), (400, "invalid-query".into()), "{path}");
    }
    let named = house.get("/v1/sessions?expand=customers").await.json();
    assert_eq!(
        named["detail"],
        "expand takes messages, customer, last_message, attention, suggested_messages, with commas between them."
    );
}

#[tokio::test]
async fn a_store_that_is_gone_is_503_with_retry_after() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    house.gateway.store().close().await.unwrap();
    let message = r#"{"content":"Hey","content_type":"text"}"#;
    for (method, path, body) in [
        ("GET", "/v1/customers".to_owned(), ""),
        ("POST", format!("/v1/customers/{customer}/sessions/current/messages"), message),
        ("POST", "/v1/customers".to_owned(), r#"{"unconfirmed_phone_number":"+14155550102"}"#),
    ] {
        let answer = house.call("desk", method, &path, body).await;
        assert_eq!(answer.problem(), (503, "unavailable".into()), "{method} {path}");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let body = r#"{"id":"in-2","from":"+14155550101","to":"+15550001111","content":"Hey"}"#;
    let answer = house.send(webhook("/v1/receive/main", body)).await;
    assert_eq!(answer.problem(), (503, "unavailable".into()));
}

#[tokio::test]
async fn every_problem_explains_itself_at_its_type() {
    let house = House::new();
    let page = house.call("", "GET", "/problems/session-held", "").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    assert_eq!(house.call("", "GET", "/problems/nonsense", "").await.problem(), (404, "not-found".into()));
}
