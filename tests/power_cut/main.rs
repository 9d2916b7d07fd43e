//! Power cuts under load: what was acknowledged is on the disk, and the store opens again.
//!
//! The daemon works on a file system of its own, on a loop device. At a random moment it is frozen, and the *device* is
//! copied: with what was flushed to it, and without what only the file system's cache has, as after a power cut. The
//! copy is mounted, a new daemon started on it, and asked for everything that the old one had acknowledged. Every
//! second cut is of a store that holds older texts: there, what is flushed in the wrong order destroys most.
//!
//! `CUTS` sets how many (2), `ENGINE` which engine (each), `SEED` the moments (printed, else random):
//!
//! ```text
//! CUTS=20 ENGINE=fjall cargo test --release --test power_cut
//! ```
//!
//! Does it see what it looks for? Built with `published_sled_control`, sled stays as published, and the test fails
//! unless something is lost:
//!
//! ```text
//! RUSTFLAGS="--cfg published_sled_control" CARGO_TARGET_DIR=target/control cargo test --release --test power_cut
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking, owns what it starts, and tells its figures"
)]

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

mod audit;
mod client;
mod daemon;
mod disk;
mod load;
mod moments;
mod room;

use audit::Verdict;
use daemon::Daemon;
use disk::{Disk, Mounted};
use load::{Acknowledged, Load};
use moments::Moments;

/// How many texts a store has of old, where it has any.
const OLD_TEXTS: usize = 3_000;
/// When the power is cut, after the load began.
const CUT_AFTER_MS: std::ops::Range<u64> = 1_500..4_000;
/// Fewer would not be a load. A slow disk and a debug build still do far more.
const LEAST_ACKNOWLEDGED: usize = 200;

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let Some(room) = room::inside() else {
        return room::run_inside("what_was_acknowledged_survives_a_power_cut");
    };
    let cuts = setting("CUTS").unwrap_or(2);
    assert!(cuts > 0, "CUTS is 0");
    let engines = match setting::<String>("ENGINE") {
        Some(engine) => vec![engine],
        None if cfg!(published_sled_control) => vec!["sled".to_owned()],
        None => vec!["sled".to_owned(), "fjall".to_owned()],
    };
    let seed = setting("SEED").unwrap_or_else(|| getrandom::u64().unwrap());
    eprintln!("SEED={seed}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for engine in engines {
        runtime.block_on(cut_the_power(&room, &engine, cuts, seed));
    }
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is {value:?}")))
}

async fn cut_the_power(room: &Path, engine: &str, cuts: usize, seed: u64) {
    let mut moments = Moments::new(seed);
    let (old_disk, old_texts) = with_old_texts(room, engine).await;
    let (mut acknowledged, mut lost, mut unopened) = (0, 0, 0);
    for cut in 1..=cuts {
        let (disk, old) = match cut % 2 {
            0 => (Disk::copy(&old_disk, room.join("disk")), old_texts.clone()),
            _ => (Disk::format(room.join("disk")), Acknowledged::default()),
        };
        let older = old.len();
        let after = Duration::from_millis(moments.within(CUT_AFTER_MS));
        let (remains, promised) = cut_under_load(room, engine, disk, old, after).await;
        let began = Instant::now();
        let verdict = audit::after_the_cut(room, engine, remains, &promised).await;
        eprintln!(
            "{engine}, cut {cut} after {after:?}: {} acknowledged ({older} of old), {verdict}, audited in {:.1?}",
            promised.len(),
            began.elapsed(),
        );
        assert!(promised.len() - older >= LEAST_ACKNOWLEDGED, "there was no load to speak of");
        acknowledged += promised.len();
        match verdict {
            Verdict::Opened { lost: some } => lost += some,
            Verdict::DoesNotOpen { .. } => unopened += 1,
        }
    }
    let opened = match unopened {
        0 => "every database opened".to_owned(),
        some => format!("{some} databases did not open"),
    };
    let figures =
        format!("{cuts} power cuts on {engine}: {acknowledged} acknowledged, {lost} lost, {opened}");
    if cfg!(published_sled_control) {
        eprintln!("CONTROL, sled as published. {figures}");
        assert!(lost + unopened > 0, "the control lost nothing: this test does not see what it looks for");
    } else {
        eprintln!("{figures}");
        assert_eq!((lost, unopened), (0, 0), "{figures}; SEED={seed}");
    }
}

/// A disk with a store of texts that were loaded, closed and flushed.
async fn with_old_texts(room: &Path, engine: &str) -> (Disk, Acknowledged) {
    let mounted = Disk::format(room.join("old")).mount(&room.join("mounted"));
    let daemon = Daemon::start(room, engine, mounted.at()).await.unwrap();
    let load = Load::start(&daemon.client, Acknowledged::default()).await;
    load.until_acknowledged(OLD_TEXTS).await;
    let acknowledged = load.stop().await;
    daemon.terminate().await;
    (mounted.unmount(), acknowledged)
}

/// The disk as the cut left it, and what had been acknowledged by then.
async fn cut_under_load(
    room: &Path,
    engine: &str,
    disk: Disk,
    old: Acknowledged,
    after: Duration,
) -> (Disk, Acknowledged) {
    let mounted: Mounted = disk.mount(&room.join("mounted"));
    let daemon = Daemon::start(room, engine, mounted.at()).await.unwrap();
    let load = Load::start(&daemon.client, old).await;
    tokio::time::sleep(after).await;
    daemon.freeze();
    let remains = mounted.copy_device(room.join("remains")).await;
    daemon.kill();
    let promised = load.stop().await;
    mounted.unmount();
    (remains, promised)
}
