//! What was missed and taken later, and until when nothing was missed.

use switchboard::domain::customer::{ConsentAction, NumberHash};
use switchboard::domain::delivery::Status;
use switchboard::domain::keywords::Keyword;
use switchboard::domain::time::Timestamp;
use switchboard::store::{Alive, RecordInbound};

use crate::engines::Open;
use crate::fixture::{ANN, Fixture, at, lane, number, other_lane};

on_every_engine! {
    the_last_mark_is_what_counts,
    a_text_is_found_by_its_providers_id_even_after_its_person,
    a_recovered_stop_counts_and_is_recorded_as_said_then,
    a_recovered_start_takes_no_later_stop_back,
    a_recovered_start_is_compared_with_opt_outs_of_who_had_opted_out_already,
    a_recovered_stop_from_before_a_start_cancels_nothing,
    what_an_erased_number_said_last_still_counts,
}

fn recovered(f: &Fixture, content: &str, sent_at: Timestamp, now: Timestamp) -> RecordInbound {
    let mut command = f.text(ANN, content, now);
    command.text.recovered = true;
    command.text.sent_at = Some(sent_at);
    command
}

async fn the_last_mark_is_what_counts(open: Open) {
    let f = Fixture::new(open);
    assert_eq!(f.last_alive().await.unwrap(), None);
    let later = Alive { at: at(9), clean: false };
    f.mark_alive(later).await.unwrap();
    assert_eq!(f.last_alive().await.unwrap(), Some(later));
    let earlier = Alive { at: at(1), clean: true };
    f.mark_alive(earlier).await.unwrap();
    assert_eq!(f.last_alive().await.unwrap(), Some(earlier));
}

async fn a_text_is_found_by_its_providers_id_even_after_its_person(open: Open) {
    let f = Fixture::new(open);
    let command = f.text(ANN, "hello", at(0));
    let id = command.text.provider_id.clone();
    assert_eq!(f.text_by_provider_id(&lane().channel, &id).await.unwrap(), None);
    let (message, _) = f.hear(command).await;
    assert_eq!(f.text_by_provider_id(&lane().channel, &id).await.unwrap(), Some(message.id));
    assert_eq!(f.text_by_provider_id(&other_lane().channel, &id).await.unwrap(), None);
    f.erase_customer(message.customer_id, at(1)).await.unwrap();
    assert_eq!(f.text_by_provider_id(&lane().channel, &id).await.unwrap(), Some(message.id));
}

async fn a_recovered_stop_counts_and_is_recorded_as_said_then(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    let queued = f.queue(f.by_bot(id, "1", at(50))).await;
    let (message, _) = f.hear(recovered(&f, "STOP", at(20), at(100))).await;
    assert!(message.recovered && f.who(id).await.unsubscribed);
    assert_eq!(f.status(queued).await, Status::Canceled);
    let log = f.consent_log(NumberHash::of(&number(ANN))).await.unwrap();
    let last = log.last().unwrap();
    assert_eq!((last.action, last.at, last.said_at), (ConsentAction::OptedOut, at(100), Some(at(20))));
    // Of two that are recovered the later one counts, though both are recorded now.
    f.hear(recovered(&f, "START", at(30), at(101))).await;
    assert!(!f.who(id).await.unsubscribed);
}

async fn a_recovered_start_takes_no_later_stop_back(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.hear(f.text(ANN, "STOP", at(50))).await;
    let log = f.consent_log(NumberHash::of(&number(ANN))).await.unwrap();
    let (message, _) = f.hear(recovered(&f, "START", at(20), at(100))).await;
    assert_eq!(message.keyword, Some(Keyword::Start));
    assert!(f.who(id).await.unsubscribed);
    assert_eq!(f.consent_log(NumberHash::of(&number(ANN))).await.unwrap(), log);
}

async fn a_recovered_start_is_compared_with_opt_outs_of_who_had_opted_out_already(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.hear(f.text(ANN, "STOP", at(50))).await;
    f.unsubscribe(id, at(1000)).await;
    f.hear(recovered(&f, "START", at(700), at(2000))).await;
    assert!(f.who(id).await.unsubscribed);
    f.hear(recovered(&f, "START", at(1300), at(2000))).await;
    assert!(f.who(id).await.unsubscribed, "clocks may be five minutes apart");
    f.hear(recovered(&f, "START", at(1301), at(2000))).await;
    assert!(!f.who(id).await.unsubscribed);
}

async fn a_recovered_stop_from_before_a_start_cancels_nothing(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.hear(f.text(ANN, "START", at(500))).await;
    let queued = f.queue(f.by_bot(id, "1", at(510))).await;
    f.hear(recovered(&f, "STOP", at(199), at(600))).await;
    assert_eq!((f.who(id).await.unsubscribed, f.status(queued).await), (false, Status::Queued));
    // Clocks may be five minutes apart.
    f.hear(recovered(&f, "STOP", at(200), at(600))).await;
    assert_eq!((f.who(id).await.unsubscribed, f.status(queued).await), (true, Status::Canceled));
}

async fn what_an_erased_number_said_last_still_counts(open: Open) {
    let f = Fixture::new(open);
    let id = f.with_bot(ANN).await;
    f.unsubscribe(id, at(50)).await;
    f.erase_customer(id, at(60)).await.unwrap();
    let (message, _) = f.hear(recovered(&f, "START", at(20), at(100))).await;
    assert!(f.who(message.customer_id).await.unsubscribed);
}
