//! The rules that stand at the trait [`Bot`], each held against every adapter, over a real server where it has one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{StatusCode, header};
use serde_json::json;

use super::server::{Server, client, status};
use crate::bot::echo::EchoBot;
use crate::bot::endpoint::MAX_ANSWER_BYTES;
use crate::bot::fixtures::{message, work};
use crate::bot::init::{InitBot, InitBotConfig};
use crate::bot::none::NoBot;
use crate::bot::openai::{OpenAiBot, OpenAiBotConfig};
use crate::bot::rasa::{RasaBot, RasaBotConfig};
use crate::bot::webhook::{WebhookBot, WebhookBotConfig};
use crate::bot::{AnswerLimits, Bot, BotError};
use crate::domain::conversation::Answer;
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnKind;

const LIMITS: AnswerLimits = AnswerLimits { max_texts: 10, max_content_units: 1600 };
const LONG: Duration = Duration::from_secs(10);
const WORDS: &str = "hush-customer";

/// A bot that is called over HTTP, and how its wire says what the rules are about.
struct Adapter {
    name: &'static str,
    bot: fn(&str, Duration) -> Box<dyn Bot>,
    /// The body that says these texts; none for a bot that answers by calls of its own.
    says: Option<fn(&[String]) -> String>,
    /// Bodies that say nothing.
    nothing: &'static [&'static str],
    /// Long words are made into several texts.
    splits: bool,
}

const ADAPTERS: [Adapter; 4] = [
    Adapter { name: "webhook", bot: webhook, says: Some(webhook_says), nothing: &["", "{}"], splits: false },
    Adapter { name: "rasa", bot: rasa, says: Some(rasa_says), nothing: &["", "[]"], splits: false },
    // A model that says nothing would leave the customer alone: that is refused.
    Adapter { name: "openai", bot: openai, says: Some(openai_says), nothing: &[], splits: true },
    Adapter { name: "init", bot: init, says: None, nothing: &["", "OK", "{}"], splits: false },
];

fn webhook(url: &str, timeout: Duration) -> Box<dyn Bot> {
    let secrets = vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()];
    let config = WebhookBotConfig { url: url.into(), secrets, timeout, limits: LIMITS, replies: None };
    let now = Arc::new(|| Timestamp::from_millis(1_700_000_000_999));
    Box::new(WebhookBot::new(&config, client(), now).unwrap())
}

fn webhook_says(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| json!({"content": text})).collect();
    json!({"messages": texts}).to_string()
}

fn rasa(url: &str, timeout: Duration) -> Box<dyn Bot> {
    let config = RasaBotConfig { url: url.into(), token: Some("hush-token".into()), timeout, limits: LIMITS };
    Box::new(RasaBot::new(&config, client()).unwrap())
}

fn rasa_says(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| json!({"recipient_id": "1", "text": text})).collect();
    json!(texts).to_string()
}

fn openai(url: &str, timeout: Duration) -> Box<dyn Bot> {
    let config = OpenAiBotConfig { timeout, ..crate::bot::openai::tests::config(url) };
    Box::new(OpenAiBot::new(config, client()).unwrap())
}

fn openai_says(texts: &[String]) -> String {
    let message = json!({"role": "assistant", "content": texts.join(" ")});
    json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).to_string()
}

fn init(url: &str, timeout: Duration) -> Box<dyn Bot> {
    let config = InitBotConfig {
        url: url.into(),
        secret: "hush-secret".into(),
        api_base: "https://sms.example".into(),
        timeout,
    };
    Box::new(InitBot::new(config, client()).unwrap())
}

/// What a bot makes of a turn to which its server says so.
async fn told(
    adapter: &Adapter,
    kind: TurnKind,
    reply: impl Fn() -> Response + Send + Sync + 'static,
) -> (Result<Answer, BotError>, Server) {
    let server = Server::start(move |_| reply()).await;
    let bot = (adapter.bot)(&format!("{}/hush-path", server.url), LONG);
    (bot.take_turn(&work(kind, WORDS), &[message(WORDS)]).await, server)
}

