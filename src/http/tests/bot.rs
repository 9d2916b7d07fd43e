//! The bot over the API: how it stands, what it was told, and what it says of its own accord.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::fixture::{Answer, House, INIT_SECRET, request, settings};
use crate::domain::ids::TurnId;
use crate::domain::reply::ReplyKey;
use crate::http::HttpSettings;
use crate::store::{TurnClaim, TurnFailure};

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
const SECRET: &str = "whsec_a";
const DAY: Duration = Duration::from_secs(24 * 3_600);
const BODY: &str = r#"{"messages":[{"content":"Here you are."}]}"#;

fn house() -> House {
    House::with(HttpSettings {
        reply_keys: vec![ReplyKey::of("whsec_b"), ReplyKey::of(SECRET)],
        ..settings()
    })
}

/// The bot is told the next turn; its id, and the number of the attempt.
async fn told(house: &House) -> (TurnId, u32) {
    match house.gateway.store().claim_turn("test", house.gateway.now()).await.unwrap() {
        TurnClaim::Work(work) => (work.turn.id, work.turn.attempts),
        other => panic!("{other:?}"),
    }
}

/// Anna texts, and the bot is told.
async fn anna(house: &House) -> (String, TurnId) {
    let anna = house.anna_texts("in-1", "Hey").await;
    (anna, told(house).await.0)
}

/// Nobody tries any more.
async fn given_up(house: &House, turn: TurnId, attempt: u32) {
    let failure = TurnFailure::GiveUp { reason: "bot_unavailable: busy".into(), fallback: None };
    house.gateway.store().fail_turn(turn, attempt, failure, house.gateway.now()).await.unwrap();
}

fn token(house: &House, turn: TurnId) -> String {
    ReplyKey::of(SECRET).token(turn, house.gateway.now().after(DAY))
}

fn reply_request(token: &str, turn: &str, key: &str, body: &str) -> Request<Body> {
    let mut request = request(token, "POST", &format!("/v1/bot/turns/{turn}/reply"), body);
    if !key.is_empty() {
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    }
    request
}

async fn reply(house: &House, token: &str, turn: TurnId, key: &str, body: &str) -> Answer {
    house.send(reply_request(token, &turn.to_string(), key, body)).await
}

async fn hold(house: &House, customer: &str, held: bool) {
    let path = format!("/v1/customers/{customer}/sessions/current");
    let body = format!(r#"{{"need_attention":{held}}}"#);
    assert_eq!(house.call("desk", "PATCH", &path, &body).await.status, 200);
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn it_says_whether_the_bot_is_called_and_an_admin_has_it_called_again() {
    let house = house();
    for who in ["desk", "robot", "boss"] {
        let status = house.call(who, "GET", "/v1/bot", "").await;
        assert_eq!(
            (status.status, status.text.as_str()),
            (200, r#"{"name":"bot","breaker":"closed","disabled":null}"#)
        );
    }
    assert_eq!(house.call("", "GET", "/v1/bot", "").await.problem(), (401, "unauthorized".into()));
    for who in ["desk", "robot"] {
        assert_eq!(house.call(who, "POST", "/v1/bot/enable", "").await.problem(), (403, "forbidden".into()));
    }
    assert_eq!(house.call("boss", "POST", "/v1/bot/enable", "").await.status, 204);
    assert_eq!(
        house.call("boss", "POST", "/v1/bot/enable?x=1", "").await.problem(),
        (400, "invalid-query".into())
    );
}

#[tokio::test]
async fn a_reply_is_texted_once_however_often_it_is_sent() {
    let house = house();
    let (customer, turn) = anna(&house).await;
    let token = token(&house, turn);
    let first = reply(&house, &token, turn, "", BODY).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, ""), "{}", first.text);
    let said = first.json();
    assert_eq!(keys(&said), ["turn_id", "messages"]);
    assert_eq!(said["turn_id"], json!(turn));
    assert_eq!(said["messages"][0]["sender_role"], "init");
    let again = reply(&house, &token, turn, "", BODY).await;
    assert_eq!((again.status, again.header("idempotency-replayed"), again.json()), (200, "true", said));

    let more = r#"{"messages":[{"content":"And more."}]}"#;
    let keyed = reply(&house, &token, turn, "a", more).await;
    assert_eq!((keyed.status, keyed.header("idempotency-replayed")), (200, ""));
    let repeat = reply(&house, &token, turn, "a", more).await;
    assert_eq!((repeat.status, repeat.header("idempotency-replayed")), (200, "true"));
    assert_eq!(repeat.json(), keyed.json());
    let other = reply(&house, &token, turn, "a", BODY).await;
    assert_eq!(other.problem(), (422, "idempotency-mismatch".into()));
    let path = format!("/v1/customers/{customer}/sessions/current/messages");
    let texts: Vec<_> = house
        .get(&path)
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text["content"].clone())
        .collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    let nothing = reply(&house, &token, turn, "b", "{}").await;
    assert_eq!((nothing.status, nothing.json()["messages"].clone()), (200, json!([])));
}

