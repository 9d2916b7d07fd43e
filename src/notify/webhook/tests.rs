//! An endpoint behind a real server: what it is sent, and what is made of what it answers.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use super::*;
use crate::domain::event::{BOT, What};
use crate::notify::tests::server::{Server, client, hushed, listen, notice};

const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXct"];
/// With a letter of two bytes, so that counting letters would not do.
const BODY: &str = r#"{"id":"1","name":"bot.enabled","data":{"reason":"Grüße"}}"#;

fn enabled() -> What {
    What::Enabled { endpoint: BOT.to_owned() }
}

fn notifier(url: &str) -> WebhookNotifier {
    let clock: Clock = Arc::new(|| Timestamp::from_millis(1_700_000_123_456));
    WebhookNotifier::new(&hushed(url), &SECRETS.map(str::to_owned), client(), clock).unwrap()
}

async fn answered(reply: impl Fn() -> Response + Send + Sync + 'static) -> (Result<(), NotifyError>, Server) {
    let server = Server::start(move |_| reply()).await;
    (notifier(&server.url).tell(&notice(enabled(), BODY)).await, server)
}

fn why(answer: Result<(), NotifyError>) -> (String, Option<Duration>) {
    match answer {
        Err(NotifyError::Failed { why, retry_after }) => {
            assert!(!why.contains("hush") && !why.contains("127.0.0.1"), "{why}");
            (why, retry_after)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_very_bytes_of_the_body_are_signed_with_every_secret() {
    let (answer, server) = answered(|| StatusCode::NO_CONTENT.into_response()).await;
    answer.unwrap();
    let [call] = &server.calls()[..] else { panic!("one call") };
    let id = notice(enabled(), BODY).event.id().to_string();
    assert_eq!(call.body, BODY.as_bytes());
    assert_eq!(call.header("content-type"), "application/json");
    assert_eq!((call.header("webhook-id"), call.header("webhook-timestamp")), (id.as_str(), "1700000123"));
    let signatures: Vec<String> = call.header("webhook-signature").split(' ').map(str::to_owned).collect();
    let expected = SECRETS.map(|secret| {
        let key = SigningKey::parse(secret).unwrap();
        signature_header(&[key], &id, 1_700_000_123, BODY.as_bytes())
    });
    assert_eq!(signatures, expected);
    assert_ne!(signatures[0], signatures[1]);
}

#[tokio::test]
async fn the_same_event_has_the_same_id_each_time() {
    let server = Server::start(|_| StatusCode::OK.into_response()).await;
    let notifier = notifier(&server.url);
    for _ in 0..2 {
        notifier.tell(&notice(enabled(), BODY)).await.unwrap();
    }
    let calls = server.calls();
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
}

#[tokio::test]
async fn whatever_begins_with_a_two_is_taken_and_what_it_says_is_not_read() {
    for code in [200, 201, 202, 204] {
        let reply = move || (StatusCode::from_u16(code).unwrap(), "not JSON").into_response();
        assert_eq!(answered(reply).await.0, Ok(()), "{code}");
    }
}

#[tokio::test]
async fn gone_is_told_from_all_other_failures() {
    assert_eq!(answered(|| StatusCode::GONE.into_response()).await.0, Err(NotifyError::Gone));
    for code in [400, 401, 404, 409, 500, 503] {
        let reply = move || (StatusCode::from_u16(code).unwrap(), "hush").into_response();
        let (why, retry_after) = why(answered(reply).await.0);
        assert!(why.contains(&code.to_string()), "{why}");
        assert_eq!(retry_after, None);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::start(|_| StatusCode::OK.into_response()).await;
    let elsewhere = target.url.clone();
    for code in [301, 302, 307, 308] {
        let to = elsewhere.clone();
        let reply = move || {
            (StatusCode::from_u16(code).unwrap(), [(header::LOCATION, to.clone())], "").into_response()
        };
        let (why, _) = why(answered(reply).await.0);
        assert!(why.contains("redirects are not followed"), "{why}");
    }
    assert!(target.calls().is_empty());
}

#[tokio::test]
async fn what_it_asks_for_in_retry_after_is_passed_on() {
    for (given, heeded) in [("120", Some(120)), (" 7 ", Some(7)), ("soon", None), ("-1", None)] {
        for code in [429, 503] {
            let reply = move || {
                (StatusCode::from_u16(code).unwrap(), [(header::RETRY_AFTER, given)], "").into_response()
            };
            let (_, retry_after) = why(answered(reply).await.0);
            assert_eq!(retry_after, heeded.map(Duration::from_secs), "{code} {given}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_fails_without_its_address() {
    let (url, listener) = listen().await;
    drop(listener);
    let (why, retry_after) = why(notifier(&url).tell(&notice(enabled(), BODY)).await);
    assert!(!why.is_empty() && retry_after.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_is_not_waited_for_forever() {
    // Whoever calls is let in by the system, and hears nothing.
    let (url, _listener) = listen().await;
    let notifier = notifier(&url);
    let told = tokio::time::timeout(Duration::from_secs(60), notifier.tell(&notice(enabled(), BODY))).await;
    let (why, _) = why(told.expect("it is waited for"));
    assert!(why.contains("no answer within 15s"), "{why}");
}

#[test]
fn what_cannot_be_called_or_cannot_sign_is_refused_without_being_repeated() {
    let clock: Clock = Arc::new(|| Timestamp::from_millis(0));
    let made = |url: &str, secret: &str| {
        let made = WebhookNotifier::new(url, &[secret.to_owned()], client(), Arc::clone(&clock));
        made.err().map(|error| error.to_string())
    };
    for (url, secret) in
        [("hush", SECRETS[0]), ("ftp://hush/", SECRETS[0]), ("https://crm.example.com/", "hush")]
    {
        let wrong = made(url, secret).unwrap();
        assert!(!wrong.contains("hush"), "{wrong}");
    }
    assert_eq!(made("https://crm.example.com/", SECRETS[0]), None);
}
