//! What the committer promises, on an engine whose commits the test lets through one by one.

#![expect(clippy::disallowed_methods, reason = "a test's callers end with its runtime")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::super::kv::testing::MapKv;
use super::super::kv::{Kv, MAX_KEY_BYTES, MAX_PAIR_BYTES, Snapshot, View, WriteSet};
use super::super::open::OpenError;
use super::*;

const MIN_FREE_BYTES: u64 = 100;

/// Commits when the test says so, as the test says.
struct Gated(Arc<Gate>);

struct Gate {
    map: MapKv,
    began: Mutex<Sender<usize>>,
    verdicts: Mutex<Receiver<Verdict>>,
}

#[derive(Clone, Copy)]
enum Verdict {
    Kept,
    Fails(std::io::ErrorKind),
    /// It is on the disk, but the engine does not know.
    KeptAndFails,
    Damaged,
    Panics,
}

impl Kv for Gated {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        self.0.map.begin()
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        self.0.began.lock().unwrap().send(writes.len()).unwrap();
        let verdict = self.0.verdicts.lock().unwrap().recv().unwrap();
        let failed = |kind| Err(KvError::Engine(Box::new(std::io::Error::new(kind, "the disk is ill"))));
        match verdict {
            Verdict::Kept => self.0.map.commit(writes),
            Verdict::Fails(kind) => failed(kind),
            Verdict::KeptAndFails => self.0.map.commit(writes).and(failed(std::io::ErrorKind::Other)),
            Verdict::Damaged => Err(KvError::Damaged("the files are damaged".into())),
            Verdict::Panics => panic!("the engine of a test panics"),
        }
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        unimplemented!("nobody goes through all of it")
    }
}

/// What the next openings come to; beyond these, it opens.
type Openings = Arc<Mutex<Vec<OpenError>>>;

struct Bench {
    committer: Arc<Committer>,
    gate: Arc<Gate>,
    /// Tells of each commit that has begun, and how many keys it writes.
    began: Receiver<usize>,
    verdicts: Sender<Verdict>,
    openings: Openings,
    free_bytes: Arc<AtomicU64>,
}

fn bench(most_waiting: usize) -> Bench {
    let patience = Patience {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(5),
        in_all: Duration::from_secs(1),
    };
    bench_with(most_waiting, patience)
}

fn bench_with(most_waiting: usize, patience: Patience) -> Bench {
    let (began_at, began) = channel();
    let (verdicts, verdicts_of) = channel();
    let (began_at, verdicts_of) = (Mutex::new(began_at), Mutex::new(verdicts_of));
    let gate = Arc::new(Gate { map: MapKv::default(), began: began_at, verdicts: verdicts_of });
    let openings = Openings::default();
    let opener: Opener = {
        let (gate, openings) = (Arc::clone(&gate), Arc::clone(&openings));
        Box::new(move || match openings.lock().unwrap().pop() {
            None => Ok(Box::new(Gated(Arc::clone(&gate)))),
            Some(error) => Err(error),
        })
    };
    let free_bytes = Arc::new(AtomicU64::new(u64::MAX));
    let measured = Arc::clone(&free_bytes);
    let measure = move || Ok(Some(measured.load(Ordering::SeqCst)));
    let room = Room::measured_by(Box::new(measure), Arc::new(AtomicU64::new(MIN_FREE_BYTES)));
    let engine = Arc::new(Engine::default());
    engine.put(opener().unwrap());
    let ground = Ground { engine, opener, room, directory: "no such directory".into(), patience };
    let committer = Arc::new(Committer::with_capacity(ground, most_waiting).unwrap());
    Bench { committer, gate, began, verdicts, openings, free_bytes }
}

fn does_not_open() -> OpenError {
    OpenError::Engine { path: "data".into(), source: "it is ill".into() }
}

impl Bench {
    fn put(&self, key: &'static [u8]) -> tokio::task::JoinHandle<Result<(), StoreError>> {
        self.put_as(Urgency::New, key)
    }

