//! The bot's turns: one per session in hand, answered once, and fenced by the session's version.

use std::time::Duration;

use switchboard::domain::answer::Fallback;
use switchboard::domain::conversation::{Answer, AnswerText, Refusal};
use switchboard::domain::delivery::Status;
use switchboard::domain::ids::{CustomerId, MessageId, TurnId};
use switchboard::domain::message::Message;
use switchboard::domain::turn::{HISTORY, TurnState};
use switchboard::store::{
    ListError, PageRequest, ReplayError, TurnClaim, TurnError, TurnFailed, TurnFailure,
};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, Fixture, HERE, IDLE_AFTER, VALID_FOR, all, at, at_once, first, hand_off, texts,
};

on_every_engine! {
    the_turn_that_has_been_due_for_longest_goes_first,
    one_turn_per_session_is_in_hand,
    of_many_who_claim_a_turn_one_gets_it,
    turns_are_numbered_with_their_first_claim,
    an_answer_is_kept_whole,
    an_answer_stays_in_the_session_of_its_turn,
    an_answer_after_a_switch_is_refused_and_recorded,
    nothing_to_say_is_never_refused,
    an_answer_to_the_unsubscribed_is_refused_whole,
    a_stale_answer_is_refused_and_changes_nothing,
    a_hand_off_leaves_the_answers_own_texts,
    a_turn_is_tried_again_when_it_is_due,
    a_turn_given_up_is_handed_to_agents,
    a_turn_given_up_after_a_switch_switches_nothing_but_is_told_later,
    a_turn_that_expects_no_answer_is_given_up_quietly,
    what_is_put_off_has_not_failed,
    a_fallback_is_sent_where_humans_get_the_session_and_the_customer_may_be_texted,
    what_went_wrong_is_listed_the_newest_first,
    what_went_wrong_goes_with_its_conversation,
    a_turn_that_is_over_is_replayed_as_a_new_one,
    only_what_is_over_is_replayed_and_not_while_agents_have_the_session,
    what_a_failed_turn_was_to_tell_is_told_with_the_next,
    what_was_told_in_vain_twice_is_told_by_the_agents_release,
    turns_in_another_process_hand_are_pending_again,
    a_history_has_the_newest_of_what_was_missed,
    what_the_bot_was_not_even_asked_has_no_number,
    however_much_waits_for_the_bot_agents_can_take_over,
}

async fn however_much_waits_for_the_bot_agents_can_take_over(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    for number in 0..70 {
        f.hear(f.text(ANN, &format!("{number}"), at(1))).await;
    }
    f.hold(id, at(2)).await;
    assert_eq!(f.claim_turn(HERE, at(9)).await.unwrap(), TurnClaim::Idle);
    assert_eq!(f.counts().await.unwrap().turns_open, 0);
}

async fn what_the_bot_was_not_even_asked_has_no_number(open: Open) {
    let f = Fixture::new(open);
    f.hear(f.text(ANN, "1", at(0))).await;
    let work = f.claim(at(0)).await;
    f.fail_turn(work.turn.id, 1, TurnFailure::PutOff(at(5)), at(0)).await.unwrap();
    let put_off = f.turn(work.turn.id).await.unwrap().unwrap();
    assert_eq!((put_off.number, put_off.calls()), (None, 0));
    let work = f.claim(at(5)).await;
    assert_eq!((work.turn.number, work.turn.calls()), (Some(1), 1));
    let not_asked = TurnFailure::NotAsked { reason: "bot_disabled: it is gone".into(), fallback: None };
    assert!(f.fail_turn(work.turn.id, 2, not_asked.clone(), at(6)).await.unwrap().handed_over);
    assert!(matches!(state(&f, &work).await, TurnState::Failed { .. }));
    // One that expects no answer does not fail where nobody was called.
    let id = work.turn.customer_id;
    f.queue(f.by_agent(id, "hello", at(7))).await;
    let told = f.claim(at(7)).await;
    f.fail_turn(told.turn.id, 1, not_asked, at(7)).await.unwrap();
    assert_eq!(state(&f, &told).await, TurnState::Dropped);
    f.let_go(id, at(8)).await;
    assert_eq!(f.claim(at(8)).await.turn.number, Some(1), "the first that the bot is told");
}

fn give_up() -> TurnFailure {
    TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None }
}

async fn state(f: &Fixture, work: &switchboard::domain::turn::TurnWork) -> TurnState {
    f.turn(work.turn.id).await.unwrap().unwrap().state
}

