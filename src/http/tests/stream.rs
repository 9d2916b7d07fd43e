//! Following the events: what a stream begins with, what comes in it, for whom, and when it ends.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::fixture::{Frames, House, request};

const BEFORE_ALL: &str = "00000000-0000-7000-8000-000000000000";
const UNCONFIRMED: &str = r#","confirmation":false"#;

fn after(who: &str, query: &str, id: &str) -> Request<Body> {
    let mut request = request(who, "GET", &format!("/v1/events{query}"), "");
    request.headers_mut().insert("last-event-id", id.parse().unwrap());
    request
}

/// The whole log, as `who` reads it.
async fn log(house: &House, who: &str, query: &str) -> Frames {
    house.follow(after(who, query, BEFORE_ALL)).await.1
}

async fn rename(house: &House, customer: &str, name: &str) {
    let body = format!(r#"{{"first_name":"{name}"}}"#);
    let renamed = house.call("desk", "PATCH", &format!("/v1/customers/{customer}"), &body).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_stream_begins_with_where_it_stands() {
    let house = House::new();
    let (headers, mut frames) = house.follow(request("desk", "GET", "/v1/events", "")).await;
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(frames.next().await.unwrap(), format!("retry: 2000\nid: {BEFORE_ALL}"));

    house.created(UNCONFIRMED).await;
    let (_, mut frames) = house.follow(after("desk", "", "")).await;
    let first = frames.next().await.unwrap();
    assert!(!first.contains(BEFORE_ALL) && !first.contains("data:"), "an empty header is none: {first}");
}

#[tokio::test]
async fn it_goes_on_after_the_event_that_was_seen_last() {
    let house = House::new();
    let customer = house.created(UNCONFIRMED).await;
    for name in ["Ann", "Anna"] {
        rename(&house, &customer, name).await;
    }
    let mut frames = log(&house, "desk", "").await;
    assert_eq!(frames.next().await.unwrap(), format!("retry: 2000\nid: {BEFORE_ALL}"));
    let (first, created) = frames.event().await;
    let (second, updated) = frames.event().await;
    assert_eq!(
        (created["name"].as_str(), updated["name"].as_str()),
        (Some("customer.created"), Some("customer.updated"))
    );
    assert_eq!(keys(&created), ["id", "name", "created_at", "data"]);
    assert_eq!(created["id"].as_str(), first.as_deref());
    assert_eq!(created["data"]["id"], customer.as_str());
    let (first, second) = (first.unwrap(), second.unwrap());

    let by_query = format!("?last_event_id={first}");
    let mut frames = house.follow(request("desk", "GET", &format!("/v1/events{by_query}"), "")).await.1;
    assert_eq!(frames.event().await.0.as_ref(), Some(&second));
    let mut frames = house.follow(after("desk", &by_query, &second)).await.1;
    assert_eq!(frames.next().await.unwrap(), format!("retry: 2000\nid: {second}"), "the header wins");
    let (third, _) = frames.event().await;
    assert!(third.unwrap() > second, "the ids sort by time");
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_before_anything_is_streamed() {
    let house = House::new();
    house.created(UNCONFIRMED).await;
    let get = |query: &'static str| house.call("desk", "GET", query, "");
    assert_eq!(house.call("", "GET", "/v1/events", "").await.problem(), (401, "unauthorized".into()));
    for query in [
        "/v1/events?last_event_id=5",
        "/v1/events?type=messages.*",
        "/v1/events?type=message.created,,nonsense",
        "/v1/events?customer_id=anna",
        "/v1/events?session_id=1",
        "/v1/events?limit=5",
    ] {
        assert_eq!(get(query).await.problem(), (400, "invalid-query".into()), "{query}");
    }
    let long = format!("/v1/events?type={}", "message.*,".repeat(101));
    assert_eq!(house.get(&long).await.problem(), (400, "invalid-query".into()));
    assert_eq!(house.send(after("desk", "", "5")).await.problem(), (400, "invalid-header".into()));
    for foreign in ["0191a8a0-0000-7000-8000-000000000001", "f47ac10b-58cc-4372-a567-0e02b2c3d479"] {
        assert_eq!(house.send(after("desk", "", foreign)).await.problem(), (410, "events-forgotten".into()));
    }
}

#[tokio::test]
async fn only_what_was_asked_for_comes() {
    let house = House::new();
    let anna = house.held().await;
    let other =
        house.call("desk", "POST", "/v1/customers", r#"{"unconfirmed_phone_number":"+14155550102"}"#).await;
    let bert = other.json()["id"].as_str().unwrap().to_owned();
    rename(&house, &anna, "Anna").await;
    rename(&house, &bert, "Bert").await;
    for (query, wanted) in [
        ("?type=session.*", vec!["session.created", "session.updated"]),
        (
            "?type=message.created,%20customer.updated",
            vec!["message.created", "customer.updated", "customer.updated"],
        ),
    ] {
        let mut frames = log(&house, "desk", query).await;
        for name in wanted {
            assert_eq!(frames.event().await.1["name"], name, "{query}");
        }
    }
    let mut frames = log(&house, "desk", &format!("?customer_id={bert}")).await;
    for name in ["customer.created", "customer.verification", "customer.updated"] {
        let (_, event) = frames.event().await;
        assert_eq!((event["name"].as_str(), event["data"]["id"].as_str()), (Some(name), Some(bert.as_str())));
    }
}

#[tokio::test]
async fn a_message_and_a_session_come_whole() {
    let house = House::new();
    let anna = house.held().await;
    let (_, message) = log(&house, "desk", "?type=message.created").await.event().await;
    let data = &message["data"];
    let mut known = keys(data);
    known.sort_unstable();
    let own = [
        "author",
        "content",
        "content_type",
        "created_at",
        "customer_id",
        "delivered_at",
        "error",
        "id",
        "media",
    ];
    assert_eq!(known, [&own[..], &["sender_role", "sent_at", "session_id", "status", "updated_at"]].concat());
    assert_eq!((data["content"].as_str(), data["customer_id"].as_str()), (Some("Hey"), Some(anna.as_str())));
    let (_, session) = log(&house, "desk", "?type=session.updated").await.event().await;
    let attention = &session["data"]["attention"];
    let mut known = keys(attention);
    known.sort_unstable();
    assert_eq!(known, ["assignee", "escalations", "last_message_at", "reason", "version", "waiting_since"]);
    assert!(attention["waiting_since"].is_string() && session["data"]["need_attention"] == true);
}

#[tokio::test]
async fn confirmation_tokens_are_for_systems_and_never_for_agents() {
    let house = House::new();
    house.created("").await;
    for (who, is_told) in [("desk", false), ("robot", true), ("boss", true)] {
        let (_, event) = log(&house, who, "?type=customer.verification").await.event().await;
        assert_eq!(event["data"]["status"], "needs_confirmation");
        assert_eq!(event["data"]["confirmation_token"].is_string(), is_told, "{who}: {event}");
        assert_eq!(event["data"].get("confirmation_token").is_some(), is_told, "{who}: {event}");
    }
}

#[tokio::test]
async fn of_whom_is_erased_only_the_ids_are_told() {
    let house = House::new();
    let anna = house.held().await;
    rename(&house, &anna, "Anna").await;
    assert_eq!(house.call("boss", "DELETE", &format!("/v1/customers/{anna}"), "").await.status, 204);
    let mut frames = log(&house, "boss", "").await;
    loop {
        let (_, event) = frames.event().await;
        let text = event.to_string();
        assert!(!text.contains("Hey") && !text.contains("Anna") && !text.contains("4155550101"), "{text}");
        if event["name"] == "customer.erased" {
            assert_eq!(event["data"], serde_json::json!({"id": anna}));
            break;
        }
        assert_eq!(event["data"]["gone"], true, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_life_says_where_the_stream_stands_if_what_came_was_not_wanted() {
    let house = House::new();
    house.gateway.run().await.unwrap();
    let (_, mut frames) = house.follow(request("desk", "GET", "/v1/events?type=bot.*", "")).await;
    frames.next().await.unwrap();
    assert_eq!(frames.next().await.as_deref(), Some(": "));
    house.created(UNCONFIRMED).await;
    let beat = frames.next().await.unwrap();
    let newest = house.gateway.store().event(1).await.unwrap().unwrap().event.id();
    assert_eq!(beat, format!(": \nid: {newest}"));
    assert_eq!(frames.next().await.as_deref(), Some(": "));
    house.gateway.stop().await;
    assert_eq!(frames.next().await, None, "the stream ends with the daemon");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_token_is_revoked_however_busy_it_is() {
    let house = House::new();
    house.gateway.run().await.unwrap();
    let customer = house.created(UNCONFIRMED).await;
    for busy in [false, true] {
        let minted =
            house.call("boss", "POST", "/v1/tokens", r#"{"name":"night","role":"agent"}"#).await.json();
        let secret = minted["secret"].as_str().unwrap();
        let (_, mut frames) = house.follow(request(secret, "GET", "/v1/events", "")).await;
        frames.next().await.unwrap();
        let path = format!("/v1/tokens/{}", minted["id"].as_str().unwrap());
        assert_eq!(house.call("boss", "DELETE", &path, "").await.status, 204);
        let ends = async { while frames.next().await.is_some() {} };
        let happens = async {
            for number in 0.. {
                tokio::time::sleep(Duration::from_secs(5)).await;
                if busy {
                    rename(&house, &customer, &format!("Anna {number}")).await;
                }
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(31), async {
            tokio::select! { () = ends => {}, () = happens => {} }
        });
        ended.await.unwrap_or_else(|_| panic!("it goes on without a token; busy: {busy}"));
    }
}

#[tokio::test]
async fn others_see_who_is_typing_and_nobody_sees_themselves() {
    let house = House::new();
    let anna = house.held().await;
    let open =
        |who: &'static str, query: &str| house.follow(request(who, "GET", &format!("/v1/events{query}"), ""));
    let (_, mut own) = open("desk", "").await;
    let (_, mut other) = open("boss", "").await;
    let (_, mut wanted) = open("boss", &format!("?type=session.typing&customer_id={anna}")).await;
    own.next().await.unwrap();
    let path = format!("/v1/customers/{anna}/sessions/current/typing");
    for (who, typing) in [("desk", true), ("boss", false)] {
        let body = format!(r#"{{"typing":{typing}}}"#);
        assert_eq!(house.call(who, "POST", &path, &body).await.status, 204);
    }
    for frames in [&mut other, &mut wanted] {
        let (id, event) = frames.event().await;
        assert_eq!((id, &event["id"]), (None, &Value::Null), "it is in no log");
        let data = &event["data"];
        assert_eq!((event["name"].as_str(), data["name"].as_str()), (Some("session.typing"), Some("desk")));
        assert_eq!(
            (data["typing"].as_bool(), data["customer_id"].as_str()),
            (Some(true), Some(anna.as_str()))
        );
        assert!(data["session_id"].is_string());
    }
    let (_, event) = own.event().await;
    assert_eq!(
        (event["data"]["name"].as_str(), event["data"]["typing"].as_bool()),
        (Some("boss"), Some(false))
    );
}
