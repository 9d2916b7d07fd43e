//! The customers' side.

use reqwest::Method;

use super::*;

#[tokio::test]
async fn a_customer_s_text_reaches_the_webhook_signed_and_whole() {
    let mut rig = Rig::start(config()).await;
    let text = serde_json::json!({
        "from": CUSTOMER, "to": BRAND, "body": "Grüße + 50% 😀", "media_urls": ["http://localhost/cat.png"],
    });
    let (status, answer) = rig.person(Method::POST, "/texts", &text.to_string()).await;
    assert_eq!((status, &answer["status"], &answer["content_type"]), (201, &200.into(), &"text/xml".into()));
    let hook = rig.next_hook().await;
    hook.assert_signed();
    assert!(hook.url.ends_with("/inbound"));
    assert_eq!(hook.field("Body"), "Grüße + 50% 😀");
    assert_eq!((hook.field("From"), hook.field("To")), (CUSTOMER, BRAND));
    assert_eq!((hook.field("FromCountry"), hook.field("SmsStatus")), ("US", "received"));
    assert_eq!(
        (hook.field("MediaUrl0"), hook.field("MediaContentType0")),
        ("http://localhost/cat.png", "image/png")
    );
    assert!(hook.form.iter().any(|(name, value)| name == "FromCity" && value.is_empty()));
    let sid = answer["sid"].as_str().unwrap();
    assert!(sid.starts_with("MM"));
    assert!(
        [hook.field("MessageSid"), hook.field("SmsSid"), hook.field("SmsMessageSid")]
            .iter()
            .all(|s| *s == sid)
    );
    let listed = rig.list("").await["messages"][0].clone();
    assert_eq!((&listed["direction"], &listed["status"]), (&"inbound".into(), &"received".into()));
    assert_eq!(rig.phone(1).await[0]["status"], "delivered");
}

#[tokio::test]
async fn a_repeated_text_calls_the_webhook_again_with_the_same_id_and_token() {
    for at_once in [false, true] {
        let mut rig = Rig::start(config()).await;
        let text =
            serde_json::json!({"from": CUSTOMER, "to": BRAND, "body": "hi", "repeat": 2, "at_once": at_once});
        let (_, answer) = rig.person(Method::POST, "/texts", &text.to_string()).await;
        assert_eq!(answer["answers"].as_array().unwrap().len(), 2);
        let (first, second) = (rig.next_hook().await, rig.next_hook().await);
        assert_eq!(first.field("MessageSid"), second.field("MessageSid"));
        let token = "i-twilio-idempotency-token";
        assert_eq!(first.header(token), second.header(token));
        assert_eq!(rig.phone(1).await.len(), 1);
    }
}

#[tokio::test]
async fn a_stop_leads_to_21610_until_a_start() {
    let mut rig = Rig::start(config()).await;
    rig.text(" stop ").await;
    assert_eq!(rig.next_hook().await.field("Body"), " stop ");
    let (status, error) = rig.send(&[("From", BRAND)]).await;
    assert_eq!((status, &error["code"], &error["status"]), (400, &21610.into(), &400.into()));
    let phone = rig.phone(2).await;
    assert_eq!((&phone[1]["network"], &phone[1]["direction"]), (&true.into(), &"received".into()));
    rig.text("START").await;
    assert_eq!(rig.send(&[("From", BRAND)]).await.0, 201);
}

#[tokio::test]
async fn advanced_opt_out_classifies_the_keyword() {
    let mut rig = Rig::start(SimulatorConfig { advanced_opt_out: true, ..config() }).await;
    rig.text("unsubscribe").await;
    assert_eq!(rig.next_hook().await.field("OptOutType"), "STOP");
}

#[tokio::test]
async fn looking_at_a_phone_waits_for_the_next_text() {
    let rig = Rig::start(config()).await;
    let path = format!("/phones/{CUSTOMER}/texts?wait_ms=60000");
    let (waited, _) = tokio::join!(rig.person(Method::GET, &path, ""), rig.send(&[("From", BRAND)]));
    assert_eq!((&waited.1["count"], &waited.1["texts"][0]["body"]), (&1.into(), &"hello".into()));
    let (_, at_once) = rig.person(Method::GET, &path.replace("wait_ms=60000", "after=1"), "").await;
    assert_eq!((&at_once["count"], &at_once["texts"]), (&1.into(), &serde_json::json!([])));
}

