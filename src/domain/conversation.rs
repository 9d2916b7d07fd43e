//! The rules of a conversation: what a customer's text does, who may speak, and what a switch between the bot and
//! the agents entails. Each rule takes what is stored and returns what is to be stored, all of it at once; the
//! engines load and keep, and decide nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::customer::{ConsentAction, ConsentEvidence, ConsentRecord, ConsentSource, Customer, NumberHash};
use super::delivery::{Delivery, Exemption};
use super::ids::{CustomerId, MessageId, SessionId, TurnId};
use super::keywords::{self, Keyword};
use super::message::{Author, Lane, Media, Message, Role};
use super::phone::Address;
use super::segments;
use super::session::{MAX_BOT_STATE_BYTES, MAX_LABEL_CHARS, MAX_LABELS, Session};
use super::time::Timestamp;
use super::turn::{Turn, TurnKind, TurnState};

/// How long an answer to STOP, START or HELP is worth sending. The FCC gives five minutes for the one confirmation of an
/// opt-out (47 CFR 64.1200(a)(12)).
pub const KEYWORD_REPLY_LIFE: Duration = Duration::from_secs(5 * 60);

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
}

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
        }
    }
}

/// The ids that a customer's text may need.
#[derive(Clone, Copy, Debug)]
pub struct InboundIds {
    pub customer: CustomerId,
    pub session: SessionId,
    pub message: MessageId,
    pub turn: TurnId,
    pub reply: MessageId,
}

