//! States only move forward; receipts in any order come to the same end.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::ids::{CustomerId, MessageId, SessionId};
use crate::domain::message::{Author, Lane, Message, Role};
use crate::domain::segments;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn message() -> Message {
    let to = Address::parse("+14155550101").unwrap();
    let lane = Lane { channel: "main".into(), sender: "+15550001111".into() };
    Message {
        id: MessageId(Uuid::nil()),
        session_id: SessionId(Uuid::nil()),
        customer_id: CustomerId(Uuid::nil()),
        place: 0,
        content: "Hey".into(),
        author: Author { role: Role::Agent, name: "desk".into() },
        media: Vec::new(),
        keyword: None,
        recovered: false,
        turn_id: None,
        sent_at: at(0),
        delivered_at: None,
        created_at: at(0),
        updated_at: at(0),
        delivery: Delivery::outbound(lane, &to, segments::analyse("Hey"), at(0)),
    }
}

fn sending() -> Message {
    let mut message = message();
    message.begin_attempt("me", at(1));
    message
}

fn sent() -> Message {
    let mut message = sending();
    message.settle(&SendOutcome::Accepted { provider_id: "SM1".into(), from: None }, at(2));
    message
}

fn receipt(stage: ReceiptStage, ms: i64) -> ReceiptStatus {
    ReceiptStatus { stage, raw: format!("{stage:?}").to_lowercase(), error: None, at: at(ms) }
}

fn error(class: ErrorClass) -> DeliveryError {
    DeliveryError { code: Some("1".into()), class, text: "no".into() }
}

#[test]
fn a_text_that_waited_in_a_backup_is_looked_for_before_it_is_sent_again() {
    let mut waits = message();
    assert!(waits.doubt(at(5), at(9)));
    assert!(waits.is_abandoned("me"));
    waits.abandon(at(10));
    assert_eq!((waits.delivery.status, waits.delivery.may_have_left_at()), (Status::Unknown, Some(at(5))));
    // What had left is sure to have, and what was not ready yet is sure not to have.
    let mut later = message();
    later.delivery.ready_at = at(100);
    for mut sure in [sent(), sending(), later] {
        let before = sure.clone();
        assert!(!sure.doubt(at(5), at(9)));
        assert_eq!(sure, before);
    }
}

#[test]
fn an_accepted_text_is_sent_and_no_longer_holds_the_queue() {
    assert!(sending().holds_queue());
    let sent = sent();
    assert_eq!(sent.delivery.status, Status::Sent);
    assert_eq!(sent.delivery.dispatched_at, Some(at(2)));
    assert!(!sent.holds_queue());
}

#[test]
fn delivered_at_is_set_once() {
    let mut message = sent();
    assert_eq!(message.apply_receipt("SM1", &receipt(ReceiptStage::Delivered, 5)), ReceiptEffect::Advanced);
    assert_eq!(message.apply_receipt("SM1", &receipt(ReceiptStage::Delivered, 9)), ReceiptEffect::Stale);
    assert_eq!(message.delivered_at, Some(at(5)));
}

#[test]
fn a_late_sent_does_not_take_delivered_back() {
    let mut message = sent();
    message.apply_receipt("SM1", &receipt(ReceiptStage::Delivered, 5));
    message.apply_receipt("SM1", &receipt(ReceiptStage::Sent, 6));
    assert_eq!(message.delivery.status, Status::Delivered);
    assert_eq!(message.delivery.history.len(), 2, "every word of the provider is kept");
}

#[test]
fn a_receipt_before_the_sends_answer_counts_and_the_answer_changes_nothing_back() {
    let mut message = sending();
    message.apply_receipt("SM1", &receipt(ReceiptStage::Delivered, 5));
    assert_eq!(message.delivery.status, Status::Delivered);
    message.settle(&SendOutcome::Accepted { provider_id: "SM1".into(), from: None }, at(6));
    assert_eq!(message.delivery.status, Status::Delivered);
    assert_eq!(message.delivery.provider_ids, ["SM1"]);
}

#[test]
fn the_handsets_word_wins_over_an_earlier_failure_and_not_the_other_way_round() {
    let mut message = sent();
    message.apply_receipt("SM1", &receipt(ReceiptStage::Undelivered, 5));
    assert_eq!(message.delivery.status, Status::Undelivered);
    message.apply_receipt("SM1", &receipt(ReceiptStage::Delivered, 6));
    message.apply_receipt("SM1", &receipt(ReceiptStage::Failed, 7));
    assert_eq!(message.delivery.status, Status::Delivered);
}

#[test]
fn a_throttled_attempt_is_not_counted_and_a_transient_one_is() {
    let mut message = sending();
    message.settle(&SendOutcome::Throttled { error: error(ErrorClass::Throttled), ready_at: at(50) }, at(2));
    assert_eq!((message.delivery.status, message.delivery.counted_attempts), (Status::Queued, 0));
    assert_eq!(message.delivery.ready_at, at(50));
    message.begin_attempt("me", at(50));
    message.settle(&SendOutcome::Transient { error: error(ErrorClass::Transient), ready_at: at(90) }, at(51));
    assert_eq!((message.delivery.status, message.delivery.counted_attempts), (Status::Queued, 1));
}

