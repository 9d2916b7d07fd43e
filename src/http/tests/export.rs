//! The export, as an admin gets it.

use serde_json::Value;
use tower::ServiceExt;

use super::fixture::{House, request};
use crate::http::router;

#[tokio::test]
async fn an_admin_gets_everything_line_by_line() {
    let house = House::new();
    house.created("").await;
    let answer = house.call("boss", "GET", "/v1/export", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-ndjson"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["record"]["running"], true);
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"header"), Some(&"end")));
    assert_eq!(kinds.iter().filter(|kind| **kind == "customer").count(), 1);
}

#[tokio::test]
async fn nobody_else_gets_it() {
    let house = House::new();
    for (who, status) in [("", 401), ("desk", 403), ("robot", 403)] {
        assert_eq!(house.call(who, "GET", "/v1/export", "").await.status, status, "{who}");
    }
    assert_eq!(house.call("boss", "GET", "/v1/export?since=1", "").await.status, 400);
}

#[tokio::test]
async fn a_second_one_is_told_since_when_there_is_another() {
    let house = House::new();
    let begun = house.gateway.now();
    let mut first = house.gateway.export().await.unwrap();
    let refused = house.call("boss", "GET", "/v1/export", "").await;
    let problem = refused.json();
    assert_eq!((refused.status, &problem["type"]), (409, &"/problems/export-under-way".into()));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(&begun.to_string()), "{detail}");
    while first.next().await.unwrap().is_some() {}
    assert_eq!(house.call("boss", "GET", "/v1/export", "").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_to_its_end_makes_room_for_the_next() {
    let house = House::new();
    for number in 100..140 {
        let body = format!(r#"{{"unconfirmed_phone_number":"+1415555{number:04}"}}"#);
        assert_eq!(house.call("desk", "POST", "/v1/customers", &body).await.status, 201);
    }
    let answer = router(house.state.clone()).oneshot(request("boss", "GET", "/v1/export", "")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(house.call("boss", "GET", "/v1/export", "").await.status, 409);
    drop(answer);
    while house.call("boss", "GET", "/v1/export", "").await.status != 200 {
        tokio::task::yield_now().await;
    }
}
