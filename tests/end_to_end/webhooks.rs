//! Webhooks: what is not the provider's is not believed, and what is repeated is taken once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::fixture::{ACCOUNT, ANNA, AUTH_TOKEN, BRAND, Daemon, Provider, Setup};

const SID: &str = "SM000000000000000000000000000000aa";

/// A customer's text, as a form; `body` is percent-encoded already.
fn form(sid: &str, from: &str, body: &str) -> String {
    let from = from.replace('+', "%2B");
    format!(
        "MessageSid={sid}&AccountSid={ACCOUNT}&From={from}&To=%2B15550001111&Body={body}&NumMedia=0&FromCity="
    )
}

/// The signature by the provider's rule, computed here and nowhere else: the URL, then each field's name and value
/// in the order of the names.
fn sign(url: &str, form: &str, token: &str) -> String {
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    fields.sort();
    let text = fields.into_iter().fold(url.to_owned(), |text, (name, value)| text + &name + &value);
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

struct Hook<'a> {
    daemon: &'a Daemon,
    path: &'static str,
}

impl Hook<'_> {
    async fn post(&self, form: &str, signature: Option<&str>) -> (u16, String, String) {
        let mut request = self
            .daemon
            .http
            .post(format!("{}{}", self.daemon.url, self.path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        if let Some(signature) = signature {
            request = request.header("x-twilio-signature", signature);
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    }

    async fn signed(&self, form: &str) -> (u16, String, String) {
        let url = format!("{}{}", self.daemon.url, self.path);
        self.post(form, Some(&sign(&url, form, AUTH_TOKEN))).await
    }
}

async fn silent_daemon() -> Daemon {
    // Nobody answers there: these tests need no provider.
    Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new("http://127.0.0.1:9") }).await
}

fn hook(daemon: &Daemon) -> Hook<'_> {
    Hook { daemon, path: "/v1/receive/main" }
}

