//! Several daemons on one store: what they do at the same moment, and what becomes of one that is not heard of any more. Of
//! PostgreSQL only, since no other engine lets two have it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use switchboard::domain::conversation::SessionPatch;
use switchboard::domain::delivery::{ReceiptStage, Status};
use switchboard::domain::ids::{CustomerId, MessageId};
use switchboard::domain::turn::TurnState;
use switchboard::store::{
    Begun, Inbound, InboxFilter, Muster, Mustered, RecordInbound, Store, StoreError, TurnClaim,
};
use tokio::task::JoinSet;

use crate::engines::Opened;
use crate::fixture::{ANN, BOB, Fixture, HERE, accepted, at, first, key, receipt, rules};
use crate::postgres;

const TERM: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(3_600);

/// A store, and a second daemon's hold on the same one.
fn two() -> (Fixture, Arc<dyn Store>) {
    let name = new_name();
    (open(&name), Arc::new(postgres::open(&name, rules())))
}

/// Of a schema that no other test has.
fn new_name() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    format!("daemons_{}", MADE.fetch_add(1, Ordering::Relaxed))
}

fn open(name: &str) -> Fixture {
    Fixture::of(Opened { store: Arc::new(postgres::open(name, rules())), _home: Box::new(()) })
}

/// Gives the commands to both daemons in turn, all at the same moment.
async fn at_once<C: Send + 'static, T: Send + 'static, F>(
    f: &Fixture,
    other: &Arc<dyn Store>,
    commands: Vec<C>,
    give: impl Fn(Arc<dyn Store>, C) -> F,
) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let mut given = JoinSet::new();
    for (number, command) in commands.into_iter().enumerate() {
        let store = if number % 2 == 0 { Arc::clone(f) } else { Arc::clone(other) };
        given.spawn(give(store, command));
    }
    given.join_all().await
}

async fn take(store: Arc<dyn Store>, text: RecordInbound) -> Inbound {
    store.record_inbound(text).await.unwrap()
}

fn muster(owner: &str, duties: &[&str], term: Duration) -> Muster {
    let duties = duties.iter().map(|duty| (*duty).to_owned()).collect();
    Muster { owner: owner.into(), duties, missed_since: None, noted: Vec::new(), term }
}

async fn duties_of(store: &Arc<dyn Store>, owner: &str, duties: &[&str], term: Duration) -> BTreeSet<String> {
    match store.muster(muster(owner, duties, term)).await.unwrap() {
        Mustered::InOffice { duties, .. } => duties.into_iter().collect(),
        Mustered::OutOfOffice => panic!("{owner} is out of office"),
    }
}

