//! The paces of numbers, accounts and destinations together: what waits for one holds nothing else up, and no window
//! of any of them is exceeded, over restarts too.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fixture::{BRAND, Handed, OTHER_BRAND, Plan, World};
use super::sending::{keeps_pace, ms};
use crate::domain::delivery::Status;
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::Role;
use crate::domain::segments;

/// One customer for each number, who text `brand`.
async fn customers(world: &World, brand: &str, numbers: impl Iterator<Item = String>) -> Vec<CustomerId> {
    let mut customers = Vec::new();
    for number in numbers {
        customers.push(world.text_to(&number, brand, "Hey").await.customer_id);
    }
    customers
}

fn british(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("+44770090{number:04}"))
}

fn american(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("+1415555{number:04}"))
}

fn to(handed: &[Handed], prefix: &str) -> Vec<Handed> {
    handed.iter().filter(|handed| handed.text.to.starts_with(prefix)).cloned().collect()
}

fn by(handed: &[Handed], sender: &str) -> Vec<Handed> {
    handed.iter().filter(|handed| handed.text.sender == sender).cloned().collect()
}

fn segments_of(handed: &[Handed]) -> u32 {
    handed.iter().map(|handed| segments::analyse(&handed.text.content).segments).sum()
}

/// Texts of one, two and three segments.
fn content(number: usize) -> String {
    "x".repeat([10, 200, 400][number % 3])
}

