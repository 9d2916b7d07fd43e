//! What becomes of a message on its way: its states, attempts, outcomes and receipts. States only move forward;
//! every transition is a method of [`Message`], so that no engine can invent one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::Lane;
use super::phone::Address;
use super::segments::Segmentation;
use super::time::Timestamp;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for its turn in its lane.
    Queued,
    /// An attempt is written down; the provider has not answered yet.
    Sending,
    /// The provider has taken it.
    Sent,
    /// The handset has it.
    Delivered,
    /// The carrier says that it did not arrive.
    Undelivered,
    /// It never left: the provider refused it.
    Failed,
    Canceled,
    /// It waited longer than its `valid_for`.
    Expired,
    /// It may or may not have left. Evidence will tell.
    Unknown,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the message still holds its customer's place in the queue: what comes after it waits.
    pub fn holds_queue(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Unknown)
    }
}

/// What kind of thing went wrong, and so what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// This message can never arrive.
    Permanent,
    /// Later it may work.
    Transient,
    /// The customer opted out with the provider.
    OptedOut,
    /// The provider does not accept our credentials.
    Credentials,
    /// The channel or account is set up wrongly.
    Configuration,
    /// Too fast.
    Throttled,
    /// The text was filtered for what it says.
    Content,
    /// Nobody knows whether it was taken.
    Unknown,
}

impl ErrorClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::OptedOut => "opted_out",
            Self::Credentials => "credentials",
            Self::Configuration => "configuration",
            Self::Throttled => "throttled",
            Self::Content => "content",
            Self::Unknown => "unknown",
        }
    }
}

/// What went wrong, in the provider's code and in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryError {
    pub code: Option<String>,
    pub class: ErrorClass,
    pub text: String,
}

/// One time that a message was handed to the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// `accepted`, `receipt` (which came before the answer), `throttled`, `transient`, `channel_fault`, `permanent`,
    /// `unknown`, `never_left`; null while it is under way.
    pub outcome: Option<String>,
    /// What was found out about one that ended `unknown`: see [`fate`].
    #[serde(default)]
    pub evidence: Option<String>,
}

/// The outcome of an attempt whose receipt came before the answer to it.
const BY_RECEIPT: &str = "receipt";
/// The outcome of an attempt that nobody knew of who could have made it.
const NEVER_LEFT: &str = "never_left";

impl Attempt {
    fn ended_by_receipt(&self) -> bool {
        self.outcome.as_deref() == Some(BY_RECEIPT)
    }

    fn may_have_left(&self) -> bool {
        self.outcome.as_deref().is_none_or(|outcome| outcome == "unknown")
    }
}

/// How many attempts of a message are kept: enough to see what went on, however often it was throttled.
const MAX_ATTEMPTS_KEPT: usize = 50;

/// Which texts may go to a customer who is unconfirmed or unsubscribed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    #[default]
    None,
    /// Asks for the proof of the number: goes to the unconfirmed, but never to the unsubscribed.
    Confirmation,
    /// Answers STOP, START or HELP: goes to everybody.
    KeywordReply,
}

/// The longest that the author of a text may ask for it to be worth sending.
pub const LONGEST_VALID_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many different words of a provider's are kept of a message: several times as many as any provider has.
const MAX_HISTORY: usize = 100;

