//! Where queues begin, for an engine in which what was removed stays in the way until it is compacted: whoever looks for the
//! first of a queue would go through all that has ever been in it. [`Floored`] remembers below which key nothing is left, and
//! has scans begin there.
//!
//! A floor only ever rises to what a view has shown, less what was written since that view was taken; and sinks with what is
//! written below it, before that is seen by anybody. A view that is older than the floor begins below it. So nothing that is
//! there is ever passed over, whoever reads meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::keys::{
    AttentionKey, DeliveryDueKey, DueTurnKey, ExpiryKey, Family, HoldKey, IdempotencyAgeKey, InboxKey,
    LookKey, ParkedAgeKey, ReadyKey, RemainsKey, SilentKey, after_prefix,
};
use super::kv::{Direction, Key, KeyRange, Kv, KvError, Scan, Snapshot, View, WriteSet};
use crate::domain::session::InboxQueue;

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
        match next_part_of_inbox(range) {
            None => self.scan_queue(range),
            Some(next) => {
                let first = KeyRange { start: range.start.clone(), end: next.clone() };
                let rest = KeyRange { start: next, end: range.end.clone() };
                let rest = std::iter::once_with(move || self.scan(&rest, direction)).flatten();
                Box::new(self.scan_queue(&first).chain(rest))
            }
        }
    }
}

impl FlooredView<'_> {
    fn scan_queue(&self, range: &KeyRange) -> Scan<'_> {
        let direction = Direction::Forward;
        let beginning = beginning(&range.start);
        let (floor, is_known) = self.floors.floor(beginning, self.commits);
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

/// What every key of a part of the inbox begins with: the table, and which part it is.
const PART_OF_INBOX: usize = 2;

/// Where the queue begins that a scan begins in: the inbox is also read on from a page before, the others are not.
fn beginning(start: &[u8]) -> &[u8] {
    if start.first() == Some(&InboxKey::TABLE) { &start[..start.len().min(PART_OF_INBOX)] } else { start }
}

/// Where the next part of the inbox begins, if the range begins in one and goes on into another.
fn next_part_of_inbox(range: &KeyRange) -> Option<Key> {
    let part = beginning(&range.start);
    let is_part = part.len() == PART_OF_INBOX && part[0] == InboxKey::TABLE;
    let has_next = is_part && part[1] < InboxQueue::WithBot as u8;
    Some(after_prefix(part)).filter(|next| has_next && *next < range.end)
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
    /// How many commits had begun when it rose: a view that has fewer may have what the others removed.
    risen: u64,
    /// The same, of an earlier number of commits: what a view can use that is taken while a commit is under way.
    before: (Key, u64),
    /// How many commits had begun when it was first asked for: of those it is not known what they wrote.
    since: u64,
}

impl Floor {
    fn at(start: &[u8], since: u64) -> Self {
        Self { key: start.to_vec(), risen: 0, before: (start.to_vec(), 0), since }
    }

    /// Where a view of so many commits may begin.
    fn of_view(&self, commits: u64) -> Option<&Key> {
        let known = [(&self.key, self.risen), (&self.before.0, self.before.1)];
        known.into_iter().find(|(_, risen)| *risen <= commits).map(|(key, _)| key)
    }

    fn rise(&mut self, to: &Key, begun: u64) {
        if self.key >= *to {
            return;
        }
        let key = std::mem::replace(&mut self.key, to.clone());
        if self.risen < begun {
            self.before = (key, self.risen);
            self.risen = begun;
        }
    }

    fn sink(&mut self, to: &Key) {
        for key in [&mut self.key, &mut self.before.0] {
            if *to < *key {
                key.clone_from(to);
            }
        }
    }
}

impl Floors {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing of the queue that `start` belongs to is below it, for a view of so many commits; and whether the queue begins
    /// there.
    fn floor(&self, start: &[u8], commits: u64) -> (Key, bool) {
        let mut state = self.state();
        // No queue is part of another one.
        let known = state.floors.range::<[u8], _>((Bound::Unbounded, Bound::Included(start))).next_back();
        if let Some((queue, floor)) = known.filter(|(queue, _)| start.starts_with(queue)) {
            let key = floor.of_view(commits).map_or_else(|| queue.clone(), Key::clone);
            return (key, queue == start);
        }
        let room = state.floors.len() < MOST_FLOORS;
        if room {
            let floor = Floor::at(start, state.begun);
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
        floor.rise(to.min(&end), *begun);
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
            floor.sink(key);
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

    use super::super::kv::Value;
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
        kv.floors.floor(&all().start, u64::MAX).0
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
        assert_eq!(kv.floors.state().floors.len(), 3, "one for each part");
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

        /// Views of any age, also those that were taken while a commit was under way, over several parts of the inbox.
        #[test]
        fn a_view_shows_what_there_was_when_it_was_taken(
            steps in prop::collection::vec((0..6_u8, 0..3_u8, 0..6_u8, any::<bool>()), 0..60),
        ) {
            let key = |part: u8, place: u8| vec![InboxKey::TABLE, part, place];
            let (mut now, floors) = (BTreeMap::<Key, Value>::new(), Floors::default());
            let mut views: Vec<(BTreeMap<Key, Value>, u64)> = vec![(now.clone(), 0)];
            for (step, part, place, flag) in steps {
                let is_write = step < 3;
                if is_write {
                    let write = (key(part, place), (step < 2).then(Vec::new));
                    floors.commit_begins(&WriteSet::from([write.clone()]));
                    // An engine shows a commit before it says that it has ended.
                    let early = floors.state().completed;
                    match write {
                        (key, Some(value)) => now.insert(key, value),
                        (key, None) => now.remove(&key),
                    };
                    if flag {
                        views.push((now.clone(), early));
                    }
                    floors.commit_ends();
                    continue;
                }
                if step == 3 {
                    views.push((now.clone(), floors.state().completed));
                }
                let (held, commits) = &views[usize::from(place) % views.len()];
                let kv = MapKv::default();
                kv.commit(&held.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()).unwrap();
                let view = FlooredView { view: kv.begin().unwrap(), floors: &floors, commits: *commits };
                let range = KeyRange { start: vec![InboxKey::TABLE, part], end: vec![InboxKey::TABLE, 3] };
                // The first of it, as lists look for it, or all of it.
                let many = if flag { 1 } else { usize::MAX };
                let shown = view.scan(&range, Direction::Forward).take(many).map(|pair| pair.unwrap().0);
                let there = held.range(range.start.clone()..range.end.clone()).take(many);
                let there: Vec<Key> = there.map(|(key, _)| key.clone()).collect();
                prop_assert_eq!(shown.collect::<Vec<_>>(), there);
            }
        }
    }
}
