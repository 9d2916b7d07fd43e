//! Why a store does not open, and what to do about it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Each message says what to do; the cause, where there is one, is its source.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the store's directory {} cannot be used; make sure that it exists or can be created, and that this user \
         may write to it",
        path.display()
    )]
    Directory {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error(
        "the store in {} is open in another process ({}); stop that one first, or give this one a directory of its \
         own",
        path.display(), holder(*pid)
    )]
    Locked { path: PathBuf, pid: Option<u32> },

    #[error(
        "{} holds a store of {found}, but {asked} is asked for; set store.engine = \"{found}\" to go on with it, or give \
         {asked} a directory of its own",
        path.display()
    )]
    OtherEngine { path: PathBuf, found: &'static str, asked: &'static str },

    #[error(
        "the store was written by a newer version (its schema is {found}, this version knows {known}); run that \
         version or a later one"
    )]
    NewerSchema { found: u32, known: u32 },

    #[error(
        "the store would not survive a power cut: the storage engine's writes do not reach the disk, because this \
         program's replacement of sync_file_range is not in effect. Use the program as it was released, or build it \
         with linker options that keep its exported symbols"
    )]
    NotDurable,

    #[error(
        "the store in {} was written with another layout of the storage engine's files; run the version that wrote it, \
         or give this one a directory of its own",
        path.display()
    )]
    OtherLayout {
        path: PathBuf,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    #[error(
        "the store in {} is half of one: an import into it was not finished. Remove the directory, and import again",
        path.display()
    )]
    HalfImported { path: PathBuf },

    #[error(
        "the store in {} is damaged; keep a copy of the directory, and restore the newest backup into an empty one",
        path.display()
    )]
    Damaged {
        path: PathBuf,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },

    #[error("the store in {} does not open; see that the disk has room and works, then start again", path.display())]
    Engine {
        path: PathBuf,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What an engine panicked with when it met files that it does not understand.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the storage engine panicked: {}", text.unwrap_or("it did not say why"))
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "its process id is unknown".into(), |pid| format!("process id {pid}"))
}
