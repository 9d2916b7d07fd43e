//! Providers' receipts: repeated, out of order, too early, and for nobody.

use switchboard::domain::delivery::{
    ErrorClass, Evidence, MAX_PARKED, MAX_PARKED_OF_ONE, ReceiptStage, Status,
};
use switchboard::domain::ids::MessageId;
use switchboard::store::{Receipt, ReceiptOutcome};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, Fixture, HERE, accepted, at, at_once, error, lane, permanent, receipt, unknown,
};

on_every_engine! {
    a_receipt_moves_its_text_forward,
    a_repeated_receipt_says_nothing_new,
    a_receipt_never_moves_a_text_back,
    delivered_wins_over_an_earlier_failure,
    a_receipt_for_nobody_is_parked,
    a_parked_receipt_is_applied_when_its_id_appears,
    a_parked_receipt_is_applied_when_its_text_is_found,
    parked_receipts_are_applied_before_the_one_that_names_the_text,
    parked_receipts_are_applied_in_the_order_of_their_arrival,
    a_parked_opt_out_unsubscribes_when_its_id_appears,
    our_id_counts_only_on_its_channel,
    a_provider_id_belongs_to_the_first_that_adopted_it,
    a_customers_text_has_no_receipts,
    a_receipt_of_a_text_on_its_way_makes_way_for_the_next,
    of_many_copies_of_a_receipt_one_advances,
    the_same_word_is_parked_once,
    of_one_unknown_id_only_so_many_receipts_are_kept,
    a_flood_of_receipts_for_nobody_displaces_the_oldest,
    a_parked_receipt_is_forgotten_after_a_day_and_makes_room,
}

use ReceiptStage::{Delivered, Failed, Sent, Taken, Undelivered};

async fn sent(f: &Fixture, of: &str, provider_id: &str) -> MessageId {
    let text = f.queue(f.by_bot(f.with_bot(of).await, "1", at(0))).await;
    f.send(text, accepted(provider_id), at(1)).await;
    text
}

fn naming(text: MessageId, receipt: Receipt) -> Receipt {
    Receipt { message_id: Some(text), ..receipt }
}

async fn words(f: &Fixture, text: MessageId) -> Vec<String> {
    f.get(text).await.delivery.history.into_iter().map(|seen| seen.status).collect()
}

async fn a_receipt_moves_its_text_forward(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1").await;
    let outcome = f.apply_receipt(receipt("SM1", Delivered, at(2)), at(3)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(text, Status::Delivered));
    let message = f.get(text).await;
    assert_eq!((message.delivery.status, message.delivered_at), (Status::Delivered, Some(at(2))));
}

async fn a_repeated_receipt_says_nothing_new(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1").await;
    f.apply_receipt(receipt("SM1", Delivered, at(2)), at(2)).await.unwrap();
    let before = f.get(text).await;
    let again = f.apply_receipt(receipt("SM1", Delivered, at(9)), at(9)).await.unwrap();
    assert_eq!(again, ReceiptOutcome::Stale(text));
    assert_eq!(f.get(text).await, before);
}

async fn a_receipt_never_moves_a_text_back(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1").await;
    for stage in [Delivered, Sent, Taken, Undelivered, Failed] {
        f.apply_receipt(receipt("SM1", stage, at(2)), at(2)).await.unwrap();
        assert_eq!(f.status(text).await, Status::Delivered);
    }
    // Its every word is kept.
    assert_eq!(words(&f, text).await, ["delivered", "sent", "taken", "undelivered", "failed"]);
}

async fn delivered_wins_over_an_earlier_failure(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1").await;
    let mut bad = receipt("SM1", Undelivered, at(2));
    bad.status.error = Some(error(ErrorClass::Permanent));
    f.apply_receipt(bad, at(2)).await.unwrap();
    assert_eq!(f.get(text).await.delivery.error.unwrap().class, ErrorClass::Permanent);
    f.apply_receipt(receipt("SM1", Delivered, at(3)), at(3)).await.unwrap();
    let delivery = f.get(text).await.delivery;
    assert_eq!((delivery.status, delivery.error), (Status::Delivered, None));
}

async fn a_receipt_for_nobody_is_parked(open: Open) {
    let f = Fixture::new(open);
    let early = receipt("SM1", Delivered, at(0));
    let elsewhere = naming(MessageId(f.id()), Receipt { channel: "other".into(), ..early.clone() });
    for receipt in [early, elsewhere] {
        assert_eq!(f.apply_receipt(receipt, at(0)).await.unwrap(), ReceiptOutcome::Parked);
    }
    assert_eq!(f.by_provider_id("main", "SM1").await, None);
}

async fn a_parked_receipt_is_applied_when_its_id_appears(open: Open) {
    let f = Fixture::new(open);
    let text = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(0))).await;
    let attempt = f.begin(text, at(1)).await;
    f.apply_receipt(receipt("SM1", Delivered, at(2)), at(2)).await.unwrap();
    assert_eq!(f.status(text).await, Status::Sending);
    let settled = f.settle(text, attempt, accepted("SM1"), at(3)).await.unwrap();
    assert_eq!((settled.delivery.status, settled.delivered_at), (Status::Delivered, Some(at(2))));
    assert_eq!(f.get(text).await, settled);
}

