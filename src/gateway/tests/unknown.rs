//! Unknown fates: settled by evidence, never by hope.

use std::time::Duration;

use super::fixture::{Act, BRAND, Plan, World};
use crate::domain::delivery::{OnUnknown, ReceiptStage, ReceiptStatus, Status};
use crate::domain::ids::MessageId;
use crate::provider::ProviderReceipt;
use crate::store::ResendError;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";

#[tokio::test(start_paused = true)]
async fn what_the_provider_has_after_all_is_adopted_and_not_sent_again() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Break { taken: true }]);
    let unknown = world.say(anna, "Once").await;
    world.say(anna, "Next").await;
    world.carrier.until(2).await;
    assert_eq!(world.carrier.contents(), ["Once", "Next"]);
    let message = world.message(unknown).await;
    assert_eq!((message.delivery.status, message.delivery.attempts.len()), (Status::Sent, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_absent_at_the_last_look_is_sent_again_and_order_is_kept() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Break { taken: false }]);
    world.say(anna, "Lost on the way").await;
    world.say(anna, "Behind it").await;
    let handed = world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["Lost on the way", "Lost on the way", "Behind it"]);
    assert!(
        handed[1].at >= Duration::from_secs(90),
        "four looks, the last after 90 seconds: {:?}",
        handed[1].at
    );
}

