//! A store that an older version wrote is as good as one of this version: nothing in it is lost, looked for in vain or in
//! the way; and it does not matter when its migration was interrupted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::super::kv::testing::MapKv;
use super::super::kv::{KvError, Pair, Snapshot, View};
use super::super::lock::DirectoryLock;
use super::super::schema::{self, CURRENT};
use super::super::{EmbeddedStore, FjallOptions, OpenError, SledOptions};
use super::*;
use crate::domain::conversation::{Answer, Policy, Refusal};
use crate::domain::delivery::{Evidence, Status};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TokenId, TurnId};
use crate::domain::message::Lane;
use crate::domain::search::Query;
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnKind;
use crate::store::{Attended, BotSaid, CompleteTurn, PageRequest, ReplayError, Silent, Store, TurnClaim};

/// What the first version stored, pair by pair in hexadecimal digits. Each of the customers 1 to 7 has texted once. Agents
/// have the conversation with 1, whose two texts by the bot were canceled; for 2 one is of unknown fate and another behind
/// it; for 3 one is held and another queued; to 4 one was sent; 5 has theirs; for 6 one is in hand; 7 has opted out. A
/// text's number is its customer's with 01 or 02 after it.
const FIRST: &str = include_str!("../../../../tests/fixtures/stores/v1.hex");

/// What the second version stored. Each of the customers 1 to 6 has texted once. 1, Ann Smith, was answered; the turn of 2,
/// Bob Smithson, was given up; the answer to 3 was refused, since they had opted out; the turn of 4 is in hand; agents had the
/// conversation with 5, who had texted twice, before the bot was asked, and let go of it; the turn of 6 was given up, and an
/// agent has answered. A turn's number is its text's.
const SECOND: &str = include_str!("../../../../tests/fixtures/stores/v2.hex");

fn first() -> WriteSet {
    pairs_of(FIRST)
}

fn pairs_of(fixture: &str) -> WriteSet {
    let pairs = fixture.lines().map(|line| {
        let (key, value) = line.split_once(' ').unwrap();
        (bytes(key), Some(bytes(value)))
    });
    pairs.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { panic!("half a byte") };
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn text(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(number))
}

fn customer(number: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(number))
}

fn ids(messages: Vec<Message>) -> Vec<MessageId> {
    messages.into_iter().map(|message| message.id).collect()
}

fn rules() -> Policy {
    Policy {
        idle_after: Duration::from_secs(7200),
        has_bot: true,
        forward_keywords: false,
        max_content_units: 1600,
        bot: crate::domain::conversation::BotPolicy::default(),
        attention: crate::domain::conversation::AttentionPolicy::default(),
    }
}

type Open = fn(&Path) -> Result<EmbeddedStore, OpenError>;
type OpenKv = fn(&Path) -> Box<dyn Kv>;

/// How each engine is opened, as a store and below it.
const ENGINES: [(Open, OpenKv); 2] = [
    (
        |directory| EmbeddedStore::open_sled(directory, &SledOptions::default(), rules()),
        |directory| {
            let lock = Arc::new(DirectoryLock::acquire(directory, Duration::ZERO).unwrap());
            Box::new(super::super::sled::SledKv::open(directory, lock, &SledOptions::default()).unwrap())
        },
    ),
    (
        |directory| EmbeddedStore::open_fjall(directory, &FjallOptions::default(), rules()),
        |directory| {
            let lock = Arc::new(DirectoryLock::acquire(directory, Duration::ZERO).unwrap());
            Box::new(super::super::fjall::FjallKv::open(directory, lock, &FjallOptions::default()).unwrap())
        },
    ),
];

#[tokio::test]
async fn a_store_of_the_first_version_opens_and_goes_on() {
    for (open, open_kv) in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        let kv = open_kv(directory.path());
        kv.commit(&first()).unwrap();
        drop(kv);
        goes_on(&open(directory.path()).unwrap()).await;
    }
}