    fn put_as(
        &self,
        urgency: Urgency,
        key: &'static [u8],
    ) -> tokio::task::JoinHandle<Result<(), StoreError>> {
        let committer = Arc::clone(&self.committer);
        let command = move |overlay: &mut Overlay<'_>| {
            overlay.put(key.to_vec(), vec![]);
            Ok(())
        };
        tokio::spawn(async move { committer.run(urgency, command).await })
    }

    /// A commit that comes to that.
    async fn put_that(&self, key: &'static [u8], verdict: Verdict) -> Result<(), StoreError> {
        let put = self.put(key);
        self.began().await;
        self.verdicts.send(verdict).unwrap();
        put.await.unwrap()
    }

    /// Returns once it works again.
    async fn works_again(&self) {
        let mut condition = self.committer.condition.clone();
        condition.wait_for(|condition| matches!(condition, Condition::Works)).await.unwrap();
    }

    async fn began(&self) -> usize {
        loop {
            if let Ok(keys) = self.began.try_recv() {
                return keys;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_command_is_answered_only_after_its_commit() {
    let bench = bench(8);
    let mut put = bench.put(b"a");
    assert_eq!(bench.began().await, 1);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), &mut put).await.is_err(),
        "answered before the commit"
    );
    bench.verdicts.send(Verdict::Kept).unwrap();
    put.await.unwrap().unwrap();
    assert_eq!(bench.gate.map.keys(), [b"a".to_vec()]);
}

#[tokio::test]
async fn what_waits_during_a_commit_shares_the_next() {
    let bench = bench(8);
    let first = bench.put(b"a");
    bench.began().await;
    let others = [bench.put(b"b"), bench.put(b"c")];
    tokio::task::yield_now().await;
    bench.verdicts.send(Verdict::Kept).unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(bench.began().await, 2);
    bench.verdicts.send(Verdict::Kept).unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_command_that_fails_or_panics_leaves_no_trace_and_harms_no_other() {
    let bench = bench(8);
    let first = bench.put(b"a");
    bench.began().await;
    let committer = Arc::clone(&bench.committer);
    let failing = tokio::spawn(async move {
        let command = |overlay: &mut Overlay<'_>| -> Result<(), StoreError> {
            overlay.put(b"failed".to_vec(), vec![]);
            Err(StoreError::Corrupt("refused".into()))
        };
        committer.run(Urgency::New, command).await
    });
    let committer = Arc::clone(&bench.committer);
    let panicking = tokio::spawn(async move {
        let command = |overlay: &mut Overlay<'_>| -> Result<(), StoreError> {
            overlay.put(b"panicked".to_vec(), vec![]);
            panic!("a command of the test panics");
        };
        committer.run(Urgency::New, command).await
    });
    let last = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(Verdict::Kept).unwrap();
    bench.verdicts.send(Verdict::Kept).unwrap();
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Corrupt(_))));
    assert!(matches!(panicking.await.unwrap(), Err(StoreError::BrokeOff(_))));
    assert_eq!(bench.gate.map.keys(), [b"a".to_vec(), b"b".to_vec()]);
}

#[tokio::test]
async fn nobody_knows_of_a_batch_whose_commit_failed_and_those_after_it_are_refused() {
    let bench = bench(8);
    bench.openings.lock().unwrap().extend((0..3).map(|_| does_not_open()));
    let put = bench.put(b"a");
    bench.began().await;
    let waiting = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(Verdict::Fails(std::io::ErrorKind::Other)).unwrap();
    let Err(StoreError::Uncertain(reason)) = put.await.unwrap() else { panic!("the commit failed") };
    assert!(reason.contains("the disk is ill"), "{reason}");
    let Err(StoreError::Unavailable(reason)) = waiting.await.unwrap() else { panic!("it was never tried") };
    assert!(reason.contains("ill"), "{reason}");
    assert!(bench.gate.map.keys().is_empty());
}

