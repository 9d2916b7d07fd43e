//! The turns that a webhook bot gets verify with the reference libraries of Standard Webhooks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use switchboard::app::ambient;
use switchboard::bot::webhook::{WebhookBot, WebhookBotConfig};
use switchboard::bot::{AnswerLimits, Bot};
use switchboard::domain::customer::Customer;
use switchboard::domain::ids::{CustomerId, SessionId, TurnId};
use switchboard::domain::phone::Address;
use switchboard::domain::session::Session;
use switchboard::domain::turn::{Turn, TurnKind, TurnState, TurnWork};
use uuid::Uuid;

use crate::interpreter::{NODE, PYTHON};

const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl8nUVfZgF";
const TURNS: usize = 20;

type Calls = Arc<Mutex<Vec<(Value, String)>>>;

async fn keep(State(calls): State<Calls>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let headers: serde_json::Map<String, Value> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| (name.to_owned(), json!(header(name))))
        .into_iter()
        .collect();
    calls.lock().unwrap().push((Value::Object(headers), String::from_utf8(body.to_vec()).unwrap()));
    StatusCode::NO_CONTENT
}

fn work(number: u128) -> TurnWork {
    let now = ambient::now();
    let customer_id = CustomerId(Uuid::from_u128(1));
    let phone = Address::parse("+14155550101").unwrap();
    let mut customer = Customer::new(customer_id, phone, None, false, now);
    customer.first_name = Some("Zoë 😀".into());
    let session = Session::new(SessionId(Uuid::from_u128(2)), customer_id, false, now);
    let turn = Turn {
        id: TurnId(Uuid::from_u128(number)),
        session_id: session.id,
        customer_id,
        place: 0,
        number: Some(1),
        kind: TurnKind::SessionUpdated,
        message_id: None,
        history: None,
        also: Vec::new(),
        replies: Vec::new(),
        refused_texts: Vec::new(),
        version: 1,
        attempts: 1,
        failures: 0,
        put_off: 0,
        due_at: now,
        state: TurnState::Pending,
        created_at: now,
    };
    TurnWork { turn, session, customer, message: None, also: Vec::new(), history: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_verify_with_either_secret_of_a_rotation_in_both_reference_libraries() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let calls = Calls::default();
    let router = Router::new().route("/", post(keep)).with_state(Arc::clone(&calls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = WebhookBotConfig {
        url: format!("http://{}/", listener.local_addr().unwrap()),
        secrets: vec![NEW.into(), OLD.into()],
        timeout: Duration::from_secs(5),
        limits: AnswerLimits { max_texts: 10, max_content_units: 1600 },
        replies: None,
    };
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let bot = WebhookBot::new(&config, client, Arc::new(ambient::now)).unwrap();
    for number in 0..TURNS {
        bot.take_turn(&work(u128::try_from(number).unwrap()), &[]).await.unwrap();
    }
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls.len(), TURNS);

    let lines = |secret: &str, tamper: bool| {
        let line = |(headers, body): &(Value, String)| {
            let body = if tamper { body.replacen("Zoë", "Zoe", 1) } else { body.clone() };
            json!({"secret": secret, "headers": headers, "body": body}).to_string() + "\n"
        };
        calls.iter().map(line).collect::<String>()
    };
    for (interpreter, script) in [(PYTHON, "standard_webhooks.py"), (NODE, "standard_webhooks.js")] {
        for secret in [NEW, OLD] {
            let said = interpreter.run(script, &[], &lines(secret, false));
            assert_eq!(said.lines().collect::<Vec<_>>(), ["ok"; TURNS], "{script}");
        }
        for wrong in [lines(OTHER, false), lines(NEW, true)] {
            let said = interpreter.run(script, &[], &wrong);
            assert_eq!(
                said.lines().filter(|line| line.starts_with("refused")).count(),
                TURNS,
                "{script}: {said}"
            );
        }
    }
}
