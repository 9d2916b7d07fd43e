//! The webhook bot against a real server.
#![expect(clippy::disallowed_methods, reason = "the server's task is aborted when the test drops it")]

use std::sync::Mutex;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;

use super::*;
use crate::bot::fixtures::{TURN, work};
use crate::domain::turn::TurnKind;

const NEW: [u8; 32] = [7; 32];
const OLD: [u8; 24] = [9; 24];
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_999);

/// What the server was sent.
type Seen = Arc<Mutex<Vec<(HeaderMap, bytes::Bytes)>>>;
type Reply = fn() -> Response;

struct Server {
    url: String,
    seen: Seen,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(reply: Reply) -> Server {
    let seen = Seen::default();
    let app = axum::Router::new()
        .route(
            "/turns",
            axum::routing::post(|State((seen, reply)): State<(Seen, Reply)>, request: Request| async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                seen.lock().unwrap().push((parts.headers, body));
                reply()
            }),
        )
        .with_state((seen.clone(), reply));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/turns", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Server { url, seen, task }
}

fn bot(url: &str, timeout: Duration) -> WebhookBot {
    // Another test may have installed it first, which is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let secrets = [&NEW[..], &OLD[..]].map(|key| format!("whsec_{}", STANDARD.encode(key))).to_vec();
    let config =
        WebhookBotConfig { url: url.into(), secrets, timeout, max_texts: 10, max_content_units: 1600 };
    WebhookBot::new(config, WebhookBot::client_builder().build().unwrap(), Arc::new(|| NOW)).unwrap()
}

async fn answer_to(kind: TurnKind, reply: Reply) -> Result<Answer, BotError> {
    let server = serve(reply).await;
    bot(&server.url, Duration::from_secs(10)).take_turn(&work(kind, "Hi")).await
}

async fn answer(reply: Reply) -> Result<Answer, BotError> {
    answer_to(TurnKind::MessageReceived, reply).await
}

fn status(code: u16) -> Response {
    (StatusCode::from_u16(code).unwrap(), r#"{"messages":[{"content":"no"}]}"#).into_response()
}

#[tokio::test]
async fn a_turn_is_signed_with_every_secret() {
    let server = serve(|| status(204)).await;
    bot(&server.url, Duration::from_secs(10))
        .take_turn(&work(TurnKind::MessageReceived, "Hé"))
        .await
        .unwrap();
    let seen = server.seen.lock().unwrap();
    let [(headers, body)] = &seen[..] else { panic!("one call") };
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["webhook-id"], TURN.to_string());
    assert_eq!(headers["webhook-timestamp"], "1700000000");
    let expected = [&NEW[..], &OLD[..]].map(|key| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{TURN}.1700000000.{}", std::str::from_utf8(body).unwrap()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    assert_eq!(headers["webhook-signature"], expected.join(" "));
    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(json["data"]["message"]["content"], "Hé");
}

#[tokio::test]
async fn what_it_answers_is_taken() {
    let answer = answer(|| {
        r#"{"messages":[{"content":"Hello"}],"handoff":{"needed":true,"reason":"vip"}}"#.into_response()
    });
    let answer = answer.await.unwrap();
    assert_eq!(answer.texts[0].content, "Hello");
    assert_eq!(answer.handoff.as_deref(), Some("vip"));
}

#[tokio::test]
async fn nothing_to_say_is_an_answer() {
    let replies: [Reply; 3] = [|| status(202), || status(204), || StatusCode::OK.into_response()];
    for reply in replies {
        assert!(answer(reply).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_said_to_a_turn_that_expects_no_reply_is_passed_over() {
    for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
        assert!(answer_to(kind, || "not even JSON".into_response()).await.unwrap().is_empty());
        assert!(answer_to(kind, || status(500)).await.is_err());
    }
}

#[tokio::test]
async fn trouble_that_passes_is_unavailable() {
    let replies: [Reply; 5] =
        [|| status(500), || status(503), || status(408), || status(425), || status(429)];
    for reply in replies {
        assert!(matches!(answer(reply).await, Err(BotError::Unavailable(_))));
    }
}

#[tokio::test]
async fn trouble_that_stays_is_refused() {
    let replies: [Reply; 5] = [
        || status(400),
        || status(401),
        || status(410),
        || "ok".into_response(),
        || r#"{"messages":[{"content":""}]}"#.into_response(),
    ];
    for reply in replies {
        assert!(matches!(answer(reply).await, Err(BotError::Refused(_))));
    }
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    let server = serve(|| axum::response::Redirect::temporary("/turns").into_response()).await;
    let refused =
        bot(&server.url, Duration::from_secs(10)).take_turn(&work(TurnKind::MessageReceived, "Hi")).await;
    insta::assert_snapshot!(refused.unwrap_err(), @"the bot refused: it answered 307 Temporary Redirect; redirects are not followed, set its final url");
    assert_eq!(server.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let refused = answer(|| vec![b' '; MAX_ANSWER_BYTES + 1].into_response()).await;
    insta::assert_snapshot!(refused.unwrap_err(), @"the bot refused: the answer is longer than 262144 bytes");
    assert!(answer(|| vec![b' '; MAX_ANSWER_BYTES].into_response()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_silent_bot_is_unavailable() {
    // Takes the connection (the kernel does) and never reads from it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let late = bot(&url, Duration::from_millis(50)).take_turn(&work(TurnKind::MessageReceived, "Hi")).await;
    insta::assert_snapshot!(late.unwrap_err(), @"the bot is unavailable: no answer within 50ms");
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_the_url_stays_out_of_the_words() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    drop(listener);
    let gone = bot(&url, Duration::from_secs(10)).take_turn(&work(TurnKind::MessageReceived, "Hi")).await;
    let Err(BotError::Unavailable(words)) = gone else { panic!("nobody is there") };
    assert!(words.contains("refused") && !words.contains("secret-path"), "{words}");
}
