//! Silent texts: asked about less and less often, and never changed by what was not said.

use std::time::Duration;

use super::fixture::{Plan, World};
use crate::domain::delivery::{ReceiptStage, ReceiptStatus, Status};
use crate::domain::ids::MessageId;
use crate::provider::ProviderReceipt;

const ANNA: &str = "+14155550101";

fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

fn status(world: &World, stage: ReceiptStage) -> ReceiptStatus {
    ReceiptStatus { stage, raw: format!("{stage:?}").to_lowercase(), error: None, at: world.gateway.now() }
}

async fn sent(world: &World) -> MessageId {
    let anna = world.text(ANNA, "Hey").await;
    let text = world.say(anna, "Hello").await;
    world.carrier.until(1).await;
    text
}

/// When it was asked, in minutes.
fn asked(world: &World) -> Vec<u64> {
    world.carrier.fetched().iter().map(|(at, _)| at.as_secs() / 60).collect()
}

#[tokio::test(start_paused = true)]
async fn a_silent_text_is_asked_about_and_the_answer_counts() {
    let world = World::start(Plan::default()).await;
    let text = sent(&world).await;
    world.carrier.says(Some(status(&world, ReceiptStage::Delivered)));
    tokio::time::sleep(hours(2)).await;
    assert_eq!(asked(&world), [15], "once it is delivered there is nothing left to ask");
    let message = world.message(text).await;
    assert_eq!(message.delivery.status, Status::Delivered);
    assert!(message.delivered_at.is_some() && message.delivery.history[0].asked);
}

#[tokio::test(start_paused = true)]
async fn what_stays_silent_is_asked_about_four_times_and_stays_sent() {
    let world = World::start(Plan::default()).await;
    let text = sent(&world).await;
    world.carrier.says(None);
    tokio::time::sleep(hours(2)).await;
    world.carrier.says(Some(status(&world, ReceiptStage::Sent)));
    tokio::time::sleep(hours(24)).await;
    assert_eq!(asked(&world), [15, 60, 360, 1440]);
    assert_eq!(world.message(text).await.delivery.status, Status::Sent);
    let metrics = world.gateway.metrics().render(world.gateway.store().counts().await.ok(), true);
    for outcome in ["not_known", "stale"] {
        let line = format!("switchboard_silent_asks_total{{channel=\"main\",outcome=\"{outcome}\"}} 2");
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_cannot_be_asked_is_asked_again_at_the_next_time() {
    let world = World::start(Plan::default()).await;
    let text = sent(&world).await;
    world.carrier.falls_silent(true);
    tokio::time::sleep(hours(2)).await;
    assert_eq!((asked(&world), world.message(text).await.delivery.status), (vec![15, 60], Status::Sent));
    world.carrier.falls_silent(false);
    world.carrier.says(Some(status(&world, ReceiptStage::Undelivered)));
    tokio::time::sleep(hours(5)).await;
    assert_eq!(world.message(text).await.delivery.status, Status::Undelivered);
}

#[tokio::test(start_paused = true)]
async fn what_a_receipt_settled_is_not_asked_about() {
    let world = World::start(Plan::default()).await;
    sent(&world).await;
    let channel = world.gateway.channel("main").unwrap();
    let status = status(&world, ReceiptStage::Delivered);
    let receipt = ProviderReceipt { provider_id: "SM0".into(), message_id: None, status };
    world.gateway.receive_receipt(channel, receipt).await.unwrap();
    tokio::time::sleep(hours(2)).await;
    assert!(world.carrier.fetched().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_tells_nothing_of_a_single_text_is_not_asked() {
    let world = World::start(Plan { lists: false, ..Plan::default() }).await;
    let text = sent(&world).await;
    tokio::time::sleep(hours(2)).await;
    assert!(world.carrier.fetched().is_empty());
    assert_eq!(world.message(text).await.delivery.status, Status::Sent);
}
