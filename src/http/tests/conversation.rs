//! Sessions: who has them, how they are labelled, and when they are current.

use std::time::Duration;

use super::fixture::House;

fn current(customer: &str) -> String {
    format!("/v1/customers/{customer}/sessions/current")
}

#[tokio::test]
async fn a_session_has_its_documented_keys_in_their_order() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let session = house.get(&current(&customer)).await.json();
    let keys: Vec<_> = session.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["id", "customer_id", "need_attention", "tags", "topics", "created_at", "updated_at"]);
}

#[tokio::test]
async fn all_three_ways_of_updating_are_the_same() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    for (method, path, held) in [
        ("PATCH", current(&customer), true),
        ("POST", current(&customer), false),
        ("PATCH", format!("{}/messages", current(&customer)), true),
    ] {
        let body = format!(r#"{{"need_attention":{held},"tags":["mobile"],"topics":["sleep","skin+hair"]}}"#);
        let updated = house.call("desk", method, &path, &body).await;
        assert_eq!(updated.status, 200, "{}", updated.text);
        let session = updated.json();
        assert_eq!(session["need_attention"], held);
        assert_eq!(session["topics"], serde_json::json!(["sleep", "skin+hair"]));
    }
}

#[tokio::test]
async fn arrays_replace_and_what_is_left_out_stays() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    house.call("desk", "PATCH", &current(&customer), r#"{"tags":["a","b"],"topics":["c"]}"#).await;
    let session = house.call("desk", "PATCH", &current(&customer), r#"{"tags":[]}"#).await.json();
    assert_eq!((&session["tags"], &session["topics"]), (&serde_json::json!([]), &serde_json::json!(["c"])));
    house.clock.pass(Duration::from_secs(5));
    let same = house.call("desk", "PATCH", &current(&customer), "{}").await;
    assert_eq!((same.status, same.json()), (200, session), "an empty update changes nothing");
}

#[tokio::test]
async fn a_label_is_a_short_text() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let long = "x".repeat(101);
    for (body, pointer) in [
        (r#"{"tags":"mobile"}"#.to_owned(), "/tags"),
        (r#"{"tags":["a",null]}"#.to_owned(), "/tags/1"),
        (r#"{"topics":[""]}"#.to_owned(), "/topics"),
        (format!(r#"{{"topics":["{long}"]}}"#), "/topics"),
        (r#"{"need_attention":null}"#.to_owned(), "/need_attention"),
        (r#"{"need_attention":"true"}"#.to_owned(), "/need_attention"),
        (r#"{"id":"x"}"#.to_owned(), "/id"),
    ] {
        let refused = house.call("desk", "PATCH", &current(&customer), &body).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()), "{body}");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
}

#[tokio::test]
async fn without_a_recent_message_there_is_no_current_session() {
    let house = House::new();
    let customer = house.created(r#","confirmation":false"#).await;
    for body in ["{}", r#"{"need_attention":true}"#] {
        let refused = house.call("desk", "PATCH", &current(&customer), body).await;
        assert_eq!(refused.problem(), (404, "no-current-session".into()));
    }
    assert_eq!(house.get(&current(&customer)).await.problem(), (404, "no-current-session".into()));

    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let session = house.get(&current(&customer)).await.json();
    house.clock.pass(Duration::from_secs(2 * 60 * 60));
    assert_eq!(house.get(&current(&customer)).await.status, 404);
    let by_id = format!("/v1/customers/{customer}/sessions/{}", session["id"].as_str().unwrap());
    assert_eq!(house.get(&by_id).await.json(), session);
    let messages = house.get(&format!("{by_id}/messages")).await;
    assert_eq!(messages.json()[0]["content"], "Hey");
}

#[tokio::test]
async fn a_session_belongs_to_its_customer() {
    let house = House::new();
    let anna = house.anna_texts("in-1", "Hey").await;
    let session = house.get(&current(&anna)).await.json();
    let body = r#"{"unconfirmed_phone_number":"+14155550102"}"#;
    let other = house.call("desk", "POST", "/v1/customers", body).await.json();
    let path = format!(
        "/v1/customers/{}/sessions/{}",
        other["id"].as_str().unwrap(),
        session["id"].as_str().unwrap()
    );
    assert_eq!(house.get(&path).await.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn what_a_session_is_asked_for_comes_after_its_own_keys() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "One").await;
    house.clock.pass(Duration::from_secs(1));
    house.anna_texts("in-2", "Two").await;
    let path = format!("{}?expand=messages,customer,last_message", current(&customer));
    let session = house.get(&path).await.json();
    let keys: Vec<_> = session.as_object().unwrap().keys().skip(7).cloned().collect();
    assert_eq!(keys, ["messages", "customer", "last_message"]);
    let texts: Vec<_> =
        session["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(texts, ["One", "Two"], "the oldest first");
    assert_eq!(session["last_message"]["content"], "Two");
    assert_eq!(session["customer"]["id"], customer.as_str());
}
