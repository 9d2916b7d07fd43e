//! Pauses that the provider asks for: they stop their scope and nothing else, and outlive the process.

use std::time::Duration;

use super::fixture::{Act, BRAND, OTHER_BRAND, Plan, World, queue_full};
use super::sending::ms;
use crate::domain::delivery::{ErrorClass, ReceiptStage, ReceiptStatus, Status};
use crate::domain::ids::{CustomerId, MessageId};
use crate::provider::ProviderReceipt;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";

/// Two customers, each on a number of their own.
async fn two(world: &World) -> (CustomerId, CustomerId) {
    (world.text(ANNA, "Hey").await, world.text_to(BERT, OTHER_BRAND, "Hey").await.customer_id)
}

async fn receipt(world: &World, message: MessageId, stage: ReceiptStage, code: ErrorClass) {
    let provider_id = world.message(message).await.delivery.provider_ids[0].clone();
    let status = ReceiptStatus {
        stage,
        raw: "undelivered".into(),
        error: Some(queue_full(code)),
        at: world.gateway.now(),
    };
    let receipt = ProviderReceipt { provider_id, message_id: None, status };
    let channel = world.gateway.channel("main").unwrap().clone();
    world.gateway.receive_receipt(&channel, receipt).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_too_fast_rests_with_all_its_numbers() {
    let world = World::start(Plan::default()).await;
    let (anna, bert) = two(&world).await;
    world.carrier.next([Act::Throttle { retry_after_s: 30 }]);
    world.say(anna, "Too fast").await;
    world.carrier.until(1).await;
    world.say(bert, "The same account").await;
    let handed = world.carrier.until(3).await;
    assert!(handed[1].at >= ms(30_000) && handed[2].at >= ms(30_000));
}

#[tokio::test(start_paused = true)]
async fn a_pause_outlives_the_process() {
    let mut world = World::start(Plan::default()).await;
    let (anna, bert) = two(&world).await;
    world.carrier.next([Act::QueueFull { retry_after_s: 3600 }]);
    world.say(anna, "Queue full").await;
    world.carrier.until(1).await;
    for _ in 0..3 {
        tokio::time::sleep(ms(60_000)).await;
        world = world.start_again(&Plan::default()).await;
    }
    let carl = world.text("+14155550103", "Hey").await;
    world.say(carl, "On the same number").await;
    world.say(bert, "On another").await;
    let handed = world.carrier.until(4).await;
    assert_eq!(world.carrier.contents()[1], "On another");
    assert!(handed[1].at < ms(200_000));
    let mut late: Vec<_> = handed[2..].iter().map(|handed| handed.text.content.as_str()).collect();
    late.sort_unstable();
    assert_eq!(late, ["On the same number", "Queue full"]);
    assert!(handed[2..].iter().all(|handed| handed.at >= ms(3_600_000)), "{handed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_may_ask_its_sender_to_rest() {
    let world = World::start(Plan::default()).await;
    let (anna, bert) = two(&world).await;
    let taken = world.say(anna, "Taken").await;
    world.carrier.until(1).await;
    tokio::time::sleep(ms(10)).await;
    receipt(&world, taken, ReceiptStage::Undelivered, ErrorClass::Throttled).await;
    assert_eq!(world.message(taken).await.delivery.status, Status::Undelivered);
    let before = world.gateway.elapsed();
    world.say(anna, "Later").await;
    world.say(bert, "At once").await;
    let handed = world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["Taken", "At once", "Later"]);
    assert!(handed[2].at >= before + ms(500));
    // The same receipt again is old news.
    let before = world.gateway.elapsed();
    receipt(&world, taken, ReceiptStage::Undelivered, ErrorClass::Throttled).await;
    world.say(anna, "And now").await;
    assert!(world.carrier.until(4).await[3].at < before + ms(100));
}

#[tokio::test(start_paused = true)]
async fn without_a_word_pauses_grow_and_something_taken_ends_the_row() {
    let world = World::start(Plan::default()).await;
    let (anna, _) = two(&world).await;
    let throttled = || Act::Refuse(ErrorClass::Throttled);
    world.carrier.next([
        throttled(),
        throttled(),
        throttled(),
        throttled(),
        Act::Take,
        throttled(),
        Act::Take,
    ]);
    world.say(anna, "First").await;
    let handed = world.carrier.until(5).await;
    let waits: Vec<Duration> =
        handed.windows(2).map(|pair| pair[1].at.checked_sub(pair[0].at).unwrap()).collect();
    for (wait, whole) in waits.iter().zip([1_000, 2_000, 4_000, 8_000]) {
        assert!((ms(whole / 2)..=ms(whole + 1)).contains(wait), "{waits:?}");
    }
    world.say(anna, "Second").await;
    let handed = world.carrier.until(7).await;
    let wait = handed[6].at.checked_sub(handed[5].at).unwrap();
    assert!((ms(500)..=ms(1_001)).contains(&wait), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_text_keeps_its_place_before_its_customers_next() {
    let world = World::start(Plan::default()).await;
    let (anna, _) = two(&world).await;
    world.carrier.next([Act::QueueFull { retry_after_s: 5 }, Act::Throttle { retry_after_s: 5 }]);
    for text in ["First", "Second", "Third"] {
        world.say(anna, text).await;
    }
    world.carrier.until(5).await;
    assert_eq!(world.carrier.contents(), ["First", "First", "First", "Second", "Third"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_down_when_a_pause_began_is_held_back_and_not_lost() {
    let world = World::start(Plan { number_pace: Some("100/s"), ..Plan::default() }).await;
    let mut customers = Vec::new();
    for number in 0..5 {
        customers.push(world.text(&format!("+141555502{number:02}"), "Hey").await);
    }
    world.carrier.next([Act::Throttle { retry_after_s: 60 }]);
    let mut ids = Vec::new();
    for customer in customers {
        ids.push(world.say(customer, "Hello").await);
    }
    let handed = world.carrier.until(6).await;
    assert!(handed[1].at >= handed[0].at + ms(60_000), "nothing leaves after the refusal");
    tokio::time::sleep(ms(100)).await;
    for id in ids {
        assert_eq!(world.message(id).await.delivery.status, Status::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_seen_while_it_lasts() {
    let world = World::start(Plan::default()).await;
    let (anna, _) = two(&world).await;
    world.carrier.next([Act::QueueFull { retry_after_s: 30 }]);
    world.say(anna, "Queue full").await;
    world.carrier.until(1).await;
    tokio::time::sleep(ms(1)).await;
    let lasting = r#"switchboard_pauses{channel="main",scope="sender"} 1"#;
    assert!(world.gateway.metrics().render(None, true).contains(lasting));
    assert!(!world.gateway.metrics().render(None, true).contains(BRAND));
    tokio::time::sleep(ms(31_000)).await;
    let over = r#"switchboard_pauses{channel="main",scope="sender"} 0"#;
    assert!(world.gateway.metrics().render(None, true).contains(over));
}