/// A customer's text, as the provider delivered it.
#[derive(Clone, Debug)]
pub struct InboundText {
    /// The channel and the number of ours that it was sent to.
    pub lane: Lane,
    /// The provider's id of it: what makes a repeat a repeat.
    pub provider_id: String,
    pub from: Address,
    pub content: String,
    pub media: Vec<Media>,
    pub sent_at: Option<Timestamp>,
    /// The keyword that the provider says it is; decides before our own reading.
    pub keyword: Option<Keyword>,
    /// What is answered to a keyword by the gateway. None where the provider answers, or nobody does.
    pub replies: KeywordReplies,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeywordReplies {
    pub stop: Option<String>,
    pub start: Option<String>,
    pub help: Option<String>,
}

impl KeywordReplies {
    fn to(&self, keyword: Keyword) -> Option<&String> {
        match keyword {
            Keyword::Stop => self.stop.as_ref(),
            Keyword::Start => self.start.as_ref(),
            Keyword::Help => self.help.as_ref(),
        }
    }
}

/// All that a customer's text changes.
#[derive(Clone, Debug)]
pub struct Received {
    pub customer: Customer,
    pub session: Session,
    pub message: Message,
    pub consent: Vec<ConsentRecord>,
    /// The customer opted out: what is queued for them is withdrawn.
    pub opted_out: bool,
    /// Agents have it now: the bot is silenced.
    pub silence_bot: bool,
    pub turn: Option<Turn>,
    pub reply: Option<Message>,
}

/// What a customer's text does. `known`: the customer with that number; `newest`: their newest session; `suppressed`:
/// the number opted out and its person was erased since.
pub fn receive(
    known: Option<Customer>,
    newest: Option<Session>,
    suppressed: bool,
    text: &InboundText,
    ids: InboundIds,
    policy: &Policy,
    now: Timestamp,
) -> Received {
    let mut customer = known.unwrap_or_else(|| unknown_customer(ids.customer, &text.from, suppressed, now));
    customer.lane = Some(text.lane.clone());
    let was_unsubscribed = customer.unsubscribed;
    let keyword = text.keyword.or_else(|| keywords::classify(&text.content, was_unsubscribed));
    let consent = note_consent(&mut customer, keyword, text, ids.message, now);

    let mut session = newest
        .filter(|session| session.is_current(now, policy.idle_after))
        .unwrap_or_else(|| Session::new(ids.session, customer.id, !policy.has_bot, now));
    let message = inbound_message(&customer, &mut session, text, ids.message, keyword, now);

    let told = keyword.is_none() || policy.forward_keywords;
    let silence_bot = told && !session.need_attention && wants_humans(&mut session, &message, policy, now);
    if session.need_attention && told {
        session.waiting_since.get_or_insert(now);
    }
    let turn = (told && !session.need_attention)
        .then(|| queue_turn(&mut session, ids.turn, TurnKind::MessageReceived, Some(message.id), now));
    // One answer to each change of mind: who is unsubscribed already is not told so again.
    let answered = keyword.filter(|keyword| match keyword {
        Keyword::Stop | Keyword::Start => customer.unsubscribed != was_unsubscribed,
        Keyword::Help => true,
    });
    let reply = answered
        .and_then(|keyword| text.replies.to(keyword))
        .map(|content| keyword_reply(&mut session, text, ids.reply, content.clone(), now));
    Received {
        opted_out: keyword == Some(Keyword::Stop),
        silence_bot,
        customer,
        session,
        message,
        consent,
        turn,
        reply,
    }
}

/// Whether a text that the bot would get is for humans: there is no bot, or it may be an opt-out in other words.
fn wants_humans(session: &mut Session, message: &Message, policy: &Policy, now: Timestamp) -> bool {
    let reason = match () {
        () if !policy.has_bot => None,
        () if message.keyword.is_none() && keywords::looks_like_opt_out(&message.content) => {
            Some("possible_opt_out".to_owned())
        }
        () => return false,
    };
    hold(session, reason, now);
    // This very text is what the bot has not seen.
    session.unseen_by_bot_from = Some(message.place);
    true
}

fn keyword_reply(
    session: &mut Session,
    text: &InboundText,
    id: MessageId,
    content: String,
    now: Timestamp,
) -> Message {
    let mut reply = outbound_message(session, &text.lane, &text.from, id, Author::gateway(), content, now);
    reply.delivery.exemption = Exemption::KeywordReply;
    reply.delivery.valid_until = Some(now.after(KEYWORD_REPLY_LIFE));
    reply
}

fn unknown_customer(id: CustomerId, from: &Address, suppressed: bool, now: Timestamp) -> Customer {
    Customer {
        id,
        phone_number: None,
        unconfirmed_phone_number: Some(from.clone()),
        country_code: from.phone().and_then(super::phone::PhoneNumber::country_code),
        email: None,
        first_name: None,
        last_name: None,
        time_zone: "UTC".into(),
        unsubscribed: suppressed,
        confirmed_at: None,
        confirmation_sent_at: None,
        confirmation: None,
        lane: None,
        created_at: now,
        updated_at: now,
    }
}

/// Texting is proof of the number, but a mere keyword is not a wish to talk: it never confirms.
fn note_consent(
    customer: &mut Customer,
    keyword: Option<Keyword>,
    text: &InboundText,
    message_id: MessageId,
    now: Timestamp,
) -> Vec<ConsentRecord> {
    let action = match keyword {
        Some(Keyword::Stop) => ConsentAction::OptedOut,
        Some(Keyword::Start) => ConsentAction::OptedIn,
        Some(Keyword::Help) => return Vec::new(),
        None if customer.is_confirmed() => return Vec::new(),
        None => ConsentAction::Confirmed,
    };
    match action {
        ConsentAction::Confirmed => customer.confirm(now),
        ConsentAction::OptedOut | ConsentAction::OptedIn => {
            let unsubscribed = action == ConsentAction::OptedOut;
            if customer.unsubscribed != unsubscribed {
                customer.unsubscribed = unsubscribed;
                customer.updated_at = now;
            }
        }
    }
    let detail = keyword.map_or("text", Keyword::as_str).to_owned();
    vec![ConsentRecord {
        number: NumberHash::of(&text.from),
        customer_id: customer.id,
        action,
        evidence: ConsentEvidence {
            source: ConsentSource::Sms,
            lane: Some(text.lane.clone()),
            message_id: Some(message_id),
            detail,
        },
        at: now,
    }]
}

fn inbound_message(
    customer: &Customer,
    session: &mut Session,
    text: &InboundText,
    id: MessageId,
    keyword: Option<Keyword>,
    now: Timestamp,
) -> Message {
    let segmentation = segments::analyse(&text.content);
    Message {
        id,
        session_id: session.id,
        customer_id: customer.id,
        place: session.take_message_place(now),
        content: text.content.clone(),
        author: Author::customer(),
        media: text.media.clone(),
        keyword,
        turn_id: None,
        sent_at: text.sent_at.unwrap_or(now),
        delivered_at: Some(now),
        created_at: now,
        updated_at: now,
        delivery: Delivery::inbound(
            text.lane.clone(),
            &text.from,
            segmentation,
            text.provider_id.clone(),
            now,
        ),
    }
}

pub(super) fn outbound_message(
    session: &mut Session,
    lane: &Lane,
    to: &Address,
    id: MessageId,
    author: Author,
    content: String,
    now: Timestamp,
) -> Message {
    let delivery = Delivery::outbound(lane.clone(), to, segments::analyse(&content), now);
    Message {
        id,
        session_id: session.id,
        customer_id: session.customer_id,
        place: session.take_message_place(now),
        content,
        author,
        media: Vec::new(),
        keyword: None,
        turn_id: None,
        sent_at: now,
        delivered_at: None,
        created_at: now,
        updated_at: now,
        delivery,
    }
}

fn queue_turn(
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
        history: None,
        version: session.version,
        attempts: 0,
        due_at: now,
        state: TurnState::Pending,
        created_at: now,
    }
}

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

/// What a text of an agent, of the bot or of the gateway does, or why it may not.
pub fn speak(
    customer: &Customer,
    newest: Option<Session>,
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
    if by_agent {
        session.waiting_since = None;
    }
    let content = text.content.clone();
    let mut message = outbound_message(&mut session, lane, to, text.id, text.author.clone(), content, now);
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

/// Where a text to the customer goes, and the way it goes out, or why there is none.
pub(super) fn way_to<'a>(
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
                hold(&mut switched.session, patch.reason.clone(), now);
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

fn hold(session: &mut Session, reason: Option<String>, now: Timestamp) {
    session.need_attention = true;
    session.attention_reason = reason;
    session.version += 1;
    session.waiting_since = Some(now);
    session.unseen_by_bot_from = Some(session.message_count);
}

fn release(session: &mut Session, policy: &Policy, new_turn: TurnId, now: Timestamp) -> Option<Turn> {
    session.need_attention = false;
    session.attention_reason = None;
    session.version += 1;
    session.waiting_since = None;
    let history = session.unseen_by_bot_from.take().map(|from| from..session.message_count);
    policy
        .has_bot
        .then(|| Turn { history, ..queue_turn(session, new_turn, TurnKind::SessionUpdated, None, now) })
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
