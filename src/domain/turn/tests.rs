//! How a turn gets on: what it takes along, how often it is told, and what is noted with it.

use super::*;
use crate::domain::conversation::LONGEST_DEBOUNCE;
use crate::domain::conversation::{BotPolicy, OnRecord, Policy};
use crate::domain::fixtures::{at, first, heard, id, policy, switched, texts, told, turn_id};

fn pending() -> (Session, Turn) {
    let received = first();
    (received.session.clone(), received.turn.unwrap())
}

#[test]
fn only_what_waits_to_be_told_for_the_first_time_takes_a_text_along() {
    let (session, turn) = pending();
    let takes = |turn: &Turn, session: &Session| turn.takes_along(TurnKind::MessageReceived, session, 19);
    assert!(takes(&turn, &session));
    assert!(!turn.takes_along(TurnKind::MessageObserved, &session, 19));
    let others = [
        Turn { attempts: 1, ..turn.clone() },
        Turn { state: TurnState::InFlight { owner: "here".into() }, attempts: 1, ..turn.clone() },
        Turn { state: TurnState::Dropped, ..turn.clone() },
        Turn { version: turn.version + 1, ..turn.clone() },
        Turn { also: vec![MessageId(id(5)); 19], ..turn.clone() },
    ];
    for other in others {
        assert!(!takes(&other, &session), "{other:?}");
    }
    assert!(!takes(&turn, &Session { id: SessionId(id(77)), ..session }));
}

#[test]
fn a_turn_that_takes_texts_along_is_due_no_later_than_it_may() {
    let bot = BotPolicy { debounce: std::time::Duration::from_secs(4), ..BotPolicy::default() };
    let policy = Policy { bot, ..policy() };
    let mut received = heard(OnRecord::default(), "1", 0, &policy, at(0));
    for second in 1..30u32 {
        let on_record = OnRecord {
            customer: Some(received.customer.clone()),
            newest: Some(received.session.clone()),
            last_turn: received.turn.clone(),
            ..OnRecord::default()
        };
        let before = received.turn.unwrap();
        received = heard(on_record, "and", u128::from(second), &policy, at(i64::from(second)));
        let turn = received.turn.clone().unwrap();
        assert!(turn.due_at <= turn.created_at.after(LONGEST_DEBOUNCE));
        assert!(turn.id != before.id || turn.due_at >= before.due_at);
        assert!(turn.message_ids().count() <= 20);
        assert_eq!(turn.message_ids().last(), Some(received.message.id));
    }
    assert_eq!(received.session.turns_queued, 2, "twenty and ten");
}

#[test]
fn a_turn_that_was_replied_to_is_not_told_again() {
    let (mut session, mut turn) = told(&first());
    turn.note_reply([1; 32], vec![MessageId(id(5))], None, &texts(&["1"]));
    assert!(matches!(turn.state, TurnState::InFlight { .. }), "it is still being told");
    turn.retry(&mut session, None, at(9));
    assert_eq!(turn.state, TurnState::Done);
    assert_eq!(turn.reply([1; 32]).map(|reply| reply.messages.len()), Some(1));
    assert_eq!(turn.reply([2; 32]), None);
}

#[test]
fn a_reply_ends_what_was_to_be_told_again_and_a_refused_one_does_not() {
    let (mut session, mut turn) = told(&first());
    turn.retry(&mut session, None, at(9));
    assert_eq!((turn.state.clone(), turn.due_at), (TurnState::Pending, at(9)));
    turn.note_reply([1; 32], Vec::new(), Some(Refusal::StaleTurn), &texts(&["1"]));
    assert_eq!((turn.state.clone(), turn.replies.len()), (TurnState::Pending, 0));
    turn.note_reply([1; 32], Vec::new(), None, &texts(&["1"]));
    assert_eq!(turn.state, TurnState::Done);
}

#[test]
fn what_is_refused_is_kept_once_and_not_without_end() {
    let (_, mut turn) = told(&first());
    let refusal = Some(Refusal::CustomerUnsubscribed);
    turn.note_reply([1; 32], Vec::new(), refusal, &texts(&["1", "2"]));
    turn.complete(refusal, &texts(&["2", "3"]));
    assert_eq!(turn.refused_texts, ["1", "2", "3"]);
    assert!(turn.has_failed());
    let many: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    turn.note_reply([2; 32], Vec::new(), refusal, &texts(&many));
    assert_eq!(turn.refused_texts.len(), MOST_REFUSED_TEXTS);
    // What was taken is no refused text.
    let (_, mut turn) = told(&first());
    turn.complete(None, &texts(&["1"]));
    assert_eq!((turn.state, turn.refused_texts.len()), (TurnState::Done, 0));
}

#[test]
fn a_done_turn_is_a_failed_one_once_something_of_it_was_refused() {
    let (_, mut turn) = told(&first());
    turn.complete(None, &texts(&["1"]));
    assert!(!turn.has_failed());
    turn.note_reply([1; 32], Vec::new(), Some(Refusal::StaleTurn), &texts(&["2"]));
    assert_eq!(turn.state, TurnState::Refused { reason: "stale-turn".into() });
}

#[test]
fn the_same_again_is_a_turn_of_its_own_that_was_never_told() {
    let (mut session, mut turn) = told(&first());
    turn.also = vec![MessageId(id(5))];
    turn.complete(Some(Refusal::StaleTurn), &texts(&["1"]));
    session.version += 2;
    let again = turn.again(&mut session, turn_id(8), at(9)).unwrap();
    let expected = Turn {
        id: turn_id(8),
        place: 1,
        number: None,
        refused_texts: Vec::new(),
        version: session.version,
        attempts: 0,
        due_at: at(9),
        state: TurnState::Pending,
        created_at: at(9),
        ..turn.clone()
    };
    assert_eq!((again, session.turns_queued), (expected, 2));
    // What was only observed is to be answered now.
    let observed = Turn { kind: TurnKind::MessageObserved, ..turn.clone() };
    let again = observed.again(&mut session, turn_id(9), at(9)).unwrap();
    assert_eq!(again.kind, TurnKind::MessageReceived);
    let mut held = switched(session, true, &policy(), at(10));
    assert_eq!(turn.again(&mut held, turn_id(10), at(11)), Err(Refusal::SessionHeld));
    assert_eq!(held.turns_queued, 3);
}

#[test]
fn an_observed_turn_is_obsolete_after_any_switch() {
    let (session, turn) = told(&first());
    let mut held = switched(session, true, &policy(), at(1));
    let observed = Turn { kind: TurnKind::MessageObserved, version: held.version, ..turn };
    let mut still = observed.clone();
    still.retry(&mut held, None, at(2));
    assert_eq!(still.state, TurnState::Pending);
    let mut released = switched(held, false, &policy(), at(3));
    let mut obsolete = observed;
    obsolete.retry(&mut released, None, at(4));
    assert_eq!(obsolete.state, TurnState::Dropped);
}
