//! What a batch has written so far, laid over what is committed, so that each command of the batch reads the writes
//! of those before it. A command's own writes lie in a layer of their own until it is known to have succeeded: one
//! that fails leaves no trace. Knows keys and values only.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::iter::Peekable;

use super::kv::{
    Direction, Key, KeyRange, KvError, MAX_KEY_BYTES, MAX_PAIR_BYTES, Pair, Scan, Value, View, WriteSet,
};

pub struct Overlay<'v> {
    committed: &'v dyn View,
    /// What was read of it: commands ask for the same again and again, and for them it stays as it is.
    read: RefCell<HashMap<Key, Option<Value>>>,
    /// What the commands that succeeded have written.
    batch: WriteSet,
    /// What the command under way has written.
    pending: WriteSet,
}

impl<'v> Overlay<'v> {
    pub fn new(committed: &'v dyn View) -> Self {
        Self { committed, read: RefCell::default(), batch: WriteSet::new(), pending: WriteSet::new() }
    }

    pub fn put(&mut self, key: Key, value: Value) {
        self.pending.insert(key, Some(value));
    }

    pub fn remove(&mut self, key: Key) {
        self.pending.insert(key, None);
    }

    /// How large the first is of what the command under way has written and no engine has to take, if there is any.
    pub fn too_large(&self) -> Option<usize> {
        let sizes = self.pending.iter().map(|(key, value)| (key.len(), value.as_ref().map_or(0, Vec::len)));
        sizes
            .map(|(key, value)| (key, key + value))
            .find(|&(key, pair)| key > MAX_KEY_BYTES || pair > MAX_PAIR_BYTES)
            .map(|(_, pair)| pair)
    }

    /// The command under way has succeeded: its writes belong to the batch.
    pub fn keep(&mut self) {
        // Not `append`, which would go through all of the batch.
        self.batch.extend(std::mem::take(&mut self.pending));
    }

    /// The command under way has failed: it wrote nothing.
    pub fn discard(&mut self) {
        self.pending.clear();
    }

    /// The last key of a range that this batch has written a value under, if the last that it has written there is one.
    pub fn last_written(&self, range: &KeyRange) -> Option<(&Key, &Value)> {
        let range = || range.start.clone()..range.end.clone();
        let last = [&self.batch, &self.pending].map(|writes| writes.range(range()).next_back());
        // Of the same key the later one counts, which is what is pending.
        let (key, value) = last.into_iter().flatten().max_by_key(|(key, _)| *key)?;
        Some((key, value.as_ref()?))
    }

    /// All that the batch writes, without what was neither kept nor discarded.
    pub fn into_writes(self) -> WriteSet {
        self.batch
    }

    fn read(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        if let Some(known) = self.read.borrow().get(key) {
            return Ok(known.clone());
        }
        let value = self.committed.get(key)?;
        self.read.borrow_mut().insert(key.to_vec(), value.clone());
        Ok(value)
    }
}

impl View for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        match self.pending.get(key).or_else(|| self.batch.get(key)) {
            Some(written) => Ok(written.clone()),
            None => self.read(key),
        }
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        let committed = self.committed.scan(range, direction);
        lay_over(&self.pending, lay_over(&self.batch, committed, range, direction), range, direction)
    }
}

/// A scan as it would be if these had been written, too.
pub fn lay_over<'v>(
    writes: &'v WriteSet,
    below: Scan<'v>,
    range: &KeyRange,
    direction: Direction,
) -> Scan<'v> {
    if writes.is_empty() || range.is_empty() {
        return below;
    }
    let writes = writes.range(range.start.clone()..range.end.clone());
    let below = below.peekable();
    match direction {
        Direction::Forward => Box::new(Merged { writes: writes.peekable(), below, direction }),
        Direction::Reverse => Box::new(Merged { writes: writes.rev().peekable(), below, direction }),
    }
}

/// Two ordered streams as one. Where both have a key, the upper one's word counts, also when it says "removed".
struct Merged<'v, W: Iterator<Item = (&'v Key, &'v Option<Value>)>> {
    writes: Peekable<W>,
    below: Peekable<Scan<'v>>,
    direction: Direction,
}

