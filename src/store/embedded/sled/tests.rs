//! What sled has to keep of the seam's promises.

use std::collections::BTreeMap;

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
