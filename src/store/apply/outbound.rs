//! Attempts: begun, settled, abandoned, and what evidence says about those of unknown fate.

use super::receipts;
use crate::domain::conversation::may_be_texted;
use crate::domain::delivery::{Evidence, SendOutcome, Status};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::store::apply::{Hand, World, missing, must_be_in_office};
use crate::store::{Begun, SettleError, StoreError};

pub fn begin_attempt(tx: &mut impl World, id: MessageId, owner: &str) -> Result<Begun, StoreError> {
    must_be_in_office(tx, owner)?;
    let now = tx.now();
    let Some(mut message) = due(tx, id)? else { return Ok(Begun::NotDue) };
    let customer = tx.customer(message.customer_id)?.ok_or_else(|| missing("a customer"))?;
    if message.is_overdue(now) {
        message.expire(now);
    } else if let Err(refusal) = may_be_texted(&customer, message.delivery.exemption) {
        message.cancel_because(refusal, now);
    } else {
        message.begin_attempt(owner, now);
    }
    tx.update_message(&message)?;
    match message.delivery.status {
        Status::Sending => Ok(Begun::Attempt(Box::new(message))),
        withdrawn => Ok(Begun::Withdrawn(withdrawn)),
    }
}

/// The message, if it is what its customer's queue has to send now.
fn due(tx: &impl World, id: MessageId) -> Result<Option<Message>, StoreError> {
    let Some(message) = tx.message(id)? else { return Ok(None) };
    let ready = message.delivery.status == Status::Queued && message.delivery.ready_at <= tx.now();
    Ok(if ready && is_first(tx, &message)? { Some(message) } else { None })
}

pub fn postpone(tx: &mut impl World, id: MessageId, ready_at: Timestamp) -> Result<bool, StoreError> {
    let Some(mut message) = due(tx, id)? else { return Ok(false) };
    message.delivery.ready_at = ready_at;
    tx.update_message(&message)?;
    Ok(true)
}

/// Expires what waited for too long, `limit` of it at the most; and whether there is more.
pub fn expire(tx: &mut impl World, limit: usize) -> Result<(Vec<MessageId>, bool), StoreError> {
    let mut overdue = tx.overdue_messages(limit.saturating_add(1))?;
    let more = overdue.len() > limit;
    overdue.truncate(limit);
    for id in &overdue {
        let mut message = tx.message(*id)?.ok_or_else(|| missing("a queued message"))?;
        message.expire(tx.now());
        tx.update_message(&message)?;
    }
    Ok((overdue, more))
}

fn is_first(tx: &impl World, message: &Message) -> Result<bool, StoreError> {
    let first = tx.queue_front(message.customer_id)?;
    Ok(first.is_some_and(|first| first.id == message.id))
}

pub fn settle(
    tx: &mut impl World,
    id: MessageId,
    attempt: u32,
    outcome: &SendOutcome,
) -> Result<Message, SettleError> {
    let message = tx.message(id)?.filter(|message| message.takes_outcome(attempt, outcome));
    let mut message = message.ok_or(SettleError::Stale)?;
    message.settle(outcome, tx.now());
    match outcome {
        SendOutcome::Accepted { provider_id, .. } => receipts::adopt(tx, &mut message, provider_id)?,
        SendOutcome::Permanent { error } => receipts::heed_opt_out(tx, &message, error)?,
        SendOutcome::Throttled { .. }
        | SendOutcome::Transient { .. }
        | SendOutcome::ChannelFault { .. }
        | SendOutcome::Unknown { .. } => {}
    }
    tx.update_message(&message)?;
    Ok(message)
}

pub fn abandon_attempts(tx: &mut impl World, owner: &str) -> Result<usize, StoreError> {
    let now = tx.now();
    let hand = Hand::GoneBut(owner.to_owned());
    change_in_hand(tx, &hand, |message| message.is_abandoned(owner), |message| message.abandon(now))
}

pub fn reclaim(tx: &mut impl World, owner: &str, known: &[(MessageId, u32)]) -> Result<usize, StoreError> {
    let now = tx.now();
    let hand = Hand::Of(owner.to_owned());
    change_in_hand(tx, &hand, |message| message.is_forgotten(owner, known), |message| message.reclaim(now))
}

/// Changes those messages whose attempts are in somebody's hand. Returns how many.
fn change_in_hand(
    tx: &mut impl World,
    hand: &Hand,
    which: impl Fn(&Message) -> bool,
    change: impl Fn(&mut Message),
) -> Result<usize, StoreError> {
    let mut changed = 0;
    for message in tx.messages_in(hand)? {
        let mut message = tx.message(message)?.ok_or_else(|| missing("a message in hand"))?;
        if which(&message) {
            change(&mut message);
            tx.update_message(&message)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Not what is another message's, or may be.
fn may_claim(tx: &impl World, message: &Message, provider_id: &str) -> Result<bool, StoreError> {
    let owners = tx.messages_by_provider_id(provider_id)?;
    let front = tx.queue_front(message.customer_id)?;
    Ok(!owners.iter().any(|owner| message.yields_to(owner))
        && !front.is_some_and(|front| message.waits_for_twin(&front)))
}

pub fn resolve(
    tx: &mut impl World,
    id: MessageId,
    attempt: u32,
    evidence: &Evidence,
) -> Result<Option<Message>, StoreError> {
    let message = tx.message(id)?.filter(|message| message.takes_evidence(attempt, evidence));
    let Some(mut message) = message else { return Ok(None) };
    if let Evidence::Found { provider_id } = evidence
        && !may_claim(tx, &message, provider_id)?
    {
        return Ok(None);
    }
    let (own, newest) = tx.sessions_around(&message)?;
    message.heed_switch(&own, &newest);
    message.resolve(evidence, tx.now());
    if let Evidence::Found { provider_id } = evidence {
        receipts::adopt(tx, &mut message, provider_id)?;
    }
    tx.update_message(&message)?;
    Ok(Some(message))
}
