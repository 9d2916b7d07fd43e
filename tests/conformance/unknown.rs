//! Texts of unknown fate: held until the evidence is there.

use std::sync::Arc;

use switchboard::domain::delivery::{Evidence, ReceiptStage, Status};
use switchboard::domain::ids::MessageId;
use switchboard::store::{LaneHead, ReceiptOutcome, SettleError};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, CLEO, Fixture, HERE, accepted, at, lane, other_lane, receipt, unknown};

on_every_engine! {
    an_unknown_text_holds_its_customers_queue,
    a_found_text_is_sent,
    an_absent_text_is_queued_again,
    what_is_not_there_yet_is_looked_for_again,
    what_nobody_can_tell_no_longer_holds_the_queue,
    a_text_that_was_let_go_is_never_sent_again_but_may_be_found,
    evidence_counts_only_for_the_unknown,
    evidence_of_an_earlier_attempt_does_not_count,
    an_id_of_a_text_with_the_same_words_is_its_own_on_whichever_channel,
    what_may_be_that_of_a_text_whose_answer_is_out_is_nobody_elses,
    a_receipt_for_what_another_with_the_same_words_has_claimed_is_that_ones,
    the_longest_due_is_looked_for_first,
    an_attempt_in_another_process_hand_becomes_unknown,
    a_receipt_settles_an_unknown_fate,
}

/// A text that was lost on its way, and one behind it.
async fn lost(f: &Fixture, of: &str) -> (MessageId, MessageId) {
    let id = f.with_bot(of).await;
    let (text, next) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    f.send(text, unknown(at(10)), at(1)).await;
    (text, next)
}

async fn due(f: &Fixture, now: i64) -> Vec<MessageId> {
    f.unknown_due(at(now), 10).await.unwrap().iter().map(|message| message.id).collect()
}

async fn an_unknown_text_holds_its_customers_queue(open: Open) {
    let f = Fixture::new(open);
    let (text, _) = lost(&f, ANN).await;
    assert_eq!(f.status(text).await, Status::Unknown);
    assert_eq!(f.lane_head(&lane(), at(9)).await.unwrap(), LaneHead::Empty);
    let counts = f.counts().await.unwrap();
    assert_eq!((counts.queued, counts.unknown), (2, 1));
}

async fn a_found_text_is_sent(open: Open) {
    let f = Fixture::new(open);
    let (text, next) = lost(&f, ANN).await;
    let found =
        f.resolve(text, Evidence::Found { provider_id: "SM1".into() }, at(10)).await.unwrap().unwrap();
    assert_eq!(
        (found.delivery.status, found.delivery.provider_ids.as_slice()),
        (Status::Sent, &["SM1".into()][..])
    );
    assert_eq!(f.get(text).await, found);
    assert_eq!(f.by_provider_id("main", "SM1").await, Some(text));
    assert_eq!((f.head(at(10)).await, f.get(next).await.delivery.ready_at), (Some(next), at(10)));
    assert!(due(&f, 99).await.is_empty());
}

async fn an_absent_text_is_queued_again(open: Open) {
    let f = Fixture::new(open);
    let (text, _) = lost(&f, ANN).await;
    f.resolve(text, Evidence::Absent, at(10)).await.unwrap().unwrap();
    assert_eq!((f.head(at(9)).await, f.head(at(10)).await), (None, Some(text)));
    assert_eq!(f.begin(text, at(10)).await, 2);
}

async fn what_is_not_there_yet_is_looked_for_again(open: Open) {
    let f = Fixture::new(open);
    let (text, _) = lost(&f, ANN).await;
    let looked = f.resolve(text, Evidence::NotYet { look_at: at(30) }, at(10)).await.unwrap().unwrap();
    assert_eq!((looked.delivery.status, looked.delivery.looks), (Status::Unknown, 1));
    assert_eq!((due(&f, 29).await, due(&f, 30).await), (vec![], vec![text]));
    assert_eq!(f.head(at(30)).await, None);
}

async fn what_nobody_can_tell_no_longer_holds_the_queue(open: Open) {
    let f = Fixture::new(open);
    let (text, next) = lost(&f, ANN).await;
    f.resolve(text, Evidence::CannotTell, at(10)).await.unwrap().unwrap();
    assert_eq!((f.status(text).await, f.head(at(10)).await), (Status::Unknown, Some(next)));
    assert!(due(&f, 99).await.is_empty());
    let counts = f.counts().await.unwrap();
    assert_eq!((counts.queued, counts.unknown), (1, 1));
}

