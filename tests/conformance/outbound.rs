//! Attempts: written down before a text leaves, settled once.

use std::time::Duration;

use switchboard::domain::delivery::{ErrorClass, SendOutcome, Status};
use switchboard::domain::ids::MessageId;
use switchboard::store::{Begun, LaneHead, SettleError};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, Fixture, HERE, VALID_FOR, accepted, at, at_once, error, lane, permanent, transient,
};

on_every_engine! {
    an_attempt_is_written_down_before_it_leaves,
    of_many_who_begin_a_text_one_may_send_it,
    a_text_that_is_not_due_is_left_alone,
    what_waited_for_too_long_never_leaves,
    whom_one_may_not_text_any_more_gets_nothing,
    a_stale_settle_is_refused,
    of_many_settles_of_an_attempt_one_counts,
    a_throttled_attempt_does_not_count,
    a_refused_text_waits_until_it_may_be_tried_again,
    a_failed_text_lets_the_next_one_go,
    what_is_next_becomes_ready_when_the_one_before_it_left,
    a_canceled_first_makes_way_now,
}

async fn an_attempt_is_written_down_before_it_leaves(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let Begun::Attempt(begun) = f.begin_attempt(text, HERE, at(2)).await.unwrap() else {
        panic!("not begun")
    };
    assert_eq!(f.get(text).await, *begun);
    assert_eq!((begun.delivery.status, begun.delivery.owner.as_deref()), (Status::Sending, Some(HERE)));
    assert_eq!((begun.delivery.attempt_number(), begun.delivery.attempts[0].at), (1, at(2)));
    let settled = f.settle(text, 1, accepted("SM1"), at(3)).await.unwrap();
    assert_eq!(f.get(text).await, settled);
    assert_eq!((settled.delivery.status, settled.delivery.owner), (Status::Sent, None));
    assert_eq!(
        (settled.delivery.provider_ids, settled.delivery.dispatched_at),
        (vec!["SM1".into()], Some(at(3)))
    );
    assert_eq!(f.by_provider_id("main", "SM1").await, Some(text));
    assert_eq!(f.by_provider_id("other", "SM1").await, None);
}

async fn of_many_who_begin_a_text_one_may_send_it(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let answers = at_once(32, |task| {
        let store = (*f).clone();
        async move { store.begin_attempt(text, &format!("process {task}"), at(1)).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|begun| matches!(begun, Begun::Attempt(_))).count(), 1);
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::NotDue).count(), 31);
    assert_eq!(f.get(text).await.delivery.attempts.len(), 1);
}

async fn a_text_that_is_not_due_is_left_alone(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut later = f.by_bot(id, "1", at(1));
    later.text.not_before = Some(at(60));
    let first = f.queue(later).await;
    let behind = f.queue(f.by_bot(id, "2", at(1))).await;
    let sent = f.queue(f.by_bot(f.with_bot(BOB).await, "1", at(1))).await;
    f.begin(sent, at(1)).await;
    for text in [first, behind, sent] {
        let before = f.get(text).await;
        assert_eq!(f.begin_attempt(text, HERE, at(59)).await.unwrap(), Begun::NotDue);
        assert_eq!(f.get(text).await, before);
    }
    // Not even what is past its time is withdrawn while something else is missing.
    assert_eq!(f.begin_attempt(behind, HERE, at(1_000_000)).await.unwrap(), Begun::NotDue);
    assert_eq!(f.status(behind).await, Status::Queued);
    assert_eq!(f.begin_attempt(MessageId(f.id()), HERE, at(1)).await.unwrap(), Begun::NotDue);
}

async fn what_waited_for_too_long_never_leaves(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (late, next) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(2))).await);
    let past = at(1).after(VALID_FOR).after(Duration::from_millis(1));
    let begun = f.begin_attempt(late, HERE, past).await.unwrap();
    assert_eq!(begun, Begun::Withdrawn(Status::Expired));
    assert_eq!(f.status(late).await, Status::Expired);
    assert_eq!(f.head(past).await, Some(next));
    // Its last moment is still a good one.
    assert_eq!(f.begin(next, at(2).after(VALID_FOR)).await, 1);
}

