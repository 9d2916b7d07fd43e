//! Customers who wait for an agent: since when, who takes them on, and what happens when nobody does. The rules only; who
//! looks, and when, is not decided here.

use std::time::Duration;

use super::conversation::{Policy, Refusal, own_reason, release};
use super::ids::TurnId;
use super::message::{Message, Role};
use super::session::Session;
use super::time::Timestamp;
use super::turn::{Turn, TurnKind};

/// However often agents were reminded, the next pause is no longer than so many times the first.
const LONGEST_PAUSE: u32 = 64;

impl Session {
    /// The customer waits for an agent, if they did not already.
    pub fn wait_from(&mut self, now: Timestamp, policy: &Policy) {
        if self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.plan_attention(now, policy);
        }
    }

    /// The customer has written once more: the bot may be given this back, too, though it was given the last in vain.
    pub fn asks_anew(&mut self, now: Timestamp, policy: &Policy) {
        let was_given_back = std::mem::take(&mut self.given_back);
        if was_given_back && self.waiting_since.is_some() {
            self.plan_attention(now, policy);
        }
    }

    /// Brings what is planned in line with the rules that there are now. Whether that changes anything.
    pub fn plan_anew(&mut self, policy: &Policy, now: Timestamp) -> bool {
        if !self.need_attention || self.waiting_since.is_none() {
            return false;
        }
        let planned = self.attend_at;
        self.plan_attention(now, policy);
        self.attend_at = self.attend_at.into_iter().chain(planned).min();
        self.attend_at != planned
    }

    /// An agent has spoken, or the bot has the session.
    pub fn stop_waiting(&mut self) {
        self.waiting_since = None;
        self.attend_at = None;
        self.escalations = 0;
    }

    fn plan_attention(&mut self, from: Timestamp, policy: &Policy) {
        let pause =
            |first: Duration| first.saturating_mul(2u32.saturating_pow(self.escalations).min(LONGEST_PAUSE));
        let remind_at = policy.attention.escalate_after.map(|first| from.after(pause(first)));
        self.attend_at = remind_at.into_iter().chain(self.return_at(policy)).min();
    }

    /// When the bot is to have it back. Never by itself what the gateway took from it: for its own good, or the customer's, or
    /// since it could not be asked; and only once for what the customer wrote last.
    fn return_at(&self, policy: &Policy) -> Option<Timestamp> {
        let patience = policy.attention.return_after.filter(|_| policy.has_bot)?;
        let was_taken = self.attention_reason.as_deref().and_then(own_reason).is_some();
        let may_return = !self.given_back && !was_taken;
        let since = self.waiting_since.filter(|_| may_return && self.assignee.is_none())?;
        Some(since.after(patience))
    }
}

/// What became of a session whose customer has waited for long.
#[derive(Clone, Debug)]
pub struct Attended {
    pub session: Session,
    pub outcome: Attention,
}

#[derive(Clone, Debug)]
pub enum Attention {
    /// Agents are told again.
    Escalated,
    /// The bot has it back, and is told of this.
    Returned(Option<Box<Turn>>),
    /// Nothing: it was planned under other rules than there are now.
    Planned,
}

/// What becomes of a session at its `attend_at`. `unanswered`: the customer's last text that the bot has not seen.
pub fn attend(
    mut session: Session,
    unanswered: Option<&Message>,
    policy: &Policy,
    new_turn: TurnId,
    now: Timestamp,
) -> Attended {
    if session.return_at(policy).is_some_and(|at| at <= now) {
        session.given_back = true;
        let turn = release(&mut session, policy, new_turn, now).map(|turn| ask_about(turn, unanswered));
        // What came after that text, a keyword and what was said to it, is told with the next turn.
        if let Some(after) = unanswered.map(|message| message.place + 1)
            && after < session.message_count
        {
            session.bot_missed(after);
        }
        return Attended { session, outcome: Attention::Returned(turn.map(Box::new)) };
    }
    if policy.attention.escalate_after.is_none() {
        session.plan_attention(now, policy);
        return Attended { session, outcome: Attention::Planned };
    }
    session.escalations += 1;
    session.updated_at = now;
    session.plan_attention(now, policy);
    Attended { session, outcome: Attention::Escalated }
}

/// Somebody still waits for an answer: the bot is asked for one, where agents who let go of a session would only tell it.
fn ask_about(turn: Turn, unanswered: Option<&Message>) -> Turn {
    let Some(message) = unanswered else { return turn };
    let history = turn.history.clone().map(|places| places.start.min(message.place)..message.place);
    Turn { kind: TurnKind::MessageReceived, message_id: Some(message.id), history, ..turn }
}

/// Whether a message is a customer's that an answer is owed to.
pub fn asks_something(message: &Message) -> bool {
    message.author.role == Role::EndUser && message.keyword.is_none()
}

/// Why a session is not assigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignRefusal {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{0} has this session")]
    Taken(String),
}

/// An agent takes a session on, or (`None`) nobody has it any more. `caller` may do so unless somebody else has it;
/// `force` takes it from them.
pub fn assign(
    mut session: Session,
    assignee: Option<String>,
    caller: &str,
    force: bool,
    policy: &Policy,
    now: Timestamp,
) -> Result<Session, AssignRefusal> {
    if !session.need_attention {
        return Err(Refusal::SessionNotHeld.into());
    }
    if session.assignee == assignee {
        return Ok(session);
    }
    match &session.assignee {
        Some(other) if other != caller && !force => return Err(AssignRefusal::Taken(other.clone())),
        Some(_) | None => {}
    }
    session.assignee = assignee;
    session.updated_at = now;
    if let Some(since) = session.waiting_since {
        session.plan_attention(since.max(now), policy);
    }
    Ok(session)
}

#[cfg(test)]
mod tests;
