//! The main job: a text comes in, is answered by the bot or by agents, goes out, and is delivered.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{ANNA, BRAND, Bot, Daemon, Provider, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_answered_by_the_bot_and_delivered() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);

    provider.text(ANNA, BRAND, "Hey").await;
    let arrived = provider.until_arrived(ANNA, 1).await;
    assert_eq!(arrived[0]["body"], "Hey");

    let customer = daemon.customer(ANNA).await;
    let messages = daemon.get(&format!("/v1/customers/{customer}/sessions/current/messages")).await;
    assert_eq!(messages[0]["sender_role"], "init");
    assert_eq!(messages[1]["sender_role"], "end-user");
    let id = messages[0]["id"].as_str().unwrap();
    let delivery = daemon.delivery(id, &["delivered"]).await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    let message = daemon.get(&format!("/v1/messages/{id}")).await;
    assert!(message["delivered_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_take_over_and_give_back() {
    let provider = Provider::start().await;
    let bot = Bot::saying("I am the bot.").await;
    let daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);

    provider.text(ANNA, BRAND, "Hey").await;
    provider.until_arrived(ANNA, 1).await;
    let customer = daemon.customer(ANNA).await;
    let (status, refused) = daemon.say(&customer, "agent-secret", "Me first").await;
    assert_eq!((status, refused["type"].as_str()), (409, Some("/problems/session-not-held")));

    let (status, session) = daemon.hold(&customer, true).await;
    assert_eq!((status, &session["need_attention"]), (200, &json!(true)));
    let (status, refused) = daemon.say(&customer, "bot-secret", "Me too").await;
    assert_eq!((status, refused["type"].as_str()), (409, Some("/problems/session-held")));

    provider.text(ANNA, BRAND, "A human, please").await;
    let inbox = daemon.get("/v1/sessions?need_attention=true&expand=customer,last_message").await;
    assert_eq!(inbox[0]["customer"]["phone_number"], ANNA);
    assert_eq!(inbox[0]["last_message"]["content"], "A human, please");

    let (status, said) = daemon.say(&customer, "agent-secret", "A human is here.").await;
    assert_eq!((status, &said["sender_role"]), (201, &json!("agent")));
    let arrived = provider.until_arrived(ANNA, 2).await;
    assert_eq!(arrived[1]["body"], "A human is here.");

    daemon.hold(&customer, false).await;
    provider.text(ANNA, BRAND, "Thanks").await;
    provider.until_arrived(ANNA, 3).await;
    let told: Vec<_> = bot.until(4).await.into_iter().map(|call| call.body).collect();
    let kinds: Vec<_> = told.iter().map(|turn| turn["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message.received", "message.created", "session.updated", "message.received"]);
    let numbers: Vec<_> = told.iter().map(|turn| turn["data"]["turn"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let history = told[2]["data"]["history"].to_string();
    assert!(
        history.contains("A human, please"),
        "the bot learns what was said while it was paused: {history}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_says_after_agents_took_over_never_leaves() {
    let provider = Provider::start().await;
    let bot = Bot::start(|turn| {
        if turn["type"] == "message.received" {
            (
                200,
                json!({"messages": [{"content": "Too late", "content_type": "text"}]}),
                Duration::from_millis(700),
            )
        } else {
            (204, Value::Null, Duration::ZERO)
        }
    })
    .await;
    let daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);

    provider.text(ANNA, BRAND, "Hey").await;
    bot.until(1).await;
    let customer = daemon.customer(ANNA).await;
    assert_eq!(daemon.hold(&customer, true).await.0, 200);
    assert_eq!(daemon.say(&customer, "agent-secret", "I have it.").await.0, 201);
    // The agent's text is told to the bot once its late answer has been dealt with.
    bot.until(2).await;
    assert_eq!(daemon.say(&customer, "agent-secret", "Anything else?").await.0, 201);
    let arrived = provider.until_arrived(ANNA, 2).await;
    let texts: Vec<_> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["I have it.", "Anything else?"]);
    let metrics =
        daemon.http.get(format!("{}/metrics", daemon.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(r#"switchboard_bot_turns_total{outcome="refused"} 1"#), "{metrics}");
}

/// The documentation's two examples, word for word but for host, token and ids.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_examples_work_verbatim() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let customer = daemon.customer(ANNA).await;

    let session = format!(
        r#"curl -s -i -X POST \
-H 'Authorization: Bearer agent-secret' \
-H 'Content-Type: application/json' \
-d '{{
  "need_attention": true,
  "tags": ["mobile"],
  "topics": ["sleep", "skin+hair"]
}}' \
{}/v1/customers/{customer}/sessions/current"#,
        daemon.url
    );
    let (status, body) = curl(&session);
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        keys(&body),
        ["id", "customer_id", "need_attention", "tags", "topics", "created_at", "updated_at"]
    );

    let message = format!(
        r#"curl -s -i -X POST \
-H 'Authorization: Bearer agent-secret' \
-H 'Content-Type: application/json' \
-d '{{
  "content": "Hey Ho!",
  "content_type": "text"
}}' \
{}/v1/customers/{customer}/sessions/current/messages"#,
        daemon.url
    );
    let (status, body) = curl(&message);
    assert_eq!(status, 201, "{body}");
    assert_eq!(
        keys(&body),
        [
            "id",
            "session_id",
            "content",
            "content_type",
            "sender_role",
            "sent_at",
            "delivered_at",
            "created_at",
            "updated_at"
        ]
    );
    let values: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(values["content"], "Hey Ho!");
    assert_eq!(values["sender_role"], "agent");
    assert!(values["delivered_at"].is_null());
}

