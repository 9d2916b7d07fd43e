//! What the bot says by calls of its own, to a turn that it was told: at most once each, and not too late.

use switchboard::domain::conversation::{Answer, Policy, Refusal};
use switchboard::domain::event::What;
use switchboard::domain::ids::{CustomerId, MessageId, TurnId};
use switchboard::domain::message::Message;
use switchboard::domain::turn::{TurnState, TurnWork};
use switchboard::store::{CreateMessageError, ReplyError, TurnClaim, TurnFailure, TurnReplied};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, Fixture, HERE, all, at, at_once, hand_off, rules, texts};

on_every_engine! {
    what_the_bot_says_of_its_own_accord_is_queued,
    the_same_key_again_gives_the_first_texts_again,
    of_many_repeats_one_is_taken,
    keys_belong_to_their_turn,
    while_it_is_being_told_that_goes_on,
    what_was_to_be_told_again_is_not,
    a_turn_that_the_bot_was_never_told_is_not_there,
    after_a_switch_it_comes_too_late,
    after_an_answer_to_a_later_turn_it_comes_too_late,
    a_text_that_names_its_turn_counts_as_long_as_a_reply_would,
    only_a_turn_that_expects_an_answer_is_replied_to,
    what_is_refused_is_kept_with_the_turn_and_told_with_its_reason,
    a_refusal_is_not_remembered,
    a_hand_off_leaves_the_replys_own_texts,
    a_turn_that_was_replied_to_is_neither_tried_again_nor_given_up,
    nothing_to_say_ends_what_was_to_be_told_again,
    where_agents_have_a_newer_session_it_comes_too_late,
    under_one_key_only_one_thing_is_said,
    only_so_many_replies_are_taken,
}

async fn under_one_key_only_one_thing_is_said(open: Open) {
    let f = Fixture::new(open);
    let (_, work) = told(&f, ANN).await;
    say(&f, work.turn.id, 1, texts(&["1"]), 5).await;
    // The same call by its name, with something else to say.
    let mut other = f.reply(work.turn.id, 1, texts(&["2"]), at(6));
    other.key[16..].fill(2);
    assert!(matches!(f.reply_to_turn(other).await, Err(ReplyError::IdempotencyMismatch)));
    assert_eq!(f.counts().await.unwrap().queued, 1);
}

async fn only_so_many_replies_are_taken(open: Open) {
    let f = Fixture::new(open);
    let (_, work) = told(&f, ANN).await;
    for key in 0..100 {
        say(&f, work.turn.id, key, Answer { tags: Some(vec![key.to_string()]), ..Answer::default() }, 5)
            .await;
    }
    let more = f.reply(work.turn.id, 100, texts(&["1"]), at(6));
    assert!(matches!(f.reply_to_turn(more).await, Err(ReplyError::AnsweredOut)));
    assert!(
        say(&f, work.turn.id, 99, Answer { tags: Some(vec!["99".into()]), ..Answer::default() }, 6)
            .await
            .replayed
    );
}

async fn say(f: &Fixture, turn: TurnId, key: u8, answer: Answer, second: i64) -> TurnReplied {
    f.reply_to_turn(f.reply(turn, key, answer, at(second))).await.unwrap()
}

