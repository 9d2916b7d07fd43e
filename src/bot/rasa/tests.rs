//! The Rasa bot against a server that speaks its REST channel.

use std::time::Duration;

use axum::response::IntoResponse;

use super::*;
use crate::bot::fixtures::work;
use crate::bot::tests::server::{Server, client, status};
use crate::domain::turn::TurnKind;

fn bot(url: &str, token: Option<&str>) -> RasaBot {
    let config = RasaBotConfig {
        url: url.into(),
        token: token.map(str::to_owned),
        timeout: Duration::from_secs(10),
        limits: AnswerLimits { max_texts: 10, max_content_units: 1600 },
    };
    RasaBot::new(&config, client()).unwrap()
}

#[tokio::test]
async fn a_customers_text_is_posted_to_the_rest_channel_with_or_without_its_path() {
    let server = Server::start(|_| r#"[{"recipient_id":"1","text":"Hello"}]"#.into_response()).await;
    for path in ["", "/", "/webhooks/rest/webhook", "/team/"] {
        let bot = bot(&format!("{}{path}", server.url), Some("let-me-in"));
        let answer = bot.take_turn(&work(TurnKind::MessageReceived, "Hi"), &[]).await.unwrap();
        assert_eq!(answer.texts[0].content, "Hello");
    }
    let calls = server.calls();
    let paths: Vec<_> = calls.iter().map(|call| call.path.as_str()).collect();
    let channel = "/webhooks/rest/webhook";
    assert_eq!(paths, [channel, channel, channel, "/team/webhooks/rest/webhook"]);
    assert_eq!(calls[0].headers["authorization"], "Bearer let-me-in");
    assert_eq!(calls[0].json()["message"], "Hi");
}

#[tokio::test]
async fn it_is_told_nothing_but_what_customers_write() {
    let server = Server::start(|_| status(500)).await;
    for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
        assert!(bot(&server.url, None).take_turn(&work(kind, "Hi"), &[]).await.is_ok());
    }
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn without_a_token_none_is_sent() {
    let server = Server::start(|_| status(204)).await;
    assert!(bot(&server.url, None).take_turn(&work(TurnKind::MessageReceived, "Hi"), &[]).await.is_ok());
    assert!(!server.calls()[0].headers.contains_key("authorization"));
}

#[test]
fn a_token_that_no_header_can_carry_is_refused_and_not_repeated() {
    let config = RasaBotConfig {
        url: "http://bot".into(),
        token: Some("hush\n".into()),
        timeout: Duration::from_secs(1),
        limits: AnswerLimits { max_texts: 10, max_content_units: 1600 },
    };
    let refused = RasaBot::new(&config, client()).err().unwrap();
    insta::assert_snapshot!(refused, @"the bot cannot be called: its token has characters that no header can carry");
    assert!(!format!("{config:?}").contains("hush"));
}