/// One thing that the provider said about a message it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderStatus {
    /// In the provider's own word.
    pub status: String,
    pub error_code: Option<String>,
    pub at: Timestamp,
    /// It did not say so by itself: it was asked.
    #[serde(default)]
    pub asked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub status: Status,
    pub lane: Lane,
    /// The number it came from or goes out by. Null until the provider has chosen one of a messaging service's.
    pub from: Option<String>,
    pub to: String,
    pub segmentation: Segmentation,
    pub provider_ids: Vec<String>,
    /// The last ones, the oldest first. Those that say nothing of its fate are forgotten first.
    pub attempts: Vec<Attempt>,
    /// How many there were in all.
    pub attempts_made: u32,
    /// Which process has the attempt in hand, while it is `sending`.
    pub owner: Option<String>,
    /// How many attempts count against the message (a throttled one does not).
    pub counted_attempts: u32,
    /// How often the provider was asked about it while it was `unknown`.
    pub looks: u32,
    pub error: Option<DeliveryError>,
    pub queued_at: Timestamp,
    /// Not to be sent before then.
    pub ready_at: Timestamp,
    /// Not to be sent after then.
    pub valid_until: Option<Timestamp>,
    pub dispatched_at: Option<Timestamp>,
    /// When it is next seen to, while it is `unknown`: looked for, or passed. None: nobody looks for it any more.
    pub look_at: Option<Timestamp>,
    /// Its customer's later texts do not wait for it, and may be in flight before it; until its next attempt.
    #[serde(default)]
    pub overtaken: bool,
    /// The version of its session when it was written: tells whether the session was switched since.
    #[serde(default)]
    pub session_version: Option<u64>,
    /// When that began, the last time.
    #[serde(default)]
    pub passed_at: Option<Timestamp>,
    /// Since when it is `unknown`, and nobody looks for it any more: a person has to decide.
    #[serde(default)]
    pub held_at: Option<Timestamp>,
    /// How many of the times at which the provider is asked about a silent one are over, while it is `sent`.
    #[serde(default)]
    pub asks: u8,
    pub history: Vec<ProviderStatus>,
    /// Which of the rules of consent do not hold for it.
    pub exemption: Exemption,
    /// What leaves, where that is more than may be shown: a confirmation text with its token.
    pub wire_content: Option<String>,
    /// Taken back while an attempt was under way: should it turn out that it never left, it is not sent again.
    pub recalled: bool,
}

impl Delivery {
    /// A text of ours that waits to be sent.
    pub fn outbound(lane: Lane, to: &Address, segmentation: Segmentation, now: Timestamp) -> Self {
        Self { from: None, to: to.as_str().to_owned(), ..Self::new(Status::Queued, lane, segmentation, now) }
    }

    /// A customer's text, which is there.
    pub fn inbound(
        lane: Lane,
        from: &Address,
        segmentation: Segmentation,
        provider_id: String,
        now: Timestamp,
    ) -> Self {
        Self {
            from: Some(from.as_str().to_owned()),
            to: lane.sender.clone(),
            provider_ids: vec![provider_id],
            ..Self::new(Status::Delivered, lane, segmentation, now)
        }
    }

    fn new(status: Status, lane: Lane, segmentation: Segmentation, now: Timestamp) -> Self {
        Self {
            status,
            lane,
            from: None,
            to: String::new(),
            segmentation,
            provider_ids: Vec::new(),
            attempts: Vec::new(),
            attempts_made: 0,
            owner: None,
            counted_attempts: 0,
            looks: 0,
            error: None,
            queued_at: now,
            ready_at: now,
            valid_until: None,
            dispatched_at: None,
            look_at: None,
            overtaken: false,
            session_version: None,
            passed_at: None,
            held_at: None,
            asks: 0,
            history: Vec::new(),
            exemption: Exemption::None,
            wire_content: None,
            recalled: false,
        }
    }

    /// The fencing token of the attempt in hand: its number, from 1.
    pub fn attempt_number(&self) -> u32 {
        self.attempts_made
    }

    /// When it may have left for the first time: an attempt ended without an answer, or with one that does not say.
    pub fn may_have_left_at(&self) -> Option<Timestamp> {
        self.attempts.iter().find(|attempt| attempt.may_have_left()).map(|attempt| attempt.at)
    }

    /// Whether an attempt before the last may have left.
    pub fn may_have_left_before(&self) -> bool {
        self.attempts.iter().rev().skip(1).any(Attempt::may_have_left)
    }