#[tokio::test(start_paused = true)]
async fn a_full_destination_keeps_its_pace_and_holds_nobody_else_up() {
    let plan = Plan {
        number_pace: Some("20/s"),
        destinations: &[("+44", "2/s"), ("+447700999", "1/h")],
        ..Plan::default()
    };
    let world = World::start(plan).await;
    let british = customers(&world, BRAND, british(40)).await;
    let americans = customers(&world, BRAND, american(40)).await;
    for customers in [british, americans] {
        for customer in customers {
            world.say(customer, "One segment").await;
        }
    }
    let handed = world.carrier.until(80).await;
    keeps_pace(&handed, ms(50));
    keeps_pace(&to(&handed, "+44"), ms(500));
    let american = to(&handed, "+1");
    let done = american[39].at;
    assert!(done <= ms(50) * (40 + 8), "the other texts did not wait, and took until {done:?}");
    let british = to(&handed, "+44");
    let busy = british[39].at.checked_sub(british[0].at).unwrap();
    assert!(busy <= (ms(500) * 39).mul_f64(1.03), "39 intervals of the destination took {busy:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_slow_destination_is_put_off_for_a_few_seconds_and_loses_no_slot() {
    let plan = Plan { number_pace: Some("100/s"), destinations: &[("+44", "2/s")], ..Plan::default() };
    let world = World::start(plan).await;
    let mut ids = Vec::new();
    for customer in customers(&world, BRAND, british(200)).await {
        ids.push(world.say(customer, "One segment").await);
    }
    tokio::time::sleep(ms(2_000)).await;
    let (now, mut put_off) = (world.gateway.now(), 0);
    for id in ids {
        let delivery = world.message(id).await.delivery;
        let off_for = delivery.ready_at.since(now);
        assert!(off_for <= ms(5_500), "{off_for:?}");
        put_off += u32::from(delivery.status == Status::Queued && off_for > Duration::ZERO);
    }
    assert!(put_off >= 180, "few stay where the lane looks: {put_off} are put off");
    let handed = world.carrier.until(200).await;
    keeps_pace(&handed, ms(500));
    let last = handed[199].at;
    assert!(last <= ms(500) * 205, "the last one left at {last:?}");
}

/// `count` texts of the bot wait for `+44`, at one a second.
async fn campaign(count: usize) -> (World, Vec<MessageId>) {
    let plan = Plan { destinations: &[("+44", "1/s")], has_bot: true, ..Plan::default() };
    let world = World::start(plan).await;
    let mut ids = Vec::new();
    for customer in customers(&world, BRAND, british(count)).await {
        ids.push(world.say_as(customer, Role::Init, "Bot").await);
    }
    tokio::time::sleep(ms(5_000)).await;
    (world, ids)
}

#[tokio::test(start_paused = true)]
async fn agents_go_before_the_bot_at_a_destination_too() {
    let (world, _) = campaign(300).await;
    let before = world.carrier.handed().len();
    for number in 0..9 {
        let customer = world.text(&format!("+44770091{number:04}"), "Hey").await;
        world.hold(customer, true).await;
        world.say(customer, "Agent").await;
    }
    world.carrier.until(before + 10).await;
    let after = world.carrier.contents().split_off(before);
    let agents = after.iter().filter(|content| *content == "Agent").count();
    assert_eq!(agents, 9, "but for one that was chosen already: {after:?}");
}

#[tokio::test(start_paused = true)]
async fn the_slots_of_what_is_canceled_are_given_back() {
    let (world, ids) = campaign(300).await;
    for id in &ids[20..] {
        // One or two have left.
        if world.message(*id).await.delivery.status == Status::Queued {
            world.gateway.cancel_message(*id).await.unwrap();
        }
    }
    let before = world.gateway.elapsed();
    for number in 0..9 {
        let customer = world.text(&format!("+44770091{number:04}"), "Hey").await;
        world.say_as(customer, Role::Init, "New").await;
    }
    tokio::time::sleep(ms(40_000)).await;
    let handed = world.carrier.handed();
    let new: Vec<_> = handed.iter().filter(|handed| handed.text.content == "New").collect();
    assert_eq!(new.len(), 9);
    let mut last = before;
    for handed in handed.iter().filter(|handed| handed.at > before) {
        assert!(handed.at.saturating_sub(last) <= ms(6_000), "idle from {last:?} to {:?}", handed.at);
        last = handed.at;
    }
}

#[tokio::test(start_paused = true)]
async fn the_slot_of_what_is_withdrawn_at_the_last_moment_is_the_nexts() {
    for plan in [
        Plan { destinations: &[("+44", "4/h")], ..Plan::default() },
        Plan { account_pace: Some("4/h"), ..Plan::default() },
    ] {
        let world = World::start(plan).await;
        let customers = customers(&world, BRAND, british(2)).await;
        let late = world.say_for(customers[0], "Too late", Some(ms(899_975))).await;
        world.say(customers[1], "In time").await;
        let handed = world.carrier.until(1).await;
        assert_eq!(world.message(late).await.delivery.status, Status::Expired);
        assert_eq!((handed[0].text.content.as_str(), handed[0].at.as_secs()), ("In time", 900));
    }
}

#[tokio::test(start_paused = true)]
async fn a_customers_order_holds_behind_a_full_destination() {
    let plan = Plan { number_pace: Some("20/s"), destinations: &[("+44", "1/s")], ..Plan::default() };
    let world = World::start(plan).await;
    let customers = customers(&world, BRAND, british(6)).await;
    for number in 0..5 {
        for (which, customer) in customers.iter().enumerate() {
            world.say(*customer, &format!("{which}:{number}")).await;
        }
    }
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let handed = world.carrier.until(30).await;
    keeps_pace(&handed, ms(1_000));
    for Handed { text, .. } in handed {
        let before = last.insert(text.to.clone(), text.content.clone());
        assert!(before.is_none_or(|before| before < text.content), "{} came late", text.content);
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_account_and_destination_all_hold_with_texts_of_several_segments() {
    let plan = Plan {
        number_pace: Some("20/s"),
        account_pace: Some("15/s"),
        destinations: &[("+44", "4/s")],
        ..Plan::default()
    };
    let world = World::start(plan).await;
    let british = customers(&world, BRAND, british(10)).await;
    let americans = customers(&world, OTHER_BRAND, american(10)).await;
    let more = customers(&world, BRAND, american(20).skip(10)).await;
    for number in 0..6 {
        for customer in british.iter().chain(&americans).chain(&more) {
            world.say(*customer, &content(number)).await;
        }
    }
    let handed = world.carrier.until(180).await;
    keeps_pace(&handed, Duration::from_secs(1) / 15);
    keeps_pace(&by(&handed, BRAND), ms(50));
    keeps_pace(&by(&handed, OTHER_BRAND), ms(50));
    keeps_pace(&to(&handed, "+44"), ms(250));
    // What the account lets go while all have work: 15 segments a second, of which the slow destination takes 4.
    let first: Vec<Handed> = handed.iter().take(60).cloned().collect();
    let busy = first[59].at.checked_sub(first[0].at).unwrap();
    let share = f64::from(segments_of(&first[1..])) / 15.0 / busy.as_secs_f64();
    assert!((0.97..=1.001).contains(&share), "{share} of the account's pace");
}

#[tokio::test(start_paused = true)]
async fn a_restart_adds_nothing_to_any_window() {
    for (pace, interval, texts) in [("10/s", ms(100), 30), ("1/s", ms(1_000), 12), ("4/h", ms(900_000), 4)] {
        let plan = |scope: usize| match scope {
            0 => Plan { number_pace: Some(pace), ..Plan::default() },
            1 => Plan { account_pace: Some(pace), ..Plan::default() },
            _ => Plan {
                destinations: match pace {
                    "10/s" => &[("+44", "10/s")],
                    "1/s" => &[("+44", "1/s")],
                    _ => &[("+44", "4/h")],
                },
                ..Plan::default()
            },
        };
        for scope in 0..3 {
            let mut world = World::start(plan(scope)).await;
            for (number, customer) in customers(&world, BRAND, british(texts)).await.into_iter().enumerate() {
                world.say(customer, &content(number)).await;
            }
            // One process after the other, each stopped in the middle, some sooner than an interval after they began.
            for so_many in 1..=texts / 2 {
                world.carrier.until(so_many * 2 - 1).await;
                tokio::time::sleep(interval.mul_f64(0.37)).await;
                world = world.start_again(&plan(scope)).await;
                if so_many % 2 == 0 {
                    tokio::time::sleep(interval / 2).await;
                    world = world.start_again(&plan(scope)).await;
                }
            }
            keeps_pace(&world.carrier.until(texts).await, interval);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_number_lets_a_long_text_go_at_once() {
    let world = World::start(Plan { number_pace: Some("4/h"), ..Plan::default() }).await;
    let customer = customers(&world, BRAND, american(1)).await[0];
    tokio::time::sleep(Duration::from_secs(4 * 3600)).await;
    world.say(customer, &content(2)).await;
    let left = world.carrier.until(1).await[0].at;
    assert!(left < Duration::from_secs(4 * 3600) + ms(100), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fast_number_with_slow_answers_is_bounded_by_what_may_be_in_flight() {
    let world = World::start(Plan { number_pace: Some("1000/s"), ..Plan::default() }).await;
    world.carrier.next(vec![super::fixture::Act::TakeSlowly(ms(1_000)); 100]);
    for customer in customers(&world, BRAND, american(40)).await {
        world.say(customer, "Slow").await;
    }
    let handed = world.carrier.until(40).await;
    for window in handed.windows(9) {
        assert!(window[8].at.checked_sub(window[0].at).unwrap() >= ms(1_000), "eight at a time");
    }
}
