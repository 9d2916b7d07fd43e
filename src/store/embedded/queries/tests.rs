//! That a long way is gone on many views, none of which makes a commit wait for all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use uuid::Uuid;

use super::super::codec;
use super::super::keys::{MessageAtKey, MessageKey, SessionKey};
use super::super::kv::testing::MapKv;
use super::super::kv::{KvError, Scan, Snapshot, Value, View, WriteSet};
use super::super::tables::{MessageAt, write_entry};
use super::*;
use crate::domain::delivery::Delivery;
use crate::domain::message::{Author, Role};
use crate::domain::phone::Address;
use crate::domain::segments;

/// Commits something before each view, and sees how much is read on one.
struct Busy {
    map: MapKv,
    views: AtomicUsize,
    most_on_a_view: AtomicUsize,
    /// What is committed before the view of that number.
    between: fn(usize) -> WriteSet,
}

impl Busy {
    fn new(between: fn(usize) -> WriteSet) -> Self {
        Self {
            map: MapKv::default(),
            views: AtomicUsize::new(0),
            most_on_a_view: AtomicUsize::new(0),
            between,
        }
    }

    fn views(&self) -> usize {
        self.views.load(Ordering::SeqCst)
    }

    fn most_on_a_view(&self) -> usize {
        self.most_on_a_view.load(Ordering::SeqCst)
    }
}

impl Kv for Busy {
    /// Would wait for ever if the view before were still there.
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        self.map.commit(&(self.between)(self.views.fetch_add(1, Ordering::SeqCst)))?;
        Ok(Box::new(BusyView { busy: self, below: self.map.begin()?, read: AtomicUsize::new(0) }))
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        self.map.commit(writes)
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        unimplemented!("nobody goes through all of it")
    }
}

struct BusyView<'b> {
    busy: &'b Busy,
    below: Box<dyn View + 'b>,
    read: AtomicUsize,
}

impl View for BusyView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        self.below.get(key)
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        let pairs = self.below.scan(range, direction);
        Box::new(pairs.inspect(|_| {
            let read = self.read.fetch_add(1, Ordering::SeqCst) + 1;
            self.busy.most_on_a_view.fetch_max(read, Ordering::SeqCst);
        }))
    }
}

fn id(n: usize) -> SessionId {
    SessionId(Uuid::from_u128(n as u128))
}

fn at(millis: usize) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap())
}

/// A session that waits since then, with its entries of the inbox and of the tag.
fn waiting(n: usize, since: usize, topic: &str) -> WriteSet {
    let mut session = Session::new(id(n), CustomerId(Uuid::from_u128(n as u128)), true, at(0));
    session.waiting_since = Some(at(since));
    session.tags = vec!["vip".into()];
    session.topics = vec![topic.into()];
    let (queue, since, session_id) = (InboxQueue::Waiting, at(since), session.id);
    [
        (SessionKey { session: session_id }.encode(), Some(codec::encode(&session).unwrap())),
        (InboxKey { queue, since, session: session_id }.encode(), Some(vec![])),
        (TagKey { tag: "vip".into(), queue, since, session: session_id }.encode(), Some(vec![])),
    ]
    .into()
}

#[test]
fn a_count_lets_commits_through_on_its_way() {
    // One more at the end, before each view.
    let kv = Busy::new(|view| waiting(1_000_000 + view, 1_000_000 + view, "orders"));
    for n in 0..5_000 {
        kv.commit(&waiting(n, n, "orders")).unwrap();
    }
    let waiting = counts(&kv).unwrap().sessions_waiting;
    assert!((5_000..5_020).contains(&waiting), "{waiting}");
    assert!(kv.views() >= 5, "{} views", kv.views());
    assert!(kv.most_on_a_view() <= KEYS_PER_VIEW, "{} on one view", kv.most_on_a_view());
}

fn vips_about(topic: &str, limit: usize) -> (InboxFilter, PageRequest) {
    let filter = InboxFilter {
        tag: Some("vip".into()),
        topic: Some(topic.into()),
        need_attention: None,
        assignee: None,
    };
    (filter, PageRequest { after: None, limit })
}