async fn goes_on(store: &EmbeddedStore) {
    let mut export = store.export().await.unwrap();
    let mut records = 0;
    while let read @ 1.. = export.next().await.unwrap().len() {
        records += read;
    }
    assert!(records > 50, "every record of it can be read");
    drop(export);
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.unknown, counts.held), (2, 1));
    assert_eq!(ids(store.unknown_due(at(60), 9).await.unwrap()), [text(201)]);
    assert_eq!(ids(store.holding(at(3), 9).await.unwrap()), [text(201)]);
    let silent = Silent { asks: 0, from: at(0), until: at(100) };
    assert_eq!(ids(store.silent(silent, 9).await.unwrap()), [text(401)]);
    assert_eq!(store.abandon_attempts("new", at(100)).await.unwrap(), 1);
    assert_eq!(ids(store.unknown_due(at(100), 9).await.unwrap()), [text(201), text(601)]);

    let lane = Lane { channel: "main".into(), sender: "+15550001111".into() };
    let heads = store.lane_heads(&lane, at(100), 9).await.unwrap();
    assert_eq!(heads.ready.iter().map(|head| head.message_id).collect::<Vec<_>>(), [text(302)]);
    let found = store.resolve(text(201), 1, Evidence::Found { provider_id: "OUT201".into() }, at(101)).await;
    assert_eq!(found.unwrap().unwrap().delivery.status, Status::Sent);
    assert!(store.message(text(301)).await.unwrap().unwrap().is_held());

    assert_eq!(store.release_turns("new", at(102)).await.unwrap(), 1);
    while let TurnClaim::Work(work) = store.claim_turn("new", at(102)).await.unwrap() {
        let command = CompleteTurn {
            turn_id: work.turn.id,
            attempt: work.turn.attempts,
            said: BotSaid {
                answer: Answer::default(),
                message_ids: Vec::new(),
                bot_name: "bot".into(),
                valid_for: Duration::from_secs(3600),
                new_turn: work.turn.id,
            },
            now: at(102),
        };
        store.complete_turn(command).await.unwrap();
    }

    // What is held keeps its conversation, and goes with its customer.
    while store.sweep(at(1_000_000), 100).await.unwrap().more {}
    store.prune(at(1_000_000), None, 100, at(1_000_000)).await.unwrap();
    assert!(store.message(text(301)).await.unwrap().is_some());
    assert_eq!(store.message(text(501)).await.unwrap(), None);
    for number in 1..=7 {
        store.erase_customer(customer(number), at(1_000_001)).await.unwrap();
    }
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.queued, counts.unknown, counts.held), (0, 0, 0));
    assert!(store.silent(silent, 9).await.unwrap().is_empty());
    assert_eq!(store.tokens().await.unwrap()[0].id, TokenId(Uuid::from_u128(1)));
    assert_eq!(store.session(SessionId(Uuid::from_u128(1))).await.unwrap(), None);
}

#[tokio::test]
async fn a_store_of_the_second_version_is_searched_and_lists_what_went_wrong() {
    for (open, open_kv) in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        let kv = open_kv(directory.path());
        kv.commit(&pairs_of(SECOND)).unwrap();
        drop(kv);
        let store = open(directory.path()).unwrap();
        let found = async |text: &str| {
            let customers = store.search_customers(Query::parse(text).unwrap(), 9).await.unwrap();
            customers.into_iter().map(|customer| customer.id).collect::<Vec<_>>()
        };
        assert_eq!(found("smith").await, [customer(1), customer(2)]);
        assert_eq!(found("bob").await, [customer(2)]);
        assert_eq!(found("0103").await, [customer(3)]);
        assert_eq!(found("14155").await, [1, 2, 3, 4, 5, 6].map(customer));
        assert_eq!(failed(&store).await, [6, 3, 2].map(turn));
        goes_on_from_the_second(&store).await;
        assert_eq!(failed(&store).await, [6, 2].map(turn));
    }
}

fn turn(number: u128) -> TurnId {
    TurnId(Uuid::from_u128(number))
}

async fn failed(store: &EmbeddedStore) -> Vec<TurnId> {
    let page = store.failed_turns(PageRequest { after: None, limit: 9 }).await.unwrap();
    page.items.into_iter().map(|turn| turn.id).collect()
}

