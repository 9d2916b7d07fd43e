//! A disk: an image with ext4, mounted by a loop device, and copied as a power cut would leave it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::room::needs;

/// Sparse: takes what was written.
const BYTES: u64 = 2 << 30;

pub struct Disk(PathBuf);

impl Disk {
    pub fn format(image: PathBuf) -> Self {
        let file = fs::File::create(&image).unwrap();
        file.set_len(BYTES).unwrap();
        // At once and not by the kernel in the background: nobody but the daemon is to write.
        let eager = "lazy_itable_init=0,lazy_journal_init=0";
        run(Command::new("mkfs.ext4").args(["-q", "-E", eager]).arg(&image));
        Self(image)
    }

    pub fn copy(from: &Self, image: PathBuf) -> Self {
        run(Command::new("cp").arg("--sparse=always").arg(&from.0).arg(&image));
        Self(image)
    }

    /// With the options that a mount has by default.
    pub fn mount(self, at: &Path) -> Mounted {
        fs::create_dir_all(at).unwrap();
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.0).arg(at));
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let here = |line: &&str| line.split(' ').nth(1) == at.to_str();
        let device = mounts.lines().find(here).unwrap().split(' ').next().unwrap();
        let statistics = Path::new("/sys/block").join(device.trim_start_matches("/dev/")).join("stat");
        Mounted { disk: self, at: at.to_owned(), statistics }
    }
}

pub struct Mounted {
    disk: Disk,
    at: PathBuf,
    statistics: PathBuf,
}

/// What a device has done so far.
#[derive(PartialEq, Eq)]
struct Activity {
    writes: u64,
    discards: u64,
    in_flight: u64,
}

impl Mounted {
    pub fn at(&self) -> &Path {
        &self.at
    }

    /// What has reached the device, at one moment: the kernel's own threads go on when a process is frozen, and a copy
    /// during which anything was written would show a state that the device never was in.
    pub async fn copy_device(&self, image: PathBuf) -> Disk {
        for _ in 0..200 {
            let before = self.activity();
            let copy = Disk::copy(&self.disk, image.clone());
            if before.in_flight == 0 && self.activity() == before {
                return copy;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the device was never quiet");
    }

    /// By the kernel's Documentation/block/stat.rst.
    fn activity(&self) -> Activity {
        let statistics = fs::read_to_string(&self.statistics).unwrap();
        let number = |at: usize| statistics.split_whitespace().nth(at).unwrap().parse().unwrap();
        Activity { writes: number(4), discards: number(11), in_flight: number(8) }
    }

    pub fn unmount(self) -> Disk {
        run(Command::new("umount").arg(&self.at));
        self.disk
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", needs(&format!("{command:?} failed: {said}")));
}