async fn a_text_that_was_let_go_is_never_sent_again_but_may_be_found(open: Open) {
    let f = Fixture::new(open);
    let (text, _) = lost(&f, ANN).await;
    f.resolve(text, Evidence::CannotTell, at(10)).await.unwrap();
    let before = f.get(text).await;
    for evidence in [Evidence::Absent, Evidence::NotYet { look_at: at(20) }, Evidence::CannotTell] {
        assert_eq!(f.resolve(text, evidence, at(11)).await.unwrap(), None);
    }
    assert_eq!(f.get(text).await, before);
    f.resolve(text, Evidence::Found { provider_id: "SM1".into() }, at(12)).await.unwrap().unwrap();
    assert_eq!(f.status(text).await, Status::Sent);
}

/// Whoever looked for it may have been slow, and somebody else faster.
async fn evidence_of_an_earlier_attempt_does_not_count(open: Open) {
    let f = Fixture::new(open);
    let (text, _) = lost(&f, ANN).await;
    f.resolve(text, Evidence::Absent, at(10)).await.unwrap().unwrap();
    f.send(text, unknown(at(20)), at(11)).await;
    let before = f.get(text).await;
    for late in [
        Evidence::Absent,
        Evidence::NotYet { look_at: at(30) },
        Evidence::CannotTell,
        Evidence::Passed { look_at: at(30) },
    ] {
        let store = Arc::clone(&f);
        assert_eq!(store.resolve(text, 1, late, at(12)).await.unwrap(), None);
    }
    assert_eq!(f.get(text).await, before);
    f.resolve(text, Evidence::Absent, at(20)).await.unwrap().unwrap();
}

async fn evidence_counts_only_for_the_unknown(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    let found = || Evidence::Found { provider_id: "SM9".into() };
    assert_eq!(f.resolve(text, found(), at(2)).await.unwrap(), None);
    f.send(text, accepted("SM1"), at(2)).await;
    assert_eq!(f.resolve(text, Evidence::Absent, at(3)).await.unwrap(), None);
    assert_eq!(f.resolve(text, found(), at(3)).await.unwrap(), None);
    assert_eq!(f.status(text).await, Status::Sent);
    assert_eq!(f.by_provider_id("main", "SM9").await, None);
    assert_eq!(f.resolve(MessageId(f.id()), found(), at(3)).await.unwrap(), None);
}

async fn an_id_of_a_text_with_the_same_words_is_its_own_on_whichever_channel(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let found = || Evidence::Found { provider_id: "SM1".into() };
    let mut texts = Vec::new();
    for (words, lane) in [("Hello?", other_lane()), ("Hello?", lane()), ("Goodbye", lane())] {
        let mut heard = f.text(ANN, "I am here", at(0));
        heard.text.lane = lane;
        f.hear(heard).await;
        texts.push(f.queue(f.by_agent(id, words, at(1))).await);
    }
    f.send(texts[0], accepted("SM1"), at(1)).await;
    for lost in &texts[1..] {
        f.send(*lost, unknown(at(10)), at(1)).await;
        f.resolve(*lost, Evidence::Passed { look_at: at(10) }, at(1)).await.unwrap().unwrap();
    }
    assert_eq!(f.resolve(texts[1], found(), at(2)).await.unwrap(), None);
    assert!(f.resolve(texts[2], found(), at(2)).await.unwrap().is_some(), "it is another account's id");
    assert_eq!(f.by_provider_id("main", "SM1").await, Some(texts[2]));
    assert_eq!(f.by_provider_id("other", "SM1").await, Some(texts[0]));
}

