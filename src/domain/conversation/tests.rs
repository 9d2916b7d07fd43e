//! The rules of a conversation, one test each.

use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::customer::ConsentAction;
use crate::domain::delivery::{Exemption, Status};
use crate::domain::fixtures::policy;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::keywords::Keyword;
use crate::domain::message::Role;

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn ids() -> InboundIds {
    let id = |n| Uuid::from_u128(n);
    InboundIds {
        customer: CustomerId(id(1)),
        session: SessionId(id(2)),
        message: MessageId(id(3)),
        turn: TurnId(id(4)),
        reply: MessageId(id(5)),
    }
}

fn lane() -> Lane {
    Lane { channel: "main".into(), sender: "+15550001111".into() }
}

fn text(content: &str) -> InboundText {
    InboundText {
        lane: lane(),
        provider_id: "SM1".into(),
        from: Address::parse("+14155550101").unwrap(),
        content: content.into(),
        media: Vec::new(),
        sent_at: None,
        recovered: false,
        keyword: None,
        replies: KeywordReplies {
            stop: Some("You are unsubscribed.".into()),
            start: None,
            help: Some("Ask us.".into()),
        },
    }
}

fn first(content: &str) -> Received {
    receive(OnRecord::default(), &text(content), ids(), &policy(), NOW)
}

fn known(customer: &Customer, newest: &Session) -> OnRecord {
    OnRecord { customer: Some(customer.clone()), newest: Some(newest.clone()), ..OnRecord::default() }
}

fn then(before: &Received, content: &str, now: Timestamp) -> Received {
    receive(known(&before.customer, &before.session), &text(content), ids(), &policy(), now)
}

fn say(role: Role) -> OutboundText {
    OutboundText {
        id: MessageId(Uuid::from_u128(9)),
        author: Author { role, name: "desk".into() },
        content: "Hello".into(),
        default_lane: Some(lane()),
        not_before: None,
        valid_for: 4 * HOUR,
        confirmation: None,
        new_session: SessionId(Uuid::from_u128(10)),
        new_turn: TurnId(Uuid::from_u128(11)),
        turn_id: None,
        unprompted: false,
    }
}

fn held(before: &Received) -> Session {
    let patch = SessionPatch { need_attention: Some(true), ..SessionPatch::default() };
    update_session(before.session.clone(), &patch, &policy(), TurnId(Uuid::from_u128(12)), NOW).session
}

#[test]
fn who_texts_has_proved_the_number() {
    let received = first("Hey");
    assert!(received.customer.is_confirmed());
    assert_eq!(received.customer.phone_number, Some(Address::parse("+14155550101").unwrap()));
    assert_eq!(received.customer.unconfirmed_phone_number, None);
    assert_eq!(received.consent.len(), 1);
    assert_eq!(received.consent[0].action, ConsentAction::Confirmed);
}

#[test]
fn a_mere_keyword_proves_nothing() {
    for keyword in ["STOP", "START", "HELP"] {
        let received = first(keyword);
        assert!(!received.customer.is_confirmed(), "{keyword}");
        assert_eq!(received.customer.phone_number, None);
        assert!(received.turn.is_none(), "{keyword} is not told to the bot");
    }
}

#[test]
fn stop_unsubscribes_and_is_answered_once() {
    let received = then(&first("Hey"), " Stop. ", NOW);
    assert!(received.customer.unsubscribed);
    assert!(received.opted_out);
    assert_eq!(received.message.keyword, Some(Keyword::Stop));
    assert_eq!(received.consent[0].action, ConsentAction::OptedOut);
    let reply = received.reply.unwrap();
    assert!(reply.delivery.exemption == Exemption::KeywordReply && reply.author.is_gateway());
    assert_eq!(reply.content, "You are unsubscribed.");
}