async fn asked(
    adapter: &Adapter,
    reply: impl Fn() -> Response + Send + Sync + 'static,
) -> Result<Answer, BotError> {
    told(adapter, TurnKind::MessageReceived, reply).await.0
}

/// A sentence so long that no two fit into one text.
fn sentences(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Number {number} is {}long.", "very ".repeat(200))).collect()
}

#[tokio::test]
async fn a_turn_that_expects_no_reply_says_nothing() {
    let words = sentences(1);
    for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
        for adapter in &ADAPTERS {
            let body = adapter.says.map(|says| says(&words)).unwrap_or_default();
            for body in [body, "not even JSON".to_owned()] {
                let (answer, _server) = told(adapter, kind, move || body.clone().into_response()).await;
                assert!(answer.unwrap().is_empty(), "{}", adapter.name);
            }
        }
        for bot in [&EchoBot as &dyn Bot, &NoBot] {
            assert!(bot.take_turn(&work(kind, WORDS), &[]).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn texts_keep_their_order() {
    for adapter in &ADAPTERS {
        let Some(says) = adapter.says else { continue };
        let answer = asked(adapter, move || says(&sentences(3)).into_response()).await.unwrap();
        let texts: Vec<_> = answer.texts.into_iter().map(|text| text.content).collect();
        assert_eq!(texts, sentences(3), "{}", adapter.name);
    }
}

#[tokio::test]
async fn an_empty_answer_is_nothing_said() {
    for adapter in &ADAPTERS {
        for body in adapter.nothing {
            assert!(asked(adapter, || body.into_response()).await.unwrap().is_empty(), "{}", adapter.name);
        }
    }
}

#[tokio::test]
async fn an_answer_is_taken_whole_or_not_at_all() {
    for adapter in &ADAPTERS {
        let Some(says) = adapter.says else { continue };
        let ten = asked(adapter, move || says(&sentences(10)).into_response()).await;
        assert_eq!(ten.unwrap().texts.len(), 10, "{}", adapter.name);
        let eleven = asked(adapter, move || says(&sentences(11)).into_response()).await;
        assert!(matches!(eleven, Err(BotError::Refused(_))), "{}", adapter.name);
        let long = asked(adapter, move || says(&["word ".repeat(321)]).into_response()).await;
        match long {
            Err(BotError::Refused(_)) => assert!(!adapter.splits, "{}", adapter.name),
            answer => {
                let texts = answer.unwrap().texts.len();
                assert_eq!((texts, adapter.splits), (2, true), "{}", adapter.name);
            }
        }
    }
}

#[tokio::test]
async fn trouble_that_passes_is_unavailable() {
    for adapter in &ADAPTERS {
        for code in [500, 502, 503, 504, 408, 425, 429] {
            let answer = asked(adapter, move || status(code)).await;
            assert!(
                matches!(answer, Err(BotError::Unavailable { retry_after: None, .. })),
                "{} {code}: {answer:?}",
                adapter.name
            );
        }
    }
}

#[tokio::test]
async fn retry_after_is_handed_on() {
    for adapter in &ADAPTERS {
        let limited = || (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")]).into_response();
        let Err(BotError::Unavailable { retry_after, .. }) = asked(adapter, limited).await else {
            panic!("{}: unavailable", adapter.name)
        };
        assert_eq!(retry_after, Some(Duration::from_secs(7)), "{}", adapter.name);
    }
}

#[tokio::test]
async fn trouble_that_stays_is_refused_and_a_bot_that_is_gone_says_so() {
    for adapter in &ADAPTERS {
        for code in [400, 401, 403, 404, 422] {
            let answer = asked(adapter, move || status(code)).await;
            assert!(matches!(answer, Err(BotError::Refused(_))), "{} {code}: {answer:?}", adapter.name);
        }
        assert_eq!(asked(adapter, || status(410)).await, Err(BotError::Gone), "{}", adapter.name);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    for adapter in ADAPTERS.iter().filter(|adapter| adapter.says.is_some()) {
        for body in ["ok", "<html>", "{\"messages\":[{}],\"choices\":5}", "[[]]{", "\u{0}"] {
            let answer = asked(adapter, || body.into_response()).await;
            assert!(matches!(answer, Err(BotError::Refused(_))), "{} {body}: {answer:?}", adapter.name);
        }
    }
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    for adapter in &ADAPTERS {
        let redirect = || axum::response::Redirect::temporary("/elsewhere").into_response();
        let (answer, server) = told(adapter, TurnKind::MessageReceived, redirect).await;
        assert_eq!(
            answer.unwrap_err().to_string(),
            "it answered 307 Temporary Redirect; redirects are not followed, set its final url",
            "{}",
            adapter.name
        );
        assert_eq!(server.calls().len(), 1, "{}", adapter.name);
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    for adapter in &ADAPTERS {
        let given = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&given);
        let endless = move || {
            let counted = Arc::clone(&counted);
            Body::from_stream(stream::repeat_with(move || {
                counted.fetch_add(64 * 1024, Ordering::Relaxed);
                Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])
            }))
            .into_response()
        };
        match asked(adapter, endless).await {
            Err(BotError::Refused(why)) => assert_eq!(why, "the answer is longer than 262144 bytes"),
            // It reads nothing of it at all.
            answer => assert!(answer.unwrap().is_empty() && adapter.says.is_none(), "{}", adapter.name),
        }
        // The rest was in the buffers of the line.
        assert!(given.load(Ordering::Relaxed) < 64 * MAX_ANSWER_BYTES, "{}", adapter.name);
    }
}

#[tokio::test]
async fn a_silent_bot_is_unavailable() {
    for adapter in &ADAPTERS {
        // Takes the connection (the kernel does) and never reads from it.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bot = (adapter.bot)(&url, Duration::from_millis(50));
        let late = bot.take_turn(&work(TurnKind::MessageReceived, WORDS), &[]).await;
        assert_eq!(late, Err(BotError::unavailable("no answer within 50ms")), "{}", adapter.name);
    }
}

#[tokio::test]
async fn a_broken_line_is_unavailable() {
    for adapter in &ADAPTERS {
        for bytes in ["", "HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
            // Where the status is all that counts, a body that breaks off is as good as none.
            if adapter.says.is_none() && bytes.ends_with('{') {
                continue;
            }
            let server = Server::breaking_off_after(bytes).await;
            let bot = (adapter.bot)(&server.url, LONG);
            let broken = bot.take_turn(&work(TurnKind::MessageReceived, WORDS), &[]).await;
            assert!(
                matches!(broken, Err(BotError::Unavailable { .. })),
                "{} {bytes:?}: {broken:?}",
                adapter.name
            );
        }
    }
}

#[tokio::test]
async fn no_error_repeats_an_address_a_secret_or_a_text() {
    for adapter in &ADAPTERS {
        let mut errors = Vec::new();
        for code in [400, 410, 429, 500, 307] {
            errors.extend(asked(adapter, move || status(code)).await.err());
        }
        errors
            .extend(asked(adapter, || r#"{"messages":"hush","choices":"hush"}"#.into_response()).await.err());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://hush-user:hush-password@{}/hush-path", listener.local_addr().unwrap());
        drop(listener);
        let gone = (adapter.bot)(&url, LONG)
            .take_turn(&work(TurnKind::MessageReceived, WORDS), &[])
            .await
            .unwrap_err();
        assert!(gone.to_string().contains("refused"), "{gone}");
        errors.push(gone);
        assert!(errors.len() >= 6, "{}", adapter.name);
        for error in errors {
            assert!(!format!("{error} {error:?}").contains("hush"), "{}: {error:?}", adapter.name);
        }
    }
}
