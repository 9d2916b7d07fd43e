//! What Twilio says of one text when it is asked: the same words as in a receipt.

use jiff::fmt::rfc2822;
use serde::Deserialize;

use super::client::{Client, MAX_ANSWER_BYTES};
use super::webhook;
use crate::domain::delivery::ReceiptStatus;
use crate::domain::time::Timestamp;
use crate::provider::AskError;

#[derive(Deserialize)]
struct Fetched {
    status: String,
    error_code: Option<u32>,
    /// RFC 2822, to the second.
    date_updated: Option<String>,
}

/// None: Twilio has no such text, or not any more.
pub async fn fetch_status(
    client: &Client,
    sid: &str,
    now: Timestamp,
) -> Result<Option<ReceiptStatus>, AskError> {
    if !webhook::is_sid(sid) {
        return Err(AskError("the provider's id of the text is not one that can be asked for".into()));
    }
    let Some(answer) = client.find(&client.message_path(sid), MAX_ANSWER_BYTES).await? else {
        return Ok(None);
    };
    read_status(&answer.body, now).map(Some)
}

pub(super) fn read_status(body: &[u8], now: Timestamp) -> Result<ReceiptStatus, AskError> {
    let fetched: Fetched = serde_json::from_slice(body)
        .map_err(|error| AskError(format!("what it says of the text cannot be read: {error}")))?;
    let at = fetched.date_updated.as_deref().and_then(moment).map_or(now, |updated| updated.min(now));
    Ok(webhook::receipt_status(&fetched.status, fetched.error_code, at))
}

/// When that became so is nearer to the truth than when it was asked.
fn moment(text: &str) -> Option<Timestamp> {
    let moment = rfc2822::parse(text).ok()?;
    Some(Timestamp::from_millis(moment.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::ACCOUNT_SID;
    use super::super::scripted_server::{Act, ScriptedServer, client};
    use super::*;
    use crate::domain::delivery::{ErrorClass, ReceiptStage};

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:30:00Z").unwrap()
    }

    async fn fetched(act: Act) -> Result<Option<ReceiptStatus>, AskError> {
        let server = ScriptedServer::start(vec![act]).await;
        let fetched = fetch_status(&client(&server.base), "SM1", now()).await;
        let line = format!("GET /2010-04-01/Accounts/{ACCOUNT_SID}/Messages/SM1.json HTTP/1.1");
        assert_eq!(server.seen()[0].line, line);
        fetched
    }

    #[tokio::test]
    async fn a_text_is_asked_for_by_its_id_and_its_state_read_as_a_receipts() {
        let body = r#"{"sid":"SM1","status":"delivered","error_code":null,"date_updated":"Sat, 21 Nov 2026 12:00:05 +0000"}"#;
        let status = fetched(Act::answer(200, body)).await.unwrap().unwrap();
        assert_eq!((status.stage, status.raw.as_str()), (ReceiptStage::Delivered, "delivered"));
        assert_eq!((status.error, status.at.to_string().as_str()), (None, "2026-11-21T12:00:05.000Z"));
        let body = r#"{"status":"undelivered","error_code":30003,"date_updated":null}"#;
        let status = fetched(Act::answer(200, body)).await.unwrap().unwrap();
        assert_eq!((status.stage, status.at), (ReceiptStage::Undelivered, now()));
        assert_eq!(status.error.unwrap().class, ErrorClass::Transient);
    }

    #[tokio::test]
    async fn that_it_is_not_known_is_an_answer_and_anything_else_is_none() {
        assert_eq!(fetched(Act::answer(404, r#"{"code":20404,"status":404}"#)).await.unwrap(), None);
        for act in [
            Act::answer(500, ""),
            Act::answer(429, r#"{"code":20429}"#),
            Act::answer(200, "<html>"),
            Act::HangUp,
            Act::BreakOff { status: 200 },
        ] {
            assert!(fetched(act.clone()).await.is_err(), "{act:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_id_is_not_put_into_a_path() {
        let client = client("http://127.0.0.1:1");
        for sid in ["", "../Keys", "SM1/Media", "SM1?x", "SM 1"] {
            let error = fetch_status(&client, sid, now()).await.unwrap_err();
            assert!(error.0.contains("not one that can be asked for"), "{sid}: {error}");
        }
    }
}
