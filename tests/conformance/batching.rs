//! Texts that come one after the other: one turn of the bot tells of them, where its rules say so.

use std::time::Duration;

use switchboard::domain::conversation::{Answer, BotPolicy, LONGEST_DEBOUNCE, Policy};
use switchboard::domain::ids::{MessageId, TurnId};
use switchboard::domain::turn::{TurnKind, TurnState, TurnWork};
use switchboard::store::{Inbound, TurnClaim, TurnFailure};

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::{ANN, BOB, Fixture, HERE, IDLE_AFTER, at, rules, texts};

on_every_engine! {
    without_a_debounce_each_text_is_a_turn_of_its_own,
    texts_that_follow_each_other_are_one_turn,
    a_turn_moves_with_each_text_but_not_for_ever,
    however_long_the_rules_wait_a_turn_is_due_in_time,
    a_turn_tells_of_so_many_texts_and_no_more,
    what_the_bot_was_told_before_takes_nothing_along,
    a_turn_that_the_bot_was_not_even_asked_takes_more_along,
    a_turn_from_before_a_switch_takes_nothing_along,
    only_texts_of_the_same_session_go_together,
    an_agents_text_is_a_turn_of_its_own,
    observed_texts_are_batched_apart_from_those_that_are_to_be_answered,
    a_batch_is_one_turn_for_whoever_counts,
    a_dropped_batch_is_told_on_release_from_its_first_text_on,
    a_batch_that_is_given_up_is_told_later_from_its_first_text_on,
    a_batch_goes_on_where_the_store_moves,
}

fn patient(seconds: u64) -> Policy {
    let bot = BotPolicy { debounce: Duration::from_secs(seconds), ..BotPolicy::default() };
    Policy { bot, ..rules() }
}

fn observing(seconds: u64) -> Policy {
    let policy = patient(seconds);
    Policy { bot: BotPolicy { observe: true, ..policy.bot }, ..policy }
}

/// Each at its second.
async fn says<const N: usize>(f: &Fixture, of: &str, seconds: [i64; N]) -> [MessageId; N] {
    let mut said = [MessageId(f.id()); N];
    for (id, second) in said.iter_mut().zip(seconds) {
        *id = f.hear(f.text(of, "and", at(second))).await.0.id;
    }
    said
}

/// All that a turn is about.
fn about(work: &TurnWork) -> Vec<MessageId> {
    let told: Vec<_> = work.message.iter().chain(&work.also).map(|message| message.id).collect();
    assert_eq!(told, work.turn.message_ids().collect::<Vec<_>>());
    told
}

async fn without_a_debounce_each_text_is_a_turn_of_its_own(open: Open) {
    let f = Fixture::new(open);
    let [first, _] = says(&f, ANN, [0, 0]).await;
    assert_eq!(f.counts().await.unwrap().turns_open, 2);
    assert_eq!(about(&f.claim(at(0)).await), [first]);
}

async fn texts_that_follow_each_other_are_one_turn(open: Open) {
    let f = Fixture::under(open, patient(3));
    let said = says(&f, ANN, [0, 1, 2]).await;
    let [bobs] = says(&f, BOB, [2]).await;
    assert_eq!(f.claim_turn(HERE, at(4)).await.unwrap(), TurnClaim::NotBefore(at(5)));
    let work = f.claim(at(5)).await;
    assert_eq!((about(&work), work.turn.number), (said.to_vec(), Some(1)));
    assert_eq!((work.turn.place, work.session.turns_queued), (0, 1));
    assert_eq!(about(&f.claim(at(5)).await), [bobs]);
    let done = f.answer(&work, texts(&["hi"]), at(6)).await;
    assert_eq!((done.refused, done.messages[0].turn_id), (None, Some(work.turn.id)));
}