fn curl(command: &str) -> (u16, String) {
    let output = std::process::Command::new("bash").arg("-c").arg(command).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// The keys of a flat object, in the order in which they stand on the wire.
fn keys(json: &str) -> Vec<String> {
    let names = json.split('"').collect::<Vec<_>>();
    (1..names.len())
        .step_by(2)
        .filter(|&at| names.get(at + 1).is_some_and(|after| after.starts_with(':')))
        .map(|at| names[at].to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_as_a_link() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    provider
        .text_with(
            json!({"from": ANNA, "to": BRAND, "body": "Look", "media_urls": ["https://example.com/cat.jpg"]}),
        )
        .await;
    let customer = daemon.customer(ANNA).await;
    let messages =
        daemon.get(&format!("/v1/customers/{customer}/sessions/current/messages?expand=media")).await;
    let inbound =
        messages.as_array().unwrap().iter().find(|message| message["sender_role"] == "end-user").unwrap();
    assert!(inbound["media"][0]["url"].is_string(), "{inbound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotent_call_texts_once() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    provider.until_arrived(ANNA, 1).await;
    let customer = daemon.customer(ANNA).await;
    daemon.hold(&customer, true).await;

    let call = async |content: &str| {
        let answer = daemon
            .http
            .post(format!("{}/v1/customers/{customer}/sessions/current/messages", daemon.url))
            .bearer_auth("agent-secret")
            .header("Idempotency-Key", "click-1")
            .json(&json!({"content": content, "content_type": "text"}))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let first = call("Once").await;
    assert_eq!(first.0, 201);
    assert_eq!(call("Once").await, first, "the first answer again");
    let (status, problem) = call("Twice").await;
    assert_eq!(status, 422);
    assert!(problem.contains("idempotency-mismatch"));
    daemon.say(&customer, "agent-secret", "After").await;
    let arrived = provider.until_arrived(ANNA, 3).await;
    let texts: Vec<_> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Hey", "Once", "After"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_stays_true_while_messages_arrive() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    for number in 0..6 {
        provider.text(ANNA, BRAND, &format!("Text {number}")).await;
    }
    let customer = daemon.customer(ANNA).await;
    let mut path = Some(format!("/v1/customers/{customer}/sessions/current/messages?limit=2"));
    let mut seen = Vec::new();
    while let Some(next) = path {
        let answer = daemon
            .http
            .get(format!("{}{next}", daemon.url))
            .bearer_auth("agent-secret")
            .send()
            .await
            .unwrap();
        let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let page: Value = answer.json().await.unwrap();
        seen.extend(
            page.as_array().unwrap().iter().map(|message| message["content"].as_str().unwrap().to_owned()),
        );
        provider.text(ANNA, BRAND, "Meanwhile").await;
        path = link.map(|link| link.trim_start_matches('<').split('>').next().unwrap().to_owned());
    }
    assert_eq!(seen, ["Text 5", "Text 4", "Text 3", "Text 2", "Text 1", "Text 0"]);
}
