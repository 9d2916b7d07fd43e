//! What the tests of the rules begin with: rules with a bot, and one customer who has texted once.

use std::time::Duration;

use uuid::Uuid;

use super::conversation::{
    Answer, AnswerText, AttentionPolicy, BotPolicy, InboundIds, InboundText, KeywordReplies, LoopGuard,
    OnRecord, Policy, Received, SessionPatch, receive, update_session,
};
use super::ids::{CustomerId, MessageId, SessionId, TurnId};
use super::message::Lane;
use super::phone::Address;
use super::session::Session;
use super::time::Timestamp;
use super::turn::Turn;

pub const HOUR: Duration = Duration::from_secs(3600);

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn turn_id(number: u128) -> TurnId {
    TurnId(id(number))
}

pub fn policy() -> Policy {
    Policy {
        idle_after: 2 * HOUR,
        has_bot: true,
        forward_keywords: false,
        max_content_units: 1600,
        bot: BotPolicy::default(),
        attention: AttentionPolicy::default(),
    }
}

pub fn guarded(texts: usize, within: Duration) -> Policy {
    let loop_guard = Some(LoopGuard { texts, within });
    Policy { bot: BotPolicy { loop_guard, ..BotPolicy::default() }, ..policy() }
}

pub fn observing() -> Policy {
    Policy { bot: BotPolicy { observe: true, ..BotPolicy::default() }, ..policy() }
}

pub fn patient(escalate_after: Option<Duration>, return_after: Option<Duration>) -> Policy {
    Policy { attention: AttentionPolicy { escalate_after, return_after }, ..policy() }
}

/// A text of the customer's, and what it does under these rules.
pub fn heard(on_record: OnRecord, content: &str, number: u128, policy: &Policy, now: Timestamp) -> Received {
    let text = InboundText {
        lane: Lane { channel: "main".into(), sender: "+15550001111".into() },
        provider_id: format!("SM{number}"),
        from: Address::parse("+14155550101").unwrap(),
        content: content.into(),
        media: Vec::new(),
        sent_at: None,
        recovered: false,
        keyword: None,
        replies: KeywordReplies::default(),
    };
    let ids = InboundIds {
        customer: CustomerId(id(1)),
        session: SessionId(id(2)),
        message: MessageId(id(1000 + number)),
        turn: turn_id(2000 + number),
        reply: MessageId(id(3000 + number)),
    };
    receive(on_record, &text, ids, policy, now)
}

/// The first text of the customer.
pub fn first() -> Received {
    heard(OnRecord::default(), "hello", 0, &policy(), at(0))
}

/// The turn of a text, told to the bot. The session has its number.
pub fn told(received: &Received) -> (Session, Turn) {
    let (mut session, mut turn) = (received.session.clone(), received.turn.clone().unwrap());
    turn.claim(&mut session, Some(&received.message), "here");
    (session, turn)
}

pub fn switched(session: Session, need_attention: bool, policy: &Policy, now: Timestamp) -> Session {
    let patch = SessionPatch { need_attention: Some(need_attention), ..SessionPatch::default() };
    update_session(session, &patch, policy, turn_id(9), now).session
}

pub fn texts(contents: &[&str]) -> Answer {
    let text =
        |content: &&str| AnswerText { content: (*content).into(), delay: Duration::ZERO, valid_for: None };
    Answer { texts: contents.iter().map(text).collect(), ..Answer::default() }
}
