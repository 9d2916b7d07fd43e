//! Sessions: who has them, and what a switch entails.

use crate::domain::conversation::{self, Switched};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::{Turn, TurnState};
use crate::store::embedded::tx::Tx;
use crate::store::{StoreError, UpdateSession, UpdateSessionError};

pub fn update(tx: &mut Tx<'_, '_>, command: &UpdateSession) -> Result<Session, UpdateSessionError> {
    let UpdateSession { customer_id, patch, new_turn, now } = command;
    if tx.tables().customer(*customer_id)?.is_none() {
        return Err(UpdateSessionError::NotFound);
    }
    let session = tx
        .tables()
        .newest_session(*customer_id)?
        .filter(|session| session.is_current(*now, tx.rules.idle_after))
        .ok_or(UpdateSessionError::NoCurrentSession)?;
    let switched = conversation::update_session(session, patch, tx.rules, *new_turn, *now);
    Ok(keep_switch(tx, switched)?)
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
