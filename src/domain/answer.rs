//! What the end of a turn entails: the bot's answer, or that it could not be had. The rules only; who asks the bot,
//! and how often, is not decided here.

use std::time::Duration;

use super::conversation::{
    Answer, AnswerText, Policy, Refusal, SessionPatch, Switched, fence, hold, may_still_answer,
    outbound_message, stop_loop, update_session, way_to,
};
use super::customer::Customer;
use super::delivery::Exemption;
use super::ids::{MessageId, SuggestionId, TurnId};
use super::message::{Author, Message, Role};
use super::session::{MAX_SUGGESTIONS, Session, Suggestion};
use super::time::Timestamp;
use super::turn::{Turn, TurnKind, TurnState};

/// A bot's answer, with what it takes to keep it.
#[derive(Clone, Copy, Debug)]
pub struct GivenAnswer<'a> {
    pub answer: &'a Answer,
    /// One for each text of the answer.
    pub message_ids: &'a [MessageId],
    pub bot_name: &'a str,
    pub valid_for: Duration,
    pub new_turn: TurnId,
    /// The customer's newest session, where that is not the turn's. Once agents have it, the bot has no say in the older ones
    /// any more; and nobody could answer in one that it would hand over.
    pub newer: Option<&'a Session>,
}

impl GivenAnswer<'_> {
    fn overtaken(&self) -> Result<(), Refusal> {
        let overtaken = |newer: &Session| newer.need_attention || self.answer.handoff.is_some();
        if self.newer.is_some_and(overtaken) { Err(Refusal::StaleTurn) } else { Ok(()) }
    }
}

/// All that a bot's answer changes.
#[derive(Clone, Debug)]
pub struct Answered {
    pub session: Session,
    /// Its texts, in their order. A hand-off leaves them queued.
    pub messages: Vec<Message>,
    /// Agents have the session now: what else the bot has queued is canceled, and what it was still to be asked is dropped.
    pub silence_bot: bool,
    /// Why nothing of the answer counts.
    pub refused: Option<Refusal>,
}

impl Answered {
    fn nothing(session: Session) -> Self {
        Self { session, messages: Vec::new(), silence_bot: false, refused: None }
    }
}

