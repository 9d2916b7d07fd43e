//! Texts of unknown fate that others no longer wait for: passed, held for a person's decision, sent again.

use switchboard::domain::conversation::Refusal;
use switchboard::domain::delivery::{Evidence, ReceiptStage, Status};
use switchboard::domain::ids::{CustomerId, MessageId};
use switchboard::store::{Begun, ListError, PageRequest, ReceiptOutcome, ResendError};

use crate::engines::Open;
use crate::fixture::{
    ANN, BOB, CLEO, Fixture, HERE, VALID_FOR, accepted, at, at_once, lane, other_lane, permanent, receipt,
    unknown,
};

on_every_engine! {
    a_passed_text_lets_others_go_and_is_still_looked_for,
    a_text_is_passed_once,
    what_overtook_a_text_lands_before_it_is_sent_again,
    a_passed_text_that_becomes_unknown_again_holds_the_queue_again,
    a_held_text_is_counted_and_waits_for_a_person,
    held_texts_are_listed_in_the_order_of_their_creation_page_by_page,
    a_text_that_may_be_sent_twice_is_queued_again_and_says_so,
    a_held_text_is_queued_again_at_its_old_place,
    of_many_who_decide_one_counts,
    what_is_not_held_is_not_sent_again,
    whom_one_may_not_text_gets_nothing_again,
    agents_who_took_over_do_not_send_the_bots_held_text,
    a_recalled_text_that_is_held_can_be_sent_again_once_agents_let_go,
    the_bots_passed_text_is_not_sent_again_once_agents_took_over,
    the_bots_passed_text_is_not_sent_again_once_agents_had_the_conversation,
    a_receipt_settles_a_held_text,
    what_another_message_was_found_as_is_no_evidence,
    each_channel_has_its_share_of_what_is_due,
    whom_others_wait_for_is_found_by_since_when,
}

/// A text that was lost on its way, and one behind it.
async fn lost(f: &Fixture, of: &str) -> (CustomerId, MessageId, MessageId) {
    let id = f.with_agents(of).await;
    let (text, next) = (f.queue(f.by_agent(id, "1", at(1))).await, f.queue(f.by_agent(id, "2", at(1))).await);
    f.send(text, unknown(at(10)), at(1)).await;
    (id, text, next)
}

async fn resolved(f: &Fixture, id: MessageId, evidence: Evidence, now: i64) -> Status {
    f.resolve(id, evidence, at(now)).await.unwrap().unwrap().delivery.status
}

async fn held(f: &Fixture, of: &str) -> (CustomerId, MessageId, MessageId) {
    let lost = lost(f, of).await;
    resolved(f, lost.1, Evidence::CannotTell, 10).await;
    lost
}

async fn a_passed_text_lets_others_go_and_is_still_looked_for(open: Open) {
    let f = Fixture::new(open);
    let (_, text, next) = lost(&f, ANN).await;
    resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
    let delivery = f.get(text).await.delivery;
    assert_eq!((delivery.status, delivery.passed_at), (Status::Unknown, Some(at(10))));
    assert_eq!(f.head(at(10)).await, Some(next));
    assert!(f.unknown_due(at(29), 9).await.unwrap().is_empty());
    assert_eq!(f.unknown_due(at(30), 9).await.unwrap()[0].id, text);
    let counts = f.counts().await.unwrap();
    assert_eq!((counts.queued, counts.unknown, counts.held), (1, 1, 0));
    resolved(&f, text, Evidence::Found { provider_id: "SM1".into() }, 30).await;
    let found = f.get(text).await;
    assert_eq!((found.delivery.status, found.delivery.passed_at), (Status::Sent, Some(at(10))));
    assert_eq!(found.delivery.attempts[0].evidence.as_deref(), Some("found"));
}