#[test]
fn start_subscribes_again_but_yes_alone_is_conversation() {
    let stopped = then(&first("Hey"), "STOP", NOW);
    assert!(!then(&stopped, "START", NOW).customer.unsubscribed);
    assert!(!then(&stopped, "yes", NOW).customer.unsubscribed);
    let yes = then(&first("Hey"), "yes", NOW);
    assert_eq!(yes.message.keyword, None);
    assert!(yes.turn.is_some());
}

#[test]
fn the_providers_reading_of_a_keyword_decides() {
    let mut arret = text("Schluss jetzt");
    arret.keyword = Some(Keyword::Stop);
    let received = receive(OnRecord::default(), &arret, ids(), &policy(), NOW);
    assert!(received.customer.unsubscribed);
}

#[test]
fn an_erased_number_that_opted_out_starts_unsubscribed() {
    let received =
        receive(OnRecord { suppressed: true, ..OnRecord::default() }, &text("Hey"), ids(), &policy(), NOW);
    assert!(received.customer.unsubscribed);
}

#[test]
fn a_text_belongs_to_the_current_session_or_starts_one() {
    let received = first("Hey");
    let soon = then(&received, "Still there?", NOW.after(HOUR));
    assert_eq!(soon.session.id, received.session.id);
    assert_eq!(soon.message.place, 1);
    let mut late_ids = ids();
    late_ids.session = SessionId(Uuid::from_u128(77));
    let late = receive(
        known(&received.customer, &received.session),
        &text("Hi again"),
        late_ids,
        &policy(),
        NOW.after(2 * HOUR),
    );
    assert_eq!(late.session.id, late_ids.session);
}

#[test]
fn a_held_session_keeps_the_text_for_agents() {
    let received = first("Hey");
    let mut held = held(&received);
    held.waiting_since = None;
    let next = receive(known(&received.customer, &held), &text("Hello?"), ids(), &policy(), NOW.after(HOUR));
    assert!(next.turn.is_none());
    assert_eq!(next.session.waiting_since, Some(NOW.after(HOUR)));
}

#[test]
fn without_a_bot_every_session_is_the_agents() {
    let policy = Policy { has_bot: false, ..policy() };
    let received = receive(OnRecord::default(), &text("Hey"), ids(), &policy, NOW);
    assert!(received.session.need_attention && received.turn.is_none());
    assert_eq!(received.session.waiting_since, Some(NOW));
}

#[test]
fn the_bot_speaks_only_while_it_has_the_session() {
    let received = first("Hey");
    let spoken =
        speak(&received.customer, Some(received.session.clone()), None, &say(Role::Init), &policy(), NOW)
            .unwrap();
    assert_eq!(spoken.message.delivery.status, Status::Queued);
    assert!(spoken.turn.is_none(), "the bot is not told what it said itself");
    let refused = speak(&received.customer, Some(held(&received)), None, &say(Role::Init), &policy(), NOW);
    assert_eq!(refused.unwrap_err(), Refusal::SessionHeld);
}

#[test]
fn what_the_bot_says_without_naming_a_turn_is_refused_where_it_may_answer_one_from_before_a_switch() {
    let before = first("Hey");
    let (mut session, mut turn) = (before.session.clone(), before.turn.clone().unwrap());
    turn.claim(&mut session, Some(&before.message), "here");
    let switch = |session: Session, need_attention, at| {
        let patch = SessionPatch { need_attention: Some(need_attention), ..SessionPatch::default() };
        update_session(session, &patch, &policy(), TurnId(Uuid::from_u128(12)), at).session
    };
    let speaks = |session: &Session, text: &OutboundText, now| {
        speak(&before.customer, Some(session.clone()), None, text, &policy(), now).map(|_| ())
    };
    let unnamed = say(Role::Init);
    let unprompted = OutboundText { unprompted: true, ..unnamed.clone() };
    assert_eq!(speaks(&session, &unnamed, NOW), Ok(()), "nobody has switched it");
    let released = switch(switch(session.clone(), true, NOW), false, NOW);
    assert_eq!(speaks(&released, &unnamed, NOW), Err(Refusal::StaleTurn));
    assert_eq!(speaks(&released, &unprompted, NOW), Ok(()), "the bot says that it answers nothing");
    // Asked something new, it may mean that.
    let mut asked_anew = released.clone();
    let mut next = Turn { version: released.version, id: TurnId(Uuid::from_u128(13)), ..turn.clone() };
    next.claim(&mut asked_anew, Some(&before.message), "here");
    assert_eq!(speaks(&asked_anew, &unnamed, NOW), Ok(()));
    // One that has answered owes nothing.
    let mut answered = session;
    answered.was_answered(&turn);
    let released = switch(switch(answered, true, NOW), false, NOW);
    assert_eq!(speaks(&released, &unnamed, NOW), Ok(()));
}

