//! Texts that the provider took and said nothing final of: found when it is time to ask about them.

use switchboard::domain::delivery::{ErrorClass, ReceiptStage, ReceiptStatus, Status};
use switchboard::domain::ids::MessageId;
use switchboard::domain::retry::MOST_ASKS;
use switchboard::store::Silent;

use crate::engines::Open;
use crate::fixture::{ANN, BOB, CLEO, Fixture, accepted, at, error, receipt, unknown};

on_every_engine! {
    a_sent_text_is_silent_until_a_final_word,
    the_longest_silent_comes_first_and_only_of_that_time,
    an_answer_counts_as_a_receipt_and_says_that_it_was_asked_for,
    no_answer_changes_nothing_but_when_it_is_asked_next,
    an_answer_may_say_that_the_customer_opted_out,
    an_answer_that_a_receipt_has_overtaken_changes_nothing_back,
    a_text_that_is_not_sent_is_not_silent,
}

fn status(stage: ReceiptStage, now: i64) -> ReceiptStatus {
    receipt("any", stage, at(now)).status
}

async fn silent(f: &Fixture, asks: u8, from: i64, until: i64) -> Vec<MessageId> {
    let filter = Silent { asks, from: at(from), until: at(until) };
    f.silent(filter, 10).await.unwrap().into_iter().map(|message| message.id).collect()
}

async fn sent(f: &Fixture, of: &str, provider_id: &str, now: i64) -> MessageId {
    let text = f.queue(f.by_agent(f.with_agents(of).await, "1", at(0))).await;
    f.send(text, accepted(provider_id), at(now)).await;
    text
}

async fn a_sent_text_is_silent_until_a_final_word(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1", 1).await;
    assert_eq!((silent(&f, 0, 0, 0).await, silent(&f, 0, 0, 1).await), (vec![], vec![text]));
    f.apply_receipt(receipt("SM1", ReceiptStage::Sent, at(2)), at(2)).await.unwrap();
    assert_eq!(silent(&f, 0, 0, 1).await, [text]);
    f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(3)), at(3)).await.unwrap();
    assert!(silent(&f, 0, 0, 99).await.is_empty());
}

async fn the_longest_silent_comes_first_and_only_of_that_time(open: Open) {
    let f = Fixture::new(open);
    let (second, first) = (sent(&f, ANN, "SM1", 20).await, sent(&f, BOB, "SM2", 10).await);
    sent(&f, CLEO, "SM3", 30).await;
    assert_eq!(silent(&f, 0, 10, 20).await, [first, second]);
    let one = f.silent(Silent { asks: 0, from: at(0), until: at(99) }, 1).await.unwrap();
    assert_eq!(one, [f.get(first).await]);
    assert!(silent(&f, 0, 11, 19).await.is_empty());
}

async fn an_answer_counts_as_a_receipt_and_says_that_it_was_asked_for(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1", 1).await;
    let answer = Some(("SM1".to_owned(), status(ReceiptStage::Delivered, 900)));
    let answered = f.take_answer(text, 1, answer, at(901)).await.unwrap().unwrap();
    assert_eq!(f.get(text).await, answered);
    assert_eq!((answered.delivery.status, answered.delivered_at), (Status::Delivered, Some(at(900))));
    assert!(answered.delivery.history[0].asked);
    assert!(silent(&f, 0, 0, 99).await.is_empty() && silent(&f, 1, 0, 99).await.is_empty());
}

async fn no_answer_changes_nothing_but_when_it_is_asked_next(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1", 1).await;
    let before = f.get(text).await;
    f.take_answer(text, 1, None, at(900)).await.unwrap().unwrap();
    let after = f.get(text).await;
    assert_eq!((after.delivery.status, &after.delivery.history), (Status::Sent, &before.delivery.history));
    assert_eq!((silent(&f, 0, 0, 99).await, silent(&f, 1, 0, 99).await), (vec![], vec![text]));
    f.take_answer(text, MOST_ASKS, None, at(901)).await.unwrap();
    for asks in 0..=MOST_ASKS {
        assert!(silent(&f, asks, 0, 99).await.is_empty(), "it stays sent, and is asked about no more");
    }
    assert_eq!(f.take_answer(MessageId(f.id()), 1, None, at(902)).await.unwrap(), None);
}

async fn an_answer_may_say_that_the_customer_opted_out(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1", 1).await;
    let customer = f.get(text).await.customer_id;
    let next = f.queue(f.by_agent(customer, "2", at(2))).await;
    let mut failed = status(ReceiptStage::Failed, 900);
    failed.error = Some(error(ErrorClass::OptedOut));
    f.take_answer(text, 1, Some(("SM1".into(), failed)), at(901)).await.unwrap();
    assert!(f.who(customer).await.unsubscribed);
    assert_eq!((f.status(text).await, f.status(next).await), (Status::Failed, Status::Canceled));
}

async fn an_answer_that_a_receipt_has_overtaken_changes_nothing_back(open: Open) {
    let f = Fixture::new(open);
    let text = sent(&f, ANN, "SM1", 1).await;
    f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(2)), at(2)).await.unwrap();
    let late = Some(("SM1".to_owned(), status(ReceiptStage::Sent, 3)));
    let after = f.take_answer(text, 1, late, at(3)).await.unwrap().unwrap();
    assert_eq!((after.delivery.status, after.delivered_at), (Status::Delivered, Some(at(2))));
}

async fn a_text_that_is_not_sent_is_not_silent(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let text = f.queue(f.by_agent(id, "1", at(0))).await;
    assert!(silent(&f, 0, -9, 99).await.is_empty());
    f.send(text, unknown(at(9)), at(1)).await;
    assert!(silent(&f, 0, -9, 99).await.is_empty());
}
