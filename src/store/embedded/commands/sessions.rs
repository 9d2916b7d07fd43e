//! Sessions: who has them, and what a switch entails.

use crate::domain::attention::{self, Attention, asks_something};
use crate::domain::conversation::{self, Switched};
use crate::domain::ids::{CustomerId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::{InboxQueue, Session, Suggestion};
use crate::domain::turn::{Turn, TurnState};
use crate::store::embedded::keys::{AttentionKey, Family, InboxKey, SuggestionKey};
use crate::store::embedded::tables::{Tables, missing};
use crate::store::embedded::tx::Tx;
use crate::store::{AssignError, AssignSession, Attended, StoreError, UpdateSession, UpdateSessionError};

pub fn update(tx: &mut Tx<'_, '_>, command: &UpdateSession) -> Result<Session, UpdateSessionError> {
    let UpdateSession { customer_id, patch, new_turn, now } = command;
    if tx.tables().customer(*customer_id)?.is_none() {
        return Err(UpdateSessionError::NotFound);
    }
    let session = current_session(tx, *customer_id)?.ok_or(UpdateSessionError::NoCurrentSession)?;
    let switched = conversation::update_session(session, patch, tx.rules, *new_turn, *now);
    Ok(keep_switch(tx, switched)?)
}

pub fn assign(tx: &mut Tx<'_, '_>, command: AssignSession) -> Result<Session, AssignError> {
    let AssignSession { customer_id, assignee, caller, force, now } = command;
    if tx.tables().customer(customer_id)?.is_none() {
        return Err(AssignError::NotFound);
    }
    let session = current_session(tx, customer_id)?.ok_or(AssignError::NoCurrentSession)?;
    let assigned = attention::assign(session, assignee, &caller, force, tx.rules, now)?;
    tx.put_session(&assigned)?;
    Ok(assigned)
}

fn current_session(tx: &Tx<'_, '_>, customer: CustomerId) -> Result<Option<Session>, StoreError> {
    let newest = tx.tables().newest_session(customer)?;
    Ok(newest.filter(|session| session.is_current(tx.now, tx.rules.idle_after)))
}

pub fn use_suggestion(tx: &mut Tx<'_, '_>, id: SuggestionId) -> Result<Option<Suggestion>, StoreError> {
    let session = tx.tables().entry(&SuggestionKey { suggestion: id })?;
    let Some(mut session) = session.map_or(Ok(None), |session| tx.tables().session(session))? else {
        return Ok(None);
    };
    let used = session.use_suggestion(id, tx.now);
    tx.put_session(&session)?;
    Ok(used)
}

pub fn attend(tx: &mut Tx<'_, '_>, new_turns: Vec<TurnId>) -> Result<Attended, StoreError> {
    let due = tx.tables().entries::<AttentionKey, ()>(&AttentionKey::all()).take(new_turns.len());
    let due: Vec<(AttentionKey, ())> = due.collect::<Result<_, _>>()?;
    let mut attended = Attended::default();
    for ((AttentionKey { at, session }, ()), new_turn) in due.into_iter().zip(new_turns) {
        if at > tx.now {
            break;
        }
        let session = tx.tables().session(session)?.ok_or_else(|| missing("a session"))?;
        // Only where the bot is to be asked about it.
        let unanswered = match tx.rules.attention.return_after {
            Some(_) => unanswered(tx.tables(), &session)?,
            None => None,
        };
        let done = attention::attend(session, unanswered.as_ref(), tx.rules, new_turn, tx.now);
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
    let next = tx.tables().entries::<AttentionKey, ()>(&AttentionKey::all()).next().transpose()?;
    attended.next_at = next.map(|(AttentionKey { at, .. }, ())| at);
    Ok(attended)
}

pub fn plan_attention(tx: &mut Tx<'_, '_>) -> Result<usize, StoreError> {
    let waiting = InboxKey::within(&InboxQueue::Waiting);
    let waiting: Vec<(InboxKey, ())> = tx.tables().entries(&waiting).collect::<Result<_, _>>()?;
    let mut changed = 0;
    for (InboxKey { session, .. }, ()) in waiting {
        let mut session = tx.tables().session(session)?.ok_or_else(|| missing("a session"))?;
        if session.plan_anew(tx.rules, tx.now) {
            tx.put_session(&session)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// The customer's last text that the bot has not seen.
fn unanswered(tables: Tables<'_>, session: &Session) -> Result<Option<Message>, StoreError> {
    let Some(from) = session.unseen_by_bot_from else { return Ok(None) };
    let mut unseen = tables.said(session.id, from..session.message_count);
    unseen.find(|message| message.as_ref().map_or(true, asks_something)).transpose()
}

/// Keeps a switch with all that it entails.
pub fn keep_switch(tx: &mut Tx<'_, '_>, switched: Switched) -> Result<Session, StoreError> {
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
pub fn silence_bot(tx: &mut Tx<'_, '_>, session: &mut Session) -> Result<(), StoreError> {
    let queue: Vec<(u64, Message)> = tx.tables().queue(session.customer_id).collect::<Result<_, _>>()?;
    for (_, mut message) in queue {
        if message.author.is_bot() {
            message.recall(tx.now);
            tx.update_message(&message)?;
        }
    }
    let turns: Vec<Turn> = tx.tables().open_turns(session.id).collect::<Result<_, _>>()?;
    for mut turn in turns {
        if turn.state == TurnState::Pending {
            let message = tx.tables().named_message(turn.message_id)?;
            turn.drop_unasked(session, message.as_ref());
            tx.put_turn(&turn)?;
        }
    }
    Ok(())
}
