//! Unknown fates: settled by evidence, never by hope.

use std::time::Duration;

use super::fixture::{Act, Plan, World};
use crate::domain::delivery::{ReceiptStage, ReceiptStatus, Status};
use crate::provider::ProviderReceipt;

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