    fn note_attempt(&mut self, now: Timestamp) {
        self.attempts_made = self.attempts_made.saturating_add(1);
        self.attempts.push(Attempt { at: now, ended_at: None, outcome: None, evidence: None });
        if self.attempts.len() > MAX_ATTEMPTS_KEPT {
            let least = self.attempts.iter().position(|attempt| !attempt.may_have_left()).unwrap_or(0);
            self.attempts.remove(least);
        }
    }

    /// The attempt in hand, if there is one, ends with that.
    fn end_attempt(&mut self, outcome: &str, now: Timestamp) {
        self.owner = None;
        let open = |attempt: &&mut Attempt| attempt.outcome.is_none() || attempt.ended_by_receipt();
        if let Some(attempt) = self.attempts.last_mut().filter(open) {
            attempt.ended_at = Some(now);
            attempt.outcome = Some(outcome.to_owned());
        }
    }
}

/// What the provider's answer to a send means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendOutcome {
    /// The provider has it under this id. `from`: the number it will use, where it says so.
    Accepted { provider_id: String, from: Option<String> },
    /// Not taken: too fast, or the provider could not be reached. Not counted against the message.
    Throttled { error: DeliveryError, ready_at: Timestamp },
    /// Not taken, for a reason that may pass.
    Transient { error: DeliveryError, ready_at: Timestamp },
    /// Not taken, because the channel or the account is at fault. The message waits, and is not counted against.
    ChannelFault { error: DeliveryError, ready_at: Timestamp },
    /// Never to be taken.
    Permanent { error: DeliveryError },
    /// Nobody knows. `look_at`: when the provider is asked about it.
    Unknown { error: DeliveryError, look_at: Timestamp },
}

impl SendOutcome {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Throttled { .. } => "throttled",
            Self::Transient { .. } => "transient",
            Self::ChannelFault { .. } => "channel_fault",
            Self::Permanent { .. } => "permanent",
            Self::Unknown { .. } => "unknown",
        }
    }

    pub fn error(&self) -> Option<&DeliveryError> {
        match self {
            Self::Accepted { .. } => None,
            Self::Throttled { error, .. }
            | Self::Transient { error, .. }
            | Self::ChannelFault { error, .. }
            | Self::Permanent { error }
            | Self::Unknown { error, .. } => Some(error),
        }
    }
}

/// What the evidence says about a message of unknown fate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The provider has it.
    Found { provider_id: String },
    /// It is not there yet: ask again then.
    NotYet { look_at: Timestamp },
    /// What comes after it has waited for long enough, and goes. It is still looked for, then.
    Passed { look_at: Timestamp },
    /// It was not there at the last look: it never left, and is sent again.
    Absent,
    /// The provider cannot be asked. It stays `unknown` until a person decides, and what comes after it no longer waits.
    CannotTell,
    /// The provider cannot be asked, and its channel would rather send a text twice than not at all.
    Resend,
}

/// What becomes of a text where nobody can say whether it left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnknown {
    /// It is held until a person decides.
    #[default]
    Hold,
    /// It is sent again, and may arrive twice.
    Resend,
}

/// A provider's word on one message, in our terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptStatus {
    pub stage: ReceiptStage,
    /// The provider's own word.
    pub raw: String,
    pub error: Option<DeliveryError>,
    pub at: Timestamp,
}

/// The stages that providers tell of, in their order. A receipt counts only if it moves the message forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReceiptStage {
    /// The provider has it: accepted, queued, scheduled, sending.
    Taken,
    /// The carrier has it.
    Sent,
    Canceled,
    Failed,
    Undelivered,
    /// The handset has it. Carriers' truth: it wins over an earlier failure.
    Delivered,
}

/// What a receipt changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptEffect {
    Advanced,
    /// It said nothing new.
    Stale,
}

mod fate;
mod parking;
mod restored;
mod silence;
mod transitions;

pub use fate::whose;
pub use parking::{MAX_PARKED, MAX_PARKED_OF_ONE, Parking, park};

#[cfg(test)]
mod tests;
