//! The export, as an admin gets it.

use serde_json::Value;

use super::fixture::House;

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
