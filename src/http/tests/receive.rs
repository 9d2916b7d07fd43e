//! What providers and bots call.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::fixture::{ANNA, Answer, BRAND, House, INIT_SECRET, PUBLIC_URL, request, webhook};

fn text(id: &str) -> String {
    json!({"id": id, "from": ANNA, "to": BRAND, "content": "Hey"}).to_string()
}

#[tokio::test]
async fn a_text_is_acknowledged_in_the_providers_words_and_a_repeat_too() {
    let house = House::new();
    for _ in 0..2 {
        let answer = house.send(webhook("/v1/receive/main", &text("in-1"))).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "<Response/>"));
        assert_eq!(answer.header("content-type"), "text/xml");
    }
    let inbox = house.get("/v1/sessions?expand=messages").await.json();
    assert_eq!(inbox[0]["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_url_that_was_signed_is_the_configured_one_with_path_and_query_as_they_came() {
    let house = House::new();
    for path in ["/v1/receive/main?a=%2B1&b=x+y", "/v1/receive/main/status?id=%7e"] {
        let answer = house.send(webhook(path, &text("in-1"))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let by_get =
        Request::get("/v1/receive/main?x=1").header("signature", format!("{PUBLIC_URL}/v1/receive/main?x=1"));
    assert_eq!(house.send(by_get.body(Body::from(text("in-2"))).unwrap()).await.status, 200);
}

#[tokio::test]
async fn what_is_not_signed_or_signed_wrongly_is_not_believed() {
    let house = House::new();
    for path in ["/v1/receive/main", "/v1/receive/main/status"] {
        let unsigned = house.send(request("", "POST", path, &text("in-1"))).await;
        assert_eq!(unsigned.problem(), (403, "signature-missing".into()));
        let forged =
            Request::post(path).header("host", "evil.example").header("signature", "https://evil.example");
        let forged = house.send(forged.body(Body::from(text("in-1"))).unwrap()).await;
        assert_eq!(forged.problem(), (403, "signature-mismatch".into()));
    }
    assert_eq!(house.get("/v1/customers").await.text, "[]");
    let metrics = house.call("", "GET", "/metrics", "").await.text;
    assert!(
        metrics.contains("switchboard_webhooks_refused_total{channel=\"main\",reason=\"signature\"} 4"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_channel_that_only_reports_takes_what_is_not_signed() {
    let house = House::new();
    assert_eq!(house.send(request("", "POST", "/v1/receive/lenient", &text("in-1"))).await.status, 200);
    assert_eq!(house.get("/v1/customers").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_channel_is_not_there() {
    let house = House::new();
    for path in ["/v1/receive/other", "/v1/receive/other/status"] {
        assert_eq!(house.send(webhook(path, &text("in-1"))).await.problem(), (404, "unknown-channel".into()));
    }
}

#[tokio::test]
async fn a_webhook_that_cannot_be_read_names_the_field_and_repeats_nothing() {
    let house = House::new();
    let missing = house.send(webhook("/v1/receive/main", "{}")).await;
    assert_eq!(missing.problem(), (422, "invalid-webhook".into()));
    assert_eq!(missing.json()["detail"], "from is missing.");
    let invalid = json!({"id": "in-1", "from": "?", "to": BRAND, "content": "Hey"}).to_string();
    let invalid = house.send(webhook("/v1/receive/main", &invalid)).await;
    assert_eq!(invalid.json()["detail"], "from is not valid.");
    let nonsense = house.send(webhook("/v1/receive/main/status", "\u{1}")).await;
    assert_eq!(nonsense.json()["detail"], "The body is not a form in UTF-8.");
}

async fn bot_says(house: &House, secret: &str, body: &serde_json::Value) -> Answer {
    let mut request = request("", "POST", "/v1/receive/init", &body.to_string());
    request.headers_mut().insert("x-init-ai-secret", secret.parse().unwrap());
    house.send(request).await
}

#[tokio::test]
async fn the_bot_speaks_with_the_shared_secret_or_its_token() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    for event in [
        json!({"event_type": "MessageOutbound", "customer_id": customer, "data": {"content": "Hey Ho!"}}),
        json!({"event_type": "MessageOutbound", "data": {"content": "Hey Ho!", "content_type": "text", "customer_id": customer}}),
        json!({
            "event_type": "MessageOutbound", "application": {"id": "1"},
            "app_user": {"id": "2", "remote_id": customer, "first_name": "Anna"},
            "data": {"id": "3", "content": "Hey Ho!", "content_type": "text", "created_at": "now"}
        }),
        json!({"event_type": "MessageOutbound", "phone_number": ANNA, "data": {"content": "Hey Ho!"}}),
    ] {
        let said = bot_says(&house, INIT_SECRET, &event).await;
        assert_eq!(said.status, 200, "{}", said.text);
        assert_eq!(said.json()["sender_role"], "init");
        let said = house.call("robot", "POST", "/v1/receive/init", &event.to_string()).await;
        assert_eq!(said.status, 200, "{}", said.text);
    }
}

#[tokio::test]
async fn the_bot_is_held_to_the_same_rules_here() {
    let house = House::new();
    let customer = house.held().await;
    let event = json!({"event_type": "MessageOutbound", "customer_id": customer, "data": {"content": "Hey"}});
    assert_eq!(bot_says(&house, INIT_SECRET, &event).await.problem(), (409, "session-held".into()));
    assert_eq!(bot_says(&house, "wrong", &event).await.problem(), (401, "unauthorized".into()));
    let nobody = house.call("", "POST", "/v1/receive/init", &event.to_string()).await;
    assert_eq!(nobody.problem(), (401, "unauthorized".into()));
}

#[tokio::test]
async fn without_a_configured_secret_the_answer_says_what_to_configure() {
    let house = House::with(crate::http::HttpSettings { init_secret: None, ..super::fixture::settings() });
    let refused = bot_says(&house, INIT_SECRET, &json!({})).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    assert!(refused.text.contains("init_secret"));
}

#[tokio::test]
async fn other_events_are_answered_or_refused_in_words() {
    let house = House::new();
    let test =
        json!({"event_type": "Test", "application": null, "app_user": null, "data": {"content": "Test"}});
    let answer = bot_says(&house, INIT_SECRET, &test).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    for kind in ["LogicInvocation", "Whatever"] {
        let refused = bot_says(&house, INIT_SECRET, &json!({"event_type": kind})).await;
        assert_eq!(refused.problem(), (422, "unsupported-event".into()));
    }
    for (event, pointer) in [
        (json!({"data": {"content": "Hey"}}), "/event_type"),
        (json!({"event_type": "MessageOutbound", "data": {"content": "Hey"}}), "/customer_id"),
        (
            json!({"event_type": "MessageOutbound", "phone_number": "x", "data": {"content": "Hey"}}),
            "/phone_number",
        ),
    ] {
        assert_eq!(bot_says(&house, INIT_SECRET, &event).await.pointers(), [pointer]);
    }
    let customer = house.anna_texts("in-1", "Hey").await;
    for data in [json!({}), json!({"content": ""}), json!({"content": 7})] {
        let event = json!({"event_type": "MessageOutbound", "customer_id": customer, "data": data});
        assert_eq!(bot_says(&house, INIT_SECRET, &event).await.pointers(), ["/data/content"]);
    }
    let event =
        json!({"event_type": "MessageOutbound", "phone_number": "+14155550109", "data": {"content": "Hey"}});
    assert_eq!(bot_says(&house, INIT_SECRET, &event).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn receipts_for_nobody_are_acknowledged_and_counted() {
    let house = House::new();
    for (id, count) in [("SX1", 3), ("SX2", 1)] {
        for _ in 0..count {
            let taken = house.send(webhook("/v1/receive/main/status", &json!({"id": id}).to_string())).await;
            assert_eq!(taken.status, 200);
        }
    }
    let metrics = house.get("/metrics").await.text;
    assert!(metrics.contains(r#"receipts_total{channel="main",outcome="parked"} 4"#), "{metrics}");
    assert!(metrics.contains("switchboard_messages_held 0"), "{metrics}");
}
