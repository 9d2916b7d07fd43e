//! Conversations that are over are removed, whole; nothing else is.

use switchboard::domain::customer::NumberHash;
use switchboard::domain::delivery::{Evidence, ReceiptStage};
use switchboard::domain::ids::{MessageId, SessionId, uuid_v7};
use switchboard::store::{
    Counts, Inbound, InboxFilter, LaneHead, Pruned, ReceiptOutcome, SettleError, Store, TurnClaim,
};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, CLEO, Fixture, HERE, IDLE_AFTER, VALID_FOR, accepted, all, at, key, lane, number, receipt,
    texts, unknown,
};

on_every_engine! {
    a_conversation_that_is_over_goes_with_all_that_led_to_it,
    who_talked_and_what_they_agreed_to_stays,
    what_is_held_stays,
    what_has_something_open_stays_until_it_is_settled,
    what_a_person_has_to_decide_on_stays_for_as_long_as_that_takes,
    what_others_no_longer_wait_for_stays_until_it_is_settled,
    what_was_said_since_keeps_the_whole_conversation,
    only_the_older_conversations_of_a_customer_go,
    conversations_are_looked_at_in_the_order_of_their_ids_and_not_beyond_the_time,
    a_key_that_was_used_again_since_is_kept,
    a_long_conversation_is_gone_at_once_and_cleared_away_by_sweeps,
}

async fn prune(f: &Fixture, before_s: i64) -> Pruned {
    f.prune(at(before_s), None, 100, at(before_s)).await.unwrap()
}

fn of(sessions: u64, messages: u64) -> Pruned {
    Pruned { sessions, messages, next: None }
}

/// Tells the bot all that it has not been told.
async fn tell_bot(f: &Fixture, now_s: i64) {
    while let TurnClaim::Work(work) = f.claim_turn(HERE, at(now_s)).await.unwrap() {
        f.complete_turn(f.completion(&work, texts(&[]), at(now_s))).await.unwrap();
    }
}

async fn a_conversation_that_is_over_goes_with_all_that_led_to_it(open: Open) {
    let f = Fixture::new(open);
    let command = f.text(ANN, "hello", at(0));
    let mut repeat = f.text(ANN, "hello", at(20));
    repeat.text.provider_id.clone_from(&command.text.provider_id);
    let (text, session) = f.hear(command).await;
    let id = text.customer_id;
    let turn = f.claim(at(0)).await;
    f.complete_turn(f.completion(&turn, texts(&["hi"]), at(1))).await.unwrap();
    let mut say = f.by_bot(id, "1", at(2));
    say.idempotency = Some(key("bot", "k", 1));
    let first = f.head(at(2)).await.unwrap();
    f.send(first, accepted("SM1"), at(2)).await;
    let second = f.queue(say).await;
    f.send(second, accepted("SM2"), at(3)).await;
    assert_eq!(prune(&f, 2).await, of(0, 0), "its last message is not older");
    assert_eq!(prune(&f, 10).await, of(1, 3));

    assert_eq!(Store::session(&**f, session.id).await.unwrap(), None);
    assert_eq!(f.newest_session(id).await.unwrap(), None);
    assert!(f.sessions_of(id, all()).await.unwrap().items.is_empty());
    assert!(f.inbox(InboxFilter::default(), all()).await.unwrap().items.is_empty());
    assert!(f.messages_of(session.id, all()).await.unwrap().items.is_empty());
    for message in [text.id, first, second] {
        assert_eq!(f.message(message).await.unwrap(), None);
    }
    assert_eq!(f.turn(turn.turn.id).await.unwrap(), None);
    assert_eq!(f.by_provider_id("main", "SM1").await, None);
    let late = f.apply_receipt(receipt("SM2", ReceiptStage::Delivered, at(11)), at(11)).await.unwrap();
    assert_eq!(late, ReceiptOutcome::Parked);
    let mut anew = f.by_bot(id, "2", at(12));
    anew.idempotency = Some(key("bot", "k", 2));
    assert!(!f.create_message(anew).await.unwrap().replayed);
    // The provider's id of the text is forgotten, too.
    assert!(matches!(f.record_inbound(repeat).await.unwrap(), Inbound::Recorded { .. }));
}

