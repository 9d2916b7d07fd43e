//! The companies that carry texts: the trait [`Provider`], one adapter a folder, all with one skeleton
//! (`config`, `client`, `webhook`, `signature`, `errors`). An adapter understands its vendor; it knows nothing of
//! sessions, bots or the store.

use async_trait::async_trait;

use crate::domain::delivery::{DeliveryError, ReceiptStatus};
use crate::domain::ids::MessageId;
use crate::domain::keywords::Keyword;
use crate::domain::message::Media;
use crate::domain::pause::Rest;
use crate::domain::phone::Address;
use crate::domain::time::Timestamp;

pub mod simulator;
pub mod twilio;

/// What an adapter's vendor can do. Callers ask this, never the adapter's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Capability {
    /// It can list what it has taken, so that an unknown send can be settled by asking.
    pub lists_sent: bool,
    /// It can list what customers texted, so that what was missed can be taken later.
    pub lists_received: bool,
    /// It says what becomes of a text.
    pub receipts: bool,
    /// It can be asked what became of a text, too.
    pub fetches_status: bool,
    /// It answers STOP, START and HELP itself.
    pub answers_keywords: bool,
}

/// A provider's call, as it came in.
#[derive(Clone, Debug)]
pub struct WebhookRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The URL that the provider was given: the configured public URL with this request's path and query, byte for
    /// byte. Never made from the Host header.
    pub url: String,
    /// The query as it came, without `?`.
    pub query: Option<String>,
    pub content_type: Option<String>,
    /// Looks a header up by its name in lower case.
    pub headers: http::HeaderMap,
    pub body: bytes::Bytes,
}

/// Why a webhook is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the request carries no signature")]
    Missing,
    #[error(
        "the signature does not match; check auth_token and public_url (the provider signed for another URL or with another token)"
    )]
    Mismatch,
    #[error("the body's hash does not match the signed one")]
    BodyMismatch,
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
}

/// Why a believed webhook cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("the body is not a form in UTF-8: {0}")]
    NotAForm(String),
}

/// A customer's text, in our terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderText {
    /// The provider's id of it; a repeat has the same.
    pub provider_id: String,
    pub from: Address,
    /// The number or short code of ours that it was sent to.
    pub to: String,
    /// The messaging service that the number belongs to, if any.
    pub service: Option<String>,
    pub content: String,
    pub media: Vec<Media>,
    pub sent_at: Option<Timestamp>,
    pub keyword: Option<Keyword>,
}

/// What the provider says about a text of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReceipt {
    pub provider_id: String,
    /// Our own id, which we had put into the callback's URL.
    pub message_id: Option<MessageId>,
    pub status: ReceiptStatus,
}

/// What the provider wants to hear back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub content_type: &'static str,
    pub body: &'static str,
}

/// A text that is to leave now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingText {
    pub message_id: MessageId,
    /// A number, short code or messaging service of ours.
    pub sender: String,
    pub to: String,
    pub content: String,
    /// Where the provider reports to: the channel's public status URL, without our message id in it.
    pub status_url: String,
    /// How long the provider may hold it, in seconds.
    pub valid_for_s: Option<u64>,
}

/// What came of handing a text over. *Definite* outcomes say whether it was taken; *unknown* does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Accepted {
        provider_id: String,
        from: Option<String>,
    },
    /// Not taken. `retry_after_s`: when the provider says to come back.
    Refused {
        error: DeliveryError,
        retry_after_s: Option<u64>,
    },
    /// It may or may not have been taken.
    Unknown {
        error: DeliveryError,
    },
}

/// What the provider has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRecord {
    pub provider_id: String,
    pub to: String,
    pub from: Option<String>,
    pub content: String,
    pub created_at: Timestamp,
}

/// What of the past is asked for at once. Providers list by days of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub since: Timestamp,
    /// The end of that day. None: all that there is; it is the last day, and the provider's may have ended already.
    pub until: Option<Timestamp>,
}

impl Span {
    /// The first one of all that came since then.
    pub fn first(since: Timestamp, now: Timestamp) -> Self {
        Self { since, until: Some(since.next_day()).filter(|until| *until <= now) }
    }

    pub fn has(&self, moment: Timestamp) -> bool {
        self.since <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// What customers texted, as the provider has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The oldest first; each has its time.
    pub texts: Vec<ReceivedText>,
    /// There is more than is held at once: only what came before that moment is certain to be there.
    pub complete_until: Option<Timestamp>,
    /// How many more there are that nothing can be made of.
    pub unreadable: usize,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedText {
    /// With the same id as its webhook. Its media are still to be asked for.
    pub text: ProviderText,
    pub has_media: bool,
}

/// The provider could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the provider could not be asked: {0}")]
pub struct AskError(pub String);

/// One account with one provider.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    fn capability(&self) -> Capability;

    /// Whether the call is the provider's. Checked before anything else of it is read.
    fn verify(&self, request: &WebhookRequest) -> Result<(), SignatureError>;
    /// A customer's text.
    fn parse_text(&self, request: &WebhookRequest) -> Result<ProviderText, ParseError>;
    /// A receipt. `now`: when it arrived.
    fn parse_receipt(&self, request: &WebhookRequest, now: Timestamp) -> Result<ProviderReceipt, ParseError>;
    fn acknowledge(&self) -> Acknowledgement;

    /// Hands a text over, once: never tries again by itself.
    async fn send(&self, text: &OutgoingText) -> Sent;
    /// What rests after a refusal or a receipt with this error: nothing, a sender, or the account.
    fn rest_after(&self, error: &DeliveryError, _now: Timestamp) -> Option<Rest> {
        Rest::of_class(error.class)
    }
    /// What the provider has taken for `to` since `since`, by sender (unless that is a service) and date.
    async fn list_sent(&self, sender: &str, to: &str, since: Timestamp) -> Result<Vec<SentRecord>, AskError>;
    /// What customers texted to `sender` in that span, or a little earlier or later. All of it: a list that is cut short
    /// is an error, or says until when it is complete. Of a service: what its numbers got.
    async fn list_received(&self, sender: &str, span: Span) -> Result<Received, AskError>;
    /// What came with a text that is listed.
    async fn received_media(&self, provider_id: &str) -> Result<Vec<Media>, AskError>;
    /// What the provider says now of a text that it took, as a receipt. None: it does not know it.
    async fn fetch_status(
        &self,
        _provider_id: &str,
        _now: Timestamp,
    ) -> Result<Option<ReceiptStatus>, AskError> {
        Err(AskError("it tells nothing of a single text".into()))
    }
    /// Whether the provider can be reached and accepts our credentials. In words for whoever runs `check`.
    async fn check(&self) -> Result<String, AskError>;
}
