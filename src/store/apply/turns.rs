//! The bot's turns: handed out one by one per session, answered, tried again or given up.

use super::sessions;
use crate::domain::answer::{self, Answered, GivenUp, GivingUp, answer, give_up};
use crate::domain::conversation::Answer;
use crate::domain::customer::Customer;
use crate::domain::event::of_refusal;
use crate::domain::ids::TurnId;
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{HISTORY, Turn, TurnWork};
use crate::store::apply::{Hand, World, missing, must_be_in_office};
use crate::store::{
    CompleteTurn, ReplayError, ReplyError, ReplyToTurn, StoreError, TurnClaim, TurnCompleted, TurnError,
    TurnFailed, TurnFailure, TurnReplied,
};

pub fn claim(tx: &mut impl World, owner: &str) -> Result<TurnClaim, StoreError> {
    must_be_in_office(tx, owner)?;
    let (mut turn, mut session, message) = loop {
        let Some((due_at, id)) = tx.next_turn()? else { return Ok(TurnClaim::Idle) };
        if due_at > tx.now() {
            return Ok(TurnClaim::NotBefore(due_at));
        }
        let mut turn = tx.turn(id)?.ok_or_else(|| missing("a turn"))?;
        let mut session = session_of(tx, &turn)?;
        let message = tx.named_message(turn.message_id)?;
        if !turn.is_obsolete(&session) {
            break (turn, session, message);
        }
        turn.drop_unasked(&mut session, message.as_ref());
        tx.put_turn(&turn)?;
        tx.put_session(&session)?;
    };
    let customer = customer_of(tx, &turn)?;
    turn.claim(&mut session, message.as_ref(), owner);
    tx.put_turn(&turn)?;
    tx.put_session(&session)?;
    let history = history_of(tx, &turn)?;
    let also = tx.messages(&turn.also)?;
    Ok(TurnClaim::Work(Box::new(TurnWork { turn, session, customer, message, also, history })))
}

fn customer_of(tx: &impl World, turn: &Turn) -> Result<Customer, StoreError> {
    tx.customer(turn.customer_id)?.ok_or_else(|| missing("a turn's customer"))
}

fn session_of(tx: &impl World, turn: &Turn) -> Result<Session, StoreError> {
    tx.session(turn.session_id)?.ok_or_else(|| missing("a turn's session"))
}

/// The newest of what was said while the bot was paused, oldest first.
fn history_of(tx: &impl World, turn: &Turn) -> Result<Vec<Message>, StoreError> {
    let Some(places) = turn.history.clone() else { return Ok(Vec::new()) };
    let mut said = tx.said(turn.session_id, places, HISTORY)?;
    said.reverse();
    Ok(said)
}

fn in_hand(tx: &impl World, id: TurnId, attempt: u32) -> Result<Turn, TurnError> {
    tx.turn(id)?.filter(|turn| turn.has_attempt(attempt)).ok_or(TurnError::Stale)
}

pub fn complete(tx: &mut impl World, command: &CompleteTurn) -> Result<TurnCompleted, TurnError> {
    let mut turn = in_hand(tx, command.turn_id, command.attempt)?;
    let newer = newer_session(tx, &turn)?;
    let given = command.said.given(newer.as_ref());
    let (customer, session) = (customer_of(tx, &turn)?, session_of(tx, &turn)?);
    let answered = answer(&customer, session, &turn, &given, tx.rules(), command.now);
    turn.complete(answered.refused, &command.said.answer);
    Ok(keep_answer(tx, &turn, answered, &command.said.answer)?)
}

pub fn reply(tx: &mut impl World, command: &ReplyToTurn) -> Result<TurnReplied, ReplyError> {
    let mut turn = tx.turn(command.turn_id)?.ok_or(ReplyError::NotFound)?;
    if let Some(reply) = command.repeats(&turn)? {
        let messages = tx.messages(&reply.messages)?;
        let completed = TurnCompleted { messages, refused: None, handed_off: false };
        return Ok(TurnReplied { completed, replayed: true });
    }
    let newer = newer_session(tx, &turn)?;
    let given = command.said.given(newer.as_ref());
    let (customer, session) = (customer_of(tx, &turn)?, session_of(tx, &turn)?);
    let answered = answer::reply(&customer, session, &turn, &given, tx.rules(), command.now);
    let ids = answered.messages.iter().map(|message| message.id).collect();
    turn.note_reply(command.key, ids, answered.refused, &command.said.answer);
    Ok(TurnReplied { completed: keep_answer(tx, &turn, answered, &command.said.answer)?, replayed: false })
}

