//! One daemon per directory: a lock file that is held as long as the store is open. The kernel lets go of it when
//! the process dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::open::OpenError;

const LOCK_FILE: &str = "switchboard.lock";
/// How often it is tried again while another process may be dying.
const POLL: Duration = Duration::from_millis(50);

/// Held until it is dropped. The file stays: removing it could take it from under the next one.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the directory, creating it if need be. Waits up to `lock_wait` for another process to let go of it.
    pub fn acquire(directory: &Path, lock_wait: Duration) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
        create_private(directory).map_err(unusable)?;
        let path = directory.join(LOCK_FILE);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(unusable)?;
        let is_held = |error: &TryLockError| matches!(error, TryLockError::WouldBlock);
        match keep_trying(lock_wait, || file.try_lock(), is_held) {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { path: directory.to_owned(), pid: holder(&mut file) });
            }
        }
        sign(&mut file).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}

/// Tries again as long as somebody else holds it, for `longest` at the most.
#[expect(
    clippy::disallowed_methods,
    reason = "opening blocks, and waits for another process, which has no event for us"
)]
pub fn keep_trying<T, E>(
    longest: Duration,
    mut attempt: impl FnMut() -> Result<T, E>,
    is_held: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut waited = Duration::ZERO;
    loop {
        match attempt() {
            Err(error) if is_held(&error) && waited < longest => {
                std::thread::sleep(POLL);
                waited += POLL;
            }
            outcome => return outcome,
        }
    }
}

/// What customers wrote is nobody else's business on this machine.
fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_one_holders_and_the_next_is_told_whose() {
        let directory = tempfile::tempdir().unwrap();
        let _held = DirectoryLock::acquire(directory.path(), Duration::ZERO).unwrap();
        let refused = DirectoryLock::acquire(directory.path(), Duration::ZERO).unwrap_err();
        let OpenError::Locked { path, pid } = &refused else { panic!("{refused}") };
        assert_eq!((path.as_path(), *pid), (directory.path(), Some(std::process::id())));
        let message = refused.to_string();
        assert!(message.contains(&std::process::id().to_string()), "{message}");
        assert!(message.contains(&directory.path().display().to_string()), "{message}");
    }

    #[test]
    fn a_dying_holder_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let held = DirectoryLock::acquire(directory.path(), Duration::ZERO).unwrap();
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| DirectoryLock::acquire(directory.path(), Duration::from_secs(60)));
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let below = file.path().join("data");
        let refused = DirectoryLock::acquire(&below, Duration::ZERO).unwrap_err();
        assert!(matches!(&refused, OpenError::Directory { path, .. } if *path == below), "{refused}");
    }
}