async fn a_parked_receipt_is_applied_when_its_text_is_found(open: Open) {
    let f = Fixture::new(open);
    let text = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(0))).await;
    f.send(text, unknown(at(2)), at(1)).await;
    f.apply_receipt(receipt("SM1", Undelivered, at(2)), at(2)).await.unwrap();
    let found = Evidence::Found { provider_id: "SM1".into() };
    let resolved = f.resolve(text, found, at(3)).await.unwrap().unwrap();
    assert_eq!(resolved.delivery.status, Status::Undelivered);
    assert_eq!(f.get(text).await, resolved);
}

async fn parked_receipts_are_applied_before_the_one_that_names_the_text(open: Open) {
    let f = Fixture::new(open);
    let text = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(0))).await;
    f.begin(text, at(1)).await;
    f.apply_receipt(receipt("SM1", Taken, at(2)), at(2)).await.unwrap();
    let outcome = f.apply_receipt(naming(text, receipt("SM1", Delivered, at(3))), at(3)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(text, Status::Delivered));
    assert_eq!(words(&f, text).await, ["taken", "delivered"]);
}

async fn parked_receipts_are_applied_in_the_order_of_their_arrival(open: Open) {
    let f = Fixture::new(open);
    // An id that begins alike takes nothing of it.
    for (id, stage) in
        [("SM1", Sent), ("SM12", Failed), ("SM1", Undelivered), ("SM1", Taken), ("SM1", Delivered)]
    {
        f.apply_receipt(receipt(id, stage, at(0)), at(0)).await.unwrap();
    }
    let text = sent(&f, ANN, "SM1").await;
    assert_eq!(words(&f, text).await, ["sent", "undelivered", "taken", "delivered"]);
    let other = sent(&f, BOB, "SM12").await;
    assert_eq!((words(&f, other).await, f.status(other).await), (vec!["failed".to_owned()], Status::Failed));
}

async fn a_parked_opt_out_unsubscribes_when_its_id_appears(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (text, next) = (f.queue(f.by_bot(id, "1", at(0))).await, f.queue(f.by_bot(id, "2", at(0))).await);
    let mut early = receipt("SM1", Failed, at(1));
    early.status.error = Some(error(ErrorClass::OptedOut));
    f.apply_receipt(early, at(1)).await.unwrap();
    assert!(!f.who(id).await.unsubscribed);
    f.send(text, accepted("SM1"), at(2)).await;
    assert!(f.who(id).await.unsubscribed);
    assert_eq!((f.status(text).await, f.status(next).await), (Status::Failed, Status::Canceled));
}

async fn our_id_counts_only_on_its_channel(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1").await;
    let elsewhere = Receipt { channel: "other".into(), ..naming(text, receipt("SM2", Delivered, at(2))) };
    assert_eq!(f.apply_receipt(elsewhere, at(2)).await.unwrap(), ReceiptOutcome::Parked);
    // Where our id names nothing, the provider's does.
    let astray = naming(MessageId(f.id()), receipt("SM1", Delivered, at(3)));
    let outcome = f.apply_receipt(astray, at(3)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(text, Status::Delivered));
}

async fn a_provider_id_belongs_to_the_first_that_adopted_it(open: Open) {
    let f = Fixture::new(open);
    let first = sent(&f, ANN, "SM1").await;
    let second = sent(&f, BOB, "SM1").await;
    assert_eq!(f.by_provider_id("main", "SM1").await, Some(first));
    let by_id = f.apply_receipt(receipt("SM1", Delivered, at(2)), at(2)).await.unwrap();
    assert_eq!(by_id, ReceiptOutcome::Advanced(first, Status::Delivered));
    // One that was sent twice has both.
    f.apply_receipt(naming(second, receipt("SM2", Sent, at(2))), at(2)).await.unwrap();
    assert_eq!(f.get(second).await.delivery.provider_ids, ["SM1", "SM2"]);
    assert_eq!(f.by_provider_id("main", "SM2").await, Some(second));
}

async fn a_customers_text_has_no_receipts(open: Open) {
    let f = Fixture::new(open);
    let (heard, _) = f.hear(f.text(ANN, "hello", at(0))).await;
    let provider_id = heard.delivery.provider_ids[0].clone();
    assert_eq!(f.by_provider_id("main", &provider_id).await, None);
    let named = naming(heard.id, receipt(&provider_id, Failed, at(1)));
    assert_eq!(f.apply_receipt(named, at(1)).await.unwrap(), ReceiptOutcome::Parked);
    assert_eq!(f.get(heard.id).await, heard);
}