#[tokio::test]
async fn an_answer_that_the_provider_would_not_read_is_reported() {
    let rig = Rig::start_answering(config(), StatusCode::FORBIDDEN).await;
    let answer = rig.text("hi").await;
    assert_eq!((&answer["status"], &answer["answers"][0]["warning"]), (&403.into(), &11200.into()));
    rig.simulator.set_inbound_url(Some("http://127.0.0.1:1/".to_owned()));
    let answer = rig.text("hi").await;
    assert_eq!(answer["status"], Value::Null);
    assert!(answer["answers"][0]["error"].is_string());
    assert_eq!(rig.phone(2).await[1]["status"], "failed");
}

#[tokio::test]
async fn a_webhook_without_a_connection_is_tried_once_more() {
    let rig = Rig::start(config()).await;
    // Every TLS handshake fails here: there is no connection to ask anything on.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    rig.simulator.set_inbound_url(Some(format!("https://{}/", listener.local_addr().unwrap())));
    let (count, mut tries) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
            count.send(()).unwrap();
        }
    });
    assert_eq!(rig.text("hi").await["status"], Value::Null);
    for _ in 0..2 {
        tokio::time::timeout(PATIENCE, tries.recv()).await.unwrap().unwrap();
    }
    assert!(tries.try_recv().is_err(), "no third try");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_words() {
    let rig = Rig::start(config()).await;
    for (method, path, body, status) in [
        (Method::POST, "/texts", "{", 400),
        (Method::POST, "/texts", r#"{"from": "1", "to": "+15550001111", "body": "x"}"#, 422),
        (Method::POST, "/texts", r#"{"from": "+14155552671", "to": "+1", "body": "x"}"#, 422),
        (Method::POST, "/texts", r#"{"from": "+14155552671", "to": "+15550001111"}"#, 422),
        (
            Method::POST,
            "/texts",
            r#"{"from": "+14155552671", "to": "+15550001111", "body": "x", "repeat": 0}"#,
            422,
        ),
        (Method::PUT, "/faults", r#"{"sends": {"slow": 2}}"#, 400),
        (Method::POST, "/reset", "[", 400),
        (Method::GET, "/texts", "", 405),
        (Method::GET, "/phones/+14155552671/texts?after=x", "", 400),
    ] {
        let (found, answer) = rig.person(method, path, body).await;
        assert_eq!(found, status, "{path} {body}");
        assert!(answer["error"].is_string());
    }
}

#[tokio::test]
async fn a_reset_forgets_texts_blocks_and_faults() {
    let rig = Rig::start(config()).await;
    rig.text("STOP").await;
    rig.person(Method::PUT, "/faults", r#"{"next_sends": ["throttled"]}"#).await;
    assert_eq!(rig.person(Method::GET, "/phones", "").await.1["phones"][0]["count"], 2);
    assert_eq!(rig.person(Method::POST, "/reset", "").await.0, 200);
    assert_eq!(rig.person(Method::GET, "/phones", "").await.1["phones"], serde_json::json!([]));
    assert_eq!(rig.send(&[("From", BRAND)]).await.0, 201);
}

#[tokio::test]
async fn a_text_whose_webhook_is_lost_is_listed_with_its_media_and_can_be_brought_later() {
    let mut rig = Rig::start(config()).await;
    assert_eq!(rig.person(Method::PUT, "/faults", r#"{"webhooks_lost": 1.0}"#).await.0, 200);
    let text = serde_json::json!({
        "from": CUSTOMER, "to": BRAND, "body": "hi", "media_urls": ["http://localhost/cat.png"],
    });
    let (_, lost) = rig.person(Method::POST, "/texts", &text.to_string()).await;
    assert!(lost["status"].is_null());
    let sid = lost["sid"].as_str().unwrap();
    let listed = rig.list("").await["messages"][0].clone();
    assert_eq!((&listed["sid"], &listed["num_media"]), (&sid.into(), &"1".into()));
    let path = listed["subresource_uris"]["media"].as_str().unwrap();
    let media = rig.get(path).await;
    assert_eq!(media["media_list"][0]["content_type"], "image/png");
    let (status, brought) = rig.person(Method::POST, &format!("/texts/{sid}/webhook"), "").await;
    assert_eq!((status, &brought["status"]), (200, &200.into()));
    assert_eq!(rig.next_hook().await.field("MessageSid"), sid);
    assert_eq!(rig.person(Method::POST, "/texts/SMnone/webhook", "").await.0, 404);
}
