//! The customers' side as HTTP with JSON: their phones, and the switches of the simulation. No authentication.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Simulator;
use super::callbacks::{self, Answered};
use super::errors::json_response;
use super::faults::Faults;
use super::form::Form;
use super::texts::{Text, Written};

type App = State<Arc<Simulator>>;

const LONGEST_WAIT: Duration = Duration::from_secs(60);
const MOST_REPEATS: u32 = 100;
/// The vendor's warnings for answers to its webhooks: no 2xx, and a type it does not read.
const WARN_STATUS: u32 = 11200;
const WARN_TYPE: u32 = 12300;

pub(super) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/texts", post(write).fallback(wrong_method))
        .route("/texts/{sid}/webhook", post(write_again).fallback(wrong_method))
        .route("/phones", get(phones).fallback(wrong_method))
        .route("/phones/{number}/texts", get(texts).fallback(wrong_method))
        .route("/faults", get(faults).put(set_faults).fallback(wrong_method))
        .route("/reset", post(reset).fallback(wrong_method))
}

async fn wrong_method() -> Response {
    refusal(StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here")
}

fn refusal(status: StatusCode, words: &str) -> Response {
    json_response(status, &json!({"error": words}))
}

/// A customer texts a number of ours.
async fn write(State(app): App, body: Bytes) -> Response {
    let text: Text = match serde_json::from_slice(&body) {
        Ok(text) => text,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (repeat, at_once) = (text.repeat, text.at_once);
    if !(1..=MOST_REPEATS).contains(&repeat) {
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, "repeat: write a number from 1 to 100");
    }
    let written = match app.change(|state, now| state.write(text, now)) {
        Ok(written) => Arc::new(written),
        Err(error) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, &error),
    };
    let answers = deliver(&app, &written, repeat, at_once).await;
    let taken =
        answers.iter().any(|answer| answer["status"].as_u64().is_some_and(|s| (200..300).contains(&s)));
    let status = if taken { "delivered" } else { "failed" };
    app.change(|state, _| state.phones.set_status(written.number, status));
    let last = answers.last().cloned().unwrap_or(Value::Null);
    let body = json!({
        "sid": written.sid,
        "status": last["status"],
        "content_type": last["content_type"],
        "answers": answers,
    });
    json_response(StatusCode::CREATED, &body)
}

/// Calls the webhook of a text again.
async fn write_again(State(app): App, Path(sid): Path<String>) -> Response {
    match app.change(|state, _| state.rewrite(&sid)) {
        Some(written) => json_response(StatusCode::OK, &call(&app, &written).await),
        None => refusal(StatusCode::NOT_FOUND, "no customer's text has this id"),
    }
}

/// Calls the webhook `repeat` times: what was answered, in the order of the calls or, at once, of the answers.
async fn deliver(app: &Arc<Simulator>, written: &Arc<Written>, repeat: u32, at_once: bool) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut calls = JoinSet::new();
    for _ in 0..repeat {
        let (app, written) = (Arc::clone(app), Arc::clone(written));
        calls.spawn(async move { call(&app, &written).await });
        if !at_once {
            answers.extend(joined(calls.join_next().await));
        }
    }
    while let Some(answer) = joined(calls.join_next().await) {
        answers.push(answer);
    }
    answers
}

fn joined(answer: Option<Result<Value, tokio::task::JoinError>>) -> Option<Value> {
    answer.map(|answer| answer.unwrap_or_else(|error| failed(&error.to_string())))
}

async fn call(app: &Simulator, written: &Written) -> Value {
    if written.lost {
        return failed("the webhook was lost, as faults.webhooks_lost says");
    }
    let Some(url) = &written.url else {
        return failed("no inbound_url is configured");
    };
    match callbacks::post(app, url, &written.fields, &written.token).await {
        Ok(answered) => {
            let warning = warning(&answered);
            json!({"status": answered.status, "content_type": answered.content_type, "warning": warning, "error": null})
        }
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(words: &str) -> Value {
    json!({"status": null, "content_type": null, "warning": WARN_STATUS, "error": words})
}

/// What the vendor would complain about.
fn warning(answered: &Answered) -> Option<u32> {
    let kind = answered.content_type.as_deref().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !(200..300).contains(&answered.status) {
        Some(WARN_STATUS)
    } else if answered.status == 204 || matches!(kind, "text/xml" | "application/xml" | "text/plain") {
        None
    } else {
        Some(WARN_TYPE)
    }
}

async fn phones(State(app): App) -> Response {
    let phones = app.read(|state| {
        let all = state.phones.all();
        all.into_iter().map(|(number, count)| json!({"number": number, "count": count})).collect::<Vec<_>>()
    });
    json_response(StatusCode::OK, &json!({"numbers": app.config.numbers, "phones": phones}))
}

/// What is on a phone after its first `after` texts; waits up to `wait_ms` for there to be something.
async fn texts(State(app): App, Path(phone): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let number = |name| query.filled(name).map_or(Ok(0), str::parse::<u64>);
    let (Ok(after), Ok(wait_ms)) = (number("after"), number("wait_ms")) else {
        return refusal(StatusCode::BAD_REQUEST, "after and wait_ms: write whole numbers");
    };
    let wait = Duration::from_millis(wait_ms).min(LONGEST_WAIT);
    let something = tokio::time::timeout(wait, more_than(&app, &phone, after)).await;
    tracing::trace!(in_time = something.is_ok(), "looked at a simulated phone");
    let body = app.read(|state| {
        json!({
            "number": phone,
            "count": state.phones.count(&phone),
            "texts": state.phones.texts(&phone, after),
        })
    });
    json_response(StatusCode::OK, &body)
}

/// Returns when there are more than `after` texts on `phone`.
async fn more_than(app: &Simulator, phone: &str, after: u64) {
    loop {
        let mut changed = std::pin::pin!(app.phones_changed.notified());
        // From here on no change is missed.
        changed.as_mut().enable();
        if app.read(|state| state.phones.count(phone)) > after {
            return;
        }
        changed.await;
    }
}

async fn faults(State(app): App) -> Response {
    let faults = app.read(|state| state.faults.clone());
    json_response(StatusCode::OK, &json!(faults))
}

/// Sets all faults: what is left out is as without faults.
async fn set_faults(State(app): App, body: Bytes) -> Response {
    match Faults::from_json(&body) {
        Ok(faults) => {
            app.change(|state, _| state.faults = faults.clone());
            json_response(StatusCode::OK, &json!(faults))
        }
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reset {
    seed: Option<u64>,
}

/// Forgets everything, and throws the dice from the start, or from another seed.
async fn reset(State(app): App, body: Bytes) -> Response {
    let reset = if body.is_empty() { Ok(Reset::default()) } else { serde_json::from_slice(&body) };
    match reset {
        Ok(Reset { seed }) => {
            app.change(|state, _| state.reset(seed.unwrap_or(state.seed)));
            json_response(StatusCode::OK, &json!({"reset": true}))
        }
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}
