//! Each outcome of a send, against a server that does what the network may do.

use std::time::Duration;

use super::super::client::MAX_ANSWER_BYTES;
use super::super::config::TwilioConfig;
use super::super::config::tests::{ACCOUNT_SID, config};
use super::super::scripted_server::{Act, ScriptedServer, client, client_of};
use super::*;
use crate::domain::ids::MessageId;

const CREATED: &str = r#"{"sid":"SM1","from":"+12125550100","status":"queued","num_segments":"1"}"#;

fn text() -> OutgoingText {
    OutgoingText {
        message_id: MessageId(uuid::Uuid::nil()),
        sender: "+12125550100".into(),
        to: "+14155550101".into(),
        content: "50% + é & more".into(),
        status_url: "https://gw.example.com/status".into(),
        valid_for_s: None,
    }
}

fn refused(code: Option<&str>, class: ErrorClass, sent: &Sent) -> Option<u64> {
    let Sent::Refused { error, retry_after_s } = sent else { panic!("not refused: {sent:?}") };
    assert_eq!((error.code.as_deref(), error.class), (code, class));
    *retry_after_s
}

async fn sent(act: Act) -> Sent {
    let server = ScriptedServer::start(vec![act]).await;
    let sent = send(&client(&server.base), &text()).await;
    assert_eq!(server.seen().len(), 1, "a text is handed over once, whatever comes of it");
    sent
}

