//! Texts to customers: who may have one queued, and who may take it back.

use std::time::Duration;

use switchboard::domain::conversation::Refusal;
use switchboard::domain::delivery::{Exemption, Status};
use switchboard::domain::ids::{CustomerId, MessageId};
use switchboard::domain::turn::TurnKind;
use switchboard::store::{CancelError, CreateMessage, CreateMessageError};

use crate::engines::Open;
use crate::fixture::{ANN, Fixture, HERE, IDLE_AFTER, VALID_FOR, all, at, at_once, by_api, lane};

on_every_engine! {
    a_text_is_queued_as_it_was_asked_for,
    agents_speak_only_where_they_hold,
    the_bot_speaks_only_where_nobody_holds,
    nobody_unsubscribed_or_unconfirmed_is_texted,
    a_confirmation_goes_to_the_unconfirmed_and_needs_no_hold,
    without_a_lane_nothing_is_queued,
    a_refusal_changes_nothing,
    an_agents_first_text_starts_a_held_session,
    the_bots_first_text_starts_a_session_of_its_own,
    the_bot_is_told_what_an_agent_wrote,
    messages_are_listed_the_newest_first,
    only_what_is_queued_is_canceled,
    of_many_who_cancel_a_text_one_does,
}

async fn refused(f: &Fixture, command: CreateMessage) -> Refusal {
    match f.create_message(command).await {
        Err(CreateMessageError::Refused(refusal)) => refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn a_text_is_queued_as_it_was_asked_for(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut command = f.by_bot(id, "hi", at(1));
    command.text.not_before = Some(at(60));
    let message = f.create_message(command).await.unwrap().value;
    assert_eq!(f.get(message.id).await, message);
    let delivery = &message.delivery;
    assert_eq!((delivery.status, &delivery.lane, delivery.to.as_str()), (Status::Queued, &lane(), ANN));
    assert_eq!((delivery.ready_at, delivery.valid_until), (at(60), Some(at(1).after(VALID_FOR))));
    assert_eq!((message.place, f.talk(id).await.message_count), (1, 2));
}

async fn agents_speak_only_where_they_hold(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    assert_eq!(refused(&f, f.by_agent(id, "hi", at(1))).await, Refusal::SessionNotHeld);
    f.hold(id, at(2)).await;
    f.queue(f.by_agent(id, "hi", at(2))).await;
}

async fn the_bot_speaks_only_where_nobody_holds(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    assert_eq!(refused(&f, f.by_bot(id, "hi", at(1))).await, Refusal::SessionHeld);
    f.let_go(id, at(2)).await;
    f.queue(f.by_bot(id, "hi", at(2))).await;
}

async fn nobody_unsubscribed_or_unconfirmed_is_texted(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    assert_eq!(refused(&f, f.by_agent(id, "hi", at(0))).await, Refusal::CustomerUnconfirmed);
    f.confirm_customer(id, "123456".into(), by_api(), at(0)).await.unwrap();
    f.unsubscribe(id, at(0)).await;
    assert_eq!(refused(&f, f.by_agent(id, "hi", at(0))).await, Refusal::CustomerUnsubscribed);
    let nobody = f.create_message(f.by_agent(CustomerId(f.id()), "hi", at(0))).await;
    assert!(matches!(nobody, Err(CreateMessageError::NotFound)));
}

async fn a_confirmation_goes_to_the_unconfirmed_and_needs_no_hold(open: Open) {
    let f = Fixture::new(open);
    let id = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value.id;
    let confirmation = f.queue(f.by_gateway(id, "123456", at(0))).await;
    assert_eq!(f.get(confirmation).await.delivery.exemption, Exemption::Confirmation);
    assert_eq!(f.begin(confirmation, at(0)).await, 1);
}

async fn without_a_lane_nothing_is_queued(open: Open) {
    let f = Fixture::new(open);
    let mut created = f.customer(ANN, at(0));
    created.confirmed = Some(by_api());
    let id = f.create_customer(created).await.unwrap().value.id;
    let mut command = f.by_agent(id, "hi", at(0));
    command.text.default_lane = None;
    assert_eq!(refused(&f, command).await, Refusal::NoLane);
}

async fn a_refusal_changes_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let (before, counts) = (f.talk(id).await, f.counts().await.unwrap());
    let command = f.by_bot(id, "hi", at(1));
    let message = command.text.id;
    refused(&f, command).await;
    assert_eq!((f.talk(id).await, f.message(message).await.unwrap()), (before, None));
    // Nor is a session started.
    f.let_go(id, at(2)).await;
    f.unsubscribe(id, at(2)).await;
    refused(&f, f.by_agent(id, "hi", at(2).after(IDLE_AFTER * 2))).await;
    assert_eq!(f.sessions_of(id, all()).await.unwrap().items.len(), 1);
    assert_eq!(f.counts().await.unwrap().queued, counts.queued);
}

async fn an_agents_first_text_starts_a_held_session(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let old = f.talk(id).await.id;
    let later = at(0).after(IDLE_AFTER);
    let message = f.create_message(f.by_agent(id, "hi", later)).await.unwrap().value;
    let session = f.talk(id).await;
    assert_ne!(session.id, old);
    assert_eq!((message.session_id, message.place), (session.id, 0));
    assert_eq!((session.need_attention, session.waiting_since), (true, None));
}

async fn the_bots_first_text_starts_a_session_of_its_own(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let message = f.create_message(f.by_bot(id, "hi", at(0).after(IDLE_AFTER))).await.unwrap().value;
    let session = f.talk(id).await;
    assert_eq!((message.session_id, message.place, session.need_attention), (session.id, 0, false));
    // It is not told of its own text.
    assert_eq!(f.counts().await.unwrap().turns_open, 1);
}

async fn the_bot_is_told_what_an_agent_wrote(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    let message = f.queue(f.by_agent(id, "hi", at(1))).await;
    let work = f.claim(at(1)).await;
    assert_eq!((work.turn.kind, work.turn.message_id), (TurnKind::MessageCreated, Some(message)));
    assert_eq!(work.message, Some(f.get(message).await));
}

async fn messages_are_listed_the_newest_first(open: Open) {
    let f = Fixture::new(open);
    let (heard, session) = f.hear(f.text(ANN, "hello", at(5))).await;
    let mut command = f.by_bot(heard.customer_id, "1", at(4));
    // Neither the ids nor the clock decide.
    command.text.id = MessageId(uuid::Uuid::nil());
    let first = f.queue(command).await;
    let second = f.queue(f.by_bot(heard.customer_id, "2", at(3))).await;
    let listed = f.messages_of(session.id, all()).await.unwrap().items;
    assert_eq!(listed.iter().map(|message| message.id).collect::<Vec<_>>(), [second, first, heard.id]);
}

async fn only_what_is_queued_is_canceled(open: Open) {
    let f = Fixture::new(open);
    let (heard, _) = f.hear(f.text(ANN, "hello", at(0))).await;
    let id = heard.customer_id;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    f.begin(first, at(1)).await;
    let canceled = f.cancel_message(second, at(2)).await.unwrap();
    assert_eq!((canceled.delivery.status, canceled.delivery.error.clone()), (Status::Canceled, None));
    assert_eq!(f.get(second).await, canceled);
    for (message, status) in
        [(first, Status::Sending), (second, Status::Canceled), (heard.id, Status::Delivered)]
    {
        let late = f.cancel_message(message, at(3)).await;
        assert!(matches!(late, Err(CancelError::NotQueued(is)) if is == status));
    }
    let none = f.cancel_message(MessageId(f.id()), at(3)).await;
    assert!(matches!(none, Err(CancelError::NotFound)));
}

async fn of_many_who_cancel_a_text_one_does(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut command = f.by_bot(id, "1", at(1));
    command.text.valid_for = Duration::MAX;
    let message = f.queue(command).await;
    let canceled = at_once(32, |task| {
        let store = (*f).clone();
        async move {
            if task == 16 {
                store.begin_attempt(message, HERE, at(1)).await.unwrap();
            }
            store.cancel_message(message, at(1)).await.is_ok()
        }
    })
    .await;
    let done = canceled.into_iter().filter(|done| *done).count();
    match f.status(message).await {
        Status::Canceled => assert_eq!(done, 1),
        status => assert_eq!((done, status), (0, Status::Sending)),
    }
}