async fn who_talked_and_what_they_agreed_to_stays(open: Open) {
    let f = Fixture::new(open);
    let (message, _) = f.hear(f.text(ANN, "STOP", at(0))).await;
    let (customer, hash) = (f.who(message.customer_id).await, NumberHash::of(&number(ANN)));
    let log = f.consent_log(hash).await.unwrap();
    assert_eq!(prune(&f, 10).await, of(1, 1));
    assert_eq!(f.who(customer.id).await, customer);
    assert_eq!((f.consent_log(hash).await.unwrap(), log.len()), (log.clone(), 1));
    let (again, session) = f.hear(f.text(ANN, "hello", at(20))).await;
    assert_eq!((again.customer_id, again.place, session.message_count), (customer.id, 0, 1));
    assert!(f.who(customer.id).await.unsubscribed);
}

async fn what_is_held_stays(open: Open) {
    let f = Fixture::new(open);
    let ann = f.with_agents(ANN).await;
    assert_eq!(prune(&f, 10).await, of(0, 0));
    f.let_go(ann, at(11)).await;
    tell_bot(&f, 11).await;
    assert_eq!(prune(&f, 20).await, of(1, 1));
}

async fn what_has_something_open_stays_until_it_is_settled(open: Open) {
    let f = Fixture::new(open);
    // Ann's turn is not answered, Bob's text is on its way, nobody knows of Cleo's.
    f.with_bot(ANN).await;
    f.claim(at(0)).await;
    let [bob, cleo] = [f.with_agents(BOB).await, f.with_agents(CLEO).await];
    let sending = f.queue(f.by_agent(bob, "1", at(1))).await;
    let attempt = f.begin(sending, at(1)).await;
    let lost = f.queue(f.by_agent(cleo, "1", at(1))).await;
    f.send(lost, unknown(at(500)), at(1)).await;
    for id in [bob, cleo] {
        f.let_go(id, at(2)).await;
    }
    tell_bot(&f, 3).await;
    assert_eq!(prune(&f, 10).await, of(0, 0));
    f.settle(sending, attempt, accepted("SM1"), at(11)).await.unwrap();
    assert_eq!(prune(&f, 10).await, of(1, 2));
    f.apply_receipt(receipt("SM2", ReceiptStage::Sent, at(12)), at(12)).await.unwrap();
    assert_eq!(prune(&f, 10).await, of(0, 0), "that was a receipt for somebody else");
    f.resolve(lost, Evidence::Found { provider_id: "SM9".into() }, at(13)).await.unwrap();
    assert_eq!(prune(&f, 20).await, of(1, 2));
    assert_eq!(f.counts().await.unwrap(), Counts { turns_open: 1, ..Counts::default() });
}

/// Nobody knows what became of a text to Ann, and agents have let her go.
async fn in_doubt(f: &Fixture) -> MessageId {
    let ann = f.with_agents(ANN).await;
    let lost = f.queue(f.by_agent(ann, "1", at(1))).await;
    f.send(lost, unknown(at(500)), at(1)).await;
    f.let_go(ann, at(2)).await;
    tell_bot(f, 3).await;
    lost
}

async fn what_a_person_has_to_decide_on_stays_for_as_long_as_that_takes(open: Open) {
    let f = Fixture::new(open);
    let lost = in_doubt(&f).await;
    f.resolve(lost, Evidence::CannotTell, at(4)).await.unwrap();
    assert_eq!(prune(&f, 100_000).await, of(0, 0));
    assert!(f.get(lost).await.is_held());
    f.resend_message(lost, VALID_FOR, at(5)).await.unwrap();
    assert_eq!(prune(&f, 100_000).await, of(0, 0), "it is queued");
    f.send(lost, accepted("SM1"), at(6)).await;
    assert_eq!(prune(&f, 100_000).await, of(1, 2));
}

async fn what_others_no_longer_wait_for_stays_until_it_is_settled(open: Open) {
    let f = Fixture::new(open);
    let lost = in_doubt(&f).await;
    f.resolve(lost, Evidence::Passed { look_at: at(600) }, at(4)).await.unwrap();
    assert_eq!(prune(&f, 100_000).await, of(0, 0));
    f.resolve(lost, Evidence::Found { provider_id: "SM1".into() }, at(5)).await.unwrap();
    assert_eq!(prune(&f, 100_000).await, of(1, 2));
}

