//! What the embedded store promises beyond what every engine does: that it comes back as it was, and that its
//! indexes hold nothing that is over.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

use super::keys::Family;
use super::kv::testing::MapKv;
use super::*;
use crate::domain::conversation::{
    Answer, AnswerText, AttentionPolicy, BotPolicy, InboundIds, InboundText, KeywordReplies, OutboundText,
    Policy,
};
use crate::domain::delivery::{DeliveryError, ErrorClass};
use crate::domain::message::{Author, Role};
use crate::store::{BotSaid, Idempotency, LaneHead, REMEMBERED};

mod budget;
mod layout;

const ANN: &str = "+14155550101";
const BOB: &str = "+14155550102";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn rules() -> Rules {
    Policy {
        idle_after: Duration::from_secs(7200),
        has_bot: true,
        forward_keywords: false,
        max_content_units: 1600,
        bot: crate::domain::conversation::BotPolicy::default(),
        attention: crate::domain::conversation::AttentionPolicy::default(),
    }
}

fn lane() -> Lane {
    Lane { channel: "main".into(), sender: "+15550001111".into() }
}

/// A text whose ids are all made of one number.
fn text(from: &str, id: u128, content: &str) -> RecordInbound {
    let id = Uuid::from_u128(id);
    let ids = InboundIds {
        customer: CustomerId(id),
        session: SessionId(id),
        message: MessageId(id),
        turn: TurnId(id),
        reply: MessageId(Uuid::from_u128(id.as_u128() + 1_000_000)),
    };
    let text = InboundText {
        lane: lane(),
        provider_id: format!("IN{id}"),
        from: Address::parse(from).unwrap(),
        content: content.into(),
        media: Vec::new(),
        sent_at: None,
        recovered: false,
        keyword: None,
        replies: KeywordReplies::default(),
    };
    RecordInbound { text, ids, now: at(0) }
}

fn answer(customer: u128, id: u128, key: Option<&str>, now: Timestamp) -> CreateMessage {
    let text = OutboundText {
        turn_id: None,
        unprompted: false,
        id: MessageId(Uuid::from_u128(id)),
        author: Author { role: Role::Init, name: "bot".into() },
        content: "an answer".into(),
        default_lane: None,
        not_before: None,
        valid_for: Duration::from_secs(3600),
        confirmation: None,
        new_session: SessionId(Uuid::from_u128(id)),
        new_turn: TurnId(Uuid::from_u128(id)),
    };
    let idempotency = key.map(|key| Idempotency { scope: "bot".into(), key: key.into(), request: [0; 32] });
    CreateMessage { customer_id: CustomerId(Uuid::from_u128(customer)), text, idempotency, now }
}

fn in_memory() -> (EmbeddedStore, Arc<MapKv>) {
    let kv = Arc::new(MapKv::default());
    (on(Arc::clone(&kv)), kv)
}

/// A store on that engine, which is the same one each time that it is opened.
fn on(kv: impl Kv + Clone) -> EmbeddedStore {
    let opener: Opener = Box::new(move || Ok(Box::new(kv.clone())));
    EmbeddedStore::start("no such directory".as_ref(), opener, rules()).unwrap()
}

fn tables_of(kv: &MapKv) -> BTreeSet<u8> {
    kv.keys().iter().map(|key| key[0]).collect()
}

const CACHE_BYTES: u64 = 8 * 1024 * 1024;
const LOCK_WAIT: Duration = Duration::from_secs(5);

type Open = fn(&Path, Duration) -> Result<EmbeddedStore, OpenError>;

const ENGINES: [Open; 2] = [sled, fjall];

fn sled(directory: &Path, lock_wait: Duration) -> Result<EmbeddedStore, OpenError> {
    let options = SledOptions { cache_bytes: CACHE_BYTES, lock_wait };
    EmbeddedStore::open_sled(directory, &options, rules())
}