#[tokio::test]
async fn an_engine_that_failed_is_opened_again_and_works() {
    let bench = bench(8);
    for verdict in [Verdict::Fails(std::io::ErrorKind::StorageFull), Verdict::Panics, Verdict::KeptAndFails] {
        bench.openings.lock().unwrap().extend((0..3).map(|_| does_not_open()));
        assert!(bench.put_that(b"a", verdict).await.unwrap_err().is_uncertain());
        assert!(bench.committer.check().is_err() || bench.openings.lock().unwrap().is_empty());
        bench.works_again().await;
        bench.put_that(b"b", Verdict::Kept).await.unwrap();
    }
    assert_eq!(bench.gate.map.keys(), [b"a".to_vec(), b"b".to_vec()], "what was uncertain was kept once");
}

#[tokio::test]
async fn reads_do_not_find_an_engine_that_failed() {
    let bench = bench_with(8, Patience { first_pause: Duration::from_secs(3600), ..Patience::default() });
    bench.put_that(b"a", Verdict::Fails(std::io::ErrorKind::Other)).await.unwrap_err();
    assert!(matches!(bench.committer.check(), Err(StoreError::Unavailable(_))));
    assert!(matches!(bench.put(b"b").await.unwrap(), Err(StoreError::Unavailable(_))));
    let committer = Arc::clone(&bench.committer);
    // Closing does not wait until it is open again.
    tokio::task::spawn_blocking(move || committer.close()).await.unwrap();
}

#[tokio::test]
async fn without_room_nothing_new_is_taken_and_what_is_under_way_is_finished() {
    let bench = bench(8);
    bench.free_bytes.store(MIN_FREE_BYTES - 1, Ordering::SeqCst);
    for urgency in [Urgency::New, Urgency::Due] {
        let Err(StoreError::Full { free_bytes, .. }) = bench.put_as(urgency, b"a").await.unwrap() else {
            panic!("there is no room for it")
        };
        assert_eq!(free_bytes, MIN_FREE_BYTES - 1);
    }
    let settled = bench.put_as(Urgency::UnderWay, b"settled");
    bench.began().await;
    bench.verdicts.send(Verdict::Kept).unwrap();
    settled.await.unwrap().unwrap();

    bench.free_bytes.store(MIN_FREE_BYTES / 2 - 1, Ordering::SeqCst);
    let refused = bench.put_as(Urgency::UnderWay, b"b").await.unwrap();
    assert!(matches!(refused, Err(StoreError::Full { .. })));
    bench.committer.check().unwrap();

    bench.free_bytes.store(2 * MIN_FREE_BYTES, Ordering::SeqCst);
    bench.put_that(b"a", Verdict::Kept).await.unwrap();
    assert_eq!(bench.gate.map.keys(), [b"a".to_vec(), b"settled".to_vec()]);
}

#[tokio::test]
async fn an_engine_is_not_opened_again_before_there_is_room_however_long_that_takes() {
    let bench = bench_with(
        8,
        Patience {
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(1),
            in_all: Duration::from_millis(5),
        },
    );
    // It would be given up at once.
    bench.openings.lock().unwrap().push(OpenError::NotDurable);
    let put = bench.put(b"a");
    bench.began().await;
    bench.free_bytes.store(0, Ordering::SeqCst);
    bench.verdicts.send(Verdict::Fails(std::io::ErrorKind::StorageFull)).unwrap();
    put.await.unwrap().unwrap_err();
    let broken = tokio::time::timeout(Duration::from_millis(100), bench.committer.broken());
    assert!(broken.await.is_err(), "it waits for room");
    assert!(matches!(bench.committer.check(), Err(StoreError::Unavailable(_))));
    bench.openings.lock().unwrap().clear();
    bench.free_bytes.store(u64::MAX, Ordering::SeqCst);
    bench.works_again().await;
    bench.put_that(b"b", Verdict::Kept).await.unwrap();
}

