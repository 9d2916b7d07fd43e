//! What fjall has to keep of the seam's promises, and what it makes of damaged files.

use std::fs;
use std::path::PathBuf;

use super::super::kv::promises::{keeps_the_promises_of_the_seam, write};
use super::*;

fn options() -> FjallOptions {
    FjallOptions { cache_bytes: 8 * 1024 * 1024, lock_wait: Duration::from_secs(5) }
}

fn try_opening(directory: &Path) -> Result<FjallKv, OpenError> {
    let lock = Arc::new(DirectoryLock::acquire(directory, options().lock_wait)?);
    FjallKv::open(directory, lock, &options())
}

fn open(directory: &Path) -> FjallKv {
    try_opening(directory).unwrap()
}

fn refused(directory: &Path) -> OpenError {
    try_opening(directory).err().unwrap()
}

fn journal(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory.join(home::FJALL)).unwrap().map(|entry| entry.unwrap().path());
    let mut journals = files.filter(|path| path.extension().is_some_and(|kind| kind == "jnl"));
    journals.next().unwrap()
}

/// Changes the journal in the place where these bytes stand, so many after their beginning.
fn change_journal(directory: &Path, at: &[u8], change: impl Fn(&mut Vec<u8>, usize)) {
    let path = journal(directory);
    let mut bytes = fs::read(&path).unwrap();
    let found = bytes.windows(at.len()).position(|window| window == at).unwrap();
    change(&mut bytes, found);
    fs::write(path, bytes).unwrap();
}

/// A store of three commits, let go of.
fn of_three_commits() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    for (key, value) in [(1, b"the first value"), (2, b"the other value"), (3, b"the third value")] {
        kv.commit(&write(&[200, key], Some(value))).unwrap();
    }
    directory
}

fn kept(directory: &Path) -> Vec<u8> {
    let kv = open(directory);
    let view = kv.begin().unwrap();
    let range = KeyRange { start: vec![200], end: vec![201] };
    view.scan(&range, Direction::Forward).map(|pair| pair.unwrap().0[1]).collect()
}

keeps_the_promises_of_the_seam!(open);

#[test]
fn a_view_stays_as_it_was_taken() {
    let directory = tempfile::tempdir().unwrap();
    let kv = open(directory.path());
    let before = kv.begin().unwrap();
    kv.commit(&write(&[200, 1], Some(b"later"))).unwrap();
    assert_eq!(before.get(&[200, 1]).unwrap(), None);
    assert_eq!(kv.begin().unwrap().get(&[200, 1]).unwrap(), Some(b"later".to_vec()));
}

#[test]
fn what_is_left_of_a_store_that_was_never_finished_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let unfinished = directory.path().join(UNFINISHED);
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("0.jnl"), b"half").unwrap();
    open(directory.path());
    assert!(!unfinished.exists());
}

#[test]
fn a_batch_that_was_cut_off_is_dropped_and_what_was_before_it_kept() {
    let directory = of_three_commits();
    change_journal(directory.path(), b"the third value", |bytes, at| bytes.truncate(at + 5));
    assert_eq!(kept(directory.path()), [1, 2]);
    // The next ones follow on what was kept.
    open(directory.path()).commit(&write(&[200, 4], Some(b"the fourth"))).unwrap();
    assert_eq!(kept(directory.path()), [1, 2, 4]);
}

#[test]
fn a_batch_with_a_hole_in_it_is_reported() {
    let directory = of_three_commits();
    change_journal(directory.path(), b"the other value", |bytes, at| bytes[at + 4] = 0);
    let refused = refused(directory.path());
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

/// Known, and said in the decision on fjall. If this fails, fjall has learned to tell: say so there.
#[test]
fn a_damaged_frame_in_the_middle_of_the_journal_ends_it_in_silence() {
    let directory = of_three_commits();
    // Two bytes of the key stand before the value; an item's tag 20 before them.
    change_journal(directory.path(), b"the other value", |bytes, at| bytes[at - 2 - 20 - 1] = 99);
    assert_eq!(kept(directory.path()), [1]);
}

#[test]
fn a_store_that_came_back_empty_is_damaged() {
    let directory = of_three_commits();
    fs::write(journal(directory.path()), b"").unwrap();
    let refused = refused(directory.path());
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
}

#[test]
fn a_store_without_its_format_is_damaged() {
    let directory = of_three_commits();
    fs::remove_file(directory.path().join(home::FJALL).join(FORMAT)).unwrap();
    let refused = refused(directory.path());
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
}

#[test]
fn a_store_of_another_format_is_refused() {
    let directory = of_three_commits();
    fs::write(directory.path().join(home::FJALL).join(FORMAT), b"FJL\x02").unwrap();
    let refused = refused(directory.path());
    assert!(matches!(refused, OpenError::OtherLayout { .. }), "{refused:?}");
    assert!(refused.to_string().contains("the version that wrote it"), "{refused}");
}

#[test]
fn a_file_that_is_missing_is_damage() {
    let directory = of_three_commits();
    fs::remove_dir_all(directory.path().join(home::FJALL).join("keyspaces")).unwrap();
    let refused = refused(directory.path());
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused:?}");
}
