//! The delivery object: what became of a message on its way.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Moment, words};
use crate::domain;
use crate::domain::delivery::{DeliveryError, Status};
use crate::domain::ids::MessageId;

/// What became of a message on its way.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "message_id": "9a7c5cf3-0ed5-40b0-8f63-c425bc14afe0",
    "status": "delivered",
    "channel": "main",
    "from": "+15550001111",
    "to": "+15550002222",
    "segments": 1,
    "encoding": "GSM-7",
    "provider_ids": ["SM1f0e8ae6ade43cb3c0ce4525424e404f"],
    "attempts": [{
        "at": "2017-05-02T12:04:42.701Z", "ended_at": "2017-05-02T12:04:42.905Z", "outcome": "accepted",
        "evidence": null
    }],
    "error": null,
    "queued_at": "2017-05-02T12:04:42.694Z",
    "dispatched_at": "2017-05-02T12:04:42.905Z",
    "passed_at": null,
    "held_at": null,
    "provider_status_history": [{"status": "delivered", "error_code": null, "at": "2017-05-02T12:04:44.120Z", "asked": false}],
    "author": "desk",
    "keyword": null,
    "recovered": false
}))]
pub struct Delivery {
    #[schema(value_type = String, format = "uuid")]
    pub message_id: MessageId,
    #[schema(schema_with = words::status)]
    pub status: Status,
    /// The channel of the configuration.
    pub channel: String,
    /// Null until the provider has chosen one of a messaging service's numbers.
    #[schema(required)]
    pub from: Option<String>,
    pub to: String,
    pub segments: u32,
    #[schema(schema_with = words::encoding)]
    pub encoding: &'static str,
    /// The provider's ids of it, the newest last.
    pub provider_ids: Vec<String>,
    pub attempts: Vec<Attempt>,
    /// What went wrong last.
    #[schema(required)]
    pub error: Option<Failure>,
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Moment,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub dispatched_at: Option<Moment>,
    /// When its customer's later texts stopped waiting for it, because it was `unknown` for too long: from then on it may
    /// have arrived out of order. The last time that happened.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub passed_at: Option<Moment>,
    /// Since when it is held: `unknown`, looked for by nobody any more, and sent again only if somebody decides so
    /// (`POST /v1/messages/{message_id}/resend`). A receipt may still settle it.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub held_at: Option<Moment>,
    /// All that the provider said about it.
    pub provider_status_history: Vec<ProviderStatus>,
    /// The name of the token that it was written with; `customer`, `bot` or `gateway` where there was none.
    pub author: String,
    /// `stop`, `start` or `help`, where a customer's text is just that.
    #[schema(required)]
    pub keyword: Option<&'static str>,
    /// A customer's text that the provider could not deliver when it was sent, and was asked for later.
    pub recovered: bool,
}

/// One time that the message was handed to the provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attempt {
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub ended_at: Option<Moment>,
    /// `accepted`, `throttled` (also one that was put back before it was handed over), `transient`, `permanent`, `unknown` …; null while it is under way.
    #[schema(required)]
    pub outcome: Option<String>,
    /// What was found out about an `unknown` one: `found` (in the provider's list), `receipt`, `absent`; or, where nobody
    /// could tell and it was sent again all the same, `resent` (as its channel is set up) or `resent_by_hand`.
    #[schema(required)]
    pub evidence: Option<String>,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = DeliveryError)]
pub struct Failure {
    /// The provider's.
    #[schema(required)]
    pub code: Option<String>,
    #[schema(schema_with = words::error_class)]
    pub class: &'static str,
    pub text: String,
}

/// One thing that the provider said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderStatus {
    /// In the provider's own word.
    pub status: String,
    #[schema(required)]
    pub error_code: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub at: Moment,
    /// Whether it did not say so by itself, but was asked.
    pub asked: bool,
}

impl Delivery {
    pub fn of(message: &domain::message::Message) -> Self {
        let delivery = &message.delivery;
        Self {
            message_id: message.id,
            status: delivery.status,
            channel: delivery.lane.channel.clone(),
            from: delivery.from.clone(),
            to: delivery.to.clone(),
            segments: delivery.segmentation.segments,
            encoding: delivery.segmentation.encoding.as_str(),
            provider_ids: delivery.provider_ids.clone(),
            attempts: delivery.attempts.iter().map(Attempt::of).collect(),
            error: delivery.error.as_ref().map(Failure::of),
            queued_at: delivery.queued_at.into(),
            dispatched_at: delivery.dispatched_at.map(Moment),
            passed_at: delivery.passed_at.map(Moment),
            held_at: message.is_held().then(|| Moment(delivery.held_at.unwrap_or(message.updated_at))),
            provider_status_history: delivery.history.iter().map(ProviderStatus::of).collect(),
            author: message.author.name.clone(),
            keyword: message.keyword.map(crate::domain::keywords::Keyword::as_str),
            recovered: message.recovered,
        }
    }
}

impl Attempt {
    fn of(attempt: &domain::delivery::Attempt) -> Self {
        Self {
            at: attempt.at.into(),
            ended_at: attempt.ended_at.map(Moment),
            outcome: attempt.outcome.clone(),
            evidence: attempt.evidence.clone(),
        }
    }
}

impl Failure {
    pub(super) fn of(error: &DeliveryError) -> Self {
        Self { code: error.code.clone(), class: error.class.as_str(), text: error.text.clone() }
    }
}

impl ProviderStatus {
    fn of(status: &domain::delivery::ProviderStatus) -> Self {
        Self {
            status: status.status.clone(),
            error_code: status.error_code.clone(),
            at: status.at.into(),
            asked: status.asked,
        }
    }
}
