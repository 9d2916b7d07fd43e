//! Consent: who said STOP is not texted, whoever asks.

use serde_json::json;

use crate::fixture::{ANNA, BRAND, Daemon, Provider, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn who_said_stop_is_not_texted_until_they_say_start() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    provider.until_arrived(ANNA, 1).await;
    let customer = daemon.customer(ANNA).await;
    daemon.hold(&customer, true).await;

    provider.text(ANNA, BRAND, "Stop!").await;
    assert_eq!(daemon.get(&format!("/v1/customers/{customer}")).await["unsubscribed"], true);
    let (status, problem) = daemon.say(&customer, "agent-secret", "Wait").await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/customer-unsubscribed")));

    provider.text(ANNA, BRAND, "START").await;
    assert_eq!(daemon.get(&format!("/v1/customers/{customer}")).await["unsubscribed"], false);
    assert_eq!(daemon.say(&customer, "agent-secret", "Welcome back").await.0, 201);
    provider.until_said(ANNA, "Welcome back").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_when_stop_comes_does_not_leave() {
    let provider = Provider::start().await;
    // So slow that the second text is still queued when STOP comes.
    let daemon = Daemon::start(&Setup {
        pace: Some("1/m"),
        bot: "kind = \"none\"".into(),
        ..Setup::new(&provider.url)
    })
    .await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let customer = daemon.customer(ANNA).await;
    let (status, message) = daemon.say(&customer, "agent-secret", "One moment").await;
    assert_eq!(status, 201);
    provider.text(ANNA, BRAND, "STOP").await;
    let delivery = daemon.delivery(message["id"].as_str().unwrap(), &["canceled"]).await;
    assert!(delivery["attempts"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_at_the_provider_unsubscribes_here_too() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "STOP").await;
    let customer = daemon.customer(ANNA).await;
    // Somebody at the brand lifts it here; the provider's block stays.
    let (status, _) =
        daemon.call("POST", &format!("/v1/customers/{customer}/subscribe"), "agent-secret", None).await;
    assert_eq!(status, 204);
    provider.text(ANNA, BRAND, "What did I do?").await;
    let (status, message) = daemon.say(&customer, "agent-secret", "Hello").await;
    assert_eq!(status, 201, "{message}");
    let delivery = daemon.delivery(message["id"].as_str().unwrap(), &["failed"]).await;
    assert_eq!(delivery["error"]["code"], "21610");
    assert_eq!(delivery["error"]["class"], "opted_out");
    assert_eq!(daemon.get(&format!("/v1/customers/{customer}")).await["unsubscribed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_texted_before_they_are_confirmed_but_with_the_confirmation() {
    let provider = Provider::start().await;
    let more = "[consent]\nconfirmation_text = \"Your code is {token}.\"".to_owned();
    let daemon = Daemon::start(&Setup { more, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    let body = json!({"unconfirmed_phone_number": ANNA, "first_name": "Anna"});
    let (status, customer) = daemon.call("POST", "/v1/customers", "agent-secret", Some(body.clone())).await;
    assert_eq!(status, 201, "{customer}");
    assert!(customer["phone_number"].is_null() && customer["confirmed_at"].is_null());
    assert!(customer.get("confirmation_token").is_none());
    let id = customer["id"].as_str().unwrap();
    assert_eq!(daemon.call("POST", "/v1/customers", "agent-secret", Some(body)).await.0, 409);

    let (status, problem) = daemon.say(id, "agent-secret", "Hello").await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/customer-unconfirmed")));

    let (status, _) =
        daemon.call("POST", &format!("/v1/customers/{id}/send_confirmation"), "agent-secret", None).await;
    assert_eq!(status, 204);
    let arrived = provider.until_arrived(ANNA, 1).await;
    let text = arrived[0]["body"].as_str().unwrap();
    let token = text.strip_prefix("Your code is ").unwrap().trim_end_matches('.').to_owned();

    let shown = daemon.get(&format!("/v1/customers/{id}/sessions/current/messages")).await;
    assert_eq!(shown[0]["content"], "Your code is ******.", "who reads along learns no token");

    let wrong = if token == "000000" { "000001" } else { "000000" };
    let confirm = format!("/v1/customers/{id}/confirm");
    let (status, _) =
        daemon.call("POST", &confirm, "agent-secret", Some(json!({"confirmation_token": wrong}))).await;
    assert_eq!(status, 422);
    let (status, confirmed) =
        daemon.call("POST", &confirm, "agent-secret", Some(json!({"confirmation_token": token}))).await;
    assert_eq!((status, confirmed["phone_number"].as_str()), (200, Some(ANNA)));
    // The confirmation text has started a session, which the bot has.
    assert_eq!(daemon.hold(id, true).await.0, 200);
    assert_eq!(daemon.say(id, "agent-secret", "Hello").await.0, 201);
    provider.until_said(ANNA, "Hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_gone_and_stays_unsubscribed() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    provider.until_arrived(ANNA, 1).await;
    provider.text(ANNA, BRAND, "STOP").await;
    let customer = daemon.customer(ANNA).await;
    let path = format!("/v1/customers/{customer}");
    assert_eq!(daemon.call("DELETE", &path, "agent-secret", None).await.0, 403);
    assert_eq!(daemon.call("DELETE", &path, "admin-secret", None).await.0, 204);
    assert_eq!(daemon.call("GET", &path, "agent-secret", None).await.0, 404);
    let body = json!({"unconfirmed_phone_number": ANNA, "confirmation": false});
    let (status, again) = daemon.call("POST", "/v1/customers", "agent-secret", Some(body)).await;
    assert_eq!((status, &again["unsubscribed"]), (201, &json!(true)));
}