async fn the_turn_that_has_been_due_for_longest_goes_first(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.claim_turn(HERE, at(0)).await.unwrap(), TurnClaim::Idle);
    let (second, _) = f.hear(f.text(ANN, "1", at(5))).await;
    let (first, _) = f.hear(f.text(BOB, "1", at(4))).await;
    assert_eq!(f.claim_turn(HERE, at(3)).await.unwrap(), TurnClaim::NotBefore(at(4)));
    assert_eq!(f.claim(at(9)).await.message, Some(first));
    let work = f.claim(at(9)).await;
    assert_eq!((&work.message, &work.customer), (&Some(second.clone()), &f.who(second.customer_id).await));
    assert_eq!(work.session, f.talk(second.customer_id).await);
}

async fn one_turn_per_session_is_in_hand(open: Open) {
    let f = Fixture::new(open);
    f.hear(f.text(ANN, "1", at(0))).await;
    let (second, _) = f.hear(f.text(ANN, "2", at(0))).await;
    let work = f.claim(at(1)).await;
    assert_eq!(f.claim_turn(HERE, at(1)).await.unwrap(), TurnClaim::Idle);
    let (bobs, _) = f.hear(f.text(BOB, "1", at(1))).await;
    assert_eq!(f.claim(at(1)).await.message, Some(bobs));
    f.complete_turn(f.completion(&work, texts(&["hi"]), at(2))).await.unwrap();
    assert_eq!(f.claim(at(2)).await.message, Some(second));
}