fn fjall(directory: &Path, lock_wait: Duration) -> Result<EmbeddedStore, OpenError> {
    let options = FjallOptions { cache_bytes: CACHE_BYTES, lock_wait };
    EmbeddedStore::open_fjall(directory, &options, rules())
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_drop_and_after_a_close() {
    for open in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path(), LOCK_WAIT).unwrap();
        store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
        drop(store);

        let store = open(directory.path(), LOCK_WAIT).unwrap();
        let first = store.message(MessageId(Uuid::from_u128(1))).await.unwrap().unwrap();
        assert_eq!(first.content, "hello");
        let repeated = store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
        assert_eq!(repeated, Inbound::Duplicate { message_id: first.id });
        store.create_message(answer(1, 2, None, at(1))).await.unwrap();
        store.close().await.unwrap();

        let store = open(directory.path(), LOCK_WAIT).unwrap();
        let head = store.lane_head(&lane(), at(1)).await.unwrap();
        assert_eq!(head, LaneHead::Ready { message_id: MessageId(Uuid::from_u128(2)), segments: 1 });
        assert!(matches!(store.claim_turn("here", at(1)).await.unwrap(), TurnClaim::Work(_)));
    }
}

#[tokio::test]
async fn a_closed_store_is_unavailable_and_lets_go_of_its_directory() {
    for open in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path(), LOCK_WAIT).unwrap();
        store.ready().await.unwrap();
        store.close().await.unwrap();
        store.close().await.unwrap();
        assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.counts().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.record_inbound(text(ANN, 1, "hello")).await, Err(StoreError::Unavailable(_))));
        open(directory.path(), LOCK_WAIT).unwrap();
    }
}

#[tokio::test]
async fn a_second_daemon_is_refused() {
    for open in ENGINES {
        let directory = tempfile::tempdir().unwrap();
        let _store = open(directory.path(), LOCK_WAIT).unwrap();
        let refused = open(directory.path(), Duration::ZERO).unwrap_err();
        assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    }
}