async fn what_was_said_since_keeps_the_whole_conversation(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let sent = f.queue(f.by_agent(id, "1", at(100))).await;
    f.send(sent, accepted("SM1"), at(100)).await;
    f.let_go(id, at(101)).await;
    tell_bot(&f, 101).await;
    assert_eq!(prune(&f, 100).await, of(0, 0));
    assert_eq!(f.messages_of(f.talk(id).await.id, all()).await.unwrap().items.len(), 2);
    assert_eq!(prune(&f, 101).await, of(1, 2));
}

async fn only_the_older_conversations_of_a_customer_go(open: Open) {
    let f = Fixture::new(open);
    let (first, old) = f.hear(f.text(ANN, "HELP", at(0))).await;
    let later = at(1).after(IDLE_AFTER);
    let (_, new) = f.hear(f.text(ANN, "HELP", later)).await;
    assert_ne!(old.id, new.id);
    assert_eq!(f.prune(later, None, 100, later).await.unwrap(), of(1, 1));
    assert_eq!(f.talk(first.customer_id).await.id, new.id);
    assert_eq!(f.sessions_of(first.customer_id, all()).await.unwrap().items.len(), 1);
}

async fn conversations_are_looked_at_in_the_order_of_their_ids_and_not_beyond_the_time(open: Open) {
    let f = Fixture::new(open);
    let mut ids = Vec::new();
    for (second, of) in [(0, BOB), (5, ANN), (9, CLEO)] {
        let mut command = f.text(of, "HELP", at(0));
        command.ids.session = SessionId(uuid_v7(at(second), [7; 10]));
        ids.push(command.ids.session);
        f.hear(command).await;
    }
    let held = f.talk(f.customer_by_number(&number(BOB)).await.unwrap().unwrap().id).await;
    f.hold(held.customer_id, at(0)).await;
    let first = f.prune(at(9), None, 1, at(9)).await.unwrap();
    assert_eq!(first, Pruned { next: Some(ids[1]), ..of(0, 0) });
    assert_eq!(f.prune(at(9), first.next, 1, at(9)).await.unwrap(), of(1, 1));
    assert_eq!(f.prune(at(9), None, 9, at(9)).await.unwrap(), of(0, 0));
    assert!(Store::session(&**f, ids[2]).await.unwrap().is_some(), "its id is not older");
    assert_eq!(f.prune(at(10), None, 9, at(10)).await.unwrap(), of(1, 1));
}

async fn a_key_that_was_used_again_since_is_kept(open: Open) {
    let f = Fixture::new(open);
    let id = f.hear(f.text(ANN, "HELP", at(0))).await.0.customer_id;
    f.hear(f.text(ANN, "hello", at(0))).await;
    tell_bot(&f, 0).await;
    let ask = |now| {
        let mut command = f.by_bot(id, "1", now);
        command.idempotency = Some(key("bot", "k", 1));
        command
    };
    let old = f.create_message(ask(at(1))).await.unwrap().value;
    f.send(old.id, accepted("SM1"), at(1)).await;
    let later = at(2).after(switchboard::store::REMEMBERED);
    f.sweep(later, 10).await.unwrap();
    let new = f.create_message(ask(later)).await.unwrap().value;
    assert_ne!(old.session_id, new.session_id);
    assert_eq!(f.prune(at(10), None, 100, later).await.unwrap().sessions, 1);
    let again = f.create_message(ask(later)).await.unwrap();
    assert_eq!((again.replayed, again.value), (true, new));
}

async fn a_long_conversation_is_gone_at_once_and_cleared_away_by_sweeps(open: Open) {
    let f = Fixture::new(open);
    let mut heard = Vec::new();
    for _ in 0..700 {
        heard.push(f.hear(f.text(ANN, "HELP", at(0))).await);
    }
    let session = heard[0].1.id;
    assert_eq!(prune(&f, 10).await, of(1, 700));
    for (message, _) in [&heard[0], &heard[350], &heard[699]] {
        assert_eq!(f.message(message.id).await.unwrap(), None);
    }
    assert_eq!(Store::session(&**f, session).await.unwrap(), None);
    assert!(f.messages_of(session, all()).await.unwrap().items.is_empty());
    assert_eq!(f.lane_head(&lane(), at(9)).await.unwrap(), LaneHead::Empty);
    while f.sweep(at(11), 50).await.unwrap().more {}
    assert_eq!(f.counts().await.unwrap(), Counts::default());
    assert!(matches!(f.settle(heard[699].0.id, 1, accepted("SM1"), at(12)).await, Err(SettleError::Stale)));
    assert_eq!(f.abandon_attempts(HERE, at(12)).await.unwrap(), 0);
}
