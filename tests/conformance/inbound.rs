//! Customers' texts: taken once, and with all that they change.

use switchboard::domain::conversation::{KeywordReplies, Policy};
use switchboard::domain::customer::{ConsentAction, ConsentSource, NumberHash};
use switchboard::domain::delivery::{Exemption, Status};
use switchboard::domain::keywords::Keyword;
use switchboard::domain::turn::TurnKind;
use switchboard::store::{Inbound, TurnClaim};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, Fixture, IDLE_AFTER, all, at, at_once, by_api, lane, number, other_lane, rules,
};

on_every_engine! {
    a_new_number_becomes_a_customer_with_a_session,
    a_repeat_of_a_text_changes_nothing,
    the_same_id_on_another_channel_is_another_text,
    of_many_deliveries_of_a_text_one_is_new,
    many_first_texts_of_a_number_find_one_customer,
    a_text_confirms_its_number_once,
    a_keyword_confirms_nobody_and_asks_no_bot,
    stop_cancels_what_is_queued_but_not_its_own_answer,
    the_providers_keyword_decides_before_our_reading,
    a_keywords_reply_is_queued_even_for_the_unsubscribed,
    a_session_lasts_until_it_has_been_idle,
    texts_in_a_held_session_wait_for_an_agent,
    keywords_are_told_where_a_deployment_wants_it,
    without_a_bot_agents_have_every_session,
    an_answer_goes_out_by_the_lane_that_the_last_text_came_in_by,
}

async fn a_new_number_becomes_a_customer_with_a_session(open: Open) {
    let f = Fixture::new(open);
    let (message, session) = f.hear(f.text(ANN, "hello", at(0))).await;
    assert_eq!(f.get(message.id).await, message);
    assert_eq!(f.talk(message.customer_id).await, session);
    assert_eq!(f.customer_by_number(&number(ANN)).await.unwrap(), Some(f.who(message.customer_id).await));
    assert_eq!((message.place, session.message_count, session.need_attention), (0, 1, false));
    assert_eq!(message.delivery.status, Status::Delivered);
    let work = f.claim(at(0)).await;
    assert_eq!((work.turn.kind, work.turn.message_id), (TurnKind::MessageReceived, Some(message.id)));
}

async fn a_repeat_of_a_text_changes_nothing(open: Open) {
    let f = Fixture::new(open);
    let first = f.text(ANN, "hello", at(0));
    let mut repeat = f.text(BOB, "STOP", at(9));
    repeat.text.provider_id.clone_from(&first.text.provider_id);
    let (message, session) = f.hear(first).await;
    let before = f.counts().await.unwrap();
    assert_eq!(f.record_inbound(repeat).await.unwrap(), Inbound::Duplicate { message_id: message.id },);
    assert_eq!(f.customer_by_number(&number(BOB)).await.unwrap(), None);
    assert_eq!(f.talk(message.customer_id).await, session);
    assert_eq!(f.counts().await.unwrap(), before);
}

async fn the_same_id_on_another_channel_is_another_text(open: Open) {
    let f = Fixture::new(open);
    let first = f.text(ANN, "hello", at(0));
    let mut other = f.text(ANN, "hello", at(1));
    other.text.provider_id.clone_from(&first.text.provider_id);
    other.text.lane = other_lane();
    f.hear(first).await;
    assert_eq!(f.hear(other).await.1.message_count, 2);
}

async fn of_many_deliveries_of_a_text_one_is_new(open: Open) {
    let f = Fixture::new(open);
    let answers = at_once(96, |_| {
        let (store, mut command) = ((*f).clone(), f.text(ANN, "hello", at(0)));
        command.text.provider_id = "IN-one".into();
        async move { store.record_inbound(command).await.unwrap() }
    })
    .await;
    let ids = answers.iter().map(|answer| match answer {
        Inbound::Recorded { message, .. } => (true, message.id),
        Inbound::Duplicate { message_id } => (false, *message_id),
    });
    let (new, repeats): (Vec<_>, Vec<_>) = ids.partition(|(new, _)| *new);
    assert_eq!(new.len(), 1);
    assert!(repeats.iter().all(|(_, id)| *id == new[0].1));
    assert_eq!(f.counts().await.unwrap().turns_open, 1);
}