/// What a bot's answer to the call that told it does: all of it counts, or none. It stays in the session of its turn,
/// current or not. Having nothing to say is never refused.
pub fn answer(
    customer: &Customer,
    session: Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Answered {
    keep(customer, session, turn, given, policy, now, fence)
}

/// The same for what it says of its own accord, at any time after it was told.
pub fn reply(
    customer: &Customer,
    session: Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Answered {
    keep(customer, session, turn, given, policy, now, may_still_answer)
}

fn keep(
    customer: &Customer,
    session: Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    policy: &Policy,
    now: Timestamp,
    may_answer: fn(&Turn, &Session) -> Result<(), Refusal>,
) -> Answered {
    if given.answer.is_empty() {
        return Answered::nothing(session);
    }
    if turn.kind == TurnKind::MessageObserved {
        return propose(session, turn, given, now);
    }
    let allowed = may_answer(turn, &session).and(given.overtaken());
    let kept = allowed.and_then(|()| take(customer, session.clone(), turn, given, policy, now));
    kept.unwrap_or_else(|refusal| refuse(session, turn, given, refusal, policy, now))
}

fn take(
    customer: &Customer,
    mut session: Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Answered, Refusal> {
    session.count_bot_texts(given.answer.texts.len(), policy, now)?;
    let messages = given
        .answer
        .texts
        .iter()
        .zip(given.message_ids)
        .map(|(text, id)| say(customer, &mut session, turn, given, text, *id, now))
        .collect::<Result<Vec<_>, _>>()?;
    if !messages.is_empty() {
        session.was_answered(turn);
    }
    let patch = SessionPatch {
        need_attention: given.answer.handoff.is_some().then_some(true),
        reason: given.answer.handoff.clone(),
        tags: given.answer.tags.clone(),
        topics: given.answer.topics.clone(),
        bot_state: given.answer.state.clone(),
    };
    if patch == SessionPatch::default() {
        return Ok(Answered { messages, ..Answered::nothing(session) });
    }
    let switched = update_session(session, &patch, policy, given.new_turn, now);
    Ok(Answered { messages, silence_bot: switched.silence_bot, ..Answered::nothing(switched.session) })
}

/// What an answer does that does not count: agents may still make something of it, and one that goes round in circles
/// needs them.
fn refuse(
    mut session: Session,
    turn: &Turn,
    given: &GivenAnswer<'_>,
    refusal: Refusal,
    policy: &Policy,
    now: Timestamp,
) -> Answered {
    if given.newer.is_none() && stop_loop(&mut session, refusal, policy, now) {
        return Answered { silence_bot: true, refused: Some(refusal), ..Answered::nothing(session) };
    }
    if refusal == Refusal::StaleTurn && session.need_attention && policy.bot.observe {
        suggest(&mut session, turn, given, now);
    }
    Answered { refused: Some(refusal), ..Answered::nothing(session) }
}

/// What the bot would say, for the agents who have the session.
fn propose(mut session: Session, turn: &Turn, given: &GivenAnswer<'_>, now: Timestamp) -> Answered {
    if !session.need_attention || session.version != turn.version {
        return Answered { refused: Some(Refusal::StaleTurn), ..Answered::nothing(session) };
    }
    suggest(&mut session, turn, given, now);
    Answered::nothing(session)
}

/// In the place of what it proposed before.
fn suggest(session: &mut Session, turn: &Turn, given: &GivenAnswer<'_>, now: Timestamp) {
    // One that was asked for later says more. The ids of turns sort by time.
    let is_late = session.suggestions.first().is_some_and(|newer| newer.turn_id > turn.id);
    if given.answer.texts.is_empty() || is_late {
        return;
    }
    let texts = given.answer.texts.iter().zip(given.message_ids).take(MAX_SUGGESTIONS);
    session.suggestions = texts
        .map(|(text, id)| Suggestion {
            // A message that it never becomes has no use for its id.
            id: SuggestionId(id.0),
            content: text.content.clone(),
            turn_id: turn.id,
            selected_count: 0,
            created_at: now,
        })
        .collect();
    session.updated_at = now;
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

/// What the customer is told where the bot cannot be asked, if anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    pub id: MessageId,
    pub content: String,
    pub valid_for: Duration,
}

/// That nobody tries to tell a turn any more.
#[derive(Clone, Copy, Debug)]
pub struct GivingUp<'a> {
    pub reason: &'a str,
    pub fallback: Option<&'a Fallback>,
    /// The customer has a newer session than the turn's: nobody could answer in the older one.
    pub overtaken: bool,
    /// Whether the bot was called at all.
    pub called: bool,
}

/// What giving up a turn changes.
#[derive(Clone, Debug)]
pub struct GivenUp {
    pub switched: Switched,
    /// What the customer is told.
    pub message: Option<Message>,
}

/// The bot could not be told, and nobody tries any more: humans take the session, if an answer was expected and would have
/// counted. `message`: the one that the turn names.
pub fn give_up(
    customer: &Customer,
    turn: &mut Turn,
    session: Session,
    message: Option<&Message>,
    giving_up: &GivingUp<'_>,
    policy: &Policy,
    now: Timestamp,
) -> GivenUp {
    let nothing = |session| Switched { session, silence_bot: false, turn: None };
    if !turn.replies.is_empty() {
        // It was told, and has answered, by a call of its own.
        turn.state = TurnState::Done;
        return GivenUp { switched: nothing(session), message: None };
    }
    let GivingUp { reason, fallback, overtaken, called } = *giving_up;
    let mut session = session;
    if !called {
        turn.was_not_told(&mut session);
    }
    let owed = turn.kind.expects_reply();
    turn.state =
        if owed || called { TurnState::Failed { reason: reason.to_owned() } } else { TurnState::Dropped };
    if !owed || overtaken || fence(turn, &session).is_err() {
        let mut switched = nothing(session);
        turn.missed(&mut switched.session, message);
        return GivenUp { switched, message: None };
    }
    hold(&mut session, Some(reason.to_owned()), policy, now);
    turn.missed(&mut session, message);
    let told = fallback.and_then(|fallback| tell(customer, &mut session, fallback, now));
    GivenUp { switched: Switched { session, silence_bot: true, turn: None }, message: told }
}

/// The gateway speaks in the bot's stead, where the customer may be texted.
fn tell(customer: &Customer, session: &mut Session, fallback: &Fallback, now: Timestamp) -> Option<Message> {
    let (to, lane) = way_to(customer, Exemption::None, None).ok()?;
    let Fallback { id, content, valid_for } = fallback;
    let mut message = outbound_message(session, lane, to, *id, Author::gateway(), content.clone(), now);
    message.delivery.valid_until = Some(now.after(*valid_for));
    Some(message)
}

#[cfg(test)]
mod tests;