async fn a_receipt_of_a_text_on_its_way_makes_way_for_the_next(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (text, next) = (f.queue(f.by_bot(id, "1", at(0))).await, f.queue(f.by_bot(id, "2", at(0))).await);
    let attempt = f.begin(text, at(1)).await;
    f.apply_receipt(naming(text, receipt("SM1", Sent, at(2))), at(5)).await.unwrap();
    assert_eq!((f.head(at(5)).await, f.get(next).await.delivery.ready_at), (Some(next), at(5)));
    // Nobody else has the attempt to settle now.
    assert!(f.settle(text, attempt, permanent(ErrorClass::Permanent), at(6)).await.is_err());
    assert_eq!((f.status(text).await, f.abandon_attempts("there", at(6)).await.unwrap()), (Status::Sent, 0));
    assert_eq!(f.lane_head(&lane(), at(4)).await.unwrap(), switchboard::store::LaneHead::NotBefore(at(5)));
    f.begin_attempt(next, HERE, at(5)).await.unwrap();
}

async fn of_many_copies_of_a_receipt_one_advances(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1").await;
    let outcomes = at_once(64, |_| {
        let store = (*f).clone();
        async move { store.apply_receipt(receipt("SM1", Delivered, at(2)), at(2)).await.unwrap() }
    })
    .await;
    let advanced = ReceiptOutcome::Advanced(text, Status::Delivered);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == advanced).count(), 1);
    assert_eq!(words(&f, text).await, ["delivered"]);
}

async fn the_same_word_is_parked_once(open: Open) {
    let f = Fixture::new(open);
    for _ in 0..2 * MAX_PARKED_OF_ONE {
        let again = f.apply_receipt(receipt("SM1", Taken, at(1)), at(1)).await.unwrap();
        assert_eq!(again, ReceiptOutcome::Parked);
    }
    assert_eq!(
        f.apply_receipt(receipt("SM1", Delivered, at(2)), at(2)).await.unwrap(),
        ReceiptOutcome::Parked
    );
    let text = sent(&f, ANN, "SM1").await;
    assert_eq!(
        (words(&f, text).await, f.status(text).await),
        (vec!["taken".into(), "delivered".into()], Status::Delivered)
    );
}

async fn of_one_unknown_id_only_so_many_receipts_are_kept(open: Open) {
    let f = Fixture::new(open);
    let word = |number: usize| {
        let mut receipt = receipt("SM1", Taken, at(1));
        receipt.status.raw = format!("word {number}");
        receipt
    };
    for number in 0..MAX_PARKED_OF_ONE {
        assert_eq!(f.apply_receipt(word(number), at(1)).await.unwrap(), ReceiptOutcome::Parked);
    }
    assert_eq!(f.apply_receipt(word(99), at(1)).await.unwrap(), ReceiptOutcome::Dropped);
    let other = f.apply_receipt(receipt("SM2", Delivered, at(1)), at(1)).await.unwrap();
    assert_eq!(other, ReceiptOutcome::Parked, "another id has its own share");
    let text = sent(&f, ANN, "SM1").await;
    assert_eq!(words(&f, text).await.len(), MAX_PARKED_OF_ONE);
}

async fn a_flood_of_receipts_for_nobody_displaces_the_oldest(open: Open) {
    let f = Fixture::new(open);
    f.apply_receipt(receipt("SM-first", Delivered, at(0)), at(0)).await.unwrap();
    let most = usize::try_from(MAX_PARKED).unwrap();
    let flood = at_once(64, |task| {
        let store = (*f).clone();
        async move {
            for number in (task..most - 1).step_by(64) {
                let flood = receipt(&format!("SX{number}"), Sent, at(1));
                assert_eq!(store.apply_receipt(flood, at(1)).await.unwrap(), ReceiptOutcome::Parked);
            }
        }
    });
    flood.await;
    let last = f.apply_receipt(receipt("SM-last", Delivered, at(2)), at(2)).await.unwrap();
    assert_eq!(last, ReceiptOutcome::Displacing);
    let first = sent(&f, ANN, "SM-first").await;
    assert_eq!(f.status(first).await, Status::Sent, "the oldest was dropped");
    let newest = sent(&f, BOB, "SM-last").await;
    assert_eq!(f.status(newest).await, Status::Delivered, "the newest is kept, and has made room by leaving");
    let room = f.apply_receipt(receipt("SM-room", Delivered, at(3)), at(3)).await.unwrap();
    assert_eq!(room, ReceiptOutcome::Parked);
}

async fn a_parked_receipt_is_forgotten_after_a_day_and_makes_room(open: Open) {
    let f = Fixture::new(open);
    f.apply_receipt(receipt("SM1", Delivered, at(0)), at(0)).await.unwrap();
    f.sweep(at(86_400), 10).await.unwrap();
    f.apply_receipt(receipt("SM2", Delivered, at(86_400)), at(86_400)).await.unwrap();
    f.sweep(at(86_401), 10).await.unwrap();
    let (late, good) = (sent(&f, ANN, "SM1").await, sent(&f, BOB, "SM2").await);
    assert_eq!((f.status(late).await, f.status(good).await), (Status::Sent, Status::Delivered));
}