#[test]
fn a_page_of_the_inbox_lets_commits_through_while_it_looks_for_its_sessions() {
    let kv = Busy::new(|_| WriteSet::new());
    for n in 0..1_000 {
        kv.commit(&waiting(n, n, if n % 300 == 299 { "orders" } else { "else" })).unwrap();
    }
    let (filter, mut request) = vips_about("orders", 2);
    let first = inbox(&kv, &filter, &request).unwrap();
    assert_eq!(first.items.iter().map(|session| session.id).collect::<Vec<_>>(), [id(299), id(599)]);
    assert!(kv.views() >= 9, "{} views", kv.views());
    assert!(kv.most_on_a_view() <= SESSIONS_PER_VIEW, "{} on one view", kv.most_on_a_view());

    request.after = first.next;
    let second = inbox(&kv, &filter, &request).unwrap();
    assert_eq!(second.items.iter().map(|session| session.id).collect::<Vec<_>>(), [id(899)]);
    assert!(second.next.is_none());
}

#[test]
fn a_session_that_moves_while_a_page_is_read_is_on_it_once() {
    // The first session goes to the end while the page is on its way.
    let kv = Busy::new(|view| {
        if view != 1 {
            return WriteSet::new();
        }
        let mut writes = waiting(0, 5_000, "orders");
        let (queue, since, session) = (InboxQueue::Waiting, at(0), id(0));
        writes.insert(InboxKey { queue, since, session }.encode(), None);
        writes.insert(TagKey { tag: "vip".into(), queue, since, session }.encode(), None);
        writes
    });
    for n in 0..150 {
        kv.commit(&waiting(n, n, if n == 0 { "orders" } else { "else" })).unwrap();
    }
    let (filter, request) = vips_about("orders", 10);
    let page = inbox(&kv, &filter, &request).unwrap();
    assert_eq!(page.items.iter().map(|session| session.waiting_since).collect::<Vec<_>>(), [Some(at(5_000))]);
}

/// A text, with its entries among what is silent, looked for and waited for since then.
fn text_of(channel: &str, n: usize) -> WriteSet {
    let (message, session, order) = (MessageId(Uuid::from_u128(n as u128)), id(n), n as u64);
    let lane = Lane { channel: channel.into(), sender: "+15550001111".into() };
    let to = Address::parse("+14155550101").unwrap();
    let text = Message {
        id: message,
        session_id: session,
        customer_id: CustomerId(Uuid::from_u128(n as u128)),
        place: 0,
        content: "Hey".into(),
        author: Author { role: Role::Agent, name: "desk".into() },
        media: Vec::new(),
        keyword: None,
        recovered: false,
        turn_id: None,
        sent_at: at(n),
        delivered_at: None,
        created_at: at(n),
        updated_at: at(n),
        delivery: Delivery::outbound(lane, &to, segments::analyse("Hey"), at(n)),
    };
    let place = MessageAt { session, place: 0, order: Some(order), idempotency: None };
    let (since, entry, channel) = (at(n), write_entry(&message), || channel.to_owned());
    [
        (MessageAtKey { message }.encode(), codec::encode(&place).unwrap()),
        (MessageKey { session, place: 0 }.encode(), codec::encode(&text).unwrap()),
        (LookKey { channel: channel(), look_at: since, order }.encode(), entry.clone()),
        (HoldKey { channel: channel(), since, order }.encode(), entry.clone()),
        (SilentKey { channel: channel(), asks: 0, since, order }.encode(), entry),
    ]
    .map(|(key, value)| (key, Some(value)))
    .into()
}

#[test]
fn of_a_backlog_no_more_is_read_than_is_asked_for() {
    type Query = fn(Tables<'_>) -> Result<Vec<Message>, StoreError>;
    let queries: [Query; 3] = [
        |tables| unknown_due(tables, at(9_999), 2),
        |tables| holding(tables, at(9_999), 2),
        |tables| silent(tables, Silent { asks: 0, from: at(0), until: at(9_999) }, 2),
    ];
    for query in queries {
        let kv = Busy::new(|_| WriteSet::new());
        for n in 0..1_000 {
            kv.commit(&text_of(if n == 500 { "other" } else { "main" }, n)).unwrap();
        }
        let view = kv.begin().unwrap();
        let found = query(Tables::new(&*view)).unwrap();
        let places: Vec<_> = found.iter().map(|message| message.id.0.as_u128()).collect();
        assert_eq!(places, [0, 1, 500]);
        assert!(kv.most_on_a_view() < 20, "{} were read", kv.most_on_a_view());
    }
}
