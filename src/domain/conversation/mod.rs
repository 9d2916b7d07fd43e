//! The rules of a conversation: what a customer's text does, who may speak, and what a switch between the bot and
//! the agents entails. Each rule takes what is stored and returns what is to be stored, all of it at once; the
//! engines load and keep, and decide nothing.
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, Exemption};
use crate::domain::ids::{MessageId, TurnId};
use crate::domain::message::{Author, Lane, Message};
use crate::domain::phone::Address;
use crate::domain::reply::REPLY_LIFE;
use crate::domain::segments;
use crate::domain::session::{MAX_BOT_STATE_BYTES, MAX_LABEL_CHARS, MAX_LABELS, Session};
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnKind, TurnState};

mod receive;
mod recovered;
mod speak;
mod switch;

pub use receive::{InboundIds, InboundText, KEYWORD_REPLY_LIFE, KeywordReplies, OnRecord, Received, receive};
pub use speak::{OutboundText, Spoken, decline, speak};
pub use switch::{SessionPatch, Switched, update_session};
pub(in crate::domain) use switch::{hold, release, stop_loop};

/// The rules that a deployment chooses.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A session is current while its last message is younger.
    pub idle_after: Duration,
    /// Without a bot every session belongs to agents.
    pub has_bot: bool,
    /// Whether STOP, START and HELP are told to the bot, too.
    pub forward_keywords: bool,
    /// The most characters a message may have, in UTF-16 units.
    pub max_content_units: usize,
    pub bot: BotPolicy,
    pub attention: AttentionPolicy,
}

/// What a deployment chooses about its bot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BotPolicy {
    /// How long the bot's turn waits for what else the customer writes. Zero: each text is a turn of its own.
    pub debounce: Duration,
    /// While agents have a session, the bot is told what the customer writes, and may propose what to answer.
    pub observe: bool,
    /// None: the bot may text as often as it likes.
    pub loop_guard: Option<LoopGuard>,
}

/// More texts of the bot to one customer, in so short a time, are a loop: humans take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopGuard {
    pub texts: usize,
    pub within: Duration,
}

/// What a deployment chooses about customers who wait for an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttentionPolicy {
    /// Agents are told again when a customer has waited for so long; and then each time twice as long after.
    pub escalate_after: Option<Duration>,
    /// The bot has a session back when its customer has waited for an agent for so long.
    pub return_after: Option<Duration>,
}

/// The longest that the texts of one turn are waited for, however long the customer goes on.
pub const LONGEST_DEBOUNCE: Duration = Duration::from_secs(10);
/// The most texts that one turn tells of, beside the first.
const MOST_BATCHED: usize = 19;

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    #[error("the customer has not confirmed the number")]
    CustomerUnconfirmed,
    #[error("the customer is unsubscribed")]
    CustomerUnsubscribed,
    #[error("the customer has no number that can be texted")]
    CustomerUnreachable,
    #[error("the bot has this session; set need_attention to true first")]
    SessionNotHeld,
    #[error("agents have this session; the bot may not speak")]
    SessionHeld,
    #[error("the answer belongs to a turn before the session was switched")]
    StaleTurn,
    #[error("no channel is known that this customer could be texted by")]
    NoLane,
    #[error("somebody else has this session; take it over from them first")]
    SessionAssigned,
    #[error("the bot texted this customer too often in too short a time; agents have the session now")]
    LoopGuard,
}

impl Refusal {
    pub fn slug(self) -> &'static str {
        match self {
            Self::CustomerUnconfirmed => "customer-unconfirmed",
            Self::CustomerUnsubscribed => "customer-unsubscribed",
            Self::CustomerUnreachable => "customer-unreachable",
            Self::SessionNotHeld => "session-not-held",
            Self::SessionHeld => "session-held",
            Self::StaleTurn => "stale-turn",
            Self::NoLane => "no-lane",
            Self::SessionAssigned => "session-assigned",
            Self::LoopGuard => "loop-guard",
        }
    }
}

pub(in crate::domain) fn outbound_message(
    session: &mut Session,
    lane: &Lane,
    to: &Address,
    id: MessageId,
    author: Author,
    content: String,
    now: Timestamp,
) -> Message {
    let mut delivery = Delivery::outbound(lane.clone(), to, segments::analyse(&content), now);
    delivery.session_version = Some(session.version);
    Message {
        id,
        session_id: session.id,
        customer_id: session.customer_id,
        place: session.take_message_place(now),
        content,
        author,
        media: Vec::new(),
        keyword: None,
        recovered: false,
        turn_id: None,
        sent_at: now,
        delivered_at: None,
        created_at: now,
        updated_at: now,
        delivery,
    }
}

/// A turn at the end of the session's, about that message.
pub(in crate::domain) fn queue_turn(
    session: &mut Session,
    id: TurnId,
    kind: TurnKind,
    message_id: Option<MessageId>,
    now: Timestamp,
) -> Turn {
    let place = session.turns_queued;
    session.turns_queued += 1;
    Turn {
        id,
        session_id: session.id,
        customer_id: session.customer_id,
        place,
        number: None,
        kind,
        message_id,
        also: Vec::new(),
        replies: Vec::new(),
        refused_texts: Vec::new(),
        history: None,
        version: session.version,
        attempts: 0,
        failures: 0,
        put_off: 0,
        due_at: now,
        state: TurnState::Pending,
        created_at: now,
    }
}

