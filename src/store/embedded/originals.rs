//! Snapshots for engines that have none of their own. While somebody goes through the store, each commit first sets
//! aside what stood under the keys that it writes; laid over what is committed, that shows the moment of the beginning.
//! Knows keys and values only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::kv::{Direction, Key, KeyRange, Kv, KvError, Scan, Snapshot, Value, View, WriteSet};
use super::overlay::lay_over;

/// What may be set aside. A backup that takes so long that more than this is overwritten meanwhile is given up, rather
/// than that the daemon runs out of memory.
const MOST_BYTES: usize = 128 << 20;
/// What an entry takes besides its key and value.
const ENTRY_BYTES: usize = 96;

/// What such an engine has, and asks before each commit.
#[derive(Default)]
pub struct Originals {
    /// What the snapshot under way needs, as long as there is one.
    kept: Mutex<Weak<Mutex<Kept>>>,
}

#[derive(Default)]
pub struct Kept {
    /// What stood there at the beginning, by key; nothing where there was no such key.
    originals: WriteSet,
    bytes: usize,
    /// Nothing below is needed any more.
    floor: Key,
    /// Why the moment cannot be shown any more.
    lost: Option<&'static str>,
}

impl Originals {
    /// Begins a snapshot of this moment. To be called while nothing commits.
    pub fn begin(&self) -> Result<Arc<Mutex<Kept>>, KvError> {
        let mut kept = lock(&self.kept);
        if kept.strong_count() > 0 {
            return Err(KvError::Engine("another export is under way; wait for its end".into()));
        }
        let begun = Arc::new(Mutex::default());
        *kept = Arc::downgrade(&begun);
        Ok(begun)
    }

    /// Sets aside what a commit is about to overwrite. To be called while nobody reads, and nothing else commits.
    pub fn set_aside(&self, writes: &WriteSet, committed: impl Fn(&[u8]) -> Result<Option<Value>, KvError>) {
        if let Some(kept) = lock(&self.kept).upgrade() {
            lock(&kept).set_aside(writes, committed);
        }
    }
}

impl Kept {
    fn set_aside(&mut self, writes: &WriteSet, committed: impl Fn(&[u8]) -> Result<Option<Value>, KvError>) {
        for (key, _) in writes.range(self.floor.clone()..) {
            if self.lost.is_some() {
                return;
            }
            if self.originals.contains_key(key) {
                continue;
            }
            // That it cannot be read is told to who reads; the commit may still work.
            let Ok(original) = committed(key) else {
                self.lose("what stood there before a commit could not be read");
                return;
            };
            self.bytes += entry_bytes(key, original.as_ref());
            self.originals.insert(key.clone(), original);
            if self.bytes > MOST_BYTES {
                self.lose(
                    "more was written meanwhile than is kept for it in memory; let it be read faster, or when less \
                     goes on",
                );
            }
        }
    }

    fn lose(&mut self, why: &'static str) {
        self.lost = Some(why);
        self.originals = WriteSet::new();
    }

    fn done_below(&mut self, key: &[u8]) {
        if key > self.floor.as_slice() {
            let needed = self.originals.split_off(key);
            let done = std::mem::replace(&mut self.originals, needed);
            self.bytes -= done.iter().map(|(key, value)| entry_bytes(key, value.as_ref())).sum::<usize>();
            self.floor = key.to_vec();
        }
    }
}

fn entry_bytes(key: &Key, value: Option<&Value>) -> usize {
    ENTRY_BYTES + key.len() + value.map_or(0, Vec::len)
}

/// What an engine held when the snapshot began.
pub struct Frozen<K> {
    engine: &'static str,
    /// Weak, so that a long reader does not keep the engine from being closed.
    kv: Weak<K>,
    kept: Arc<Mutex<Kept>>,
}

impl<K: Kv> Frozen<K> {
    pub fn new(engine: &'static str, kv: &Arc<K>, kept: Arc<Mutex<Kept>>) -> Self {
        Self { engine, kv: Arc::downgrade(kv), kept }
    }
}

