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

/// Whether the directory holds a store of any engine. Opening would make a new one where it does not.
pub fn holds_store(directory: &Path) -> Result<bool, OpenError> {
    // fjall's folder gets its name once it is whole. sled's log is what would be begun anew without it.
    let [sled, fjall] = [directory.join(SLED).join("db"), directory.join(FJALL)];
    let length = |path: &Path| match path.metadata() {
        Ok(found) if found.is_dir() => Ok(1),
        Ok(found) => Ok(found.len()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(0),
        Err(source) => Err(OpenError::Directory { path: directory.to_owned(), source }),
    };
    Ok(length(&sled)? > 0 || length(&fjall)? > 0)
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
    fn a_folder_without_an_engines_files_holds_no_store() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(!holds_store(&path.join("missing")).unwrap());
        assert!(!holds_store(path).unwrap());
        std::fs::create_dir(path.join(SLED)).unwrap();
        std::fs::write(path.join(SLED).join("db"), "").unwrap();
        assert!(!holds_store(path).unwrap(), "what was begun and never written");
        std::fs::write(path.join(SLED).join("db"), "log").unwrap();
        assert!(holds_store(path).unwrap());
        std::fs::remove_dir_all(path.join(SLED)).unwrap();
        std::fs::create_dir(path.join(FJALL)).unwrap();
        assert!(holds_store(path).unwrap());
    }

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
