//! Where queues begin, for an engine in which what was removed stays in the way until it is compacted: whoever looks for the
//! first of a queue would go through all that has ever been in it. [`Floored`] remembers below which key nothing is left, and
//! has scans begin there.
//!
//! A floor only ever rises to what a view has shown, less what was written since that view was taken; and sinks with what is
//! written below it, before that is seen by anybody. So nothing that is there is ever passed over, whoever reads meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::keys::{
    AttentionKey, DeliveryDueKey, DueTurnKey, ExpiryKey, Family, HoldKey, IdempotencyAgeKey, InboxKey,
    LookKey, ParkedAgeKey, ReadyKey, RemainsKey, SilentKey, after_prefix,
};
use super::kv::{Direction, Key, KeyRange, Kv, KvError, Scan, Snapshot, View, WriteSet};

/// The tables from whose beginning, or from a lane's, a channel's, an endpoint's or a part's of the inbox, the first is taken.
const QUEUES: [u8; 12] = [
    ReadyKey::TABLE,
    ExpiryKey::TABLE,
    LookKey::TABLE,
    DueTurnKey::TABLE,
    IdempotencyAgeKey::TABLE,
    ParkedAgeKey::TABLE,
    SilentKey::TABLE,
    HoldKey::TABLE,
    DeliveryDueKey::TABLE,
    AttentionKey::TABLE,
    InboxKey::TABLE,
    RemainsKey::TABLE,
];
/// How many beginnings are remembered: more than lanes, channels and endpoints have.
const MOST_FLOORS: usize = 4096;
/// How many commits a view may be behind to have a floor rise.
const COMMITS_KEPT: usize = 64;

/// An engine, with the floors of its queues.
pub struct Floored<K> {
    kv: Arc<K>,
    floors: Floors,
}

impl<K: Kv> Floored<K> {
    pub fn new(kv: K) -> Self {
        Self { kv: Arc::new(kv), floors: Floors::default() }
    }
}

impl<K: Kv> Kv for Floored<K> {
    fn begin(&self) -> Result<Box<dyn View + '_>, KvError> {
        // Before the view is taken: it has all of these, and perhaps more.
        let commits = self.floors.state().completed;
        Ok(Box::new(FlooredView { view: self.kv.begin()?, floors: &self.floors, commits }))
    }

    fn commit(&self, writes: &WriteSet) -> Result<(), KvError> {
        self.floors.commit_begins(writes);
        self.kv.commit(writes)?;
        self.floors.commit_ends();
        Ok(())
    }

    fn snapshot(self: Arc<Self>) -> Result<Box<dyn Snapshot>, KvError> {
        Arc::clone(&self.kv).snapshot()
    }
}

struct FlooredView<'k> {
    view: Box<dyn View + 'k>,
    floors: &'k Floors,
    /// How many commits had ended before it was taken.
    commits: u64,
}

impl View for FlooredView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KvError> {
        self.view.get(key)
    }

    fn scan(&self, range: &KeyRange, direction: Direction) -> Scan<'_> {
        let of_queue = range.start.first().is_some_and(|table| QUEUES.contains(table));
        if direction == Direction::Reverse || !of_queue {
            return self.view.scan(range, direction);
        }
        let beginning = beginning(&range.start);
        let (floor, is_known) = self.floors.floor(beginning);
        let is_its_beginning = is_known && beginning.len() == range.start.len();
        let start = floor.max(range.start.clone());
        let rest = KeyRange { start, end: range.end.clone() };
        if rest.is_empty() {
            return Box::new(std::iter::empty());
        }
        let mut pairs = self.view.scan(&rest, direction);
        if !is_its_beginning {
            return pairs;
        }
        let first = pairs.next();
        match &first {
            Some(Ok((key, _))) => self.floors.raise(&range.start, key, self.commits),
            Some(Err(_)) => {}
            None => self.floors.raise(&range.start, &range.end, self.commits),
        }
        Box::new(first.into_iter().chain(pairs))
    }
}

/// Where the queue begins that a scan begins in: the inbox is also read on from a page before, the others are not.
fn beginning(start: &[u8]) -> &[u8] {
    // The table, and which part of it.
    const PART_OF_INBOX: usize = 2;
    if start.first() == Some(&InboxKey::TABLE) { &start[..start.len().min(PART_OF_INBOX)] } else { start }
}

#[derive(Default)]
struct Floors(Mutex<State>);