async fn of_many_who_claim_a_turn_one_gets_it(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    let claims = at_once(32, |task| {
        let store = (*f).clone();
        async move { store.claim_turn(&format!("process {task}"), at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| matches!(claim, TurnClaim::Work(_))).count(), 1);
    assert_eq!(claims.iter().filter(|claim| **claim == TurnClaim::Idle).count(), 31);
}

async fn turns_are_numbered_with_their_first_claim(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.hear(f.text(ANN, "2", at(0))).await;
    let first = f.claim(at(0)).await;
    f.fail_turn(first.turn.id, 1, TurnFailure::RetryAt(at(1)), at(0)).await.unwrap();
    let again = f.claim(at(1)).await;
    assert_eq!((first.turn.number, again.turn.number, again.turn.attempts), (Some(1), Some(1), 2));
    f.complete_turn(f.completion(&again, Answer::default(), at(1))).await.unwrap();
    // The dropped one never had a number, so there is no gap.
    f.hold(id, at(2)).await;
    f.let_go(id, at(3)).await;
    assert_eq!(f.claim(at(3)).await.turn.number, Some(2));
}

async fn an_answer_is_kept_whole(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    let later = AnswerText { content: "2".into(), delay: Duration::from_secs(5), valid_for: None };
    let answer = Answer {
        texts: [texts(&["1"]).texts, vec![later]].concat(),
        tags: Some(vec!["vip".into()]),
        topics: Some(vec!["order".into()]),
        state: Some("{}".into()),
        ..Answer::default()
    };
    let done = f.complete_turn(f.completion(&work, answer, at(10))).await.unwrap();
    assert_eq!((done.refused, done.handed_off, done.messages.len()), (None, false, 2));
    for (place, message) in (1..).zip(&done.messages) {
        assert_eq!(f.get(message.id).await, *message);
        assert_eq!((message.place, message.turn_id), (place, Some(work.turn.id)));
        assert_eq!(message.delivery.valid_until, Some(at(10).after(VALID_FOR)));
    }
    assert_eq!(done.messages[1].delivery.ready_at, at(15));
    let session = f.talk(id).await;
    assert_eq!((session.tags, session.topics), (vec!["vip".to_owned()], vec!["order".to_owned()]));
    assert_eq!((session.bot_state.as_deref(), session.message_count), (Some("{}"), 3));
    assert_eq!((state(&f, &work).await, f.head(at(10)).await), (TurnState::Done, Some(done.messages[0].id)));
}

async fn an_answer_stays_in_the_session_of_its_turn(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    let later = at(0).after(IDLE_AFTER);
    f.hear(f.text(ANN, "again", later)).await;
    let done = f.complete_turn(f.completion(&work, texts(&["hi"]), later)).await.unwrap();
    assert_eq!(done.messages[0].session_id, work.session.id);
    assert_ne!(f.talk(id).await.id, work.session.id);
}

async fn an_answer_after_a_switch_is_refused_and_recorded(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.hold(id, at(1)).await;
    f.let_go(id, at(2)).await;
    let before = f.talk(id).await;
    let done = f.complete_turn(f.completion(&work, texts(&["hi"]), at(3))).await.unwrap();
    assert_eq!((done.refused, done.messages.len(), done.handed_off), (Some(Refusal::StaleTurn), 0, false));
    assert_eq!(state(&f, &work).await, TurnState::Refused { reason: "stale-turn".into() });
    assert_eq!(f.talk(id).await, before);
    // The turn of the switch back comes next.
    assert!(f.claim(at(3)).await.message.is_none());
}

async fn nothing_to_say_is_never_refused(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.hold(id, at(1)).await;
    let done = f.complete_turn(f.completion(&work, Answer::default(), at(2))).await.unwrap();
    assert_eq!((done.refused, state(&f, &work).await), (None, TurnState::Done));
}

async fn an_answer_to_the_unsubscribed_is_refused_whole(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.unsubscribe(id, at(1)).await;
    let done = f.complete_turn(f.completion(&work, hand_off(&["hi"]), at(2))).await.unwrap();
    assert_eq!(done.refused, Some(Refusal::CustomerUnsubscribed));
    let session = f.talk(id).await;
    assert_eq!((session.need_attention, session.message_count), (false, 1));
    assert_eq!(f.counts().await.unwrap().queued, 0);
}

async fn a_stale_answer_is_refused_and_changes_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let first = f.claim(at(0)).await;
    f.fail_turn(first.turn.id, 1, TurnFailure::RetryAt(at(1)), at(0)).await.unwrap();
    let late = f.complete_turn(f.completion(&first, texts(&["hi"]), at(1))).await;
    assert!(matches!(late, Err(TurnError::Stale)));
    let second = f.claim(at(1)).await;
    let late = f.complete_turn(f.completion(&first, texts(&["hi"]), at(1))).await;
    assert!(matches!(late, Err(TurnError::Stale)));
    let late = f.fail_turn(first.turn.id, 1, give_up(), at(1)).await;
    assert!(matches!(late, Err(TurnError::Stale)));
    assert_eq!(f.talk(id).await, second.session);
    let answers = at_once(32, |_| {
        let (store, command) = ((*f).clone(), f.completion(&second, texts(&["hi"]), at(2)));
        async move { store.complete_turn(command).await.is_ok() }
    })
    .await;
    assert_eq!(answers.into_iter().filter(|taken| *taken).count(), 1);
    assert_eq!(f.talk(id).await.message_count, 2);
}

async fn a_hand_off_leaves_the_answers_own_texts(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let earlier = f.queue(f.by_bot(id, "0", at(0))).await;
    f.hear(f.text(ANN, "2", at(0))).await;
    let work = f.claim(at(0)).await;
    let done = f.complete_turn(f.completion(&work, hand_off(&["a human comes"]), at(1))).await.unwrap();
    assert!(done.handed_off);
    assert_eq!(f.status(earlier).await, Status::Canceled);
    assert_eq!(f.head(at(1)).await, Some(done.messages[0].id));
    let session = f.talk(id).await;
    assert_eq!((session.need_attention, session.waiting_since), (true, Some(at(1))));
    assert_eq!(session.attention_reason.as_deref(), Some("asked for a human"));
    // What the bot was still to be told it has missed: the second text, and whatever came after.
    assert_eq!((session.unseen_by_bot_from, f.counts().await.unwrap().turns_open), (Some(2), 0));
    assert_eq!(f.begin(done.messages[0].id, at(1)).await, 1);
}

async fn a_turn_is_tried_again_when_it_is_due(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    f.hear(f.text(ANN, "2", at(0))).await;
    let work = f.claim(at(0)).await;
    f.fail_turn(work.turn.id, work.turn.attempts, TurnFailure::RetryAt(at(30)), at(1)).await.unwrap();
    // The one behind it waits with it.
    assert_eq!(f.claim_turn(HERE, at(29)).await.unwrap(), TurnClaim::NotBefore(at(30)));
    assert_eq!(f.claim(at(30)).await.turn.id, work.turn.id);
}

async fn a_turn_given_up_is_handed_to_agents(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let queued = f.queue(f.by_bot(id, "0", at(0))).await;
    f.hear(f.text(ANN, "2", at(0))).await;
    let work = f.claim(at(0)).await;
    f.fail_turn(work.turn.id, 1, give_up(), at(1)).await.unwrap();
    assert_eq!(state(&f, &work).await, TurnState::Failed { reason: "bot-unreachable".into() });
    let session = f.talk(id).await;
    assert!(session.need_attention);
    assert_eq!(session.attention_reason.as_deref(), Some("bot-unreachable"));
    assert_eq!(session.unseen_by_bot_from, Some(0));
    assert_eq!((f.status(queued).await, f.counts().await.unwrap().turns_open), (Status::Canceled, 0));
}

async fn a_turn_given_up_after_a_switch_switches_nothing_but_is_told_later(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    let held = f.hold(id, at(1)).await;
    assert_eq!(held.unseen_by_bot_from, Some(1));
    f.fail_turn(work.turn.id, 1, give_up(), at(2)).await.unwrap();
    let after = f.talk(id).await;
    assert_eq!((after.version, after.waiting_since), (held.version, Some(at(1))));
    assert_eq!((after.attention_reason, after.unseen_by_bot_from), (None, Some(0)));
}

async fn a_turn_that_expects_no_answer_is_given_up_quietly(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let before = f.let_go(id, at(1)).await;
    let work = f.claim(at(1)).await;
    f.fail_turn(work.turn.id, 1, give_up(), at(2)).await.unwrap();
    let after = f.talk(id).await;
    assert_eq!((after.need_attention, after.version), (false, before.version));
    assert_eq!(f.claim_turn(HERE, at(9)).await.unwrap(), TurnClaim::Idle);
}

async fn what_is_put_off_has_not_failed(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    let put_off = TurnFailure::PutOff(at(30));
    assert_eq!(f.fail_turn(work.turn.id, 1, put_off, at(1)).await.unwrap(), TurnFailed::default());
    assert_eq!(f.claim_turn(HERE, at(29)).await.unwrap(), TurnClaim::NotBefore(at(30)));
    let again = f.claim(at(30)).await.turn;
    assert_eq!((again.attempts, again.calls(), again.failures, again.number), (2, 1, 0, Some(1)));
    f.fail_turn(again.id, 2, TurnFailure::RetryAt(at(40)), at(31)).await.unwrap();
    assert_eq!(f.claim(at(40)).await.turn.failures, 1);
}

fn with_fallback(f: &Fixture) -> TurnFailure {
    let content = "somebody will be with you soon".to_owned();
    let fallback = Fallback { id: MessageId(f.id()), content, valid_for: Duration::from_secs(60) };
    TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: Some(fallback) }
}