#[tokio::test]
async fn only_the_token_of_the_turn_answers_it_and_for_a_day() {
    let house = house();
    let (_, turn) = anna(&house).await;
    house.anna_texts("in-2", "And?").await;
    let good = token(&house, turn);
    let other_turn = token(&house, TurnId(NOBODY.parse().unwrap()));
    let other_key = ReplyKey::of("whsec_c").token(turn, house.gateway.now().after(DAY));
    for wrong in [other_turn.as_str(), other_key.as_str(), "robot", "boss", "", "AAAA"] {
        let refused = reply(&house, wrong, turn, "", BODY).await;
        assert_eq!(refused.problem(), (401, "unauthorized".into()), "{wrong}");
    }
    let second_key = ReplyKey::of("whsec_b").token(turn, house.gateway.now().after(DAY));
    assert_eq!(reply(&house, &second_key, turn, "", BODY).await.status, 200, "keys may be changed");
    house.clock.pass(DAY);
    assert_eq!(reply(&house, &good, turn, "", BODY).await.problem(), (401, "unauthorized".into()));
    let house = House::new();
    let (_, turn) = anna(&house).await;
    assert_eq!(
        reply(&house, &good, turn, "", BODY).await.status,
        401,
        "where there is no key there is no reply"
    );
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_is_refused_with_its_place() {
    let house = house();
    let (_, turn) = anna(&house).await;
    let token = token(&house, turn);
    for (body, status) in [
        ("{", 422),
        ("[]", 422),
        (r#"[[{"content":"Not an object"}]]"#, 422),
        (r#"{"messages":[{"content":""}]}"#, 422),
        (r#"{"messages":"hi"}"#, 422),
        (r#"{"messages":[{"content":"a","delay_ms":3600001}]}"#, 422),
    ] {
        let refused = reply(&house, &token, turn, "", body).await;
        assert_eq!(refused.problem(), (status, "invalid-body".into()), "{body}");
    }
    let mut form = reply_request(&token, &turn.to_string(), "", BODY);
    form.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(house.send(form).await.problem(), (415, "unsupported-media-type".into()));
    let long = format!(r#"{{"messages":[{{"content":"{}"}}]}}"#, "x".repeat(11_000));
    assert_eq!(reply(&house, &token, turn, "", &long).await.problem(), (413, "body-too-large".into()));
    let unknown = house.send(reply_request(&token, "5", "", BODY)).await;
    assert_eq!(unknown.problem(), (404, "not-found".into()));
    let nobody = TurnId(NOBODY.parse().unwrap());
    let never = ReplyKey::of(SECRET).token(nobody, house.gateway.now().after(DAY));
    assert_eq!(reply(&house, &never, nobody, "", BODY).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_reply_after_the_switch_is_refused_and_on_record() {
    let house = house();
    let (customer, turn) = anna(&house).await;
    let token = token(&house, turn);
    hold(&house, &customer, true).await;
    hold(&house, &customer, false).await;
    assert_eq!(reply(&house, &token, turn, "", BODY).await.problem(), (409, "stale-turn".into()));
    let turns = house.get(&format!("/v1/bot/turns/{turn}")).await.json();
    assert_eq!(turns["refused_messages"], json!(["Here you are."]));
    let path = format!("/v1/customers/{customer}/sessions/current/messages");
    assert_eq!(house.get(&path).await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn turns_that_came_to_nothing_are_listed_and_told_again_by_an_admin() {
    let house = house();
    let customer = house.anna_texts("in-1", "Hey").await;
    let (turn, attempt) = told(&house).await;
    let path = format!("/v1/bot/turns/{turn}");
    let replay = format!("{path}/replay");
    assert_eq!(house.get(&path).await.json()["status"], "in_flight");
    assert_eq!(house.get("/v1/bot/turns?failed=true").await.text, "[]");
    assert_eq!(house.call("boss", "POST", &replay, "").await.problem(), (409, "turn-not-over".into()));
    given_up(&house, turn, attempt).await;

    let listed = house.get("/v1/bot/turns?failed=true").await;
    assert_eq!(listed.status, 200);
    let listed = listed.json();
    let [failed] = &listed.as_array().unwrap()[..] else { panic!("one turn") };
    assert_eq!(
        keys(failed),
        [
            "id",
            "session_id",
            "customer_id",
            "turn",
            "type",
            "status",
            "reason",
            "attempts",
            "message_ids",
            "refused_messages",
            "created_at"
        ]
    );
    assert_eq!(
        (failed["id"].as_str(), failed["status"].as_str()),
        (Some(turn.to_string()).as_deref(), Some("failed"))
    );
    assert_eq!(
        (&failed["type"], &failed["reason"]),
        (&json!("message.received"), &json!("bot_unavailable: busy"))
    );
    assert_eq!((&failed["attempts"], failed["message_ids"].as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(house.get(&path).await.json(), *failed);

    assert_eq!(house.call("boss", "POST", &replay, "").await.problem(), (409, "session-held".into()));
    hold(&house, &customer, false).await;
    for who in ["desk", "robot"] {
        assert_eq!(house.call(who, "POST", &replay, "").await.problem(), (403, "forbidden".into()));
    }
    let again = house.call("boss", "POST", &replay, "").await;
    assert_eq!((again.status, again.json()["status"].as_str()), (201, Some("pending")), "{}", again.text);
    assert_ne!(again.json()["id"], failed["id"]);
    assert_eq!(again.json()["message_ids"], failed["message_ids"]);
}

#[tokio::test]
async fn turns_are_for_people() {
    let house = house();
    let (_, turn) = anna(&house).await;
    for path in ["/v1/bot/turns?failed=true".to_owned(), format!("/v1/bot/turns/{turn}")] {
        assert_eq!(house.call("robot", "GET", &path, "").await.problem(), (403, "forbidden".into()));
        assert_eq!(house.call("", "GET", &path, "").await.problem(), (401, "unauthorized".into()));
    }
    for path in ["/v1/bot/turns", "/v1/bot/turns?failed=false", "/v1/bot/turns?failed=true&x=1"] {
        assert_eq!(house.get(path).await.problem(), (400, "invalid-query".into()), "{path}");
    }
    for unknown in [NOBODY, "5"] {
        let path = format!("/v1/bot/turns/{unknown}");
        assert_eq!(house.get(&path).await.problem(), (404, "not-found".into()));
        assert_eq!(
            house.call("boss", "POST", &format!("{path}/replay"), "").await.problem(),
            (404, "not-found".into())
        );
    }
}

#[tokio::test]
async fn a_message_that_names_its_turn_counts_as_long_as_an_answer_would() {
    let house = house();
    let (customer, turn) = anna(&house).await;
    let path = format!("/v1/customers/{customer}/sessions/current/messages");
    let message =
        |turn: &Value| json!({"content": "Hey", "content_type": "text", "turn_id": turn}).to_string();
    let event = |turn: &Value| {
        json!({"event_type": "MessageOutbound", "customer_id": customer, "data": {"content": "Hey", "turn_id": turn}})
            .to_string()
    };
    let init = async |body: String| {
        let mut request = request("", "POST", "/v1/receive/init", &body);
        request.headers_mut().insert("x-init-ai-secret", INIT_SECRET.parse().unwrap());
        house.send(request).await
    };
    let named = json!(turn.to_string());
    assert_eq!(house.call("robot", "POST", &path, &message(&named)).await.status, 201);
    assert_eq!(init(event(&named)).await.status, 200);
    assert_eq!(
        init(event(&Value::Null)).await.status,
        200,
        "one that names none is held to the session only"
    );
    for wrong in [json!("5"), json!(5), json!({"id": named})] {
        let refused = house.call("robot", "POST", &path, &message(&wrong)).await;
        assert_eq!(
            (refused.problem(), refused.pointers()),
            ((422, "invalid-body".into()), vec!["/turn_id".to_owned()])
        );
        let refused = init(event(&wrong)).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()), "{wrong}");
        assert_eq!(refused.pointers(), ["/data/turn_id"]);
    }
    hold(&house, &customer, true).await;
    let refused = house.call("desk", "POST", &path, &message(&named)).await;
    assert_eq!(
        (refused.problem(), refused.pointers()),
        ((422, "invalid-body".into()), vec!["/turn_id".to_owned()])
    );
    hold(&house, &customer, false).await;
    assert_eq!(
        house.call("robot", "POST", &path, &message(&named)).await.problem(),
        (409, "stale-turn".into())
    );
    assert_eq!(init(event(&named)).await.problem(), (409, "stale-turn".into()));
    assert_eq!(init(event(&json!(NOBODY))).await.problem(), (409, "stale-turn".into()));
}