impl<'v, W: Iterator<Item = (&'v Key, &'v Option<Value>)>> Merged<'v, W> {
    /// Whether the next pair is the upper stream's, and whether the lower stream has that very key, too.
    fn next_is_written(&mut self) -> Option<(bool, bool)> {
        match (self.writes.peek(), self.below.peek()) {
            (None, None) => None,
            (Some(_), None) => Some((true, false)),
            (None, Some(_)) | (Some(_), Some(Err(_))) => Some((false, false)),
            (Some((written, _)), Some(Ok((below, _)))) => {
                let order = match self.direction {
                    Direction::Forward => written.as_slice().cmp(below),
                    Direction::Reverse => below.as_slice().cmp(written),
                };
                Some((order != Ordering::Greater, order == Ordering::Equal))
            }
        }
    }
}

impl<'v, W: Iterator<Item = (&'v Key, &'v Option<Value>)>> Iterator for Merged<'v, W> {
    type Item = Result<Pair, KvError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (written, covers) = self.next_is_written()?;
            if !written {
                return self.below.next();
            }
            if covers {
                self.below.next();
            }
            if let (key, Some(value)) = self.writes.next()? {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::super::kv::Kv;
    use super::super::kv::testing::MapKv;
    use super::*;

    fn all() -> KeyRange {
        KeyRange { start: vec![], end: vec![0xff] }
    }

    fn pairs(view: &dyn View, range: &KeyRange, direction: Direction) -> Vec<Pair> {
        view.scan(range, direction).map(Result::unwrap).collect()
    }

    #[test]
    fn a_command_reads_its_own_writes_and_those_before_it() {
        let kv = MapKv::of([(b"a", b"committed"), (b"b", b"committed")]);
        let view = kv.begin().unwrap();
        let mut overlay = Overlay::new(&*view);
        overlay.put(b"b".to_vec(), b"kept".to_vec());
        overlay.keep();
        overlay.put(b"c".to_vec(), b"pending".to_vec());
        overlay.remove(b"a".to_vec());
        assert_eq!(overlay.get(b"a").unwrap(), None);
        assert_eq!(overlay.get(b"b").unwrap(), Some(b"kept".to_vec()));
        let expected = vec![(b"b".to_vec(), b"kept".to_vec()), (b"c".to_vec(), b"pending".to_vec())];
        assert_eq!(pairs(&overlay, &all(), Direction::Forward), expected);
    }

    #[test]
    fn a_discarded_command_leaves_no_trace() {
        let kv = MapKv::of([(b"a", b"committed")]);
        let view = kv.begin().unwrap();
        let mut overlay = Overlay::new(&*view);
        overlay.remove(b"a".to_vec());
        overlay.put(b"b".to_vec(), b"pending".to_vec());
        overlay.discard();
        assert_eq!(pairs(&overlay, &all(), Direction::Forward).len(), 1);
        assert!(overlay.into_writes().is_empty());
    }

    /// A write: a key, and a value or a removal; kept or still pending.
    fn writes() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
        vec((0u8..12, proptest::option::of(any::<u8>())), 0..12)
    }

    proptest! {
        #[test]
        fn a_scan_gives_what_a_plain_map_would(
            committed in btree_map(0u8..12, any::<u8>(), 0..12),
            kept in writes(), pending in writes(),
            start in 0u8..12, end in 0u8..13,
        ) {
            let kv = MapKv::default();
            kv.commit(&committed.iter().map(|(k, v)| (vec![*k], Some(vec![*v]))).collect()).unwrap();
            let view = kv.begin().unwrap();
            let mut overlay = Overlay::new(&*view);
            let mut expected: BTreeMap<u8, u8> = committed;
            for (layer, is_kept) in [(&kept, true), (&pending, false)] {
                for (key, value) in layer {
                    if let Some(value) = value {
                        expected.insert(*key, *value);
                        overlay.put(vec![*key], vec![*value]);
                    } else {
                        expected.remove(key);
                        overlay.remove(vec![*key]);
                    }
                }
                if is_kept {
                    overlay.keep();
                }
            }
            let range = KeyRange { start: vec![start], end: vec![end] };
            let mut expected: Vec<Pair> = expected
                .into_iter()
                .filter(|(key, _)| (start..end).contains(key))
                .map(|(key, value)| (vec![key], vec![value]))
                .collect();
            prop_assert_eq!(pairs(&overlay, &range, Direction::Forward), expected.clone());
            expected.reverse();
            prop_assert_eq!(pairs(&overlay, &range, Direction::Reverse), expected);
        }
    }
}
