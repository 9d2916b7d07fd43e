//! What is left of a person who was erased, and what is not.

use switchboard::domain::customer::NumberHash;
use switchboard::domain::delivery::{ReceiptStage, Status};
use switchboard::store::{
    Begun, Inbound, InboxFilter, LaneHead, REMEMBERED, ReceiptOutcome, SettleError, Silent, Store, TurnClaim,
    TurnError,
};

use crate::engines::Open;
use crate::export::{file_of, fill};
use crate::fixture::{
    ANN, BOB, Fixture, HERE, accepted, all, at, by_api, key, lane, number, receipt, texts, unknown,
};

on_every_engine! {
    nothing_leads_to_an_erased_person,
    an_erased_persons_text_stays_seen,
    an_erased_number_stays_suppressed,
    a_suppression_ends_with_the_persons_word,
    who_was_not_unsubscribed_is_not_suppressed,
    the_consent_log_outlives_its_person,
    an_attempt_in_hand_ends_with_its_person,
    a_turn_in_hand_ends_with_its_person,
    an_erased_persons_provider_ids_are_free,
    an_erasure_leaves_a_key_that_is_somebody_elses_by_now,
    erasing_one_leaves_the_others,
    however_much_there_is_of_a_person_all_of_it_is_gone_at_once,
}

async fn nothing_leads_to_an_erased_person(open: Open) {
    let f = Fixture::new(open);
    let (text, session) = f.hear(f.text(ANN, "hello", at(0))).await;
    let id = text.customer_id;
    let turn = f.claim(at(0)).await.turn.id;
    let mut command = f.by_bot(id, "1", at(1));
    command.idempotency = Some(key("desk", "k", 1));
    let sent = f.queue(command).await;
    f.send(sent, accepted("SM1"), at(1)).await;
    let lost = f.queue(f.by_bot(id, "2", at(1))).await;
    f.send(lost, unknown(at(2)), at(1)).await;
    let queued = f.queue(f.by_bot(id, "3", at(1))).await;
    f.erase_customer(id, at(3)).await.unwrap();

    assert_eq!(Store::customer(&**f, id).await.unwrap(), None);
    assert_eq!(f.customer_by_number(&number(ANN)).await.unwrap(), None);
    assert!(f.customers(all()).await.unwrap().items.is_empty());
    assert_eq!(Store::session(&**f, session.id).await.unwrap(), None);
    assert_eq!(f.newest_session(id).await.unwrap(), None);
    assert!(f.sessions_of(id, all()).await.unwrap().items.is_empty());
    assert!(f.inbox(InboxFilter::default(), all()).await.unwrap().items.is_empty());
    assert!(f.messages_of(session.id, all()).await.unwrap().items.is_empty());
    for message in [text.id, sent, lost, queued] {
        assert_eq!(f.message(message).await.unwrap(), None);
    }
    assert_eq!(f.turn(turn).await.unwrap(), None);
    assert_eq!(f.by_provider_id("main", "SM1").await, None);
    assert_eq!(f.lane_head(&lane(), at(9)).await.unwrap(), LaneHead::Empty);
    assert!(f.busy_lanes().await.unwrap().is_empty());
    assert!(f.unknown_due(at(9), 9).await.unwrap().is_empty());
    assert_eq!(f.claim_turn(HERE, at(9)).await.unwrap(), TurnClaim::Idle);
    assert_eq!(f.counts().await.unwrap(), switchboard::store::Counts::default());
    assert!(f.sweep(at(1_000_000), 100).await.unwrap().expired.is_empty());
    // Their key leads to nothing, either: it is free for another request.
    let bob = f.with_bot(BOB).await;
    let mut anew = f.by_bot(bob, "1", at(4));
    anew.idempotency = Some(key("desk", "k", 2));
    assert!(!f.create_message(anew).await.unwrap().replayed);
}

async fn an_erased_persons_text_stays_seen(open: Open) {
    let f = Fixture::new(open);
    let first = f.text(ANN, "hello", at(0));
    let mut repeat = f.text(ANN, "hello", at(9));
    repeat.text.provider_id.clone_from(&first.text.provider_id);
    let (message, _) = f.hear(first).await;
    f.erase_customer(message.customer_id, at(1)).await.unwrap();
    assert_eq!(f.record_inbound(repeat).await.unwrap(), Inbound::Duplicate { message_id: message.id });
    assert_eq!(f.customer_by_number(&number(ANN)).await.unwrap(), None);
}

