//! Writing to a customer, and what became of it.

use axum::http::Request;

use super::fixture::{House, request};
use crate::domain::delivery::{DeliveryError, ErrorClass, Evidence, SendOutcome};
use crate::domain::ids::MessageId;

const HEY: &str = r#"{"content":"Hey Ho!","content_type":"text"}"#;

fn messages(customer: &str) -> String {
    format!("/v1/customers/{customer}/sessions/current/messages")
}

fn keyed(who: &str, path: &str, key: &str, body: &str) -> Request<axum::body::Body> {
    let mut request = request(who, "POST", path, body);
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test]
async fn a_message_has_its_documented_keys_in_their_order() {
    let house = House::new();
    let customer = house.held().await;
    let created = house.call("desk", "POST", &messages(&customer), HEY).await;
    assert_eq!((created.status, created.header("content-type")), (201, "application/json"));
    let message = created.json();
    let keys: Vec<_> = message.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "id",
            "session_id",
            "content",
            "content_type",
            "sender_role",
            "sent_at",
            "delivered_at",
            "created_at",
            "updated_at"
        ]
    );
    assert_eq!((&message["content"], &message["sender_role"]), (&"Hey Ho!".into(), &"agent".into()));
    assert_eq!(message["sent_at"], "2017-05-02T12:04:42.693Z");
    assert!(message["delivered_at"].is_null());
}

#[tokio::test]
async fn the_token_says_who_speaks() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let said = house.call("robot", "POST", &messages(&customer), HEY).await;
    assert_eq!(said.json()["sender_role"], "init");
    let alias = r#"{"content":"Hey Ho!","content_type":"text","sender_role":"bot"}"#;
    assert_eq!(house.call("robot", "POST", &messages(&customer), alias).await.json()["sender_role"], "init");
}

#[tokio::test]
async fn bot_or_agent_and_never_both() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let refused = house.call("desk", "POST", &messages(&customer), HEY).await;
    assert_eq!(refused.problem(), (409, "session-not-held".into()));
    let path = format!("/v1/customers/{customer}/sessions/current");
    house.call("desk", "PATCH", &path, r#"{"need_attention":true}"#).await;
    let refused = house.call("robot", "POST", &messages(&customer), HEY).await;
    assert_eq!(refused.problem(), (409, "session-held".into()));
    assert_eq!(house.call("desk", "POST", &messages(&customer), HEY).await.status, 201);
}

#[tokio::test]
async fn nobody_unconfirmed_or_unsubscribed_is_texted() {
    let house = House::new();
    let customer = house.created("").await;
    let refused = house.call("desk", "POST", &messages(&customer), HEY).await;
    assert_eq!(refused.problem(), (409, "customer-unconfirmed".into()));

    let house = House::new();
    let customer = house.created(r#","confirmation":false"#).await;
    house.call("robot", "POST", &format!("/v1/customers/{customer}/unsubscribe"), "").await;
    let refused = house.call("desk", "POST", &messages(&customer), HEY).await;
    assert_eq!(refused.problem(), (409, "customer-unsubscribed".into()));
}

#[tokio::test]
async fn an_agent_who_writes_first_starts_a_session_that_agents_have() {
    let house = House::new();
    let customer = house.created(r#","confirmation":false"#).await;
    assert_eq!(house.call("desk", "POST", &messages(&customer), HEY).await.status, 201);
    let session = house.get(&format!("/v1/customers/{customer}/sessions/current")).await.json();
    assert_eq!(session["need_attention"], true);
}

#[tokio::test]
async fn writing_names_the_current_session_and_nothing_else() {
    let house = House::new();
    let customer = house.held().await;
    let session = house.get(&format!("/v1/customers/{customer}/sessions/current")).await.json();
    let id = session["id"].as_str().unwrap();
    let refused =
        house.call("desk", "POST", &format!("/v1/customers/{customer}/sessions/{id}/messages"), HEY).await;
    assert_eq!(refused.problem(), (404, "not-found".into()));
    assert!(refused.text.contains("Only current is accepted"));
}

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again() {
    let house = House::new();
    let customer = house.held().await;
    let first = house.send(keyed("desk", &messages(&customer), "k1", HEY)).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    let again = house.send(keyed("desk", &messages(&customer), "k1", HEY)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.text, first.text);
    let other = house.send(keyed("boss", &messages(&customer), "k1", HEY)).await;
    assert_ne!(other.json()["id"], first.json()["id"], "keys of different callers never meet");

    let changed = HEY.replace("Ho", "He");
    let refused = house.send(keyed("desk", &messages(&customer), "k1", &changed)).await;
    assert_eq!(refused.problem(), (422, "idempotency-mismatch".into()));
    let refused = house.send(keyed("desk", &messages(&customer), "", HEY)).await;
    assert_eq!(refused.problem(), (400, "invalid-header".into()));
}

#[tokio::test]
async fn a_message_is_read_with_what_is_asked_for() {
    let house = House::new();
    let customer = house.held().await;
    let id =
        house.call("desk", "POST", &messages(&customer), HEY).await.json()["id"].as_str().unwrap().to_owned();
    let plain = house.get(&format!("/v1/messages/{id}")).await.json();
    assert_eq!(plain.as_object().unwrap().len(), 9);
    let whole = house.get(&format!("/v1/messages/{id}?expand=delivery,author,media")).await.json();
    let keys: Vec<_> = whole.as_object().unwrap().keys().skip(9).cloned().collect();
    assert_eq!(keys, ["delivery", "author", "media"]);
    assert_eq!(whole["author"], "desk");
    assert_eq!(whole["delivery"]["status"], "queued");

    let delivery = house.get(&format!("/v1/messages/{id}/delivery")).await.json();
    let keys: Vec<_> = delivery.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "message_id",
            "status",
            "channel",
            "from",
            "to",
            "segments",
            "encoding",
            "provider_ids",
            "attempts",
            "error",
            "queued_at",
            "dispatched_at",
            "passed_at",
            "held_at",
            "provider_status_history",
            "author",
            "keyword",
            "recovered"
        ]
    );
    assert_eq!((&delivery["segments"], &delivery["encoding"]), (&1.into(), &"GSM-7".into()));
}