#[derive(Default)]
struct State {
    /// How many commits have begun, and how many have ended.
    begun: u64,
    completed: u64,
    /// By where the queue begins: every key that begins with that belongs to it.
    floors: BTreeMap<Key, Floor>,
    /// The lowest key that each of the last commits wrote in a queue, with the commit's number.
    written: VecDeque<(u64, Vec<(Key, Key)>)>,
}

struct Floor {
    key: Key,
    /// How many commits had begun when it was first asked for: of those it is not known what they wrote.
    since: u64,
}

impl Floors {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing of the queue that `start` belongs to is below it; and whether the queue begins there.
    fn floor(&self, start: &[u8]) -> (Key, bool) {
        let mut state = self.state();
        // No queue is part of another one.
        let known = state.floors.range::<[u8], _>((Bound::Unbounded, Bound::Included(start))).next_back();
        if let Some((queue, floor)) = known.filter(|(queue, _)| start.starts_with(queue)) {
            return (floor.key.clone(), queue == start);
        }
        let room = state.floors.len() < MOST_FLOORS;
        if room {
            let floor = Floor { key: start.to_vec(), since: state.begun };
            state.floors.insert(start.to_vec(), floor);
        }
        (start.to_vec(), room)
    }

    /// A view that had these commits has nothing below that key.
    fn raise(&self, queue: &Key, to: &Key, commits: u64) {
        let mut state = self.state();
        let State { begun, floors, written, .. } = &mut *state;
        let Some(floor) = floors.get_mut(queue).filter(|floor| floor.since <= commits) else { return };
        // What it may not have seen.
        let unseen = *begun - commits;
        if u64::try_from(written.len()).unwrap_or(u64::MAX) < unseen {
            return;
        }
        let since = written.iter().filter(|(number, _)| *number > commits).flat_map(|(_, lowest)| lowest);
        let lowest = since.filter(|(of, _)| of == queue).map(|(_, key)| key).min();
        let to = lowest.map_or(to, |lowest| lowest.min(to));
        // What was looked through may go on after the queue: of that nothing is known.
        let end = after_prefix(queue);
        let to = to.min(&end);
        if floor.key < *to {
            floor.key.clone_from(to);
        }
    }

    fn commit_begins(&self, writes: &WriteSet) {
        let mut state = self.state();
        let State { begun, floors, written, .. } = &mut *state;
        *begun += 1;
        let mut lowest = Vec::new();
        for (queue, floor) in floors {
            let mut keys = writes.range(queue.clone()..after_prefix(queue));
            let Some((key, _)) = keys.find(|(_, value)| value.is_some()) else { continue };
            lowest.push((queue.clone(), key.clone()));
            if *key < floor.key {
                floor.key.clone_from(key);
            }
        }
        written.push_back((*begun, lowest));
        if written.len() > COMMITS_KEPT {
            written.pop_front();
        }
    }

