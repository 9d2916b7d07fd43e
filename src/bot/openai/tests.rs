//! The model's bot against a server that speaks chat completions.

use std::time::Duration;

use axum::response::IntoResponse;

use super::*;
use crate::bot::AnswerLimits;
use crate::bot::fixtures::work;
use crate::bot::tests::server::{Server, client};
use crate::domain::turn::TurnKind;

pub fn config(url: &str) -> OpenAiBotConfig {
    OpenAiBotConfig {
        url: url.into(),
        api_key: Some("hush-key".into()),
        model: "small".into(),
        system_prompt: "Be brief.".into(),
        max_tokens: 500,
        temperature: None,
        history: 20,
        max_history_chars: 8000,
        timeout: Duration::from_secs(10),
        limits: AnswerLimits { max_texts: 10, max_content_units: 1600 },
    }
}

fn completion(message: &Value) -> String {
    json!({"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}).to_string()
}

fn calling(tool: &str, content: &Value) -> String {
    let function = json!({"name": tool, "arguments": r#"{"reason":"refund"}"#});
    completion(
        &json!({"content": content, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}),
    )
}

/// What becomes of a turn to which the model says this, call by call.
async fn asked(replies: Vec<String>) -> (Result<Answer, BotError>, Server) {
    let server = Server::start(move |call| replies[call].clone().into_response()).await;
    let bot = OpenAiBot::new(config(&format!("{}/v1", server.url)), client()).unwrap();
    (bot.take_turn(&work(TurnKind::MessageReceived, "Hi"), &[]).await, server)
}

#[tokio::test]
async fn the_model_is_asked_as_the_api_wants_it() {
    let (answer, server) = asked(vec![completion(&json!({"content": "Hello!"}))]).await;
    assert_eq!(answer.unwrap().texts[0].content, "Hello!");
    let [call] = &server.calls()[..] else { panic!("one call") };
    assert_eq!(call.path, "/v1/chat/completions");
    assert_eq!(call.headers["authorization"], "Bearer hush-key");
    assert_eq!(call.json()["messages"][1], json!({"role": "user", "content": "Hi"}));
}

#[tokio::test]
async fn a_call_for_a_human_hands_the_conversation_over() {
    let (answer, server) = asked(vec![calling("request_human", &json!("One moment."))]).await;
    let answer = answer.unwrap();
    assert_eq!(answer.texts[0].content, "One moment.");
    assert_eq!(answer.handoff.as_deref(), Some("refund"));
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_model_that_calls_a_tool_that_there_is_not_is_told_so_and_asked_once_more() {
    let replies = vec![calling("look_up", &json!(null)), completion(&json!({"content": "We open at nine."}))];
    let (answer, server) = asked(replies).await;
    assert_eq!(answer.unwrap().texts[0].content, "We open at nine.");
    let calls = server.calls();
    let messages = &calls[1].json()["messages"];
    assert_eq!(messages[2]["tool_calls"][0]["function"]["name"], "look_up");
    assert_eq!(messages[3]["tool_call_id"], "call_1");
    assert!(messages[3]["content"].as_str().unwrap().starts_with("error:"));
}

#[tokio::test]
async fn a_model_that_insists_is_refused_unless_it_has_said_something() {
    let (answer, server) = asked(vec![calling("look_up", &json!(null)); 3]).await;
    assert!(matches!(answer, Err(BotError::Refused(_))));
    assert_eq!(server.calls().len(), ROUNDS);
    let (answer, _server) = asked(vec![calling("look_up", &json!("We open at nine.")); 3]).await;
    assert_eq!(answer.unwrap().texts[0].content, "We open at nine.");
}

#[tokio::test]
async fn the_time_that_a_turn_may_take_is_for_all_its_calls() {
    let server = Server::start(|call| {
        if call == 0 {
            return calling("look_up", &json!(null)).into_response();
        }
        let late = futures_util::stream::once(async {
            std::future::pending::<Result<Vec<u8>, std::io::Error>>().await
        });
        axum::body::Body::from_stream(late).into_response()
    })
    .await;
    let short = OpenAiBotConfig { timeout: Duration::from_millis(200), ..config(&server.url) };
    let bot = OpenAiBot::new(short, client()).unwrap();
    let late = bot.take_turn(&work(TurnKind::MessageReceived, "Hi"), &[]).await;
    assert_eq!(late, Err(BotError::unavailable("no answer within 200ms")));
}

#[test]
fn it_asks_for_as_much_of_the_conversation_as_it_shows() {
    let of = |history| OpenAiBot::new(OpenAiBotConfig { history, ..config("http://bot") }, client()).unwrap();
    assert_eq!((of(0).transcript_len(), of(20).transcript_len()), (0, 21));
}

#[test]
fn its_key_and_its_prompt_are_not_printed() {
    let printed = format!("{:?}", config("http://hush-host"));
    assert!(!printed.contains("hush") && !printed.contains("brief"), "{printed}");
}
