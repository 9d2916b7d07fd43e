//! What customers text while nobody listens is taken afterwards: once, in order, and marked.

use serde_json::{Value, json};

use crate::fixture::{ANNA, BERT, BRAND, Bot, Daemon, Provider, Setup, run_to_end};

async fn said(daemon: &Daemon, number: &str) -> Vec<Value> {
    let customer = daemon.customer(number).await;
    let path = format!("/v1/customers/{customer}/sessions/current/messages?expand=delivery,media");
    let mut messages = daemon.get(&path).await.as_array().unwrap().clone();
    messages.retain(|message| message["sender_role"] == "end-user");
    messages.reverse();
    messages
}

fn contents(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}

/// A text whose webhook nobody answers; its id with the provider.
async fn text_in_vain(provider: &Provider, from: &str, body: &str) -> String {
    let answer = provider.try_text(json!({"from": from, "to": BRAND, "body": body})).await;
    assert!(answer["status"].is_null(), "nobody listens: {answer}");
    answer["sid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_texted_while_the_daemon_is_dead_is_taken_when_it_is_back() {
    let provider = Provider::start().await;
    let bot = Bot::saying("I see").await;
    let mut daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "before").await;
    provider.until_arrived(ANNA, 1).await;
    daemon.kill();
    let first = text_in_vain(&provider, ANNA, "one").await;
    text_in_vain(&provider, BERT, "STOP").await;
    text_in_vain(&provider, ANNA, "two").await;
    let picture =
        json!({"from": ANNA, "to": BRAND, "body": "three", "media_urls": ["http://localhost/cat.png"]});
    provider.try_text(picture).await;
    daemon.start_again().await;
    let calls = bot.until(4).await;

    let texts = said(&daemon, ANNA).await;
    assert_eq!(contents(&texts), ["before", "one", "two", "three"]);
    let recovered: Vec<_> =
        texts.iter().map(|text| text["delivery"]["recovered"].as_bool().unwrap()).collect();
    assert_eq!(recovered, [false, true, true, true]);
    assert!(texts[1]["sent_at"].as_str().unwrap() < texts[1]["created_at"].as_str().unwrap());
    assert_eq!(texts[3]["media"][0]["content_type"], "image/png");
    assert!(texts[3]["media"][0]["url"].as_str().unwrap().starts_with(&provider.url));
    let told: Vec<_> =
        calls.iter().map(|call| call.body["data"]["message"]["content"].as_str().unwrap()).collect();
    assert_eq!(told, ["before", "one", "two", "three"]);
    let bert = daemon.customer(BERT).await;
    assert_eq!(daemon.get(&format!("/v1/customers/{bert}")).await["unsubscribed"], true);

    // The provider brings one of them after all, and the daemon is told to ask again: nothing is taken twice.
    assert_eq!(provider.bring_again(&first).await["status"], 200);
    let asked = run_to_end(daemon.folder.path(), &["recover", "--since", "1h"]);
    let words = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.status.success() && words.contains("main: 0 recovered, 5 there already"), "{words}");
    assert_eq!(said(&daemon, ANNA).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_told_nothing_recovers_when_it_is_asked_to() {
    let provider = Provider::start().await;
    let bot = "kind = \"none\"".into();
    let daemon = Daemon::start(&Setup { bot, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.faults(json!({"webhooks_lost": 1.0})).await;
    text_in_vain(&provider, ANNA, "lost").await;
    let asked = run_to_end(daemon.folder.path(), &["recover", "--channel", "main", "--format", "json"]);
    let results: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(results[0]["recovered"], 1, "{results}");
    assert_eq!(contents(&said(&daemon, ANNA).await), ["lost"]);

    let unknown = run_to_end(daemon.folder.path(), &["recover", "--channel", "nowhere"]);
    assert_eq!(unknown.status.code(), Some(2));
    provider.faults(json!({"reads_failed": 1.0})).await;
    let (status, problem) =
        daemon.call("POST", "/v1/channels/main/recover", "admin-secret", Some(json!({}))).await;
    assert_eq!((status, &problem["type"]), (503, &"/problems/provider-unavailable".into()));
    let (status, _) = daemon.call("POST", "/v1/channels/main/recover", "agent-secret", Some(json!({}))).await;
    assert_eq!(status, 403);
}