async fn refused(f: &Fixture, turn: TurnId, key: u8, answer: Answer, second: i64) -> Option<Refusal> {
    let replied = say(f, turn, key, answer, second).await;
    assert!(!replied.replayed && replied.completed.messages.is_empty());
    replied.completed.refused
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

async fn state(f: &Fixture, turn: TurnId) -> TurnState {
    f.turn(turn).await.unwrap().unwrap().state
}

/// A turn that is done, with nothing said to it.
async fn told(f: &Fixture, of: &str) -> (CustomerId, TurnWork) {
    let id = f.with_bot(of).await;
    let work = f.claim(at(0)).await;
    f.answer(&work, Answer::default(), at(0)).await;
    (id, work)
}

async fn what_the_bot_says_of_its_own_accord_is_queued(open: Open) {
    let f = Fixture::new(open);
    let (id, work) = told(&f, ANN).await;
    let answer = Answer { tags: Some(vec!["vip".into()]), ..texts(&["1", "2"]) };
    let TurnReplied { completed, replayed } = say(&f, work.turn.id, 1, answer, 5).await;
    assert!(!replayed && completed.refused.is_none() && !completed.handed_off);
    for (place, message) in (1..).zip(&completed.messages) {
        assert_eq!((f.get(message.id).await, message.place), (message.clone(), place));
        assert_eq!(message.turn_id, Some(work.turn.id));
    }
    let session = f.talk(id).await;
    assert_eq!((session.tags.as_slice(), session.turns_answered), (&["vip".to_owned()][..], 1));
    let more = say(&f, work.turn.id, 2, texts(&["3"]), 6).await.completed;
    assert_eq!((more.messages[0].place, state(&f, work.turn.id).await), (3, TurnState::Done));
}

async fn the_same_key_again_gives_the_first_texts_again(open: Open) {
    let f = Fixture::new(open);
    let (id, work) = told(&f, ANN).await;
    let first = say(&f, work.turn.id, 1, texts(&["1", "2"]), 5).await.completed.messages;
    f.cancel_message(first[0].id, at(6)).await.unwrap();
    let (before, from) = (f.talk(id).await, f.place().await);
    let again = say(&f, work.turn.id, 1, hand_off(&["something else"]), 7).await;
    assert!(again.replayed && !again.completed.handed_off);
    assert_eq!(
        again.completed.messages,
        [f.get(first[0].id).await, f.get(first[1].id).await],
        "as they are now"
    );
    assert_eq!((f.talk(id).await, f.place().await), (before, from));
    // Also after agents have taken the session.
    f.hold(id, at(8)).await;
    let again = say(&f, work.turn.id, 1, texts(&["1", "2"]), 9).await;
    assert_eq!((again.replayed, ids(&again.completed.messages)), (true, ids(&first)));
}

async fn of_many_repeats_one_is_taken(open: Open) {
    let f = Fixture::new(open);
    let (id, work) = told(&f, ANN).await;
    let replies = at_once(32, |_| {
        let (store, command) = ((*f).clone(), f.reply(work.turn.id, 1, texts(&["1"]), at(1)));
        async move { store.reply_to_turn(command).await.unwrap() }
    })
    .await;
    assert_eq!(replies.iter().filter(|replied| !replied.replayed).count(), 1);
    let first = ids(&replies[0].completed.messages);
    assert!(replies.iter().all(|replied| ids(&replied.completed.messages) == first));
    assert_eq!(f.talk(id).await.message_count, 2);
}

async fn keys_belong_to_their_turn(open: Open) {
    let f = Fixture::new(open);
    let ((_, anns), (_, bobs)) = (told(&f, ANN).await, told(&f, BOB).await);
    assert!(!say(&f, anns.turn.id, 1, texts(&["1"]), 1).await.replayed);
    assert!(!say(&f, bobs.turn.id, 1, texts(&["1"]), 1).await.replayed);
}

async fn while_it_is_being_told_that_goes_on(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    let ahead = say(&f, work.turn.id, 1, texts(&["one moment"]), 1).await.completed;
    assert_eq!((ahead.refused, ahead.messages.len()), (None, 1));
    assert!(matches!(state(&f, work.turn.id).await, TurnState::InFlight { .. }));
    let done = f.answer(&work, texts(&["here it is"]), at(2)).await;
    assert_eq!((done.refused, done.messages.len()), (None, 1));
    assert_eq!((f.talk(id).await.message_count, state(&f, work.turn.id).await), (3, TurnState::Done));
}

async fn what_was_to_be_told_again_is_not(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    f.hear(f.text(ANN, "2", at(0))).await;
    let work = f.claim(at(0)).await;
    f.fail_turn(work.turn.id, 1, TurnFailure::RetryAt(at(30)), at(1)).await.unwrap();
    say(&f, work.turn.id, 1, texts(&["1"]), 2).await;
    assert_eq!(state(&f, work.turn.id).await, TurnState::Done);
    // The next one waits for it no more.
    assert_ne!(f.claim(at(2)).await.turn.id, work.turn.id);
}

async fn a_turn_that_the_bot_was_never_told_is_not_there(open: Open) {
    let f = Fixture::new(open);
    let command = f.text(ANN, "1", at(0));
    let turn = command.ids.turn;
    let (text, _) = f.hear(command).await;
    for unknown in [turn, TurnId(f.id())] {
        let reply = f.reply_to_turn(f.reply(unknown, 1, texts(&["1"]), at(1))).await;
        assert!(matches!(reply, Err(ReplyError::NotFound)));
    }
    assert_eq!(state(&f, turn).await, TurnState::Pending);
    f.claim(at(1)).await;
    f.erase_customer(text.customer_id, at(2)).await.unwrap();
    let reply = f.reply_to_turn(f.reply(turn, 1, texts(&["1"]), at(3))).await;
    assert!(matches!(reply, Err(ReplyError::NotFound)));
}

async fn after_a_switch_it_comes_too_late(open: Open) {
    let f = Fixture::new(open);
    let (id, work) = told(&f, ANN).await;
    f.hold(id, at(1)).await;
    assert_eq!(refused(&f, work.turn.id, 1, texts(&["1"]), 2).await, Some(Refusal::StaleTurn));
    f.let_go(id, at(3)).await;
    assert_eq!(refused(&f, work.turn.id, 1, texts(&["1"]), 4).await, Some(Refusal::StaleTurn));
}

async fn after_an_answer_to_a_later_turn_it_comes_too_late(open: Open) {
    let f = Fixture::new(open);
    let (_, first) = told(&f, ANN).await;
    f.hear(f.text(ANN, "2", at(1))).await;
    let second = f.claim(at(1)).await;
    f.answer(&second, Answer::default(), at(1)).await;
    // Nothing was said to the second yet.
    assert_eq!(say(&f, first.turn.id, 1, texts(&["1"]), 2).await.completed.refused, None);
    assert_eq!(say(&f, second.turn.id, 1, texts(&["2"]), 3).await.completed.refused, None);
    assert_eq!(refused(&f, first.turn.id, 2, texts(&["3"]), 4).await, Some(Refusal::StaleTurn));
    assert_eq!(say(&f, second.turn.id, 2, texts(&["4"]), 5).await.completed.refused, None);
}

async fn a_text_that_names_its_turn_counts_as_long_as_a_reply_would(open: Open) {
    let f = Fixture::new(open);
    let (id, first) = told(&f, ANN).await;
    let naming = |turn: TurnId, second| {
        let mut command = f.by_bot(id, "hi", at(second));
        command.text.turn_id = Some(turn);
        command
    };
    let said = f.queue(naming(first.turn.id, 1)).await;
    assert_eq!(f.get(said).await.turn_id, Some(first.turn.id));
    f.hear(f.text(ANN, "2", at(2))).await;
    let second = f.claim(at(2)).await;
    f.queue(naming(second.turn.id, 3)).await;
    let stale = |created| matches!(created, Err(CreateMessageError::Refused(Refusal::StaleTurn)));
    let from = f.place().await;
    assert!(stale(f.create_message(naming(first.turn.id, 4)).await), "a later turn was answered");
    assert_eq!(refused(&f, first.turn.id, 1, texts(&["1"]), 4).await, Some(Refusal::StaleTurn));
    assert!(stale(f.create_message(naming(TurnId(f.id()), 4)).await), "there is no such turn");
    let bobs = told(&f, BOB).await.1;
    assert!(stale(f.create_message(naming(bobs.turn.id, 4)).await), "it is somebody else's");
    f.hold(id, at(5)).await;
    f.let_go(id, at(6)).await;
    assert!(stale(f.create_message(naming(second.turn.id, 7)).await), "the session was switched");
    let told = f.told(from).await;
    let turns = told.iter().filter_map(|what| match what {
        What::BotRefused { turn_id, .. } => *turn_id,
        _ => None,
    });
    assert_eq!(turns.count(), 5, "each is told with the turn that it named");
}

async fn only_a_turn_that_expects_an_answer_is_replied_to(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    f.queue(f.by_agent(id, "hi", at(1))).await;
    let created = f.claim(at(1)).await;
    f.let_go(id, at(2)).await;
    f.answer(&created, Answer::default(), at(2)).await;
    let updated = f.claim(at(2)).await;
    f.answer(&updated, Answer::default(), at(2)).await;
    for turn in [created.turn.id, updated.turn.id] {
        assert_eq!(refused(&f, turn, 1, texts(&["1"]), 3).await, Some(Refusal::StaleTurn));
        // Having nothing to say is never refused.
        assert_eq!(refused(&f, turn, 2, Answer::default(), 3).await, None);
    }
}

async fn what_is_refused_is_kept_with_the_turn_and_told_with_its_reason(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.unsubscribe(id, at(1)).await;
    let from = f.place().await;
    let why = Some(Refusal::CustomerUnsubscribed);
    assert_eq!(refused(&f, work.turn.id, 1, texts(&["1", "2"]), 2).await, why);
    assert!(matches!(state(&f, work.turn.id).await, TurnState::InFlight { .. }), "it is still being told");
    f.answer(&work, Answer::default(), at(3)).await;
    assert_eq!(refused(&f, work.turn.id, 2, texts(&["2", "3"]), 4).await, why);
    let turn = f.turn(work.turn.id).await.unwrap().unwrap();
    assert_eq!(turn.refused_texts, ["1", "2", "3"]);
    assert_eq!(turn.state, TurnState::Refused { reason: "customer-unsubscribed".into() });
    f.hold(id, at(5)).await;
    assert_eq!(refused(&f, work.turn.id, 3, hand_off(&[]), 6).await, Some(Refusal::StaleTurn));
    let told = f.told(from).await;
    let refusals: Vec<_> = told
        .iter()
        .filter_map(|what| match what {
            What::BotRefused { reason, texts, turn_id, .. } => Some((reason.as_str(), *texts, *turn_id)),
            _ => None,
        })
        .collect();
    let turn = Some(work.turn.id);
    let expected =
        [("customer-unsubscribed", 2, turn), ("customer-unsubscribed", 2, turn), ("stale-turn", 0, turn)];
    assert_eq!(refusals, expected);
}

async fn a_refusal_is_not_remembered(open: Open) {
    let f = Fixture::new(open);
    let (id, work) = told(&f, ANN).await;
    f.unsubscribe(id, at(1)).await;
    assert!(refused(&f, work.turn.id, 1, texts(&["1"]), 2).await.is_some());
    f.hear(f.text(ANN, "START", at(3))).await;
    let replied = say(&f, work.turn.id, 1, texts(&["1"]), 4).await;
    assert_eq!((replied.replayed, replied.completed.messages.len()), (false, 1));
}

async fn a_hand_off_leaves_the_replys_own_texts(open: Open) {
    let f = Fixture::new(open);
    let (id, work) = told(&f, ANN).await;
    let replied = say(&f, work.turn.id, 1, hand_off(&["a human comes"]), 1).await.completed;
    assert!(replied.handed_off && f.talk(id).await.need_attention);
    assert_eq!(f.head(at(1)).await, Some(replied.messages[0].id));
}

async fn a_turn_that_was_replied_to_is_neither_tried_again_nor_given_up(open: Open) {
    for failure in [
        TurnFailure::RetryAt(at(9)),
        TurnFailure::PutOff(at(9)),
        TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None },
    ] {
        let f = Fixture::new(open);
        let id = f.with_bot(ANN).await;
        let work = f.claim(at(0)).await;
        say(&f, work.turn.id, 1, texts(&["1"]), 1).await;
        let failed = f.fail_turn(work.turn.id, 1, failure, at(2)).await.unwrap();
        assert!(!failed.handed_over && !f.talk(id).await.need_attention);
        assert_eq!(state(&f, work.turn.id).await, TurnState::Done);
        assert_eq!(f.claim_turn(HERE, at(99)).await.unwrap(), TurnClaim::Idle);
        assert!(f.failed_turns(all()).await.unwrap().items.is_empty());
    }
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    say(&f, work.turn.id, 1, texts(&["1"]), 1).await;
    f.release_turns("another", at(2)).await.unwrap();
    assert_eq!(state(&f, work.turn.id).await, TurnState::Done, "nor after its process has ended");
}

async fn nothing_to_say_ends_what_was_to_be_told_again(open: Open) {
    let f = Fixture::new(open);
    f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.fail_turn(work.turn.id, 1, TurnFailure::RetryAt(at(30)), at(1)).await.unwrap();
    let replied = say(&f, work.turn.id, 1, Answer::default(), 2).await;
    assert_eq!((replied.completed.refused, state(&f, work.turn.id).await), (None, TurnState::Done));
}

async fn where_agents_have_a_newer_session_it_comes_too_late(open: Open) {
    let f = Fixture::under(open, Policy { idle_after: std::time::Duration::from_secs(60), ..rules() });
    let (id, work) = told(&f, ANN).await;
    f.queue(f.by_agent(id, "hi", at(100))).await;
    assert_ne!(f.talk(id).await.id, work.session.id);
    assert_eq!(refused(&f, work.turn.id, 1, texts(&["1"]), 101).await, Some(Refusal::StaleTurn));
}