async fn held_texts_are_listed_in_the_order_of_their_creation_page_by_page(open: Open) {
    let f = Fixture::new(open);
    let list = async |after, limit| f.held(PageRequest { after, limit }).await;
    assert!(list(None, 9).await.unwrap().items.is_empty());
    let (anns, bobs, cleos) = (lost(&f, ANN).await, lost(&f, BOB).await, lost(&f, CLEO).await);
    for (_, text, _) in [&cleos, &bobs, &anns] {
        resolved(&f, *text, Evidence::CannotTell, 10).await;
    }
    let first = list(None, 2).await.unwrap();
    assert_eq!(first.items, [f.get(anns.1).await, f.get(bobs.1).await]);
    let rest = list(first.next.clone(), 2).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![f.get(cleos.1).await], None));
    f.erase_customer(anns.0, at(11)).await.unwrap();
    f.resend_message(bobs.1, VALID_FOR, at(11)).await.unwrap();
    assert_eq!(list(None, 9).await.unwrap().items, [f.get(cleos.1).await]);
    assert_eq!(
        list(first.next.clone(), 9).await.unwrap().items.len(),
        1,
        "the place is there though the text is not"
    );
    assert!(matches!(
        f.customers(PageRequest { after: first.next, limit: 9 }).await,
        Err(ListError::InvalidCursor)
    ));
}

async fn a_text_is_passed_once(open: Open) {
    let f = Fixture::new(open);
    let (_, text, _) = lost(&f, ANN).await;
    resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
    assert_eq!(f.resolve(text, Evidence::Passed { look_at: at(40) }, at(20)).await.unwrap(), None);
    resolved(&f, text, Evidence::CannotTell, 30).await;
    assert_eq!(f.get(text).await.delivery.passed_at, Some(at(10)));
}

async fn what_overtook_a_text_lands_before_it_is_sent_again(open: Open) {
    let f = Fixture::new(open);
    let (id, text, next) = lost(&f, ANN).await;
    let last = f.queue(f.by_agent(id, "3", at(2))).await;
    resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
    let attempt = f.begin(next, at(11)).await;
    // The older one is proven absent while the younger one is on its way: one in flight, and not two.
    assert_eq!(resolved(&f, text, Evidence::Absent, 12).await, Status::Queued);
    assert_eq!(f.head(at(99)).await, None);
    for waiting in [text, last] {
        assert_eq!(f.begin_attempt(waiting, HERE, at(99)).await.unwrap(), Begun::NotDue);
    }
    f.settle(next, attempt, unknown(at(40)), at(13)).await.unwrap();
    assert_eq!(f.head(at(99)).await, None, "nor while the younger one's fate is unknown");
    resolved(&f, next, Evidence::Found { provider_id: "SM2".into() }, 40).await;
    assert_eq!((f.head(at(39)).await, f.head(at(40)).await), (None, Some(text)));
    assert_eq!(f.begin_attempt(last, HERE, at(99)).await.unwrap(), Begun::NotDue);
    f.send(text, accepted("SM1"), at(41)).await;
    assert_eq!(f.head(at(41)).await, Some(last));
}

async fn a_passed_text_that_becomes_unknown_again_holds_the_queue_again(open: Open) {
    let f = Fixture::new(open);
    let (_, text, _) = lost(&f, ANN).await;
    resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
    resolved(&f, text, Evidence::Absent, 30).await;
    f.send(text, unknown(at(50)), at(31)).await;
    assert_eq!(f.head(at(99)).await, None);
    assert_eq!(f.counts().await.unwrap().queued, 2);
}

async fn a_held_text_is_counted_and_waits_for_a_person(open: Open) {
    let f = Fixture::new(open);
    let (_, text, next) = held(&f, ANN).await;
    let message = f.get(text).await;
    assert!(message.is_held());
    assert_eq!((message.delivery.held_at, message.delivery.passed_at), (Some(at(10)), Some(at(10))));
    let counts = f.counts().await.unwrap();
    assert_eq!((counts.queued, counts.unknown, counts.held), (1, 1, 1));
    assert_eq!(f.head(at(10)).await, Some(next));
}

async fn a_text_that_may_be_sent_twice_is_queued_again_and_says_so(open: Open) {
    let f = Fixture::new(open);
    let (_, text, _) = lost(&f, ANN).await;
    assert_eq!(resolved(&f, text, Evidence::Resend, 10).await, Status::Queued);
    let delivery = f.get(text).await.delivery;
    assert_eq!(delivery.attempts[0].outcome.as_deref(), Some("unknown"));
    assert_eq!(delivery.attempts[0].evidence.as_deref(), Some("resent"));
    assert!(delivery.error.unwrap().text.contains("nobody can tell"));
    assert_eq!(f.begin(text, at(10)).await, 2);
}

