//! A disk that takes no more: the daemon does not linger, it ends, so that its supervisor can start it anew.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::fixture::{BRAND, client, free_port, run_to_end};

/// The files of the daemon may not grow further than this many blocks of the shell's, of 512 or 1024 bytes.
const LIMITED: &str = "ulimit -f 256 && trap '' XFSZ && exec \"$0\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_cannot_write_any_more_ends_with_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("config.toml", folder.path().join("config.toml")).unwrap();
    let port = free_port();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut child = Command::new("sh")
        .args(["-c", LIMITED, env!("CARGO_BIN_EXE_switchboard")])
        .current_dir(folder.path())
        .env("SWITCHBOARD__SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("SWITCHBOARD__SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}"))
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let http = client();
    let mut taken = 0;
    let mut ended = None;
    for count in 0..1_200 {
        ended = child.try_wait().unwrap();
        if ended.is_some() {
            break;
        }
        let text =
            json!({"from": "+14155550101", "to": BRAND, "body": format!("{count} {}", "a".repeat(1_000))});
        let answer = http.post(format!("http://127.0.0.1:{port}/simulator/texts")).json(&text).send().await;
        if answer.is_ok_and(|answer| answer.status() == 201) {
            taken += 1;
        } else {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    if ended.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(ended.and_then(|status| status.code()), Some(1), "{taken} texts were taken; its log:\n{log}");
    assert!(taken > 0, "it was ready before; its log:\n{log}");
    assert!(log.contains("the store has failed"), "{log}");
    // With room again, the store opens.
    let checked = run_to_end(folder.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
}
