//! What the bot says of its own accord, and what it is told again because somebody decided so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fixture::{Plan, World, answer};
use crate::bot::BotError;
use crate::domain::conversation::{Answer, Refusal};
use crate::domain::ids::{CustomerId, TurnId};
use crate::store::{ReplayError, ReplyError};

const ANNA: &str = "+14155550101";

/// Anna has texted a bot that said nothing to it yet.
async fn told() -> (World, CustomerId, TurnId) {
    let world = World::start(Plan { has_bot: true, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    let turn = world.robot.until(1).await[0].turn.id;
    tokio::time::sleep(Duration::from_secs(600)).await;
    (world, anna, turn)
}

#[tokio::test(start_paused = true)]
async fn a_reply_leaves_at_once_and_its_repeat_never() {
    let (world, _, turn) = told().await;
    let before = world.gateway.elapsed();
    let first = world.gateway.reply_to_turn(turn, [1; 32], answer(&["Here", "you are"])).await.unwrap();
    let handed = world.carrier.until(2).await;
    let waited = handed[1].at.checked_sub(before).unwrap();
    assert!(waited < Duration::from_millis(100), "{waited:?}");
    let again = world.gateway.reply_to_turn(turn, [1; 32], answer(&["Here", "you are"])).await.unwrap();
    let ids = |replied: &crate::store::TurnReplied| -> Vec<_> {
        replied.completed.messages.iter().map(|message| message.id).collect()
    };
    assert_eq!((again.replayed, ids(&again)), (true, ids(&first)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.carrier.contents(), ["Here", "you are"]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_from_before_the_switch_is_refused_and_kept_with_its_turn() {
    let (world, anna, turn) = told().await;
    world.hold(anna, true).await;
    world.hold(anna, false).await;
    let late = world.gateway.reply_to_turn(turn, [1; 32], answer(&["Too late"])).await.unwrap();
    assert_eq!(late.completed.refused, Some(Refusal::StaleTurn));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(world.carrier.handed().is_empty());
    let kept = world.gateway.store().turn(turn).await.unwrap().unwrap();
    assert_eq!(kept.refused_texts, ["Too late"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_bot_was_never_told_it_cannot_reply_to() {
    let (world, ..) = told().await;
    let nobody = world.gateway.reply_to_turn(TurnId(uuid::Uuid::nil()), [1; 32], answer(&["Hey"])).await;
    assert!(matches!(nobody, Err(ReplyError::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn a_hand_off_in_a_reply_takes_what_the_bot_had_queued_and_leaves_its_goodbye() {
    let (world, anna, turn) = told().await;
    let mut later = answer(&["In an hour"]);
    later.texts[0].delay = Duration::from_secs(3_600);
    world.gateway.reply_to_turn(turn, [1; 32], later).await.unwrap();
    let goodbye = Answer { handoff: Some("refund".into()), ..answer(&["A colleague takes over"]) };
    world.gateway.reply_to_turn(turn, [2; 32], goodbye).await.unwrap();
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    assert_eq!(world.carrier.contents(), ["A colleague takes over"]);
    let held = world.gateway.current_session(anna).await.unwrap().unwrap();
    assert_eq!(held.attention_reason.as_deref(), Some("refund"));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_was_given_up_is_told_again_when_somebody_says_so() {
    let works = Arc::new(AtomicBool::new(false));
    let script = Arc::clone(&works);
    let world = World::start(Plan {
        has_bot: true,
        script: Box::new(move |work| {
            let reply = match (script.load(Ordering::Relaxed), work.turn.kind.expects_reply()) {
                (false, _) => Err(BotError::Refused("no".into())),
                (true, true) => Ok(answer(&["At last"])),
                (true, false) => Ok(Answer::default()),
            };
            (Duration::from_secs(1), reply)
        }),
        ..Plan::default()
    })
    .await;
    let anna = world.text(ANNA, "Hey").await;
    let turn = world.robot.until(1).await[0].turn.id;
    let early = world.gateway.replay_turn(turn).await;
    assert!(matches!(early, Err(ReplayError::NotOver)), "{early:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let held = world.gateway.replay_turn(turn).await;
    assert!(matches!(held, Err(ReplayError::Refused(Refusal::SessionHeld))), "{held:?}");
    works.store(true, Ordering::Relaxed);
    world.hold(anna, false).await;
    let again = world.gateway.replay_turn(turn).await.unwrap();
    assert_ne!(again.id, turn);
    world.carrier.until(1).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.carrier.contents(), ["At last"]);
    let told = world.robot.told();
    let replayed = told.iter().find(|work| work.turn.id == again.id).unwrap();
    assert_eq!(replayed.message.as_ref().unwrap().content, "Hey");
    let unknown = world.gateway.replay_turn(TurnId(uuid::Uuid::nil())).await;
    assert!(matches!(unknown, Err(ReplayError::NotFound)));
}
