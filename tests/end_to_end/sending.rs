//! Sending: paced, in order, and honest about what it does not know.

use serde_json::{Value, json};

use crate::fixture::{ANNA, BERT, BRAND, Daemon, Provider, Setup};

async fn held(provider: &Provider, pace: Option<&'static str>) -> (Daemon, String) {
    let setup = Setup { pace, bot: "kind = \"none\"".into(), ..Setup::new(&provider.url) };
    let daemon = Daemon::start(&setup).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let customer = daemon.customer(ANNA).await;
    (daemon, customer)
}

fn bodies(texts: &[Value]) -> Vec<&str> {
    texts.iter().map(|text| text["body"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_arrives_in_order_at_the_numbers_pace() {
    let provider = Provider::start().await;
    let (daemon, anna) = held(&provider, Some("5/s")).await;
    for number in 0..8 {
        assert_eq!(daemon.say(&anna, "agent-secret", &format!("Text {number}")).await.0, 201);
    }
    let arrived = provider.until_arrived(ANNA, 8).await;
    assert_eq!(bodies(&arrived), (0..8).map(|number| format!("Text {number}")).collect::<Vec<_>>());
    let taken = provider.accepted_at_ms(ANNA).await;
    let span = taken.last().unwrap() - taken.first().unwrap();
    assert!(span >= 7 * 200 - 60, "8 texts at 5 segments a second take 1.4 s, and took {span} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_lane_waits_as_told_and_loses_nothing() {
    let provider = Provider::start().await;
    let (daemon, anna) = held(&provider, None).await;
    provider.faults(json!({"next_sends": ["throttled", "throttled"], "retry_after_s": 1})).await;
    let (_, message) = daemon.say(&anna, "agent-secret", "Hello").await;
    let delivery = daemon.delivery(message["id"].as_str().unwrap(), &["delivered"]).await;
    let outcomes: Vec<_> = delivery["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["throttled", "throttled", "accepted"]);
    assert_eq!(provider.arrived(ANNA).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_after_the_text_was_taken_does_not_double_it() {
    let provider = Provider::start().await;
    let (daemon, anna) = held(&provider, None).await;
    // No receipt comes either: only the provider's list can tell.
    provider.faults(json!({"next_sends": ["dropped_after"], "receipts": {"lost": 1.0}})).await;
    let (_, message) = daemon.say(&anna, "agent-secret", "Only once").await;
    let id = message["id"].as_str().unwrap();
    daemon.delivery(id, &["unknown"]).await;
    daemon.say(&anna, "agent-secret", "And then this").await;
    let delivery = daemon.delivery(id, &["sent"]).await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    provider.until_said(ANNA, "And then this").await;
    assert_eq!(bodies(&provider.arrived(ANNA).await), ["Only once", "And then this"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_with_our_id_settles_what_the_broken_line_left_open() {
    let provider = Provider::start().await;
    let (daemon, anna) = held(&provider, None).await;
    provider.faults(json!({"next_sends": ["error_taken"]})).await;
    let (_, message) = daemon.say(&anna, "agent-secret", "Only once").await;
    daemon.delivery(message["id"].as_str().unwrap(), &["delivered"]).await;
    assert_eq!(provider.arrived(ANNA).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_text_fails_in_plain_words_and_holds_nobody_up() {
    let provider = Provider::start().await;
    let (daemon, _) = held(&provider, None).await;
    let mut ids = Vec::new();
    for number in ["+15005550009", BERT] {
        let body = json!({"unconfirmed_phone_number": number, "confirmation": false});
        let (status, customer) = daemon.call("POST", "/v1/customers", "agent-secret", Some(body)).await;
        assert_eq!(status, 201, "{customer}");
        let (status, message) = daemon.say(customer["id"].as_str().unwrap(), "agent-secret", "Hello").await;
        assert_eq!(status, 201, "{message}");
        ids.push(message["id"].as_str().unwrap().to_owned());
    }
    let failed = daemon.delivery(&ids[0], &["failed"]).await;
    assert_eq!(failed["error"]["code"], "21614");
    assert!(failed["error"]["text"].as_str().unwrap().len() > 10);
    daemon.delivery(&ids[1], &["delivered"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_text_can_be_canceled_and_a_sent_one_cannot() {
    let provider = Provider::start().await;
    let (daemon, anna) = held(&provider, Some("1/m")).await;
    let (_, message) = daemon.say(&anna, "agent-secret", "Never mind").await;
    let cancel = format!("/v1/messages/{}/cancel", message["id"].as_str().unwrap());
    let (status, delivery) = daemon.call("POST", &cancel, "agent-secret", None).await;
    assert_eq!((status, &delivery["status"]), (200, &json!("canceled")));
    let (status, problem) = daemon.call("POST", &cancel, "agent-secret", None).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-queued")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_at_start_delays_and_loses_nothing() {
    let provider = Provider::reserve();
    let setup = Setup { bot: "kind = \"none\"".into(), ..Setup::new(&provider.url) };
    let daemon = Daemon::start(&setup).await;
    daemon.until_logged("the provider cannot be used now").await;
    let body = json!({"unconfirmed_phone_number": ANNA, "confirmation": false});
    let (_, customer) = daemon.call("POST", "/v1/customers", "agent-secret", Some(body)).await;
    let (status, message) = daemon.say(customer["id"].as_str().unwrap(), "agent-secret", "Hello").await;
    assert_eq!(status, 201);
    let provider = provider.open().await;
    provider.calls_back(&daemon);
    daemon.delivery(message["id"].as_str().unwrap(), &["delivered"]).await;
    assert_eq!(provider.arrived(ANNA).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_whose_receipts_are_lost_is_asked_about() {
    let provider = Provider::start().await;
    let more = "[sending]\nask_after = \"2s\"".into();
    let daemon =
        Daemon::start(&Setup { bot: "kind = \"none\"".into(), more, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let anna = daemon.customer(ANNA).await;
    provider.faults(json!({"receipts": {"lost": 1.0}})).await;
    let (_, message) = daemon.say(&anna, "agent-secret", "Silence").await;
    let delivery = daemon.delivery(message["id"].as_str().unwrap(), &["delivered"]).await;
    let history = delivery["provider_status_history"].as_array().unwrap();
    assert_eq!(history.last().unwrap()["status"], "delivered");
    assert!(history.iter().all(|said| said["asked"] == true), "{history:?}");
    assert_eq!(provider.arrived(ANNA).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_tell_holds_nobody_up_for_long() {
    let provider = Provider::start().await;
    let more = "[sending]\nlooks = [\"1s\", \"20s\"]\norder_hold = \"2s\"".into();
    let daemon =
        Daemon::start(&Setup { bot: "kind = \"none\"".into(), more, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let anna = daemon.customer(ANNA).await;
    let faults = json!({"next_sends": ["dropped_after"], "reads_failed": 1.0, "receipts": {"lost": 1.0}});
    provider.faults(faults).await;
    let (_, lost) = daemon.say(&anna, "agent-secret", "Once").await;
    let lost = lost["id"].as_str().unwrap();
    daemon.delivery(lost, &["unknown"]).await;
    let (_, next) = daemon.say(&anna, "agent-secret", "And then this").await;
    daemon.delivery(next["id"].as_str().unwrap(), &["sent"]).await;
    let passed = daemon.delivery(lost, &["unknown"]).await;
    assert!(passed["passed_at"].is_string() && passed["held_at"].is_null(), "{passed}");
    let resend = format!("/v1/messages/{lost}/resend");
    let (status, problem) = daemon.call("POST", &resend, "agent-secret", None).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-held")));
    // The provider answers again: it has the text, which is not sent a second time.
    provider.faults(json!({})).await;
    let found = daemon.delivery(lost, &["sent", "delivered"]).await;
    assert_eq!(found["attempts"][0]["evidence"], "found");
    assert_eq!(bodies(&provider.arrived(ANNA).await), ["Once", "And then this"]);
}