impl<K: Kv> Snapshot for Frozen<K> {
    fn engine(&self) -> &'static str {
        self.engine
    }

    fn look(&self, read: &mut dyn FnMut(&dyn View)) -> Result<(), KvError> {
        let kv = self.kv.upgrade().ok_or_else(|| KvError::Engine("it was closed".into()))?;
        // In this order: a commit sets aside and applies between two views, never during one.
        let committed = kv.begin()?;
        let kept = lock(&self.kept);
        if let Some(why) = kept.lost {
            return Err(KvError::Engine(why.into()));
        }
        read(&FrozenView { committed: &*committed, originals: &kept.originals });
        Ok(())
    }

    fn done_below(&self, key: &[u8]) {
        lock(&self.kept).done_below(key);
    }
}

struct FrozenView<'v> {
    committed: &'v dyn View,
    originals: &'v WriteSet,
}

impl View for FrozenView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        match self.originals.get(key) {
            Some(original) => Ok(original.clone()),
            None => self.committed.get(key),
        }
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        lay_over(self.originals, self.committed.scan(range, direction), range, direction)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::super::kv::testing::MapKv;
    use super::*;

    fn write(key: u8, value: Option<u8>) -> WriteSet {
        WriteSet::from([(vec![key], value.map(|value| vec![value]))])
    }

    fn pairs(snapshot: &dyn Snapshot, start: u8, direction: Direction) -> Vec<(u8, u8)> {
        let mut pairs = Vec::new();
        let range = KeyRange { start: vec![start], end: vec![u8::MAX] };
        snapshot
            .look(&mut |view| {
                for pair in view.scan(&range, direction) {
                    let (key, value) = pair.unwrap();
                    assert_eq!(view.get(&key).unwrap(), Some(value.clone()));
                    pairs.push((key[0], value[0]));
                }
            })
            .unwrap();
        pairs
    }

    proptest! {
        #[test]
        fn a_snapshot_shows_its_moment_whatever_is_committed_since(
            before in btree_map(0u8..12, any::<u8>(), 0..12),
            commits in vec((0u8..12, proptest::option::of(any::<u8>()), 0u8..12), 0..20),
        ) {
            let kv = Arc::new(MapKv::default());
            kv.commit(&before.iter().map(|(key, value)| (vec![*key], Some(vec![*value]))).collect()).unwrap();
            let snapshot = Arc::clone(&kv).snapshot().unwrap();
            let mut floor = 0;
            for (key, value, done_below) in commits {
                kv.commit(&write(key, value)).unwrap();
                floor = floor.max(done_below);
                snapshot.done_below(&[done_below]);
                let expected: Vec<(u8, u8)> =
                    before.range(floor..).map(|(key, value)| (*key, *value)).collect();
                prop_assert_eq!(&pairs(&*snapshot, floor, Direction::Forward), &expected);
                let reversed: Vec<_> = expected.into_iter().rev().collect();
                prop_assert_eq!(pairs(&*snapshot, floor, Direction::Reverse), reversed);
            }
        }
    }

    #[test]
    fn what_is_not_needed_any_more_is_let_go_of() {
        let originals = Originals::default();
        let kept = originals.begin().unwrap();
        let large = |_: &[u8]| Ok(Some(vec![0; MOST_BYTES / 3]));
        for key in 0..9u8 {
            originals.set_aside(&write(key, None), large);
            lock(&kept).done_below(&[key]);
        }
        assert_eq!(lock(&kept).lost, None);
        assert_eq!(lock(&kept).originals.len(), 1);
    }

    #[test]
    fn a_snapshot_that_needs_too_much_is_given_up_and_the_commits_go_on() {
        let kv = Arc::new(MapKv::default());
        let large = vec![0; MOST_BYTES / 3];
        let writes: WriteSet = (0..4u8).map(|key| (vec![key], Some(large.clone()))).collect();
        kv.commit(&writes).unwrap();
        let snapshot = Arc::clone(&kv).snapshot().unwrap();
        kv.commit(&writes).unwrap();
        let error = snapshot.look(&mut |_| panic!("there is nothing to be seen")).unwrap_err();
        assert!(crate::store::StoreError::from(error).to_string().contains("read faster"));
        assert_eq!(kv.begin().unwrap().get(&[3]).unwrap(), Some(large));
    }

    #[test]
    fn there_is_one_at_a_time_and_none_outlives_its_engine() {
        let kv = Arc::new(MapKv::default());
        let snapshot = Arc::clone(&kv).snapshot().unwrap();
        assert!(Arc::clone(&kv).snapshot().is_err());
        drop(snapshot);
        let snapshot = Arc::clone(&kv).snapshot().unwrap();
        drop(kv);
        assert!(snapshot.look(&mut |_| ()).is_err());
    }
}
