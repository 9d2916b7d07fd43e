//! What a text of an agent, of the bot or of the gateway does, or why it may not be sent.

use super::{Policy, Refusal, Switched, may_still_answer, outbound_message, queue_turn, stop_loop, way_to};
use std::time::Duration;

use crate::domain::customer::Customer;
use crate::domain::delivery::Exemption;
use crate::domain::ids::{MessageId, SessionId, TurnId};
use crate::domain::message::{Author, Lane, Message, Role};
use crate::domain::segments;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnKind};

/// A text that somebody at the brand wants to send.
#[derive(Clone, Debug)]
pub struct OutboundText {
    pub id: MessageId,
    pub author: Author,
    pub content: String,
    /// Where it goes out if the customer has no lane of their own yet.
    pub default_lane: Option<Lane>,
    pub not_before: Option<Timestamp>,
    pub valid_for: Duration,
    /// A confirmation text, as it leaves: with the token, which `content` does not show. It goes to unconfirmed
    /// customers as well.
    pub confirmation: Option<String>,
    /// The session and turn to use, should new ones be needed.
    pub new_session: SessionId,
    pub new_turn: TurnId,
    /// The bot's turn that it answers, where the bot says so: it counts only for as long as an answer to that would.
    pub turn_id: Option<TurnId>,
    /// The bot says that it answers nothing.
    pub unprompted: bool,
}

/// All that a text of the brand's changes.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub session: Session,
    pub message: Message,
    /// An agent has begun a session: what the bot has queued for the customer is recalled.
    pub silence_bot: bool,
    /// The bot is told what an agent wrote.
    pub turn: Option<Turn>,
}

/// What a text of an agent, of the bot or of the gateway does, or why it may not. `turn`: the one that it names.
pub fn speak(
    customer: &Customer,
    newest: Option<Session>,
    turn: Option<&Turn>,
    text: &OutboundText,
    policy: &Policy,
    now: Timestamp,
) -> Result<Spoken, Refusal> {
    let exemption = if text.confirmation.is_some() { Exemption::Confirmation } else { Exemption::None };
    let (to, lane) = way_to(customer, exemption, text.default_lane.as_ref())?;
    let by_agent = text.author.role == Role::Agent;
    let current = newest.filter(|session| session.is_current(now, policy.idle_after));
    let silence_bot = by_agent && current.is_none();
    let mut session = current
        .unwrap_or_else(|| Session::new(text.new_session, customer.id, by_agent || !policy.has_bot, now));
    match (text.author.role, session.need_attention) {
        _ if text.author.is_gateway() => {}
        (Role::Agent | Role::EndUser, false) => return Err(Refusal::SessionNotHeld),
        (Role::Init, true) => return Err(Refusal::SessionHeld),
        (Role::Agent | Role::EndUser, true) | (Role::Init, false) => {}
    }
    if text.turn_id.is_some() {
        let turn = turn.filter(|turn| turn.session_id == session.id).ok_or(Refusal::StaleTurn)?;
        may_still_answer(turn, &session)?;
        session.was_answered(turn);
    } else if text.author.is_bot() && !text.unprompted && session.may_be_late(now) {
        return Err(Refusal::StaleTurn);
    }
    if by_agent {
        if session.assignee.as_ref().is_some_and(|name| *name != text.author.name) {
            return Err(Refusal::SessionAssigned);
        }
        session.stop_waiting();
    } else if text.author.is_bot() {
        session.count_bot_texts(1, policy, now)?;
    }
    let content = text.content.clone();
    let mut message = outbound_message(&mut session, lane, to, text.id, text.author.clone(), content, now);
    message.turn_id = text.turn_id;
    message.delivery.exemption = exemption;
    if let Some(wire_content) = &text.confirmation {
        message.delivery.segmentation = segments::analyse(wire_content);
        message.delivery.wire_content = Some(wire_content.clone());
    }
    if let Some(not_before) = text.not_before {
        message.delivery.ready_at = message.delivery.ready_at.max(not_before);
    }
    message.delivery.valid_until = Some(now.after(text.valid_for));
    let turn = (by_agent && policy.has_bot)
        .then(|| queue_turn(&mut session, text.new_turn, TurnKind::MessageCreated, Some(message.id), now));
    Ok(Spoken { session, message, silence_bot, turn })
}

/// What the bot's text does that is refused.
pub fn decline(
    newest: Option<Session>,
    refusal: Refusal,
    policy: &Policy,
    now: Timestamp,
) -> Option<Switched> {
    let mut session = newest.filter(|session| session.is_current(now, policy.idle_after))?;
    stop_loop(&mut session, refusal, policy, now).then_some(Switched {
        session,
        silence_bot: true,
        turn: None,
    })
}
