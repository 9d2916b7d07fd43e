//! An attempt is written down right before its text leaves, whatever that waits for: so nothing leaves after a word that
//! came while it waited.

use std::time::Duration;

use super::fixture::{Act, BRAND, OTHER_BRAND, Plan, World};
use super::sending::ms;
use crate::domain::delivery::{ErrorClass, ReceiptStage, ReceiptStatus, Status};
use crate::domain::message::Role;
use crate::gateway::pace::Lead;
use crate::provider::ProviderReceipt;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";

/// One plan for each thing that a text may wait for, at 2000 segments a day.
fn slow(has_bot: bool) -> [Plan; 3] {
    let plan = || Plan { has_bot, ..Plan::default() };
    [
        Plan { number_pace: Some("2000/d"), ..plan() },
        Plan { account_pace: Some("2000/d"), ..plan() },
        Plan { destinations: &[("+1", "2000/d")], ..plan() },
    ]
}

fn long() -> String {
    "x".repeat(400)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_begun_right_before_its_text_leaves_whatever_that_waits_for() {
    for (scope, plan) in slow(false).into_iter().enumerate() {
        let world = World::start(plan).await;
        let mut ids = Vec::new();
        for (number, brand) in [BRAND, OTHER_BRAND, BRAND].into_iter().enumerate() {
            let customer = world.text_to(&format!("+1415555010{number}"), brand, "Hey").await.customer_id;
            ids.push(world.say(customer, &long()).await);
        }
        let handed = world.carrier.until(3).await;
        assert!(handed[1].at >= Duration::from_secs(120), "they did wait");
        tokio::time::sleep(ms(10)).await;
        for id in ids {
            let attempts = world.message(id).await.delivery.attempts;
            let handed = handed.iter().find(|handed| handed.text.message_id == id).unwrap();
            let begun = attempts[0].at.as_millis() - 1_700_000_000_000;
            let ahead = handed.at.saturating_sub(ms(u64::try_from(begun).unwrap()));
            assert!(ahead <= Lead::MOST + ms(1), "scope {scope}: {ahead:?} before it left");
            assert_eq!(attempts.len(), 1, "scope {scope}: it was not put back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_canceled_expires_or_is_unsubscribed_while_it_waits_never_leaves() {
    for (scope, plan) in slow(false).into_iter().enumerate() {
        let world = World::start(plan).await;
        let anna = world.text(ANNA, "Hey").await;
        let bert = world.text(BERT, "Hey").await;
        let carl = world.text("+14155550103", "Hey").await;
        let expires = world.say_for(anna, &long(), Some(Duration::from_secs(100))).await;
        let canceled = world.say(bert, &long()).await;
        let stopped = world.say(carl, &long()).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.gateway.cancel_message(canceled).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.text("+14155550103", "STOP").await;
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let left = world.carrier.contents().iter().filter(|content| **content == long()).count();
        assert_eq!(left, 0, "scope {scope}");
        for (id, status) in
            [(expires, Status::Expired), (canceled, Status::Canceled), (stopped, Status::Canceled)]
        {
            assert_eq!(world.message(id).await.delivery.status, status, "scope {scope}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_whose_attempt_is_written_down_does_not_leave_after_a_stop_either() {
    for by_text in [true, false] {
        let world = World::start(Plan { number_pace: Some("1/s"), ..Plan::default() }).await;
        let anna = world.text(ANNA, "Hey").await;
        let bert = world.text(BERT, "Hey").await;
        let last = world.say(bert, "one segment").await;
        let stopped = world.say(anna, "never").await;
        world.carrier.until(1).await;
        while world.message(stopped).await.delivery.status != Status::Sending {
            tokio::time::sleep(ms(1)).await;
        }
        assert_eq!(world.carrier.contents(), ["one segment"], "it waits at the gate");
        if by_text {
            world.text(ANNA, "STOP").await;
        } else {
            world.gateway.set_subscription(anna, true, "desk").await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(world.message(stopped).await.delivery.status, Status::Canceled, "by text: {by_text}");
        assert_eq!(world.message(last).await.delivery.status, Status::Sent);
        assert_eq!(world.carrier.contents(), ["one segment"], "by text: {by_text}");
    }
}

#[tokio::test(start_paused = true)]
async fn agents_have_a_session_at_once_while_the_bots_text_waits() {
    for (scope, plan) in slow(true).into_iter().enumerate() {
        let world = World::start(plan).await;
        let anna = world.text(ANNA, "Hey").await;
        let text = world.say_as(anna, Role::Init, &long()).await;
        tokio::time::sleep(Duration::from_secs(100)).await;
        let asked = world.gateway.elapsed();
        world.hold(anna, true).await;
        assert!(world.gateway.elapsed().saturating_sub(asked) < Lead::MOST, "scope {scope}");
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert!(world.carrier.handed().is_empty(), "scope {scope}");
        assert_eq!(world.message(text).await.delivery.status, Status::Canceled, "scope {scope}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_whose_receipt_comes_while_it_is_about_to_be_sent_again_does_not_leave_again() {
    let world = World::start(Plan { number_pace: Some("1/m"), ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Refuse(ErrorClass::Transient)]);
    let text = world.say(anna, "Hello").await;
    world.carrier.until(1).await;
    while world.message(text).await.delivery.attempts.len() < 2 {
        tokio::time::sleep(ms(1)).await;
    }
    assert_eq!(world.carrier.handed().len(), 1, "the second attempt waits for its moment");
    let at = world.gateway.now();
    let status = ReceiptStatus { stage: ReceiptStage::Sent, raw: "sent".into(), error: None, at };
    let receipt = ProviderReceipt { provider_id: "SM1".into(), message_id: Some(text), status };
    let channel = world.gateway.channel("main").unwrap().clone();
    world.gateway.receive_receipt(&channel, receipt).await.unwrap();
    let next = world.say(anna, "And this").await;
    world.carrier.until(2).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.carrier.contents(), ["Hello", "And this"]);
    for id in [text, next] {
        assert_eq!(world.message(id).await.delivery.status, Status::Sent);
    }
}