async fn a_held_text_is_queued_again_at_its_old_place(open: Open) {
    let f = Fixture::new(open);
    let (_, text, next) = held(&f, ANN).await;
    let late = at(i64::try_from(VALID_FOR.as_secs()).unwrap() + 100);
    let again = f.resend_message(text, VALID_FOR, late).await.unwrap();
    assert_eq!(f.get(text).await, again);
    let delivery = &again.delivery;
    assert_eq!((delivery.status, delivery.held_at), (Status::Queued, None));
    assert_eq!(delivery.valid_until, Some(late.after(VALID_FOR)), "it had run out, and a person decided now");
    assert_eq!(delivery.attempts[0].evidence.as_deref(), Some("resent_by_hand"));
    assert_eq!(f.counts().await.unwrap().held, 0);
    assert_eq!(f.head(late).await, Some(text), "it comes before {next}, which waits");
    assert_eq!(f.begin(text, late).await, 2);
}

async fn of_many_who_decide_one_counts(open: Open) {
    let f = Fixture::new(open);
    let (_, text, _) = held(&f, ANN).await;
    let answers = at_once(16, |_| {
        let store = (*f).clone();
        async move { store.resend_message(text, VALID_FOR, at(20)).await.is_ok() }
    })
    .await;
    assert_eq!(answers.into_iter().filter(|taken| *taken).count(), 1);
}

async fn what_is_not_held_is_not_sent_again(open: Open) {
    let f = Fixture::new(open);
    let not_held = async |id, status| {
        let before = f.get(id).await;
        let refused = f.resend_message(id, VALID_FOR, at(50)).await;
        assert!(matches!(refused, Err(ResendError::NotHeld(found)) if found == status), "{refused:?}");
        assert_eq!(f.get(id).await, before);
    };
    let (_, text, next) = lost(&f, ANN).await;
    not_held(text, Status::Unknown).await;
    not_held(next, Status::Queued).await;
    resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
    not_held(text, Status::Unknown).await;
    let attempt = f.begin(next, at(11)).await;
    not_held(next, Status::Sending).await;
    f.settle(next, attempt, permanent(switchboard::domain::delivery::ErrorClass::Permanent), at(12))
        .await
        .unwrap();
    not_held(next, Status::Failed).await;
    resolved(&f, text, Evidence::Found { provider_id: "SM1".into() }, 30).await;
    not_held(text, Status::Sent).await;
    let nobody = f.resend_message(MessageId(f.id()), VALID_FOR, at(50)).await;
    assert!(matches!(nobody, Err(ResendError::NotFound)));
}

async fn whom_one_may_not_text_gets_nothing_again(open: Open) {
    let f = Fixture::new(open);
    let (id, text, _) = held(&f, ANN).await;
    f.unsubscribe(id, at(11)).await;
    let refused = f.resend_message(text, VALID_FOR, at(12)).await;
    assert!(matches!(refused, Err(ResendError::Refused(Refusal::CustomerUnsubscribed))));
    assert!(f.get(text).await.is_held());
}

async fn agents_who_took_over_do_not_send_the_bots_held_text(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    f.send(text, unknown(at(10)), at(1)).await;
    resolved(&f, text, Evidence::CannotTell, 10).await;
    f.hold(id, at(11)).await;
    let refused = f.resend_message(text, VALID_FOR, at(12)).await;
    assert!(matches!(refused, Err(ResendError::Refused(Refusal::SessionHeld))));
    f.let_go(id, at(13)).await;
    f.resend_message(text, VALID_FOR, at(14)).await.unwrap();
}

async fn a_recalled_text_that_is_held_can_be_sent_again_once_agents_let_go(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    f.send(text, unknown(at(10)), at(1)).await;
    f.hold(id, at(5)).await;
    assert!(f.get(text).await.delivery.recalled);
    resolved(&f, text, Evidence::CannotTell, 10).await;
    let refused = f.resend_message(text, VALID_FOR, at(11)).await;
    assert!(matches!(refused, Err(ResendError::Refused(Refusal::SessionHeld))));
    f.let_go(id, at(12)).await;
    f.resend_message(text, VALID_FOR, at(13)).await.unwrap();
    assert_eq!((f.status(text).await, f.head(at(13)).await), (Status::Queued, Some(text)));
}