/// Where a text to the customer goes, and the way it goes out, or why there is none.
pub(in crate::domain) fn way_to<'a>(
    customer: &'a Customer,
    exemption: Exemption,
    default_lane: Option<&'a Lane>,
) -> Result<(&'a Address, &'a Lane), Refusal> {
    may_be_texted(customer, exemption)?;
    let to = customer.address().filter(|to| to.is_textable()).ok_or(Refusal::CustomerUnreachable)?;
    let lane = customer.lane.as_ref().or(default_lane).ok_or(Refusal::NoLane)?;
    Ok((to, lane))
}

/// Asked when a text is queued, and again when it is about to leave.
pub fn may_be_texted(customer: &Customer, exemption: Exemption) -> Result<(), Refusal> {
    match exemption {
        Exemption::KeywordReply => Ok(()),
        _ if customer.unsubscribed => Err(Refusal::CustomerUnsubscribed),
        Exemption::None if !customer.is_confirmed() => Err(Refusal::CustomerUnconfirmed),
        Exemption::None | Exemption::Confirmation => Ok(()),
    }
}

/// What the bot answered to a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub texts: Vec<AnswerText>,
    /// The bot asks for a human.
    pub handoff: Option<String>,
    pub tags: Option<Vec<String>>,
    pub topics: Option<Vec<String>>,
    pub state: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerText {
    pub content: String,
    pub delay: Duration,
    /// For how long it is worth sending, once it may leave; none: as it is set up.
    pub valid_for: Option<Duration>,
}

impl Answer {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether what the bot says for this turn still counts: nobody has switched the session since.
pub fn fence(turn: &Turn, session: &Session) -> Result<(), Refusal> {
    if session.version == turn.version && !session.need_attention { Ok(()) } else { Err(Refusal::StaleTurn) }
}

/// The same for an answer that may come whenever the bot likes: one to an earlier turn comes too late, too.
pub fn may_still_answer(turn: &Turn, session: &Session) -> Result<(), Refusal> {
    fence(turn, session)?;
    let overtaken = turn.number.is_none_or(|number| number < session.turns_answered);
    if overtaken || !turn.kind.expects_reply() { Err(Refusal::StaleTurn) } else { Ok(()) }
}

/// Why agents have a session whose bot went round in circles.
pub const LOOP_GUARD: &str = "loop_guard";
/// Why agents have a session whose customer may want no more texts.
pub const POSSIBLE_OPT_OUT: &str = "possible_opt_out";
/// Why agents have a session whose bot could not be asked; why follows after a colon.
pub const BOT_UNAVAILABLE: &str = "bot_unavailable";
/// Why agents have a session whose bot is not called any more; why follows after a colon.
pub const BOT_DISABLED: &str = "bot_disabled";

/// A reason without what follows after its colon. What a bot says when it hands over may look like anything.
fn kind_of_reason(reason: &str) -> &str {
    reason.split_once(':').map_or(reason, |(kind, _)| kind)
}

/// Which of the gateway's own reasons it is; none if a bot said it.
pub fn own_reason(reason: &str) -> Option<&'static str> {
    let kinds = [LOOP_GUARD, POSSIBLE_OPT_OUT, BOT_UNAVAILABLE, BOT_DISABLED];
    kinds.into_iter().find(|kind| *kind == kind_of_reason(reason))
}

impl Session {
    /// The bot has answered that turn with a text: what it says for an earlier one comes too late.
    pub(in crate::domain) fn was_answered(&mut self, turn: &Turn) {
        self.turns_answered = self.turns_answered.max(turn.number.unwrap_or(0));
        self.asked = None;
    }

    /// Whether a text of the bot's that names no turn may answer one from before a switch.
    fn may_be_late(&self, now: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked.version != self.version && now.since(asked.at) < REPLY_LIFE)
    }

    /// Counts texts of the bot's that are about to be queued.
    pub(in crate::domain) fn count_bot_texts(
        &mut self,
        texts: usize,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(guard) = policy.bot.loop_guard else { return Ok(()) };
        self.bot_texts.retain(|at| *at <= now && now.since(*at) < guard.within);
        if texts > 0 && self.bot_texts.len() + texts > guard.texts {
            return Err(Refusal::LoopGuard);
        }
        self.bot_texts.extend(std::iter::repeat_n(now, texts));
        Ok(())
    }
}

/// What is wrong with a list of tags or topics.
pub fn check_labels(labels: &[String]) -> Result<(), String> {
    if labels.len() > MAX_LABELS {
        return Err(format!("has {} entries; at most {MAX_LABELS} are taken", labels.len()));
    }
    match labels.iter().find(|label| label.trim().is_empty() || label.chars().count() > MAX_LABEL_CHARS) {
        Some(_) => Err(format!("each entry needs 1 to {MAX_LABEL_CHARS} characters")),
        None => Ok(()),
    }
}

/// What is wrong with the content of a message.
pub fn check_content(content: &str, max_units: usize) -> Result<(), String> {
    let units = segments::utf16_units(content);
    match () {
        () if content.trim().is_empty() => Err("is empty; a text needs at least one character".into()),
        () if units > max_units => {
            Err(format!("has {units} characters; at most {max_units} fit into one message"))
        }
        () if content.contains('\0') => Err("contains a NUL character, which no phone can show".into()),
        () => Ok(()),
    }
}

/// What is wrong with the state that a bot wants to leave behind.
pub fn check_bot_state(state: &str) -> Result<(), String> {
    if state.len() > MAX_BOT_STATE_BYTES {
        Err(format!("has {} bytes; at most {MAX_BOT_STATE_BYTES} are kept", state.len()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