async fn a_turn_moves_with_each_text_but_not_for_ever(open: Open) {
    let f = Fixture::under(open, patient(4));
    for (second, due) in [(0, 4), (3, 7), (6, 10), (9, 10), (10, 10)] {
        says(&f, ANN, [second]).await;
        assert_eq!(f.claim_turn(HERE, at(due - 1)).await.unwrap(), TurnClaim::NotBefore(at(due)));
    }
    assert_eq!(about(&f.claim(at(10)).await).len(), 5);
    // A clock that was set back makes nothing due earlier.
    says(&f, BOB, [20]).await;
    says(&f, BOB, [5]).await;
    assert_eq!(f.claim_turn(HERE, at(23)).await.unwrap(), TurnClaim::NotBefore(at(24)));
}

async fn however_long_the_rules_wait_a_turn_is_due_in_time(open: Open) {
    let f = Fixture::under(open, patient(60));
    says(&f, ANN, [0]).await;
    let due = at(0).after(LONGEST_DEBOUNCE);
    assert_eq!(f.claim_turn(HERE, at(0)).await.unwrap(), TurnClaim::NotBefore(due));
    says(&f, ANN, [5]).await;
    assert_eq!(about(&f.claim(due).await).len(), 2);
}

async fn a_turn_tells_of_so_many_texts_and_no_more(open: Open) {
    let f = Fixture::under(open, patient(3));
    let said = says(&f, ANN, [0; 21]).await;
    let first = f.claim(at(3)).await;
    assert_eq!(about(&first), said[..20]);
    f.answer(&first, Answer::default(), at(3)).await;
    assert_eq!(about(&f.claim(at(3)).await), said[20..]);
}

async fn what_the_bot_was_told_before_takes_nothing_along(open: Open) {
    let f = Fixture::under(open, patient(3));
    let [first] = says(&f, ANN, [0]).await;
    let work = f.claim(at(3)).await;
    let [second, third] = says(&f, ANN, [3, 4]).await;
    assert_eq!(about(&work), [first]);
    f.answer(&work, Answer::default(), at(5)).await;
    assert_eq!(about(&f.claim(at(7)).await), [second, third]);
}

async fn a_turn_that_the_bot_was_not_even_asked_takes_more_along(open: Open) {
    let f = Fixture::under(open, patient(3));
    let [first] = says(&f, ANN, [0]).await;
    let work = f.claim(at(3)).await;
    f.fail_turn(work.turn.id, 1, TurnFailure::PutOff(at(30)), at(4)).await.unwrap();
    let [second] = says(&f, ANN, [5]).await;
    assert!(matches!(f.claim_turn(HERE, at(29)).await.unwrap(), TurnClaim::NotBefore(due) if due == at(30)));
    assert_eq!(about(&f.claim(at(30)).await), [first, second]);
}

async fn a_turn_from_before_a_switch_takes_nothing_along(open: Open) {
    let f = Fixture::under(open, patient(3));
    let (text, _) = f.hear(f.text(ANN, "1", at(0))).await;
    f.hold(text.customer_id, at(1)).await;
    f.let_go(text.customer_id, at(2)).await;
    let [second] = says(&f, ANN, [2]).await;
    let back = f.claim(at(2)).await;
    assert_eq!(back.turn.kind, TurnKind::SessionUpdated);
    f.answer(&back, Answer::default(), at(3)).await;
    assert_eq!(about(&f.claim(at(5)).await), [second]);
}

async fn only_texts_of_the_same_session_go_together(open: Open) {
    let f = Fixture::under(open, Policy { idle_after: Duration::from_secs(1), ..patient(5) });
    let [first, second] = says(&f, ANN, [0, 2]).await;
    assert_eq!(about(&f.claim(at(9)).await), [first]);
    assert_eq!(about(&f.claim(at(9)).await), [second]);
}

async fn an_agents_text_is_a_turn_of_its_own(open: Open) {
    let f = Fixture::under(open, observing(3));
    let id = f.with_agents(ANN).await;
    let [first] = says(&f, ANN, [1]).await;
    let by_agent = f.queue(f.by_agent(id, "hi", at(2))).await;
    let [second] = says(&f, ANN, [2]).await;
    for expected in [first, by_agent, second] {
        let work = f.claim(at(9)).await;
        assert_eq!(about(&work), [expected]);
        f.answer(&work, Answer::default(), at(9)).await;
    }
}