#[test]
fn only_the_attempt_in_hand_may_be_settled() {
    let mut message = sending();
    assert!(message.has_attempt(1) && !message.has_attempt(2));
    message.settle(&SendOutcome::Transient { error: error(ErrorClass::Transient), ready_at: at(9) }, at(2));
    assert!(!message.has_attempt(1));
    message.begin_attempt("me", at(9));
    assert!(!message.has_attempt(1) && message.has_attempt(2));
}

#[test]
fn an_unknown_fate_holds_the_queue_only_while_somebody_looks() {
    let mut message = sending();
    message.settle(&SendOutcome::Unknown { error: error(ErrorClass::Unknown), look_at: at(9) }, at(2));
    assert!(message.holds_queue());
    message.resolve(&Evidence::NotYet { look_at: at(20) }, at(9));
    assert!(message.holds_queue());
    let mut absent = message.clone();
    absent.resolve(&Evidence::Absent, at(21));
    assert_eq!(absent.delivery.status, Status::Queued);
    message.resolve(&Evidence::CannotTell, at(21));
    assert_eq!(message.delivery.status, Status::Unknown);
    assert!(!message.holds_queue());
}

#[test]
fn a_receipt_settles_an_unknown_fate() {
    let mut message = sending();
    message.settle(&SendOutcome::Unknown { error: error(ErrorClass::Unknown), look_at: at(9) }, at(2));
    message.apply_receipt("SM1", &receipt(ReceiptStage::Taken, 5));
    assert_eq!(message.delivery.status, Status::Sent);
    assert!(!message.holds_queue());
}

#[test]
fn only_an_earlier_attempt_may_have_left_before() {
    let mut message = sending();
    assert!(!message.delivery.may_have_left_before(), "it is in hand");
    message.settle(&SendOutcome::Unknown { error: error(ErrorClass::Unknown), look_at: at(9) }, at(2));
    assert!(!message.delivery.may_have_left_before(), "it is the last");
    message.resolve(&Evidence::Absent, at(10));
    message.begin_attempt("me", at(11));
    assert!(message.delivery.may_have_left_before());
}

#[test]
fn what_left_after_all_is_not_canceled_refused_or_expired() {
    let lost = |recalled| {
        let mut message = sending();
        message.settle(&SendOutcome::Unknown { error: error(ErrorClass::Unknown), look_at: at(9) }, at(2));
        message.delivery.recalled = recalled;
        message.resolve(&Evidence::Absent, at(10));
        message
    };
    let canceled = lost(true);
    let mut refused = lost(false);
    refused.begin_attempt("me", at(11));
    refused.settle(&SendOutcome::Permanent { error: error(ErrorClass::Permanent) }, at(12));
    let mut expired = lost(false);
    expired.expire(at(11));
    let ended = [(canceled, Status::Canceled), (refused, Status::Failed), (expired, Status::Expired)];
    for (mut message, status) in ended {
        assert_eq!(message.delivery.status, status);
        message.apply_receipt("SM1", &receipt(ReceiptStage::Sent, 20));
        assert_eq!((message.delivery.status, &message.delivery.error), (Status::Sent, &None));
        assert_eq!(message.delivery.provider_ids, ["SM1"]);
    }
    // What the provider said of one that it has stays said.
    for (stage, status) in
        [(ReceiptStage::Canceled, Status::Canceled), (ReceiptStage::Failed, Status::Failed)]
    {
        let mut message = lost(false);
        message.apply_receipt("SM1", &receipt(stage, 20));
        message.apply_receipt("SM1", &receipt(ReceiptStage::Sent, 21));
        assert_eq!(message.delivery.status, status);
    }
}

fn stage() -> impl Strategy<Value = ReceiptStage> {
    prop::sample::select(vec![
        ReceiptStage::Taken,
        ReceiptStage::Sent,
        ReceiptStage::Canceled,
        ReceiptStage::Failed,
        ReceiptStage::Undelivered,
        ReceiptStage::Delivered,
    ])
}

proptest! {
    /// In whatever order receipts come, and however often, the end is that of the furthest stage.
    #[test]
    fn the_furthest_receipt_decides(stages in prop::collection::vec(stage(), 1..20)) {
        let mut message = sent();
        for (ms, stage) in (10..).zip(&stages) {
            message.apply_receipt("SM1", &receipt(*stage, ms));
        }
        let expected = match stages.iter().max().unwrap() {
            ReceiptStage::Taken | ReceiptStage::Sent => Status::Sent,
            ReceiptStage::Canceled => Status::Canceled,
            ReceiptStage::Failed => Status::Failed,
            ReceiptStage::Undelivered => Status::Undelivered,
            ReceiptStage::Delivered => Status::Delivered,
        };
        prop_assert_eq!(message.delivery.status, expected);
        prop_assert_eq!(message.delivered_at.is_some(), expected == Status::Delivered);
    }
}
