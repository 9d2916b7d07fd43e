//! What more and more of it costs: stores of 10 thousand, 1 million and 10 million messages, of which every operation is timed
//! in turns, and a daemon that starts on each.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use switchboard::domain::ids::{CustomerId, MessageId, SessionId};
use switchboard::domain::phone::{Address, PhoneNumber};
use switchboard::store::Store;
use switchboard::store::embedded::{EmbeddedStore, FjallOptions, SledOptions};
use switchboard::store::export::Record;
use tempfile::TempDir;
use uuid::Uuid;

use crate::calls;
use crate::load::{self, Calls};
use crate::operations::{Bench, OPERATIONS, once, rules, sample};
use crate::scenarios::{CUSTOMERS, Rate};
use crate::servers::{Daemon, Memory, Setup};
use crate::signed;

/// Messages of a conversation: half of them the customer's, half ours.
pub const PER_CONVERSATION: u64 = 10;
/// Conversations whose records share a commit.
const TOGETHER: usize = 50;

pub fn open(engine: &str, home: &Path) -> EmbeddedStore {
    let path = home.join("data");
    match engine {
        "sled" => EmbeddedStore::open_sled(&path, &SledOptions::default(), rules()),
        _ => EmbeddedStore::open_fjall(&path, &FjallOptions::default(), rules()),
    }
    .unwrap()
}

/// A store of so many messages, in conversations that are over: copies of one that was led with all its commands.
async fn fill(engine: &str, home: &Path, messages: u64) -> Duration {
    let template = template(engine).await;
    let began = Instant::now();
    let store = open(engine, home);
    store.begin_import().await.unwrap();
    let (mut records, mut events) = (Vec::new(), 0);
    let conversations = messages / PER_CONVERSATION;
    for number in 0..conversations {
        let copy = template.iter().filter_map(|record| copy(record, number, &mut events));
        records.extend(copy);
        if number % TOGETHER as u64 == TOGETHER as u64 - 1 || number + 1 == conversations {
            store.import(std::mem::take(&mut records)).await.unwrap();
        }
    }
    store.end_import().await.unwrap();
    store.close().await.unwrap();
    began.elapsed()
}

async fn template(engine: &str) -> Vec<Record> {
    let home = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(Arc::new(open(engine, home.path())), 0);
    sample(&mut bench, PER_CONVERSATION).await;
    let mut export = bench.store.export().await.unwrap();
    let mut records = Vec::new();
    loop {
        let more = export.next().await.unwrap();
        if more.is_empty() {
            return records;
        }
        records.extend(more);
    }
}

/// The template's record, of another conversation: its ids have that number where the time was.
fn copy(of: &Record, number: u64, events: &mut u64) -> Option<Record> {
    let id = |id: Uuid| Uuid::from_u128((id.as_u128() & (u128::MAX >> 48)) | (u128::from(number + 1) << 80));
    let place = |order: u64| order + (number + 1) * 1_000;
    let phone = format!("+1{}", 2_000_000_000 + number + 1);
    Some(match of.clone() {
        Record::Customer { order, mut customer } => {
            customer.id = CustomerId(id(customer.id.0));
            customer.phone_number = Some(Address::Phone(PhoneNumber::parse(&phone).unwrap()));
            Record::Customer { order: place(order), customer }
        }
        Record::Session { order, mut session } => {
            session.id = SessionId(id(session.id.0));
            session.customer_id = CustomerId(id(session.customer_id.0));
            session.asked = None;
            Record::Session { order: place(order), session }
        }
        Record::Message { order, mut message } => {
            message.id = MessageId(id(message.id.0));
            message.session_id = SessionId(id(message.session_id.0));
            message.customer_id = CustomerId(id(message.customer_id.0));
            message.turn_id = None;
            let delivery = &mut message.delivery;
            let own = |id: &mut String| *id = format!("{id}-{number}");
            delivery.provider_ids.iter_mut().for_each(own);
            if order.is_some() {
                delivery.to = phone;
            } else {
                delivery.from = Some(phone);
            }
            Record::Message { order: order.map(place), message }
        }
        Record::InboundId { channel, provider_id, message_id } => {
            let provider_id = format!("{provider_id}-{number}");
            Record::InboundId { channel, provider_id, message_id: MessageId(id(message_id.0)) }
        }
        Record::OutboundId { channel, provider_id, message_id } => {
            let provider_id = format!("{provider_id}-{number}");
            Record::OutboundId { channel, provider_id, message_id: MessageId(id(message_id.0)) }
        }
        // As many as whoever reads the end of the log sees.
        Record::Event { mut event } if number < 100 => {
            *events += 1;
            event.place = *events;
            Record::Event { event }
        }
        _ => return None,
    })
}