async fn customers(daemon: &Daemon) -> usize {
    daemon.get("/v1/customers").await.as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_text_is_taken_and_answered_with_an_empty_document() {
    let daemon = silent_daemon().await;
    let (status, kind, body) =
        hook(&daemon).signed(&form(SID, ANNA, "Hey+%2B+50%25+%C3%A9%F0%9F%98%80")).await;
    assert_eq!(status, 200, "{body}");
    assert!(kind.starts_with("text/xml"), "{kind}");
    assert!(body.contains("Response") && !body.contains("Message"), "{body}");
    let customer = daemon.customer(ANNA).await;
    let messages = daemon.get(&format!("/v1/customers/{customer}/sessions/current/messages")).await;
    assert_eq!(messages[0]["content"], "Hey + 50% é😀");
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tampered_and_unsigned_texts_are_refused_and_leave_no_trace() {
    let daemon = silent_daemon().await;
    let hook = hook(&daemon);
    let url = format!("{}/v1/receive/main", daemon.url);
    let honest = form(SID, ANNA, "Hey");
    let signature = sign(&url, &honest, AUTH_TOKEN);

    let (status, kind, body) = hook.post(&honest, None).await;
    assert_eq!((status, kind.as_str()), (403, "application/problem+json"));
    assert!(body.contains("signature-missing"), "{body}");
    for (form, signature) in [
        (form(SID, ANNA, "Hoy"), signature.clone()),
        (form(SID, "+14155550109", "Hey"), signature.clone()),
        (honest.clone() + "&Extra=1", signature.clone()),
        (honest.clone(), sign(&url, &honest, "another token")),
        (honest.clone(), sign("http://elsewhere.example/v1/receive/main", &honest, AUTH_TOKEN)),
        (honest.clone(), "not base64 at all".into()),
        (honest.clone(), String::new()),
    ] {
        let (status, _, body) = hook.post(&form, Some(&signature)).await;
        assert_eq!(status, 403, "{body}");
    }
    assert_eq!(customers(&daemon).await, 0);
    assert!(!daemon.log().contains(AUTH_TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_header_has_no_say_in_the_signature() {
    let daemon = silent_daemon().await;
    let honest = form(SID, ANNA, "Hey");
    let answer = daemon
        .http
        .post(format!("{}/v1/receive/main", daemon.url))
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-twilio-signature", sign("http://evil.example/v1/receive/main", &honest, AUTH_TOKEN))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(honest)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_text_is_taken_once_also_when_it_is_repeated_at_once() {
    let daemon = silent_daemon().await;
    let text = form(SID, ANNA, "Hey");
    let hook = hook(&daemon);
    let (a, b, c) = tokio::join!(hook.signed(&text), hook.signed(&text), hook.signed(&text));
    assert_eq!([a.0, b.0, c.0, hook.signed(&text).await.0], [200; 4]);
    let customer = daemon.customer(ANNA).await;
    let messages = daemon.get(&format!("/v1/customers/{customer}/sessions/current/messages")).await;
    assert_eq!(messages.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_in_words() {
    let daemon = silent_daemon().await;
    for (wrong, word) in [
        (form(SID, "%21%21", "Hey"), "From"),
        (form("", ANNA, "Hey"), "MessageSid"),
        (form(SID, ANNA, "Hey").replace("From=", "Form="), "From"),
        (form(SID, ANNA, "Hey").replace(ACCOUNT, "AC99999999999999999999999999999999"), "AccountSid"),
    ] {
        let (status, kind, body) = hook(&daemon).signed(&wrong).await;
        assert_eq!((status, kind.as_str()), (422, "application/problem+json"), "{body}");
        assert!(body.contains(word), "{body}");
    }
    let (status, _, body) = hook(&daemon).post(&form(SID, ANNA, "%FF%FE"), Some("x")).await;
    assert_eq!(status, 422, "not UTF-8, so not what anybody signed: {body}");
    assert_eq!(customers(&daemon).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_channel_is_not_there() {
    let daemon = silent_daemon().await;
    let (status, kind, body) =
        Hook { daemon: &daemon, path: "/v1/receive/nowhere" }.signed(&form(SID, ANNA, "Hey")).await;
    assert_eq!((status, kind.as_str()), (404, "application/problem+json"));
    assert!(body.contains("unknown-channel"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_in_any_order_set_delivered_at_once() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    // The provider's own receipts do not come: this test writes them itself.
    provider.calls_back(&daemon);
    provider.faults(serde_json::json!({"receipts": {"lost": 1.0}})).await;
    provider.text(ANNA, BRAND, "Hey").await;
    let arrived = provider.until_arrived(ANNA, 1).await;
    let sid = arrived[0]["sid"].as_str().unwrap().to_owned();
    let customer = daemon.customer(ANNA).await;
    let messages = daemon.get(&format!("/v1/customers/{customer}/sessions/current/messages")).await;
    let id = messages[0]["id"].as_str().unwrap().to_owned();
    daemon.delivery(&id, &["sent"]).await;

    let hook = Hook { daemon: &daemon, path: "/v1/receive/main/status" };
    let receipt = |status: &str| {
        format!("MessageSid={sid}&AccountSid={ACCOUNT}&MessageStatus={status}&To=%2B14155550101")
    };
    assert_eq!(hook.post(&receipt("delivered"), Some("forged")).await.0, 403);
    assert_eq!(hook.signed(&receipt("delivered")).await.0, 200);
    let first = daemon.get(&format!("/v1/messages/{id}")).await["delivered_at"].clone();
    assert!(first.is_string());
    for status in ["sent", "delivered", "failed", "queued"] {
        assert_eq!(hook.signed(&receipt(status)).await.0, 200);
    }
    assert_eq!(daemon.get(&format!("/v1/messages/{id}")).await["delivered_at"], first);
    assert_eq!(daemon.delivery(&id, &["delivered"]).await["status"], "delivered");
    assert_eq!(
        hook.signed("MessageSid=SM000000000000000000000000000000bb&MessageStatus=sent").await.0,
        200,
        "kept until its id appears"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_report_mode_an_unsigned_text_is_taken_and_complained_about() {
    let mut setup = Setup { bot: "kind = \"none\"".into(), ..Setup::new("http://127.0.0.1:9") };
    setup.api_base = "http://127.0.0.1:9\"\nsignature = \"report".into();
    let daemon = Daemon::start(&setup).await;
    assert_eq!(hook(&daemon).post(&form(SID, ANNA, "Hey"), None).await.0, 200);
    assert_eq!(customers(&daemon).await, 1);
    assert!(daemon.log().contains("signature"), "{}", daemon.log());
}