/// Until the store believes that one to be gone. A server that has just been started believes nobody to be gone for a while.
async fn until_out_of_office(store: &Arc<dyn Store>, owner: &str) {
    for _ in 0..200 {
        tokio::time::sleep(TERM + Duration::from_millis(50)).await;
        if store.muster(muster(owner, &[], TERM)).await.unwrap() == Mustered::OutOfOffice {
            return;
        }
    }
    panic!("{owner} is never out of office");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_text_is_taken_once_whoever_hears_it() {
    let (f, other) = two();
    for round in 0..10 {
        let text = f.text(ANN, "hello", at(round));
        let repeats = (0..16)
            .map(|_| {
                let again = f.text(ANN, "hello", at(round));
                let mut again = RecordInbound { ids: again.ids, ..again };
                again.text.provider_id.clone_from(&text.text.provider_id);
                again
            })
            .collect();
        let taken = at_once(&f, &other, repeats, take).await;
        let recorded = taken.iter().filter(|inbound| matches!(inbound, Inbound::Recorded { .. })).count();
        assert_eq!(recorded, 1, "{taken:?}");
    }
    assert_eq!(f.customers(first(9)).await.unwrap().items.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_number_becomes_one_customer_with_one_session_in_order() {
    let (f, other) = two();
    let texts = (0..40).map(|number| f.text(BOB, &format!("{number}"), at(0))).collect();
    let taken = at_once(&f, &other, texts, take).await;
    let customers: BTreeSet<CustomerId> = taken
        .iter()
        .map(|inbound| match inbound {
            Inbound::Recorded { message, .. } => message.customer_id,
            Inbound::Duplicate { .. } => panic!("none is a repeat"),
        })
        .collect();
    assert_eq!(customers.len(), 1);
    let session = f.newest_session(*customers.first().unwrap()).await.unwrap().unwrap();
    assert_eq!(session.message_count, 40);
    let messages = f.messages_of(session.id, first(100)).await.unwrap().items;
    let places: Vec<u64> = messages.iter().map(|message| message.place).collect();
    assert_eq!(places, (0..40).rev().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_idempotency_creates_one_message_whoever_is_asked() {
    let (f, other) = two();
    let id = f.with_agents(ANN).await;
    let calls = (0..24)
        .map(|_| {
            let mut call = f.by_agent(id, "once", at(1));
            call.idempotency = Some(key("desk", "k", 1));
            call
        })
        .collect();
    let created = at_once(&f, &other, calls, async |store: Arc<dyn Store>, call| {
        store.create_message(call).await.unwrap()
    });
    let created = created.await;
    let ids: BTreeSet<MessageId> = created.iter().map(|fresh| fresh.value.id).collect();
    assert_eq!((ids.len(), created.iter().filter(|fresh| !fresh.replayed).count()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_begun_once_and_a_turn_is_claimed_once() {
    let (f, other) = two();
    let mut texts = Vec::new();
    for customer in 0..12 {
        let number = format!("+1415555{customer:04}");
        let id = f.with_bot(&number).await;
        texts.push(f.queue(f.by_bot(id, "hi", at(1))).await);
    }
    let twice = texts.iter().chain(&texts).copied().collect();
    let begun = at_once(&f, &other, twice, async |store: Arc<dyn Store>, id| {
        store.begin_attempt(id, HERE, at(2)).await.unwrap()
    });
    let begun = begun.await;
    assert_eq!(begun.iter().filter(|begun| matches!(begun, Begun::Attempt(_))).count(), texts.len());

    let claims = at_once(&f, &other, vec![(); 30], async |store: Arc<dyn Store>, ()| {
        store.claim_turn(HERE, at(2)).await.unwrap()
    });
    let claims = claims.await;
    let sessions: Vec<_> = claims
        .iter()
        .filter_map(|claim| match claim {
            TurnClaim::Work(work) => Some(work.turn.session_id),
            TurnClaim::NotBefore(_) | TurnClaim::Idle => None,
        })
        .collect();
    assert_eq!((sessions.len(), sessions.iter().collect::<BTreeSet<_>>().len()), (12, 12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_meets_the_answer_to_its_send_is_never_forgotten() {
    let (f, other) = two();
    for round in 0..60 {
        let id = f.with_bot(&format!("+1415556{round:04}")).await;
        let text = f.queue(f.by_bot(id, "hi", at(1))).await;
        let attempt = f.begin(text, at(2)).await;
        let provider_id = format!("SM{round}");
        let outcome = accepted(&provider_id);
        let delivered = receipt(&provider_id, ReceiptStage::Delivered, at(3));
        let settled = Store::settle(&**f, text, attempt, outcome, at(3));
        let (settled, applied) = tokio::join!(settled, other.apply_receipt(delivered, at(3)));
        settled.unwrap();
        applied.unwrap();
        assert_eq!(f.status(text).await, Status::Delivered, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_no_gap_and_both_hear_of_all_of_it() {
    let (f, other) = two();
    let texts = (0..60).map(|number| f.text(&format!("+1415557{:04}", number % 9), "hi", at(0))).collect();
    let mut news = other.event_news();
    at_once(&f, &other, texts, take).await;
    let last = f.place().await;
    let places: Vec<u64> =
        f.events(0, usize::MAX).await.unwrap().iter().map(|logged| logged.event.place).collect();
    assert_eq!(places, (1..=last).collect::<Vec<_>>());
    // What the one commits now the other hears of, without being asked.
    f.hear(f.text(ANN, "and more", at(1))).await;
    let last = f.place().await;
    news.wait_for(|place| *place >= last).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_duty_is_one_daemons_and_is_free_once_it_is_laid_down() {
    let (f, other) = two();
    let all = ["send main", "sweep", "look", "tell crm", "mark", "attend", "ask", "forget"];
    assert_eq!(duties_of(&f, "a", &all, LONG).await.len(), all.len(), "it is alone");
    // The other one's share is named, and its own only once it is laid down.
    assert_eq!(duties_of(&other, "b", &all, LONG).await, BTreeSet::new());
    let Mustered::InOffice { to_lay_down, others, .. } = f.muster(muster("a", &all, LONG)).await.unwrap()
    else {
        panic!("it is in office");
    };
    assert!(others == 1 && !to_lay_down.is_empty() && to_lay_down.len() < all.len(), "{to_lay_down:?}");
    for duty in &to_lay_down {
        f.lay_down("a", duty).await.unwrap();
    }
    assert_eq!(duties_of(&other, "b", &all, LONG).await, to_lay_down.iter().cloned().collect());
    f.resign("a").await.unwrap();
    assert_eq!(duties_of(&other, "b", &all, LONG).await.len(), all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_heard_of_begins_nothing_and_others_take_up_what_it_had() {
    let (f, other) = two();
    let (ann, bob) = (f.with_bot(ANN).await, f.with_bot(BOB).await);
    let texts = [f.queue(f.by_bot(ann, "hi", at(1))).await, f.queue(f.by_bot(bob, "hi", at(1))).await];
    duties_of(&f, "gone", &["sweep"], TERM).await;
    duties_of(&other, "lives", &["sweep"], LONG).await;
    assert!(matches!(f.begin_attempt(texts[0], "gone", at(2)).await.unwrap(), Begun::Attempt(_)));
    assert!(matches!(other.begin_attempt(texts[1], "lives", at(2)).await.unwrap(), Begun::Attempt(_)));
    let TurnClaim::Work(turn) = f.claim_turn("gone", at(2)).await.unwrap() else { panic!("there is one") };

    until_out_of_office(&f, "gone").await;
    let refused = f.claim_turn("gone", at(3)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(other.abandon_attempts("another", at(3)).await.unwrap(), 1);
    assert_eq!(other.release_turns("another", at(3)).await.unwrap(), 1);
    assert_eq!((f.status(texts[0]).await, f.status(texts[1]).await), (Status::Unknown, Status::Sending));
    assert_eq!(f.turn(turn.turn.id).await.unwrap().unwrap().state, TurnState::Pending);
    assert_eq!(duties_of(&other, "lives", &["sweep"], LONG).await, BTreeSet::from(["sweep".to_owned()]));
    let Mustered::InOffice { gone, .. } = other.muster(muster("lives", &[], LONG)).await.unwrap() else {
        panic!("it is in office");
    };
    assert_eq!(gone.iter().map(|gone| gone.owner.as_str()).collect::<Vec<_>>(), ["gone"]);
    // Once somebody has said to ask for what it may have missed, nobody else is told.
    let noted = Muster { noted: vec!["gone".into()], ..muster("lives", &[], LONG) };
    let Mustered::InOffice { gone, .. } = other.muster(noted).await.unwrap() else {
        panic!("it is in office");
    };
    assert_eq!(gone, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_in_the_name_of_one_that_has_resigned() {
    let (f, other) = two();
    let text = f.queue(f.by_bot(f.with_bot(ANN).await, "hi", at(1))).await;
    duties_of(&f, "ends", &[], LONG).await;
    f.resign("ends").await.unwrap();
    let refused = f.begin_attempt(text, "ends", at(2)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(f.muster(muster("ends", &[], LONG)).await.unwrap(), Mustered::OutOfOffice);
    // What it was sent while it ended is for others to ask for.
    let Mustered::InOffice { gone, .. } = other.muster(muster("lives", &[], LONG)).await.unwrap() else {
        panic!("it is in office");
    };
    assert_eq!(gone.iter().map(|gone| gone.owner.as_str()).collect::<Vec<_>>(), ["ends"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_whom_somebody_keeps_locked_holds_up_nobody_else() {
    let name = new_name();
    let f = open(&name);
    f.with_bot(ANN).await;
    let address = postgres::schema(&name);
    let (mut somebody, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio_util::task::TaskTracker::new().spawn(connection);
    let holds = somebody.transaction().await.unwrap();
    holds.query("SELECT id FROM customers FOR UPDATE", &[]).await.unwrap();

    let mut blocked = JoinSet::new();
    for text in ["first", "second"] {
        blocked.spawn(take(Arc::clone(&f), f.text(ANN, text, at(1))));
    }
    let mut others = JoinSet::new();
    for number in 0..40 {
        others.spawn(take(Arc::clone(&f), f.text(&format!("+1415555{:04}", 1000 + number), "hi", at(1))));
    }
    assert_eq!(others.join_all().await.len(), 40);
    assert!(blocked.try_join_next().is_none(), "she is locked still");
    holds.commit().await.unwrap();
    assert!(blocked.join_all().await.iter().all(|taken| matches!(taken, Inbound::Recorded { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_make_no_tables_does_all_else() {
    let name = new_name();
    drop(postgres::open(&name, rules()));
    let user = format!("limited_{name}");
    postgres::execute(
        &name,
        &format!(
            "CREATE ROLE {user} LOGIN;
            GRANT USAGE ON SCHEMA \"{name}\" TO {user};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"{name}\" TO {user};
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA \"{name}\" TO {user}"
        ),
    );
    let limited = postgres::open_as(&name, &user, rules());
    let f = Fixture::of(Opened { store: Arc::new(limited), _home: Box::new(()) });
    let ann = f.with_agents(ANN).await;
    f.erase_customer(ann, at(1)).await.unwrap();
    let told = usize::try_from(f.last_event().await.unwrap()).unwrap();
    assert!(told > 0);
    // The log's first part is full, and old: only its owner may drop it.
    postgres::execute(
        &name,
        "INSERT INTO events SELECT place, at, record FROM (VALUES (3999999), (4000001)) AS of (place),
            (SELECT at, record FROM events LIMIT 1) AS told;
        UPDATE counters SET value = 4000001 WHERE name = 'events'",
    );
    assert_eq!(
        f.prune_events(at(100), 1_000, at(100)).await.unwrap(),
        told + 1,
        "row by row, but for the newest"
    );
    postgres::execute(&name, &format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

/// The schema's first version, with a tagged session in it, as another store has written it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_older_version_has_kept_is_found_after_the_migration() {
    let from = new_name();
    let f = open(&from);
    let ann = f.with_agents(ANN).await;
    let tag = |tag: &str| SessionPatch { tags: Some(vec![tag.into()]), ..SessionPatch::default() };
    f.update_session(f.update(ann, tag("vip"), at(2))).await.unwrap();
    let old = new_name();
    postgres::execute(
        &old,
        &format!(
            "{}; CREATE TABLE schema_version AS SELECT 1 AS version, 1 AS works_from;
            INSERT INTO customers SELECT * FROM \"{from}\".customers;
            INSERT INTO sessions SELECT * FROM \"{from}\".sessions",
            include_str!("../../src/store/postgres/schema/1.sql")
        ),
    );
    let migrated = open(&old);
    let tagged = |tag: &str| InboxFilter { tag: Some(tag.into()), ..InboxFilter::default() };
    let found = |tag| migrated.inbox(tagged(tag), first(9));
    assert_eq!(found("vip").await.unwrap().items, f.inbox(tagged("vip"), first(9)).await.unwrap().items);
    assert_eq!(found("vip").await.unwrap().items.len(), 1);
    migrated.update_session(f.update(ann, tag("late"), at(3))).await.unwrap();
    assert_eq!(found("vip").await.unwrap().items.len(), 0);
    assert_eq!(found("late").await.unwrap().items.len(), 1);
    assert_eq!(postgres::select(&old, "SELECT version || ' ' || works_from FROM schema_version"), ["2 1"]);
}
