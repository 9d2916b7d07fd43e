//! A store that kept what it could not say that it kept.

use std::time::Duration;

use super::fixture::{Act, Plan, World, answer};
use crate::domain::delivery::Status;
use crate::domain::turn::TurnState;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";

#[tokio::test(start_paused = true)]
async fn a_text_whose_attempt_nobody_knew_of_leaves_once() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.doubt_next();
    let text = world.say(anna, "Hello").await;
    world.carrier.until(1).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.carrier.contents(), ["Hello"]);
    let delivery = world.message(text).await.delivery;
    assert_eq!((delivery.status, delivery.attempt_number()), (Status::Sent, 2));
    let outcomes: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.outcome.clone().unwrap()).collect();
    assert_eq!(outcomes, ["never_left", "accepted"]);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_on_its_way_is_not_taken_for_one_of_them() {
    let world = World::start(Plan { number_pace: None, ..Plan::default() }).await;
    let (anna, bert) = (world.text(ANNA, "Hey").await, world.text(BERT, "Hey").await);
    world.carrier.next([Act::TakeSlowly(Duration::from_secs(20))]);
    let slow = world.say(anna, "Slow").await;
    world.carrier.until(1).await;
    world.doubt_next();
    let text = world.say(bert, "Doubted").await;
    world.carrier.until(2).await;
    assert_eq!(world.message(slow).await.delivery.status, Status::Sending);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.carrier.contents(), ["Slow", "Doubted"]);
    for id in [slow, text] {
        assert_eq!(world.message(id).await.delivery.status, Status::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_whose_claim_nobody_knew_of_is_told() {
    let script = Box::new(|_: &_| (Duration::ZERO, Ok(answer(&["Hello"]))));
    let world = World::start(Plan { has_bot: true, script, ..Plan::default() }).await;
    world.doubt_next();
    world.text(ANNA, "Hey").await;
    let told = world.robot.until(1).await;
    world.carrier.until(1).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((world.robot.told().len(), told[0].turn.attempts), (1, 2));
    let state = world.gateway.store().turn(told[0].turn.id).await.unwrap().unwrap().state;
    assert_eq!(state, TurnState::Done);
    assert_eq!(world.carrier.contents(), ["Hello"]);
}