async fn an_erased_number_stays_suppressed(open: Open) {
    let f = Fixture::new(open);
    for of in [ANN, BOB] {
        let id = f.with_bot(of).await;
        f.unsubscribe(id, at(1)).await;
        f.erase_customer(id, at(2)).await.unwrap();
    }
    let mut command = f.customer(ANN, at(3));
    command.confirmed = Some(by_api());
    let ann = f.create_customer(command).await.unwrap().value;
    assert!(ann.unsubscribed);
    assert!(f.create_message(f.by_bot(ann.id, "1", at(4))).await.is_err());
    let (message, _) = f.hear(f.text(BOB, "hello", at(3))).await;
    assert!(f.who(message.customer_id).await.unsubscribed);
    // It also outlives the second erasure.
    f.erase_customer(ann.id, at(5)).await.unwrap();
    assert!(f.create_customer(f.customer(ANN, at(6))).await.unwrap().value.unsubscribed);
}

async fn a_suppression_ends_with_the_persons_word(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.unsubscribe(id, at(1)).await;
    f.erase_customer(id, at(2)).await.unwrap();
    let (message, _) = f.hear(f.text(ANN, "START", at(3))).await;
    assert!(!f.who(message.customer_id).await.unsubscribed);
    f.erase_customer(message.customer_id, at(4)).await.unwrap();
    assert!(!f.create_customer(f.customer(ANN, at(5))).await.unwrap().value.unsubscribed);
}

async fn who_was_not_unsubscribed_is_not_suppressed(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.erase_customer(id, at(1)).await.unwrap();
    let again = f.create_customer(f.customer(ANN, at(2))).await.unwrap().value;
    assert!(!again.unsubscribed && !again.is_confirmed());
}

async fn the_consent_log_outlives_its_person(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.unsubscribe(id, at(1)).await;
    let hash = NumberHash::of(&number(ANN));
    let before = f.consent_log(hash).await.unwrap();
    f.erase_customer(id, at(2)).await.unwrap();
    assert_eq!(f.consent_log(hash).await.unwrap(), before);
    f.hear(f.text(ANN, "START", at(3))).await;
    let after = f.consent_log(hash).await.unwrap();
    assert_eq!((&after[..2], after.len()), (&before[..], 3));
}

async fn an_attempt_in_hand_ends_with_its_person(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let message = f.queue(f.by_bot(id, "1", at(1))).await;
    let attempt = f.begin(message, at(1)).await;
    f.erase_customer(id, at(2)).await.unwrap();
    let settled = f.settle(message, attempt, accepted("SM1"), at(3)).await;
    assert!(matches!(settled, Err(SettleError::Stale)));
    assert_eq!(f.begin_attempt(message, HERE, at(3)).await.unwrap(), Begun::NotDue);
    assert_eq!(f.by_provider_id("main", "SM1").await, None);
    assert_eq!(f.abandon_attempts("there", at(4)).await.unwrap(), 0);
}

async fn a_turn_in_hand_ends_with_its_person(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let work = f.claim(at(1)).await;
    f.erase_customer(id, at(2)).await.unwrap();
    let completed = f.complete_turn(f.completion(&work, texts(&["hi"]), at(3))).await;
    assert!(matches!(completed, Err(TurnError::Stale)));
    assert_eq!(f.release_turns("there", at(4)).await.unwrap(), 0);
}

async fn an_erased_persons_provider_ids_are_free(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let message = f.queue(f.by_bot(id, "1", at(1))).await;
    f.send(message, accepted("SM1"), at(1)).await;
    f.erase_customer(id, at(2)).await.unwrap();
    let late = f.apply_receipt(receipt("SM1", ReceiptStage::Delivered, at(3)), at(3)).await.unwrap();
    assert_eq!(late, ReceiptOutcome::Parked);
}

async fn an_erasure_leaves_a_key_that_is_somebody_elses_by_now(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let ask = |id, now| {
        let mut command = f.by_bot(id, "1", now);
        command.idempotency = Some(key("bot", "k", 1));
        command
    };
    f.create_message(ask(ann, at(1))).await.unwrap();
    let later = at(2).after(REMEMBERED);
    f.sweep(later, 10).await.unwrap();
    let bobs = f.create_message(ask(bob, later)).await.unwrap();
    f.erase_customer(ann, later).await.unwrap();
    let again = f.create_message(ask(bob, later)).await.unwrap();
    assert_eq!((bobs.replayed, again.replayed, again.value), (false, true, bobs.value));
}