async fn many_first_texts_of_a_number_find_one_customer(open: Open) {
    let f = Fixture::new(open);
    at_once(64, |_| {
        let (store, command) = ((*f).clone(), f.text(ANN, "hello", at(0)));
        async move { store.record_inbound(command).await.unwrap() }
    })
    .await;
    let customers = f.customers(all()).await.unwrap().items;
    assert_eq!(customers.len(), 1);
    assert_eq!(f.sessions_of(customers[0].id, all()).await.unwrap().items.len(), 1);
    let said = f.messages_of(f.talk(customers[0].id).await.id, all()).await.unwrap().items;
    let places: Vec<u64> = said.iter().map(|message| message.place).collect();
    assert_eq!(places, (0..64).rev().collect::<Vec<u64>>());
}

async fn a_text_confirms_its_number_once(open: Open) {
    let f = Fixture::new(open);
    let created = f.create_customer(f.customer(ANN, at(0))).await.unwrap().value;
    let (message, _) = f.hear(f.text(ANN, "hello", at(1))).await;
    f.hear(f.text(ANN, "anybody?", at(2))).await;
    let customer = f.who(created.id).await;
    assert_eq!(message.customer_id, created.id);
    assert_eq!((customer.phone_number, customer.unconfirmed_phone_number), (Some(number(ANN)), None));
    assert_eq!(customer.confirmed_at, Some(at(1)));
    let log = f.consent_log(NumberHash::of(&number(ANN))).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].action, log[0].evidence.source), (ConsentAction::Confirmed, ConsentSource::Sms));
    assert_eq!(log[0].evidence.message_id, Some(message.id));
}

async fn a_keyword_confirms_nobody_and_asks_no_bot(open: Open) {
    let f = Fixture::new(open);
    let (message, _) = f.hear(f.text(ANN, "HELP", at(0))).await;
    assert_eq!(message.keyword, Some(Keyword::Help));
    assert!(!f.who(message.customer_id).await.is_confirmed());
    assert_eq!(f.claim_turn("here", at(0)).await.unwrap(), TurnClaim::Idle);
}

async fn stop_cancels_what_is_queued_but_not_its_own_answer(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let (first, second) = (f.queue(f.by_bot(id, "1", at(1))).await, f.queue(f.by_bot(id, "2", at(1))).await);
    let confirmation = f.queue(f.by_gateway(id, "123456", at(1))).await;
    let attempt = f.begin(first, at(1)).await;
    f.hear(f.text(ANN, "STOP", at(2))).await;
    assert!(f.who(id).await.unsubscribed);
    assert_eq!((f.status(first).await, f.status(confirmation).await), (Status::Sending, Status::Canceled));
    let canceled = f.get(second).await.delivery;
    assert_eq!(canceled.status, Status::Canceled);
    assert_eq!(canceled.error.unwrap().code.as_deref(), Some("customer-unsubscribed"));
    f.settle(first, attempt, crate::fixture::accepted("SM1"), at(3)).await.unwrap();
    assert_eq!(f.head(at(3)).await, None);
    let log = f.consent_log(NumberHash::of(&number(ANN))).await.unwrap();
    assert_eq!(log.last().unwrap().action, ConsentAction::OptedOut);
    f.hear(f.text(ANN, "START", at(4))).await;
    assert!(!f.who(id).await.unsubscribed);
    assert_eq!(f.status(second).await, Status::Canceled);
}

async fn the_providers_keyword_decides_before_our_reading(open: Open) {
    let f = Fixture::new(open);
    let mut command = f.text(ANN, "genug", at(0));
    command.text.keyword = Some(Keyword::Stop);
    let (message, _) = f.hear(command).await;
    assert_eq!(message.keyword, Some(Keyword::Stop));
    assert!(f.who(message.customer_id).await.unsubscribed);
}