fn fields(body: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn a_taken_text_is_accepted_and_its_request_is_as_documented() {
    let server = ScriptedServer::start(vec![Act::answer(201, CREATED)]).await;
    let sent =
        send(&client(&format!("{}/", server.base)), &OutgoingText { valid_for_s: Some(60), ..text() }).await;
    assert_eq!(sent, Sent::Accepted { provider_id: "SM1".into(), from: Some("+12125550100".into()) });

    let request = &server.seen()[0];
    assert_eq!(request.line, format!("POST /2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json HTTP/1.1"));
    let credentials = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{ACCOUNT_SID}:hush-password"),
    );
    assert!(request.head.contains(&format!("authorization: Basic {credentials}")));
    assert!(request.head.contains("content-type: application/x-www-form-urlencoded"));
    let expected = [
        ("To", "+14155550101"),
        ("From", "+12125550100"),
        ("Body", "50% + é & more"),
        ("StatusCallback", "https://gw.example.com/status?m=00000000-0000-0000-0000-000000000000"),
        ("ValidityPeriod", "60"),
    ];
    assert_eq!(fields(&request.body), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_messaging_service_sends_by_its_sid_and_names_no_number_yet() {
    let server = ScriptedServer::start(vec![Act::answer(201, r#"{"sid":"SM2","from":null}"#)]).await;
    let sent = send(&client(&server.base), &OutgoingText { sender: "MG1".into(), ..text() }).await;
    assert_eq!(sent, Sent::Accepted { provider_id: "SM2".into(), from: None });
    let fields = fields(&server.seen()[0].body);
    assert!(fields.contains(&("MessagingServiceSid".into(), "MG1".into())));
    assert!(!fields.iter().any(|(name, _)| name == "From"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = ScriptedServer::start(vec![Act::answer(201, CREATED), Act::answer(201, CREATED)]).await;
    let client = client(&server.base);
    send(&client, &text()).await;
    send(&client, &text()).await;
    assert_eq!(server.seen().iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0]);
}

#[tokio::test]
async fn too_many_requests_are_throttled_until_the_provider_says() {
    let body = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
    let later = sent(Act::answer_with(429, &[("retry-after", "7")], body)).await;
    assert_eq!(refused(Some("20429"), ErrorClass::Throttled, &later), Some(7));
    let dates = [("retry-after", "Sat, 21 Nov 2026 12:00:30 GMT"), ("date", "Sat, 21 Nov 2026 12:00:00 GMT")];
    let at = sent(Act::answer_with(429, &dates, "")).await;
    assert_eq!(refused(None, ErrorClass::Throttled, &at), Some(30));
    assert_eq!(refused(None, ErrorClass::Throttled, &sent(Act::answer(429, "busy")).await), None);
}

#[tokio::test]
async fn a_refusal_has_the_class_of_its_code() {
    let cases = [
        (400, 21610, ErrorClass::OptedOut),
        (400, 21211, ErrorClass::Permanent),
        (400, 21606, ErrorClass::Configuration),
        (401, 20003, ErrorClass::Credentials),
        (404, 20404, ErrorClass::Configuration),
    ];
    for (status, code, class) in cases {
        let answer = format!(r#"{{"code":{code},"message":"about +14155550101","status":{status}}}"#);
        let sent = sent(Act::answer(status, answer)).await;
        assert_eq!(refused(Some(&code.to_string()), class, &sent), None);
        assert!(!format!("{sent:?}").contains("+1415"), "the provider's text repeats the number");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let sent = sent(Act::answer_with(307, &[("location", "/elsewhere")], "")).await;
    refused(None, ErrorClass::Configuration, &sent);
}

#[tokio::test]
async fn after_the_request_left_only_a_readable_answer_settles_it() {
    let acts = [
        Act::answer(500, r#"{"code":20500,"status":500}"#),
        Act::answer(503, "<html>"),
        Act::answer(200, "garbage"),
        Act::answer(201, r#"{"sid":""}"#),
        Act::answer(201, "x".repeat(MAX_ANSWER_BYTES + 1)),
        Act::HangUp,
        Act::BreakOff { status: 201 },
        Act::BreakOff { status: 500 },
    ];
    for act in acts {
        let sent = sent(act.clone()).await;
        let Sent::Unknown { error } = &sent else { panic!("{act:?}: {sent:?}") };
        assert_eq!(error.class, ErrorClass::Unknown);
    }
}

#[tokio::test]
async fn a_refusal_whose_reason_was_lost_is_still_a_refusal() {
    refused(None, ErrorClass::Transient, &sent(Act::BreakOff { status: 400 }).await);
    let hurried = sent(Act::BreakOff { status: 429 }).await;
    refused(None, ErrorClass::Throttled, &hurried);
}

#[tokio::test]
async fn no_answer_in_time_leaves_it_unknown() {
    let server = ScriptedServer::start(vec![Act::Silence]).await;
    let config = TwilioConfig { request_timeout: Duration::from_millis(200), ..config(&server.base) };
    let client = client_of(&config);
    assert!(matches!(send(&client, &text()).await, Sent::Unknown { .. }));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_connection_closed_between_two_texts_loses_none_and_doubles_none() {
    let server = ScriptedServer::start(vec![Act::answer(201, CREATED), Act::HangUp]).await;
    let client = client(&server.base);
    assert!(matches!(send(&client, &text()).await, Sent::Accepted { .. }));
    assert!(matches!(send(&client, &text()).await, Sent::Unknown { .. }));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_has_not_taken_it() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for base in [format!("http://127.0.0.1:{port}"), "http://no-such-host.invalid".into()] {
        let sent = send(&client(&base), &text()).await;
        refused(None, ErrorClass::Transient, &sent);
        assert!(!format!("{sent:?}").contains("Accounts"), "the URL stays out of errors");
    }
}

#[tokio::test]
async fn a_server_without_tls_has_not_taken_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("https://{}", listener.local_addr().unwrap()));
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    };
    let text = text();
    let (sent, ()) = tokio::join!(send(&client, &text), plain);
    refused(None, ErrorClass::Transient, &sent);
}

#[tokio::test]
async fn a_server_that_never_finishes_connecting_has_not_taken_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let config = TwilioConfig { request_timeout: Duration::from_secs(30), ..config(&base) };
    let http = super::super::client::client_builder(reqwest::Client::builder())
        .connect_timeout(Duration::from_millis(200));
    let client = Client::new(&config, http.no_proxy().build().unwrap());
    let text = text();
    // Accepted, and then never a word of TLS.
    let (sent, held) = tokio::join!(send(&client, &text), listener.accept());
    refused(None, ErrorClass::Transient, &sent);
    drop(held);
}

#[test]
fn our_id_is_added_to_any_status_url() {
    let cases = [
        ("https://a/s", "https://a/s?m=ID"),
        ("https://a/s?x=1", "https://a/s?x=1&m=ID"),
        ("https://a/s#rc=5", "https://a/s?m=ID#rc=5"),
    ];
    for (url, expected) in cases {
        let text = OutgoingText { status_url: url.into(), ..text() };
        assert_eq!(status_callback(&text), expected.replace("ID", &text.message_id.to_string()));
    }
}

#[test]
fn validity_stays_within_what_the_provider_takes() {
    for (asked, given) in [(0, "1"), (600, "600"), (86_400, "36000")] {
        let form = send_form(&OutgoingText { valid_for_s: Some(asked), ..text() });
        assert!(form.contains(&("ValidityPeriod", given.to_owned())));
    }
}
