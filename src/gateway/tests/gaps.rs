//! What was missed: noticed, asked for, and taken once, in order.

use std::time::Duration;

use super::fixture::{BRAND, OTHER_BRAND, Plan, World};
use crate::domain::message::{Media, Message};
use crate::domain::phone::Address;
use crate::domain::time::Timestamp;
use crate::provider::{ProviderText, ReceivedText};
use crate::store::{Alive, PageRequest};

const ANNA: &str = "+14155550101";
const BERT: &str = "+14155550102";
/// When the tests' gateways start.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn ago(span: Duration) -> Timestamp {
    START.before(span)
}

fn unclean(span: Duration) -> Alive {
    Alive { at: ago(span), clean: false }
}

fn missed(id: &str, from: &str, to: &str, content: &str, sent_at: Timestamp) -> ReceivedText {
    let text = ProviderText {
        provider_id: id.into(),
        from: Address::parse(from).unwrap(),
        to: to.into(),
        service: None,
        content: content.into(),
        media: Vec::new(),
        sent_at: Some(sent_at),
        keyword: None,
    };
    ReceivedText { text, has_media: false }
}

async fn said(world: &World, number: &str) -> Vec<Message> {
    let store = world.gateway.store();
    let Some(customer) = store.customer_by_number(&Address::parse(number).unwrap()).await.unwrap() else {
        return Vec::new();
    };
    let session = store.newest_session(customer.id).await.unwrap().unwrap();
    let mut said =
        store.messages_of(session.id, PageRequest { after: None, limit: 100 }).await.unwrap().items;
    said.reverse();
    said
}

fn contents(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_str()).collect()
}

/// When a provider was asked, and since when.
fn asked(world: &World) -> Vec<(Duration, Timestamp)> {
    world.carrier.asked.lock().unwrap().iter().map(|(at, _, since)| (*at, *since)).collect()
}

