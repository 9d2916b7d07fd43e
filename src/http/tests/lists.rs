//! Lists: their order, their pages, their filters.

use std::time::Duration;

use super::fixture::House;

/// The path that the header `Link` names.
fn next(link: &str) -> &str {
    link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap()
}

#[tokio::test]
async fn pages_lead_through_a_whole_list_and_end() {
    let house = House::new();
    for number in 101..106 {
        let body = format!(r#"{{"unconfirmed_phone_number":"+14155550{number}"}}"#);
        assert_eq!(house.call("desk", "POST", "/v1/customers", &body).await.status, 201);
        house.clock.pass(Duration::from_millis(1));
    }
    let mut path = "/v1/customers?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = house.get(&path).await;
        let page_numbers = page.json();
        let page_numbers = page_numbers.as_array().unwrap();
        seen.extend(
            page_numbers
                .iter()
                .map(|customer| customer["unconfirmed_phone_number"].as_str().unwrap().to_owned()),
        );
        if page.header("link").is_empty() {
            break;
        }
        assert_eq!(page_numbers.len(), 2);
        path = next(page.header("link")).to_owned();
        assert!(path.starts_with("/v1/customers?limit=2&cursor="), "{path}");
    }
    assert_eq!(seen, ["+14155550101", "+14155550102", "+14155550103", "+14155550104", "+14155550105"]);
}

#[tokio::test]
async fn a_session_lists_its_messages_newest_first() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "One").await;
    for (id, content) in [("in-2", "Two"), ("in-3", "Three")] {
        house.clock.pass(Duration::from_secs(1));
        house.anna_texts(id, content).await;
    }
    let path = format!("/v1/customers/{customer}/sessions/current/messages?limit=2&expand=author");
    let page = house.get(&path).await;
    let texts: Vec<_> =
        page.json().as_array().unwrap().iter().map(|message| message["content"].clone()).collect();
    assert_eq!(texts, ["Three", "Two"]);
    // What arrives meanwhile does not move the next page.
    house.anna_texts("in-4", "Four").await;
    let rest = house.get(next(page.header("link"))).await;
    assert_eq!(rest.json()[0]["content"], "One");
    assert_eq!(rest.json()[0]["author"], "customer");
    assert_eq!(rest.header("link"), "");
}

#[tokio::test]
async fn the_inbox_is_narrowed_down_by_who_has_it_tag_and_topic() {
    let house = House::new();
    let customer = house.held().await;
    let path = format!("/v1/customers/{customer}/sessions/current");
    house.call("desk", "PATCH", &path, r#"{"tags":["mobile"],"topics":["skin+hair"]}"#).await;
    for (query, count) in [
        ("", 1),
        ("?need_attention=true", 1),
        ("?need_attention=false", 0),
        ("?tag=mobile&topic=skin%2Bhair", 1),
        ("?tag=desktop", 0),
    ] {
        let inbox = house.get(&format!("/v1/sessions{query}")).await;
        assert_eq!(inbox.json().as_array().unwrap().len(), count, "{query}");
    }
    let expanded = house.get("/v1/sessions?expand=customer,last_message").await.json();
    assert_eq!(expanded[0]["last_message"]["content"], "Hey");
    assert_eq!(expanded[0]["customer"]["phone_number"], super::fixture::ANNA);
}

#[tokio::test]
async fn a_customer_lists_their_sessions_the_oldest_first() {
    let house = House::new();
    let customer = house.anna_texts("in-1", "One").await;
    house.clock.pass(Duration::from_secs(3 * 60 * 60));
    house.anna_texts("in-2", "Two").await;
    let sessions = house.get(&format!("/v1/customers/{customer}/sessions?expand=messages")).await.json();
    let texts: Vec<_> =
        sessions.as_array().unwrap().iter().map(|session| &session["messages"][0]["content"]).collect();
    assert_eq!(texts, ["One", "Two"]);
}
