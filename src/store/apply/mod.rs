//! What each command of [`super::Store`] does: it loads what it concerns, asks the domain, and keeps what that says. The
//! same for every engine that gives it a [`World`]; decides nothing itself.
//!
//! [`super::memory`] has none of it, so that the two can be held against each other.

use std::ops::Range;

use super::change::{IdempotencyName, Remembered};
use super::{Receipt, Rules, StoreError};
use crate::domain::consent::LastWords;
use crate::domain::customer::{ConsentRecord, Customer};
use crate::domain::event::What;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::phone::Address;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;

pub mod customers;
mod idempotency;
pub mod inbound;
pub mod messages;
pub mod outbound;
pub mod receipts;
pub mod sessions;
pub mod turns;

/// In whose hand something is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hand {
    Of(String),
    /// A process's that is gone, and not this one's.
    GoneBut(String),
}

/// A receipt that came before its message's provider id, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Its place in the order of arrival.
    pub order: u64,
    pub at: Timestamp,
    pub receipt: Receipt,
}

/// What a command sees and changes: all that is kept, with what it has written itself. An error on the way leaves no
/// trace. Where something is listed, it is as it stands after what the command has written.
pub trait World {
    fn now(&self) -> Timestamp;
    fn rules(&self) -> &Rules;

    /// Whether that process may begin anything.
    fn is_in_office(&self, owner: &str) -> Result<bool, StoreError>;

    // --- customers ---

    fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    fn customer_by_number(&self, number: &Address) -> Result<Option<Customer>, StoreError>;
    /// When the number last opted out and in.
    fn last_words(&self, number: &Address) -> Result<LastWords, StoreError>;
    fn add_customer(
        &mut self,
        customer: &Customer,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError>;
    /// Replaces the customer with that id, or else adds it. Their number stays what it was.
    fn put_customer(&mut self, customer: &Customer) -> Result<(), StoreError>;
    fn note_consent(&mut self, record: Option<ConsentRecord>) -> Result<(), StoreError>;
    /// Whether the number's erased person had opted out. Its new customer will know from now on.
    fn take_suppression(&mut self, number: &Address) -> Result<bool, StoreError>;

    // --- sessions ---

    fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    fn newest_session(&self, customer: CustomerId) -> Result<Option<Session>, StoreError>;
    /// Replaces the session with that id, or else adds it.
    fn put_session(&mut self, session: &Session) -> Result<(), StoreError>;
    /// Whose session a text is proposed for.
    fn session_of_suggestion(&self, id: SuggestionId) -> Result<Option<SessionId>, StoreError>;
    /// Sessions that are to be attended to, and when: the first by their moment, then by their id.
    fn to_be_attended(&self, limit: usize) -> Result<Vec<(Timestamp, SessionId)>, StoreError>;

    // --- messages ---

    fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError>;
    /// What was said in the session at these places, the newest first; `limit` of it at the most.
    fn said(&self, session: SessionId, places: Range<u64>, limit: usize) -> Result<Vec<Message>, StoreError>;
    /// A customer's texts that hold the queue, in the order of queueing.
    fn queue(&self, customer: CustomerId) -> Result<Vec<Message>, StoreError>;
    fn add_message(
        &mut self,
        message: &Message,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError>;
    fn update_message(&mut self, message: &Message) -> Result<(), StoreError>;
    /// Those whose attempts are in that hand, and perhaps others.
    fn messages_in(&self, hand: &Hand) -> Result<Vec<MessageId>, StoreError>;
    /// What is queued and past its `valid_until`: the longest overdue first, then in the order of queueing.
    fn overdue_messages(&self, limit: usize) -> Result<Vec<MessageId>, StoreError>;

    // --- providers' ids ---

    fn inbound_id(&self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError>;
    fn outbound_id(&self, channel: &str, provider_id: &str) -> Result<Option<MessageId>, StoreError>;
    /// The messages of ours that a provider's id belongs to, of each channel one at the most.
    fn messages_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError>;
    /// The provider's id leads to the message, unless it leads to another already.
    fn note_outbound_id(&mut self, message: &Message, provider_id: &str) -> Result<(), StoreError>;

    // --- parked receipts ---

    /// What is parked of a provider's id, in the order of its arrival.
    fn parked_of(&self, channel: &str, provider_id: &str) -> Result<Vec<Parked>, StoreError>;
    /// How many are parked in all.
    fn parked(&self) -> Result<u64, StoreError>;
    fn oldest_parked(&self) -> Result<Option<Parked>, StoreError>;
    fn park(&mut self, receipt: Receipt) -> Result<(), StoreError>;
    fn unpark(&mut self, parked: &Parked) -> Result<(), StoreError>;

    // --- turns ---

    fn turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError>;
    /// A session's turns that are pending or in hand, in their order.
    fn open_turns(&self, session: &Session) -> Result<Vec<Turn>, StoreError>;
    /// Replaces the turn with that id, or else adds it.
    fn put_turn(&mut self, turn: &Turn) -> Result<(), StoreError>;
    /// The turn that may be handed out next, and when: of those that are the first open one of their session, and pending,
    /// the one that has been due for longest, then the first queued.
    fn next_turn(&mut self) -> Result<Option<(Timestamp, TurnId)>, StoreError>;
    /// Those that are in that hand, and perhaps others.
    fn turns_in(&self, hand: &Hand) -> Result<Vec<TurnId>, StoreError>;

    // --- keys of idempotency ---

    fn remembered(&self, name: &IdempotencyName) -> Result<Option<Remembered>, StoreError>;
    fn remember(&mut self, name: IdempotencyName, remembered: Remembered) -> Result<(), StoreError>;

    // --- events ---

    /// Something to be told beside what changes.
    fn also_tell(&mut self, what: Option<What>);

    // --- what follows from these ---

    /// The message that something else names.
    fn named_message(&self, id: Option<MessageId>) -> Result<Option<Message>, StoreError> {
        id.map_or(Ok(None), |id| self.message(id))
    }

    /// Those of the messages with these ids that are still there, in that order.
    fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        ids.iter().filter_map(|id| self.message(*id).transpose()).collect()
    }

    /// The first of a customer's queue.
    fn queue_front(&self, customer: CustomerId) -> Result<Option<Message>, StoreError> {
        front(self.queue(customer)?.into_iter().map(Ok), |message| message)
    }

    /// The session of a message, and its customer's newest.
    fn sessions_around(&self, message: &Message) -> Result<(Session, Session), StoreError> {
        let own = self.session(message.session_id)?.ok_or_else(|| missing("a message's session"))?;
        let newest = self.newest_session(message.customer_id)?.ok_or_else(|| missing("a session"))?;
        Ok((own, newest))
    }
}

/// The first of a queue: the one in flight, or else the oldest. `queue`: in the order of queueing.
pub fn front<T, E>(
    mut queue: impl Iterator<Item = Result<T, E>>,
    message: impl Fn(&T) -> &Message,
) -> Result<Option<T>, E> {
    let Some(oldest) = queue.next().transpose()? else { return Ok(None) };
    // Nothing leaves before the oldest, but for what it was overtaken by.
    if message(&oldest).is_in_flight() || !message(&oldest).delivery.overtaken {
        return Ok(Some(oldest));
    }
    for later in queue {
        let later = later?;
        if message(&later).is_in_flight() {
            return Ok(Some(later));
        }
    }
    Ok(Some(oldest))
}

/// Nothing is begun in the name of a process whose term is over.
fn must_be_in_office(tx: &impl World, owner: &str) -> Result<(), StoreError> {
    if tx.is_in_office(owner)? {
        return Ok(());
    }
    Err(StoreError::Unavailable("this daemon was not heard of for too long, and others do its work".into()))
}

/// Something that has to be there, since something else leads to it, is not.
pub fn missing(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is missing"))
}
