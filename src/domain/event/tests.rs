//! What is told of a change, and what is not.

use proptest::prelude::*;

use super::*;
use crate::domain::delivery::{ErrorClass, ReceiptStage, ReceiptStatus, SendOutcome};
use crate::domain::fixtures::{at, first, id, policy, switched, texts, told};
use crate::domain::ids::{MessageId, SuggestionId};
use crate::domain::message::Lane;
use crate::domain::session::Suggestion;

fn names(whats: &[What]) -> Vec<&'static str> {
    whats.iter().map(What::name).collect()
}

proptest! {
    #[test]
    fn an_id_says_its_place_and_is_a_version_7_uuid(millis in 0..1i64 << 47, place in 0..1u64 << 62) {
        let id = EventId::of(Timestamp::from_millis(millis), place);
        prop_assert_eq!(id.place(), place);
        prop_assert_eq!((id.0.get_version_num(), id.0.get_variant()), (7, uuid::Variant::RFC4122));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_time_and_of_the_same_moment_by_place(
        one in (0..9i64, 0..1u64 << 62),
        other in (0..9i64, 0..1u64 << 62),
    ) {
        let of = |(millis, place)| EventId::of(Timestamp::from_millis(millis), place);
        prop_assert_eq!(of(one).cmp(&of(other)), one.cmp(&other));
    }
}

#[test]
fn a_customer_is_told_of_by_what_changed() {
    let old = first().customer;
    let changed = |change: fn(&mut Customer)| {
        let mut new = old.clone();
        change(&mut new);
        names(&of_customer(Some(&old), Some(&new)))
    };
    assert!(changed(|_| ()).is_empty());
    assert!(changed(|new| new.updated_at = at(9)).is_empty());
    assert!(changed(|new| new.lane = Some(Lane { channel: "other".into(), sender: "1".into() })).is_empty());
    assert_eq!(changed(|new| new.email = Some("ann@example.com".into())), ["customer.updated"]);
    assert_eq!(changed(|new| new.time_zone = "Europe/Paris".into()), ["customer.updated"]);
    assert_eq!(changed(|new| new.unsubscribed = true), ["customer.unsubscribed"]);
    assert_eq!(changed(|new| new.begin_confirmation("1".into(), at(9))), ["customer.verification"]);
    assert_eq!(names(&of_customer(None, Some(&old))), ["customer.created"]);
    assert_eq!(names(&of_customer(Some(&old), None)), ["customer.erased"]);
    assert!(of_customer(None, None).is_empty());
}

#[test]
fn a_try_that_a_wrong_token_cost_is_nobodys_business() {
    let mut old = Customer { confirmed_at: None, ..first().customer };
    old.begin_confirmation("123456".into(), at(1));
    let mut new = old.clone();
    assert!(new.try_confirm("1", at(2)).is_err());
    assert!(of_customer(Some(&old), Some(&new)).is_empty());
    assert!(new.try_confirm("123456", at(2)).is_ok());
    assert_eq!(names(&of_customer(Some(&old), Some(&new))), ["customer.verification"]);
}

#[test]
fn a_session_keeps_the_bots_own_affairs_to_itself() {
    let old = first().session;
    let quiet = Session {
        bot_state: Some("{}".into()),
        bot_texts: vec![at(1)],
        message_count: 9,
        turns_queued: 9,
        updated_at: at(9),
        ..old.clone()
    };
    assert!(of_session(Some(&old), &quiet).is_empty());
    let held = switched(quiet, true, &policy(), at(9));
    let [What::Session { change: SessionChange::Waits, session }] = &of_session(Some(&old), &held)[..] else {
        panic!("it is told once");
    };
    let shown = Session { bot_state: None, bot_texts: Vec::new(), ..held };
    assert_eq!(**session, shown);
}

fn suggestion(number: u128, selected_count: u32) -> Suggestion {
    Suggestion {
        id: SuggestionId(id(number)),
        content: "a secret".into(),
        turn_id: TurnId(id(1)),
        selected_count,
        created_at: at(1),
    }
}

#[test]
fn a_proposal_is_told_without_its_words_and_its_use_not_at_all() {
    let old = switched(first().session, true, &policy(), at(1));
    let proposed = Session { suggestions: vec![suggestion(1, 0)], ..old.clone() };
    let told = of_session(Some(&old), &proposed);
    assert_eq!(names(&told), ["bot.suggested"]);
    assert!(matches!(&told[0], What::Session { session, .. } if session.suggestions.is_empty()));
    let used = Session { suggestions: vec![suggestion(1, 1)], ..old.clone() };
    assert!(of_session(Some(&proposed), &used).is_empty());
    let another = Session { suggestions: vec![suggestion(2, 0)], ..old.clone() };
    assert_eq!(names(&of_session(Some(&used), &another)), ["bot.suggested"]);
    let released = switched(another.clone(), false, &policy(), at(2));
    assert_eq!(names(&of_session(Some(&another), &released)), ["session.updated"]);
}

fn queued() -> Message {
    let received = first();
    let mut session = received.session.clone();
    let to = received.customer.address().unwrap();
    let lane = received.customer.lane.as_ref().unwrap();
    let author = crate::domain::message::Author::gateway();
    let id = MessageId(id(7));
    crate::domain::conversation::outbound_message(&mut session, lane, to, id, author, "hi".into(), at(1))
}

#[test]
fn a_message_is_told_of_by_where_it_got_to() {
    let queued = queued();
    assert_eq!(names(&of_message(None, &queued)), ["message.created"]);
    let mut sending = queued.clone();
    sending.begin_attempt("here", at(2));
    assert!(of_message(Some(&queued), &sending).is_empty(), "it is told once it has left");
    let error = DeliveryError { code: None, class: ErrorClass::Transient, text: "busy".into() };
    let mut again = sending.clone();
    again.settle(&SendOutcome::Transient { error, ready_at: at(9) }, at(3));
    assert!(of_message(Some(&sending), &again).is_empty(), "it is where it was");
    let mut sent = sending.clone();
    sent.settle(&SendOutcome::Accepted { provider_id: "SM1".into(), from: None }, at(3));
    assert_eq!(names(&of_message(Some(&sending), &sent)), ["delivery.sent"]);
    let receipt =
        ReceiptStatus { stage: ReceiptStage::Delivered, raw: "delivered".into(), error: None, at: at(4) };
    let mut delivered = sent.clone();
    delivered.apply_receipt("SM1", &receipt);
    assert_eq!(names(&of_message(Some(&sent), &delivered)), ["delivery.delivered", "message.updated"]);
    // Over a whole command the steps between are not seen.
    assert_eq!(names(&of_message(Some(&queued), &delivered)), ["delivery.delivered", "message.updated"]);
}

#[test]
fn only_a_turn_that_was_given_up_is_told_and_once() {
    let (_, turn) = told(&first());
    let states = [
        TurnState::Pending,
        TurnState::Done,
        TurnState::Dropped,
        TurnState::Refused { reason: "stale-turn".into() },
    ];
    for state in states {
        assert_eq!(of_turn(Some(&turn), &Turn { state, ..turn.clone() }), None);
    }
    let failed = Turn { state: TurnState::Failed { reason: "bot-unreachable".into() }, ..turn.clone() };
    assert_eq!(of_turn(Some(&turn), &failed).map(|what| what.name()), Some("bot.failed"));
    assert_eq!(of_turn(Some(&failed), &failed), None);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_how_much_was_said() {
    let (_, turn) = told(&first());
    let what = of_refusal(&turn, Refusal::CustomerUnsubscribed, &texts(&["1", "1"]));
    let expected = What::BotRefused {
        session_id: Some(turn.session_id),
        customer_id: turn.customer_id,
        turn_id: Some(turn.id),
        reason: "customer-unsubscribed".into(),
        texts: 2,
    };
    assert_eq!((what.name(), what.session_id()), ("bot.refused", Some(turn.session_id)));
    assert_eq!(what, expected);
}

#[test]
fn that_a_customer_waits_and_still_does_is_told_apart_from_other_changes() {
    let change = |old: &Session, new: &Session| match &of_session(Some(old), new)[..] {
        [What::Session { change, .. }] => *change,
        told => panic!("{told:?}"),
    };
    let with_bot = first().session;
    let waits = switched(with_bot.clone(), true, &policy(), at(1));
    assert_eq!(change(&with_bot, &waits), SessionChange::Waits);
    let reminded = Session { escalations: 1, ..waits.clone() };
    assert_eq!(change(&waits, &reminded), SessionChange::Escalated);
    let taken = Session { assignee: Some("eve".into()), ..reminded.clone() };
    assert_eq!(change(&reminded, &taken), SessionChange::Updated);
    let mut answered = taken.clone();
    answered.stop_waiting();
    assert_eq!(change(&taken, &answered), SessionChange::Updated);
    let again = Session { waiting_since: Some(at(9)), ..answered.clone() };
    assert_eq!(change(&answered, &again), SessionChange::Waits);
    assert_eq!(change(&again, &switched(again.clone(), false, &policy(), at(10))), SessionChange::Updated);
}