async fn whom_one_may_not_text_any_more_gets_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let attempt = f.begin(text, at(1)).await;
    f.unsubscribe(id, at(2)).await;
    f.settle(text, attempt, transient(at(3)), at(3)).await.unwrap();
    assert_eq!(f.status(text).await, Status::Queued);
    let begun = f.begin_attempt(text, HERE, at(3)).await.unwrap();
    assert_eq!(begun, Begun::Withdrawn(Status::Canceled));
    let delivery = f.get(text).await.delivery;
    assert_eq!(delivery.error.unwrap().code.as_deref(), Some("customer-unsubscribed"));
    assert_eq!(delivery.attempts.len(), 1);
}

async fn a_stale_settle_is_refused(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let first = f.begin(text, at(1)).await;
    f.settle(text, first, transient(at(2)), at(2)).await.unwrap();
    let queued = f.get(text).await;
    assert!(matches!(f.settle(text, first, accepted("SM1"), at(2)).await, Err(SettleError::Stale)));
    assert_eq!(f.get(text).await, queued);
    let second = f.begin(text, at(2)).await;
    assert_eq!(second, first + 1);
    for stale in [first, second + 1] {
        assert!(matches!(f.settle(text, stale, accepted("SM1"), at(3)).await, Err(SettleError::Stale)));
    }
    assert_eq!((f.status(text).await, f.by_provider_id("main", "SM1").await), (Status::Sending, None));
    let nothing = f.settle(MessageId(f.id()), 1, accepted("SM1"), at(3)).await;
    assert!(matches!(nothing, Err(SettleError::Stale)));
}

async fn of_many_settles_of_an_attempt_one_counts(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let attempt = f.begin(text, at(1)).await;
    let answers = at_once(64, |task| {
        let store = (*f).clone();
        async move { store.settle(text, attempt, accepted(&format!("SM{task}")), at(2)).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(f.get(text).await.delivery.provider_ids.len(), 1);
}

async fn a_throttled_attempt_does_not_count(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let throttled = SendOutcome::Throttled { error: error(ErrorClass::Throttled), ready_at: at(2) };
    assert_eq!(f.send(text, throttled, at(1)).await.delivery.counted_attempts, 0);
    let fault = SendOutcome::ChannelFault { error: error(ErrorClass::Credentials), ready_at: at(3) };
    assert_eq!(f.send(text, fault, at(2)).await.delivery.counted_attempts, 0);
    let counted = f.send(text, transient(at(4)), at(3)).await.delivery;
    assert_eq!((counted.counted_attempts, counted.attempts.len(), counted.status), (1, 3, Status::Queued));
}

async fn a_refused_text_waits_until_it_may_be_tried_again(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    f.send(first, transient(at(30)), at(2)).await;
    assert_eq!(f.lane_head(&lane(), at(29)).await.unwrap(), LaneHead::NotBefore(at(30)));
    assert_eq!(f.begin_attempt(second, HERE, at(29)).await.unwrap(), Begun::NotDue);
    assert_eq!(f.head(at(30)).await, Some(first));
}

async fn a_failed_text_lets_the_next_one_go(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    let failed = f.send(first, permanent(ErrorClass::Content), at(2)).await;
    assert_eq!(
        (failed.delivery.status, failed.delivery.error.unwrap().class),
        (Status::Failed, ErrorClass::Content)
    );
    assert!(!f.who(id).await.unsubscribed);
    assert_eq!(f.head(at(2)).await, Some(second));
}

async fn what_is_next_becomes_ready_when_the_one_before_it_left(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    let mut later = f.by_bot(id, "3", at(1));
    later.text.not_before = Some(at(60));
    let third = f.queue(later).await;
    f.send(first, accepted("SM1"), at(10)).await;
    assert_eq!(f.get(second).await.delivery.ready_at, at(10));
    f.send(second, accepted("SM2"), at(20)).await;
    assert_eq!(f.get(third).await.delivery.ready_at, at(60));
    assert_eq!(f.lane_head(&lane(), at(20)).await.unwrap(), LaneHead::NotBefore(at(60)));
}

async fn a_canceled_first_makes_way_now(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    f.cancel_message(first, at(10)).await.unwrap();
    assert_eq!(f.get(second).await.delivery.ready_at, at(10));
    assert_eq!(f.lane_head(&lane(), at(9)).await.unwrap(), LaneHead::NotBefore(at(10)));
    assert_eq!(f.head(at(10)).await, Some(second));
}
