//! The outgoing webhooks, as admins see them.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::fixture::{House, settings};
use crate::domain::conversation::BotPolicy;
use crate::domain::endpoint::Delivery;
use crate::domain::event::Event;
use crate::gateway::events::EventFilter;
use crate::gateway::notices::Subscriber;
use crate::notify::{Notice, Notifier, NotifyError};

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// An endpoint that is never called: nothing is told while the gateway does not run.
struct Deaf;

#[async_trait]
impl Notifier for Deaf {
    fn kind(&self) -> &'static str {
        "standard"
    }

    fn wants(&self, _: &Event) -> bool {
        true
    }

    async fn tell(&self, _: &Notice) -> Result<(), NotifyError> {
        unreachable!("nothing is told in these tests: the gateway does not run")
    }
}

fn house() -> House {
    let subscriber = |name: &str, names: &[&str]| Subscriber {
        name: name.into(),
        filter: EventFilter {
            names: names.iter().map(|name| (*name).into()).collect(),
            ..EventFilter::default()
        },
        notifier: Arc::new(Deaf),
    };
    let subscribers = vec![subscriber("crm", &[]), subscriber("audit", &["bot.*", "delivery.failed"])];
    House::of(settings(), BotPolicy::default(), subscribers)
}

async fn in_vain(house: &House, place: u64, is_dead: bool) {
    let now = house.gateway.now();
    let next_at = (!is_dead).then_some(now);
    let (endpoint, last_error) = ("crm".into(), "it answered 500".into());
    let delivery = Delivery { endpoint, place, attempts: 3, next_at, last_error, created_at: now };
    house.gateway.store().keep_delivery(delivery, now).await.unwrap();
}

#[tokio::test]
async fn they_are_for_admins_only() {
    let house = house();
    for (method, path) in [
        ("GET", "/v1/webhooks".to_owned()),
        ("POST", "/v1/webhooks/crm/enable".to_owned()),
        ("GET", "/v1/webhooks/crm/deliveries".to_owned()),
        ("POST", format!("/v1/webhooks/crm/deliveries/{NOBODY}/replay")),
    ] {
        assert_eq!(house.call("", method, &path, "").await.problem(), (401, "unauthorized".into()), "{path}");
        for who in ["desk", "robot"] {
            assert_eq!(
                house.call(who, method, &path, "").await.problem(),
                (403, "forbidden".into()),
                "{path}"
            );
        }
        let path = format!("{path}?x=1");
        assert_eq!(
            house.call("boss", method, &path, "").await.problem(),
            (400, "invalid-query".into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn each_is_listed_with_how_it_stands_and_enabled_by_its_name() {
    let house = house();
    let listed = house.call("boss", "GET", "/v1/webhooks", "").await.json();
    let new = |name: &str, events: Value| json!({"name": name, "kind": "standard", "events": events, "disabled": null, "failing_since": null});
    assert_eq!(listed, json!([new("crm", json!(["*"])), new("audit", json!(["bot.*", "delivery.failed"]))]));
    let now = house.gateway.now();
    house.gateway.store().switch_endpoint("crm", Some("it answered 410".into()), now).await.unwrap();
    let listed = house.call("boss", "GET", "/v1/webhooks", "").await.json();
    assert_eq!(listed[0]["disabled"], json!({"at": "2017-05-02T12:04:42.693Z", "reason": "it answered 410"}));
    let enabled = house.call("boss", "POST", "/v1/webhooks/crm/enable", "").await;
    assert_eq!((enabled.status, enabled.text.as_str()), (204, ""));
    let listed = house.call("boss", "GET", "/v1/webhooks", "").await.json();
    assert_eq!(listed[0]["disabled"], Value::Null);
    for unknown in ["/v1/webhooks/nobody/enable", "/v1/webhooks/bot/enable"] {
        assert_eq!(house.call("boss", "POST", unknown, "").await.problem(), (404, "not-found".into()));
    }
}

#[tokio::test]
async fn what_was_told_in_vain_is_listed_and_told_again() {
    let house = house();
    house.created("").await;
    assert_eq!(house.call("boss", "GET", "/v1/webhooks/crm/deliveries", "").await.text, "[]");
    in_vain(&house, 1, false).await;
    in_vain(&house, 2, true).await;
    in_vain(&house, 99, true).await;
    let list = async |query: &str| {
        let path = format!("/v1/webhooks/crm/deliveries{query}");
        let listed = house.call("boss", "GET", &path, "").await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        listed.json().as_array().unwrap().clone()
    };
    let all = list("").await;
    assert_eq!(all.len(), 3);
    let id = house.gateway.store().event(1).await.unwrap().unwrap().event.id();
    assert_eq!(
        all[0],
        json!({
            "event_id": id.to_string(), "event_name": "customer.created", "attempts": 3,
            "next_attempt_at": "2017-05-02T12:04:42.693Z", "dead": false, "last_error": "it answered 500",
            "created_at": "2017-05-02T12:04:42.693Z"
        })
    );
    assert_eq!((&all[1]["dead"], &all[1]["next_attempt_at"]), (&json!(true), &Value::Null));
    assert_eq!((&all[2]["event_id"], &all[2]["event_name"]), (&Value::Null, &Value::Null), "it is forgotten");
    assert_eq!((list("?dead=true").await.len(), list("?dead=false").await.len()), (2, 1));
    let first = house.call("boss", "GET", "/v1/webhooks/crm/deliveries?limit=2", "").await;
    assert!(first.header("link").contains("rel=\"next\"") && first.json().as_array().unwrap().len() == 2);
    let nobody = house.call("boss", "GET", "/v1/webhooks/nobody/deliveries", "").await;
    assert_eq!(nobody.problem(), (404, "not-found".into()));

    let second = house.gateway.store().event(2).await.unwrap().unwrap().event.id();
    let replay = async |name: &str, id: &str| {
        house.call("boss", "POST", &format!("/v1/webhooks/{name}/deliveries/{id}/replay"), "").await
    };
    assert_eq!(replay("crm", &second.to_string()).await.status, 202);
    let again = list("").await;
    assert_eq!((&again[1]["dead"], &again[1]["attempts"]), (&json!(false), &json!(0)));
    let id = id.to_string();
    for (name, id) in [("nobody", id.as_str()), ("crm", NOBODY), ("crm", "5")] {
        assert_eq!(replay(name, id).await.problem(), (404, "not-found".into()), "{name} {id}");
    }
}
