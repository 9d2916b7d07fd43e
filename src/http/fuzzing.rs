//! What must hold for anything that a caller of the API writes into a body or a query. Each function is the body of a
//! target in `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::IntoResponse;
use serde_json::Value;

use super::api::{events, for_every_body};
use super::json::{self, FromFields};
use super::page;
use super::params::Params;
use super::problem::{Kind, Problem};
use super::receive::init;
use crate::domain::event::EventId;
use crate::gateway::events::EventFilter;
use crate::store::Cursor;

/// The longest answer to a body that cannot be read, however long and hostile that body is.
const LONGEST_REFUSAL: usize = 32 * 1024;

/// A body, to every call that takes one.
pub fn api_body(data: &[u8]) {
    for_every_body!(body(data));
}

fn body<T: FromFields>(data: &[u8]) {
    match json::read_fields::<T>(data) {
        Ok(_) => {
            let read = serde_json::from_slice::<Value>(data);
            assert!(read.is_ok_and(|read| read.is_object()), "something was read that is no JSON object");
        }
        Err(problem) => assert_good_refusal(problem),
    }
}

/// The bot's event, whose shape is not ours.
pub fn init_event(data: &[u8]) {
    match json::parse(data).and_then(|event| init::content(&event, 1600).map(str::to_owned)) {
        Ok(content) => assert!(!content.trim().is_empty() && content.len() <= 3 * 1600),
        Err(problem) => assert_good_refusal(problem),
    }
}

/// A path with a query, to the questions that the lists ask; the next page's link leads to the same list.
pub fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut params = Params::of(&text);
    let request = params.page();
    params.flag("need_attention");
    params.parsed::<u64>("place", "a number");
    params.expand(&["messages", "customer"]);
    match params.finish() {
        Ok(()) => assert!((1..=1000).contains(&request.limit), "a limit out of bounds"),
        Err(problem) => assert_good_refusal(problem),
    }

    let Some(uri) = Uri::try_from(data).ok().filter(|uri| uri.path().starts_with('/')) else { return };
    let link = page::next_link(uri.path(), &uri, &Cursor(data.to_vec()));
    assert!(HeaderValue::try_from(&link).is_ok(), "the way to the next page would be lost");
    let next = link.strip_prefix('<').and_then(|link| link.split_once(">; rel=")).map(|(next, _)| next);
    let next: Option<Uri> = next.and_then(|next| next.parse().ok());
    let Some(next) = next else { panic!("a link that is no link") };
    assert_eq!(next.path(), uri.path());
    let mut params = Params::of(next.query().unwrap_or_default());
    assert_eq!(params.page().after, Some(Cursor(data.to_vec())), "the cursor does not read back");
}

/// What somebody asks who follows the events: the header `Last-Event-ID`, and after the first line the query.
pub fn follow(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, query) = data.split_at(split);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        headers.insert("last-event-id", value);
    }
    let query = String::from_utf8_lossy(query.get(1..).unwrap_or_default());
    match events::asked(&headers, Params::of(&query)) {
        Ok((filter, after)) => {
            for name in &filter.names {
                assert!(EventFilter::check_name(name).is_ok(), "a name that can never come");
                assert!(name.ends_with('*') || filter.takes(name, filter.customer_id, filter.session_id));
            }
            if let Some(id) = after {
                assert_eq!(id.to_string().parse::<EventId>().ok(), Some(id), "the id does not read back");
                assert!(id.place() < u64::MAX, "there is a place after it");
            }
        }
        Err(problem) => assert_good_refusal(problem),
    }
}

fn assert_good_refusal(problem: Problem) {
    let told = [Kind::InvalidBody, Kind::MalformedBody, Kind::InvalidQuery, Kind::InvalidHeader];
    assert!(told.contains(&problem.kind()), "a caller's mistake is told as such");
    let words: usize = problem.errors().iter().map(|error| error.pointer.len() + error.detail.len()).sum();
    assert!(words + problem.detail().len() <= LONGEST_REFUSAL, "the answer grows with the body");
    assert!(problem.into_response().status().is_client_error());
}