#[tokio::test]
async fn too_many_waiting_commands_are_refused() {
    let bench = bench(1);
    let first = bench.put(b"a");
    bench.began().await;
    let second = bench.put(b"b");
    tokio::task::yield_now().await;
    assert!(matches!(bench.put(b"c").await.unwrap(), Err(StoreError::Overloaded)));
    bench.verdicts.send(Verdict::Kept).unwrap();
    bench.verdicts.send(Verdict::Kept).unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn closing_finishes_what_waits_and_takes_nothing_more() {
    let bench = bench(8);
    let first = bench.put(b"a");
    bench.began().await;
    let second = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(Verdict::Kept).unwrap();
    bench.verdicts.send(Verdict::Kept).unwrap();
    let committer = Arc::clone(&bench.committer);
    tokio::task::spawn_blocking(move || committer.close()).await.unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert!(matches!(bench.put(b"c").await.unwrap(), Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_command_with_too_large_a_record_is_refused_and_harms_no_other() {
    let bench = bench(8);
    let put = |key: usize, value: usize| {
        let committer = Arc::clone(&bench.committer);
        tokio::spawn(async move {
            let command = move |overlay: &mut Overlay<'_>| -> Result<(), StoreError> {
                overlay.put(b"beside".to_vec(), vec![]);
                overlay.put(vec![7; key], vec![0; value]);
                Ok(())
            };
            committer.run(Urgency::New, command).await
        })
    };
    let first = bench.put(b"a");
    bench.began().await;
    let too_large = [(4, MAX_PAIR_BYTES - 3), (MAX_KEY_BYTES + 1, 0)];
    let refused = too_large.map(|(key, value)| put(key, value));
    let last = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(Verdict::Kept).unwrap();
    bench.verdicts.send(Verdict::Kept).unwrap();
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    for (refused, (key, value)) in refused.into_iter().zip(too_large) {
        let refused = refused.await.unwrap();
        assert!(matches!(refused, Err(StoreError::TooLarge(bytes)) if bytes == key + value), "{refused:?}");
    }
    assert_eq!(bench.gate.map.keys(), [b"a".to_vec(), b"b".to_vec()]);

    bench.verdicts.send(Verdict::Kept).unwrap();
    put(MAX_KEY_BYTES, MAX_PAIR_BYTES - MAX_KEY_BYTES).await.unwrap().unwrap();
}

#[tokio::test]
async fn damaged_files_break_it_at_once_and_it_says_why() {
    let bench = bench(8);
    let broken = |committer: &Arc<Committer>| {
        let committer = Arc::clone(committer);
        tokio::spawn(async move { committer.broken().await })
    };
    let mut waiting = broken(&bench.committer);
    bench.put_that(b"a", Verdict::Kept).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err(), "it works");

    bench.put_that(b"b", Verdict::Damaged).await.unwrap_err();
    assert!(waiting.await.unwrap().contains("damaged"));
    assert!(broken(&bench.committer).await.unwrap().contains("damaged"));
    assert!(matches!(bench.put(b"c").await.unwrap(), Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn an_engine_that_does_not_open_for_long_breaks_it() {
    let bench = bench(8);
    bench.openings.lock().unwrap().extend((0..1_000).map(|_| does_not_open()));
    bench.put_that(b"a", Verdict::Fails(std::io::ErrorKind::Other)).await.unwrap_err();
    let reason = bench.committer.broken().await;
    assert!(reason.contains("does not open") && reason.contains("it is ill"), "{reason}");
}

#[tokio::test]
async fn a_committer_that_was_closed_is_not_broken() {
    let bench = bench(8);
    let committer = Arc::clone(&bench.committer);
    let mut waiting = tokio::spawn(async move { committer.broken().await });
    tokio::task::yield_now().await;
    let committer = Arc::clone(&bench.committer);
    tokio::task::spawn_blocking(move || committer.close()).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
}

#[tokio::test]
async fn a_committer_whose_thread_died_is_broken() {
    let bench = bench(8);
    let committer = Arc::clone(&bench.committer);
    let rude = Box::new(Rude);
    committer.queue.push(Urgency::New, rude).unwrap();
    assert!(committer.broken().await.contains("died"));
    assert!(matches!(bench.put(b"a").await.unwrap(), Err(StoreError::Unavailable(_))));
}

/// Panics where nothing catches it.
struct Rude;

impl Job for Rude {
    fn apply(self: Box<Self>, _: &mut Overlay<'_>) -> Answer {
        panic!("a job of a test panics");
    }

    fn refuse(self: Box<Self>, _: StoreError) {}
}
