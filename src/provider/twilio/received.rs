//! What Twilio has for us: the texts of customers that it lists, with the ids of their webhooks, and the media that came
//! with them. For taking what was missed, so an incomplete list is an error and never a short list.

use std::ops::ControlFlow;
use std::time::Duration;

use form_urlencoded::Serializer;
use serde::Deserialize;

use super::client::{Client, MAX_ANSWER_BYTES, is_service};
use super::listing::{self, Listed, PAGE_SIZE};
use super::webhook;
use crate::domain::message::Media;
use crate::domain::phone::Address;
use crate::domain::time::Timestamp;
use crate::provider::{AskError, ProviderText, Received, ReceivedText, Span};

/// How much of one day is read, and how much of that is held at once.
#[derive(Clone, Copy)]
struct Bounds {
    pages: usize,
    texts: usize,
}

/// Five million texts of an account in a day, whoever they came from or went to; more is no list that ever ends.
const BOUNDS: Bounds = Bounds { pages: 5_000, texts: 100_000 };
/// The list comes with the newest first. Once it is so much older than what is asked for, nothing younger follows. It is
/// filtered by the day of one date, and read by another one, which is as much earlier at the most.
const ORDER_SLACK: Duration = Duration::from_secs(60 * 60);

#[derive(Deserialize)]
struct MediaPage {
    media_list: Vec<ListedMedia>,
}

#[derive(Deserialize)]
struct ListedMedia {
    content_type: String,
    /// The resource's path, with `.json` at its end; without that it is the file.
    uri: String,
}

/// What came to `sender` in that span. Twilio filters by days, so that there may be more of it. A messaging service's
/// numbers are not known here: the whole account's list is gone through for the texts that came by the service.
pub async fn list_received(client: &Client, sender: &str, span: Span) -> Result<Received, AskError> {
    list_within(client, sender, span, BOUNDS).await
}

