//! What sled has to keep of the seam's promises.

use super::super::kv::promises::{keeps_the_promises_of_the_seam, write};
use super::super::kv::{MAX_KEY_BYTES, MAX_PAIR_BYTES};
use super::*;

fn options() -> SledOptions {
    SledOptions { cache_bytes: 8 * 1024 * 1024, ..SledOptions::default() }
}

fn try_opening(directory: &Path) -> Result<SledKv, OpenError> {
    let lock = Arc::new(DirectoryLock::acquire(directory, options().lock_wait)?);
    SledKv::open(directory, lock, &options())
}

fn open(directory: &Path) -> SledKv {
    try_opening(directory).unwrap()
}

#[cfg(all(target_os = "linux", not(published_sled_control)))]
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

#[cfg(all(target_os = "linux", not(published_sled_control)))]
#[test]
fn a_flush_that_fails_says_so() {
    assert_eq!(durability::sync_file_range(-1, 0, 0, 0), -1);
    assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
}

keeps_the_promises_of_the_seam!(open);

#[test]
fn nothing_is_read_before_it_is_flushed() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    let read = || kv.begin().unwrap().get(&[200]).unwrap();
    std::thread::scope(|scope| {
        let mut reader = None;
        let flush = || {
            assert_eq!(kv.tree.get([200]).unwrap().unwrap(), b"new", "sled shows it, and may lose it");
            assert!(kv.commits.try_read().is_err(), "a reader waits");
            reader = Some(scope.spawn(read));
            kv.db.flush()
        };
        kv.commit_with(&write(&[200], Some(b"new")), flush).unwrap();
        assert_eq!(reader.unwrap().join().unwrap().unwrap(), b"new");
    });
}

#[test]
fn after_a_flush_that_failed_nothing_is_read_of_what_may_be_lost() {
    let directory = tempfile::tempdir().unwrap();
    let kv = Arc::new(open(directory.path()));
    let no_disk = || Err(sled::Error::Io(io::ErrorKind::StorageFull.into()));
    kv.commit_with(&write(&[200], Some(b"new")), no_disk).unwrap_err();
    assert!(kv.begin().is_err());
    assert!(Arc::clone(&kv).snapshot().is_err());
}

#[test]
fn damaged_files_are_reported_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    let writes: WriteSet = (0..200u8).map(|n| (vec![200, n], Some(vec![n; 5_000]))).collect();
    kv.commit(&writes).unwrap();
    drop(kv);
    let db = directory.path().join(home::SLED).join("conf");
    std::fs::write(db, b"not what sled wrote").unwrap();
    let refused = try_opening(directory.path()).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

/// The files that sled wrote past its log, and never flushed.
fn blobs(directory: &Path) -> usize {
    std::fs::read_dir(directory.join(home::SLED).join("blobs")).unwrap().count()
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
    let other = sled::Config::new().path(directory.path().join(home::SLED));
    other.open().unwrap().insert(b"key", b"value").unwrap();
    let refused = try_opening(directory.path()).err().unwrap();
    assert!(matches!(refused, OpenError::OtherLayout { .. }), "{refused:?}");
    assert!(refused.to_string().contains("the version that wrote it"), "{refused}");
    // The refused one's threads may hold sled's lock for a moment.
    let is_held = |error: &sled::Error| is_locked(error);
    let db = keep_trying(Duration::from_secs(5), || other.open(), is_held).unwrap();
    assert_eq!(db.get(b"key").unwrap().unwrap(), b"value");
}
