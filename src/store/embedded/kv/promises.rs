//! What each engine has to keep of the seam's promises: one test for each, on a function that opens the engine.

use std::path::Path;

use super::{Direction, KeyRange, Kv, MAX_KEY_BYTES, MAX_PAIR_BYTES, WriteSet};

/// Makes a test of each promise, on an engine that this function opens.
macro_rules! keeps_the_promises_of_the_seam {
    ($open:path) => {
        keeps_the_promises_of_the_seam! { $open:
            what_was_committed_is_there_after_a_reopening,
            a_scan_goes_both_ways_and_stops_before_its_end,
            the_largest_records_are_kept,
            who_lets_go_of_a_directory_can_open_it_again,
        }
    };
    ($open:path: $($promise:ident),* $(,)?) => {
        $(
            #[test]
            fn $promise() {
                crate::store::embedded::kv::promises::$promise($open);
            }
        )*
    };
}
pub(in crate::store::embedded) use keeps_the_promises_of_the_seam;

pub fn write(key: &[u8], value: Option<&[u8]>) -> WriteSet {
    WriteSet::from([(key.to_vec(), value.map(<[u8]>::to_vec))])
}

pub fn what_was_committed_is_there_after_a_reopening<K: Kv>(open: impl Fn(&Path) -> K) {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    kv.commit(&write(&[200, 1], Some(b"kept"))).unwrap();
    kv.commit(&write(&[200, 2], Some(b"removed"))).unwrap();
    kv.commit(&write(&[200, 2], None)).unwrap();
    drop(kv);
    let kv = open(directory.path());
    let view = kv.begin().unwrap();
    assert_eq!(view.get(&[200, 1]).unwrap(), Some(b"kept".to_vec()));
    assert_eq!(view.get(&[200, 2]).unwrap(), None);
}

pub fn a_scan_goes_both_ways_and_stops_before_its_end<K: Kv>(open: impl Fn(&Path) -> K) {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    let writes: WriteSet = (0..5u8).map(|n| (vec![200, n], Some(vec![n]))).collect();
    kv.commit(&writes).unwrap();
    let view = kv.begin().unwrap();
    let range = KeyRange { start: vec![200, 1], end: vec![200, 4] };
    let values =
        |direction| -> Vec<u8> { view.scan(&range, direction).map(|pair| pair.unwrap().1[0]).collect() };
    assert_eq!(values(Direction::Forward), [1, 2, 3]);
    assert_eq!(values(Direction::Reverse), [3, 2, 1]);
    let backwards = KeyRange { start: vec![200, 4], end: vec![200, 1] };
    assert_eq!(view.scan(&backwards, Direction::Forward).count(), 0);
}

pub fn the_largest_records_are_kept<K: Kv>(open: impl Fn(&Path) -> K) {
    let directory = tempfile::tempdir().unwrap();
    let key = vec![200; MAX_KEY_BYTES];
    let value = vec![7; MAX_PAIR_BYTES - MAX_KEY_BYTES];
    open(directory.path()).commit(&write(&key, Some(&value))).unwrap();
    let kv = open(directory.path());
    assert_eq!(kv.begin().unwrap().get(&key).unwrap(), Some(value));
}

/// In the same process, and at once.
pub fn who_lets_go_of_a_directory_can_open_it_again<K: Kv>(open: impl Fn(&Path) -> K) {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..5u8 {
        let kv = open(directory.path());
        kv.commit(&write(&[200, round], Some(&[round]))).unwrap();
        let everything = KeyRange { start: vec![200], end: vec![201] };
        let kept = kv.begin().unwrap().scan(&everything, Direction::Forward).count();
        assert_eq!(kept, usize::from(round) + 1);
    }
}
