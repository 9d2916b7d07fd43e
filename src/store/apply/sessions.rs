//! Sessions: who has them, and what a switch entails.

use std::collections::BTreeMap;

use crate::domain::attention::{self, Attention, asks_something};
use crate::domain::conversation::{self, Switched};
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::{Session, Suggestion};
use crate::domain::turn::TurnState;
use crate::store::apply::{World, missing};
use crate::store::{AssignError, AssignSession, Attended, StoreError, UpdateSession, UpdateSessionError};

pub fn update(tx: &mut impl World, command: &UpdateSession) -> Result<Session, UpdateSessionError> {
    let UpdateSession { customer_id, patch, new_turn, now } = command;
    if tx.customer(*customer_id)?.is_none() {
        return Err(UpdateSessionError::NotFound);
    }
    let session = current_session(tx, *customer_id)?.ok_or(UpdateSessionError::NoCurrentSession)?;
    let switched = conversation::update_session(session, patch, tx.rules(), *new_turn, *now);
    Ok(keep_switch(tx, switched)?)
}

pub fn assign(tx: &mut impl World, command: &AssignSession) -> Result<Session, AssignError> {
    let AssignSession { customer_id, assignee, caller, force, now } = command;
    if tx.customer(*customer_id)?.is_none() {
        return Err(AssignError::NotFound);
    }
    let session = current_session(tx, *customer_id)?.ok_or(AssignError::NoCurrentSession)?;
    let assigned = attention::assign(session, assignee.clone(), caller, *force, tx.rules(), *now)?;
    tx.put_session(&assigned)?;
    Ok(assigned)
}

fn current_session(tx: &impl World, customer: CustomerId) -> Result<Option<Session>, StoreError> {
    let newest = tx.newest_session(customer)?;
    Ok(newest.filter(|session| session.is_current(tx.now(), tx.rules().idle_after)))
}

pub fn use_suggestion(tx: &mut impl World, id: SuggestionId) -> Result<Option<Suggestion>, StoreError> {
    let session = tx.session_of_suggestion(id)?;
    let Some(mut session) = session.map_or(Ok(None), |session| tx.session(session))? else {
        return Ok(None);
    };
    let used = session.use_suggestion(id, tx.now());
    tx.put_session(&session)?;
    Ok(used)
}

pub fn attend(tx: &mut impl World, new_turns: &[TurnId]) -> Result<Attended, StoreError> {
    let due = tx.to_be_attended(new_turns.len())?;
    let mut attended = Attended::default();
    for ((at, session), &new_turn) in due.into_iter().zip(new_turns) {
        if at > tx.now() {
            break;
        }
        let session = tx.session(session)?.ok_or_else(|| missing("a session"))?;
        // Only where the bot is to be asked about it.
        let unanswered = match tx.rules().attention.return_after {
            Some(_) => unanswered(tx, &session)?,
            None => None,
        };
        let done = attention::attend(session, unanswered.as_ref(), tx.rules(), new_turn, tx.now());
        tx.put_session(&done.session)?;
        match done.outcome {
            Attention::Planned => {}
            Attention::Escalated => attended.escalated.push(done.session),
            Attention::Returned(turn) => {
                if let Some(turn) = turn {
                    tx.put_turn(&turn)?;
                }
                attended.returned.push(done.session);
            }
        }
    }
    attended.next_at = tx.to_be_attended(1)?.first().map(|(at, _)| *at);
    Ok(attended)
}

/// Of these sessions, those whose customers wait.
pub fn plan_attention(tx: &mut impl World, sessions: &[SessionId]) -> Result<usize, StoreError> {
    let mut changed = 0;
    for id in sessions {
        let Some(mut session) = tx.session(*id)? else { continue };
        if session.plan_anew(tx.rules(), tx.now()) {
            tx.put_session(&session)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// How much of what was said is looked through at a time.
const AT_ONCE: usize = 50;

/// The customer's last text that the bot has not seen.
fn unanswered(tx: &impl World, session: &Session) -> Result<Option<Message>, StoreError> {
    let Some(from) = session.unseen_by_bot_from else { return Ok(None) };
    let mut until = session.message_count;
    loop {
        let unseen = tx.said(session.id, from..until, AT_ONCE)?;
        let (last, more) = (unseen.last().map(|message| message.place), unseen.len() == AT_ONCE);
        match (unseen.into_iter().find(asks_something), last) {
            (None, Some(last)) if more => until = last,
            (found, _) => return Ok(found),
        }
    }
}

/// Keeps a switch with all that it entails.
pub fn keep_switch(tx: &mut impl World, switched: Switched) -> Result<Session, StoreError> {
    let Switched { mut session, silence_bot, turn } = switched;
    if silence_bot {
        self::silence_bot(tx, &mut session)?;
    }
    if let Some(turn) = &turn {
        tx.put_turn(turn)?;
    }
    tx.put_session(&session)?;
    Ok(session)
}

/// Agents have the session now: the bot's texts to the customer are recalled, and its pending turns of the session
/// dropped. The session is changed, but not kept.
pub fn silence_bot(tx: &mut impl World, session: &mut Session) -> Result<(), StoreError> {
    for mut message in tx.queue(session.customer_id)? {
        if message.author.is_bot() {
            message.recall(tx.now());
            tx.update_message(&message)?;
        }
    }
    let mut pending = tx.open_turns(session)?;
    pending.retain(|turn| turn.state == TurnState::Pending);
    // All at once: there may be many.
    let named: Vec<MessageId> = pending.iter().filter_map(|turn| turn.message_id).collect();
    let named: BTreeMap<MessageId, Message> =
        tx.messages(&named)?.into_iter().map(|message| (message.id, message)).collect();
    for mut turn in pending {
        turn.drop_unasked(session, turn.message_id.and_then(|id| named.get(&id)));
        tx.put_turn(&turn)?;
    }
    Ok(())
}