async fn a_fallback_is_sent_where_humans_get_the_session_and_the_customer_may_be_texted(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let recalled = f.queue(f.by_bot(id, "0", at(0))).await;
    let work = f.claim(at(0)).await;
    let failed = f.fail_turn(work.turn.id, 1, with_fallback(&f), at(1)).await.unwrap();
    let message = failed.message.unwrap();
    assert!(failed.handed_over && message.author.is_gateway());
    assert_eq!((f.get(message.id).await, f.head(at(1)).await), (message.clone(), Some(message.id)));
    assert_eq!(message.delivery.valid_until, Some(at(61)));
    assert_eq!(f.status(recalled).await, Status::Canceled);
    assert_eq!(f.talk(id).await.waiting_since, Some(at(1)), "it is no agent's answer");

    // Nothing is said where nothing is handed over.
    f.let_go(id, at(2)).await;
    let quiet = f.claim(at(2)).await;
    let failed = f.fail_turn(quiet.turn.id, 1, with_fallback(&f), at(3)).await.unwrap();
    assert_eq!(failed, TurnFailed::default());
    f.hear(f.text(ANN, "2", at(4))).await;
    let held = f.claim(at(4)).await;
    f.hold(id, at(5)).await;
    let failed = f.fail_turn(held.turn.id, 1, with_fallback(&f), at(6)).await.unwrap();
    assert_eq!(failed, TurnFailed::default());

    // Nor to who wants no texts.
    let bob = f.with_bot(BOB).await;
    let work = f.claim(at(7)).await;
    f.unsubscribe(bob, at(7)).await;
    let failed = f.fail_turn(work.turn.id, 1, with_fallback(&f), at(8)).await.unwrap();
    assert_eq!(failed, TurnFailed { message: None, handed_over: true });
    assert_eq!(f.talk(bob).await.message_count, 1);
}

