//! Whoever follows the log is told all of it, once and in order, or told that they cannot be.

use std::time::Duration;

use uuid::Uuid;

use super::fixture::{Plan, World};
use crate::domain::event::EventId;
use crate::domain::ids::CustomerId;
use crate::gateway::events::{FollowError, Follower, Told, Typing};
use crate::store::Logged;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";
const HOUR: Duration = Duration::from_secs(3_600);

/// The next event; a minute is more than anybody should wait for what has happened.
async fn next(follower: &mut Follower) -> Logged {
    let told = tokio::time::timeout(Duration::from_secs(60), follower.next()).await;
    match told.expect("nothing is told").unwrap() {
        Told::Event(logged) => logged.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

/// Nothing comes any more.
async fn nothing(follower: &mut Follower) {
    let told = tokio::time::timeout(Duration::from_secs(60), follower.next()).await;
    assert!(told.is_err(), "{told:?}");
}

async fn newest(world: &World) -> u64 {
    world.gateway.store().last_event().await.unwrap()
}

/// Reads on to the end of the log, and finds no gap and no repeat.
async fn all_from(world: &World, follower: &mut Follower, place: u64) {
    for expected in place + 1..=newest(world).await {
        assert_eq!(next(follower).await.event.place, expected);
    }
    nothing(follower).await;
}

async fn crowd(world: &World, first: usize, count: usize) {
    for number in first..first + count {
        world.text(&format!("+1415556{number:04}"), "Hey").await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_event_to_begin_with_one_follows_from_now_on() {
    let world = World::start(Plan::default()).await;
    world.text(ANNA, "Hey").await;
    let place = newest(&world).await;
    let mut follower = world.gateway.follow(None).await.unwrap();
    let known = world.gateway.store().event(place).await.unwrap().unwrap();
    assert_eq!(follower.id(), known.event.id());
    world.text(BERT, "Hey").await;
    all_from(&world, &mut follower, place).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_log_is_followed_from_before_its_first_event() {
    let world = World::start(Plan::default()).await;
    let mut follower = world.gateway.follow(None).await.unwrap();
    assert_eq!(follower.id(), EventId::BEFORE_ALL);
    world.text(ANNA, "Hey").await;
    all_from(&world, &mut follower, 0).await;
}

#[tokio::test(start_paused = true)]
async fn after_any_event_comes_the_next_one() {
    let world = World::start(Plan::default()).await;
    crowd(&world, 0, 100).await;
    let mut follower = world.gateway.follow(Some(EventId::BEFORE_ALL)).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..newest(&world).await {
        ids.push(next(&mut follower).await.event.id());
        assert_eq!(Some(&follower.id()), ids.last());
    }
    for at in [0, 1, ids.len() / 2, ids.len() - 2] {
        let mut follower = world.gateway.follow(Some(ids[at])).await.unwrap();
        assert_eq!(follower.id(), ids[at]);
        assert_eq!(next(&mut follower).await.event.id(), ids[at + 1]);
    }
    let mut follower = world.gateway.follow(ids.last().copied()).await.unwrap();
    nothing(&mut follower).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_that_this_log_never_gave_has_no_place_in_it() {
    let world = World::start(Plan::default()).await;
    world.text(ANNA, "Hey").await;
    let id = world.gateway.follow(None).await.unwrap().id();
    let at_another_time = EventId(Uuid::from_u128(id.0.as_u128() ^ (1 << 90)));
    let not_yet = EventId(Uuid::from_u128(id.0.as_u128() + 1));
    let random = EventId(Uuid::from_u128(0xf47a_c10b_58cc_4372_a567_0e02_b2c3_d479));
    for foreign in [at_another_time, not_yet, random, EventId(Uuid::nil()), EventId(Uuid::max())] {
        let followed = world.gateway.follow(Some(foreign)).await;
        assert!(matches!(followed.map(|_| ()), Err(FollowError::Forgotten)), "{foreign}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_is_not_passed_over_in_silence() {
    let world = World::start(Plan { keep_events: HOUR, ..Plan::default() }).await;
    world.text(ANNA, "Hey").await;
    let first = world.gateway.store().event(1).await.unwrap().unwrap().event.id();
    // Nobody asks this one for so long.
    let mut slow = world.gateway.follow(Some(EventId::BEFORE_ALL)).await.unwrap();
    tokio::time::sleep(HOUR * 2).await;
    for id in [EventId::BEFORE_ALL, first] {
        let followed = world.gateway.follow(Some(id)).await;
        assert!(matches!(followed.map(|_| ()), Err(FollowError::Forgotten)));
    }
    assert!(matches!(slow.next().await, Err(FollowError::Forgotten)));
    let place = newest(&world).await;
    let mut follower = world.gateway.follow(None).await.unwrap();
    world.text(BERT, "Hey").await;
    all_from(&world, &mut follower, place).await;
}

#[tokio::test(start_paused = true)]
async fn one_who_is_far_behind_reads_the_log_and_misses_nothing() {
    let world = World::start(Plan::default()).await;
    world.text(ANNA, "Hey").await;
    let place = newest(&world).await;
    let mut slow = world.gateway.follow(None).await.unwrap();
    crowd(&world, 0, 600).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(newest(&world).await > place + 1_100, "more than is kept for one who is behind");
    all_from(&world, &mut slow, place).await;
}

#[tokio::test(start_paused = true)]
async fn one_who_is_so_far_behind_that_the_log_forgot_is_told_so() {
    let world = World::start(Plan { keep_events: HOUR, ..Plan::default() }).await;
    let mut slow = world.gateway.follow(None).await.unwrap();
    crowd(&world, 0, 600).await;
    tokio::time::sleep(HOUR * 2).await;
    assert!(matches!(slow.next().await, Err(FollowError::Forgotten)));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_while_the_log_is_read_is_told_once() {
    let world = World::start(Plan::default()).await;
    crowd(&world, 0, 150).await;
    let mut follower = world.gateway.follow(Some(EventId::BEFORE_ALL)).await.unwrap();
    for place in 1..=400 {
        assert_eq!(next(&mut follower).await.event.place, place);
        if place % 10 == 0 {
            crowd(&world, 150 + usize::try_from(place).unwrap(), 1).await;
            // The others who follow are told of it meanwhile.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    all_from(&world, &mut follower, 400).await;
}

#[tokio::test(start_paused = true)]
async fn one_who_came_before_the_start_is_told_what_happened_until_then() {
    let world = World::start(Plan::default()).await;
    world.text(ANNA, "Hey").await;
    world.disk_is_full(true);
    let world = world.start_again(&Plan::default()).await;
    assert!(world.gateway.start_is_put_off());
    let place = newest(&world).await;
    let mut follower = world.gateway.follow(None).await.unwrap();
    let nothing_yet = tokio::time::timeout(Duration::from_millis(1), follower.next()).await;
    assert!(nothing_yet.is_err());
    world.disk_is_full(false);
    world.text(BERT, "Hey").await;
    assert!(world.gateway.start_is_put_off(), "what is new is read from the start on");
    let told = tokio::time::timeout(Duration::from_secs(3), follower.next()).await;
    assert!(matches!(told, Ok(Ok(Told::Event(first))) if first.event.place == place + 1));
    let place = place + 1;
    all_from(&world, &mut follower, place).await;
}

fn typing(name: &str) -> Typing {
    Typing {
        session_id: crate::domain::ids::SessionId(Uuid::nil()),
        customer_id: CustomerId(Uuid::nil()),
        name: name.into(),
        typing: true,
        at: crate::domain::time::Timestamp::from_millis(0),
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_typing_is_told_to_those_who_follow_right_now_and_kept_for_nobody() {
    let world = World::start(Plan::default()).await;
    world.text(ANNA, "Hey").await;
    world.gateway.note_typing(typing("nobody hears of this"));
    let mut one = world.gateway.follow(None).await.unwrap();
    let mut other = world.gateway.follow(Some(EventId::BEFORE_ALL)).await.unwrap();
    let place = newest(&world).await;
    world.gateway.note_typing(typing("ann"));
    for _ in 0..place {
        next(&mut other).await;
    }
    for follower in [&mut one, &mut other] {
        let id = follower.id();
        let Told::Typing(told) = follower.next().await.unwrap() else { panic!("ann is typing") };
        assert_eq!((told.name.as_str(), follower.id()), ("ann", id));
        nothing(follower).await;
    }
    assert_eq!(newest(&world).await, place);
}

#[tokio::test(start_paused = true)]
async fn those_who_follow_are_let_go_when_the_daemon_ends() {
    let world = World::start(Plan::default()).await;
    let mut follower = world.gateway.follow(None).await.unwrap();
    world.text(ANNA, "Hey").await;
    let (told, ()) = tokio::join!(
        async {
            loop {
                match follower.next().await.unwrap() {
                    Told::End => return true,
                    Told::Event(_) => {}
                    Told::Typing(_) => return false,
                }
            }
        },
        world.gateway.stop(),
    );
    assert!(told);
}
