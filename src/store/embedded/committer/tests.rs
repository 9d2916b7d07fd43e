//! What the committer promises, on an engine whose commits the test lets through one by one.

#![expect(clippy::disallowed_methods, reason = "a test's callers end with its runtime")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::super::kv::testing::MapKv;
use super::super::kv::{KvError, MAX_KEY_BYTES, MAX_PAIR_BYTES, Snapshot, View};
use super::*;

/// Commits when the test says so, as the test says.
struct Gated {
    map: Arc<MapKv>,
    began: Mutex<Sender<usize>>,
    verdicts: Mutex<Receiver<bool>>,
}

impl Kv for Gated {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        self.map.begin()
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        self.began.lock().unwrap().send(writes.len()).unwrap();
        if self.verdicts.lock().unwrap().recv().unwrap() {
            return self.map.commit(writes);
        }
        Err(KvError::Engine("the disk is full".into()))
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        unimplemented!("nobody goes through all of it")
    }
}

struct Bench {
    committer: Arc<Committer>,
    map: Arc<MapKv>,
    /// Tells of each commit that has begun, and how many keys it writes.
    began: Receiver<usize>,
    verdicts: Sender<bool>,
}

fn bench(most_waiting: usize) -> Bench {
    let map = Arc::new(MapKv::default());
    let (began_at, began) = channel();
    let (verdicts, verdicts_of) = channel();
    let kv = Gated { map: Arc::clone(&map), began: Mutex::new(began_at), verdicts: Mutex::new(verdicts_of) };
    let committer = Arc::new(Committer::with_capacity(Arc::new(kv), most_waiting).unwrap());
    Bench { committer, map, began, verdicts }
}

impl Bench {
    fn put(&self, key: &'static [u8]) -> tokio::task::JoinHandle<Result<(), StoreError>> {
        let committer = Arc::clone(&self.committer);
        tokio::spawn(async move {
            committer
                .run(move |overlay| {
                    overlay.put(key.to_vec(), vec![]);
                    Ok(())
                })
                .await
        })
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
    bench.verdicts.send(true).unwrap();
    put.await.unwrap().unwrap();
    assert_eq!(bench.map.keys(), [b"a".to_vec()]);
}

#[tokio::test]
async fn what_waits_during_a_commit_shares_the_next() {
    let bench = bench(8);
    let first = bench.put(b"a");
    bench.began().await;
    let others = [bench.put(b"b"), bench.put(b"c")];
    tokio::task::yield_now().await;
    bench.verdicts.send(true).unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(bench.began().await, 2);
    bench.verdicts.send(true).unwrap();
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
        committer.run(command).await
    });
    let committer = Arc::clone(&bench.committer);
    let panicking = tokio::spawn(async move {
        let command = |overlay: &mut Overlay<'_>| -> Result<(), StoreError> {
            overlay.put(b"panicked".to_vec(), vec![]);
            panic!("a command of the test panics");
        };
        committer.run(command).await
    });
    let last = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(true).unwrap();
    bench.verdicts.send(true).unwrap();
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Corrupt(_))));
    assert!(matches!(panicking.await.unwrap(), Err(StoreError::Unavailable(_))));
    assert_eq!(bench.map.keys(), [b"a".to_vec(), b"b".to_vec()]);
}

#[tokio::test]
async fn a_failed_commit_makes_the_store_unavailable_for_good() {
    let bench = bench(8);
    let put = bench.put(b"a");
    bench.began().await;
    let waiting = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(false).unwrap();
    let Err(StoreError::Unavailable(reason)) = put.await.unwrap() else { panic!("the commit failed") };
    assert!(reason.contains("the disk is full"), "{reason}");
    assert!(matches!(waiting.await.unwrap(), Err(StoreError::Unavailable(_))));
    assert!(bench.committer.check().is_err());
    assert!(matches!(bench.put(b"c").await.unwrap(), Err(StoreError::Unavailable(_))));
    assert!(bench.map.keys().is_empty());
}

#[tokio::test]
async fn too_many_waiting_commands_are_refused() {
    let bench = bench(1);
    let first = bench.put(b"a");
    bench.began().await;
    let second = bench.put(b"b");
    tokio::task::yield_now().await;
    assert!(matches!(bench.put(b"c").await.unwrap(), Err(StoreError::Overloaded)));
    bench.verdicts.send(true).unwrap();
    bench.verdicts.send(true).unwrap();
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
    bench.verdicts.send(true).unwrap();
    bench.verdicts.send(true).unwrap();
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
            committer.run(command).await
        })
    };
    let first = bench.put(b"a");
    bench.began().await;
    let too_large = [(4, MAX_PAIR_BYTES - 3), (MAX_KEY_BYTES + 1, 0)];
    let refused = too_large.map(|(key, value)| put(key, value));
    let last = bench.put(b"b");
    tokio::task::yield_now().await;
    bench.verdicts.send(true).unwrap();
    bench.verdicts.send(true).unwrap();
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    for (refused, (key, value)) in refused.into_iter().zip(too_large) {
        let refused = refused.await.unwrap();
        assert!(matches!(refused, Err(StoreError::TooLarge(bytes)) if bytes == key + value), "{refused:?}");
    }
    assert_eq!(bench.map.keys(), [b"a".to_vec(), b"b".to_vec()]);

    bench.verdicts.send(true).unwrap();
    put(MAX_KEY_BYTES, MAX_PAIR_BYTES - MAX_KEY_BYTES).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_committer_is_broken_once_a_commit_failed_and_says_why() {
    let bench = bench(8);
    let broken = |committer: &Arc<Committer>| {
        let committer = Arc::clone(committer);
        tokio::spawn(async move { committer.broken().await })
    };
    let mut waiting = broken(&bench.committer);
    let put = bench.put(b"a");
    bench.began().await;
    bench.verdicts.send(true).unwrap();
    put.await.unwrap().unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err(), "it works");

    let put = bench.put(b"b");
    bench.began().await;
    bench.verdicts.send(false).unwrap();
    put.await.unwrap().unwrap_err();
    assert!(waiting.await.unwrap().contains("the disk is full"));
    assert!(broken(&bench.committer).await.unwrap().contains("the disk is full"));
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
    // The engine's test double panics where nothing catches it: in `begin`, which locks a poisoned map.
    bench.map.poison();
    bench.put(b"a").await.unwrap().unwrap_err();
    assert!(bench.committer.broken().await.contains("died"));
}
