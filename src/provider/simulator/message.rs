//! Owns one text as the provider keeps it: its states, its steps to come, and how it is written as a resource of
//! the API and as the fields of a receipt.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::dates;
use super::fate;
use super::faults::Dice;
use super::texts::media_type;
use crate::domain::segments::analyse;
use crate::domain::time::Timestamp;

pub(super) const API_VERSION: &str = "2010-04-01";

/// The provider's states, in its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Accepted,
    Scheduled,
    Queued,
    Sending,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Canceled,
    Received,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Received => "received",
        }
    }

    /// Whether the resource may be redacted or deleted.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Undelivered | Self::Failed | Self::Canceled | Self::Received)
    }
}

/// A change of state to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub at: Timestamp,
    pub status: Status,
    pub error: Option<u32>,
}

/// A receipt, ready to be posted.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub url: String,
    pub sid: String,
    pub fields: Vec<(String, String)>,
    /// The same on every try and repeat.
    pub token: String,
}

/// One text, of either direction.
#[derive(Debug)]
pub(super) struct Message {
    pub sid: String,
    pub service: Option<String>,
    /// Chosen at once, also where the resource does not tell yet.
    pub from: String,
    pub to: String,
    pub body: String,
    pub media: Vec<String>,
    pub inbound: bool,
    pub status: Status,
    pub segments: u32,
    pub error: Option<u32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub status_callback: Option<String>,
    /// What is still to happen, soonest first.
    pub plan: VecDeque<Step>,
    /// A receipt that waits for the next one to overtake it.
    pub held: Option<Receipt>,
    /// What decides about the faults of its receipts.
    pub dice: Dice,
}

impl Message {
    /// An outgoing text without media, service, receipts, plan or id.
    pub(super) fn new(from: String, to: String, body: String, status: Status, now: Timestamp) -> Self {
        Self {
            sid: String::new(),
            service: None,
            from,
            to,
            segments: analyse(&body).segments,
            body,
            media: Vec::new(),
            inbound: false,
            status,
            error: None,
            created_at: now,
            updated_at: now,
            sent_at: None,
            status_callback: None,
            plan: VecDeque::new(),
            held: None,
            dice: Dice::new(0, 0),
        }
    }

    /// Takes the next step of the plan.
    pub(super) fn step(&mut self) -> Option<Step> {
        let step = self.plan.pop_front()?;
        self.status = step.status;
        self.error = step.error;
        self.updated_at = step.at;
        if step.status == Status::Sent {
            self.sent_at = Some(step.at);
        }
        Some(step)
    }

    /// The date that lists are filtered by: sent, or else created.
    pub(super) fn listed_at(&self) -> Timestamp {
        self.sent_at.unwrap_or(self.created_at)
    }

    /// Until a service has queued the text, the provider does not say from where it will go.
    fn sender_is_open(&self) -> bool {
        matches!(self.status, Status::Accepted | Status::Scheduled)
    }

    /// The resource of the API.
    pub(super) fn resource(&self, account_sid: &str) -> Value {
        let uri = format!("/{API_VERSION}/Accounts/{account_sid}/Messages/{}", self.sid);
        let open = self.sender_is_open();
        json!({
            "sid": self.sid,
            "account_sid": account_sid,
            "messaging_service_sid": self.service,
            "from": if open { None } else { Some(&self.from) },
            "to": self.to,
            "body": self.body,
            "status": self.status.as_str(),
            "direction": if self.inbound { "inbound" } else { "outbound-api" },
            "num_segments": if open { 0 } else { self.segments }.to_string(),
            "num_media": self.media.len().to_string(),
            "price": null,
            "price_unit": "USD",
            "error_code": self.error,
            "error_message": self.error.map(fate::words),
            "date_created": dates::rfc2822(self.created_at),
            "date_updated": dates::rfc2822(self.updated_at),
            "date_sent": self.sent_at.map(dates::rfc2822),
            "uri": format!("{uri}.json"),
            "subresource_uris": {
                "media": format!("{uri}/Media.json"),
                "feedback": format!("{uri}/Feedback.json"),
            },
            "api_version": API_VERSION,
            "tags": null,
        })
    }

    /// What came with it, as the API lists it. The files stay where the customer has them.
    pub(super) fn media_list(&self, account_sid: &str) -> Value {
        let uri = format!("/{API_VERSION}/Accounts/{account_sid}/Messages/{}/Media", self.sid);
        let media = self.media.iter().enumerate().map(|(at, url)| {
            let sid = format!("ME{}{at:02x}", self.sid.get(2..32).unwrap_or_default());
            json!({
                "sid": sid,
                "account_sid": account_sid,
                "parent_sid": self.sid,
                "content_type": media_type(url),
                "date_created": dates::rfc2822(self.created_at),
                "date_updated": dates::rfc2822(self.created_at),
                "uri": format!("{uri}/{sid}.json"),
            })
        });
        json!({
            "media_list": media.collect::<Vec<_>>(),
            "page": 0,
            "page_size": 50,
            "uri": format!("{uri}.json"),
            "next_page_uri": null,
        })
    }

    /// The form of a receipt for the state that the text is in.
    pub(super) fn receipt_fields(&self, account_sid: &str) -> Vec<(String, String)> {
        let status = self.status.as_str();
        let mut fields = vec![
            ("MessageSid", self.sid.clone()),
            ("SmsSid", self.sid.clone()),
            ("MessageStatus", status.to_owned()),
            ("SmsStatus", status.to_owned()),
            ("To", self.to.clone()),
            ("From", self.from.clone()),
            ("AccountSid", account_sid.to_owned()),
            ("ApiVersion", API_VERSION.to_owned()),
        ];
        if let Some(service) = &self.service {
            fields.push(("MessagingServiceSid", service.clone()));
        }
        if let Some(code) = self.error {
            fields.push(("ErrorCode", code.to_string()));
            fields.push(("ErrorMessage", fate::words(code).to_owned()));
        }
        if matches!(self.status, Status::Delivered | Status::Undelivered) {
            fields.push(("RawDlrDoneDate", dates::carrier_minute(self.updated_at)));
        }
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