async fn the_bots_passed_text_is_not_sent_again_once_agents_took_over(open: Open) {
    let f = Fixture::new(open);
    for evidence in [Evidence::Absent, Evidence::Resend] {
        let id = f.with_bot(if evidence == Evidence::Absent { ANN } else { BOB }).await;
        let text = f.queue(f.by_bot(id, "1", at(1))).await;
        f.send(text, unknown(at(10)), at(1)).await;
        resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
        f.hold(id, at(11)).await;
        assert_eq!(resolved(&f, text, evidence, 30).await, Status::Canceled);
    }
    assert_eq!(f.head(at(99)).await, None);
}

async fn the_bots_passed_text_is_not_sent_again_once_agents_had_the_conversation(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let text = f.queue(f.by_bot(id, "1", at(1))).await;
    f.send(text, unknown(at(10)), at(1)).await;
    resolved(&f, text, Evidence::Passed { look_at: at(30) }, 10).await;
    f.hold(id, at(11)).await;
    f.let_go(id, at(12)).await;
    assert_eq!(resolved(&f, text, Evidence::Absent, 30).await, Status::Canceled);
    assert_eq!(f.head(at(99)).await, None);
}

async fn a_receipt_settles_a_held_text(open: Open) {
    let f = Fixture::new(open);
    let (_, text, _) = held(&f, ANN).await;
    let mut by_our_id = receipt("SM1", ReceiptStage::Delivered, at(60));
    by_our_id.message_id = Some(text);
    let outcome = f.apply_receipt(by_our_id, at(60)).await.unwrap();
    assert_eq!(outcome, ReceiptOutcome::Advanced(text, Status::Delivered));
    let message = f.get(text).await;
    assert_eq!((message.delivery.held_at, message.delivered_at), (None, Some(at(60))));
    assert_eq!(message.delivery.attempts[0].evidence.as_deref(), Some("receipt"));
    assert_eq!(f.counts().await.unwrap().held, 0);
}

async fn what_another_message_was_found_as_is_no_evidence(open: Open) {
    let f = Fixture::new(open);
    let (_, text, _) = lost(&f, ANN).await;
    let (_, other, _) = lost(&f, BOB).await;
    let found = || Evidence::Found { provider_id: "SM1".into() };
    resolved(&f, text, found(), 10).await;
    assert_eq!(f.resolve(other, found(), at(10)).await.unwrap(), None);
    assert_eq!(f.status(other).await, Status::Unknown);
}

async fn each_channel_has_its_share_of_what_is_due(open: Open) {
    let f = Fixture::new(open);
    let mut due = Vec::new();
    for (number, lane) in [(1, lane()), (2, lane()), (3, lane()), (4, other_lane())] {
        let mut text = f.text(&format!("+1415555010{number}"), "hello", at(0));
        text.text.lane = lane;
        let id = f.hear(text).await.0.customer_id;
        let text = f.queue(f.by_bot(id, "1", at(1))).await;
        f.send(text, unknown(at(10 + number)), at(1)).await;
        due.push(text);
    }
    let found: Vec<_> = f.unknown_due(at(99), 2).await.unwrap().iter().map(|message| message.id).collect();
    assert_eq!(found, [due[0], due[1], due[3]]);
}

async fn whom_others_wait_for_is_found_by_since_when(open: Open) {
    let f = Fixture::new(open);
    let mut lost = Vec::new();
    for (number, lane) in [(1, lane()), (2, lane()), (3, lane()), (4, other_lane())] {
        let mut text = f.text(&format!("+1415555010{number}"), "hello", at(0));
        text.text.lane = lane;
        let id = f.hear(text).await.0.customer_id;
        let text = f.queue(f.by_bot(id, "1", at(1))).await;
        // Who waits for the longest is looked for the latest.
        f.send(text, unknown(at(90 - number)), at(10 + number)).await;
        lost.push(text);
    }
    let waiting = async |until, limit| {
        let holding = f.holding(at(until), limit).await.unwrap();
        holding.iter().map(|message| message.id).collect::<Vec<_>>()
    };
    assert!(waiting(10, 9).await.is_empty());
    assert_eq!(waiting(12, 9).await, lost[..2]);
    assert_eq!(waiting(99, 2).await, [lost[0], lost[1], lost[3]]);
    resolved(&f, lost[0], Evidence::Passed { look_at: at(90) }, 20).await;
    resolved(&f, lost[1], Evidence::CannotTell, 20).await;
    resolved(&f, lost[2], Evidence::NotYet { look_at: at(95) }, 20).await;
    assert_eq!(waiting(99, 9).await, lost[2..]);
}
