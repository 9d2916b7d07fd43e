//! What an answer does, or why it does not count.

use proptest::prelude::*;

use super::*;
use crate::domain::conversation::LOOP_GUARD;
use crate::domain::delivery::Status;
use crate::domain::fixtures::{
    HOUR, at, first, guarded, id, observing, policy, switched, texts, told, turn_id,
};

fn ids(count: usize) -> Vec<MessageId> {
    (0..count).map(|number| MessageId(id(100 + number as u128))).collect()
}

fn given<'a>(answer: &'a Answer, message_ids: &'a [MessageId]) -> GivenAnswer<'a> {
    GivenAnswer { answer, message_ids, bot_name: "bot", valid_for: HOUR, new_turn: turn_id(60), newer: None }
}

type Says = fn(&Customer, Session, &Turn, &GivenAnswer<'_>, &Policy, Timestamp) -> Answered;

fn says(how: Says, session: Session, turn: &Turn, said: &Answer, policy: &Policy) -> Answered {
    let message_ids = ids(said.texts.len());
    how(&first().customer, session, turn, &given(said, &message_ids), policy, at(5))
}

#[test]
fn an_answer_of_more_texts_than_the_guard_lets_through_is_refused_whole() {
    let (session, turn) = told(&first());
    let done = says(answer, session.clone(), &turn, &texts(&["1", "2", "3"]), &guarded(2, HOUR));
    assert_eq!((done.refused, done.messages.len(), done.silence_bot), (Some(Refusal::LoopGuard), 0, true));
    assert_eq!(done.session.attention_reason.as_deref(), Some(LOOP_GUARD));
    assert_eq!((done.session.message_count, done.session.bot_texts), (session.message_count, Vec::new()));
    let done = says(answer, session, &turn, &texts(&["1", "2"]), &guarded(2, HOUR));
    assert_eq!((done.refused, done.session.bot_texts), (None, vec![at(5); 2]));
}

#[test]
fn what_is_refused_for_another_reason_counts_for_no_guard() {
    let (session, turn) = told(&first());
    let mut customer = first().customer;
    customer.unsubscribed = true;
    let (said, message_ids) = (texts(&["1"]), ids(1));
    let given = given(&said, &message_ids);
    let done = answer(&customer, session.clone(), &turn, &given, &guarded(2, HOUR), at(5));
    assert_eq!((done.refused, done.session), (Some(Refusal::CustomerUnsubscribed), session));
}

#[test]
fn an_answer_without_a_text_trips_no_guard() {
    let (session, turn) = told(&first());
    // The guard was set tighter since.
    let chatty = Session { bot_texts: vec![at(4); 9], ..session };
    let labels = Answer { tags: Some(vec!["vip".into()]), ..Answer::default() };
    assert_eq!(says(answer, chatty, &turn, &labels, &guarded(2, HOUR)).refused, None);
}

proptest! {
    /// However the texts come, no more of them than the guard lets through fall into so short a time.
    #[test]
    fn the_guard_lets_no_more_through_than_it_counts(
        most in 1..5usize,
        within_s in 1..100u64,
        said in prop::collection::vec((0..60i64, 1..4usize), 1..40),
    ) {
        let policy = guarded(most, Duration::from_secs(within_s));
        let (mut session, mut through, mut now) = (first().session, Vec::new(), at(0));
        for (wait_s, count) in said {
            now = now.after(Duration::from_secs(wait_s.unsigned_abs()));
            let before = session.clone();
            match session.count_bot_texts(count, &policy, now) {
                Ok(()) => through.extend(std::iter::repeat_n(now, count)),
                Err(_) => session = before,
            }
            let lately = through.iter().filter(|at| now.since(**at) < Duration::from_secs(within_s)).count();
            prop_assert!(lately <= most);
            prop_assert!(session.bot_texts.len() <= most);
        }
    }
}

#[test]
fn what_is_observed_is_answered_with_a_proposal() {
    let held = switched(first().session, true, &observing(), at(1));
    let received = crate::domain::fixtures::heard(
        crate::domain::conversation::OnRecord {
            customer: Some(first().customer),
            newest: Some(held),
            ..Default::default()
        },
        "where is it?",
        1,
        &observing(),
        at(2),
    );
    let (session, turn) = told(&received);
    assert_eq!(turn.kind, TurnKind::MessageObserved);
    for how in [answer, reply] {
        let said = Answer { handoff: Some("why not".into()), ..texts(&["1", "2"]) };
        let done = says(how, session.clone(), &turn, &said, &observing());
        assert_eq!((done.refused, done.messages.len(), done.silence_bot), (None, 0, false));
        let ids: Vec<_> = done.session.suggestions.iter().map(|suggestion| suggestion.id.0).collect();
        assert_eq!(ids, [id(100), id(101)]);
        assert_eq!(
            (done.session.version, done.session.message_count),
            (session.version, session.message_count)
        );
    }
    // Not after a switch, even if agents have it again.
    let released = switched(session, false, &observing(), at(3));
    let again = switched(released.clone(), true, &observing(), at(4));
    for session in [released, again] {
        let done = says(answer, session.clone(), &turn, &texts(&["1"]), &observing());
        assert_eq!((done.refused, done.session), (Some(Refusal::StaleTurn), session));
    }
}

#[test]
fn a_late_answer_is_proposed_where_agents_have_the_session_and_the_bot_observes() {
    let (session, turn) = told(&first());
    let held = switched(session.clone(), true, &policy(), at(1));
    let released = switched(held.clone(), false, &policy(), at(2));
    for (session, policy, proposed) in
        [(&held, observing(), 1), (&held, policy(), 0), (&released, observing(), 0)]
    {
        let done = says(answer, session.clone(), &turn, &texts(&["1"]), &policy);
        assert_eq!((done.refused, done.session.suggestions.len()), (Some(Refusal::StaleTurn), proposed));
    }
}

#[test]
fn a_reply_is_heard_until_a_later_turn_was_answered() {
    let (session, turn) = told(&first());
    for (answered, refused) in [(0, None), (1, None), (2, Some(Refusal::StaleTurn))] {
        let session = Session { turns_answered: answered, ..session.clone() };
        assert_eq!(says(reply, session.clone(), &turn, &texts(&["1"]), &policy()).refused, refused);
        // The answer to the call is asked for, and late only after a switch.
        assert_eq!(says(answer, session, &turn, &texts(&["1"]), &policy()).refused, None);
    }
    let never_told = Turn { number: None, ..turn.clone() };
    let done = says(reply, session.clone(), &never_told, &texts(&["1"]), &policy());
    assert_eq!(done.refused, Some(Refusal::StaleTurn));
    for kind in [TurnKind::MessageCreated, TurnKind::SessionUpdated] {
        let told_only = Turn { kind, ..turn.clone() };
        let done = says(reply, session.clone(), &told_only, &texts(&["1"]), &policy());
        assert_eq!(done.refused, Some(Refusal::StaleTurn));
        assert_eq!(says(reply, session.clone(), &told_only, &Answer::default(), &policy()).refused, None);
    }
}

#[test]
fn only_what_is_said_makes_a_turn_an_answered_one() {
    let (session, turn) = told(&first());
    let labels = Answer { tags: Some(vec!["vip".into()]), ..Answer::default() };
    assert_eq!(says(answer, session.clone(), &turn, &labels, &policy()).session.turns_answered, 0);
    assert_eq!(says(answer, session.clone(), &turn, &texts(&["1"]), &policy()).session.turns_answered, 1);
    // An earlier turn's answer, to its call, takes nothing back.
    let ahead = Session { turns_answered: 7, ..session };
    assert_eq!(says(answer, ahead, &turn, &texts(&["1"]), &policy()).session.turns_answered, 7);
}

#[test]
fn who_hands_over_says_goodbye_at_once() {
    let (session, turn) = told(&first());
    let mut said = texts(&["bye"]);
    said.texts[0].delay = HOUR;
    said.texts[0].valid_for = Some(HOUR);
    let later = says(answer, session.clone(), &turn, &said, &policy()).messages.remove(0);
    assert_eq!((later.delivery.ready_at, later.delivery.valid_until), (at(3605), Some(at(7205))));
    said.handoff = Some("asked for a human".into());
    let done = says(answer, session, &turn, &said, &policy());
    assert_eq!(done.messages[0].delivery.ready_at, at(5));
    assert!(done.silence_bot && done.session.need_attention);
}

fn fallback() -> Fallback {
    Fallback { id: MessageId(id(200)), content: "soon".into(), valid_for: HOUR }
}

fn gives_up(customer: &Customer, turn: &mut Turn, session: Session) -> GivenUp {
    let giving_up =
        GivingUp { reason: "bot-unreachable", fallback: Some(&fallback()), overtaken: false, called: true };
    give_up(customer, turn, session, Some(&first().message), &giving_up, &policy(), at(5))
}

#[test]
fn a_turn_that_was_replied_to_is_not_given_up() {
    let (session, mut turn) = told(&first());
    turn.note_reply([1; 32], Vec::new(), None, &texts(&["1"]));
    let done = gives_up(&first().customer, &mut turn, session.clone());
    assert_eq!((turn.state, done.message), (TurnState::Done, None));
    assert_eq!((done.switched.session, done.switched.silence_bot), (session, false));
}

#[test]
fn the_fallback_is_the_gateways_and_comes_after_the_hand_over() {
    let (session, mut turn) = told(&first());
    let done = gives_up(&first().customer, &mut turn, session);
    let message = done.message.unwrap();
    assert!(done.switched.silence_bot && message.author.is_gateway() && !message.author.is_bot());
    assert_eq!((message.delivery.status, message.place), (Status::Queued, 1));
    let session = done.switched.session;
    assert_eq!(message.delivery.session_version, Some(session.version));
    assert_eq!((session.message_count, session.unseen_by_bot_from), (2, Some(0)));
}

#[test]
fn nobody_is_told_who_may_not_be_texted_or_whom_humans_have_already() {
    let mut unsubscribed = first().customer;
    unsubscribed.unsubscribed = true;
    let (session, mut turn) = told(&first());
    let done = gives_up(&unsubscribed, &mut turn.clone(), session.clone());
    assert!(done.message.is_none() && done.switched.silence_bot);
    let held = switched(session, true, &policy(), at(1));
    let done = gives_up(&first().customer, &mut turn, held.clone());
    assert!(done.message.is_none() && !done.switched.silence_bot);
    assert_eq!(done.switched.session.version, held.version);
}

#[test]
fn giving_up_takes_nothing_from_the_bot_that_a_switch_or_a_newer_session_has_made_needless() {
    let (session, turn) = told(&first());
    let held = switched(session.clone(), true, &policy(), at(1));
    let released = switched(held, false, &policy(), at(2));
    let giving_up = |overtaken| GivingUp {
        reason: "bot_unavailable: it answered 503",
        fallback: None,
        overtaken,
        called: true,
    };
    for (session, overtaken) in [(released, false), (session, true)] {
        let mut turn = turn.clone();
        let message = first().message;
        let GivenUp { switched, message: told } = give_up(
            &first().customer,
            &mut turn,
            session.clone(),
            Some(&message),
            &giving_up(overtaken),
            &policy(),
            at(5),
        );
        assert!(matches!(turn.state, TurnState::Failed { .. }));
        assert_eq!((switched.session.need_attention, switched.session.version), (false, session.version));
        assert!(told.is_none() && !switched.silence_bot);
        assert_eq!(switched.session.unseen_by_bot_from, Some(0), "the next turn tells it");
    }
}

#[test]
fn in_an_older_session_the_bot_may_speak_but_hands_nothing_over() {
    let (session, turn) = told(&first());
    let newer = Session { id: crate::domain::ids::SessionId(id(77)), ..session.clone() };
    let in_older = |said: &Answer, policy: &Policy| {
        let ids: Vec<MessageId> = said.texts.iter().map(|_| MessageId(id(100))).collect();
        let given = GivenAnswer {
            answer: said,
            message_ids: &ids,
            bot_name: "bot",
            valid_for: HOUR,
            new_turn: turn_id(60),
            newer: Some(&newer),
        };
        reply(&first().customer, session.clone(), &turn, &given, policy, at(5))
    };
    assert_eq!(in_older(&texts(&["1"]), &policy()).refused, None);
    let over = Answer { handoff: Some("asked for a human".into()), ..texts(&["1"]) };
    for (said, policy, refusal) in
        [(over, policy(), Refusal::StaleTurn), (texts(&["1", "2"]), guarded(1, HOUR), Refusal::LoopGuard)]
    {
        let done = in_older(&said, &policy);
        assert_eq!((done.refused, done.messages.len()), (Some(refusal), 0));
        assert!(!done.session.need_attention && !done.silence_bot, "nobody could answer there");
    }
}

#[test]
fn a_proposal_that_was_asked_for_earlier_replaces_none_that_was_asked_for_later() {
    let (session, turn) = told(&first());
    let held = switched(session, true, &observing(), at(1));
    let newest =
        Turn { id: turn_id(9_999), kind: TurnKind::MessageObserved, version: held.version, ..turn.clone() };
    let proposed = says(answer, held, &newest, &texts(&["new"]), &observing()).session;
    let late = says(answer, proposed.clone(), &turn, &texts(&["old"]), &observing());
    assert_eq!((late.refused, late.session.suggestions), (Some(Refusal::StaleTurn), proposed.suggestions));
}