#[tokio::test(start_paused = true)]
async fn any_attempt_that_may_have_left_may_be_the_one_that_is_there() {
    let half_an_hour = Duration::from_secs(1_800);
    let world = World::start(Plan { list_lag: half_an_hour, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    // Taken, but not in the list until long after the last look. The next try is put off for an hour, and the one
    // after that is lost on the way: by then the list shows that the first one was taken.
    world.carrier.next([
        Act::Break { taken: true },
        Act::Throttle { retry_after_s: 3_600 },
        Act::Break { taken: false },
    ]);
    let unknown = world.say(anna, "Once").await;
    world.carrier.until(3).await;
    tokio::time::sleep(half_an_hour).await;
    assert_eq!(world.carrier.handed().len(), 3, "it is there, and is not sent a fourth time");
    assert_eq!(world.message(unknown).await.delivery.status, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_same_words_are_no_evidence() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.say(anna, "Same").await;
    world.carrier.until(1).await;
    world.carrier.next([Act::Break { taken: false }]);
    world.say(anna, "Same").await;
    world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["Same", "Same", "Same"], "the first \"Same\" is another message's");
}

#[tokio::test(start_paused = true)]
async fn the_same_words_by_another_channel_of_the_account_are_no_evidence() {
    let world = World::start(Plan { also: Some("promo"), ..Plan::default() }).await;
    let anna = world.text_on("promo", ANNA, BRAND, "Hey").await.customer_id;
    let first = world.say(anna, "Hello?").await;
    world.carrier.until(1).await;
    world.text_on("main", ANNA, BRAND, "Hey").await;
    world.carrier.next([Act::Break { taken: false }]);
    let second = world.say(anna, "Hello?").await;
    world.carrier.until(3).await;
    until(&world, second, Status::Sent).await;
    let [first, second] = [world.message(first).await.delivery, world.message(second).await.delivery];
    assert_eq!([&*first.lane.channel, &*second.lane.channel], ["promo", "main"]);
    assert_ne!(first.provider_ids, second.provider_ids);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_carries_our_id_settles_it_at_once() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Break { taken: false }]);
    let unknown = world.say(anna, "Once").await;
    world.say(anna, "Next").await;
    world.carrier.until(1).await;
    let channel = world.gateway.channel("main").unwrap();
    let status = ReceiptStatus {
        stage: ReceiptStage::Delivered,
        raw: "delivered".into(),
        error: None,
        at: world.gateway.now(),
    };
    let receipt = ProviderReceipt { provider_id: "SMx".into(), message_id: Some(unknown), status };
    world.gateway.receive_receipt(channel, receipt).await.unwrap();
    let handed = world.carrier.until(2).await;
    assert_eq!(world.carrier.contents(), ["Once", "Next"]);
    assert!(handed[1].at < Duration::from_secs(2));
    assert_eq!(world.message(unknown).await.delivery.status, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_it_stays_unknown_and_is_not_sent_again() {
    let world = World::start(Plan { lists: false, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    let bert = world.text(BERT, "Hey").await;
    world.carrier.next([Act::Break { taken: false }]);
    let unknown = world.say(anna, "Who knows").await;
    world.carrier.until(1).await;
    world.say(anna, "After it").await;
    world.say(bert, "To Bert").await;
    world.carrier.until(3).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.message(unknown).await.delivery.status, Status::Unknown);
    let count = world.carrier.contents().iter().filter(|content| *content == "Who knows").count();
    assert_eq!(count, 1);
}

async fn until(world: &World, id: MessageId, status: Status) {
    while world.message(id).await.delivery.status != status {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_others_wait_for_a_receipt_and_not_for_ever() {
    let world = World::start(Plan { lists: false, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Break { taken: true }]);
    let unknown = world.say(anna, "Who knows").await;
    world.say(anna, "After it").await;
    let handed = world.carrier.until(2).await;
    let waited = handed[1].at.checked_sub(handed[0].at).unwrap();
    assert!((Duration::from_secs(120)..Duration::from_secs(123)).contains(&waited), "{waited:?}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let message = world.message(unknown).await;
    assert!(message.is_held() && message.delivery.passed_at.is_some() && message.delivery.held_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_text_that_was_passed_is_still_looked_for_and_sent_again_if_it_never_left() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.falls_silent(true);
    world.carrier.next([Act::Break { taken: false }]);
    let lost = world.say(anna, "Lost").await;
    world.say(anna, "Next").await;
    let handed = world.carrier.until(2).await;
    assert!(handed[1].at >= Duration::from_secs(120) && handed[1].at < Duration::from_secs(123));
    assert_eq!(world.message(lost).await.delivery.status, Status::Unknown);
    tokio::time::sleep(Duration::from_secs(300)).await;
    world.carrier.falls_silent(false);
    world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["Lost", "Next", "Lost"]);
    until(&world, lost, Status::Sent).await;
    let delivery = world.message(lost).await.delivery;
    assert!(delivery.passed_at.is_some(), "that it came out of order is said");
    assert_eq!(delivery.attempts[0].evidence.as_deref(), Some("absent"));
    let metrics = world.gateway.metrics().render(world.gateway.store().counts().await.ok(), true);
    for line in ["unknown_texts_total{channel=\"main\",outcome=\"passed\"} 1", "outcome=\"absent\"} 1"] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_was_passed_may_be_found() {
    let world = World::start(Plan { order_hold: Duration::from_secs(20), ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.falls_silent(true);
    world.carrier.next([Act::Break { taken: true }]);
    let lost = world.say(anna, "Once").await;
    world.say(anna, "Next").await;
    let handed = world.carrier.until(2).await;
    assert!(handed[1].at >= Duration::from_secs(20) && handed[1].at < Duration::from_secs(23));
    world.carrier.falls_silent(false);
    until(&world, lost, Status::Sent).await;
    assert_eq!(world.carrier.contents(), ["Once", "Next"]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_leaves_the_text_to_a_person() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.falls_silent(true);
    world.carrier.next([Act::Break { taken: false }]);
    let lost = world.say(anna, "Lost").await;
    world.carrier.until(1).await;
    tokio::time::sleep(Duration::from_secs(29 * 60)).await;
    assert!(!world.message(lost).await.is_held(), "it is asked for half an hour");
    let early = world.gateway.resend_message(lost).await;
    assert!(matches!(early, Err(ResendError::NotHeld(Status::Unknown))));
    tokio::time::sleep(Duration::from_secs(5 * 60)).await;
    assert!(world.message(lost).await.is_held());
    assert_eq!(world.gateway.store().counts().await.unwrap().held, 1);
    world.gateway.resend_message(lost).await.unwrap();
    world.carrier.until(2).await;
    assert_eq!(world.carrier.contents(), ["Lost", "Lost"]);
    until(&world, lost, Status::Sent).await;
    assert_eq!(world.message(lost).await.delivery.attempts[0].evidence.as_deref(), Some("resent_by_hand"));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_would_rather_send_twice_does_and_keeps_order() {
    for lists in [false, true] {
        let plan = Plan {
            lists,
            on_unknown: OnUnknown::Resend,
            order_hold: Duration::from_secs(3_600),
            ..Plan::default()
        };
        let world = World::start(plan).await;
        let anna = world.text(ANNA, "Hey").await;
        world.carrier.falls_silent(true);
        world.carrier.next([Act::Break { taken: true }]);
        let text = world.say(anna, "Perhaps twice").await;
        world.say(anna, "Next").await;
        let handed = world.carrier.until(3).await;
        assert_eq!(world.carrier.contents(), ["Perhaps twice", "Perhaps twice", "Next"]);
        let least = Duration::from_secs(if lists { 1_800 } else { 90 });
        assert!(
            handed[1].at >= least && handed[1].at < least + Duration::from_secs(95),
            "{:?}",
            handed[1].at
        );
        let attempts = world.message(text).await.delivery.attempts;
        assert_eq!(attempts[0].outcome.as_deref(), Some("unknown"));
        assert_eq!(attempts[0].evidence.as_deref(), Some("resent"));
    }
}

#[tokio::test(start_paused = true)]
async fn many_unknown_fates_of_one_customer_are_each_found_once() {
    let world = World::start(Plan { order_hold: Duration::from_secs(4), ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.falls_silent(true);
    world.carrier.next(vec![Act::Break { taken: true }; 5]);
    let mut same = Vec::new();
    for _ in 0..5 {
        same.push(world.say(anna, "Same words").await);
    }
    world.carrier.until(5).await;
    world.carrier.falls_silent(false);
    for id in &same {
        until(&world, *id, Status::Sent).await;
    }
    assert_eq!(world.carrier.handed().len(), 5, "none is sent again");
    let mut ids = Vec::new();
    for id in same {
        ids.extend(world.message(id).await.delivery.provider_ids);
    }
    ids.sort();
    assert_eq!(ids, ["SM0", "SM1", "SM2", "SM3", "SM4"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_later_text_with_the_same_words_was_taken_as_is_no_evidence_for_an_earlier_one() {
    let world = World::start(Plan { order_hold: Duration::from_secs(4), ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    // The first never left. While it is looked for, the second is in the list already, and its answer is still out.
    world.carrier.next([Act::Break { taken: false }, Act::AnswerSlowly(Duration::from_secs(20))]);
    let first = world.say(anna, "Hello?").await;
    let second = world.say(anna, "Hello?").await;
    world.carrier.until(3).await;
    until(&world, first, Status::Sent).await;
    let ids = |message: crate::domain::message::Message| message.delivery.provider_ids;
    assert_eq!(ids(world.message(second).await), ["SM0"]);
    assert_eq!(ids(world.message(first).await), ["SM1"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_with_the_same_words_one_that_has_the_others_id_too_keeps_the_other_from_being_sent_again() {
    let world = World::start(Plan { order_hold: Duration::from_secs(1), ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    // The first is on its way for long; the second is taken, and is all that is listed when the first is looked for.
    world.carrier.next([Act::Break { taken: false }, Act::Break { taken: true }]);
    let first = world.say(anna, "Hello?").await;
    let second = world.say(anna, "Hello?").await;
    until(&world, first, Status::Sent).await;
    let channel = world.gateway.channel("main").unwrap();
    let (error, at) = (None, world.gateway.now());
    let status = ReceiptStatus { stage: ReceiptStage::Sent, raw: "sent".into(), error, at };
    let receipt = ProviderReceipt { provider_id: "SMfirst".into(), message_id: Some(first), status };
    world.gateway.receive_receipt(channel, receipt).await.unwrap();
    assert_eq!(world.message(first).await.delivery.provider_ids, ["SM0", "SMfirst"]);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(world.carrier.handed().len(), 2);
    let delivery = world.message(second).await.delivery;
    assert!(delivery.status == Status::Unknown && delivery.held_at.is_some(), "a person decides");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ahead_makes_no_look_the_last_one() {
    for unanswered in [false, true] {
        let plan =
            Plan { list_lag: Duration::from_secs(20), on_unknown: OnUnknown::Resend, ..Plan::default() };
        let world = World::start(plan).await;
        let anna = world.text(ANNA, "Hey").await;
        world.carrier.next([Act::Break { taken: true }]);
        world.carrier.falls_silent(unanswered);
        let text = world.say(anna, "Once").await;
        world.carrier.until(1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.clock_jumps(3_600);
        tokio::time::sleep(Duration::from_secs(5)).await;
        world.carrier.falls_silent(false);
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(world.message(text).await.delivery.status, Status::Sent);
        assert_eq!(world.carrier.handed().len(), 1, "it was in the list after 20 seconds");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_back_does_not_end_the_looking() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Break { taken: false }]);
    world.say(anna, "Once").await;
    world.carrier.until(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.clock_jumps(-600);
    let again = world.carrier.until(2).await[1].at;
    assert!((Duration::from_secs(90)..Duration::from_secs(700)).contains(&again), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_be_there_if_our_clock_was_ahead_is_not_sent_again_by_itself() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.clock_jumps(600);
    world.carrier.next([Act::Break { taken: true }]);
    let text = world.say(anna, "Once").await;
    world.carrier.until(1).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.carrier.handed().len(), 1);
    assert!(world.message(text).await.is_held(), "a person has to decide");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_unknown_fate_does_not_wait_for_a_provider_that_hangs() {
    let world = World::start(Plan::default()).await;
    world.carrier.dawdles(Duration::from_secs(3_600));
    world.carrier.next(vec![Act::Break { taken: false }; 12]);
    for customer in 0..12 {
        let customer = world.text(&format!("+1415555{:04}", 2000 + customer), "Hey").await;
        world.say(customer, "Lost").await;
        world.say(customer, "Next").await;
    }
    let handed = world.carrier.until(24).await;
    assert!(handed[12..].iter().all(|handed| handed.text.content == "Next"));
    assert!(handed[23].at < Duration::from_secs(125), "{:?}", handed[23].at);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_unknown_fate_does_not_wait_behind_the_many_that_are_looked_for_before() {
    let world = World::start(Plan::default()).await;
    world.carrier.next(vec![Act::Break { taken: false }; 251]);
    let anna = world.text(ANNA, "Hey").await;
    world.say(anna, "Lost").await;
    world.say(anna, "Next").await;
    // Her text is looked for thrice, and then not before 90 seconds are over.
    tokio::time::sleep(Duration::from_secs(50)).await;
    world.carrier.dawdles(Duration::from_secs(3_600));
    for customer in 0..250 {
        let customer = world.text(&format!("+1415555{:04}", 2000 + customer), "Hey").await;
        world.say(customer, "Lost").await;
    }
    let handed = world.carrier.until(252).await;
    assert_eq!(handed[251].text.content, "Next");
    assert!(handed[251].at < Duration::from_secs(125), "{:?}", handed[251].at);
}
