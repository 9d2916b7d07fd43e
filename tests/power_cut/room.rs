//! Where the test works: this program again, in namespaces of its own for mounts and processes, on a file system in
//! memory. When it ends, however it ends, the kernel kills what it started, takes its mounts away, and with them its
//! loop devices and images. So nothing needs to be cleaned up, and nothing can be left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const INSIDE: &str = "POWER_CUT_ROOM";

/// The folder to work in; none outside.
pub fn inside() -> Option<PathBuf> {
    let room = PathBuf::from(std::env::var_os(INSIDE)?);
    mount_memory(&room);
    Some(room)
}

fn mount_memory(room: &Path) {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "mode=700", "tmpfs"]).arg(room).output();
    let mounted = mounted.unwrap();
    assert!(mounted.status.success(), "{}", needs(&String::from_utf8_lossy(&mounted.stderr)));
}

/// Runs that test inside, and fails as it does.
pub fn run_inside(test: &str) {
    for tool in ["setpriv", "unshare", "mount", "umount", "mkfs.ext4", "cp"] {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(found.is_ok(), "{}", needs(&format!("there is no {tool}")));
    }
    assert!(Path::new("/dev/loop-control").exists(), "{}", needs("there is no /dev/loop-control"));
    let unshared = namespaces().arg("true").output().unwrap();
    assert!(unshared.status.success(), "{}", needs(&String::from_utf8_lossy(&unshared.stderr)));

    let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join("power_cut");
    fs::create_dir_all(&room).unwrap();
    let ended = namespaces()
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, room)
        // What the test harness says inside; what the test says goes to the standard error.
        .stdout(Stdio::null())
        .status();
    assert!(ended.unwrap().success(), "see above");
}

/// Ends with this process, and all that it started with it.
fn namespaces() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"]);
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    command
}

pub fn needs(missing: &str) -> String {
    format!(
        "{}\npower_cut mounts loop devices in namespaces of its own: it needs Linux, root, /dev/loop-control and Debian's \
         packages e2fsprogs, mount and util-linux. In a container it needs --privileged. As another user, run\n  \
         sudo -E env \"PATH=$PATH\" cargo test --test power_cut",
        missing.trim_end()
    )
}