#[test]
fn an_agent_speaks_only_while_agents_have_the_session() {
    let received = first("Hey");
    let refused =
        speak(&received.customer, Some(received.session.clone()), None, &say(Role::Agent), &policy(), NOW);
    assert_eq!(refused.unwrap_err(), Refusal::SessionNotHeld);
    let spoken =
        speak(&received.customer, Some(held(&received)), None, &say(Role::Agent), &policy(), NOW).unwrap();
    assert_eq!(spoken.session.waiting_since, None, "an answered customer waits no longer");
    assert_eq!(spoken.turn.unwrap().kind, TurnKind::MessageCreated);
}

#[test]
fn an_agent_who_writes_first_starts_a_held_session_and_the_bot_starts_one_of_its_own() {
    let received = first("Hey");
    let later = NOW.after(3 * HOUR);
    let newest = || Some(received.session.clone());
    let by_agent = speak(&received.customer, newest(), None, &say(Role::Agent), &policy(), later).unwrap();
    assert!(by_agent.session.need_attention && by_agent.session.id != received.session.id);
    let by_bot = speak(&received.customer, newest(), None, &say(Role::Init), &policy(), later).unwrap();
    assert!(!by_bot.session.need_attention);
}

#[test]
fn nobody_unconfirmed_or_unsubscribed_is_texted_but_for_what_is_exempt() {
    let received = first("Hey");
    let mut customer = received.customer.clone();
    customer.confirmed_at = None;
    let refused = speak(&customer, Some(held(&received)), None, &say(Role::Agent), &policy(), NOW);
    assert_eq!(refused.unwrap_err(), Refusal::CustomerUnconfirmed);
    let confirmation = OutboundText {
        author: Author::gateway(),
        confirmation: Some("Code 123456".into()),
        ..say(Role::Init)
    };
    let message = speak(&customer, None, None, &confirmation, &policy(), NOW).unwrap().message;
    assert_eq!(message.delivery.exemption, Exemption::Confirmation);
    assert_eq!((message.content.as_str(), message.wire_content()), ("Hello", "Code 123456"));
    customer.unsubscribed = true;
    for text in [say(Role::Agent), confirmation] {
        let refused = speak(&customer, Some(held(&received)), None, &text, &policy(), NOW);
        assert_eq!(refused.unwrap_err(), Refusal::CustomerUnsubscribed);
    }
}

#[test]
fn each_change_of_mind_is_answered_once_and_not_too_late() {
    let stopped = then(&first("Hey"), "STOP", NOW);
    assert_eq!(stopped.reply.clone().unwrap().delivery.valid_until, Some(NOW.after(KEYWORD_REPLY_LIFE)));
    assert!(then(&stopped, "STOP", NOW).reply.is_none());
}

#[test]
fn what_may_be_an_opt_out_in_other_words_is_for_humans() {
    let received = then(&first("Hey"), "please stop texting me", NOW);
    assert!(received.silence_bot && received.session.need_attention && received.turn.is_none());
    assert_eq!(received.session.attention_reason.as_deref(), Some("possible_opt_out"));
    assert!(!received.customer.unsubscribed);
    assert_eq!(received.session.unseen_by_bot_from, Some(received.message.place));
}