#[tokio::test]
async fn another_engines_store_is_refused_and_left_as_it_is() {
    for (first, second) in [(ENGINES[0], ENGINES[1]), (ENGINES[1], ENGINES[0])] {
        let directory = tempfile::tempdir().unwrap();
        first(directory.path(), LOCK_WAIT).unwrap().record_inbound(text(ANN, 1, "hello")).await.unwrap();
        let refused = second(directory.path(), LOCK_WAIT).unwrap_err();
        assert!(matches!(refused, OpenError::OtherEngine { .. }), "{refused}");
        let store = first(directory.path(), LOCK_WAIT).unwrap();
        assert!(store.message(MessageId(Uuid::from_u128(1))).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_is_over_stands_in_no_queue() {
    let (store, kv) = in_memory();
    store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
    store.create_message(answer(1, 2, None, at(1))).await.unwrap();
    let waiting = tables_of(&kv);
    assert!(waiting.is_superset(&[16, 17, 18, 19, 22, 25].into()), "{waiting:?}");

    let Begun::Attempt(message) =
        store.begin_attempt(MessageId(Uuid::from_u128(2)), "here", at(2)).await.unwrap()
    else {
        panic!("it is due")
    };
    let accepted = SendOutcome::Accepted { provider_id: "OUT".into(), from: None };
    store.settle(message.id, 1, accepted, at(3)).await.unwrap();
    let TurnClaim::Work(work) = store.claim_turn("here", at(3)).await.unwrap() else { panic!("it is due") };
    store
        .fail_turn(work.turn.id, 1, TurnFailure::GiveUp { reason: "gone".into(), fallback: None }, at(4))
        .await
        .unwrap();

    let left: BTreeSet<u8> = tables_of(&kv)
        .into_iter()
        .filter(|table| [16, 17, 18, 19, 20, 21, 22, 25, 26].contains(table))
        .collect();
    assert_eq!(left, BTreeSet::new());
}

#[tokio::test]
async fn of_an_erased_person_only_hashes_and_the_ids_of_their_texts_stay() {
    let (store, kv) = in_memory();
    let ann = CustomerId(Uuid::from_u128(1));
    store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
    store.create_message(answer(1, 2, Some("key"), at(1))).await.unwrap();
    store.record_inbound(text(ANN, 3, "STOP")).await.unwrap();
    store.erase_customer(ann, at(2)).await.unwrap();
    // Facts, the consent log, the suppression, the ids of received texts, and the log of events.
    assert_eq!(tables_of(&kv), BTreeSet::from([1, 5, 6, 14, 38]));
    let view = kv.begin().unwrap();
    for key in kv.keys() {
        let value = view.get(&key).unwrap().unwrap();
        for secret in [&ANN[1..], "hello"] {
            let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!holds(&key) && !holds(&value), "{key:?}");
        }
    }
}

#[tokio::test]
async fn erasing_a_person_keeps_what_their_swept_key_stands_for_now() {
    let (store, _) = in_memory();
    store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
    store.record_inbound(text(BOB, 2, "hello")).await.unwrap();
    store.create_message(answer(1, 3, Some("key"), at(0))).await.unwrap();
    let later = at(1).after(REMEMBERED);
    store.sweep(later, 10).await.unwrap();
    let second = store.create_message(answer(2, 4, Some("key"), later)).await.unwrap();
    store.erase_customer(CustomerId(Uuid::from_u128(1)), later).await.unwrap();
    let again = store.create_message(answer(2, 5, Some("key"), later)).await.unwrap();
    assert_eq!(again, Fresh { replayed: true, ..second });
}

#[tokio::test]
async fn nothing_leads_to_who_waits_is_searched_or_went_wrong_once_they_are_erased() {
    let kv = Arc::new(MapKv::default());
    let bot = BotPolicy { observe: true, ..BotPolicy::default() };
    let attention = AttentionPolicy { escalate_after: Some(Duration::from_secs(60)), return_after: None };
    let opener: Opener = Box::new({
        let kv = Arc::clone(&kv);
        move || Ok(Box::new(Arc::clone(&kv)))
    });
    let rules = Policy { bot, attention, ..rules() };
    let store = EmbeddedStore::start("no such directory".as_ref(), opener, rules).unwrap();
    let ann = CustomerId(Uuid::from_u128(1));
    store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
    let claim = async || match store.claim_turn("here", at(1)).await.unwrap() {
        TurnClaim::Work(work) => work.turn.id,
        claim => panic!("{claim:?}"),
    };
    let failure = TurnFailure::GiveUp { reason: "bot-unreachable".into(), fallback: None };
    store.fail_turn(claim().await, 1, failure, at(1)).await.unwrap();
    let assignment = AssignSession {
        customer_id: ann,
        assignee: Some("eve".into()),
        caller: "eve".into(),
        force: false,
        now: at(2),
    };
    store.assign_session(assignment).await.unwrap();
    store.record_inbound(text(ANN, 2, "hello?")).await.unwrap();
    let proposed = AnswerText { content: "hi".into(), delay: Duration::ZERO, valid_for: None };
    let command = CompleteTurn {
        turn_id: claim().await,
        attempt: 1,
        said: BotSaid {
            answer: Answer { texts: vec![proposed], ..Answer::default() },
            message_ids: vec![MessageId(Uuid::from_u128(9))],
            bot_name: "bot".into(),
            valid_for: Duration::from_secs(60),
            new_turn: TurnId(Uuid::from_u128(9)),
        },
        now: at(3),
    };
    store.complete_turn(command).await.unwrap();
    let leads = BTreeSet::from([
        keys::WordKey::TABLE,
        keys::FailedTurnKey::TABLE,
        keys::AssigneeKey::TABLE,
        keys::AttentionKey::TABLE,
        keys::SuggestionKey::TABLE,
    ]);
    assert!(tables_of(&kv).is_superset(&leads));
    store.erase_customer(ann, at(4)).await.unwrap();
    assert!(tables_of(&kv).is_disjoint(&leads));
}

#[tokio::test]
async fn nothing_leads_to_a_text_of_unknown_fate_once_its_customer_is_erased() {
    let (store, kv) = in_memory();
    let error = DeliveryError { code: None, class: ErrorClass::Unknown, text: "no answer".into() };
    store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
    for (id, evidence) in [(2, Evidence::CannotTell), (3, Evidence::Passed { look_at: at(60) })] {
        store.create_message(answer(1, id, None, at(1))).await.unwrap();
        let id = MessageId(Uuid::from_u128(id));
        store.begin_attempt(id, "here", at(2)).await.unwrap();
        let unknown = SendOutcome::Unknown { error: error.clone(), look_at: at(60) };
        store.settle(id, 1, unknown, at(3)).await.unwrap();
        store.resolve(id, 1, evidence, at(4)).await.unwrap().unwrap();
    }
    let in_doubt = [keys::LookKey::TABLE, keys::HeldKey::TABLE, keys::DoubtKey::TABLE];
    assert!(tables_of(&kv).is_superset(&in_doubt.into()));
    store.erase_customer(CustomerId(Uuid::from_u128(1)), at(5)).await.unwrap();
    assert!(tables_of(&kv).is_disjoint(&in_doubt.into()));
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_leaves_no_trace() {
    let (store, _) = in_memory();
    let refused = store.record_inbound(text(ANN, 1, &"a".repeat(100 * 1024))).await;
    assert!(matches!(refused, Err(StoreError::TooLarge(_))), "{refused:?}");
    assert!(store.customer(CustomerId(Uuid::from_u128(1))).await.unwrap().is_none());
    // As much as a webhook carries.
    let taken = store.record_inbound(text(ANN, 1, &"a".repeat(64 * 1024))).await;
    assert!(matches!(taken, Ok(Inbound::Recorded { .. })), "{taken:?}");
}

/// Cannot commit once, and then can.
#[derive(Clone, Default)]
struct FailsOnce(Arc<MapKv>, Arc<std::sync::atomic::AtomicBool>);

impl Kv for FailsOnce {
    fn begin(&self) -> Result<Box<dyn kv::View + '_>, kv::KvError> {
        self.0.begin()
    }

    fn commit(&self, writes: &kv::WriteSet) -> Result<(), kv::KvError> {
        if self.1.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return self.0.commit(writes);
        }
        Err(kv::KvError::Engine("the disk is ill".into()))
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn kv::Snapshot>, kv::KvError> {
        Arc::clone(&self.0).snapshot()
    }
}

#[tokio::test]
async fn a_store_whose_commit_failed_refuses_also_reads_and_works_again_by_itself() {
    let store = on(FailsOnce::default());
    let refused = store.record_inbound(text(ANN, 1, "hello")).await;
    assert!(matches!(refused, Err(StoreError::Uncertain(_))), "{refused:?}");
    let (read, ready) = tokio::join!(store.counts(), store.ready());
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(matches!(ready, Err(StoreError::Unavailable(_))), "{ready:?}");
    while store.ready().await.is_err() {
        tokio::task::yield_now().await;
    }
    store.record_inbound(text(ANN, 1, "hello")).await.unwrap();
    assert!(store.customer(CustomerId(Uuid::from_u128(1))).await.unwrap().is_some());
}

/// What stays of a person: facts about the store, the consent log, which of their texts were seen, and that something
/// happened.
fn is_left_by_an_erasure(table: u8) -> bool {
    let left =
        [keys::FactKey::TABLE, keys::ConsentKey::TABLE, keys::InboundIdKey::TABLE, keys::EventKey::TABLE];
    left.contains(&table)
}

#[tokio::test]
async fn what_remains_of_a_person_is_cleared_away_also_by_the_next_process() {
    let (store, kv) = in_memory();
    for id in 1..=500 {
        store.record_inbound(text(ANN, id, "HELP")).await.unwrap();
    }
    store.record_inbound(text(ANN, 501, "hello")).await.unwrap();
    store.create_message(answer(1, 1_000, Some("k"), at(1))).await.unwrap();
    store.erase_customer(CustomerId(Uuid::from_u128(1)), at(2)).await.unwrap();
    assert!(tables_of(&kv).contains(&keys::MessageKey::TABLE), "it is too much for one commit");
    drop(store);

    let store = on(Arc::clone(&kv));
    assert_eq!(store.message(MessageId(Uuid::from_u128(500))).await.unwrap(), None);
    while store.sweep(at(3), 500).await.unwrap().more {}
    let left: Vec<u8> = tables_of(&kv).into_iter().filter(|table| !is_left_by_an_erasure(*table)).collect();
    assert_eq!(left, Vec::<u8>::new());
}

#[tokio::test]
async fn of_an_old_conversation_nothing_is_left_but_its_customer() {
    let (store, kv) = in_memory();
    store.record_inbound(text(ANN, 1, "HELP")).await.unwrap();
    let before = tables_of(&kv);
    assert_eq!(store.prune(at(9), None, 9, at(9)).await.unwrap().sessions, 1);
    let expected: BTreeSet<u8> = [
        keys::FactKey::TABLE,
        keys::CustomerKey::TABLE,
        keys::CustomerNumberKey::TABLE,
        keys::CustomerOrderKey::TABLE,
        keys::EventKey::TABLE,
        keys::WordKey::TABLE,
    ]
    .into();
    assert_eq!(tables_of(&kv), expected);
    assert!(before.is_superset(&expected));
}
