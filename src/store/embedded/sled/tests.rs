//! What sled has to keep of the seam's promises.

use std::collections::BTreeMap;

use super::super::kv::{MAX_KEY_BYTES, MAX_PAIR_BYTES};
use super::*;

fn options() -> SledOptions {
    SledOptions { cache_bytes: 8 * 1024 * 1024, lock_wait: Duration::from_secs(5) }
}

fn open(directory: &Path) -> SledKv {
    SledKv::open(directory, &options()).unwrap()
}

fn write(key: &[u8], value: Option<&[u8]>) -> WriteSet {
    BTreeMap::from([(key.to_vec(), value.map(<[u8]>::to_vec))])
}

#[cfg(target_os = "linux")]
#[test]
fn every_commit_is_flushed_through_our_own_sync_file_range() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    for round in 0..10u8 {
        let before = durability::flushes();
        kv.commit(&write(&[200, round], Some(b"x"))).unwrap();
        assert!(durability::flushes() > before);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_flush_that_fails_says_so() {
    assert_eq!(durability::sync_file_range(-1, 0, 0, 0), -1);
    assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
}

#[test]
fn what_was_committed_is_there_after_a_reopening() {
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

#[test]
fn a_scan_goes_both_ways_and_stops_before_its_end() {
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

#[test]
fn damaged_files_are_reported_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    let writes: WriteSet = (0..200u8).map(|n| (vec![200, n], Some(vec![n; 5_000]))).collect();
    kv.commit(&writes).unwrap();
    drop(kv);
    let db = directory.path().join(SUBDIRECTORY).join("conf");
    std::fs::write(db, b"not what sled wrote").unwrap();
    let refused = SledKv::open(directory.path(), &options()).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

/// The files that sled wrote past its log, and never flushed.
fn blobs(directory: &Path) -> usize {
    std::fs::read_dir(directory.join(SUBDIRECTORY).join("blobs")).unwrap().count()
}

#[test]
fn the_largest_records_never_become_blobs() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    let key = |n: u8| vec![200, n];
    // Leaves fill up and split, are written anew, and merge with what the removals leave of their neighbours.
    let record = vec![7; MAX_PAIR_BYTES - 2];
    let batch: WriteSet = (0..40).map(|n| (key(n), Some(record.clone()))).collect();
    kv.commit(&batch).unwrap();
    for n in (40..70).chain(0..70) {
        kv.commit(&write(&key(n), Some(&record))).unwrap();
    }
    for n in (0..70).filter(|n| n % 3 != 0) {
        kv.commit(&write(&key(n), None)).unwrap();
    }
    assert_eq!(blobs(directory.path()), 0);
}

#[test]
fn inner_nodes_of_the_longest_keys_never_become_blobs() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    // They differ in their last bytes only, so that what divides the leaves is as long.
    let key = |n: u16| [&[200], &*vec![0; MAX_KEY_BYTES - 3], &n.to_be_bytes()].concat();
    for start in (0..3_000).step_by(500) {
        let batch: WriteSet = (start..start + 500).map(|n| (key(n), Some(vec![]))).collect();
        kv.commit(&batch).unwrap();
    }
    assert_eq!(blobs(directory.path()), 0);
}

#[test]
fn a_store_with_segments_of_another_size_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let other = sled::Config::new().path(directory.path().join(SUBDIRECTORY));
    other.open().unwrap().insert(b"key", b"value").unwrap();
    let refused = SledKv::open(directory.path(), &options()).err().unwrap();
    assert!(matches!(refused, OpenError::OtherLayout { .. }), "{refused:?}");
    assert!(refused.to_string().contains("the version that wrote it"), "{refused}");
    assert_eq!(other.open().unwrap().get(b"key").unwrap().unwrap(), b"value");
}
