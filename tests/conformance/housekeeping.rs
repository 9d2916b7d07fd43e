//! What is cleared away with time, what is counted, and how a store ends.

use std::time::Duration;

use switchboard::domain::delivery::{ReceiptStage, Status};
use switchboard::store::{Counts, LaneHead, REMEMBERED, StoreError, Swept};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, CLEO, Fixture, VALID_FOR, accepted, at, key, lane, receipt, transient, unknown,
};

on_every_engine! {
    a_sweep_expires_the_longest_overdue_first,
    a_sweep_expires_only_what_is_queued,
    what_expires_makes_way_now,
    a_sweep_forgets_old_keys_only,
    a_sweep_forgets_old_parked_receipts_only,
    a_sweep_tells_whether_there_is_more,
    the_counts_are_of_what_is_there,
    a_closed_store_is_unavailable,
}

const MOMENT: Duration = Duration::from_millis(1);

async fn a_sweep_expires_the_longest_overdue_first(open: Open) {
    let f = Fixture::new(open);
    let late = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(2))).await;
    let later = f.queue(f.by_bot(f.with_bot(BOB).await, "1", at(1))).await;
    let good = f.queue(f.by_bot(f.with_bot(CLEO).await, "1", at(60))).await;
    assert_eq!(f.sweep(at(1).after(VALID_FOR), 10).await.unwrap(), Swept::default());
    let swept = f.sweep(at(2).after(VALID_FOR).after(MOMENT), 10).await.unwrap();
    assert_eq!(swept, Swept { expired: vec![later, late], more: false });
    assert_eq!((f.status(late).await, f.status(good).await), (Status::Expired, Status::Queued));
}

async fn a_sweep_expires_only_what_is_queued(open: Open) {
    let f = Fixture::new(open);
    let sending = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    let attempt = f.begin(sending, at(1)).await;
    let lost = f.queue(f.by_bot(f.with_bot(BOB).await, "1", at(1))).await;
    f.send(lost, unknown(at(2)), at(1)).await;
    let sent = f.queue(f.by_bot(f.with_bot(CLEO).await, "1", at(1))).await;
    f.send(sent, accepted("SM1"), at(1)).await;
    let past = at(2).after(VALID_FOR);
    assert!(f.sweep(past, 10).await.unwrap().expired.is_empty());
    // Queued again it is, with what it waited for.
    f.settle(sending, attempt, transient(past), past).await.unwrap();
    assert_eq!(f.sweep(past, 10).await.unwrap().expired, [sending]);
    assert!(f.get(sending).await.delivery.error.is_some());
}

async fn what_expires_makes_way_now(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.queue(f.by_bot(id, "1", at(1))).await;
    let next = f.queue(f.by_bot(id, "2", at(30))).await;
    let past = at(20).after(VALID_FOR);
    f.sweep(past, 10).await.unwrap();
    assert_eq!(f.get(next).await.delivery.ready_at, past);
    assert_eq!(f.lane_head(&lane(), past).await.unwrap(), LaneHead::Ready { message_id: next, segments: 1 });
}

async fn a_sweep_forgets_old_keys_only(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let ask = |request, now| {
        let mut command = f.by_bot(id, "1", now);
        command.idempotency = Some(key("bot", "k", request));
        command
    };
    f.create_message(ask(1, at(1))).await.unwrap();
    f.sweep(at(1).after(REMEMBERED), 10).await.unwrap();
    assert!(f.create_message(ask(1, at(2))).await.unwrap().replayed);
    f.sweep(at(1).after(REMEMBERED).after(MOMENT), 10).await.unwrap();
    assert!(!f.create_message(ask(2, at(3))).await.unwrap().replayed);
}

async fn a_sweep_forgets_old_parked_receipts_only(open: Open) {
    let f = Fixture::new(open);
    for (provider_id, second) in [("SM1", 1), ("SM2", 2)] {
        f.apply_receipt(receipt(provider_id, ReceiptStage::Delivered, at(0)), at(second)).await.unwrap();
    }
    f.sweep(at(1).after(REMEMBERED).after(MOMENT), 10).await.unwrap();
    let mut statuses = Vec::new();
    for (of, provider_id) in [(ANN, "SM1"), (BOB, "SM2")] {
        let text = f.queue(f.by_bot(f.with_bot(of).await, "1", at(1))).await;
        statuses.push(f.send(text, accepted(provider_id), at(1)).await.delivery.status);
    }
    assert_eq!(statuses, [Status::Sent, Status::Delivered]);
}

async fn a_sweep_tells_whether_there_is_more(open: Open) {
    let f = Fixture::new(open);
    for (index, of) in (0..).zip([ANN, BOB, CLEO]) {
        let mut command = f.by_bot(f.with_bot(of).await, "1", at(index));
        command.idempotency = Some(key("bot", of, 1));
        f.queue(command).await;
    }
    let past = at(9).after(REMEMBERED);
    let swept = f.sweep(past, 2).await.unwrap();
    assert_eq!((swept.expired.len(), swept.more), (2, true));
    let rest = f.sweep(past, 2).await.unwrap();
    assert_eq!((rest.expired.len(), rest.more), (1, false));
    assert_eq!(f.sweep(past, 2).await.unwrap(), Swept::default());
    for provider_id in ["SM1", "SM2", "SM3"] {
        f.apply_receipt(receipt(provider_id, ReceiptStage::Sent, at(0)), at(0)).await.unwrap();
    }
    assert!(f.sweep(past, 2).await.unwrap().more);
    assert!(!f.sweep(past, 2).await.unwrap().more);
}

async fn the_counts_are_of_what_is_there(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.counts().await.unwrap(), Counts::default());
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let first = f.queue(f.by_bot(ann, "1", at(1))).await;
    f.queue(f.by_bot(ann, "2", at(1))).await;
    f.begin(first, at(1)).await;
    f.claim(at(1)).await;
    f.hold(bob, at(1)).await;
    let counts = Counts { queued: 2, unknown: 0, held: 0, sessions_waiting: 1, turns_open: 1 };
    assert_eq!(f.counts().await.unwrap(), counts);
    f.queue(f.by_agent(bob, "hi", at(2))).await;
    let counts = Counts { queued: 3, unknown: 0, held: 0, sessions_waiting: 0, turns_open: 2 };
    assert_eq!(f.counts().await.unwrap(), counts);
}

async fn a_closed_store_is_unavailable(open: Open) {
    let f = Fixture::new(open);
    f.ready().await.unwrap();
    f.close().await.unwrap();
    assert!(matches!(f.ready().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(f.counts().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(f.record_inbound(f.text(ANN, "hello", at(0))).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(f.lane_head(&lane(), at(0)).await, Err(StoreError::Unavailable(_))));
    f.close().await.unwrap();
}
