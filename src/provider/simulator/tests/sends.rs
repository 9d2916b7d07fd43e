//! The provider's API.

use super::*;

fn sids(list: &Value) -> Vec<&str> {
    list["messages"].as_array().unwrap().iter().map(|text| text["sid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_taken_text_is_answered_with_the_whole_resource() {
    let rig = Rig::start(config()).await;
    let (status, text) = rig.send(&[("From", BRAND), ("Body", &"a".repeat(161))]).await;
    assert_eq!(status, 201);
    let sid = text["sid"].as_str().unwrap();
    assert!(sid.len() == 34 && sid.starts_with("SM"), "{sid}");
    assert_eq!(text["status"], "queued");
    assert_eq!(text["direction"], "outbound-api");
    assert_eq!(text["num_segments"], "2");
    assert_eq!(text["date_created"], "Sat, 21 Nov 2026 18:30:00 +0000");
    assert_eq!(text["uri"], format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"));
    for key in [
        "account_sid",
        "messaging_service_sid",
        "from",
        "to",
        "body",
        "num_media",
        "price",
        "price_unit",
        "error_code",
        "error_message",
        "date_updated",
        "date_sent",
        "subresource_uris",
        "api_version",
        "tags",
    ] {
        assert!(text.get(key).is_some(), "{key} is missing");
    }
}

#[tokio::test]
async fn a_service_names_its_sender_only_once_the_text_is_queued() {
    let rig = Rig::start(config()).await;
    let (_, text) = rig.send(&[("MessagingServiceSid", SERVICE)]).await;
    assert_eq!(
        (&text["status"], &text["from"], &text["num_segments"]),
        (&"accepted".into(), &Value::Null, &"0".into())
    );
    rig.phone(1).await;
    assert_eq!(rig.list("").await["messages"][0]["from"], BRAND);
}

#[tokio::test]
async fn a_wrong_password_is_401_and_another_account_404() {
    let rig = Rig::start(config()).await;
    let ask = async |url: String, password: &str| {
        let response = rig.http.get(url).basic_auth(ACCOUNT, Some(password)).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap()["code"].clone())
    };
    assert_eq!(ask(rig.messages(), "wrong").await, (401, 20003.into()));
    assert_eq!(ask(rig.messages().replace(ACCOUNT, "AC2"), TOKEN).await, (404, 20404.into()));
    assert_eq!(ask(rig.messages().replace("Messages", "Messages/SM1"), TOKEN).await, (404, 20404.into()));
    let response = rig.http.get(rig.messages()).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let account = rig.messages().replace("/Messages", "");
    let response = rig.http.get(account).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["status"], "active");
}

#[tokio::test]
async fn a_wrong_method_or_path_is_an_error_of_the_api() {
    let rig = Rig::start(config()).await;
    let response = rig.http.put(rig.messages()).send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], 20004);
    let response = rig.http.get(rig.messages().replace("Messages", "Calls")).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["code"], 20404);
}

#[tokio::test]
async fn the_list_is_filtered_by_number_and_date() {
    let rig = Rig::start(config()).await;
    let (_, first) = rig.send(&[("From", BRAND)]).await;
    let (_, second) = rig.send(&[("From", BRAND), ("To", "+14155550000")]).await;
    rig.text("an answer").await;
    assert_eq!(rig.list("").await["messages"].as_array().unwrap().len(), 3);
    assert_eq!(sids(&rig.list("To=%2B14155550000").await), [second["sid"].as_str().unwrap()]);
    let today = "DateSent%3E=2026-11-21";
    assert_eq!(
        sids(&rig.list(&format!("To=%2B14155552671&From=%2B15550001111&{today}")).await),
        [first["sid"].as_str().unwrap()]
    );
    for (query, count) in [
        (today, 3),
        ("DateSent>=2026-11-21", 3),
        ("DateSent%3E%3D=2026-11-21", 3),
        ("DateSent=2026-11-21", 3),
        ("DateSent%3E=2026-11-21T18:30:00Z", 3),
        ("DateSent%3C=2026-11-20", 0),
        ("DateSent=2026-11-22", 0),
        ("DateSent%3E=2026-11-22", 0),
    ] {
        assert_eq!(sids(&rig.list(query).await).len(), count, "{query}");
    }
    assert_eq!(rig.list("DateSent=today").await["code"], 20001);
}