async fn erasing_one_leaves_the_others(open: Open) {
    let f = Fixture::new(open);
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let message = f.queue(f.by_bot(bob, "1", at(1))).await;
    f.erase_customer(ann, at(2)).await.unwrap();
    assert_eq!(f.customers(all()).await.unwrap().items, [f.who(bob).await]);
    assert_eq!(f.head(at(2)).await, Some(message));
    assert_eq!(f.claim(at(2)).await.customer.id, bob);
    assert_eq!(f.status(message).await, Status::Queued);
}

async fn however_much_there_is_of_a_person_all_of_it_is_gone_at_once(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let mut texts = Vec::new();
    for count in 0..600 {
        texts.push(f.hear(f.text(ANN, "hello", at(count))).await.0);
    }
    // What comes last is cleared away last: one sent, one on its way, one of unknown fate that is passed over, one
    // queued, each with a key.
    let mut ours = Vec::new();
    for name in ["sent", "sending", "queued"] {
        let mut command = f.by_bot(id, name, at(601));
        command.idempotency = Some(key("bot", name, 1));
        let message = f.queue(command).await;
        match name {
            "sent" => drop(f.send(message, accepted("SM1"), at(602)).await),
            "sending" => assert_eq!(f.begin(message, at(602)).await, 1),
            _ => {}
        }
        ours.push(message);
    }
    let session = f.talk(id).await.id;
    let turn = f.claim(at(602)).await;
    f.erase_customer(id, at(603)).await.unwrap();

    let gone = async |f: &Fixture| {
        for message in texts.iter().map(|text| text.id).chain(ours.clone()) {
            assert_eq!(f.message(message).await.unwrap(), None);
        }
        assert_eq!(f.turn(turn.turn.id).await.unwrap(), None);
        assert_eq!(Store::session(&***f, session).await.unwrap(), None);
        assert!(f.messages_of(session, all()).await.unwrap().items.is_empty());
        assert!(f.inbox(InboxFilter::default(), all()).await.unwrap().items.is_empty());
        assert_eq!(f.lane_head(&lane(), at(999)).await.unwrap(), LaneHead::Empty);
        assert!(f.busy_lanes().await.unwrap().is_empty());
        assert_eq!(f.claim_turn(HERE, at(999)).await.unwrap(), TurnClaim::Idle);
        assert_eq!(f.counts().await.unwrap(), switchboard::store::Counts::default());
        let any = Silent { asks: 0, from: at(0), until: at(999) };
        assert!(f.silent(any, 9).await.unwrap().is_empty());
        assert!(f.unknown_due(at(999), 9).await.unwrap().is_empty());
        assert_eq!(f.by_provider_id("main", "SM1").await, None);
        let settled = f.settle(ours[1], 1, accepted("SM2"), at(604)).await;
        assert!(matches!(settled, Err(SettleError::Stale)));
        let late = f.apply_receipt(receipt("SM2", ReceiptStage::Delivered, at(605)), at(605)).await.unwrap();
        assert_eq!(late, ReceiptOutcome::Parked);
        let answered = f.complete_turn(f.completion(&turn, crate::fixture::texts(&["hi"]), at(605))).await;
        assert!(matches!(answered, Err(TurnError::Stale)));
    };
    gone(&f).await;
    // Nor is it in a backup, which is whole without it.
    let file = file_of(&**f).await;
    let words = String::from_utf8(file.clone()).unwrap();
    assert!(!words.contains(ANN) && !words.contains("hello"), "{words}");
    let copy = Fixture::new(open);
    fill(&**copy, &file).await;
    gone(&copy).await;
    // Their number is somebody new, whose texts have nothing to do with what is still to be cleared away.
    let again = f.with_bot(ANN).await;
    let mut anew = f.by_bot(again, "sent", at(606));
    anew.idempotency = Some(key("bot", "sent", 1));
    let anew = f.create_message(anew).await.unwrap();
    assert!(!anew.replayed, "the key is free");
    f.send(anew.value.id, accepted("SM1"), at(607)).await;
    while f.sweep(at(608), 50).await.unwrap().more {}
    assert_eq!(f.by_provider_id("main", "SM1").await, Some(anew.value.id));
    let mut repeat = f.by_bot(again, "sent", at(609));
    repeat.idempotency = Some(key("bot", "sent", 1));
    assert!(f.create_message(repeat).await.unwrap().replayed);
    f.erase_customer(again, at(610)).await.unwrap();
    gone(&f).await;
}