async fn goes_on_from_the_second(store: &EmbeddedStore) {
    // Nothing of what happened before is told; what happens now is.
    assert_eq!(store.last_event().await.unwrap(), 0);
    assert_eq!(store.attend(vec![turn(91)], at(1_000_000)).await.unwrap(), Attended::default());
    let held = store.replay_turn(turn(2), turn(92), at(10)).await;
    assert!(matches!(held, Err(ReplayError::Refused(Refusal::SessionHeld))), "{held:?}");
    store.replay_turn(turn(3), turn(93), at(10)).await.unwrap();
    assert_eq!(store.release_turns("new", at(10)).await.unwrap(), 1);
    let mut told = Vec::new();
    while let TurnClaim::Work(work) = store.claim_turn("new", at(10)).await.unwrap() {
        let history: Vec<_> = work.history.iter().map(|message| message.id).collect();
        told.push((work.turn.customer_id, work.turn.kind, history));
    }
    let expected = [
        (customer(5), TurnKind::SessionUpdated, vec![text(5), text(51)]),
        (customer(6), TurnKind::MessageCreated, vec![]),
        (customer(4), TurnKind::MessageReceived, vec![]),
        (customer(3), TurnKind::MessageReceived, vec![]),
    ];
    assert_eq!(told, expected);
    store.switch_endpoint("crm", Some("gone".into()), at(11)).await.unwrap();
    assert_eq!(store.last_event().await.unwrap(), 1);
    store.erase_customer(customer(3), at(12)).await.unwrap();
}

/// Takes so many commits, and no more.
struct Dies(Arc<MapKv>, AtomicUsize);

impl Kv for Dies {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        self.0.begin()
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        let left = self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| KvError::Engine("the process was killed".into()))?;
        self.0.commit(writes)
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        Arc::clone(&self.0).snapshot()
    }
}

/// All that is stored but facts about the store.
fn stored(kv: &MapKv) -> Vec<Pair> {
    let range = KeyRange { start: super::super::keys::FactKey::all().end, end: vec![u8::MAX] };
    kv.begin().unwrap().scan(&range, Direction::Forward).map(Result::unwrap).collect()
}

#[test]
fn a_migration_that_was_interrupted_is_made_again_and_no_older_version_opens_what_it_left() {
    for fixture in [FIRST, SECOND] {
        is_made_again(&pairs_of(fixture));
    }
}

fn is_made_again(pairs: &WriteSet) {
    let whole = MapKv::default();
    whole.commit(pairs).unwrap();
    let before = stored(&whole);
    schema::adopt(&whole).unwrap();
    let expected = stored(&whole);
    assert_ne!(before, expected);
    for commits in 1.. {
        let kv = Arc::new(MapKv::default());
        kv.commit(pairs).unwrap();
        let died = schema::adopt(&Dies(Arc::clone(&kv), AtomicUsize::new(commits))).is_err();
        let signed = kv.begin().unwrap().get(&[1, 0]).unwrap().unwrap();
        assert_eq!(signed, CURRENT.to_be_bytes(), "after {commits} commits");
        schema::adopt(&kv).unwrap();
        assert_eq!(stored(&kv), expected, "after {commits} commits");
        if !died {
            assert!(commits > 6, "it is made in several commits: {commits}");
            return;
        }
    }
}

#[test]
fn what_is_in_this_versions_layout_is_left_as_it_is() {
    let kv = MapKv::default();
    kv.commit(&first()).unwrap();
    schema::adopt(&kv).unwrap();
    let once = stored(&kv);
    let again = Dies(Arc::new(kv), AtomicUsize::new(1));
    schema::adopt(&again).unwrap();
    assert_eq!(stored(&again.0), once);
}

#[test]
fn a_message_that_cannot_be_read_lets_no_store_be_half_migrated() {
    let kv = MapKv::default();
    let mut pairs = first();
    let message = pairs.keys().find(|key| key[0] == MessageKey::TABLE).unwrap().clone();
    pairs.insert(message, Some(vec![0xc1]));
    kv.commit(&pairs).unwrap();
    for _ in 0..2 {
        let refused = schema::adopt(&kv).unwrap_err().into_open_error("data".as_ref());
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    }
}
