//! Each endpoint is told all that happens from where it stands: what it did not take is on record and told again.

use std::sync::Arc;
use std::time::Duration;

use super::ear::Ear;
use super::fixture::{Plan, World};
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::EventId;
use crate::gateway::notices::ReplayNoticeError;
use crate::notify::NotifyError;
use crate::store::{AdvanceEndpoint, PageRequest};

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";
const CARL: &str = "+14155550103";
const CRM: &str = "crm";

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn failed(retry_after: Option<Duration>) -> NotifyError {
    NotifyError::Failed { why: "it answered 500".into(), retry_after }
}

/// One endpoint, which is told of new customers only: one event for each.
fn plan(ear: &Arc<Ear>) -> Plan {
    Plan { ears: vec![(CRM, "customer.created", Arc::clone(ear))], ..Plan::default() }
}

/// A world whose endpoint stands at the end of the log.
async fn start(ear: &Arc<Ear>) -> World {
    let world = World::start(plan(ear)).await;
    tokio::time::sleep(s(1)).await;
    world
}

async fn endpoint(world: &World) -> Endpoint {
    world.gateway.store().endpoint(CRM).await.unwrap().unwrap()
}

async fn on_record(world: &World) -> Vec<Delivery> {
    world.gateway.store().deliveries(CRM, PageRequest { after: None, limit: 100 }).await.unwrap().items
}

async fn at_end(world: &World) -> bool {
    endpoint(world).await.position == world.gateway.store().last_event().await.unwrap()
}

/// The ids of all events about new customers, in the order of the log.
async fn ids(world: &World) -> Vec<EventId> {
    let events = world.gateway.store().events(0, 1_000).await.unwrap();
    let created = events.into_iter().filter(|logged| logged.event.what.name() == "customer.created");
    created.map(|logged| logged.event.id()).collect()
}

