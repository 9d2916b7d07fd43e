//! What a lane may send besides its first, texts that are put off, and pauses.

use switchboard::domain::delivery::Status;
use switchboard::domain::pause::{Pause, PauseScope};
use switchboard::domain::time::Timestamp;
use switchboard::store::{Begun, Head, LaneHead, LaneHeads};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, CLEO, Fixture, HERE, accepted, at, lane, other_lane};

on_every_engine! {
    a_lane_shows_the_first_of_each_customer_in_their_order,
    a_text_that_is_put_off_makes_way_for_others_and_holds_its_customers_next_back,
    only_what_could_leave_now_is_put_off,
    a_pause_is_kept_until_it_is_over,
    a_pause_takes_the_place_of_one_of_its_scope_that_ends_no_later,
}

async fn a_lane_shows_the_first_of_each_customer_in_their_order(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob, cleo) = (f.with_bot(ANN).await, f.with_agents(BOB).await, f.with_bot(CLEO).await);
    let anns = f.queue(f.by_bot(ann, &"x".repeat(200), at(1))).await;
    f.queue(f.by_bot(ann, "behind", at(1))).await;
    let bobs = f.queue(f.by_agent(bob, "1", at(2))).await;
    let mut later = f.by_bot(cleo, "1", at(2));
    later.text.not_before = Some(at(60));
    let cleos = f.queue(later).await;
    let (first, second) = (Head { message_id: bobs, segments: 1 }, Head { message_id: anns, segments: 2 });
    let heads = |ready: &[Head], next_at| LaneHeads { ready: ready.to_vec(), next_at };
    assert_eq!(f.lane_heads(&lane(), at(2), 9).await.unwrap(), heads(&[first, second], Some(at(60))));
    assert_eq!(f.lane_heads(&lane(), at(2), 1).await.unwrap(), heads(&[first], Some(at(60))));
    assert_eq!(f.lane_heads(&lane(), at(2), 0).await.unwrap(), heads(&[], Some(at(60))));
    let third = Head { message_id: cleos, segments: 1 };
    assert_eq!(f.lane_heads(&lane(), at(60), 9).await.unwrap(), heads(&[first, second, third], None));
    assert_eq!(f.lane_heads(&other_lane(), at(60), 9).await.unwrap(), LaneHeads::default());
}

async fn a_text_that_is_put_off_makes_way_for_others_and_holds_its_customers_next_back(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let first = f.queue(f.by_bot(ann, "1", at(1))).await;
    let second = f.queue(f.by_bot(ann, "2", at(1))).await;
    let bobs = f.queue(f.by_bot(bob, "1", at(2))).await;
    let before = f.get(first).await;
    assert!(f.postpone(first, at(30), at(2)).await.unwrap());
    let after = f.get(first).await;
    assert_eq!((after.delivery.status, after.delivery.ready_at), (Status::Queued, at(30)));
    assert_eq!((after.updated_at, after.delivery.attempts.len()), (before.updated_at, 0));
    assert_eq!(f.head(at(2)).await, Some(bobs));
    f.send(bobs, accepted("SM1"), at(2)).await;
    assert_eq!(f.lane_head(&lane(), at(2)).await.unwrap(), LaneHead::NotBefore(at(30)));
    assert_eq!(f.begin_attempt(first, HERE, at(29)).await.unwrap(), Begun::NotDue);
    f.send(first, accepted("SM2"), at(30)).await;
    assert_eq!(f.head(at(30)).await, Some(second));
}

async fn only_what_could_leave_now_is_put_off(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let mut later = f.by_bot(ann, "1", at(1));
    later.text.not_before = Some(at(60));
    let not_ready = f.queue(later).await;
    let behind = f.queue(f.by_bot(ann, "2", at(1))).await;
    let leaving = f.queue(f.by_bot(bob, "1", at(1))).await;
    f.begin(leaving, at(1)).await;
    for text in [not_ready, behind, leaving] {
        let before = f.get(text).await;
        assert!(!f.postpone(text, at(90), at(2)).await.unwrap());
        assert_eq!(f.get(text).await, before);
    }
    f.erase_customer(ann, at(3)).await.unwrap();
    assert!(!f.postpone(not_ready, at(90), at(61)).await.unwrap());
}

fn pause(scope: PauseScope, until: Timestamp) -> Pause {
    Pause { scope, until, reason: "20429".into(), tries: 2 }
}

async fn a_pause_is_kept_until_it_is_over(open: Open) {
    let f = Fixture::new(open);
    let account = pause(PauseScope::Account { channel: lane().channel }, at(10));
    let sender = pause(PauseScope::Sender(lane()), at(20));
    let other = pause(PauseScope::Sender(other_lane()), at(30));
    for pause in [&sender, &other, &account] {
        f.keep_pause(pause.clone()).await.unwrap();
    }
    assert_eq!(f.pauses(at(9)).await.unwrap(), [account, sender.clone(), other.clone()]);
    assert_eq!(f.pauses(at(10)).await.unwrap(), [sender, other]);
    assert_eq!(f.pauses(at(30)).await.unwrap(), []);
}

async fn a_pause_takes_the_place_of_one_of_its_scope_that_ends_no_later(open: Open) {
    let f = Fixture::new(open);
    for until in [at(20), at(30), at(25)] {
        f.keep_pause(pause(PauseScope::Sender(lane()), until)).await.unwrap();
    }
    assert_eq!(f.pauses(at(0)).await.unwrap(), [pause(PauseScope::Sender(lane()), at(30))]);
}