/// The customer's newest session, where that is not the turn's.
fn newer_session(tx: &impl World, turn: &Turn) -> Result<Option<Session>, StoreError> {
    let newest = tx.newest_session(turn.customer_id)?;
    Ok(newest.filter(|newest| newest.id != turn.session_id))
}

fn keep_answer(
    tx: &mut impl World,
    turn: &Turn,
    mut answered: Answered,
    answer: &Answer,
) -> Result<TurnCompleted, StoreError> {
    tx.also_tell(answered.refused.map(|refusal| of_refusal(turn, refusal, answer)));
    tx.put_turn(turn)?;
    if answered.silence_bot {
        sessions::silence_bot(tx, &mut answered.session)?;
    }
    // After the bot was silenced: a hand-off leaves its own answer's texts.
    for message in &answered.messages {
        tx.add_message(message, None)?;
    }
    tx.put_session(&answered.session)?;
    let Answered { messages, silence_bot, refused, .. } = answered;
    Ok(TurnCompleted { messages, refused, handed_off: silence_bot })
}

pub fn fail(
    tx: &mut impl World,
    id: TurnId,
    attempt: u32,
    failure: &TurnFailure,
) -> Result<TurnFailed, TurnError> {
    let mut turn = in_hand(tx, id, attempt)?;
    match failure {
        TurnFailure::RetryAt(due_at) => {
            turn.failures += 1;
            let session = session_of(tx, &turn)?;
            retry(tx, turn, session, *due_at)?;
            Ok(TurnFailed::default())
        }
        TurnFailure::PutOff(due_at) => {
            let mut session = session_of(tx, &turn)?;
            turn.was_not_told(&mut session);
            retry(tx, turn, session, *due_at)?;
            Ok(TurnFailed::default())
        }
        TurnFailure::GiveUp { reason, fallback } | TurnFailure::NotAsked { reason, fallback } => {
            let giving_up = GivingUp {
                reason,
                fallback: fallback.as_ref(),
                overtaken: newer_session(tx, &turn)?.is_some(),
                called: matches!(failure, TurnFailure::GiveUp { .. }),
            };
            let (customer, session) = (customer_of(tx, &turn)?, session_of(tx, &turn)?);
            let message = tx.named_message(turn.message_id)?;
            let GivenUp { switched, message } =
                give_up(&customer, &mut turn, session, message.as_ref(), &giving_up, tx.rules(), tx.now());
            let handed_over = switched.silence_bot;
            tx.put_turn(&turn)?;
            sessions::keep_switch(tx, switched)?;
            if let Some(message) = &message {
                tx.add_message(message, None)?;
            }
            Ok(TurnFailed { message, handed_over })
        }
    }
}

pub fn replay(tx: &mut impl World, id: TurnId, new_turn: TurnId) -> Result<Turn, ReplayError> {
    let turn = tx.turn(id)?.ok_or(ReplayError::NotFound)?;
    if turn.is_open() {
        return Err(ReplayError::NotOver);
    }
    let mut session = session_of(tx, &turn)?;
    let again = turn.again(&mut session, new_turn, tx.now())?;
    tx.put_turn(&again)?;
    tx.put_session(&session)?;
    Ok(again)
}

fn retry(
    tx: &mut impl World,
    mut turn: Turn,
    mut session: Session,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    let message = tx.named_message(turn.message_id)?;
    turn.retry(&mut session, message.as_ref(), due_at);
    tx.put_turn(&turn)?;
    tx.put_session(&session)
}

pub fn release(tx: &mut impl World, owner: &str) -> Result<usize, StoreError> {
    retry_in_hand(tx, &Hand::GoneBut(owner.to_owned()), |turn| turn.is_abandoned(owner))
}

pub fn reclaim(tx: &mut impl World, owner: &str, known: &[(TurnId, u32)]) -> Result<usize, StoreError> {
    retry_in_hand(tx, &Hand::Of(owner.to_owned()), |turn| turn.is_forgotten(owner, known))
}

/// Those turns that are in somebody's hand are pending again. Returns how many.
fn retry_in_hand(
    tx: &mut impl World,
    hand: &Hand,
    which: impl Fn(&Turn) -> bool,
) -> Result<usize, StoreError> {
    let mut retried = 0;
    for turn in tx.turns_in(hand)? {
        let turn = tx.turn(turn)?.ok_or_else(|| missing("a turn in hand"))?;
        if which(&turn) {
            let (session, now) = (session_of(tx, &turn)?, tx.now());
            retry(tx, turn, session, now)?;
            retried += 1;
        }
    }
    Ok(retried)
}
