//! Sessions: who has them, what a switch entails, and the agents' inbox.

use switchboard::domain::conversation::SessionPatch;
use switchboard::domain::delivery::{Evidence, Status};
use switchboard::domain::ids::{CustomerId, SessionId};
use switchboard::domain::turn::{TurnKind, TurnState};
use switchboard::store::{Expand, Expanded, InboxFilter, TurnClaim, UpdateSessionError};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, CLEO, Fixture, HERE, IDLE_AFTER, accepted, all, at, at_once, transient, unknown,
};

on_every_engine! {
    a_patch_changes_only_what_it_names,
    only_a_current_session_is_changed,
    a_switch_counts_up_the_version,
    setting_what_is_set_switches_nothing,
    a_switch_cancels_what_the_bot_has_queued_and_drops_its_turns,
    a_switch_recalls_the_bots_texts_to_that_customer_and_to_no_other,
    what_is_recalled_on_its_way_is_not_sent_again,
    letting_go_tells_the_bot_what_it_missed,
    a_dropped_turns_message_is_told_later,
    of_many_who_take_a_session_one_switches_it,
    the_inbox_begins_with_the_longest_waiting,
    who_waits_equally_long_is_listed_by_the_sessions_id,
    the_inbox_is_narrowed_down_by_its_filter,
    sessions_are_listed_in_the_order_of_their_creation,
    what_stands_beside_sessions_is_what_is_read_of_each,
}

fn labels(tags: &[&str], topics: &[&str]) -> SessionPatch {
    let owned = |labels: &[&str]| Some(labels.iter().map(|label| (*label).to_owned()).collect());
    SessionPatch { tags: owned(tags), topics: owned(topics), ..SessionPatch::default() }
}

async fn a_patch_changes_only_what_it_names(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut expected = f.talk(id).await;
    f.update_session(f.update(id, labels(&["vip"], &["order"]), at(1))).await.unwrap();
    let patch = SessionPatch {
        tags: Some(vec!["late".into()]),
        bot_state: Some("{}".into()),
        ..SessionPatch::default()
    };
    let after = f.update_session(f.update(id, patch, at(2))).await.unwrap();
    (expected.tags, expected.topics) = (vec!["late".into()], vec!["order".into()]);
    (expected.bot_state, expected.updated_at) = (Some("{}".into()), at(2));
    assert_eq!(after, expected);
    assert_eq!(f.talk(id).await, after);
    assert_eq!(f.session(after.id).await.unwrap(), Some(after));
}

async fn only_a_current_session_is_changed(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let late = f.update_session(f.update(id, labels(&["vip"], &[]), at(0).after(IDLE_AFTER))).await;
    assert!(matches!(late, Err(UpdateSessionError::NoCurrentSession)));
    assert!(f.talk(id).await.tags.is_empty());
    let created = f.create_customer(f.customer(BOB, at(0))).await.unwrap().value;
    let none = f.update_session(f.update(created.id, labels(&[], &[]), at(0))).await;
    assert!(matches!(none, Err(UpdateSessionError::NoCurrentSession)));
    let nobody = f.update_session(f.update(CustomerId(f.id()), labels(&[], &[]), at(0))).await;
    assert!(matches!(nobody, Err(UpdateSessionError::NotFound)));
}

async fn a_switch_counts_up_the_version(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let before = f.talk(id).await;
    let patch =
        SessionPatch { need_attention: Some(true), reason: Some("angry".into()), ..SessionPatch::default() };
    let held = f.update_session(f.update(id, patch, at(1))).await.unwrap();
    assert_eq!((held.version, held.waiting_since), (before.version + 1, Some(at(1))));
    assert_eq!(held.attention_reason.as_deref(), Some("angry"));
    let back = f.let_go(id, at(2)).await;
    assert_eq!((back.version, back.waiting_since, back.attention_reason), (before.version + 2, None, None));
}

async fn setting_what_is_set_switches_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let before = f.talk(id).await;
    let after = f.let_go(id, at(2)).await;
    assert_eq!((after.version, f.status(text).await), (before.version, Status::Queued));
    assert_eq!(f.counts().await.unwrap().turns_open, 1);
    let held = f.hold(id, at(3)).await;
    let again = f.hold(id, at(4)).await;
    assert_eq!((again.version, again.waiting_since), (held.version, Some(at(3))));
}

async fn a_switch_cancels_what_the_bot_has_queued_and_drops_its_turns(open: Open) {
    let f = Fixture::new(open);
    let (text, _) = f.hear(f.text(ANN, "hello", at(0))).await;
    let id = text.customer_id;
    let asked = f.claim(at(0)).await.turn.id;
    f.hear(f.text(ANN, "hello?", at(1))).await;
    let by_bot = f.queue(f.by_bot(id, "1", at(1))).await;
    let by_gateway = f.queue(f.by_gateway(id, "2", at(1))).await;
    f.hold(id, at(2)).await;
    let canceled = f.get(by_bot).await.delivery;
    assert_eq!((canceled.status, canceled.error), (Status::Canceled, None));
    assert_eq!(f.head(at(2)).await, Some(by_gateway));
    // The one in hand is the bot's to answer, and to be refused; the pending one is gone.
    assert!(matches!(f.turn(asked).await.unwrap().unwrap().state, TurnState::InFlight { .. }));
    assert_eq!(f.counts().await.unwrap().turns_open, 1);
    assert_eq!(f.claim_turn(HERE, at(9)).await.unwrap(), TurnClaim::Idle);
}

