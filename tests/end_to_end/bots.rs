//! The bot over HTTP: told once and in order, believed only as itself.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fixture::{ANNA, BRAND, Bot, Daemon, Provider, Setup};

const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_signed_and_its_answers_go_out_in_order() {
    let provider = Provider::start().await;
    let answer = json!({"messages": [
        {"content": "First", "content_type": "text"},
        {"content": "Second", "content_type": "text"},
        {"content": "Third", "content_type": "text"},
    ], "session": {"tags": ["greeted"]}});
    let bot = Bot::start(move |_| (200, answer.clone(), Duration::ZERO)).await;
    let daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;

    let call = bot.until(1).await.remove(0);
    let header = |name: &str| call.headers[name].to_str().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&call.raw);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), expected);
    assert_eq!(call.body["type"], "message.received");
    assert_eq!(call.body["data"]["message"]["content"], "Hey");

    let arrived = provider.until_arrived(ANNA, 3).await;
    let texts: Vec<_> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["First", "Second", "Third"]);
    let customer = daemon.customer(ANNA).await;
    let session = daemon.get(&format!("/v1/customers/{customer}/sessions/current")).await;
    assert_eq!(session["tags"], json!(["greeted"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_turn_of_a_session_is_in_flight() {
    let provider = Provider::start().await;
    let bot = Bot::start(|turn| {
        let heard = turn["data"]["message"]["content"].as_str().unwrap().to_owned();
        (
            200,
            json!({"messages": [{"content": format!("Re: {heard}"), "content_type": "text"}]}),
            Duration::from_millis(150),
        )
    })
    .await;
    let daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    for number in 0..4 {
        provider.text(ANNA, BRAND, &format!("Text {number}")).await;
    }
    let arrived = provider.until_arrived(ANNA, 4).await;
    let texts: Vec<_> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Re: Text 0", "Re: Text 1", "Re: Text 2", "Re: Text 3"]);
    assert_eq!(bot.calls().len(), 4, "each turn was told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_fails_once_is_asked_again_and_one_that_refuses_makes_room_for_humans() {
    let provider = Provider::start().await;
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let bot = Bot::start(move |turn| {
        let first = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        match (first, turn["data"]["message"]["content"] == "Break") {
            (true, _) => (503, Value::Null, Duration::ZERO),
            (false, true) => (400, Value::Null, Duration::ZERO),
            (false, false) => {
                (200, json!({"messages": [{"content": "Here", "content_type": "text"}]}), Duration::ZERO)
            }
        }
    })
    .await;
    let daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    provider.until_arrived(ANNA, 1).await;
    let told = bot.until(2).await;
    assert_eq!(told[0].headers["webhook-id"], told[1].headers["webhook-id"], "a repeat is the same turn");

    provider.text(ANNA, BRAND, "Break").await;
    let customer = daemon.customer(ANNA).await;
    for _ in 0..200 {
        if daemon.get(&format!("/v1/customers/{customer}/sessions/current")).await["need_attention"] == true {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("humans were not asked:\n{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_asks_for_a_human_gets_one() {
    let provider = Provider::start().await;
    let bot = Bot::start(|turn| if turn["type"] == "message.received" { (
        200,
        json!({"messages": [{"content": "One moment", "content_type": "text"}], "handoff": {"needed": true, "reason": "refund"}}),
        Duration::ZERO,
    ) } else { (204, Value::Null, Duration::ZERO) })
    .await;
    let daemon = Daemon::start(&Setup { bot: bot.section(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "My money, please").await;
    let arrived = provider.until_arrived(ANNA, 1).await;
    assert_eq!(arrived[0]["body"], "One moment");
    let inbox = daemon.get("/v1/sessions?need_attention=true").await;
    assert_eq!(inbox.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_may_speak_by_itself_with_its_token_or_the_shared_secret() {
    let provider = Provider::start().await;
    let bot = Bot::start(|_| (204, Value::Null, Duration::ZERO)).await;
    let section = format!("{}\ninit_secret = \"shared\"", bot.section());
    let daemon = Daemon::start(&Setup { bot: section, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    bot.until(1).await;
    let customer = daemon.customer(ANNA).await;
    let (status, message) = daemon.say(&customer, "bot-secret", "By token").await;
    assert_eq!((status, &message["sender_role"]), (201, &json!("init")));

    let outbound = json!({"event_type": "MessageOutbound", "data": {"content": "By secret"}, "app_user": {"remote_id": customer}});
    let post = |secret: &'static str| {
        daemon
            .http
            .post(format!("{}/v1/receive/init", daemon.url))
            .header("x-init-ai-secret", secret)
            .json(&outbound)
            .send()
    };
    assert_eq!(post("wrong").await.unwrap().status(), 401);
    let answer = post("shared").await.unwrap();
    assert_eq!(answer.status(), 200);
    let arrived = provider.until_arrived(ANNA, 2).await;
    let texts: Vec<_> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["By token", "By secret"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_told_the_conversation_and_may_call_for_a_human() {
    let provider = Provider::start().await;
    let model = Bot::start(|asked| {
        let told = asked["messages"].as_array().unwrap();
        let mut message = json!({"content": format!("I was told {} messages.", told.len())});
        if told.last().unwrap()["content"] == "A human, please" {
            let function = json!({"name": "request_human", "arguments": "{\"reason\":\"asked\"}"});
            message["tool_calls"] = json!([{"id": "1", "type": "function", "function": function}]);
        }
        (200, json!({"choices": [{"message": message}]}), Duration::ZERO)
    })
    .await;
    let section = format!(
        "kind = \"openai\"\nurl = \"{}\"\nmodel = \"small\"\nsystem_prompt = \"Be brief.\"",
        model.url
    );
    let daemon = Daemon::start(&Setup { bot: section, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    for (count, text) in [(1, "Hey"), (2, "Hey again"), (3, "A human, please")] {
        provider.text(ANNA, BRAND, text).await;
        provider.until_arrived(ANNA, count).await;
    }

    let arrived = provider.until_arrived(ANNA, 3).await;
    let texts: Vec<_> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["I was told 2 messages.", "I was told 4 messages.", "I was told 6 messages."]);
    let last = &model.calls()[2].body["messages"];
    let said: Vec<_> = last.as_array().unwrap().iter().map(|said| said["role"].as_str().unwrap()).collect();
    assert_eq!(said, ["system", "user", "assistant", "user", "assistant", "user"]);
    let customer = daemon.customer(ANNA).await;
    let session = daemon.get(&format!("/v1/customers/{customer}/sessions/current")).await;
    assert_eq!(session["need_attention"], true);
}