async fn list_within(
    client: &Client,
    sender: &str,
    span: Span,
    bounds: Bounds,
) -> Result<Received, AskError> {
    let since = earliest(span);
    let (mut oldest, mut unreadable) = (Oldest { most: bounds.texts, ..Oldest::default() }, 0);
    let (mut last, mut in_order) = (Timestamp::END, true);
    let query = query(sender, span)?;
    let mut pages = 0;
    let listed = listing::pages(client, &query, bounds.pages + 1, |page| {
        pages += 1;
        if pages > bounds.pages {
            let most = bounds.pages;
            return Err(AskError(format!(
                "the list of that day has more than {most} pages; a channel with numbers instead of a messaging service has less to list"
            )));
        }
        for listed in page {
            let created_at = listed.created_at()?;
            in_order &= created_at <= last;
            last = created_at;
            if is_for(&listed, sender) && created_at >= since {
                match text(listed, created_at) {
                    Some(text) => oldest.push(text),
                    None => unreadable += 1,
                }
            }
        }
        let done = in_order && last < since.before(ORDER_SLACK);
        Ok(if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    });
    listed.await.map_err(|AskError(error)| {
        let since = span.since;
        AskError(format!("the texts since {since}: {error}"))
    })?;
    let (texts, complete_until) = oldest.finish();
    Ok(Received { texts, complete_until, unreadable })
}

/// What is sent on a day may have come shortly before it began.
fn earliest(span: Span) -> Timestamp {
    let before = span.since.before(ORDER_SLACK);
    if before.next_day() == span.since { before } else { span.since }
}

/// The oldest texts of a list, of which more may come than are held.
#[derive(Default)]
struct Oldest {
    most: usize,
    /// As they come: the newest first, and of the same second the later one.
    texts: Vec<ReceivedText>,
    /// The first one that is not held.
    complete_until: Option<Timestamp>,
}

impl Oldest {
    fn push(&mut self, text: ReceivedText) {
        self.texts.push(text);
        if self.texts.len() >= self.most * 2 {
            self.drop_newest();
            self.texts.reverse();
        }
    }

    /// The oldest first, and until when they are complete.
    fn finish(mut self) -> (Vec<ReceivedText>, Option<Timestamp>) {
        self.drop_newest();
        (self.texts, self.complete_until)
    }

    /// What is left has the oldest first.
    fn drop_newest(&mut self) {
        self.texts.reverse();
        self.texts.sort_by_key(|received| received.text.sent_at);
        if let Some(first) = self.texts.get(self.most) {
            let until = [first.text.sent_at, self.complete_until];
            self.complete_until = until.into_iter().flatten().min();
            self.texts.truncate(self.most);
        }
    }
}

fn query(sender: &str, span: Span) -> Result<String, AskError> {
    let mut query = Serializer::new(String::new());
    if !is_service(sender) {
        query.append_pair("To", sender);
    }
    let days = if span.until.is_some() { "DateSent" } else { "DateSent>" };
    query.append_pair(days, &listing::day(span.since)?).append_pair("PageSize", PAGE_SIZE);
    Ok(query.finish())
}

fn is_for(listed: &Listed, sender: &str) -> bool {
    let service = listed.messaging_service_sid.as_deref();
    listed.direction == "inbound" && (listed.to == sender || service == Some(sender))
}

/// None if it is from nobody that could be answered, or has no id.
pub(super) fn text(listed: Listed, created_at: Timestamp) -> Option<ReceivedText> {
    if !webhook::is_sid(&listed.sid) {
        return None;
    }
    let text = ProviderText {
        from: Address::parse(listed.from.as_deref()?).ok()?,
        provider_id: listed.sid,
        to: listed.to,
        service: listed.messaging_service_sid,
        content: listed.body.unwrap_or_default().replace('\0', ""),
        media: Vec::new(),
        sent_at: Some(created_at),
        keyword: None,
    };
    let has_media = listed.num_media.is_some_and(|count| count.trim() != "0");
    Some(ReceivedText { text, has_media })
}

/// The media of a text, under the addresses that its webhook would have had.
pub async fn received_media(client: &Client, provider_id: &str) -> Result<Vec<Media>, AskError> {
    let path = client.media_path(provider_id);
    let answer = client.get(&path, MAX_ANSWER_BYTES).await?;
    let mut media = read_media(&answer.body, path.strip_suffix(".json").unwrap_or(&path))?;
    for media in &mut media {
        media.url = client.url(&media.url);
    }
    Ok(media)
}

/// What stands in a list of media, with paths instead of addresses: all of it below that path. Whoever fetches them may
/// send the account's credentials along.
pub(super) fn read_media(body: &[u8], path: &str) -> Result<Vec<Media>, AskError> {
    let page: MediaPage = serde_json::from_slice(body)
        .map_err(|error| AskError(format!("the list of media cannot be read: {error}")))?;
    let media = |media: ListedMedia| {
        let file = media.uri.strip_suffix(".json").unwrap_or(&media.uri);
        let id = file.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'));
        if !id.is_some_and(webhook::is_sid) {
            return Err(AskError("the list of media leads to another place than the text's media".into()));
        }
        Ok(Media { url: file.to_owned(), content_type: media.content_type })
    };
    page.media_list.into_iter().map(media).collect()
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::ACCOUNT_SID;
    use super::super::scripted_server::{Act, ScriptedServer, client};
    use super::*;
    use serde_json::{Value, json};

    fn listed(sid: &str, minute: u32) -> Value {
        json!({
            "sid": sid, "to": "+12125550100", "from": "+14155550101", "body": "hi", "direction": "inbound",
            "date_created": format!("Sat, 21 Nov 2026 12:{minute:02}:05 +0000"), "num_media": "0",
            "messaging_service_sid": null,
        })
    }

    fn with(mut listed: Value, name: &str, value: impl Into<Value>) -> Value {
        listed[name] = value.into();
        listed
    }

    fn page(messages: &[Value], next: Option<&str>) -> Act {
        Act::answer(200, json!({"messages": messages, "next_page_uri": next}).to_string())
    }

    fn since() -> Timestamp {
        Timestamp::parse("2026-11-21T12:10:00Z").unwrap()
    }

    async fn list(acts: Vec<Act>, sender: &str) -> (Result<Received, AskError>, Vec<String>) {
        list_of(acts, sender, Span { since: since(), until: None }, BOUNDS).await
    }

    async fn list_of(
        acts: Vec<Act>,
        sender: &str,
        span: Span,
        bounds: Bounds,
    ) -> (Result<Received, AskError>, Vec<String>) {
        let server = ScriptedServer::start(acts).await;
        let listed = list_within(&client(&server.base), sender, span, bounds).await;
        (listed, server.seen().into_iter().map(|request| request.line).collect())
    }

    fn ids(received: &Received) -> Vec<&str> {
        received.texts.iter().map(|received| received.text.provider_id.as_str()).collect()
    }

    #[tokio::test]
    async fn what_came_to_a_number_is_listed_the_oldest_first() {
        let messages = [listed("SM4", 12), listed("SM3", 11), listed("SM2", 11), listed("SM1", 9)];
        let (received, lines) = list(vec![page(&messages, None)], "+12125550100").await;
        let received = received.unwrap();
        assert_eq!(ids(&received), ["SM2", "SM3", "SM4"]);
        let first = &received.texts[0];
        assert_eq!((first.text.from.as_str(), first.has_media), ("+14155550101", false));
        assert_eq!(first.text.sent_at, Timestamp::parse("2026-11-21T12:11:05Z"));
        let path = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json");
        let query = "To=%2B12125550100&DateSent%3E=2026-11-21&PageSize=1000";
        assert_eq!(lines, [format!("GET {path}?{query} HTTP/1.1")]);
    }

    #[tokio::test]
    async fn a_service_has_what_came_by_it_whatever_the_number() {
        let of_service = |sid| with(listed(sid, 12), "messaging_service_sid", "MG1");
        let ours = with(of_service("SM2"), "to", "+12125550199");
        let reply = with(of_service("SM3"), "direction", "outbound-api");
        let messages = [reply, ours, of_service("SM1"), listed("SM0", 12)];
        let (received, lines) = list(vec![page(&messages, None)], "MG1").await;
        assert_eq!(ids(&received.unwrap()), ["SM1", "SM2"]);
        assert!(!lines[0].contains("To="));
    }

    #[tokio::test]
    async fn pages_are_followed_until_they_are_older_than_what_is_asked_for() {
        let next = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?Page=1");
        let old = with(listed("SM1", 0), "date_created", "Sat, 21 Nov 2026 11:09:59 +0000");
        let acts =
            vec![page(&[listed("SM3", 12)], Some(&next)), page(&[listed("SM2", 11), old], Some(&next))];
        let (received, lines) = list(acts, "+12125550100").await;
        assert_eq!((ids(&received.unwrap()), lines.len()), (vec!["SM2", "SM3"], 2));
        // Where they are in no order, they are followed to their end.
        let old = with(listed("SM1", 0), "date_created", "Sat, 21 Nov 2026 11:09:59 +0000");
        let acts = vec![page(&[old, listed("SM2", 11)], Some(&next)), page(&[listed("SM3", 12)], None)];
        let (received, lines) = list(acts, "+12125550100").await;
        assert_eq!((ids(&received.unwrap()), lines.len()), (vec!["SM2", "SM3"], 2));
    }

    #[tokio::test]
    async fn a_day_that_is_over_is_asked_for_alone_with_what_came_just_before_it() {
        let since = Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        let span = Span::first(since, since.after(Duration::from_secs(2 * 24 * 60 * 60)));
        let before =
            |sid, time| with(listed(sid, 0), "date_created", format!("Fri, 20 Nov 2026 {time} +0000"));
        let messages = [listed("SM3", 1), before("SM2", "23:59:59"), before("SM1", "22:59:59")];
        let (received, lines) = list_of(vec![page(&messages, None)], "+12125550100", span, BOUNDS).await;
        assert_eq!(ids(&received.unwrap()), ["SM2", "SM3"]);
        assert!(lines[0].contains("&DateSent=2026-11-21&"), "{}", lines[0]);
    }

    #[tokio::test]
    async fn of_more_than_is_held_the_oldest_are_and_until_when_is_said() {
        let messages: Vec<_> = (11..=17).rev().map(|minute| listed(&format!("SM{minute}"), minute)).collect();
        for (texts, held, until) in [
            (2, &["SM11", "SM12"][..], Some(13)),
            (6, &["SM11", "SM12", "SM13", "SM14", "SM15", "SM16"], Some(17)),
        ] {
            let bounds = Bounds { pages: 1, texts };
            let span = Span { since: since(), until: None };
            let (received, _) = list_of(vec![page(&messages, None)], "+12125550100", span, bounds).await;
            let received = received.unwrap();
            assert_eq!(ids(&received), held);
            let minute = |minute| Timestamp::parse(&format!("2026-11-21T12:{minute}:05Z")).unwrap();
            assert_eq!(received.complete_until, until.map(minute));
        }
        let bounds = Bounds { pages: 1, texts: 7 };
        let span = Span { since: since(), until: None };
        let (received, _) = list_of(vec![page(&messages, None)], "+12125550100", span, bounds).await;
        let received = received.unwrap();
        assert_eq!((received.texts.len(), received.complete_until), (7, None));
    }

    #[tokio::test]
    async fn a_day_without_end_is_an_error_that_says_which() {
        let next = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?Page=1");
        let bounds = Bounds { pages: 3, texts: 1_000 };
        let span = Span { since: since(), until: None };
        let (received, lines) =
            list_of(vec![page(&[listed("SM1", 12)], Some(&next)); 4], "MG1", span, bounds).await;
        let error = received.unwrap_err().to_string();
        assert!(error.contains("2026-11-21T12:10") && error.contains("3 pages"), "{error}");
        assert_eq!(lines.len(), 4);
    }

    #[tokio::test]
    async fn one_that_nothing_can_be_made_of_does_not_hide_the_others() {
        let nobody = with(listed("SM2", 12), "from", Value::Null);
        let (received, _) = list(vec![page(&[nobody, listed("SM1", 11)], None)], "+12125550100").await;
        let received = received.unwrap();
        assert_eq!((ids(&received), received.unreadable), (vec!["SM1"], 1));
    }

    #[tokio::test]
    async fn a_list_that_breaks_off_is_an_error_and_not_a_short_list() {
        let next = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?Page=1");
        for act in [Act::HangUp, Act::answer(503, ""), Act::answer(200, "{}")] {
            let (received, _) =
                list(vec![page(&[listed("SM1", 12)], Some(&next)), act.clone()], "+12125550100").await;
            assert!(received.is_err(), "{act:?}");
        }
    }

    #[tokio::test]
    async fn media_are_asked_for_and_have_the_addresses_of_the_webhook() {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM1/Media");
        let media = json!({"media_list": [{"content_type": "image/png", "uri": format!("{path}/ME1.json")}]});
        let server = ScriptedServer::start(vec![Act::answer(200, media.to_string())]).await;
        let media = received_media(&client(&server.base), "MM1").await.unwrap();
        assert_eq!(
            media,
            [Media { url: format!("{}{path}/ME1", server.base), content_type: "image/png".into() }]
        );
        assert_eq!(server.seen()[0].line, format!("GET {path}.json HTTP/1.1"));
    }

    #[test]
    fn media_elsewhere_are_not_led_to() {
        let path = "/2010-04-01/Accounts/AC1/Messages/MM1/Media";
        let list = |uri: &str| json!({"media_list": [{"content_type": "image/png", "uri": uri}]}).to_string();
        assert!(read_media(list(&format!("{path}/ME1.json")).as_bytes(), path).is_ok());
        for uri in [
            "@evil.example/x",
            "//evil.example/x",
            "https://evil.example/x",
            "/2010-04-01/Accounts/AC1/Messages/MM1/Media/../../x",
            "/2010-04-01/Accounts/AC1/Messages/MM1/Media/",
            "/2010-04-01/Accounts/AC1/Messages/MM1/MediaX/ME1",
        ] {
            assert!(read_media(list(uri).as_bytes(), path).is_err(), "{uri}");
        }
    }
}