async fn a_switch_recalls_the_bots_texts_to_that_customer_and_to_no_other(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut old = f.by_bot(id, "1", at(1));
    old.text.valid_for = IDLE_AFTER * 9;
    let old = f.queue(old).await;
    let bob = f.with_bot(BOB).await;
    let bobs = f.queue(f.by_bot(bob, "1", at(1))).await;
    let later = at(1).after(IDLE_AFTER);
    f.hear(f.text(ANN, "hello again", later)).await;
    f.hold(id, later).await;
    assert_eq!((f.status(old).await, f.status(bobs).await), (Status::Canceled, Status::Queued));
    assert_eq!(f.counts().await.unwrap().turns_open, 2);
}

async fn what_is_recalled_on_its_way_is_not_sent_again(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob, cleo) = (f.with_bot(ANN).await, f.with_bot(BOB).await, f.with_bot(CLEO).await);
    let refused = f.queue(f.by_bot(ann, "1", at(1))).await;
    let lost = f.queue(f.by_bot(bob, "1", at(1))).await;
    let taken = f.queue(f.by_bot(cleo, "1", at(1))).await;
    let attempt = f.begin(refused, at(1)).await;
    let other = f.begin(taken, at(1)).await;
    f.send(lost, unknown(at(2)), at(1)).await;
    for id in [ann, bob, cleo] {
        f.hold(id, at(2)).await;
    }
    f.settle(refused, attempt, transient(at(3)), at(3)).await.unwrap();
    f.settle(taken, other, accepted("SM1"), at(3)).await.unwrap();
    f.resolve(lost, Evidence::Absent, at(3)).await.unwrap();
    assert_eq!((f.status(refused).await, f.status(lost).await), (Status::Canceled, Status::Canceled));
    assert_eq!(f.status(taken).await, Status::Sent);
    assert_eq!(f.head(at(9)).await, None);
}

async fn letting_go_tells_the_bot_what_it_missed(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(0)).await;
    f.complete_turn(f.completion(&work, switchboard::domain::conversation::Answer::default(), at(0)))
        .await
        .unwrap();
    f.hold(id, at(1)).await;
    let (asked, _) = f.hear(f.text(ANN, "a human?", at(2))).await;
    let answered = f.queue(f.by_agent(id, "yes", at(3))).await;
    let told = f.claim(at(3)).await;
    assert_eq!((told.turn.kind, told.turn.message_id), (TurnKind::MessageCreated, Some(answered)));
    f.complete_turn(f.completion(&told, switchboard::domain::conversation::Answer::default(), at(3)))
        .await
        .unwrap();
    f.let_go(id, at(4)).await;
    f.hear(f.text(ANN, "thanks", at(5))).await;
    let back = f.claim(at(5)).await;
    assert_eq!((back.turn.kind, back.message), (TurnKind::SessionUpdated, None));
    let missed: Vec<_> = back.history.iter().map(|message| message.id).collect();
    assert_eq!(missed, [asked.id, answered]);
}

async fn a_dropped_turns_message_is_told_later(open: Open) {
    let f = Fixture::new(open);
    let (first, _) = f.hear(f.text(ANN, "1", at(0))).await;
    let (second, _) = f.hear(f.text(ANN, "2", at(0))).await;
    f.hold(first.customer_id, at(1)).await;
    assert_eq!(f.talk(first.customer_id).await.unseen_by_bot_from, Some(0));
    f.let_go(first.customer_id, at(2)).await;
    // Taken again before the bot heard of it: what that turn was to tell is still not seen.
    f.hold(first.customer_id, at(3)).await;
    f.let_go(first.customer_id, at(4)).await;
    let missed: Vec<_> = f.claim(at(4)).await.history.iter().map(|message| message.id).collect();
    assert_eq!(missed, [first.id, second.id]);
}

async fn of_many_who_take_a_session_one_switches_it(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let version = f.talk(id).await.version;
    at_once(64, |_| {
        let patch = SessionPatch { need_attention: Some(true), ..SessionPatch::default() };
        let (store, command) = ((*f).clone(), f.update(id, patch, at(1)));
        async move { store.update_session(command).await.unwrap() }
    })
    .await;
    assert_eq!(f.talk(id).await.version, version + 1);
}

async fn inbox(f: &Fixture, filter: InboxFilter) -> Vec<CustomerId> {
    f.inbox(filter, all()).await.unwrap().items.iter().map(|session| session.customer_id).collect()
}

