//! What the end of a turn entails: the bot's answer, or that it could not be had. The rules only; who asks the bot,
//! and how often, is not decided here.

use std::time::Duration;

use super::conversation::{
    Answer, AnswerText, Policy, Refusal, SessionPatch, Switched, fence, outbound_message, update_session,
    way_to,
};
use super::customer::Customer;
use super::delivery::Exemption;
use super::ids::{MessageId, TurnId};
use super::message::{Author, Message, Role};
use super::session::Session;
use super::time::Timestamp;
use super::turn::{Turn, TurnState};

/// A bot's answer, with what it takes to keep it.
#[derive(Clone, Copy, Debug)]
pub struct GivenAnswer<'a> {
    pub answer: &'a Answer,
    /// One for each text of the answer.
    pub message_ids: &'a [MessageId],
    pub bot_name: &'a str,
    pub valid_for: Duration,
    pub new_turn: TurnId,
    /// Agents have a newer session of the customer's: the bot has no say in the older ones any more.
    pub overtaken: bool,
}

/// All that a bot's answer changes.
#[derive(Clone, Debug)]
pub struct Answered {
    pub session: Session,
    /// Its texts, in their order. A hand-off leaves them queued.
    pub messages: Vec<Message>,
    /// The bot asked for a human: what else it has queued is canceled, and what it was still to be asked is dropped.
    pub silence_bot: bool,
}

/// What a bot's answer does, all of it, or why none of it counts. It stays in the session of its turn, current or
/// not. Having nothing to say is never refused.
pub fn answer(
    customer: &Customer,
    session: Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Answered, Refusal> {
    if given.answer.is_empty() {
        return Ok(Answered { session, messages: Vec::new(), silence_bot: false });
    }
    fence(turn, &session)?;
    if given.overtaken {
        return Err(Refusal::StaleTurn);
    }
    let mut session = session;
    let messages = given
        .answer
        .texts
        .iter()
        .zip(given.message_ids)
        .map(|(text, id)| say(customer, &mut session, turn, given, text, *id, now))
        .collect::<Result<Vec<_>, _>>()?;
    let patch = SessionPatch {
        need_attention: given.answer.handoff.is_some().then_some(true),
        reason: given.answer.handoff.clone(),
        tags: given.answer.tags.clone(),
        topics: given.answer.topics.clone(),
        bot_state: given.answer.state.clone(),
    };
    if patch == SessionPatch::default() {
        return Ok(Answered { session, messages, silence_bot: false });
    }
    let switched = update_session(session, &patch, policy, given.new_turn, now);
    Ok(Answered { session: switched.session, messages, silence_bot: switched.silence_bot })
}

fn say(
    customer: &Customer,
    session: &mut Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    text: &AnswerText,
    id: MessageId,
    now: Timestamp,
) -> Result<Message, Refusal> {
    let (to, lane) = way_to(customer, Exemption::None, None)?;
    let author = Author { role: Role::Init, name: given.bot_name.to_owned() };
    let mut message = outbound_message(session, lane, to, id, author, text.content.clone(), now);
    message.turn_id = Some(turn.id);
    // Who hands over says goodbye at once: later it would speak into the agents' conversation.
    if given.answer.handoff.is_none() {
        message.delivery.ready_at = now.after(text.delay);
    }
    message.delivery.valid_until = Some(match text.valid_for {
        Some(valid_for) => message.delivery.ready_at.after(valid_for),
        None => now.after(given.valid_for),
    });
    Ok(message)
}

/// The bot could not be told, and nobody tries any more: humans take the session, if an answer was expected.
/// `message`: the one that the turn names.
pub fn give_up(
    turn: &mut Turn,
    session: Session,
    message: Option<&Message>,
    reason: &str,
    policy: &Policy,
    new_turn: TurnId,
    now: Timestamp,
) -> Switched {
    turn.state = TurnState::Failed { reason: reason.to_owned() };
    let mut switched = if turn.kind.expects_reply() && !session.need_attention {
        let patch = SessionPatch {
            need_attention: Some(true),
            reason: Some(reason.to_owned()),
            ..SessionPatch::default()
        };
        update_session(session, &patch, policy, new_turn, now)
    } else {
        Switched { session, silence_bot: false, turn: None }
    };
    turn.missed(&mut switched.session, message);
    switched
}
