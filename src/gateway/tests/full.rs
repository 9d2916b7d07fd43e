//! A store that takes no changes, as one whose disk is full.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fixture::{Act, Plan, World};
use crate::domain::delivery::Status;

const ANNA: &str = "+14155550101";
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn who_starts_with_it_serves_and_takes_everything_up_when_it_can() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::TakeSlowly(MINUTE)]);
    let under_way = world.say(anna, "one").await;
    let waiting = world.say(anna, "two").await;
    world.carrier.until(1).await;
    world.disk_is_full(true);
    let world = world.start_again(&Plan::default()).await;
    tokio::time::sleep(10 * MINUTE).await;
    assert_eq!(world.message(under_way).await.delivery.status, Status::Sending, "it can be read");
    assert_eq!(world.carrier.contents(), ["one"]);
    assert!(world.gateway.start_is_put_off());
    world.disk_is_full(false);
    tokio::time::sleep(3 * MINUTE).await;
    assert!(!world.gateway.start_is_put_off());
    assert_eq!(world.carrier.contents(), ["one", "two"], "the first was found");
    for text in [under_way, waiting] {
        assert_eq!(world.message(text).await.delivery.status, Status::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_put_off_and_finds_what_cannot_be_read_says_so() {
    let world = World::start(Plan::default()).await;
    world.disk_is_full(true);
    let world = world.start_again(&Plan::default()).await;
    assert!(world.gateway.start_is_put_off());
    let failed = world.gateway.start_failed();
    assert!(tokio::time::timeout(MINUTE, failed).await.is_err(), "there may be room again");
    world.store_is_corrupt();
    let reason = tokio::time::timeout(MINUTE, world.gateway.start_failed()).await.unwrap();
    assert!(reason.contains("cannot be read"), "{reason}");
    assert!(world.gateway.start_is_put_off());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_not_asked_for_again_and_again() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Break { taken: true }]);
    let text = world.say(anna, "one").await;
    world.carrier.until(1).await;
    while world.message(text).await.delivery.status != Status::Unknown {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world.disk_is_full(true);
    tokio::time::sleep(5 * MINUTE).await;
    let looked = world.carrier.looked.load(Ordering::Relaxed);
    assert!((10..=31).contains(&looked), "{looked} times in five minutes");
    world.disk_is_full(false);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(world.message(text).await.delivery.status, Status::Sent);
}