async fn the_inbox_begins_with_the_longest_waiting(open: Open) {
    let f = Fixture::new(open);
    let ids = [ANN, BOB, CLEO, "+14155550104", "+14155550105"];
    let mut who = Vec::new();
    for of in ids {
        who.push(f.with_bot(of).await);
    }
    f.hold(who[0], at(3)).await;
    f.hold(who[1], at(2)).await;
    f.hold(who[2], at(1)).await;
    f.queue(f.by_agent(who[2], "hi", at(4))).await;
    f.hear(f.text(ids[3], "hello?", at(6))).await;
    f.hear(f.text(ids[4], "hello?", at(5))).await;
    assert_eq!(inbox(&f, InboxFilter::default()).await, [who[1], who[0], who[2], who[4], who[3]]);
    f.hear(f.text(CLEO, "thanks", at(7))).await;
    f.queue(f.by_agent(who[1], "hi", at(8))).await;
    assert_eq!(inbox(&f, InboxFilter::default()).await, [who[0], who[2], who[1], who[4], who[3]]);
}

async fn who_waits_equally_long_is_listed_by_the_sessions_id(open: Open) {
    let f = Fixture::new(open);
    let first = f.with_bot(ANN).await;
    let mut smaller = f.text(BOB, "hello", at(0));
    smaller.ids.session = SessionId(uuid::Uuid::nil());
    let second = f.hear(smaller).await.0.customer_id;
    assert_eq!(inbox(&f, InboxFilter::default()).await, [second, first]);
    f.hold(first, at(1)).await;
    f.hold(second, at(1)).await;
    assert_eq!(inbox(&f, InboxFilter::default()).await, [second, first]);
}

async fn the_inbox_is_narrowed_down_by_its_filter(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob, cleo) = (f.with_bot(ANN).await, f.with_bot(BOB).await, f.with_bot(CLEO).await);
    f.hold(ann, at(1)).await;
    f.update_session(f.update(ann, labels(&["vip"], &["order"]), at(1))).await.unwrap();
    f.update_session(f.update(bob, labels(&["vip", "late"], &[]), at(1))).await.unwrap();
    let tag = InboxFilter { tag: Some("vip".into()), ..InboxFilter::default() };
    let topic = InboxFilter { topic: Some("order".into()), ..InboxFilter::default() };
    let attention = |wanted| InboxFilter { need_attention: Some(wanted), ..InboxFilter::default() };
    assert_eq!(inbox(&f, tag.clone()).await, [ann, bob]);
    assert_eq!(inbox(&f, topic).await, [ann]);
    assert_eq!(inbox(&f, attention(true)).await, [ann]);
    assert_eq!(inbox(&f, attention(false)).await, [bob, cleo]);
    assert_eq!(inbox(&f, InboxFilter { need_attention: Some(false), ..tag }).await, [bob]);
}

async fn sessions_are_listed_in_the_order_of_their_creation(open: Open) {
    let f = Fixture::new(open);
    let (first, one) = f.hear(f.text(ANN, "1", at(0))).await;
    // Neither the ids nor the clock decide.
    let mut later = f.text(ANN, "2", at(0).after(IDLE_AFTER));
    later.ids.session = SessionId(uuid::Uuid::nil());
    let (_, two) = f.hear(later).await;
    let listed = f.sessions_of(first.customer_id, all()).await.unwrap().items;
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [one.id, two.id]);
    assert_eq!(f.talk(first.customer_id).await.id, two.id);
}

async fn what_stands_beside_sessions_is_what_is_read_of_each(open: Open) {
    let f = Fixture::new(open);
    let (first, one) = f.hear(f.text(ANN, "1", at(0))).await;
    let (_, two) = f.hear(f.text(ANN, "2", at(0).after(IDLE_AFTER))).await;
    assert_ne!(one.id, two.id);
    let mut sessions = vec![(one.id, first.customer_id), (two.id, first.customer_id)];
    let (bob, cleo) = (f.with_bot(BOB).await, f.with_bot(CLEO).await);
    for id in [bob, cleo] {
        let session = f.hold(id, at(1)).await.id;
        for text in ["one", "two", "three"] {
            f.queue(f.by_agent(id, text, at(2))).await;
        }
        sessions.push((session, id));
    }
    // Also one that is asked for twice, and one of somebody who is gone.
    sessions.push(sessions[3]);
    f.erase_customer(bob, at(4)).await.unwrap();

    for customer in [true, false] {
        for messages in [0, 1, 2, 100] {
            let expanded = f.expand(sessions.clone(), Expand { customer, messages }).await.unwrap();
            let mut expected = Vec::new();
            for &(session, id) in &sessions {
                let mut newest = f.messages_of(session, all()).await.unwrap().items;
                newest.truncate(messages);
                let customer = if customer { (**f).customer(id).await.unwrap() } else { None };
                expected.push(Expanded { customer, messages: newest });
            }
            assert_eq!(expanded, expected, "with {messages} messages, customer: {customer}");
        }
    }
    assert_eq!(f.expand(Vec::new(), Expand { customer: true, messages: 1 }).await.unwrap(), []);
}