async fn observed_texts_are_batched_apart_from_those_that_are_to_be_answered(open: Open) {
    let f = Fixture::under(open, observing(3));
    let id = f.with_agents(ANN).await;
    let observed = says(&f, ANN, [1, 2]).await;
    let work = f.claim(at(5)).await;
    assert_eq!((about(&work), work.turn.kind), (observed.to_vec(), TurnKind::MessageObserved));
    f.answer(&work, Answer::default(), at(5)).await;
    says(&f, ANN, [6]).await;
    f.let_go(id, at(7)).await;
    let asked = says(&f, ANN, [7, 8]).await;
    while let TurnClaim::Work(work) = f.claim_turn(HERE, at(20)).await.unwrap() {
        let to_answer = work.turn.kind == TurnKind::MessageReceived;
        assert_eq!(about(&work) == asked, to_answer);
        f.answer(&work, Answer::default(), at(20)).await;
    }
}

async fn a_batch_is_one_turn_for_whoever_counts(open: Open) {
    let f = Fixture::under(open, patient(3));
    says(&f, ANN, [0]).await;
    let from = f.place().await;
    let text = f.text(ANN, "2", at(1));
    let id = text.ids.turn;
    let Inbound::Recorded { turn, .. } = f.record_inbound(text).await.unwrap() else { panic!("a repeat") };
    assert!(turn, "the bot is told of it");
    assert_eq!(f.counts().await.unwrap().turns_open, 1);
    assert_eq!(f.turn(id).await.unwrap(), None);
    assert_eq!(f.names(from).await, ["message.created"]);
}

async fn a_dropped_batch_is_told_on_release_from_its_first_text_on(open: Open) {
    let f = Fixture::under(open, patient(3));
    let (first, _) = f.hear(f.text(ANN, "1", at(0))).await;
    let [second, third] = says(&f, ANN, [1, 2]).await;
    f.hold(first.customer_id, at(3)).await;
    assert_eq!(f.talk(first.customer_id).await.unseen_by_bot_from, Some(0));
    f.let_go(first.customer_id, at(4)).await;
    let told: Vec<_> = f.claim(at(4)).await.history.iter().map(|message| message.id).collect();
    assert_eq!(told, [first.id, second, third]);
}

async fn a_batch_that_is_given_up_is_told_later_from_its_first_text_on(open: Open) {
    let f = Fixture::under(open, patient(3));
    let (first, _) = f.hear(f.text(ANN, "1", at(0))).await;
    let [second] = says(&f, ANN, [1]).await;
    let work = f.claim(at(9)).await;
    let given_up = TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None };
    f.fail_turn(work.turn.id, 1, given_up, at(9)).await.unwrap();
    f.let_go(first.customer_id, at(10)).await;
    let told: Vec<_> = f.claim(at(10)).await.history.iter().map(|message| message.id).collect();
    assert_eq!(told, [first.id, second]);
    // Replayed, it is about all of them again.
    let again = f.replay_turn(work.turn.id, TurnId(f.id()), at(11)).await.unwrap();
    assert_eq!(again.message_ids().collect::<Vec<_>>(), [first.id, second]);
    assert_eq!(again.state, TurnState::Pending);
}

async fn a_batch_goes_on_where_the_store_moves(open: Open) {
    let f = Fixture::under(open, patient(3));
    let [first] = says(&f, ANN, [0]).await;
    let copy = Fixture::under(open, patient(3));
    copy.skip_ids_of(&f);
    fill(&**copy, &file_of(&**f).await).await;
    let [second] = says(&copy, ANN, [2]).await;
    assert_eq!(about(&copy.claim(at(5)).await), [first, second]);
    let later = at(5).after(IDLE_AFTER);
    copy.hear(copy.text(ANN, "much later", later)).await;
    assert_eq!(
        copy.claim_turn(HERE, later).await.unwrap(),
        TurnClaim::NotBefore(later.after(Duration::from_secs(3)))
    );
}