async fn what_may_be_that_of_a_text_whose_answer_is_out_is_nobody_elses(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut texts = Vec::new();
    for words in ["Hello?", "Goodbye", "Hello?"] {
        texts.push(f.queue(f.by_bot(id, words, at(1))).await);
    }
    let found = |provider_id: &str| Evidence::Found { provider_id: provider_id.into() };
    for passed in &texts[..2] {
        f.send(*passed, unknown(at(10)), at(1)).await;
        f.resolve(*passed, Evidence::Passed { look_at: at(10) }, at(1)).await.unwrap().unwrap();
    }
    let attempt = f.begin(texts[2], at(6)).await;
    let before = f.get(texts[0]).await;
    assert_eq!(f.resolve(texts[0], found("SM2"), at(10)).await.unwrap(), None);
    assert_eq!(f.get(texts[0]).await, before);
    f.resolve(texts[1], found("SM1"), at(10)).await.unwrap().expect("other words are nobody else's");
    f.settle(texts[2], attempt, accepted("SM2"), at(11)).await.unwrap();
    assert_eq!(f.resolve(texts[0], found("SM2"), at(12)).await.unwrap(), None, "it is the other's");
    f.resolve(texts[0], found("SM3"), at(12)).await.unwrap().expect("nobody's answer is out now");
}

async fn a_receipt_for_what_another_with_the_same_words_has_claimed_is_that_ones(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (text, twin) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "1", at(1))).await);
    f.send(text, unknown(at(10)), at(1)).await;
    f.resolve(text, Evidence::Passed { look_at: at(10) }, at(5)).await.unwrap();
    f.send(twin, unknown(at(10)), at(6)).await;
    // Nobody can tell which of the two it was.
    f.resolve(text, Evidence::Found { provider_id: "SM1".into() }, at(10)).await.unwrap().unwrap();
    let mut names_the_twin = receipt("SM1", ReceiptStage::Delivered, at(11));
    names_the_twin.message_id = Some(twin);
    let outcome = f.apply_receipt(names_the_twin, at(11)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(text, Status::Delivered));
    assert_eq!((f.status(twin).await, due(&f, 99).await), (Status::Unknown, vec![twin]));
    // Another id is its own.
    let mut names_the_twin = receipt("SM2", ReceiptStage::Sent, at(12));
    names_the_twin.message_id = Some(twin);
    let outcome = f.apply_receipt(names_the_twin, at(12)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(twin, Status::Sent));
}

async fn the_longest_due_is_looked_for_first(open: Open) {
    let f = Fixture::new(open);
    let mut texts = Vec::new();
    for (of, look_at) in [(ANN, 30), (BOB, 20), (CLEO, 40)] {
        let text = f.queue(f.by_bot(f.with_bot(of).await, "1", at(1))).await;
        f.send(text, unknown(at(look_at)), at(1)).await;
        texts.push(text);
    }
    assert!(due(&f, 19).await.is_empty());
    assert_eq!(due(&f, 39).await, [texts[1], texts[0]]);
    let one = f.unknown_due(at(99), 1).await.unwrap();
    assert_eq!(one, [f.get(texts[1]).await]);
}

async fn an_attempt_in_another_process_hand_becomes_unknown(open: Open) {
    let f = Fixture::new(open);
    let mine = f.queue(f.by_bot(f.with_bot(ANN).await, "1", at(1))).await;
    f.begin(mine, at(1)).await;
    let theirs = f.queue(f.by_bot(f.with_bot(BOB).await, "1", at(1))).await;
    f.begin_attempt(theirs, "gone", at(1)).await.unwrap();
    assert_eq!(f.abandon_attempts(HERE, at(5)).await.unwrap(), 1);
    assert_eq!((f.status(mine).await, f.status(theirs).await), (Status::Sending, Status::Unknown));
    assert_eq!((due(&f, 4).await, due(&f, 5).await), (vec![], vec![theirs]));
    assert!(matches!(f.settle(theirs, 1, accepted("SM1"), at(6)).await, Err(SettleError::Stale)));
    assert_eq!(f.abandon_attempts(HERE, at(7)).await.unwrap(), 0);
}

async fn a_receipt_settles_an_unknown_fate(open: Open) {
    let f = Fixture::new(open);
    let (text, next) = lost(&f, ANN).await;
    let mut by_our_id = receipt("SM1", ReceiptStage::Sent, at(5));
    by_our_id.message_id = Some(text);
    let outcome = f.apply_receipt(by_our_id, at(6)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(text, Status::Sent));
    assert_eq!(f.by_provider_id("main", "SM1").await, Some(text));
    assert_eq!((f.head(at(6)).await, due(&f, 99).await), (Some(next), vec![]));
    assert_eq!(f.get(next).await.delivery.ready_at, at(6));
}
