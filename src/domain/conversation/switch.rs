//! What an update of a session does: how it is labelled, and who has it.

use super::{LOOP_GUARD, Policy, Refusal, queue_turn};

use crate::domain::ids::TurnId;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnKind};

/// What somebody wants changed of a session; arrays replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionPatch {
    pub need_attention: Option<bool>,
    pub reason: Option<String>,
    pub tags: Option<Vec<String>>,
    pub topics: Option<Vec<String>>,
    pub bot_state: Option<String>,
}

/// All that an update of a session changes.
#[derive(Clone, Debug)]
pub struct Switched {
    pub session: Session,
    /// Agents have it now: what the bot has queued is canceled, and what it was still to be asked is dropped.
    pub silence_bot: bool,
    pub turn: Option<Turn>,
}

/// What an update of a session does. Setting what is set already is no switch, and raises no fence.
pub fn update_session(
    mut session: Session,
    patch: &SessionPatch,
    policy: &Policy,
    new_turn: TurnId,
    now: Timestamp,
) -> Switched {
    if let Some(tags) = &patch.tags {
        session.tags.clone_from(tags);
    }
    if let Some(topics) = &patch.topics {
        session.topics.clone_from(topics);
    }
    if let Some(state) = &patch.bot_state {
        session.bot_state = Some(state.clone());
    }
    session.updated_at = now;
    let mut switched = Switched { session, silence_bot: false, turn: None };
    match patch.need_attention {
        Some(true) => {
            if !switched.session.need_attention {
                hold(&mut switched.session, patch.reason.clone(), policy, now);
            }
            // Also where they have it already: what the bot said when it handed over may still be queued.
            switched.silence_bot = true;
        }
        Some(false) if switched.session.need_attention => {
            switched.turn = release(&mut switched.session, policy, new_turn, now);
        }
        _ => {}
    }
    switched
}

/// Agents have it now.
pub(in crate::domain) fn hold(
    session: &mut Session,
    reason: Option<String>,
    policy: &Policy,
    now: Timestamp,
) {
    session.updated_at = now;
    session.need_attention = true;
    session.attention_reason = reason;
    session.version += 1;
    session.stop_waiting();
    session.wait_from(now, policy);
    session.bot_missed(session.message_count);
}

/// Agents have it now if the bot's text was refused as one too many in too short a time, and the bot had it. Whether they do.
pub(in crate::domain) fn stop_loop(
    session: &mut Session,
    refusal: Refusal,
    policy: &Policy,
    now: Timestamp,
) -> bool {
    let stops = refusal == Refusal::LoopGuard && !session.need_attention;
    if stops {
        hold(session, Some(LOOP_GUARD.to_owned()), policy, now);
    }
    stops
}

/// The bot has it now.
pub(in crate::domain) fn release(
    session: &mut Session,
    policy: &Policy,
    new_turn: TurnId,
    now: Timestamp,
) -> Option<Turn> {
    session.updated_at = now;
    session.need_attention = false;
    session.attention_reason = None;
    session.version += 1;
    session.assignee = None;
    session.suggestions.clear();
    session.stop_waiting();
    let history = session.unseen_by_bot_from.take().map(|from| from..session.message_count);
    policy
        .has_bot
        .then(|| Turn { history, ..queue_turn(session, new_turn, TurnKind::SessionUpdated, None, now) })
}
