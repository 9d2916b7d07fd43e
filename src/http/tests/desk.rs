//! What agents do with conversations: who has them, who is typing, what the bot proposes, and whom they look for.

use serde_json::{Value, json};

use super::fixture::{ANNA, Answer, House, settings};
use crate::domain::conversation::BotPolicy;
use crate::domain::reply::ReplyKey;
use crate::http::{CannedReply, HttpSettings};
use crate::store::TurnClaim;

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
const HEY: &str = r#"{"content":"Hey","content_type":"text"}"#;

fn current(customer: &str, rest: &str) -> String {
    format!("/v1/customers/{customer}/sessions/current{rest}")
}

async fn assign(house: &House, who: &str, customer: &str, body: &str) -> Answer {
    house.call(who, "POST", &current(customer, "/assign"), body).await
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn everybody_can_ask_whose_token_it_is() {
    let house = House::new();
    for (who, role) in [("desk", "agent"), ("robot", "bot"), ("boss", "admin")] {
        let me = house.call(who, "GET", "/v1/me", "").await;
        assert_eq!((me.status, me.text), (200, format!(r#"{{"name":"{who}","role":"{role}"}}"#)));
    }
    assert_eq!(house.call("", "GET", "/v1/me", "").await.problem(), (401, "unauthorized".into()));
    assert_eq!(house.get("/v1/me?x=1").await.problem(), (400, "invalid-query".into()));
}

#[tokio::test]
async fn canned_replies_are_those_of_the_configuration() {
    assert_eq!(House::new().get("/v1/canned_replies").await.text, "[]");
    let reply = CannedReply { title: "Hours".into(), content: "9 to 5".into() };
    let house = House::with(HttpSettings { canned_replies: vec![reply], ..settings() });
    let listed = house.get("/v1/canned_replies").await;
    assert_eq!((listed.status, listed.text.as_str()), (200, r#"[{"title":"Hours","content":"9 to 5"}]"#));
    assert_eq!(house.call("", "GET", "/v1/canned_replies", "").await.status, 401);
}

#[tokio::test]
async fn one_agent_at_a_time_has_a_session() {
    let house = House::new();
    let anna = house.held().await;
    let taken = assign(&house, "desk", &anna, "{}").await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let session = taken.json();
    assert_eq!(
        keys(&session),
        ["id", "customer_id", "need_attention", "tags", "topics", "created_at", "updated_at", "attention"]
    );
    assert_eq!(
        keys(&session["attention"]),
        ["reason", "waiting_since", "assignee", "escalations", "version", "last_message_at"]
    );
    assert_eq!(session["attention"]["assignee"], "desk");

    let refused = assign(&house, "boss", &anna, "{}").await;
    assert_eq!(refused.problem(), (409, "session-assigned".into()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("desk"), "{}", refused.text);
    let refused = house.call("boss", "POST", &current(&anna, "/messages"), HEY).await;
    assert_eq!(refused.problem(), (409, "session-assigned".into()));
    assert_eq!(house.call("desk", "POST", &current(&anna, "/messages"), HEY).await.status, 201);

    let taken = assign(&house, "boss", &anna, r#"{"force":true}"#).await.json();
    assert_eq!(taken["attention"]["assignee"], "boss");
    assert_eq!(house.call("boss", "POST", &current(&anna, "/messages"), HEY).await.status, 201);
    let given = assign(&house, "boss", &anna, r#"{"assignee":"desk"}"#).await.json();
    assert_eq!(given["attention"]["assignee"], "desk");
    let left = assign(&house, "boss", &anna, r#"{"assignee":null,"force":true}"#).await.json();
    assert_eq!(left["attention"]["assignee"], Value::Null);

    assign(&house, "desk", &anna, "{}").await;
    for held in [false, true] {
        let body = format!(r#"{{"need_attention":{held}}}"#);
        assert_eq!(house.call("desk", "PATCH", &current(&anna, ""), &body).await.status, 200);
    }
    let session = house.get(&current(&anna, "?expand=attention")).await.json();
    assert_eq!(session["attention"]["assignee"], Value::Null, "the bot had it in between");
}

#[tokio::test]
async fn what_cannot_be_assigned_is_refused_in_words() {
    let house = House::new();
    let anna = house.anna_texts("in-1", "Hey").await;
    assert_eq!(assign(&house, "", &anna, "{}").await.problem(), (401, "unauthorized".into()));
    assert_eq!(assign(&house, "robot", &anna, "{").await.problem(), (403, "forbidden".into()));
    assert_eq!(assign(&house, "desk", NOBODY, "{}").await.problem(), (404, "not-found".into()));
    assert_eq!(assign(&house, "desk", &anna, "{}").await.problem(), (409, "session-not-held".into()));
    let silent =
        house.call("desk", "POST", "/v1/customers", r#"{"unconfirmed_phone_number":"+14155550102"}"#).await;
    let silent = silent.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(assign(&house, "desk", &silent, "{}").await.problem(), (404, "no-current-session".into()));
    let session = house.get(&current(&anna, "")).await.json()["id"].as_str().unwrap().to_owned();
    let by_id = format!("/v1/customers/{anna}/sessions/{session}/assign");
    assert_eq!(house.call("desk", "POST", &by_id, "{}").await.problem(), (404, "not-found".into()));
    assert_eq!(assign(&house, "desk", &anna, "{").await.problem(), (400, "invalid-body".into()));
    let query = current(&anna, "/assign?force=true");
    assert_eq!(house.call("desk", "POST", &query, "{}").await.problem(), (400, "invalid-query".into()));
    let long = format!(r#"{{"assignee":"{}"}}"#, "x".repeat(101));
    for (body, pointer) in [
        (r#"{"assignee":5}"#, "/assignee"),
        (r#"{"assignee":""}"#, "/assignee"),
        (r#"{"assignee":" ann"}"#, "/assignee"),
        (r#"{"assignee":"gateway"}"#, "/assignee"),
        (r#"{"assignee":"me"}"#, "/assignee"),
        (r#"{"assignee":"nobody"}"#, "/assignee"),
        (r#"{"assignee":"robot"}"#, "/assignee"),
        (long.as_str(), "/assignee"),
        (r#"{"force":"yes"}"#, "/force"),
        (r#"{"force":null}"#, "/force"),
        (r#"{"to":"ann"}"#, "/to"),
    ] {
        let refused = assign(&house, "desk", &anna, body).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()), "{body}");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
}

#[tokio::test]
async fn the_inbox_is_asked_for_by_who_has_it() {
    let house = House::new();
    let anna = house.held().await;
    let found = async |who: &str, query: &str| {
        let page = house.call(who, "GET", &format!("/v1/sessions?{query}"), "").await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.json().as_array().unwrap().len()
    };
    assert_eq!((found("desk", "assignee=none").await, found("desk", "assignee=me").await), (1, 0));
    assign(&house, "desk", &anna, "{}").await;
    for (who, query, count) in [
        ("desk", "assignee=none", 0),
        ("desk", "assignee=me", 1),
        ("boss", "assignee=me", 0),
        ("boss", "assignee=desk", 1),
        ("boss", "assignee=desk&need_attention=false", 0),
        ("boss", "", 1),
    ] {
        assert_eq!(found(who, query).await, count, "{who} {query}");
    }
    let expanded = house.get("/v1/sessions?expand=attention,suggested_messages").await.json();
    let mut known = keys(&expanded[0]);
    assert_eq!(known.split_off(7), ["attention", "suggested_messages"]);
    assert_eq!(
        (&expanded[0]["attention"]["assignee"], &expanded[0]["suggested_messages"]),
        (&json!("desk"), &json!([]))
    );
    assert_eq!(
        keys(&house.get("/v1/sessions").await.json()[0]),
        known,
        "nothing comes that was not asked for"
    );
    assert_eq!(house.get("/v1/sessions?expand=suggestions").await.problem(), (400, "invalid-query".into()));
}

#[tokio::test]
async fn typing_is_told_of_a_current_session_by_people_only() {
    let house = House::new();
    let anna = house.anna_texts("in-1", "Hey").await;
    let path = current(&anna, "/typing");
    let typing = r#"{"typing":true}"#;
    let told = house.call("desk", "POST", &path, typing).await;
    assert_eq!((told.status, told.text.as_str()), (204, ""));
    assert_eq!(house.call("", "POST", &path, typing).await.problem(), (401, "unauthorized".into()));
    assert_eq!(house.call("robot", "POST", &path, "{").await.problem(), (403, "forbidden".into()));
    let nobody = current(NOBODY, "/typing");
    assert_eq!(house.call("desk", "POST", &nobody, typing).await.problem(), (404, "not-found".into()));
    for body in ["{}", r#"{"typing":"yes"}"#, r#"{"typing":null}"#, r#"{"typing":true,"name":"ann"}"#] {
        assert_eq!(
            house.call("desk", "POST", &path, body).await.problem(),
            (422, "invalid-body".into()),
            "{body}"
        );
    }
    house.clock.pass(std::time::Duration::from_secs(3 * 3_600));
    assert_eq!(house.call("desk", "POST", &path, typing).await.problem(), (404, "no-current-session".into()));
}

#[tokio::test]
async fn what_the_bot_would_say_is_proposed_and_counted_when_it_is_used() {
    let key = ReplyKey::of("whsec_a");
    let settings = HttpSettings { reply_keys: vec![key.clone()], ..settings() };
    let house = House::of(settings, BotPolicy { observe: true, ..BotPolicy::default() }, Vec::new());
    let anna = house.anna_texts("in-1", "Hey").await;
    let now = house.gateway.now();
    let TurnClaim::Work(work) = house.gateway.store().claim_turn("test", now).await.unwrap() else {
        panic!("there is a turn")
    };
    house.call("desk", "PATCH", &current(&anna, ""), r#"{"need_attention":true}"#).await;
    let turn = work.turn.id;
    let token = key.token(turn, now.after(std::time::Duration::from_secs(60)));
    let body = r#"{"messages":[{"content":"We open at 9."},{"content":"And close at 5."}]}"#;
    let late = house.call(&token, "POST", &format!("/v1/bot/turns/{turn}/reply"), body).await;
    assert_eq!(late.problem(), (409, "stale-turn".into()));

    let session = house.get(&current(&anna, "?expand=suggested_messages")).await.json();
    let proposed = session["suggested_messages"].as_array().unwrap();
    assert_eq!(proposed.len(), 2);
    assert_eq!(
        keys(&proposed[0]),
        ["id", "remote_id", "content", "content_type", "selected_count", "created_at"]
    );
    assert_eq!(
        (&proposed[0]["content"], &proposed[0]["content_type"]),
        (&json!("We open at 9."), &json!("text"))
    );
    assert_eq!(proposed[0]["remote_id"], turn.to_string().as_str());

    let path = format!("/v1/suggested_messages/{}", proposed[1]["id"].as_str().unwrap());
    for (count, body) in [(1, ""), (2, "{}")] {
        let used = house.call("desk", "PATCH", &path, body).await;
        assert_eq!(
            (used.status, used.json()["selected_count"].as_u64()),
            (200, Some(count)),
            "{}",
            used.text
        );
        assert_eq!(used.json()["content"], "And close at 5.");
    }
    assert_eq!(house.call("", "PATCH", &path, "").await.problem(), (401, "unauthorized".into()));
    assert_eq!(house.call("robot", "PATCH", &path, "").await.problem(), (403, "forbidden".into()));
    for unknown in [NOBODY, "5"] {
        let path = format!("/v1/suggested_messages/{unknown}");
        assert_eq!(house.call("desk", "PATCH", &path, "").await.problem(), (404, "not-found".into()));
    }
}

#[tokio::test]
async fn customers_are_found_by_the_beginning_of_a_name_and_either_end_of_a_number() {
    let house = House::new();
    let anna = house.created(r#","first_name":"Anna","last_name":"van Dyck""#).await;
    let other = r#"{"unconfirmed_phone_number":"+442071838750","first_name":"Annabel","last_name":"Dane"}"#;
    assert_eq!(house.call("desk", "POST", "/v1/customers", other).await.status, 201);
    let found = async |query: &str| {
        let page = house.get(&format!("/v1/customers?query={query}")).await;
        assert_eq!((page.status, page.header("link")), (200, ""), "{}", page.text);
        page.json().as_array().unwrap().len()
    };
    for (query, count) in [
        ("ann", 2),
        ("ANNA", 2),
        ("annab", 1),
        ("dyck", 1),
        ("nna", 0),
        ("141555", 1),
        ("%2B1415", 1),
        ("0101", 1),
        ("5550", 0),
        ("8750", 1),
        ("ann&limit=1", 1),
    ] {
        assert_eq!(found(query).await, count, "{query}");
    }
    let page = house.get("/v1/customers?query=annab").await.json();
    assert_eq!(page[0]["first_name"], "Annabel");
    let page = house.get(&format!("/v1/customers?phone_number={ANNA}")).await.json();
    let whole = house.get(&format!("/v1/customers/{anna}")).await.json();
    assert_eq!(page, serde_json::json!([whole]));
    for too_little in ["d", ""] {
        let refused = house.get(&format!("/v1/customers?query={too_little}")).await;
        assert_eq!(refused.problem(), (400, "invalid-query".into()));
    }
}
