//! Attempts: begun, settled, abandoned, and what evidence says about those of unknown fate.

use super::receipts;
use crate::domain::conversation::may_be_texted;
use crate::domain::delivery::{Evidence, SendOutcome, Status};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::time::Timestamp;
use crate::store::embedded::keys::{AttemptKey, Family, PauseKey};
use crate::store::embedded::tables::missing;
use crate::store::embedded::tx::Tx;
use crate::store::{Begun, SettleError, StoreError};

pub fn begin_attempt(tx: &mut Tx<'_, '_>, id: MessageId, owner: &str) -> Result<Begun, StoreError> {
    let now = tx.now;
    let Some(mut message) = due(tx, id)? else { return Ok(Begun::NotDue) };
    let customer = tx.tables().customer(message.customer_id)?.ok_or_else(|| missing("a customer"))?;
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
fn due(tx: &Tx<'_, '_>, id: MessageId) -> Result<Option<Message>, StoreError> {
    let Some(message) = tx.tables().message(id)? else { return Ok(None) };
    let ready = message.delivery.status == Status::Queued && message.delivery.ready_at <= tx.now;
    Ok(if ready && is_first(tx, &message)? { Some(message) } else { None })
}

pub fn postpone(tx: &mut Tx<'_, '_>, id: MessageId, ready_at: Timestamp) -> Result<bool, StoreError> {
    let Some(mut message) = due(tx, id)? else { return Ok(false) };
    message.delivery.ready_at = ready_at;
    tx.update_message(&message)?;
    Ok(true)
}

pub fn keep_pause(tx: &mut Tx<'_, '_>, pause: &Pause) -> Result<(), StoreError> {
    let channel = pause.scope.channel().to_owned();
    let sender = match &pause.scope {
        PauseScope::Account { .. } => String::new(),
        PauseScope::Sender(lane) => lane.sender.clone(),
    };
    tx.put_record(&PauseKey { channel, sender }, pause)
}

fn is_first(tx: &Tx<'_, '_>, message: &Message) -> Result<bool, StoreError> {
    let first = tx.tables().queue_front(message.customer_id)?;
    Ok(first.is_some_and(|(_, first)| first.id == message.id))
}

pub fn settle(
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    attempt: u32,
    outcome: &SendOutcome,
) -> Result<Message, SettleError> {
    let message = tx.tables().message(id)?.filter(|message| message.takes_outcome(attempt, outcome));
    let mut message = message.ok_or(SettleError::Stale)?;
    message.settle(outcome, tx.now);
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

pub fn abandon_attempts(tx: &mut Tx<'_, '_>, owner: &str) -> Result<usize, StoreError> {
    let now = tx.now;
    change_in_hand(tx, |message| message.is_abandoned(owner), |message| message.abandon(now))
}

pub fn reclaim(tx: &mut Tx<'_, '_>, owner: &str, known: &[(MessageId, u32)]) -> Result<usize, StoreError> {
    let now = tx.now;
    change_in_hand(tx, |message| message.is_forgotten(owner, known), |message| message.reclaim(now))
}

/// Changes those messages whose attempts are in somebody's hand. Returns how many.
fn change_in_hand(
    tx: &mut Tx<'_, '_>,
    which: impl Fn(&Message) -> bool,
    change: impl Fn(&mut Message),
) -> Result<usize, StoreError> {
    let in_hand: Vec<(AttemptKey, ())> = tx.tables().entries(&AttemptKey::all()).collect::<Result<_, _>>()?;
    let mut changed = 0;
    for (AttemptKey { message }, ()) in in_hand {
        let mut message = tx.tables().message(message)?.ok_or_else(|| missing("a message in hand"))?;
        if which(&message) {
            change(&mut message);
            tx.update_message(&message)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Not what is another message's, or may be.
fn may_claim(tx: &Tx<'_, '_>, message: &Message, provider_id: &str) -> Result<bool, StoreError> {
    let owners = tx.tables().messages_by_provider_id(provider_id)?;
    let front = tx.tables().queue_front(message.customer_id)?;
    Ok(!owners.iter().any(|owner| message.yields_to(owner))
        && !front.is_some_and(|(_, front)| message.waits_for_twin(&front)))
}

pub fn resolve(
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    evidence: &Evidence,
) -> Result<Option<Message>, StoreError> {
    let message = tx.tables().message(id)?.filter(|message| message.takes_evidence(evidence));
    let Some(mut message) = message else { return Ok(None) };
    if let Evidence::Found { provider_id } = evidence
        && !may_claim(tx, &message, provider_id)?
    {
        return Ok(None);
    }
    let (own, newest) = tx.tables().sessions_around(&message)?;
    message.heed_switch(&own, &newest);
    message.resolve(evidence, tx.now);
    if let Evidence::Found { provider_id } = evidence {
        receipts::adopt(tx, &mut message, provider_id)?;
    }
    tx.update_message(&message)?;
    Ok(Some(message))
}