async fn a_keywords_reply_is_queued_even_for_the_unsubscribed(open: Open) {
    let f = Fixture::new(open);
    let mut command = f.text(ANN, "STOP", at(0));
    command.text.replies = KeywordReplies { stop: Some("Bye.".into()), ..KeywordReplies::default() };
    let Inbound::Recorded { reply: Some(reply), session, turn: false, .. } =
        f.record_inbound(command).await.unwrap()
    else {
        panic!("no reply")
    };
    assert_eq!(
        (reply.content.as_str(), reply.delivery.exemption, session.message_count),
        ("Bye.", Exemption::KeywordReply, 2)
    );
    assert_eq!(f.get(reply.id).await, *reply);
    assert_eq!(f.send(reply.id, crate::fixture::accepted("SM1"), at(0)).await.delivery.status, Status::Sent);
}

async fn a_session_lasts_until_it_has_been_idle(open: Open) {
    let f = Fixture::new(open);
    let (_, first) = f.hear(f.text(ANN, "hello", at(0))).await;
    let almost = at(0).after(IDLE_AFTER).before(std::time::Duration::from_millis(1));
    let (_, second) = f.hear(f.text(ANN, "hello", almost)).await;
    assert_eq!(second.id, first.id);
    let (message, third) = f.hear(f.text(ANN, "hello", almost.after(IDLE_AFTER))).await;
    assert_ne!(third.id, first.id);
    assert_eq!(message.place, 0);
    assert_eq!(f.talk(message.customer_id).await, third);
    f.hold(message.customer_id, third.last_message_at).await;
    let (_, held) = f.hear(f.text(ANN, "hello", third.last_message_at.after(IDLE_AFTER * 9))).await;
    assert_eq!(held.id, third.id);
}

async fn texts_in_a_held_session_wait_for_an_agent(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_agents(ANN).await;
    f.queue(f.by_agent(id, "Hi", at(1))).await;
    assert_eq!(f.talk(id).await.waiting_since, None);
    let (_, session) = f.hear(f.text(ANN, "hello?", at(2))).await;
    f.hear(f.text(ANN, "hello??", at(3))).await;
    assert_eq!((session.waiting_since, f.talk(id).await.waiting_since), (Some(at(2)), Some(at(2))));
    assert_eq!(f.counts().await.unwrap().sessions_waiting, 1);
}

async fn keywords_are_told_where_a_deployment_wants_it(open: Open) {
    let f = Fixture::under(open, Policy { forward_keywords: true, ..rules() });
    let (message, _) = f.hear(f.text(ANN, "STOP", at(0))).await;
    assert_eq!(f.claim(at(0)).await.turn.message_id, Some(message.id));
}

async fn without_a_bot_agents_have_every_session(open: Open) {
    let f = Fixture::under(open, Policy { has_bot: false, ..rules() });
    let (message, session) = f.hear(f.text(ANN, "hello", at(0))).await;
    assert_eq!((session.need_attention, session.waiting_since), (true, Some(at(0))));
    assert_eq!(f.claim_turn("here", at(0)).await.unwrap(), TurnClaim::Idle);
    f.queue(f.by_agent(message.customer_id, "Hi", at(1))).await;
    assert!(!f.let_go(message.customer_id, at(2)).await.need_attention);
    assert_eq!(f.counts().await.unwrap().turns_open, 0);
}

async fn an_answer_goes_out_by_the_lane_that_the_last_text_came_in_by(open: Open) {
    let f = Fixture::new(open);
    let mut created = f.customer(ANN, at(0));
    created.confirmed = Some(by_api());
    let id = f.create_customer(created).await.unwrap().value.id;
    let by_default = f.queue(f.by_bot(id, "1", at(0))).await;
    let mut text = f.text(ANN, "hello", at(1));
    text.text.lane = other_lane();
    f.hear(text).await;
    let by_theirs = f.queue(f.by_bot(id, "2", at(2))).await;
    assert_eq!(f.get(by_default).await.delivery.lane, lane());
    assert_eq!(f.get(by_theirs).await.delivery.lane, other_lane());
    let mut lanes = f.busy_lanes().await.unwrap();
    lanes.sort();
    assert_eq!(lanes, [lane(), other_lane()]);
}