/// The ids of all turns that went wrong, read in pages of two.
async fn went_wrong(f: &Fixture) -> Vec<TurnId> {
    let (mut ids, mut request) = (Vec::new(), first(2));
    loop {
        let page = f.failed_turns(request).await.unwrap();
        ids.extend(page.items.iter().map(|turn| turn.id));
        match page.next {
            Some(next) => request = PageRequest { after: Some(next), limit: 2 },
            None => return ids,
        }
    }
}

/// A conversation whose first turn was given up.
async fn given_up(f: &Fixture, of: &str) -> (CustomerId, TurnId) {
    let id = f.with_bot(of).await;
    let turn = f.claim(at(0)).await.turn.id;
    f.fail_turn(turn, 1, give_up(), at(1)).await.unwrap();
    (id, turn)
}

async fn what_went_wrong_is_listed_the_newest_first(open: Open) {
    let f = Fixture::new(open);
    assert!(went_wrong(&f).await.is_empty());
    let numbers = (0..5).map(|number| format!("+1415555010{number}"));
    let mut turns = Vec::new();
    for number in numbers {
        turns.push((number.clone(), {
            f.with_bot(&number).await;
            f.claim(at(0)).await
        }));
    }
    // By the order of queueing, not of failing; and an answer that was refused is among them.
    for place in [3, 0, 4] {
        f.fail_turn(turns[place].1.turn.id, 1, give_up(), at(1)).await.unwrap();
    }
    f.unsubscribe(turns[2].1.customer.id, at(2)).await;
    f.answer(&turns[2].1, texts(&["hi"]), at(3)).await;
    f.answer(&turns[1].1, texts(&["hi"]), at(3)).await;
    let expected: Vec<_> = [4, 3, 2, 0].map(|place| turns[place].1.turn.id).to_vec();
    assert_eq!(went_wrong(&f).await, expected);
    let page = f.failed_turns(first(1)).await.unwrap();
    assert_eq!(Some(&page.items[0]), f.turn(expected[0]).await.unwrap().as_ref());
    let foreign = f.held(PageRequest { after: page.next, limit: 1 }).await;
    assert!(matches!(foreign, Err(ListError::InvalidCursor)));
}

async fn what_went_wrong_goes_with_its_conversation(open: Open) {
    let f = Fixture::new(open);
    let (ann, _) = given_up(&f, ANN).await;
    let (bob, bobs) = given_up(&f, BOB).await;
    f.erase_customer(ann, at(2)).await.unwrap();
    assert_eq!(went_wrong(&f).await, [bobs]);
    f.let_go(bob, at(3)).await;
    let back = f.claim(at(3)).await;
    f.answer(&back, Answer::default(), at(3)).await;
    let later = at(4).after(IDLE_AFTER);
    assert_eq!(f.prune(later, None, 9, later).await.unwrap().sessions, 1);
    assert!(went_wrong(&f).await.is_empty());
    let replayed = f.replay_turn(bobs, TurnId(f.id()), later).await;
    assert!(matches!(replayed, Err(ReplayError::NotFound)));
}

async fn a_turn_that_is_over_is_replayed_as_a_new_one(open: Open) {
    let f = Fixture::new(open);
    let (id, turn) = given_up(&f, ANN).await;
    f.let_go(id, at(2)).await;
    let new = TurnId(f.id());
    let from = f.place().await;
    let again = f.replay_turn(turn, new, at(3)).await.unwrap();
    assert_eq!(
        (again.id, again.state.clone(), again.number, again.attempts),
        (new, TurnState::Pending, None, 0)
    );
    assert_eq!(f.turn(new).await.unwrap(), Some(again));
    assert!(f.names(from).await.is_empty());
    // What was given up stays on record, and its session's turns come before the new one.
    assert_eq!(went_wrong(&f).await, [turn]);
    let back = f.claim(at(3)).await;
    assert_eq!(back.message, None);
    f.answer(&back, Answer::default(), at(3)).await;
    let told = f.claim(at(3)).await;
    assert_eq!((told.turn.id, told.turn.message_id), (new, f.turn(turn).await.unwrap().unwrap().message_id));
    let answered = f.answer(&told, texts(&["hi"]), at(4)).await;
    assert_eq!((answered.refused, answered.messages.len()), (None, 1));
    // One that went well may be told again as well.
    assert!(f.replay_turn(new, TurnId(f.id()), at(5)).await.is_ok());
}

