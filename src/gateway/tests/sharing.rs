//! A store that other daemons work on, too.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fixture::{Act, Office, Plan, World};
use crate::domain::delivery::Status;
use crate::domain::ids::CustomerId;
use crate::store::{Muster, Mustered, StoreError};

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// All duties are its own.
#[expect(clippy::unnecessary_wraps, reason = "as whoever answers it")]
fn in_office(muster: &Muster) -> Result<Mustered, StoreError> {
    Ok(Mustered::InOffice {
        duties: muster.duties.clone(),
        to_lay_down: Vec::new(),
        others: 1,
        gone: Vec::new(),
    })
}

fn nobody_is_told(_: &Muster) -> Result<Mustered, StoreError> {
    Err(StoreError::Unavailable("the database is away".into()))
}

/// Whoever has that name is believed dead.
fn out_of_office(name: String) -> impl Fn(&Muster) -> Result<Mustered, StoreError> {
    move |muster| if muster.owner == name { Ok(Mustered::OutOfOffice) } else { in_office(muster) }
}

async fn start(office: &std::sync::Arc<Office>) -> World {
    World::start(Plan { shared: Some(office.clone()), ..Plan::default() }).await
}

/// A text has left already.
async fn at_work(office: &std::sync::Arc<Office>) -> (World, CustomerId) {
    let world = start(office).await;
    let anna = world.text(ANNA, "Hey").await;
    world.say(anna, "Before").await;
    world.carrier.until(1).await;
    (world, anna)
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_before_it_is_known_whose_it_is_to_send() {
    let office = Office::answering(nobody_is_told);
    let world = start(&office).await;
    let anna = world.text(ANNA, "Hey").await;
    let text = world.say(anna, "Hello").await;
    tokio::time::sleep(s(30)).await;
    assert_eq!(world.carrier.handed().len(), 0);
    office.answers(in_office);
    world.carrier.until(1).await;
    tokio::time::sleep(s(30)).await;
    assert_eq!((world.message(text).await.delivery.status, world.carrier.handed().len()), (Status::Sent, 1));
}

#[tokio::test(start_paused = true)]
async fn once_its_term_is_over_a_lane_begins_nothing_until_it_is_heard_of_again() {
    let office = Office::answering(in_office);
    let (world, anna) = at_work(&office).await;
    office.answers(nobody_is_told);
    tokio::time::sleep(s(10)).await;
    let text = world.say(anna, "Later").await;
    tokio::time::sleep(s(60)).await;
    assert_eq!(world.message(text).await.delivery.attempt_number(), 0);
    office.answers(in_office);
    world.carrier.until(2).await;
    tokio::time::sleep(s(1)).await;
    let delivery = world.message(text).await.delivery;
    assert_eq!((delivery.status, delivery.attempt_number()), (Status::Sent, 1));
}

#[tokio::test(start_paused = true)]
async fn whoever_was_believed_dead_goes_on_under_another_name() {
    let office = Office::answering(in_office);
    let (world, anna) = at_work(&office).await;
    office.answers(out_of_office(office.seen()[0].owner.clone()));
    tokio::time::sleep(s(5)).await;
    world.say(anna, "After").await;
    world.carrier.until(2).await;
    let names: BTreeSet<String> = office.seen().into_iter().map(|muster| muster.owner).collect();
    assert_eq!(names.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_stays_in_office_until_what_is_under_way_has_ended() {
    let office = Office::answering(in_office);
    let world = start(&office).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::TakeSlowly(s(9))]);
    let text = world.say(anna, "Slow").await;
    world.carrier.until(1).await;
    let before = office.seen().len();
    world.gateway.stop().await;
    assert_eq!(world.message(text).await.delivery.status, Status::Sent);
    let meanwhile = &office.seen()[before..];
    assert!(meanwhile.len() >= 5, "{} signs of life in nine seconds", meanwhile.len());
    assert!(meanwhile.iter().all(|muster| muster.duties.is_empty()), "it takes nothing up any more");
}

#[tokio::test(start_paused = true)]
async fn what_was_laid_down_is_not_given_up_again_when_it_has_come_back() {
    let office = Office::answering(in_office);
    let world = start(&office).await;
    let anna = world.text(ANNA, "Hey").await;
    world.carrier.next([Act::TakeSlowly(s(9))]);
    world.say(anna, "Slow").await;
    world.carrier.until(1).await;
    // The lane is to be another daemon's, which waits for the text on its way; meanwhile this one is believed dead.
    office.answers(|muster| {
        let lanes = muster.duties.iter().filter(|duty| duty.starts_with("send ")).cloned().collect();
        Ok(Mustered::InOffice {
            duties: muster.duties.clone(),
            to_lay_down: lanes,
            others: 1,
            gone: Vec::new(),
        })
    });
    tokio::time::sleep(s(2)).await;
    office.answers(out_of_office(office.seen().last().unwrap().owner.clone()));
    tokio::time::sleep(s(2)).await;
    let bert = world.text(BERT, "Hey").await;
    world.say(bert, "Meanwhile").await;
    world.carrier.until(2).await;
    // The old one has ended by then; and once more it is believed dead.
    tokio::time::sleep(s(12)).await;
    office.answers(out_of_office(office.seen().last().unwrap().owner.clone()));
    tokio::time::sleep(s(12)).await;
    world.say(bert, "After").await;
    tokio::time::timeout(s(60), world.carrier.until(3)).await.expect("its lane is run");
    assert_eq!(world.carrier.contents(), ["Slow", "Meanwhile", "After"]);
}