fn told(ear: &Ear) -> Vec<EventId> {
    ear.heard().into_iter().map(|heard| heard.id).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_is_told_what_happens_from_then_on() {
    let ear = Ear::good();
    let world = World::start(Plan::default()).await;
    world.text(ANNA, "Hey").await;
    let world = world.start_again(&plan(&ear)).await;
    tokio::time::sleep(s(1)).await;
    world.text(BERT, "Hey").await;
    ear.until(1).await;
    tokio::time::sleep(s(60)).await;
    assert_eq!(told(&ear), ids(&world).await[1..]);
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_where_it_was_when_another_process_takes_over() {
    let ear = Ear::good();
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    ear.until(1).await;
    let world = world.start_again(&Plan::default()).await;
    world.text(BERT, "While nobody tells it").await;
    let world = world.start_again(&plan(&ear)).await;
    world.text(CARL, "Hey").await;
    ear.until(3).await;
    tokio::time::sleep(s(60)).await;
    assert_eq!(told(&ear), ids(&world).await);
    assert!(at_end(&world).await);
}

#[tokio::test(start_paused = true)]
async fn what_it_did_not_take_is_on_record_and_told_again_until_it_does() {
    let ear = Ear::new(|number| (s(0), if number < 2 { Err(failed(None)) } else { Ok(()) }));
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    ear.until(1).await;
    tokio::time::sleep(s(1)).await;
    let [delivery] = &on_record(&world).await[..] else { panic!("one event") };
    assert_eq!((delivery.attempts, delivery.last_error.as_str()), (1, "it answered 500"));
    let pause = delivery.next_at.unwrap().since(delivery.created_at);
    assert!((s(5)..=s(6)).contains(&pause), "{pause:?}");
    assert!(endpoint(&world).await.failing_since.is_some() && at_end(&world).await);
    let heard = ear.until(3).await;
    for (pair, planned) in heard.windows(2).zip([5, 300]) {
        let pause = pair[1].at.checked_sub(pair[0].at).unwrap();
        assert!((s(planned)..=s(planned).mul_f64(1.1) + s(1)).contains(&pause), "{pause:?}");
        assert_eq!(pair[0].id, pair[1].id);
    }
    tokio::time::sleep(s(3_600)).await;
    assert_eq!(ear.heard().len(), 3);
    assert_eq!(on_record(&world).await, []);
    assert_eq!(endpoint(&world).await.failing_since, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_told_again_holds_up_nothing_new() {
    let ear = Ear::new(|number| (s(0), if number == 0 { Err(failed(None)) } else { Ok(()) }));
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    ear.until(1).await;
    for (number, from) in [BERT, CARL].into_iter().enumerate() {
        tokio::time::sleep(s(1)).await;
        let before = world.gateway.elapsed();
        world.text(from, "Hey").await;
        let heard = ear.until(number + 2).await;
        let waited = heard[number + 1].at.checked_sub(before).unwrap();
        assert!(waited < Duration::from_millis(100), "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_asks_for_more_time_is_given_it() {
    let ear = Ear::new(|number| (s(0), if number == 0 { Err(failed(Some(s(1_000)))) } else { Ok(()) }));
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    let heard = ear.until(2).await;
    let pause = heard[1].at.checked_sub(heard[0].at).unwrap();
    assert!((s(1_000)..s(1_010)).contains(&pause), "{pause:?}");
}

#[tokio::test(start_paused = true)]
async fn after_the_last_time_it_is_a_dead_letter_that_only_a_person_tells_again() {
    let ear = Ear::new(|number| (s(0), if number < 2 { Err(failed(None)) } else { Ok(()) }));
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    ear.until(1).await;
    tokio::time::sleep(s(1)).await;
    let delivery = on_record(&world).await.remove(0);
    let now = world.gateway.now();
    // As after nine times in vain.
    let ninth = Delivery { attempts: 9, next_at: Some(now), ..delivery };
    world.gateway.store().keep_delivery(ninth, now).await.unwrap();
    ear.until(2).await;
    tokio::time::sleep(s(3_600)).await;
    let [dead] = &on_record(&world).await[..] else { panic!("one event") };
    assert_eq!((dead.attempts, dead.next_at), (10, None));
    assert_eq!(ear.heard().len(), 2);
    let id = ids(&world).await[0];
    world.gateway.replay_notice(CRM, id).await.unwrap();
    ear.until(3).await;
    tokio::time::sleep(s(1)).await;
    assert_eq!((told(&ear)[2], on_record(&world).await), (id, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_is_called_no_more_and_told_the_rest_when_somebody_enables_it() {
    let ear = Ear::new(|number| (s(0), if number == 0 { Err(NotifyError::Gone) } else { Ok(()) }));
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    ear.until(1).await;
    tokio::time::sleep(s(1)).await;
    assert!(endpoint(&world).await.disabled.unwrap().reason.contains("410"));
    let world = world.start_again(&plan(&ear)).await;
    for from in [BERT, CARL] {
        world.text(from, "Hey").await;
        tokio::time::sleep(s(600)).await;
    }
    assert_eq!(ear.heard().len(), 1);
    assert!(world.gateway.enable_endpoint(CRM).await.unwrap());
    ear.until(4).await;
    tokio::time::sleep(s(600)).await;
    let mut again = told(&ear).split_off(1);
    again.sort_unstable();
    assert_eq!(again, ids(&world).await, "none is missing, and none came twice");
    assert_eq!((endpoint(&world).await.disabled, on_record(&world).await), (None, Vec::new()));
    assert!(!world.gateway.enable_endpoint("nobody").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn once_it_is_gone_nothing_of_what_waits_is_tried_on_it() {
    let ear = Ear::new(|number| (s(0), if number == 0 { Err(NotifyError::Gone) } else { Ok(()) }));
    let world = start(&ear).await;
    let world = world.start_again(&Plan::default()).await;
    for number in 0..30 {
        world.text(&format!("+141555502{number:02}"), "Hey").await;
    }
    let world = world.start_again(&plan(&ear)).await;
    tokio::time::sleep(s(60)).await;
    assert!(endpoint(&world).await.disabled.is_some());
    let calls = ear.heard().len();
    assert!(calls <= 16, "{calls} calls: no more than were under way");
    world.gateway.enable_endpoint(CRM).await.unwrap();
    tokio::time::sleep(s(600)).await;
    let mut again = told(&ear);
    again.sort_unstable();
    again.dedup();
    assert_eq!(again, ids(&world).await, "none is missing");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_nothing_has_reached_for_five_days_is_called_no_more() {
    let ear = Ear::new(|_| (s(0), Err(failed(None))));
    let world = start(&ear).await;
    let now = world.gateway.now();
    for (days, disabled) in [(4, false), (6, true)] {
        let now = now.before(s(days * 24 * 3_600));
        let position = endpoint(&world).await.position;
        for reached in [Some(true), Some(false)] {
            let command = AdvanceEndpoint { name: CRM.into(), position, in_vain: Vec::new(), reached, now };
            world.gateway.store().advance_endpoint(command).await.unwrap();
        }
        world.text(&format!("+1415555010{days}"), "Hey").await;
        tokio::time::sleep(s(1)).await;
        assert_eq!(endpoint(&world).await.disabled.is_some(), disabled, "{days} days");
    }
    assert_eq!(on_record(&world).await.len(), 2, "what it was told in vain is on record all the same");
}

#[tokio::test(start_paused = true)]
async fn any_event_of_the_log_is_told_again_when_somebody_says_so() {
    let ear = Ear::good();
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    let id = ear.until(1).await[0].id;
    world.gateway.replay_notice(CRM, id).await.unwrap();
    assert_eq!(ear.until(2).await[1].id, id);
    let unknown = world.gateway.replay_notice("nobody", id).await;
    assert!(matches!(unknown, Err(ReplayNoticeError::NotFound)));
    let foreign = world.gateway.replay_notice(CRM, EventId::BEFORE_ALL).await;
    assert!(matches!(foreign, Err(ReplayNoticeError::Forgotten)));
    tokio::time::sleep(s(600)).await;
    assert_eq!(ear.heard().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_holds_up_no_other() {
    let (slow, fast) = (Ear::new(|_| (s(3_600), Ok(()))), Ear::good());
    let ears =
        vec![("slow", "customer.created", Arc::clone(&slow)), (CRM, "customer.created", Arc::clone(&fast))];
    let world = World::start(Plan { ears, ..Plan::default() }).await;
    tokio::time::sleep(s(1)).await;
    for (number, from) in [ANNA, BERT, CARL].into_iter().enumerate() {
        let before = world.gateway.elapsed();
        world.text(from, "Hey").await;
        let heard = fast.until(number + 1).await;
        assert!(heard[number].at.checked_sub(before).unwrap() < s(1));
    }
    assert_eq!(slow.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_whose_answer_nobody_lived_to_hear_is_told_the_same_event_again() {
    let ear = Ear::new(|number| (if number == 0 { s(14) } else { s(0) }, Ok(())));
    let world = start(&ear).await;
    world.text(ANNA, "Hey").await;
    ear.until(1).await;
    let before = world.gateway.elapsed();
    let world = world.start_again(&plan(&ear)).await;
    assert!(world.gateway.elapsed().checked_sub(before).unwrap() < s(1), "nobody waits for its answer");
    ear.until(2).await;
    tokio::time::sleep(s(600)).await;
    let id = ids(&world).await[0];
    assert_eq!(told(&ear), [id, id]);
    assert!(at_end(&world).await);
}