#[tokio::test]
async fn a_message_is_canceled_once_and_only_while_it_is_queued() {
    let house = House::new();
    let customer = house.held().await;
    let id =
        house.call("desk", "POST", &messages(&customer), HEY).await.json()["id"].as_str().unwrap().to_owned();
    let canceled = house.call("desk", "POST", &format!("/v1/messages/{id}/cancel"), "").await;
    assert_eq!((canceled.status, canceled.json()["status"].as_str()), (200, Some("canceled")));
    let again = house.call("desk", "POST", &format!("/v1/messages/{id}/cancel"), "").await;
    assert_eq!(again.problem(), (409, "not-queued".into()));
    assert!(again.text.contains("The message is canceled"));
}

#[tokio::test]
async fn a_held_message_is_sent_again_when_somebody_decides_and_no_other() {
    let house = House::new();
    let customer = house.held().await;
    let id =
        house.call("desk", "POST", &messages(&customer), HEY).await.json()["id"].as_str().unwrap().to_owned();
    let (resend, cancel) = (format!("/v1/messages/{id}/resend"), format!("/v1/messages/{id}/cancel"));
    let early = house.call("desk", "POST", &resend, "").await;
    assert_eq!(early.problem(), (409, "not-held".into()));
    assert!(early.text.contains("The message is queued. It leaves by itself."), "{}", early.text);

    let (store, now) = (house.gateway.store(), house.gateway.now());
    let message = MessageId(id.parse().unwrap());
    store.begin_attempt(message, "here", now).await.unwrap();
    let error = DeliveryError { code: None, class: ErrorClass::Unknown, text: "no answer".into() };
    store.settle(message, 1, SendOutcome::Unknown { error, look_at: now }, now).await.unwrap();
    let looked_for = house.call("desk", "POST", &resend, "").await;
    assert_eq!(looked_for.problem(), (409, "not-held".into()));
    assert!(looked_for.text.contains("It is still being looked for"), "{}", looked_for.text);
    store.resolve(message, 1, Evidence::CannotTell, now).await.unwrap();

    let delivery = house.get(&format!("/v1/messages/{id}/delivery")).await.json();
    assert_eq!(delivery["status"], "unknown");
    assert!(delivery["held_at"].is_string() && delivery["passed_at"].is_string());
    assert!(delivery["error"]["text"].as_str().unwrap().contains("held until somebody decides"));
    let canceled = house.call("desk", "POST", &cancel, "").await;
    assert_eq!(canceled.problem(), (409, "not-queued".into()));
    assert!(canceled.text.contains("resend"), "{}", canceled.text);

    let listed = house.get("/v1/messages?held=true&expand=delivery").await.json();
    assert_eq!((listed[0]["id"].as_str(), listed.as_array().unwrap().len()), (Some(id.as_str()), 1));
    assert_eq!(listed[0]["delivery"]["held_at"], delivery["held_at"]);
    for wrong in ["/v1/messages", "/v1/messages?held=false"] {
        assert_eq!(house.get(wrong).await.problem(), (400, "invalid-query".into()));
    }
    for (method, path) in [("POST", resend.as_str()), ("GET", "/v1/messages?held=true")] {
        assert_eq!(house.call("robot", method, path, "").await.problem(), (403, "forbidden".into()));
    }
    let again = house.call("desk", "POST", &resend, "").await;
    assert_eq!((again.status, again.json()["status"].as_str()), (200, Some("queued")));
    assert_eq!(again.json()["attempts"][0]["evidence"], "resent_by_hand");
    assert!(again.json()["held_at"].is_null());
    assert_eq!(house.get("/v1/messages?held=true").await.json(), serde_json::json!([]));
    assert_eq!(house.call("desk", "POST", &resend, "").await.problem(), (409, "not-held".into()));
    let nobody = format!("/v1/messages/{customer}/resend");
    assert_eq!(house.call("desk", "POST", &nobody, "").await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn a_message_says_for_how_long_it_is_worth_sending() {
    let house = House::new();
    let customer = house.held().await;
    let body =
        |seconds: &str| format!(r#"{{"content":"Hey","content_type":"text","valid_for_s":{seconds}}}"#);
    let created = house.call("desk", "POST", &messages(&customer), &body("90")).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let id = MessageId(created.json()["id"].as_str().unwrap().parse().unwrap());
    let delivery = house.gateway.store().message(id).await.unwrap().unwrap().delivery;
    assert_eq!(delivery.valid_until, Some(delivery.queued_at.after(std::time::Duration::from_secs(90))));
    for wrong in ["0", "604801", "-1", "1.5", "\"90\"", "null"] {
        let refused = house.call("desk", "POST", &messages(&customer), &body(wrong)).await;
        assert_eq!(refused.pointers(), ["/valid_for_s"], "{wrong}");
    }
}