    fn commit_ends(&self) {
        let mut state = self.state();
        state.completed = state.begun;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kv::testing::MapKv;
    use super::*;

    const QUEUE: u8 = DueTurnKey::TABLE;

    fn key(place: u8) -> Key {
        vec![QUEUE, place]
    }

    fn all() -> KeyRange {
        DueTurnKey::all()
    }

    fn put(place: u8) -> (Key, Option<Vec<u8>>) {
        (key(place), Some(Vec::new()))
    }

    fn first(view: &dyn View) -> Option<Key> {
        view.scan(&all(), Direction::Forward).next().map(|pair| pair.unwrap().0)
    }

    fn floor(kv: &Floored<MapKv>) -> Key {
        kv.floors.floor(&all().start).0
    }

    #[test]
    fn a_scan_from_within_a_queue_is_held_to_its_floor_and_has_none_of_its_own() {
        let kv = Floored::new(MapKv::default());
        assert_eq!(first(&*kv.begin().unwrap()), None);
        kv.commit(&WriteSet::from([put(3), put(5)])).unwrap();
        let view = kv.begin().unwrap();
        let later = KeyRange { start: key(4), end: all().end };
        assert_eq!(view.scan(&later, Direction::Forward).count(), 1);
        assert_eq!(kv.floors.state().floors.len(), 1);
        assert_eq!(first(&*view), Some(key(3)));
    }

    #[test]
    fn a_floor_rises_with_what_is_removed_and_sinks_with_what_is_written_below_it() {
        let kv = Floored::new(MapKv::default());
        assert_eq!(first(&*kv.begin().unwrap()), None);
        kv.commit(&WriteSet::from([put(3), put(5)])).unwrap();
        assert_eq!(first(&*kv.begin().unwrap()), Some(key(3)));
        kv.commit(&WriteSet::from([(key(3), None)])).unwrap();
        assert_eq!(first(&*kv.begin().unwrap()), Some(key(5)));
        assert_eq!(floor(&kv), key(5));
        kv.commit(&WriteSet::from([put(4)])).unwrap();
        assert_eq!(floor(&kv), key(4));
        assert_eq!(first(&*kv.begin().unwrap()), Some(key(4)));
        kv.commit(&WriteSet::from([(key(4), None), (key(5), None)])).unwrap();
        assert_eq!(first(&*kv.begin().unwrap()), None);
        assert_eq!(floor(&kv), all().end);
    }

    /// What a view does that is older than a commit.
    #[test]
    fn what_was_written_since_a_view_was_taken_is_not_passed_over() {
        let kv = Floored::new(MapKv::default());
        kv.commit(&WriteSet::from([put(7)])).unwrap();
        first(&*kv.begin().unwrap());
        let commits = kv.floors.state().completed;
        kv.commit(&WriteSet::from([put(2)])).unwrap();
        kv.floors.raise(&all().start, &key(7), commits);
        assert_eq!(first(&*kv.begin().unwrap()), Some(key(2)));
        // Nor is what is being written just now.
        kv.floors.commit_begins(&WriteSet::from([put(1)]));
        let commits = kv.floors.state().completed;
        kv.floors.raise(&all().start, &key(2), commits);
        assert_eq!(floor(&kv), key(1));
    }

    #[test]
    fn a_view_that_is_too_old_has_no_floor_rise() {
        let kv = Floored::new(MapKv::default());
        first(&*kv.begin().unwrap());
        let commits = kv.floors.state().completed;
        kv.commit(&WriteSet::from([put(1)])).unwrap();
        (0..COMMITS_KEPT).for_each(|_| kv.commit(&WriteSet::from([put(9)])).unwrap());
        kv.floors.raise(&all().start, &key(9), commits);
        assert_eq!(first(&*kv.begin().unwrap()), Some(key(1)));
    }

    #[test]
    fn a_scan_over_several_queues_says_nothing_of_the_later_ones() {
        let key = |queue: u8, place: u8| vec![InboxKey::TABLE, queue, place];
        let kv = Floored::new(MapKv::default());
        kv.commit(&WriteSet::from([(key(2, 5), Some(Vec::new()))])).unwrap();
        let from_the_first = KeyRange { start: vec![InboxKey::TABLE, 0], end: InboxKey::all().end };
        let first = || {
            let view = kv.begin().unwrap();
            let mut pairs = view.scan(&from_the_first, Direction::Forward);
            pairs.next().map(|pair| pair.unwrap().0)
        };
        assert_eq!(first(), Some(key(2, 5)));
        kv.commit(&WriteSet::from([(key(1, 9), Some(Vec::new()))])).unwrap();
        assert_eq!(first(), Some(key(1, 9)));
        kv.commit(&WriteSet::from([(key(0, 9), Some(Vec::new()))])).unwrap();
        assert_eq!(first(), Some(key(0, 9)));
        // Nor is a floor kept for every page.
        let page = KeyRange { start: key(0, 9), end: from_the_first.end.clone() };
        let view = kv.begin().unwrap();
        assert_eq!(view.scan(&page, Direction::Forward).count(), 3);
        assert_eq!(kv.floors.state().floors.len(), 1);
    }

    proptest! {
        /// Views of any age, and commits in between.
        #[test]
        fn no_scan_passes_anything_over(
            steps in prop::collection::vec((0..4_u8, 0..8_u8, any::<bool>()), 0..60),
        ) {
            let (plain, kv) = (MapKv::default(), Floored::new(MapKv::default()));
            let mut seen = Vec::new();
            for (step, place, puts) in steps {
                if step == 0 {
                    // A reader that took its view before: it has seen this, and says so later.
                    let commits = kv.floors.state().completed;
                    let view = plain.begin().unwrap();
                    seen.push((commits, first(&*view).unwrap_or(all().end)));
                } else if step == 1 && !seen.is_empty() {
                    let (commits, key) = seen.swap_remove(usize::from(place) % seen.len());
                    kv.floors.raise(&all().start, &key, commits);
                } else {
                    let write = WriteSet::from([(key(place), puts.then(Vec::new))]);
                    plain.commit(&write).unwrap();
                    kv.commit(&write).unwrap();
                }
                prop_assert_eq!(first(&*kv.begin().unwrap()), first(&*plain.begin().unwrap()));
            }
        }
    }
}