pub struct Costs {
    /// The operation, and in milliseconds the medians with few and with many.
    pub operations: Vec<(&'static str, f64, f64)>,
}

/// A store that stays, and how long it took to fill it.
pub struct Filled {
    pub home: TempDir,
    pub messages: u64,
    pub took: Duration,
    /// In bytes.
    pub disk: u64,
}

pub fn filled(engine: &'static str, messages: u64) -> Filled {
    let home = tempfile::tempdir().unwrap();
    let took = runtime().block_on(fill(engine, home.path(), messages));
    let disk = size_of(home.path());
    Filled { home, messages, took, disk }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What every operation costs with few messages stored and with many, in turns.
pub fn costs(engine: &'static str, few: &Filled, many: &Filled, times: u64) -> Costs {
    const WARM_UP: u64 = 50;
    runtime().block_on(async {
        let mut small = Bench::new(Arc::new(open(engine, few.home.path())), 1 << 40);
        let mut large = Bench::new(Arc::new(open(engine, many.home.path())), 1 << 40);
        let mut took = [Vec::new(), Vec::new()];
        for round in 0..times + WARM_UP {
            let both = (once(&mut small, round).await, once(&mut large, round).await);
            if round >= WARM_UP {
                took[0].push(both.0);
                took[1].push(both.1);
            }
        }
        let median = |which: usize, place: usize| {
            let mut of: Vec<Duration> =
                took[which].iter().map(|round: &Vec<Duration>| round[place]).collect();
            of.sort_unstable();
            of[of.len() / 2].as_secs_f64() * 1_000.0
        };
        let operations = OPERATIONS.iter().enumerate();
        let operations =
            operations.map(|(place, name)| (*name, median(0, place), median(1, place))).collect();
        small.store.close().await.unwrap();
        large.store.close().await.unwrap();
        Costs { operations }
    })
}

/// Conversations removed for their age.
pub struct Pruned {
    pub messages: u64,
    pub took: Duration,
    /// In bytes, with them and without.
    pub before: u64,
    pub after: u64,
}

/// Removes half of the conversations, as retention does; without its pauses.
pub fn pruned(engine: &'static str, filled: &Filled) -> Pruned {
    const AT_ONCE: usize = 20;
    // What comes back at a start by itself is not counted: before and after it was closed, and opened, and closed.
    let opened_once = || runtime().block_on(open(engine, filled.home.path()).close()).unwrap();
    opened_once();
    let before = size_of(filled.home.path());
    let (messages, took) = runtime().block_on(async {
        let store = open(engine, filled.home.path());
        let began = Instant::now();
        let later = switchboard::app::ambient::now().after(Duration::from_secs(86_400));
        let (mut from, mut messages) = (None, 0);
        while messages < filled.messages / 2 {
            let pruned = store.prune(later, from, AT_ONCE, later).await.unwrap();
            messages += pruned.messages;
            from = pruned.next;
            assert!(from.is_some(), "only {messages} messages were old enough");
        }
        while store.sweep(later, 1_000).await.unwrap().more {}
        let took = began.elapsed();
        store.close().await.unwrap();
        (messages, took)
    });
    opened_once();
    Pruned { messages, took, before, after: size_of(filled.home.path()) }
}

fn size_of(path: &Path) -> u64 {
    let entry = std::fs::symlink_metadata(path).unwrap();
    if !entry.is_dir() {
        return std::os::unix::fs::MetadataExt::blocks(&entry) * 512;
    }
    std::fs::read_dir(path).unwrap().map(|entry| size_of(&entry.unwrap().path())).sum()
}

/// A daemon on a store that is there.
pub struct Started {
    /// Until it is ready: as it was left, and after a `kill -9` under load.
    pub first: Duration,
    pub again: Duration,
    pub memory: Memory,
}

pub fn started(
    engine: &'static str,
    filled: Filled,
    provider: u16,
) -> (Started, Vec<(&'static str, Rate)>, Filled) {
    let Filled { home, messages, took, .. } = filled;
    let setup = Setup::of(engine, provider);
    let began = Instant::now();
    let daemon = Daemon::start_in(home, &setup);
    let first = began.elapsed();
    let load = calls::texts(CUSTOMERS, 20_000, 77);
    load::closed(daemon.port, 64, Duration::from_secs(2), &load, 200);
    let home = daemon.kill();
    let began = Instant::now();
    let daemon = Daemon::start_in(home, &setup);
    let again = began.elapsed();
    let lists = lists(daemon.port);
    let memory = daemon.process.memory();
    let home = daemon.kill();
    let disk = size_of(home.path());
    (Started { first, again, memory }, lists, Filled { home, messages, took, disk })
}

/// What a list is called, and the path of its `n`th call.
type List<'a> = (&'static str, Box<dyn Fn(usize) -> String + 'a>);

/// What the console asks for, by eight who ask again and again.
fn lists(port: u16) -> Vec<(&'static str, Rate)> {
    let customers = load::on_one_thread(async {
        let mut connection = load::Connection::to(port);
        assert_eq!(connection.call(&calls::get("/v1/customers?limit=500")).await, 200);
        let text = String::from_utf8_lossy(connection.answer()).into_owned();
        text.split(r#"{"id":""#).skip(1).map(|rest| rest[..36].to_owned()).collect::<VecDeque<_>>()
    });
    let one = |at: usize| &customers[at % customers.len()];
    let lists: [List<'_>; 5] = [
        (
            "the inbox: 50 that wait, with their customers and last messages",
            Box::new(|_| "/v1/sessions?need_attention=true&limit=50&expand=customer,last_message".into()),
        ),
        ("50 of those that the bot has", Box::new(|_| "/v1/sessions?need_attention=false&limit=50".into())),
        ("50 with a tag that all have", Box::new(|_| "/v1/sessions?tag=vip&limit=50".into())),
        (
            "a page of 50 messages",
            Box::new(|at| format!("/v1/customers/{}/sessions/current/messages?limit=50", one(at))),
        ),
        ("50 customers", Box::new(|_| "/v1/customers?limit=50".into())),
    ];
    let many = 20_000;
    lists
        .into_iter()
        .map(|(name, path)| {
            let asked = Calls::of((0..many).map(|at| calls::get(&path(at))));
            (name, Rate::of(load::closed(port, 8, Duration::from_millis(1_500), &asked, 200)))
        })
        .collect()
}

/// Texts by their command, as they come from a tenth as many customers: what they leave on the disk, with their events.
pub fn by_commands(engine: &'static str, texts: u64) -> Filled {
    let home = tempfile::tempdir().unwrap();
    let began = Instant::now();
    runtime().block_on(async {
        let store = Arc::new(open(engine, home.path()));
        let next = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..256_u64 {
            let (store, next): (Arc<dyn Store>, _) = (Arc::clone(&store) as _, Arc::clone(&next));
            callers.spawn(async move {
                let mut texts_of = Bench::new(store, caller << 40);
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if number >= texts {
                        return;
                    }
                    texts_of
                        .hear(&format!("+1{}", 2_000_000_000 + signed::mixed(number) % (texts / 10)))
                        .await;
                }
            });
        }
        callers.join_all().await;
        store.close().await.unwrap();
    });
    let took = began.elapsed();
    let disk = size_of(home.path());
    Filled { home, messages: texts, took, disk }
}
