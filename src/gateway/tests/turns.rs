//! The bot is told in order, its late answers are refused, and when it fails humans take over.

use std::time::Duration;

use super::fixture::{Plan, World, answer};
use crate::bot::BotError;
use crate::domain::conversation::Answer;
use crate::domain::turn::{TurnKind, TurnState};

const ANNA: &str = "+14155550101";

fn plan(
    script: impl Fn(&crate::domain::turn::TurnWork) -> (Duration, Result<Answer, BotError>)
    + Send
    + Sync
    + 'static,
) -> Plan {
    Plan { has_bot: true, script: Box::new(script), ..Plan::default() }
}

#[tokio::test(start_paused = true)]
async fn turns_of_a_session_come_one_after_the_other_and_their_answers_in_order() {
    let world = World::start(plan(|work| {
        let heard = work.message.as_ref().map_or("", |message| message.content.as_str());
        (Duration::from_secs(1), Ok(answer(&[&format!("{heard} a"), &format!("{heard} b")])))
    }))
    .await;
    for content in ["1", "2", "3"] {
        world.text(ANNA, content).await;
    }
    world.carrier.until(6).await;
    assert_eq!(world.carrier.contents(), ["1 a", "1 b", "2 a", "2 b", "3 a", "3 b"]);
    let numbers: Vec<_> = world.robot.told().iter().map(|work| work.turn.number.unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_the_switch_is_refused_and_recorded() {
    let world = World::start(plan(|work| match work.turn.kind {
        TurnKind::MessageReceived => (Duration::from_secs(5), Ok(answer(&["Too late"]))),
        TurnKind::MessageCreated | TurnKind::SessionUpdated | TurnKind::MessageObserved => {
            (Duration::ZERO, Ok(Answer::default()))
        }
    }))
    .await;
    let anna = world.text(ANNA, "Hey").await;
    let turn = world.robot.until(1).await[0].turn.id;
    world.hold(anna, true).await;
    world.hold(anna, false).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.carrier.handed().is_empty());
    let state = world.gateway.store().turn(turn).await.unwrap().unwrap().state;
    assert!(matches!(state, TurnState::Refused { .. }), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_stays_away_is_asked_five_times_and_then_humans_take_over() {
    let world = World::start(plan(|_| (Duration::ZERO, Err(BotError::unavailable("gone"))))).await;
    let anna = world.text(ANNA, "Hey").await;
    let told = world.robot.until(5).await;
    assert!(told.iter().all(|work| work.turn.id == told[0].turn.id), "a repeat is the same turn");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.robot.told().len(), 5);
    let session = world.gateway.current_session(anna).await.unwrap().unwrap();
    assert!(session.need_attention);
    assert!(session.attention_reason.unwrap().starts_with("bot_unavailable"));
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_refuses_is_not_asked_again() {
    let world = World::start(plan(|_| (Duration::ZERO, Err(BotError::Refused("no".into()))))).await;
    let anna = world.text(ANNA, "Hey").await;
    world.robot.until(1).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.robot.told().len(), 1);
    assert!(world.gateway.current_session(anna).await.unwrap().unwrap().need_attention);
}

#[tokio::test(start_paused = true)]
async fn on_release_the_bot_learns_what_was_said_without_it() {
    let world = World::start(plan(|_| (Duration::ZERO, Ok(Answer::default())))).await;
    let anna = world.text(ANNA, "Hey").await;
    world.robot.until(1).await;
    world.hold(anna, true).await;
    world.text(ANNA, "A human?").await;
    world.say(anna, "Here I am").await;
    world.hold(anna, false).await;
    let told = world.robot.until(3).await;
    let update = told.iter().find(|work| work.turn.kind == TurnKind::SessionUpdated).unwrap();
    let said: Vec<_> = update.history.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(said, ["A human?", "Here I am"]);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_ends_while_it_tells_the_bot_is_no_failure_of_the_bots() {
    let mut world = World::start(plan(|work| match work.turn.attempts {
        1..=6 => (Duration::from_secs(3_600), Ok(answer(&["never heard"]))),
        7 => (Duration::ZERO, Err(BotError::unavailable("once"))),
        _ => (Duration::ZERO, Ok(answer(&["at last"]))),
    }))
    .await;
    world.text(ANNA, "Hey").await;
    for told in 1..=6 {
        world.robot.until(told).await;
        world = world.start_again(&Plan { has_bot: true, ..Plan::default() }).await;
    }
    world.carrier.until(1).await;
    assert_eq!(world.carrier.contents(), ["at last"]);
    assert_eq!(world.robot.told().last().unwrap().turn.failures, 1);
}
