//! A [`Kv`] in memory, for the tests of what stands above the seam. Nothing in it is durable.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use super::{Direction, Key, KeyRange, Kv, KvError, Scan, Snapshot, Value, View, WriteSet};
use crate::store::embedded::originals::{Frozen, Originals};

#[derive(Default)]
pub struct MapKv(RwLock<BTreeMap<Key, Value>>, Originals);

impl MapKv {
    pub fn of<const N: usize>(pairs: [(&[u8], &[u8]); N]) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec()));
        Self(RwLock::new(pairs.collect()), Originals::default())
    }

    pub fn keys(&self) -> Vec<Key> {
        self.0.read().unwrap().keys().cloned().collect()
    }
}

/// One that somebody else looks into, too.
impl Kv for std::sync::Arc<MapKv> {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        (**self).begin()
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        (**self).commit(writes)
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        Arc::clone(&*self).snapshot()
    }
}

impl Kv for MapKv {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        Ok(Box::new(MapView(self.0.read().unwrap())))
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        let mut map = self.0.write().unwrap();
        self.1.set_aside(writes, |key| Ok(map.get(key).cloned()));
        for (key, value) in writes {
            match value {
                Some(value) => map.insert(key.clone(), value.clone()),
                None => map.remove(key),
            };
        }
        Ok(())
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        let _map = self.0.read().unwrap();
        Ok(Box::new(Frozen::new("map", &self, self.1.begin()?)))
    }
}

struct MapView<'m>(RwLockReadGuard<'m, BTreeMap<Key, Value>>);

impl View for MapView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, KvError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let pairs = self.0.range(range.start.clone()..range.end.clone());
        let pairs = pairs.map(|(key, value)| Ok((key.clone(), value.clone())));
        match direction {
            Direction::Forward => Box::new(pairs),
            Direction::Reverse => Box::new(pairs.rev()),
        }
    }
}
