//! The webhook bot against a real server.

use std::time::Duration;

use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};

use super::*;
use crate::bot::fixtures::{TURN, work};
use crate::bot::tests::server::{Server, client, status};
use crate::domain::turn::TurnKind;

const NEW: [u8; 32] = [7; 32];
const OLD: [u8; 24] = [9; 24];
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_999);

fn config(url: &str, secrets: Vec<String>) -> WebhookBotConfig {
    WebhookBotConfig {
        replies: None,
        url: url.into(),
        secrets,
        timeout: Duration::from_secs(10),
        limits: AnswerLimits { max_texts: 10, max_content_units: 1600 },
    }
}

fn bot(server: &Server) -> WebhookBot {
    let secrets = [&NEW[..], &OLD[..]].map(|key| format!("whsec_{}", STANDARD.encode(key))).to_vec();
    let config = config(&format!("{}/turns", server.url), secrets);
    WebhookBot::new(&config, client(), Arc::new(|| NOW)).unwrap()
}

#[tokio::test]
async fn a_turn_is_signed_with_every_secret() {
    let server = Server::start(|_| status(204)).await;
    bot(&server).take_turn(&work(TurnKind::MessageReceived, "Hé"), &[]).await.unwrap();
    let [call] = &server.calls()[..] else { panic!("one call") };
    let headers = &call.headers;
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["webhook-id"], TURN.to_string());
    assert_eq!(headers["webhook-timestamp"], "1700000000");
    let expected = [&NEW[..], &OLD[..]].map(|key| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{TURN}.1700000000.{}", std::str::from_utf8(&call.body).unwrap()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    assert_eq!(headers["webhook-signature"], expected.join(" "));
    assert_eq!((call.path.as_str(), &call.json()["data"]["message"]["content"]), ("/turns", &"Hé".into()));
}

#[tokio::test]
async fn what_it_answers_is_taken() {
    let server = Server::start(|_| {
        r#"{"messages":[{"content":"Hello"}],"handoff":{"needed":true,"reason":"vip"}}"#.into_response()
    })
    .await;
    let answer = bot(&server).take_turn(&work(TurnKind::MessageReceived, "Hi"), &[]).await.unwrap();
    assert_eq!(answer.texts[0].content, "Hello");
    assert_eq!(answer.handoff.as_deref(), Some("vip"));
}

#[tokio::test]
async fn a_status_may_say_that_there_is_nothing_to_say() {
    for code in [202, 204] {
        let server = Server::start(move |_| status(code)).await;
        let answer = bot(&server).take_turn(&work(TurnKind::MessageReceived, "Hi"), &[]).await;
        assert!(answer.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_turn_that_expects_no_reply_is_told_all_the_same() {
    let server = Server::start(|_| status(500)).await;
    for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
        assert!(bot(&server).take_turn(&work(kind, "Hi"), &[]).await.is_err());
    }
    assert_eq!(server.calls().len(), 2);
}

#[test]
fn what_cannot_be_called_or_cannot_sign_is_refused() {
    let refusal = |url: &str, secret: &str| {
        WebhookBot::new(&config(url, vec![secret.into()]), client(), Arc::new(|| NOW)).err().unwrap()
    };
    let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    insta::assert_snapshot!(refusal("hush", good), @"the bot cannot be called: its url is not one that can be called");
    insta::assert_snapshot!(refusal("http://bot", "hush"), @r#"the bot cannot be called: a webhook secret starts with "whsec_""#);
}
