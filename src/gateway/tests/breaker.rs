//! A bot that fails, asks for time, or asks not to be called: how it is treated, and who answers meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fixture::{Plan, World, answer};
use crate::bot::BotError;
use crate::domain::conversation::{Answer, BotPolicy, LoopGuard};
use crate::domain::ids::CustomerId;
use crate::domain::session::Session;
use crate::domain::turn::{TurnKind, TurnWork};
use crate::gateway::BreakerState;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn plan(script: impl Fn(&TurnWork) -> Result<Answer, BotError> + Send + Sync + 'static) -> Plan {
    Plan { has_bot: true, script: Box::new(move |work| (Duration::ZERO, script(work))), ..Plan::default() }
}

fn heard(work: &TurnWork) -> &str {
    work.message.as_ref().map_or("", |message| message.content.as_str())
}

async fn session(world: &World, customer: CustomerId) -> Session {
    world.gateway.current_session(customer).await.unwrap().unwrap()
}

fn asks_for(seconds: u64) -> BotError {
    BotError::Unavailable { why: "busy".into(), retry_after: Some(s(seconds)) }
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_asks_for_more_time_is_given_it_and_for_less_is_not() {
    for (asked_for, pause) in [(60, 60), (1, 2)] {
        let world = World::start(plan(move |work| match work.turn.attempts {
            1 => Err(asks_for(asked_for)),
            _ => Ok(answer(&["Now"])),
        }))
        .await;
        world.text(ANNA, "Hey").await;
        world.robot.until(1).await;
        let before = world.gateway.elapsed();
        world.robot.until(2).await;
        let waited = world.gateway.elapsed().checked_sub(before).unwrap();
        assert!((s(pause)..s(pause + 1)).contains(&waited), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_is_gone_is_called_no_more_by_any_process_until_somebody_says_so() {
    let script = |work: &TurnWork| match heard(work) {
        "Gone" => Err(BotError::Gone),
        _ => Ok(answer(&["Hello"])),
    };
    let world = World::start(plan(script)).await;
    let anna = world.text(ANNA, "Gone").await;
    tokio::time::sleep(s(1)).await;
    let reason = session(&world, anna).await.attention_reason.unwrap();
    assert!(reason.starts_with("bot_disabled"), "{reason}");
    let disabled = world.gateway.bot_state().1.unwrap();
    assert!(disabled.reason.contains("410"), "{disabled:?}");

    let bert = world.text(BERT, "Hey").await;
    tokio::time::sleep(s(1)).await;
    assert!(session(&world, bert).await.need_attention, "humans have it at once");

    let world = world.start_again(&Plan { has_bot: true, ..Plan::default() }).await;
    assert_eq!(world.gateway.bot_state().1, Some(disabled));
    let carl = world.text("+14155550103", "Hey").await;
    tokio::time::sleep(s(1)).await;
    assert!(session(&world, carl).await.need_attention);
    assert_eq!(world.robot.told().len(), 1);

    world.gateway.enable_bot().await.unwrap();
    assert_eq!(world.gateway.bot_state(), (BreakerState::Closed, None));
    world.text("+14155550104", "Hey").await;
    world.carrier.until(1).await;
    assert_eq!(world.carrier.contents(), ["Hello"]);
    let world = world.start_again(&Plan { has_bot: true, ..Plan::default() }).await;
    assert_eq!(world.gateway.bot_state().1, None, "also that is remembered");
}

/// Five customers who texted a bot that is down.
async fn five(down: &Arc<AtomicBool>) -> (World, Vec<CustomerId>) {
    let is_down = Arc::clone(down);
    let world = World::start(plan(move |_| {
        if is_down.load(Ordering::Relaxed) { Err(BotError::unavailable("down")) } else { Ok(answer(&["Up"])) }
    }))
    .await;
    let mut customers = Vec::new();
    for number in 0..5 {
        customers.push(world.text(&format!("+141555502{number:02}"), "Hey").await);
    }
    world.robot.until(5).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    (world, customers)
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_fails_all_over_is_only_probed_until_it_answers_and_nobody_loses_a_try() {
    let down = Arc::new(AtomicBool::new(true));
    let (world, customers) = five(&down).await;
    assert_eq!(world.gateway.bot_state().0, BreakerState::Open);
    tokio::time::sleep(s(60)).await;
    let calls = world.robot.told().len();
    assert!((6..=9).contains(&calls), "{calls} calls in the first minute");
    down.store(false, Ordering::Relaxed);
    world.carrier.until(5).await;
    assert_eq!(world.gateway.bot_state().0, BreakerState::Closed);
    let mut failures = Vec::new();
    for customer in customers {
        let session = session(&world, customer).await;
        assert!(!session.need_attention);
        let told = world.robot.told();
        let last = told.iter().rev().find(|work| work.turn.session_id == session.id).unwrap();
        failures.push(last.turn.failures);
    }
    let all: u32 = failures.iter().sum();
    assert_eq!(
        usize::try_from(all).unwrap(),
        calls,
        "each call that failed counts once, and nothing else: {failures:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_for_as_long_as_a_failing_bot_is_asked_gets_a_human_while_it_is_only_probed() {
    let down = Arc::new(AtomicBool::new(true));
    let (world, customers) = five(&down).await;
    tokio::time::sleep(s(100)).await;
    for customer in &customers {
        assert!(!session(&world, *customer).await.need_attention);
    }
    let late = world.text(ANNA, "Hey").await;
    tokio::time::sleep(s(100)).await;
    for customer in &customers {
        let session = session(&world, *customer).await;
        assert!(session.attention_reason.unwrap().starts_with("bot_unavailable"));
    }
    assert!(!session(&world, late).await.need_attention, "it has waited for 100 s only");
    tokio::time::sleep(s(100)).await;
    assert!(session(&world, late).await.need_attention);
    let calls = world.robot.told().len();
    assert!(calls < 25, "{calls}");
}

const FALLBACK: &str = "A colleague will answer soon.";

#[tokio::test(start_paused = true)]
async fn a_customer_whom_the_bot_left_alone_is_told_once_that_somebody_comes() {
    let observes = BotPolicy { observe: true, ..BotPolicy::default() };
    let script = |_: &TurnWork| Err(BotError::Refused("no".into()));
    let world = World::start(Plan { fallback: Some(FALLBACK), bot: observes, ..plan(script) }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.until(1).await;
    assert!(session(&world, anna).await.need_attention);
    for more in ["Hello?", "Anybody?"] {
        world.text(ANNA, more).await;
        tokio::time::sleep(s(1)).await;
    }
    assert_eq!(world.robot.told().len(), 3, "it is told, to propose an answer");
    tokio::time::sleep(s(600)).await;
    assert_eq!(world.carrier.contents(), [FALLBACK]);
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_is_not_handed_over_is_told_nothing() {
    let script = |work: &TurnWork| match work.turn.kind {
        TurnKind::MessageReceived => Ok(Answer::default()),
        _ => Err(BotError::Refused("no".into())),
    };
    let world = World::start(Plan { fallback: Some(FALLBACK), ..plan(script) }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.robot.until(1).await;
    world.hold(anna, true).await;
    world.text(ANNA, "A human?").await;
    world.hold(anna, false).await;
    world.robot.until(2).await;
    tokio::time::sleep(s(600)).await;
    assert!(world.carrier.handed().is_empty(), "{:?}", world.carrier.contents());
    assert!(!session(&world, anna).await.need_attention);
}

#[tokio::test(start_paused = true)]
async fn a_bot_that_goes_round_in_circles_is_stopped_and_humans_take_over() {
    let guard = Some(LoopGuard { texts: 3, within: s(30) });
    let bot = BotPolicy { loop_guard: guard, ..BotPolicy::default() };
    let world = World::start(Plan { bot, ..plan(|_| Ok(answer(&["What?", "Say that again."]))) }).await;
    let anna = world.text(ANNA, "What?").await;
    world.carrier.until(2).await;
    world.text(ANNA, "What do you mean?").await;
    tokio::time::sleep(s(60)).await;
    assert_eq!(world.carrier.handed().len(), 2, "all of an answer counts, or nothing");
    let held = session(&world, anna).await;
    assert_eq!((held.need_attention, held.attention_reason.as_deref()), (true, Some("loop_guard")));
}

#[tokio::test(start_paused = true)]
async fn what_a_customer_writes_in_one_go_is_one_turn() {
    let bot = BotPolicy { debounce: s(2), ..BotPolicy::default() };
    let world = World::start(Plan { bot, ..plan(|_| Ok(Answer::default())) }).await;
    for content in ["I", "have", "a question"] {
        world.text(ANNA, content).await;
        tokio::time::sleep(s(1)).await;
    }
    assert!(world.robot.told().is_empty());
    let told = world.robot.until(1).await;
    let elapsed = world.gateway.elapsed();
    assert!((s(4)..s(5)).contains(&elapsed), "{elapsed:?}");
    let also: Vec<_> = told[0].also.iter().map(|message| message.content.as_str()).collect();
    assert_eq!((heard(&told[0]), also), ("I", vec!["have", "a question"]));
    tokio::time::sleep(s(60)).await;
    assert_eq!(world.robot.told().len(), 1);
}
