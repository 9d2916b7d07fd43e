//! What a customer's text does: to their consent, to their session, to the bot.

use super::recovered::{self, Said};
use super::switch::hold;
use super::{LONGEST_DEBOUNCE, MOST_BATCHED, POSSIBLE_OPT_OUT, Policy, outbound_message, queue_turn};
use std::time::Duration;

use crate::domain::consent::LastWords;
use crate::domain::customer::{
    ConsentAction, ConsentEvidence, ConsentRecord, ConsentSource, Customer, NumberHash,
};
use crate::domain::delivery::{Delivery, Exemption};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::keywords::{self, Keyword};
use crate::domain::message::{Author, Lane, Media, Message};
use crate::domain::phone::{Address, PhoneNumber};
use crate::domain::segments;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnKind};

/// How long an answer to STOP, START or HELP is worth sending. The FCC gives five minutes for the one confirmation of an
/// opt-out (47 CFR 64.1200(a)(12)).
pub const KEYWORD_REPLY_LIFE: Duration = Duration::from_secs(5 * 60);

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
    /// The provider could not deliver it, and was asked for it later.
    pub recovered: bool,
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

/// What is on record of whoever texts.
#[derive(Clone, Debug, Default)]
pub struct OnRecord {
    /// The customer with that number.
    pub customer: Option<Customer>,
    /// Their newest session.
    pub newest: Option<Session>,
    /// The number opted out and its person was erased since.
    pub suppressed: bool,
    /// When the number last opted out and in. Asked of recovered texts only.
    pub last_words: LastWords,
    /// The last turn of that session that is still to be told or answered.
    pub last_turn: Option<Turn>,
}

/// What a customer's text does.
pub fn receive(
    on_record: OnRecord,
    text: &InboundText,
    ids: InboundIds,
    policy: &Policy,
    now: Timestamp,
) -> Received {
    let said = Said::of(text, &on_record.last_words, now);
    let mut customer = on_record.customer.unwrap_or_else(|| {
        let country = text.from.phone().and_then(PhoneNumber::country_code);
        Customer::new(ids.customer, text.from.clone(), country, on_record.suppressed, now)
    });
    if customer.lane.is_none() || !recovered::is_overtaken(text, on_record.newest.as_ref()) {
        customer.lane = Some(text.lane.clone());
    }
    let was_unsubscribed = customer.unsubscribed;
    // Who may not have been unsubscribed yet when they wrote it may have meant an answer.
    let read_as_unsubscribed = was_unsubscribed && said.counts(Keyword::Start);
    let keyword = text.keyword.or_else(|| keywords::classify(&text.content, read_as_unsubscribed));
    let counts = keyword.is_none_or(|keyword| said.counts(keyword));
    let consent =
        if counts { note_consent(&mut customer, keyword, text, ids.message, said, now) } else { Vec::new() };

    let mut session = on_record
        .newest
        .filter(|session| session.is_current(now, policy.idle_after))
        .unwrap_or_else(|| Session::new(ids.session, customer.id, !policy.has_bot, now));
    let message = inbound_message(&customer, &mut session, text, ids.message, keyword, now);

    let told = keyword.is_none() || policy.forward_keywords;
    let silence_bot = told && !session.need_attention && wants_humans(&mut session, &message, policy, now);
    if told {
        session.asks_anew(now, policy);
        if session.need_attention {
            session.wait_from(now, policy);
        }
    }
    let turn =
        if told { tell_bot(&mut session, &message, on_record.last_turn, ids, policy, now) } else { None };
    // One answer to each change of mind: who is unsubscribed already is not told so again.
    let answered = keyword.filter(|keyword| match keyword {
        Keyword::Stop | Keyword::Start => customer.unsubscribed != was_unsubscribed,
        Keyword::Help => true,
    });
    let worth_it_until = said.at.after(KEYWORD_REPLY_LIFE);
    let reply = answered
        .filter(|_| now < worth_it_until)
        .and_then(|keyword| text.replies.to(keyword))
        .map(|content| keyword_reply(&mut session, text, (ids.reply, content.clone()), worth_it_until, now));
    Received {
        opted_out: counts && keyword == Some(Keyword::Stop),
        silence_bot,
        customer,
        session,
        message,
        consent,
        turn,
        reply,
    }
}

/// The turn that tells the bot of the text: one that waits to be told and takes it along, or a new one.
fn tell_bot(
    session: &mut Session,
    message: &Message,
    last: Option<Turn>,
    ids: InboundIds,
    policy: &Policy,
    now: Timestamp,
) -> Option<Turn> {
    let kind = match session.need_attention {
        false => TurnKind::MessageReceived,
        true if policy.has_bot && policy.bot.observe => TurnKind::MessageObserved,
        true => return None,
    };
    let debounce = policy.bot.debounce.min(LONGEST_DEBOUNCE);
    let due_at = now.after(debounce);
    let waits = last.filter(|turn| !debounce.is_zero() && turn.takes_along(kind, session, MOST_BATCHED));
    Some(match waits {
        Some(mut turn) => {
            turn.also.push(message.id);
            turn.due_at = due_at.min(turn.created_at.after(LONGEST_DEBOUNCE)).max(turn.due_at);
            turn
        }
        None => Turn { due_at, ..queue_turn(session, ids.turn, kind, Some(message.id), now) },
    })
}

/// Whether a text that the bot would get is for humans: there is no bot, or it may be an opt-out in other words.
fn wants_humans(session: &mut Session, message: &Message, policy: &Policy, now: Timestamp) -> bool {
    let reason = match () {
        () if !policy.has_bot => None,
        () if message.keyword.is_none() && keywords::looks_like_opt_out(&message.content) => {
            Some(POSSIBLE_OPT_OUT.to_owned())
        }
        () => return false,
    };
    hold(session, reason, policy, now);
    // This very text is what the bot has not seen.
    session.bot_missed(message.place);
    true
}

fn keyword_reply(
    session: &mut Session,
    text: &InboundText,
    (id, content): (MessageId, String),
    valid_until: Timestamp,
    now: Timestamp,
) -> Message {
    let mut reply = outbound_message(session, &text.lane, &text.from, id, Author::gateway(), content, now);
    reply.delivery.exemption = Exemption::KeywordReply;
    reply.delivery.valid_until = Some(valid_until);
    reply
}

/// Texting is proof of the number, but a mere keyword is not a wish to talk: it never confirms.
fn note_consent(
    customer: &mut Customer,
    keyword: Option<Keyword>,
    text: &InboundText,
    message_id: MessageId,
    said: Said,
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
        said_at: text.recovered.then_some(said.at),
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
        recovered: text.recovered,
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
