//! What happened, as the outside is told: one log of events, derived from what a command changed. An event names what it
//! is about and keeps of it only what changes later; what a customer wrote, or who they are, is in no event, so that the
//! log need not be rewritten when a person is erased. Decides nothing; who is told is not known here.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::conversation::{Answer, OutboundText, Refusal, own_reason};
use super::customer::Customer;
use super::delivery::{DeliveryError, Status};
use super::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId, uuid_v7};
use super::message::Message;
use super::session::Session;
use super::time::Timestamp;
use super::turn::{Turn, TurnState};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the log, from 1, without gaps.
    pub place: u64,
    pub at: Timestamp,
    pub what: What,
}

/// An event's id: a version 7 UUID of its moment, with its place in the log where others have randomness (RFC 9562 allows
/// a counter there). So the ids sort by time, and where a reader stands can be read from the last one that it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Uuid);

impl EventId {
    /// Before the first event of any log.
    pub const BEFORE_ALL: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));

    fn of(at: Timestamp, place: u64) -> Self {
        let mut counter = [0; 10];
        counter[2..].copy_from_slice(&place.to_be_bytes());
        Self(uuid_v7(at, counter))
    }

    /// The place in the log that the id says. Whether that event has this id is another question.
    pub fn place(self) -> u64 {
        // The lowest 62 bits; those above are the UUID's variant.
        let (_, low) = self.0.as_u64_pair();
        low & (u64::MAX >> 2)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for EventId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The names of all that is in the log.
pub const NAMES: [&str; 26] = [
    "bot.disabled",
    "bot.enabled",
    "bot.failed",
    "bot.refused",
    "bot.suggested",
    "customer.created",
    "customer.erased",
    "customer.subscribed",
    "customer.unsubscribed",
    "customer.updated",
    "customer.verification",
    "delivery.canceled",
    "delivery.delivered",
    "delivery.expired",
    "delivery.failed",
    "delivery.held",
    "delivery.queued",
    "delivery.sent",
    "delivery.undelivered",
    "delivery.unknown",
    "message.created",
    "message.updated",
    "session.created",
    "session.updated",
    "webhook.disabled",
    "webhook.enabled",
];

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    Customer {
        id: CustomerId,
        change: CustomerChange,
    },
    Session {
        change: SessionChange,
        session: Box<Session>,
    },
    Message {
        id: MessageId,
        session_id: SessionId,
        customer_id: CustomerId,
        change: MessageChange,
        now: MessageNow,
    },
    /// What the bot said does not count.
    BotRefused {
        session_id: Option<SessionId>,
        customer_id: CustomerId,
        turn_id: Option<TurnId>,
        reason: String,
        texts: usize,
    },
    /// A turn was given up.
    BotFailed {
        session_id: SessionId,
        customer_id: CustomerId,
        turn_id: TurnId,
        reason: String,
    },
    /// Somebody that is called is called no more, or again: the bot, or an endpoint of the outgoing webhooks.
    Disabled {
        endpoint: String,
        reason: String,
    },
    Enabled {
        endpoint: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerChange {
    Created,
    Updated,
    /// There is a token that proves the number.
    NeedsConfirmation,
    Confirmed,
    Subscribed,
    Unsubscribed,
    Erased,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionChange {
    Created,
    Updated,
    /// The customer waits for an agent from now on.
    Waits,
    /// The customer has waited for long, and agents are told again.
    Escalated,
    /// The bot proposes what to answer.
    Suggested,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageChange {
    Created,
    /// It was delivered.
    Updated,
    /// Its delivery got on, or ended.
    Delivery,
    /// Nobody can tell whether it left: a person has to decide.
    Held,
}

/// What changes of a message, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageNow {
    pub status: Status,
    pub error: Option<DeliveryError>,
    pub delivered_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

impl Event {
    pub fn id(&self) -> EventId {
        EventId::of(self.at, self.place)
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Customer(CustomerId),
    Session(SessionId),
    Message(MessageId),
}

/// The name under which events about the bot being called are known.
pub const BOT: &str = "bot";

impl What {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Customer { change, .. } => match change {
                CustomerChange::Created => "customer.created",
                CustomerChange::Updated => "customer.updated",
                CustomerChange::NeedsConfirmation | CustomerChange::Confirmed => "customer.verification",
                CustomerChange::Subscribed => "customer.subscribed",
                CustomerChange::Unsubscribed => "customer.unsubscribed",
                CustomerChange::Erased => "customer.erased",
            },
            Self::Session { change, .. } => match change {
                SessionChange::Created => "session.created",
                SessionChange::Updated | SessionChange::Waits | SessionChange::Escalated => "session.updated",
                SessionChange::Suggested => "bot.suggested",
            },
            Self::Message { change, now, .. } => match (change, now.status) {
                (MessageChange::Created, _) => "message.created",
                (MessageChange::Updated, _) => "message.updated",
                (MessageChange::Held, _) => "delivery.held",
                (MessageChange::Delivery, Status::Queued) => "delivery.queued",
                (MessageChange::Delivery, Status::Sending) => "delivery.sending",
                (MessageChange::Delivery, Status::Sent) => "delivery.sent",
                (MessageChange::Delivery, Status::Delivered) => "delivery.delivered",
                (MessageChange::Delivery, Status::Undelivered) => "delivery.undelivered",
                (MessageChange::Delivery, Status::Failed) => "delivery.failed",
                (MessageChange::Delivery, Status::Canceled) => "delivery.canceled",
                (MessageChange::Delivery, Status::Expired) => "delivery.expired",
                (MessageChange::Delivery, Status::Unknown) => "delivery.unknown",
            },
            Self::BotRefused { .. } => "bot.refused",
            Self::BotFailed { .. } => "bot.failed",
            Self::Disabled { endpoint, .. } if endpoint == BOT => "bot.disabled",
            Self::Enabled { endpoint } if endpoint == BOT => "bot.enabled",
            Self::Disabled { .. } => "webhook.disabled",
            Self::Enabled { .. } => "webhook.enabled",
        }
    }

    pub fn customer_id(&self) -> Option<CustomerId> {
        match self {
            Self::Customer { id, .. } => Some(*id),
            Self::Session { session, .. } => Some(session.customer_id),
            Self::Message { customer_id, .. }
            | Self::BotRefused { customer_id, .. }
            | Self::BotFailed { customer_id, .. } => Some(*customer_id),
            Self::Disabled { .. } | Self::Enabled { .. } => None,
        }
    }

    /// What it is told with, as that is then.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Customer { id, .. } => Some(Subject::Customer(*id)),
            Self::Message { id, .. } => Some(Subject::Message(*id)),
            Self::Session { .. } | Self::BotRefused { .. } | Self::BotFailed { .. } => {
                self.session_id().map(Subject::Session)
            }
            Self::Disabled { .. } | Self::Enabled { .. } => None,
        }
    }

    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Session { session, .. } => Some(session.id),
            Self::Message { session_id, .. } | Self::BotFailed { session_id, .. } => Some(*session_id),
            Self::BotRefused { session_id, .. } => *session_id,
            Self::Customer { .. } | Self::Disabled { .. } | Self::Enabled { .. } => None,
        }
    }
}

