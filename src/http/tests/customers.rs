//! Customers: created, found, changed, confirmed, subscribed, erased.

use super::fixture::{ANNA, House, request};

#[tokio::test]
async fn a_customer_has_these_keys_in_this_order() {
    let house = House::new();
    let body =
        r#"{"unconfirmed_phone_number":"(415) 555-0101","first_name":"Anna","time_zone":"america/new_york"}"#;
    let created = house.call("desk", "POST", "/v1/customers", body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let customer = created.json();
    let keys: Vec<_> = customer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "id",
            "phone_number",
            "unconfirmed_phone_number",
            "country_code",
            "email",
            "first_name",
            "last_name",
            "time_zone",
            "unsubscribed",
            "confirmed_at",
            "confirmation_sent_at",
            "created_at",
            "updated_at"
        ]
    );
    assert_eq!(customer["unconfirmed_phone_number"], ANNA);
    assert_eq!(customer["country_code"], "US");
    assert_eq!(customer["time_zone"], "America/New_York");
    assert!(customer["phone_number"].is_null() && customer["confirmed_at"].is_null());
}

#[tokio::test]
async fn a_customer_can_be_created_confirmed_and_then_has_a_number() {
    let house = House::new();
    let customer = house.created(r#","confirmation":false"#).await;
    let customer = house.get(&format!("/v1/customers/{customer}")).await.json();
    assert_eq!(
        (&customer["phone_number"], &customer["unconfirmed_phone_number"]),
        (&ANNA.into(), &().into())
    );
    assert_eq!(customer["confirmed_at"], "2017-05-02T12:04:42.693Z");
}

#[tokio::test]
async fn a_new_customer_is_checked_field_by_field() {
    let house = House::new();
    for (body, pointers) in [
        ("{}", vec!["/unconfirmed_phone_number"]),
        (r#"{"unconfirmed_phone_number":"call me"}"#, vec!["/unconfirmed_phone_number"]),
        (
            r#"{"unconfirmed_phone_number":"+14155550101","email":"anna","first_name":"","time_zone":"Mars/Olympus"}"#,
            vec!["/email", "/first_name", "/time_zone"],
        ),
        (r#"{"unconfirmed_phone_number":"+14155550101","confirmation":"no"}"#, vec!["/confirmation"]),
        (
            r#"{"unconfirmed_phone_number":"+14155550101","phone_number":"+14155550101"}"#,
            vec!["/phone_number"],
        ),
    ] {
        let refused = house.call("desk", "POST", "/v1/customers", body).await;
        assert_eq!(refused.problem(), (422, "invalid-body".into()), "{body}");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
}

#[tokio::test]
async fn a_number_belongs_to_one_customer() {
    let house = House::new();
    let customer = house.created("").await;
    let body = format!(r#"{{"unconfirmed_phone_number":"{ANNA}"}}"#);
    let refused = house.call("desk", "POST", "/v1/customers", &body).await;
    assert_eq!(refused.problem(), (409, "number-taken".into()));
    assert!(refused.text.contains(&customer));
}

#[tokio::test]
async fn creating_again_with_the_same_key_creates_once() {
    let house = House::new();
    let body = format!(r#"{{"unconfirmed_phone_number":"{ANNA}"}}"#);
    let create = || {
        let mut request = request("desk", "POST", "/v1/customers", &body);
        request.headers_mut().insert("idempotency-key", "k1".parse().unwrap());
        house.send(request)
    };
    let (first, again) = (create().await, create().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.text, again.headers["idempotency-replayed"].to_str().unwrap()), (again.text, "true"));
}

#[tokio::test]
async fn a_customer_is_found_by_number_however_the_plus_is_written() {
    let house = House::new();
    let customer = house.created("").await;
    for plus in ["+", "%2B", "%20"] {
        let found = house.get(&format!("/v1/customers?phone_number={plus}14155550101")).await.json();
        assert_eq!(found[0]["id"], customer.as_str(), "{plus}");
    }
    assert_eq!(house.get("/v1/customers?phone_number=+14155550109").await.text, "[]");
}

#[tokio::test]
async fn null_clears_a_field_but_not_the_time_zone() {
    let house = House::new();
    let customer = house.created(r#","email":"anna@example.com","first_name":"Anna""#).await;
    let path = format!("/v1/customers/{customer}");
    let updated = house.call("desk", "PATCH", &path, r#"{"email":null,"last_name":"Lee"}"#).await.json();
    assert!(updated["email"].is_null());
    assert_eq!((&updated["first_name"], &updated["last_name"]), (&"Anna".into(), &"Lee".into()));
    let refused = house.call("desk", "PATCH", &path, r#"{"time_zone":null}"#).await;
    assert_eq!(
        (refused.problem(), refused.pointers()),
        ((422, "invalid-body".into()), vec!["/time_zone".to_owned()])
    );
}

#[tokio::test]
async fn a_wrong_confirmation_token_costs_a_try_and_the_right_one_confirms() {
    let house = House::new();
    let customer = house.created("").await;
    let path = format!("/v1/customers/{customer}/confirm");
    let wrong = house.call("desk", "POST", &path, r#"{"confirmation_token":"000000x"}"#).await;
    assert_eq!(wrong.problem(), (422, "confirmation-invalid".into()));
    assert!(wrong.text.contains("tries left: 4"));

    let id = customer.parse().unwrap();
    let token = house.gateway.store().customer(id).await.unwrap().unwrap().confirmation.unwrap().token;
    let body = format!(r#"{{"confirmation_token":"{token}"}}"#);
    let confirmed = house.call("robot", "POST", &path, &body).await;
    assert_eq!((confirmed.status, confirmed.json()["phone_number"].as_str()), (200, Some(ANNA)));
    assert!(!confirmed.text.contains(&token));
    for action in ["confirm", "generate_confirmation", "send_confirmation"] {
        let refused = house.call("desk", "POST", &format!("/v1/customers/{customer}/{action}"), &body).await;
        assert_eq!(refused.problem(), (409, "already-confirmed".into()), "{action}");
    }
}

#[tokio::test]
async fn a_confirmation_token_is_generated_and_sent_without_being_shown() {
    let house = House::new();
    let customer = house.created("").await;
    let generated =
        house.call("desk", "POST", &format!("/v1/customers/{customer}/generate_confirmation"), "").await;
    assert_eq!((generated.status, generated.text.as_str()), (201, ""));
    let sent = house.call("desk", "POST", &format!("/v1/customers/{customer}/send_confirmation"), "").await;
    assert_eq!((sent.status, sent.text.as_str()), (204, ""));
}

#[tokio::test]
async fn subscribing_and_unsubscribing_happen_once() {
    let house = House::new();
    let customer = house.created("").await;
    let call = async |action: &str| {
        house.call("desk", "POST", &format!("/v1/customers/{customer}/{action}"), "").await
    };
    assert_eq!(call("subscribe").await.problem(), (409, "already-subscribed".into()));
    assert_eq!(call("unsubscribe").await.status, 204);
    assert_eq!(call("unsubscribe").await.problem(), (409, "already-unsubscribed".into()));
    assert_eq!(call("subscribe").await.status, 204);
}

#[tokio::test]
async fn an_erased_customer_is_gone() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "Hey").await;
    let path = format!("/v1/customers/{customer}");
    assert_eq!(house.call("boss", "DELETE", &path, "").await.status, 204);
    assert_eq!(house.get(&path).await.problem(), (404, "not-found".into()));
    assert_eq!(house.call("boss", "DELETE", &path, "").await.problem(), (404, "not-found".into()));
}