#[tokio::test]
async fn pages_follow_one_another_newest_first_though_new_texts_come() {
    let rig = Rig::start(config()).await;
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(rig.send(&[("From", BRAND)]).await.1["sid"].as_str().unwrap().to_owned());
    }
    sent.reverse();
    let mut page = rig.list("PageSize=2&From=%2B15550001111").await;
    let mut seen: Vec<String> = Vec::new();
    loop {
        seen.extend(sids(&page).into_iter().map(str::to_owned));
        rig.send(&[("From", BRAND)]).await;
        let Some(next) = page["next_page_uri"].as_str() else {
            break;
        };
        let url = format!("{}{next}", rig.base);
        page = rig.http.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap().json().await.unwrap();
    }
    assert_eq!(seen, sent);
}

#[tokio::test]
async fn a_connection_dropped_after_the_text_was_taken_leaves_it_in_the_list() {
    let rig = Rig::start(config()).await;
    let next =
        [SendFault::DroppedBefore, SendFault::DroppedAfter, SendFault::ErrorTaken, SendFault::ErrorNotTaken];
    rig.simulator.set_faults(Faults { next_sends: next.into(), ..Faults::default() }).unwrap();
    rig.try_send(&[("From", BRAND), ("Body", "dropped before")]).await.unwrap_err();
    rig.try_send(&[("From", BRAND), ("Body", "dropped after")]).await.unwrap_err();
    assert_eq!(rig.send(&[("From", BRAND), ("Body", "broken")]).await, (500, Value::Null));
    let (status, error) = rig.send(&[("From", BRAND), ("Body", "unavailable")]).await;
    assert_eq!((status, &error["code"]), (503, &20503.into()));
    let list = rig.list("").await;
    let bodies: Vec<_> =
        list["messages"].as_array().unwrap().iter().map(|text| text["body"].clone()).collect();
    assert_eq!(bodies, ["broken", "dropped after"]);
}

#[tokio::test]
async fn a_throttled_request_is_told_when_to_come_back() {
    let rig = Rig::start(config()).await;
    let faults = r#"{"next_sends": ["throttled"], "retry_after_s": 7}"#;
    assert_eq!(rig.person(reqwest::Method::PUT, "/faults", faults).await.0, 200);
    let request = rig.http.post(rig.messages()).basic_auth(ACCOUNT, Some(TOKEN));
    let response = request.form(&[("To", CUSTOMER), ("From", BRAND), ("Body", "x")]).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(response.json::<Value>().await.unwrap()["code"], 20429);
}

#[tokio::test]
async fn only_a_scheduled_text_can_be_canceled_and_only_a_finished_one_redacted_or_deleted() {
    let mut rig = Rig::start(config()).await;
    let schedule =
        [("MessagingServiceSid", SERVICE), ("ScheduleType", "fixed"), ("SendAt", "2026-11-22T00:00:00Z")];
    let (_, scheduled) = rig.send_with_receipts(&schedule).await;
    assert_eq!(scheduled["status"], "scheduled");
    let url = |text: &Value| format!("{}{}", rig.base, text["uri"].as_str().unwrap());
    let update = async |text: &Value, field: (&str, &str)| {
        let request = rig.http.post(url(text)).basic_auth(ACCOUNT, Some(TOKEN)).form(&[field]);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(update(&scheduled, ("Body", "")).await["code"], 20009);
    assert_eq!(update(&scheduled, ("Status", "canceled")).await["status"], "canceled");
    assert_eq!(update(&scheduled, ("Status", "canceled")).await["code"], 30409);
    assert_eq!(update(&scheduled, ("Body", "")).await["body"], "");
    assert_eq!(update(&scheduled, ("Body", "other")).await["code"], 20001);
    let deleted = rig.http.delete(url(&scheduled)).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert!(sids(&rig.list("").await).is_empty());
    assert_eq!(rig.receipts(1).await, ["canceled"]);
}
