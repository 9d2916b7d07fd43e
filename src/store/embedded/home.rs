//! A store's directory as the file system has it: one engine's folder and no other's, and names that are on the disk.
//! Locking it is [`super::lock`]'s.

use std::fs::File;
use std::io;
use std::path::Path;

use super::open::OpenError;

/// Each engine's folder in the directory, and what the configuration calls it.
pub const SLED: &str = "sled";
pub const FJALL: &str = "fjall";
const ENGINES: [&str; 2] = [SLED, FJALL];

/// Refuses a directory that holds another engine's store: beside it, this one would begin with nothing.
pub fn refuse_others(directory: &Path, asked: &'static str) -> Result<(), OpenError> {
    for found in ENGINES.into_iter().filter(|engine| *engine != asked) {
        let exists = directory.join(found).try_exists();
        if exists.map_err(|source| OpenError::Directory { path: directory.to_owned(), source })? {
            return Err(OpenError::OtherEngine { path: directory.to_owned(), found, asked });
        }
    }
    Ok(())
}

/// Flushes the names in the directory, and its own in its parent.
pub fn sync_names(directory: &Path) -> io::Result<()> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    [Some(directory), parent].into_iter().flatten().try_for_each(|path| File::open(path)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_one_engines() {
        let directory = tempfile::tempdir().unwrap();
        refuse_others(directory.path(), SLED).unwrap();
        std::fs::create_dir(directory.path().join(SLED)).unwrap();
        refuse_others(directory.path(), SLED).unwrap();
        let refused = refuse_others(directory.path(), FJALL).unwrap_err();
        assert!(matches!(refused, OpenError::OtherEngine { found: SLED, asked: FJALL, .. }), "{refused}");
        assert!(refused.to_string().contains("engine = \"sled\""), "{refused}");
    }
}