async fn alive(world: &World) -> Option<Alive> {
    world.gateway.store().last_alive().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_taken_in_order_over_all_numbers_and_once() {
    let texts = vec![
        missed("IN9", ANNA, OTHER_BRAND, "second", ago(3 * MINUTE)),
        missed("IN8", ANNA, BRAND, "first", ago(4 * MINUTE)),
        missed("IN7", ANNA, BRAND, "third", ago(2 * MINUTE)),
    ];
    let world =
        World::start(Plan { last_alive: Some(unclean(10 * MINUTE)), missed: texts, ..Plan::default() }).await;
    tokio::time::sleep(5 * MINUTE).await;
    let said = said(&world, ANNA).await;
    assert_eq!(contents(&said), ["first", "second", "third"]);
    assert!(said.iter().all(|message| message.recovered));
    assert_eq!(said[0].sent_at, ago(4 * MINUTE));
    // Asked of each number, from a little before the mark, and once more when the list has settled.
    let asked = world.carrier.asked.lock().unwrap().clone();
    let since = ago(15 * MINUTE);
    let numbers: Vec<_> = asked.iter().map(|(_, number, _)| number.as_str()).collect();
    assert_eq!(numbers, [BRAND, OTHER_BRAND, BRAND, OTHER_BRAND]);
    assert!(asked.iter().all(|(_, _, asked_since)| *asked_since == since));
}

#[tokio::test(start_paused = true)]
async fn the_bot_is_told_of_what_was_missed() {
    let texts = vec![missed("IN9", ANNA, BRAND, "Hello?", ago(MINUTE))];
    let plan =
        Plan { last_alive: Some(unclean(10 * MINUTE)), missed: texts, has_bot: true, ..Plan::default() };
    let world = World::start(plan).await;
    let told = world.robot.until(1).await;
    let message = told[0].message.as_ref().unwrap();
    assert_eq!((message.content.as_str(), message.sent_at), ("Hello?", ago(MINUTE)));
}

#[tokio::test(start_paused = true)]
async fn a_first_start_misses_nothing_and_any_other_may() {
    let world = World::start(Plan::default()).await;
    tokio::time::sleep(10 * MINUTE).await;
    assert!(asked(&world).is_empty());
    let marked = alive(&world).await.unwrap();
    assert!(!marked.clean && world.gateway.now().since(marked.at) <= Duration::from_secs(30));
    let brief = Alive { at: ago(Duration::from_secs(1)), clean: true };
    let world = World::start(Plan { last_alive: Some(brief), ..Plan::default() }).await;
    tokio::time::sleep(MINUTE).await;
    assert_eq!(asked(&world)[0].1, brief.at.before(5 * MINUTE));
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_a_clock_that_was_ahead_says_nothing_so_all_is_asked_for() {
    for clean in [true, false] {
        let ahead = Alive { at: START.after(10 * MINUTE), clean };
        let world = World::start(Plan { last_alive: Some(ahead), ..Plan::default() }).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(world.gateway.now().since(asked(&world)[0].1) >= 7 * 1440 * MINUTE);
        assert!(alive(&world).await.unwrap().at <= START);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_store_refused_is_asked_for_as_soon_as_it_works() {
    let world = World::start(Plan::default()).await;
    tokio::time::sleep(MINUTE).await;
    world.store_refuses(true);
    let refused_at = world.gateway.now();
    world.text_in_vain(&missed("IN9", ANNA, BRAND, "Hello?", refused_at)).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(asked(&world).is_empty(), "nothing can be taken yet");
    world.store_refuses(false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["Hello?"]);
    assert_eq!(asked(&world)[0].1, refused_at.before(5 * MINUTE));
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_not_asked_for_each_text_that_is_refused() {
    let world = World::start(Plan::default()).await;
    for second in 0..60 {
        let now = world.gateway.now();
        world.store_refuses(true);
        world.text_in_vain(&missed(&format!("IN7{second}"), ANNA, BRAND, "Hello?", now)).await;
        world.store_refuses(false);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut times: Vec<_> = asked(&world).iter().map(|(at, _)| *at).collect();
    times.dedup();
    assert!((5..=7).contains(&times.len()), "{times:?}");
    assert!(times.windows(2).all(|pair| pair[0] + Duration::from_secs(10) <= pair[1]), "{times:?}");
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(said(&world, ANNA).await.len(), 60);
}

#[tokio::test(start_paused = true)]
async fn what_is_missed_while_a_provider_is_asked_for_the_second_time_has_a_minute_to_be_listed_too() {
    let world = World::start(Plan::default()).await;
    let refused = async |id: &str, content: &str| {
        let text = missed(id, ANNA, BRAND, content, world.gateway.now());
        world.store_refuses(true);
        let channel = world.gateway.channel("main").unwrap();
        world.gateway.receive_text(channel, text.text.clone()).await.unwrap_err();
        world.store_refuses(false);
        text
    };
    let first = refused("IN8", "one").await;
    world.carrier.missed.lock().unwrap().push(first);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["one"]);
    // The second time, it is down at first; meanwhile another is missed, and the list has it late.
    world.carrier.list_errors.lock().unwrap().push_back("down".into());
    while !world.carrier.list_errors.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let second = refused("IN9", "two").await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    world.carrier.missed.lock().unwrap().push(second);
    tokio::time::sleep(2 * MINUTE).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_survives_a_restart() {
    let plan = Plan { list_errors: vec!["down"; 9], ..Plan::default() };
    let world = World::start(plan).await;
    tokio::time::sleep(MINUTE).await;
    world.store_refuses(true);
    let refused_at = world.gateway.now();
    world.text_in_vain(&missed("IN9", ANNA, BRAND, "Hello?", refused_at)).await;
    world.store_refuses(false);
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(alive(&world).await.unwrap(), Alive { at: refused_at, clean: false });
    world.carrier.list_errors.lock().unwrap().clear();
    let world = world.start_again(&Plan::default()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["Hello?"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_by_a_clock_that_was_ahead_is_asked_for_by_the_right_one() {
    let world = World::start(Plan::default()).await;
    tokio::time::sleep(MINUTE).await;
    world.clock_jumps(3600);
    tokio::time::sleep(MINUTE).await;
    world.store_refuses(true);
    let sent_at = world.gateway.now().before(60 * MINUTE);
    world.text_in_vain(&missed("IN9", ANNA, BRAND, "Hello?", sent_at)).await;
    tokio::time::sleep(MINUTE).await;
    world.clock_jumps(-3600);
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.store_refuses(false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["Hello?"]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_for_seconds_missed_texts() {
    let world = World::start(Plan::default()).await;
    tokio::time::sleep(MINUTE).await;
    world.clock_jumps(3);
    tokio::time::sleep(MINUTE).await;
    assert!(asked(&world).is_empty(), "webhooks wait for as long as that");
    let asleep_since = world.gateway.now();
    world.clock_jumps(10);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let since = asked(&world)[0].1;
    assert!(since <= asleep_since.before(5 * MINUTE) && since > asleep_since.before(6 * MINUTE), "{since}");
}

#[tokio::test(start_paused = true)]
async fn one_dead_channel_stops_no_others() {
    let last_alive = Some(unclean(MINUTE));
    let world = World::start(Plan { dead_channel: true, last_alive, ..Plan::default() }).await;
    tokio::time::sleep(60 * MINUTE).await;
    world.store_refuses(true);
    world.text_in_vain(&missed("IN9", ANNA, BRAND, "Hello?", world.gateway.now())).await;
    world.store_refuses(false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["Hello?"]);
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(alive(&world).await, last_alive, "what the dead one owes stays owed");
}

#[tokio::test(start_paused = true)]
async fn until_a_provider_has_answered_the_mark_stands_still() {
    let before = Some(unclean(10 * MINUTE));
    let texts = vec![missed("IN9", ANNA, BRAND, "Hello?", ago(MINUTE))];
    let list_errors = vec!["down"; 4];
    let plan = Plan { last_alive: before, missed: texts, list_errors, ..Plan::default() };
    let world = World::start(plan).await;
    tokio::time::sleep(12 * MINUTE).await;
    assert_eq!((alive(&world).await, said(&world, ANNA).await.len()), (before, 0));
    world.gateway.stop().await;
    let stopped = before.map(|before| Alive { clean: true, ..before });
    assert_eq!(alive(&world).await, stopped, "stopping covers nothing up");
    let world = World::start(Plan {
        last_alive: before,
        missed: vec![missed("IN9", ANNA, BRAND, "Hello?", ago(MINUTE))],
        list_errors: vec!["down"; 4],
        ..Plan::default()
    })
    .await;
    tokio::time::sleep(20 * MINUTE).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["Hello?"]);
    assert!(alive(&world).await.unwrap().at > START);
    world.gateway.stop().await;
    assert!(alive(&world).await.unwrap().clean);
}

#[tokio::test(start_paused = true)]
async fn what_came_by_webhook_meanwhile_is_not_taken_twice() {
    let world = World::start(Plan {
        last_alive: Some(unclean(MINUTE)),
        list_errors: vec!["down"],
        ..Plan::default()
    })
    .await;
    // The fixture's texts are numbered from IN0.
    world.text(ANNA, "by webhook").await;
    world.carrier.missed.lock().unwrap().extend([
        missed("IN0", ANNA, BRAND, "by webhook", START),
        missed("IN77", BERT, BRAND, "missed", ago(Duration::from_secs(10))),
    ]);
    tokio::time::sleep(5 * MINUTE).await;
    assert_eq!(contents(&said(&world, ANNA).await), ["by webhook"]);
    assert_eq!(contents(&said(&world, BERT).await), ["missed"]);
    let channel = world.gateway.channel("main").unwrap();
    let again = world.gateway.recover(channel, ago(MINUTE)).await.unwrap();
    assert_eq!((again.taken, again.known), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_text_comes_with_its_media_or_else_without() {
    let mut texts = vec![
        missed("MM1", ANNA, BRAND, "look", ago(MINUTE)),
        missed("MM2", ANNA, BRAND, "gone", ago(MINUTE)),
    ];
    for received in &mut texts {
        received.has_media = true;
    }
    let world = World::start(Plan { missed: texts, ..Plan::default() }).await;
    let picture = Media { url: "https://media.example/1".into(), content_type: "image/png".into() };
    world.carrier.media.lock().unwrap().insert("MM1".into(), vec![picture.clone()]);
    let channel = world.gateway.channel("main").unwrap();
    assert_eq!(world.gateway.recover(channel, ago(10 * MINUTE)).await.unwrap().taken, 2);
    let said = said(&world, ANNA).await;
    assert_eq!((said[0].media.as_slice(), said[1].media.len()), ([picture].as_slice(), 0));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_week_is_asked_for() {
    let world = World::start(Plan::default()).await;
    let channel = world.gateway.channel("main").unwrap();
    let recovered = world.gateway.recover(channel, ago(30 * 1440 * MINUTE)).await.unwrap();
    assert_eq!(world.gateway.now().since(recovered.since), 7 * 1440 * MINUTE);
}
