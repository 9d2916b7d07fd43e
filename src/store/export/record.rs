//! What a line holds: the records of the house as they are stored, and what leads to them where that cannot be derived.

use serde::{Deserialize, Serialize};

use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::digest;
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::Event;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::pause::Pause;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::{Alive, Created, Receipt, Token};

/// One record. The kinds come in this order; how the records of a kind are ordered stands with it, so that the same
/// contents always make the same file. Texts sort by their length first, then by their bytes.
///
/// `order` is a record's place in the order of creation, or of queueing, among its kind. Only comparisons count; a
/// store keeps the numbers, and those that it gives later are greater.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "record", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// Until when nothing that customers texted was missed. One at the most.
    Alive { alive: Alive },
    /// By `order`.
    Customer { order: u64, customer: Box<Customer> },
    /// A line of the consent log. By number; of one number, the oldest first.
    Consent { consent: ConsentRecord },
    /// A number that opted out, and whose person was erased since. By number.
    Suppression { number: NumberHash },
    /// By customer, then `order`.
    Session { order: u64, session: Box<Session> },
    /// By session, then place. `order`: its place in the order of queueing, if it is ours.
    Message { order: Option<u64>, message: Box<Message> },
    /// The provider's id of a customer's text: known as long as the store lives, also after the message was erased.
    /// By channel, then id.
    InboundId { channel: String, provider_id: String, message_id: MessageId },
    /// The provider's id of a text of ours, and the message that it leads to. By channel, then id.
    OutboundId { channel: String, provider_id: String, message_id: MessageId },
    /// By id.
    Turn { order: u64, turn: Box<Turn> },
    /// A request that can be repeated, and what it created, as it was then. By scope, then key.
    IdempotencyKey {
        scope: String,
        key: String,
        #[serde(with = "digest")]
        request: [u8; 32],
        at: Timestamp,
        created: Created,
    },
    /// A receipt for a provider's id that no message has yet. By channel, then id, then `order` (of arrival).
    ParkedReceipt { order: u64, at: Timestamp, receipt: Receipt },
    /// An access token that was minted: its hash, never itself. By id.
    Token { token: Token },
    /// What rests since the provider said so. By channel, then sender; the account's first.
    Pause { pause: Pause },
    /// A line of the log of events, as far back as it is kept. By place.
    Event { event: Event },
    /// Whom the events are told, and how far. By name.
    Endpoint { endpoint: Endpoint },
    /// An event that was told in vain. By endpoint, then place.
    Delivery { delivery: Delivery },
}

/// The names of the kinds, in their order.
pub const KINDS: [&str; 16] = [
    "alive",
    "customer",
    "consent",
    "suppression",
    "session",
    "message",
    "inbound_id",
    "outbound_id",
    "turn",
    "idempotency_key",
    "parked_receipt",
    "token",
    "pause",
    "event",
    "endpoint",
    "delivery",
];

impl Record {
    pub fn kind(&self) -> &'static str {
        KINDS[match self {
            Self::Alive { .. } => 0,
            Self::Customer { .. } => 1,
            Self::Consent { .. } => 2,
            Self::Suppression { .. } => 3,
            Self::Session { .. } => 4,
            Self::Message { .. } => 5,
            Self::InboundId { .. } => 6,
            Self::OutboundId { .. } => 7,
            Self::Turn { .. } => 8,
            Self::IdempotencyKey { .. } => 9,
            Self::ParkedReceipt { .. } => 10,
            Self::Token { .. } => 11,
            Self::Pause { .. } => 12,
            Self::Event { .. } => 13,
            Self::Endpoint { .. } => 14,
            Self::Delivery { .. } => 15,
        }]
    }
}
