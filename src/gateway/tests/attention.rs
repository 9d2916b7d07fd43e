//! Who waits for an agent is not forgotten: agents are told again, and in the end the bot has the conversation back.

use std::time::Duration;

use super::fixture::{Plan, World, answer};
use crate::bot::BotError;
use crate::domain::conversation::{Answer, AttentionPolicy};
use crate::domain::event::{SessionChange, What};
use crate::domain::turn::TurnKind;
use crate::gateway::events::{Follower, Told};

const ANNA: &str = "+14155550101";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn patience(escalate_after: Option<Duration>, return_after: Option<Duration>) -> AttentionPolicy {
    AttentionPolicy { escalate_after, return_after }
}

/// How often agents were told again until nothing more comes for so long, and when.
async fn escalations(world: &World, follower: &mut Follower, within: Duration) -> Vec<u64> {
    let mut times = Vec::new();
    let all = async {
        while let Ok(Told::Event(logged)) = follower.next().await {
            if let What::Session { change: SessionChange::Escalated, session } = &logged.event.what {
                assert_eq!(usize::try_from(session.escalations).unwrap(), times.len() + 1);
                times.push(world.gateway.elapsed().as_secs());
            }
        }
    };
    let _over = tokio::time::timeout(within, all).await;
    times
}

#[tokio::test(start_paused = true)]
async fn agents_are_told_again_after_pauses_that_double_until_one_answers() {
    let world =
        World::start(Plan { has_bot: true, attention: patience(Some(s(60)), None), ..Plan::default() }).await;
    let mut follower = world.gateway.follow(None).await.unwrap();
    let anna = world.text(ANNA, "Hey").await;
    world.hold(anna, true).await;
    let times = escalations(&world, &mut follower, s(500)).await;
    assert_eq!(times.len(), 3, "{times:?}");
    for (time, planned) in times.iter().zip([60, 180, 420]) {
        assert!((planned..=planned + 2).contains(time), "{times:?}");
    }
    world.say(anna, "Here I am").await;
    assert_eq!(escalations(&world, &mut follower, s(3_600)).await, Vec::<u64>::new());
    world.text(ANNA, "And another thing").await;
    let again = escalations(&world, &mut follower, s(90)).await;
    assert_eq!(again.len(), 1, "who waits anew is told of at the first pause: {again:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_came_the_bot_is_asked_for_the_answer_that_is_owed() {
    let world = World::start(Plan {
        has_bot: true,
        attention: patience(None, Some(s(300))),
        script: Box::new(|work| match work.message.as_ref().map(|message| message.content.as_str()) {
            Some("Anybody?") => (s(0), Ok(answer(&["I am back"]))),
            _ => (s(0), Ok(Answer::default())),
        }),
        ..Plan::default()
    })
    .await;
    let anna = world.text(ANNA, "Hey").await;
    world.robot.until(1).await;
    world.hold(anna, true).await;
    world.text(ANNA, "Anybody?").await;
    tokio::time::sleep(s(290)).await;
    assert!(world.gateway.current_session(anna).await.unwrap().unwrap().need_attention);
    assert_eq!(world.robot.told().len(), 1);
    let handed = world.carrier.until(1).await;
    assert_eq!(world.carrier.contents(), ["I am back"]);
    assert!((s(300)..s(303)).contains(&handed[0].at), "{:?}", handed[0].at);
    assert_eq!(world.robot.told()[1].turn.kind, TurnKind::MessageReceived);
    assert!(!world.gateway.current_session(anna).await.unwrap().unwrap().need_attention);
}

#[tokio::test(start_paused = true)]
async fn what_the_bot_could_not_be_asked_is_not_given_back_to_it() {
    let world = World::start(Plan {
        has_bot: true,
        attention: patience(None, Some(s(300))),
        script: Box::new(|_| (s(0), Err(BotError::Refused("not now".into())))),
        ..Plan::default()
    })
    .await;
    let anna = world.text(ANNA, "Hey").await;
    tokio::time::sleep(s(1_000)).await;
    assert!(world.gateway.current_session(anna).await.unwrap().unwrap().need_attention);
    assert_eq!(world.robot.told().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_has_taken_on_is_not_given_back() {
    let world =
        World::start(Plan { has_bot: true, attention: patience(None, Some(s(300))), ..Plan::default() })
            .await;
    let anna = world.text(ANNA, "Hey").await;
    world.hold(anna, true).await;
    world.gateway.assign_session(anna, Some("ann".into()), "ann", false).await.unwrap();
    tokio::time::sleep(s(1_000)).await;
    assert!(world.gateway.current_session(anna).await.unwrap().unwrap().need_attention);
    world.gateway.assign_session(anna, None, "ann", false).await.unwrap();
    tokio::time::sleep(s(301)).await;
    assert!(!world.gateway.current_session(anna).await.unwrap().unwrap().need_attention);
}
