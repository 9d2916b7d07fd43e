//! Handing one text to Twilio: what is asked, and what the answer, or its absence, means for the text.

use http::{HeaderMap, header};
use serde::Deserialize;

use crate::domain::delivery::ErrorClass;
use crate::domain::retry;
use crate::provider::{OutgoingText, Sent};

use super::client::{Answer, Client, Failure, is_service, refusal};
use super::{errors, webhook};

/// How long Twilio may be asked to hold a text, in seconds.
const VALIDITY_S: std::ops::RangeInclusive<u64> = 1..=36_000;

#[derive(Deserialize)]
struct Created {
    sid: String,
    from: Option<String>,
}

pub async fn send(client: &Client, text: &OutgoingText) -> Sent {
    match client.post(&client.messages_path(), &send_form(text)).await {
        Ok(answer) => outcome(&answer),
        Err(failure) => outcome_of_failure(failure),
    }
}

fn send_form(text: &OutgoingText) -> Vec<(&'static str, String)> {
    let sender = if is_service(&text.sender) { "MessagingServiceSid" } else { "From" };
    let validity_s = text.valid_for_s.map(|seconds| seconds.clamp(*VALIDITY_S.start(), *VALIDITY_S.end()));
    let mut form = vec![
        ("To", text.to.clone()),
        (sender, text.sender.clone()),
        ("Body", text.content.clone()),
        ("StatusCallback", status_callback(text)),
    ];
    form.extend(validity_s.map(|seconds| ("ValidityPeriod", seconds.to_string())));
    form
}

/// The status URL with our id in its query, in front of any connection overrides (`#rc=5`).
fn status_callback(text: &OutgoingText) -> String {
    let (url, fragment) = match text.status_url.find('#') {
        Some(at) => text.status_url.split_at(at),
        None => (text.status_url.as_str(), ""),
    };
    let join = if url.contains('?') { '&' } else { '?' };
    format!("{url}{join}{}={}{fragment}", webhook::MESSAGE_ID_PARAMETER, text.message_id)
}

pub(super) fn outcome(answer: &Answer) -> Sent {
    if answer.status.is_success() {
        return match serde_json::from_slice::<Created>(&answer.body) {
            Ok(created) if !created.sid.is_empty() => {
                Sent::Accepted { provider_id: created.sid, from: created.from }
            }
            _ => unknown(format!("the answer cannot be read (HTTP {})", answer.status.as_u16())),
        };
    }
    let error = refusal(answer);
    match error.class {
        ErrorClass::Unknown => Sent::Unknown { error },
        _ => Sent::Refused { error, retry_after_s: retry_after_s(&answer.headers) },
    }
}

fn outcome_of_failure(failure: Failure) -> Sent {
    let (status, reason) = match failure {
        Failure::NotSent(reason) => return transient(format!("the provider cannot be reached: {reason}")),
        Failure::Broken { status, reason } => (status, reason),
    };
    let by_status = status.map(|status| errors::of_response(status.as_u16(), None));
    match by_status {
        // A refusal is one, also without its reason. Asked again, the provider will say it again.
        Some(error) if error.class == ErrorClass::Permanent => {
            transient(format!("{}, and its reason was not received: {reason}", error.text))
        }
        Some(error) if error.class != ErrorClass::Unknown => Sent::Refused { error, retry_after_s: None },
        _ => unknown(format!("no answer was received: {reason}")),
    }
}

fn transient(text: String) -> Sent {
    Sent::Refused { error: errors::without_code(ErrorClass::Transient, text), retry_after_s: None }
}

fn unknown(text: String) -> Sent {
    Sent::Unknown { error: errors::without_code(ErrorClass::Unknown, text) }
}

fn retry_after_s(headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name)?.to_str().ok();
    retry::asked_for_s(text(header::RETRY_AFTER)?, text(header::DATE))
}

#[cfg(test)]
mod tests;
