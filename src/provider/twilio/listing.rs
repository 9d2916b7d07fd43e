//! Twilio's list of messages, page by page, and what it has taken from us: the evidence for texts of unknown fate. An
//! incomplete list is an error and never a short list. What it has for us is in `received`.

use std::ops::ControlFlow;

use form_urlencoded::Serializer;
use jiff::fmt::rfc2822;
use serde::Deserialize;

use super::client::{Client, is_service};
use crate::domain::time::Timestamp;
use crate::provider::{AskError, SentRecord};

/// The largest page that Twilio gives. One customer's texts of a few days fit into one.
pub const PAGE_SIZE: &str = "1000";
const MAX_PAGES: usize = 10;
/// A thousand of the longest texts with all that is said about them.
const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct Page {
    pub messages: Vec<Listed>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
pub struct Listed {
    pub sid: String,
    pub to: String,
    pub from: Option<String>,
    pub body: Option<String>,
    pub direction: String,
    /// RFC 2822, to the second.
    date_created: String,
    pub messaging_service_sid: Option<String>,
    /// A number, as a text.
    pub num_media: Option<String>,
}

/// Everything that went to `to` since the UTC day of `since`: Twilio counts in days, and by its own clock, so that a
/// finer cut here could hide the very text that is looked for.
pub async fn list_sent(
    client: &Client,
    sender: &str,
    to: &str,
    since: Timestamp,
) -> Result<Vec<SentRecord>, AskError> {
    let mut records = Vec::new();
    pages(client, &query(sender, to, since)?, MAX_PAGES, |mut listed| {
        listed.retain(|listed| !is_another_services(listed, sender));
        records.extend(sent(listed)?);
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    Ok(records)
}

/// Hands the pages of a list over, one after the other, until the last one or until `take` breaks off.
pub async fn pages(
    client: &Client,
    query: &str,
    max_pages: usize,
    mut take: impl FnMut(Vec<Listed>) -> Result<ControlFlow<()>, AskError>,
) -> Result<(), AskError> {
    let messages_path = client.messages_path();
    let mut next = Some(format!("{messages_path}?{query}"));
    for _ in 0..max_pages {
        let Some(path) = next else { return Ok(()) };
        let page = page(client, &path).await?;
        if take(page.messages)?.is_break() {
            return Ok(());
        }
        next = page.next_page_uri.filter(|uri| !uri.is_empty());
        // The credentials go with the request: nowhere but to this account's list.
        if next.as_ref().is_some_and(|uri| !uri.starts_with(&format!("{messages_path}?"))) {
            return Err(AskError("the list goes on at another place than the account's list".into()));
        }
    }
    match next {
        None => Ok(()),
        Some(_) => Err(AskError(format!("the list has more than {max_pages} pages"))),
    }
}

fn query(sender: &str, to: &str, since: Timestamp) -> Result<String, AskError> {
    let mut query = Serializer::new(String::new());
    query.append_pair("To", to);
    // Which of its numbers a messaging service chose is not known here.
    if !is_service(sender) {
        query.append_pair("From", sender);
    }
    query.append_pair("DateSent>", &day(since)?).append_pair("PageSize", PAGE_SIZE);
    Ok(query.finish())
}

/// Vendors that are compatible with Twilio may not name the service at all: without one, it may be the one that is meant.
fn is_another_services(listed: &Listed, sender: &str) -> bool {
    is_service(sender) && listed.messaging_service_sid.as_deref().is_some_and(|service| service != sender)
}

/// The UTC day of a moment, as Twilio's filters take it.
pub fn day(moment: Timestamp) -> Result<String, AskError> {
    let moment =
        jiff::Timestamp::from_millisecond(moment.as_millis()).map_err(|error| AskError(error.to_string()))?;
    Ok(moment.strftime("%Y-%m-%d").to_string())
}

async fn page(client: &Client, path: &str) -> Result<Page, AskError> {
    read_page(&client.get(path, MAX_PAGE_BYTES).await?.body)
}

pub(super) fn read_page(body: &[u8]) -> Result<Page, AskError> {
    serde_json::from_slice(body).map_err(|error| AskError(format!("the list cannot be read: {error}")))
}

/// What of it went to customers.
pub(super) fn sent(listed: Vec<Listed>) -> Result<Vec<SentRecord>, AskError> {
    listed.into_iter().filter(|listed| is_ours(&listed.direction)).map(record).collect()
}

fn is_ours(direction: &str) -> bool {
    matches!(direction, "outbound-api" | "outbound-reply")
}

impl Listed {
    pub fn created_at(&self) -> Result<Timestamp, AskError> {
        let created = rfc2822::parse(&self.date_created)
            .map_err(|error| AskError(format!("date_created of {} cannot be read: {error}", self.sid)))?;
        Ok(Timestamp::from_millis(created.timestamp().as_millisecond()))
    }
}

fn record(listed: Listed) -> Result<SentRecord, AskError> {
    Ok(SentRecord {
        created_at: listed.created_at()?,
        provider_id: listed.sid,
        to: listed.to,
        from: listed.from,
        content: listed.body.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::ACCOUNT_SID;
    use super::super::scripted_server::{Act, ScriptedServer, client};
    use super::*;

    fn listed(sid: &str, direction: &str) -> serde_json::Value {
        serde_json::json!({
            "sid": sid, "to": "+14155550101", "from": "+12125550100", "body": "hi", "direction": direction,
            "date_created": "Sat, 21 Nov 2026 12:00:05 +0000", "date_sent": null, "error_code": null,
        })
    }

    fn page(messages: &[serde_json::Value], next: Option<&str>) -> Act {
        Act::answer(
            200,
            serde_json::json!({ "messages": messages, "next_page_uri": next, "page": 0 }).to_string(),
        )
    }

    fn since() -> Timestamp {
        Timestamp::parse("2026-11-21T23:59:59.999Z").unwrap()
    }

    async fn list(acts: Vec<Act>, sender: &str) -> (Result<Vec<SentRecord>, AskError>, Vec<String>) {
        let server = ScriptedServer::start(acts).await;
        let listed = list_sent(&client(&server.base), sender, "+14155550101", since()).await;
        (listed, server.seen().into_iter().map(|request| request.line).collect())
    }

    fn messages_path() -> String {
        format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json")
    }

    #[tokio::test]
    async fn what_was_sent_is_listed_by_customer_number_and_day() {
        let (records, lines) = list(vec![page(&[listed("SM1", "outbound-api")], None)], "+12125550100").await;
        let expected = SentRecord {
            provider_id: "SM1".into(),
            to: "+14155550101".into(),
            from: Some("+12125550100".into()),
            content: "hi".into(),
            created_at: Timestamp::parse("2026-11-21T12:00:05Z").unwrap(),
        };
        assert_eq!(records.unwrap(), [expected]);
        let query = "To=%2B14155550101&From=%2B12125550100&DateSent%3E=2026-11-21&PageSize=1000";
        assert_eq!(lines, [format!("GET {}?{query} HTTP/1.1", messages_path())]);
    }

    #[tokio::test]
    async fn a_service_is_asked_for_without_its_number() {
        let (records, lines) = list(vec![page(&[], None)], "MG1").await;
        assert_eq!(records.unwrap(), []);
        assert!(!lines[0].contains("From"));
    }

    #[tokio::test]
    async fn what_went_by_another_service_is_not_listed() {
        let by = |sid: &str, service: serde_json::Value| {
            let mut listed = listed(sid, "outbound-api");
            listed["messaging_service_sid"] = service;
            listed
        };
        let messages = [by("SM1", "MG1".into()), by("SM2", "MG2".into()), by("SM3", serde_json::Value::Null)];
        let (records, _) = list(vec![page(&messages, None)], "MG1").await;
        let ids: Vec<_> = records.unwrap().into_iter().map(|record| record.provider_id).collect();
        assert_eq!(ids, ["SM1", "SM3"]);
    }

    #[tokio::test]
    async fn pages_are_followed_and_customers_texts_left_out() {
        let next = format!("{}?Page=1&PageToken=x", messages_path());
        let first = [listed("SM1", "outbound-reply"), listed("SM2", "inbound")];
        let (records, lines) =
            list(vec![page(&first, Some(&next)), page(&[listed("SM3", "outbound-api")], None)], "+1").await;
        let ids: Vec<_> = records.unwrap().into_iter().map(|record| record.provider_id).collect();
        assert_eq!(ids, ["SM1", "SM3"]);
        assert_eq!(lines[1], format!("GET {next} HTTP/1.1"));
    }

    #[tokio::test]
    async fn a_list_that_leads_elsewhere_is_not_followed() {
        for next in [
            "https://evil.example/x",
            "//evil.example/x",
            "@evil.example/",
            "/2010-04-01/Accounts/AC2/Messages.json?x",
        ] {
            let (records, lines) = list(vec![page(&[], Some(next))], "+1").await;
            assert!(records.is_err(), "{next}");
            assert_eq!(lines.len(), 1);
        }
    }

    #[tokio::test]
    async fn a_list_without_end_is_an_error_and_not_a_short_list() {
        let next = format!("{}?Page=1", messages_path());
        let (records, lines) = list(vec![page(&[], Some(&next)); MAX_PAGES], "+1").await;
        assert!(records.is_err());
        assert_eq!(lines.len(), MAX_PAGES);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_an_error_and_not_an_empty_list() {
        let mut undated = listed("SM1", "outbound-api");
        undated["date_created"] = "yesterday".into();
        for act in [Act::answer(200, "{}"), Act::answer(500, ""), Act::HangUp, page(&[undated], None)] {
            let (records, _) = list(vec![act.clone()], "+1").await;
            assert!(records.is_err(), "{act:?}");
        }
    }
}
