//! Lanes: their pace, their order, and that they do not wait for one another.

use std::time::Duration;

use super::fixture::{Act, Handed, OTHER_BRAND, Plan, World};
use crate::domain::delivery::{ErrorClass, Status};
use crate::domain::message::Role;
use crate::domain::pace::TIMER_SLACK;
use crate::domain::segments;

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";
const CARL: &str = "+14155550103";

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// No window of any length holds more segments than the pace, but for the one text at its edge and a timer's lateness.
pub fn keeps_pace(handed: &[Handed], interval: Duration) {
    for first in 0..handed.len() {
        let mut segments = 0;
        for later in &handed[first + 1..] {
            segments += segments::analyse(&later.text.content).segments;
            let window = later.at.checked_sub(handed[first].at).unwrap();
            assert!(
                window + TIMER_SLACK >= interval * segments,
                "{segments} segments within {window:?} after text {first}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_keeps_its_pace_in_segments_and_wastes_nothing_of_it() {
    let world = World::start(Plan { number_pace: Some("10/s"), ..Plan::default() }).await;
    let mut total = 0;
    for customer in 0..20 {
        let customer = world.text(&format!("+1415555{:04}", 1000 + customer), "Hey").await;
        for length in [5, 200, 400] {
            total += segments::analyse(&"x".repeat(length)).segments;
            world.say(customer, &"x".repeat(length)).await;
        }
    }
    let handed = world.carrier.until(60).await;
    keeps_pace(&handed, ms(100));
    let busy = handed[59].at.checked_sub(handed[0].at).unwrap();
    let least = ms(100) * (total - 1);
    assert!(
        busy <= least.mul_f64(1.03),
        "{total} segments took {busy:?}, and could have left within {least:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_accounts_pace_is_shared_by_its_numbers() {
    let world =
        World::start(Plan { number_pace: Some("10/s"), account_pace: Some("5/s"), ..Plan::default() }).await;
    for (customer, brand) in [(ANNA, super::fixture::BRAND), (BERT, OTHER_BRAND)] {
        let customer = world.text_to(customer, brand, "Hey").await.customer_id;
        for number in 0..10 {
            world.say(customer, &format!("Text {number}")).await;
        }
    }
    let handed = world.carrier.until(20).await;
    keeps_pace(&handed, ms(200));
    let of = |brand: &str| handed.iter().filter(|handed| handed.text.sender == brand).count();
    assert_eq!((of(super::fixture::BRAND), of(OTHER_BRAND)), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_right_after_a_start_where_something_may_have_left_right_before() {
    let world = World::start(Plan { number_pace: Some("1/s"), ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.say(anna, "Hello").await;
    assert!(world.carrier.until(1).await[0].at >= ms(1000));
}

#[tokio::test(start_paused = true)]
async fn a_conversation_leaves_in_order_one_text_at_a_time_and_others_do_not_wait_for_it() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    let bert = world.text(BERT, "Hey").await;
    world.carrier.next([Act::TakeSlowly(ms(5_000))]);
    world.say(anna, "First").await;
    world.carrier.until(1).await;
    world.say(anna, "Second").await;
    world.say(bert, "Meanwhile").await;
    let handed = world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["First", "Meanwhile", "Second"]);
    assert!(handed[1].at < ms(5_000) && handed[2].at >= ms(5_000));
}

#[tokio::test(start_paused = true)]
async fn agents_go_before_the_bot() {
    let world = World::start(Plan { number_pace: Some("1/s"), has_bot: true, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    let bert = world.text(BERT, "Hey").await;
    let carl = world.text(CARL, "Hey").await;
    world.hold(carl, true).await;
    world.say_as(anna, Role::Init, "Bot to Anna").await;
    world.say_as(bert, Role::Init, "Bot to Bert").await;
    world.say(carl, "Agent to Carl").await;
    world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["Agent to Carl", "Bot to Anna", "Bot to Bert"]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_lane_rests_as_told_and_the_other_goes_on() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    let bert = world.text_to(BERT, OTHER_BRAND, "Hey").await.customer_id;
    world.carrier.next([Act::QueueFull { retry_after_s: 30 }]);
    let throttled = world.say(anna, "Too fast").await;
    world.carrier.until(1).await;
    world.say(bert, "Not my lane").await;
    let handed = world.carrier.until(3).await;
    assert_eq!(world.carrier.contents(), ["Too fast", "Not my lane", "Too fast"]);
    assert!(handed[1].at < ms(1_000));
    assert!(handed[2].at >= ms(30_000));
    assert_eq!(world.message(throttled).await.delivery.counted_attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_can_never_arrive_fails_and_lets_the_next_one_go() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Refuse(ErrorClass::Permanent)]);
    let failed = world.say(anna, "No such number").await;
    world.say(anna, "But this one").await;
    world.carrier.until(2).await;
    assert_eq!(world.message(failed).await.delivery.status, Status::Failed);
}

#[tokio::test(start_paused = true)]
async fn with_wrong_credentials_texts_wait_and_none_is_lost() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::Refuse(ErrorClass::Credentials), Act::Refuse(ErrorClass::Credentials)]);
    let waiting = world.say(anna, "Patience").await;
    let handed = world.carrier.until(3).await;
    assert!(handed[2].at >= ms(120_000), "a lane with wrong credentials does not hammer the provider");
    assert_eq!(world.message(waiting).await.delivery.attempts.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_soft_stop_waits_for_what_is_under_way_and_begins_nothing() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::TakeSlowly(ms(5_000))]);
    let under_way = world.say(anna, "On its way").await;
    world.carrier.until(1).await;
    let not_begun = world.say(anna, "Later").await;
    world.gateway.stop().await;
    assert_eq!(world.message(under_way).await.delivery.status, Status::Sent);
    assert_eq!(world.message(not_begun).await.delivery.status, Status::Queued);
    assert_eq!(world.carrier.contents(), ["On its way"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_too_long_expires_and_does_not_leave() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    // No pause is heeded for longer than a day: it is tried after 0, 24 and 48 hours, and then it is too late.
    world.carrier.next(vec![Act::Throttle { retry_after_s: 50 * 3600 }; 3]);
    let late = world.say(anna, "Too late").await;
    world.carrier.until(3).await;
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    assert_eq!(world.message(late).await.delivery.status, Status::Expired);
    assert_eq!(world.carrier.handed().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_waited_for_is_not_spent_twice() {
    let world = World::start(Plan { number_pace: Some("1/s"), has_bot: true, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.say_as(anna, Role::Init, &"x".repeat(400)).await;
    tokio::time::sleep(ms(1_500)).await;
    // While the lane waits for three segments, agents' short texts overtake the bot's long one.
    for customer in [BERT, CARL, "+14155550104"] {
        let customer = world.text(customer, "Hey").await;
        world.hold(customer, true).await;
        world.say(customer, "Short").await;
    }
    keeps_pace(&world.carrier.until(4).await, ms(1_000));
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_the_agents_waits_for_the_bots_last_words() {
    let world = World::start(Plan { has_bot: true, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::TakeSlowly(ms(700))]);
    let leaving = world.say_as(anna, Role::Init, "Last words").await;
    world.carrier.until(1).await;
    world.hold(anna, true).await;
    assert_eq!(world.message(leaving).await.delivery.status, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_the_agents_waits_for_the_bots_last_words_of_an_older_session() {
    let world = World::start(Plan { has_bot: true, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    let idle_after = world.gateway.policy().idle_after;
    world.carrier.next([Act::TakeSlowly(idle_after + ms(5_000))]);
    let leaving = world.say_as(anna, Role::Init, "Last words").await;
    world.carrier.until(1).await;
    tokio::time::sleep(idle_after + ms(1_000)).await;
    world.text(ANNA, "Hello again").await;
    let session = world.gateway.current_session(anna).await.unwrap().unwrap().id;
    assert_ne!(world.message(leaving).await.session_id, session);
    world.hold(anna, true).await;
    assert_eq!(world.message(leaving).await.delivery.status, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_the_agents_waits_for_as_long_as_a_provider_may_take() {
    let world = World::start(Plan { has_bot: true, ..Plan::default() }).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::TakeSlowly(Duration::from_secs(3_600))]);
    world.say_as(anna, Role::Init, "Last words").await;
    world.carrier.until(1).await;
    let asked = world.gateway.elapsed();
    world.hold(anna, true).await;
    let waited = world.gateway.elapsed().saturating_sub(asked);
    let request_timeout = world.gateway.settings().request_timeout;
    assert!((request_timeout..request_timeout * 2).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_text_that_expires_while_it_waits_for_the_pace_never_leaves() {
    let world = World::start(Plan { number_pace: Some("1/m"), ..Plan::default() }).await;
    let (anna, bert) = (world.text(ANNA, "Hey").await, world.text(BERT, "Hey").await);
    world.say(anna, "First").await;
    let late = world.say_for(bert, "Too late", Some(Duration::from_secs(90))).await;
    world.say(anna, "Last").await;
    // One a minute: the second's turn comes after its time, if the third was not before it.
    tokio::time::sleep(Duration::from_secs(600)).await;
    let status = world.message(late).await.delivery.status;
    let left = world.carrier.contents().contains(&"Too late".to_owned());
    assert_eq!((status, left), (Status::Expired, false), "{:?}", world.carrier.contents());
    assert_eq!(world.carrier.contents(), ["First", "Last"]);
}

#[tokio::test(start_paused = true)]
async fn a_text_that_expires_while_its_lane_rests_never_leaves() {
    let world = World::start(Plan::default()).await;
    let (anna, bert) = (world.text(ANNA, "Hey").await, world.text(BERT, "Hey").await);
    world.carrier.next([Act::Throttle { retry_after_s: 300 }]);
    let throttled = world.say_for(anna, "Throttled", Some(Duration::from_secs(60))).await;
    world.carrier.until(1).await;
    let behind = world.say_for(bert, "Behind it", Some(Duration::from_secs(299))).await;
    let good = world.say(anna, "Still good").await;
    world.carrier.until(2).await;
    assert_eq!(world.carrier.contents(), ["Throttled", "Still good"]);
    for (id, status) in [(throttled, Status::Expired), (behind, Status::Expired)] {
        assert_eq!(world.message(id).await.delivery.status, status);
    }
    tokio::time::sleep(ms(10)).await;
    assert_eq!(world.message(good).await.delivery.status, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_told_how_long_a_text_is_worth_sending() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    world.say_for(anna, "Quick", Some(Duration::from_secs(90))).await;
    assert_eq!(world.carrier.until(1).await[0].text.valid_for_s, Some(90));
}

#[tokio::test(start_paused = true)]
async fn what_is_canceled_never_leaves_and_what_leaves_is_not_canceled() {
    let mut outcomes = std::collections::BTreeSet::new();
    for ahead in 0..40 {
        let world = World::start(Plan { number_pace: Some("20/s"), ..Plan::default() }).await;
        let anna = world.text(ANNA, "Hey").await;
        let text = world.say(anna, "Never mind").await;
        // Before, while and after its time comes.
        for _ in 0..ahead {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(ms(ahead * 2)).await;
        let canceled = world.gateway.cancel_message(text).await.is_ok();
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(world.carrier.handed().is_empty(), canceled, "{ahead}");
        let expected = if canceled { Status::Canceled } else { Status::Sent };
        assert_eq!(world.message(text).await.delivery.status, expected);
        outcomes.insert(canceled);
    }
    assert_eq!(outcomes.len(), 2, "both come about");
}

#[tokio::test(start_paused = true)]
async fn what_a_customer_has_next_leaves_at_once_by_another_number_too() {
    let world = World::start(Plan::default()).await;
    let anna = world.text(ANNA, "Hey").await;
    let bert = world.text_to(BERT, OTHER_BRAND, "Hey").await.customer_id;
    world.say(bert, "The other number's lane is running").await;
    world.carrier.until(1).await;
    world.carrier.next([Act::TakeSlowly(ms(2_000))]);
    world.say(anna, "First").await;
    world.text_to(ANNA, OTHER_BRAND, "Rather here").await;
    world.say(anna, "Second").await;
    let handed = world.carrier.until(3).await;
    let waited = handed[2].at.checked_sub(handed[1].at).unwrap();
    assert!(waited < ms(2_200), "the first was taken after 2 s, the second left after {waited:?}");
}
