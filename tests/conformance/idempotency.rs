//! Keys of idempotency: the same request gives the first answer again.

use switchboard::domain::delivery::Status;
use switchboard::store::{CreateCustomerError, CreateMessageError};

use crate::engines::Open;
use crate::fixture::{ANN, BOB, Fixture, accepted, all, at, at_once, key};

on_every_engine! {
    a_repeated_request_gives_what_was_created_then,
    a_key_of_another_request_is_refused,
    keys_of_different_callers_never_meet,
    a_refusal_is_not_remembered,
    a_key_is_asked_for_before_anything_else,
    of_many_requests_with_one_key_one_creates,
    a_customers_key_is_kept_like_a_messages,
}

async fn a_repeated_request_gives_what_was_created_then(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let ask = || {
        let mut command = f.by_bot(id, "1", at(1));
        command.idempotency = Some(key("bot", "k", 1));
        command
    };
    let first = f.create_message(ask()).await.unwrap();
    assert!(!first.replayed);
    f.send(first.value.id, accepted("SM1"), at(2)).await;
    let again = f.create_message(ask()).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.value.delivery.status, &again.value), (Status::Queued, &first.value));
    assert_eq!(f.talk(id).await.message_count, 2);
}

async fn a_key_of_another_request_is_refused(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut first = f.by_bot(id, "1", at(1));
    first.idempotency = Some(key("bot", "k", 1));
    f.create_message(first).await.unwrap();
    let mut other = f.by_bot(id, "2", at(1));
    other.idempotency = Some(key("bot", "k", 2));
    assert!(matches!(f.create_message(other).await, Err(CreateMessageError::IdempotencyMismatch)));
    assert_eq!(f.talk(id).await.message_count, 2);
    // Whatever it created.
    let mut customer = f.customer(BOB, at(1));
    customer.idempotency = Some(key("bot", "k", 1));
    assert!(matches!(f.create_customer(customer).await, Err(CreateCustomerError::IdempotencyMismatch)));
}

async fn keys_of_different_callers_never_meet(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    // Nor do two that are alike only when scope and key are written one after the other.
    for (scope, name) in
        [("bot", "k"), ("desk", "k"), ("bo", "tk"), ("botk", ""), ("", "botk"), ("bot\0k", "")]
    {
        let mut command = f.by_bot(id, "1", at(1));
        command.idempotency = Some(key(scope, name, 1));
        assert!(!f.create_message(command).await.unwrap().replayed);
    }
}

async fn a_refusal_is_not_remembered(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let ask = || {
        let mut command = f.by_agent(id, "1", at(1));
        command.idempotency = Some(key("desk", "k", 1));
        command
    };
    assert!(matches!(f.create_message(ask()).await, Err(CreateMessageError::Refused(_))));
    f.hold(id, at(2)).await;
    assert!(!f.create_message(ask()).await.unwrap().replayed);
}

async fn a_key_is_asked_for_before_anything_else(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let ask = || {
        let mut command = f.by_agent(id, "1", at(1));
        command.idempotency = Some(key("desk", "k", 1));
        command
    };
    f.create_message(ask()).await.unwrap();
    f.unsubscribe(id, at(2)).await;
    assert!(f.create_message(ask()).await.unwrap().replayed);
}

async fn of_many_requests_with_one_key_one_creates(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let answers = at_once(128, |_| {
        let (store, mut command) = ((*f).clone(), f.by_bot(id, "1", at(1)));
        command.idempotency = Some(key("bot", "k", 1));
        async move { store.create_message(command).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.value == answers[0].value));
    assert_eq!(f.counts().await.unwrap().queued, 1);
}

async fn a_customers_key_is_kept_like_a_messages(open: Open) {
    let f = Fixture::new(open);
    let answers = at_once(64, |_| {
        let (store, mut command) = ((*f).clone(), f.customer(ANN, at(0)));
        command.idempotency = Some(key("desk", "k", 1));
        async move { store.create_customer(command).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(answers.iter().all(|answer| answer.value == answers[0].value));
    assert_eq!(f.customers(all()).await.unwrap().items.len(), 1);
    let mut other = f.customer(BOB, at(0));
    other.idempotency = Some(key("desk", "k", 2));
    assert!(matches!(f.create_customer(other).await, Err(CreateCustomerError::IdempotencyMismatch)));
}
