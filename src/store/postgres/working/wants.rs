//! What a command needs to know, and what of it was not loaded.

use crate::domain::customer::NumberHash;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::time::Timestamp;
use crate::store::apply::Hand;
use crate::store::change::IdempotencyName;

/// A provider's id, and the channel that it is of.
pub type ProviderId = (String, String);

/// Something that is in the database, and not here. A customer that is wanted is locked, and so is the customer of anything
/// that is wanted; with them come their newest session, what is open of their messages and of their turns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    Customer(CustomerId),
    Number(String),
    Session(SessionId),
    Message(MessageId),
    Turn(TurnId),
    Suggestion(SuggestionId),
    InboundId(ProviderId),
    /// The message that it belongs to, as well.
    OutboundId(ProviderId),
    /// The same, of all channels.
    ProviderId(String),
    Parked(ProviderId),
    HowManyParked,
    Key(IdempotencyName),
    Suppression(NumberHash),
    LastWords(NumberHash),
    /// What was said in a session from one place to before another, at most so much of it, the newest first.
    Said(SessionId, u64, u64, usize),
    /// So many of those that may be handed out next.
    DueTurns(usize),
    ToBeAttended(usize),
    Overdue(Timestamp, usize),
    MessagesIn(Hand),
    TurnsIn(Hand),
    /// Whether that daemon is in office.
    Office(String),
    /// So many more numbers for the order of creation.
    Orders(usize),
}

impl Want {
    /// Whether it is one thing that is wanted, or a customer: what another command may want as well. Not what is wanted of
    /// whoever it is of.
    pub fn is_of_something(&self) -> bool {
        match self {
            Self::Customer(_)
            | Self::Number(_)
            | Self::Session(_)
            | Self::Message(_)
            | Self::Turn(_)
            | Self::Suggestion(_)
            | Self::InboundId(_)
            | Self::OutboundId(_)
            | Self::ProviderId(_)
            | Self::Parked(_)
            | Self::Key(_)
            | Self::Suppression(_)
            | Self::LastWords(_)
            | Self::Said(..) => true,
            Self::HowManyParked
            | Self::DueTurns(_)
            | Self::ToBeAttended(_)
            | Self::Overdue(..)
            | Self::MessagesIn(_)
            | Self::TurnsIn(_)
            | Self::Office(_)
            | Self::Orders(_) => false,
        }
    }

    /// Whether it is known beforehand that somebody is to be locked for it.
    pub fn locks(&self) -> bool {
        match self {
            Self::Customer(_)
            | Self::Number(_)
            | Self::Turn(_)
            | Self::OutboundId(_)
            | Self::ProviderId(_)
            | Self::DueTurns(_)
            | Self::ToBeAttended(_)
            | Self::Overdue(..)
            | Self::MessagesIn(_)
            | Self::TurnsIn(_) => true,
            Self::Session(_)
            | Self::Message(_)
            | Self::Suggestion(_)
            | Self::InboundId(_)
            | Self::Parked(_)
            | Self::HowManyParked
            | Self::Key(_)
            | Self::Suppression(_)
            | Self::LastWords(_)
            | Self::Said(..)
            | Self::Office(_)
            | Self::Orders(_) => false,
        }
    }
}
