//! The bot of Init.ai's kind against a server that takes its invocations.

use std::time::Duration;

use super::*;
use crate::bot::fixtures::{message, work};
use crate::bot::tests::server::{Server, client, status};
use crate::domain::turn::TurnKind;

fn bot(url: &str) -> InitBot {
    let config = InitBotConfig {
        url: format!("{url}/invoke"),
        secret: "shared".into(),
        api_base: "https://sms.example.com".into(),
        timeout: Duration::from_secs(10),
    };
    InitBot::new(config, client()).unwrap()
}

#[tokio::test]
async fn an_invocation_carries_the_shared_secret_and_the_conversation() {
    let server = Server::start(|_| status(200)).await;
    let mut earlier = message("earlier");
    earlier.id = crate::domain::ids::MessageId(uuid::Uuid::from_u128(99));
    let answer = bot(&server.url).take_turn(&work(TurnKind::MessageReceived, "Hi"), &[earlier]).await;
    assert!(answer.unwrap().is_empty());
    let [call] = &server.calls()[..] else { panic!("one call") };
    assert_eq!(
        (call.path.as_str(), &call.headers["x-init-ai-secret"]),
        ("/invoke", &"shared".parse().unwrap())
    );
    let messages = &call.json()["data"]["payload"]["current_conversation"]["messages"];
    assert_eq!(messages[0]["parts"][0]["content"], "earlier");
    assert_eq!(messages[1]["parts"][0]["content"], "Hi");
}

#[tokio::test]
async fn nothing_is_invoked_where_no_answer_is_expected() {
    let server = Server::start(|_| status(500)).await;
    for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
        assert!(bot(&server.url).take_turn(&work(kind, "Hi"), &[]).await.is_ok());
    }
    assert!(server.calls().is_empty());
}