#[test]
fn without_a_bot_a_released_session_is_held_again_by_the_next_text() {
    let policy = Policy { has_bot: false, ..policy() };
    let received = receive(OnRecord::default(), &text("Hey"), ids(), &policy, NOW);
    let back = SessionPatch { need_attention: Some(false), ..SessionPatch::default() };
    let released = update_session(received.session, &back, &policy, TurnId(Uuid::nil()), NOW).session;
    let on_record = known(&received.customer, &released);
    let next = receive(on_record, &text("Still me"), ids(), &policy, NOW);
    assert!(next.session.need_attention && next.turn.is_none());
    assert_eq!(next.session.waiting_since, Some(NOW));
}

#[test]
fn a_switch_raises_the_fence_and_the_same_again_does_not() {
    let received = first("Hey");
    let turn = received.turn.clone().unwrap();
    assert_eq!(fence(&turn, &received.session), Ok(()));
    let held = held(&received);
    assert_eq!(fence(&turn, &held), Err(Refusal::StaleTurn));
    let again = SessionPatch { need_attention: Some(true), ..SessionPatch::default() };
    let twice = update_session(held.clone(), &again, &policy(), TurnId(Uuid::nil()), NOW);
    assert_eq!(twice.session.version, held.version);
    assert!(twice.silence_bot, "what the bot said when it handed over may still be queued");
    let back = SessionPatch { need_attention: Some(false), ..SessionPatch::default() };
    let released = update_session(held, &back, &policy(), TurnId(Uuid::nil()), NOW);
    assert_eq!(
        fence(&turn, &released.session),
        Err(Refusal::StaleTurn),
        "an answer from before two switches is stale"
    );
}

#[test]
fn on_release_the_bot_is_told_from_where_it_was_paused() {
    let received = first("Hey");
    let held = held(&received);
    let back = SessionPatch { need_attention: Some(false), ..SessionPatch::default() };
    let turn = update_session(held, &back, &policy(), TurnId(Uuid::nil()), NOW).turn.unwrap();
    assert_eq!(turn.kind, TurnKind::SessionUpdated);
    assert_eq!(turn.history, Some(1..1), "nothing was said meanwhile, from place 1 on");
}

#[test]
fn labels_replace_and_leave_the_rest() {
    let received = first("Hey");
    let patch = SessionPatch { tags: Some(vec!["mobile".into()]), ..SessionPatch::default() };
    let updated =
        update_session(received.session.clone(), &patch, &policy(), TurnId(Uuid::nil()), NOW).session;
    assert_eq!(updated.tags, ["mobile"]);
    assert_eq!((updated.version, updated.topics.len()), (received.session.version, 0));
}

#[test]
fn content_has_limits() {
    assert!(check_content("Hey", 1600).is_ok());
    assert!(check_content(&"a".repeat(1600), 1600).is_ok());
    for wrong in [String::new(), " \n".into(), "a".repeat(1601), "😀".repeat(801), "a\0b".into()] {
        assert!(check_content(&wrong, 1600).is_err());
    }
}

proptest! {
    /// Whatever is texted and switched: places are gapless, and only one side may speak.
    #[test]
    fn exactly_one_side_may_speak(steps in prop::collection::vec(0u8..4, 1..40)) {
        let mut now = NOW;
        let mut state = first("Hey");
        for step in steps {
            now = now.after(Duration::from_secs(60));
            match step {
                0 => {
                    let before = state.session.message_count;
                    state = then(&state, "More", now);
                    prop_assert_eq!(state.message.place, before);
                }
                step => {
                    let patch = SessionPatch { need_attention: Some(step == 1), ..SessionPatch::default() };
                    state.session = update_session(state.session, &patch, &policy(), TurnId(Uuid::nil()), now).session;
                }
            }
            let speaks = |role| speak(&state.customer, Some(state.session.clone()), None, &say(role), &policy(), now).is_ok();
            prop_assert_ne!(speaks(Role::Agent), speaks(Role::Init));
        }
    }
}