/// What is told of a customer whom a command changed. None: there was none, or is none any more.
pub fn of_customer(old: Option<&Customer>, new: Option<&Customer>) -> Vec<What> {
    let (id, changes) = match (old, new) {
        (None, None) => return Vec::new(),
        (Some(old), None) => (old.id, vec![CustomerChange::Erased]),
        (None, Some(new)) => {
            let awaits = new.confirmation.is_some().then_some(CustomerChange::NeedsConfirmation);
            (new.id, std::iter::once(CustomerChange::Created).chain(awaits).collect())
        }
        (Some(old), Some(new)) => (new.id, changes_of(old, new)),
    };
    changes.into_iter().map(|change| What::Customer { id, change }).collect()
}

fn changes_of(old: &Customer, new: &Customer) -> Vec<CustomerChange> {
    let subscription =
        if new.unsubscribed { CustomerChange::Unsubscribed } else { CustomerChange::Subscribed };
    [
        (details(old) != details(new)).then_some(CustomerChange::Updated),
        (new.confirmation.is_some() && token(old) != token(new)).then_some(CustomerChange::NeedsConfirmation),
        (old.confirmed_at.is_none() && new.confirmed_at.is_some()).then_some(CustomerChange::Confirmed),
        (old.unsubscribed != new.unsubscribed).then_some(subscription),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn details(customer: &Customer) -> impl PartialEq {
    let Customer { email, first_name, last_name, time_zone, country_code, .. } = customer;
    (email, first_name, last_name, time_zone, country_code)
}

fn token(customer: &Customer) -> impl PartialEq {
    customer.confirmation.as_ref().map(|out| (&out.token, out.expires_at))
}

/// What is told of a session that a command changed. That something was said in it is its messages' to tell.
pub fn of_session(old: Option<&Session>, new: &Session) -> Vec<What> {
    let changed = match old {
        None => Some(SessionChange::Created),
        Some(old) if shown(old) == shown(new) => None,
        Some(old) if old.waiting_since.is_none() && new.waiting_since.is_some() => Some(SessionChange::Waits),
        Some(old) if new.escalations > old.escalations => Some(SessionChange::Escalated),
        Some(_) => Some(SessionChange::Updated),
    };
    // That an agent has used one makes it no new proposal.
    let proposed = !new.suggestions.is_empty() && old.is_none_or(|old| proposals(old).ne(proposals(new)));
    let told = |change| {
        // What the bot keeps for itself is told to nobody. What it proposes, and all that somebody has put into words, is
        // taken from the session when it is told, for as long as there is one.
        let session = Session {
            attention_reason: new.attention_reason.as_deref().and_then(own_reason).map(str::to_owned),
            tags: Vec::new(),
            topics: Vec::new(),
            bot_state: None,
            suggestions: Vec::new(),
            bot_texts: Vec::new(),
            ..new.clone()
        };
        What::Session { change, session: Box::new(session) }
    };
    changed.into_iter().chain(proposed.then_some(SessionChange::Suggested)).map(told).collect()
}

/// What of a session its events are about.
fn shown(session: &Session) -> impl PartialEq {
    let Session { need_attention, attention_reason, version, tags, topics, .. } = session;
    let waiting = (session.waiting_since, &session.assignee, session.escalations);
    (*need_attention, attention_reason, *version, tags, topics, waiting)
}

fn proposals(session: &Session) -> impl Iterator<Item = SuggestionId> {
    session.suggestions.iter().map(|text| text.id)
}

/// What is told of a message that a command changed. That it is about to leave is told once it has.
pub fn of_message(old: Option<&Message>, new: &Message) -> Vec<What> {
    let status = new.delivery.status;
    let got_on = |old: &Message| {
        let before = old.delivery.status;
        let is_step = match (before, status) {
            // It is about to leave, or was put back without having left.
            (_, Status::Sending) | (Status::Sending, Status::Queued) => false,
            (before, now) => before != now,
        };
        [
            is_step.then_some(MessageChange::Delivery),
            (new.is_held() && !old.is_held()).then_some(MessageChange::Held),
            (old.delivered_at != new.delivered_at).then_some(MessageChange::Updated),
        ]
    };
    let changes: Vec<MessageChange> = match old {
        None => vec![MessageChange::Created],
        Some(old) => got_on(old).into_iter().flatten().collect(),
    };
    let told = |change| What::Message {
        id: new.id,
        session_id: new.session_id,
        customer_id: new.customer_id,
        change,
        now: MessageNow {
            status,
            error: new.delivery.error.clone(),
            delivered_at: new.delivered_at,
            updated_at: new.updated_at,
        },
    };
    changes.into_iter().map(told).collect()
}

/// What is told of a turn that a command changed: that it was given up. An answer that does not count is told where it is
/// refused, since a turn may outlive many of them.
pub fn of_turn(old: Option<&Turn>, new: &Turn) -> Option<What> {
    let TurnState::Failed { reason } = &new.state else { return None };
    old.is_none_or(|old| old.state != new.state).then(|| What::BotFailed {
        session_id: new.session_id,
        customer_id: new.customer_id,
        turn_id: new.id,
        reason: reason.clone(),
    })
}

/// What is told of a text of the bot's that is not taken. `newest`: the customer's newest session.
pub fn of_refused_text(
    customer_id: CustomerId,
    newest: Option<&Session>,
    text: &OutboundText,
    refusal: Refusal,
) -> What {
    What::BotRefused {
        session_id: newest.map(|session| session.id),
        customer_id,
        turn_id: text.turn_id,
        reason: refusal.slug().to_owned(),
        texts: 1,
    }
}

/// What is told of an answer to a turn that does not count.
pub fn of_refusal(turn: &Turn, refusal: Refusal, answer: &Answer) -> What {
    What::BotRefused {
        session_id: Some(turn.session_id),
        customer_id: turn.customer_id,
        turn_id: Some(turn.id),
        reason: refusal.slug().to_owned(),
        texts: answer.texts.len(),
    }
}

#[cfg(test)]
mod tests;