async fn only_what_is_over_is_replayed_and_not_while_agents_have_the_session(open: Open) {
    let f = Fixture::new(open);
    let (_, turn) = given_up(&f, ANN).await;
    let refused = f.replay_turn(turn, TurnId(f.id()), at(2)).await;
    assert!(matches!(refused, Err(ReplayError::Refused(Refusal::SessionHeld))));
    let command = f.text(BOB, "1", at(2));
    let bobs = command.ids.turn;
    f.hear(command).await;
    for _ in 0..2 {
        let early = f.replay_turn(bobs, TurnId(f.id()), at(2)).await;
        assert!(matches!(early, Err(ReplayError::NotOver)));
        f.claim_turn(HERE, at(2)).await.unwrap();
    }
    let nobodys = f.replay_turn(TurnId(f.id()), TurnId(f.id()), at(2)).await;
    assert!(matches!(nobodys, Err(ReplayError::NotFound)));
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

async fn what_a_failed_turn_was_to_tell_is_told_with_the_next(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let first = f.messages_of(f.talk(id).await.id, all()).await.unwrap().items[0].id;
    let answered = f.queue(f.by_agent(id, "1", at(1))).await;
    let said = f.claim(at(1)).await;
    f.complete_turn(f.completion(&said, texts(&[]), at(1))).await.unwrap();
    f.let_go(id, at(2)).await;
    let back = f.claim(at(2)).await;
    assert_eq!(ids(&back.history), [first, answered]);
    f.fail_turn(back.turn.id, 1, give_up(), at(3)).await.unwrap();

    let (second, _) = f.hear(f.text(ANN, "2", at(4))).await;
    let told = f.claim(at(4)).await;
    assert_eq!(
        (told.message.map(|message| message.id), ids(&told.history)),
        (Some(second.id), ids(&back.history))
    );
    f.fail_turn(told.turn.id, 1, TurnFailure::RetryAt(at(5)), at(4)).await.unwrap();
    let again = f.claim(at(5)).await;
    assert_eq!(ids(&again.history), ids(&back.history), "it is told again");
    f.complete_turn(f.completion(&again, texts(&[]), at(6))).await.unwrap();

    f.hear(f.text(ANN, "3", at(7))).await;
    assert!(f.claim(at(7)).await.history.is_empty(), "it was told");
}

async fn what_was_told_in_vain_twice_is_told_by_the_agents_release(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    f.let_go(id, at(1)).await;
    let back = f.claim(at(1)).await;
    f.fail_turn(back.turn.id, 1, give_up(), at(2)).await.unwrap();
    let (second, _) = f.hear(f.text(ANN, "2", at(3))).await;
    let work = f.claim(at(3)).await;
    f.fail_turn(work.turn.id, 1, give_up(), at(4)).await.unwrap();
    assert!(f.talk(id).await.need_attention);
    f.let_go(id, at(5)).await;
    let told = ids(&f.claim(at(5)).await.history);
    assert_eq!(told, [&ids(&back.history)[..], &[second.id]].concat());
}

async fn turns_in_another_process_hand_are_pending_again(open: Open) {
    let f = Fixture::new(open);
    f.hear(f.text(ANN, "1", at(0))).await;
    let mine = f.claim(at(0)).await;
    f.hear(f.text(BOB, "1", at(0))).await;
    let TurnClaim::Work(theirs) = f.claim_turn("gone", at(0)).await.unwrap() else { panic!("no turn") };
    assert_eq!(f.release_turns(HERE, at(5)).await.unwrap(), 1);
    assert!(matches!(state(&f, &mine).await, TurnState::InFlight { .. }));
    assert_eq!(f.claim_turn(HERE, at(4)).await.unwrap(), TurnClaim::NotBefore(at(5)));
    let late = f.complete_turn(f.completion(&theirs, texts(&["hi"]), at(5))).await;
    assert!(matches!(late, Err(TurnError::Stale)));
    let again = f.claim(at(5)).await.turn;
    assert_eq!((again.id, again.number, again.attempts), (theirs.turn.id, theirs.turn.number, 2));
    assert_eq!(f.release_turns(HERE, at(6)).await.unwrap(), 0);
}

async fn a_history_has_the_newest_of_what_was_missed(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let mut said = Vec::new();
    for second in 0..=i64::try_from(HISTORY).unwrap() {
        said.push(f.hear(f.text(ANN, "?", at(second))).await.0.id);
    }
    f.let_go(id, at(200)).await;
    let told: Vec<_> = f.claim(at(200)).await.history.iter().map(|message| message.id).collect();
    assert_eq!(told, said[1..]);
}
