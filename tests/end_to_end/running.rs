//! Running it: starts, stops, and what it says when something is wrong.

use serde_json::json;

use crate::fixture::{ANNA, BRAND, Daemon, Provider, Setup, client, free_port, run_to_end};

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_stop_finishes_what_is_under_way() {
    let provider = Provider::start().await;
    let mut daemon =
        Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let customer = daemon.customer(ANNA).await;
    // No receipt comes, which would say before the answer does that it was taken.
    provider.faults(json!({"next_sends": ["slow"], "slow_ms": 3000, "receipts": {"lost": 1.0}})).await;
    let (_, message) = daemon.say(&customer, "agent-secret", "On its way").await;
    let id = message["id"].as_str().unwrap().to_owned();
    daemon.delivery(&id, &["sending"]).await;
    assert_eq!(daemon.terminate().await, Some(0));
    daemon.start_again().await;
    let delivery = daemon.delivery(&id, &["sent"]).await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(provider.arrived(ANNA).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_at_once_and_loses_nothing() {
    let provider = Provider::start().await;
    let more = "[sending]\nlooks = [\"300ms\", \"1s\"]".to_owned();
    let setup = Setup { bot: "kind = \"none\"".into(), more, ..Setup::new(&provider.url) };
    let mut daemon = Daemon::start(&setup).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    let customer = daemon.customer(ANNA).await;
    provider.faults(json!({"next_sends": ["slow"], "slow_ms": 9000, "receipts": {"lost": 1.0}})).await;
    let (_, message) = daemon.say(&customer, "agent-secret", "On its way").await;
    let id = message["id"].as_str().unwrap().to_owned();
    daemon.delivery(&id, &["sending"]).await;
    daemon.signal("TERM");
    daemon.until_logged("a second signal stops at once").await;
    assert_eq!(daemon.terminate().await, Some(1));
    daemon.start_again().await;
    // Its answer never came; the provider's list says that it was taken.
    let delivery = daemon.delivery(&id, &["sent"]).await;
    assert_eq!(delivery["attempts"][0]["outcome"], "unknown");
    assert_eq!(provider.until_arrived(ANNA, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_store_is_told_who_has_it() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    let port = free_port();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_switchboard"))
        .current_dir(daemon.folder.path())
        .env("SWITCHBOARD__SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("SWITCHBOARD__STORE__LOCK_WAIT", "200ms")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("data") && message.contains("another"), "{message}");
}

#[test]
fn a_store_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: not even root can make a folder of it.
    std::fs::write(folder.path().join("occupied"), "").unwrap();
    std::fs::write(
        folder.path().join("config.toml"),
        format!("[server]\nlisten = \"127.0.0.1:{}\"\n[store]\npath = \"occupied/data\"\n[bot]\nkind = \"none\"\n", free_port()),
    )
    .unwrap();
    let output = run_to_end(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("occupied/data"), "{message}");
}

#[test]
fn a_wrong_configuration_names_file_line_and_mend() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), "[server]\nlisten = \"127.0.0.1:0\"\nlissten = 1\n")
        .unwrap();
    let output = run_to_end(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("config.toml:3"), "{message}");
    assert!(message.contains("lissten") && message.contains("listen"), "{message}");
}

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_to_end(folder.path(), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8_lossy(&output.stdout);
    for command in ["serve", "check", "token", "export", "import", "simulate", "recover", "doctor"] {
        assert!(help.contains(command), "{help}");
        let output = run_to_end(folder.path(), &[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
    }
    assert_eq!(run_to_end(folder.path(), &["dance"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_minted_shown_once_and_revoked() {
    let daemon =
        Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new("http://127.0.0.1:9") }).await;
    let mint = |token: &'static str| {
        daemon.call("POST", "/v1/tokens", token, Some(json!({"name": "night desk", "role": "agent"})))
    };
    assert_eq!(mint("agent-secret").await.0, 403);
    let (status, minted) = mint("admin-secret").await;
    assert_eq!(status, 201, "{minted}");
    let secret = minted["secret"].as_str().unwrap().to_owned();
    assert_eq!(daemon.call("GET", "/v1/customers", &secret, None).await.0, 200);
    let (_, list) = daemon.call("GET", "/v1/tokens", "admin-secret", None).await;
    assert!(!list.to_string().contains(&secret), "{list}");
    let path = format!("/v1/tokens/{}", minted["id"].as_str().unwrap());
    assert_eq!(daemon.call("DELETE", &path, "admin-secret", None).await.0, 204);
    assert_eq!(daemon.call("GET", "/v1/customers", &secret, None).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_minted_by_command_whether_the_daemon_runs_or_not() {
    let mut daemon =
        Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new("http://127.0.0.1:9") }).await;
    let mint = || {
        let output = run_to_end(
            daemon.folder.path(),
            &["token", "new", "desk-2", "--role", "agent", "--format", "json"],
        );
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let minted: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        minted["secret"].as_str().unwrap().to_owned()
    };
    let while_running = mint();
    assert_eq!(daemon.call("GET", "/v1/customers", &while_running, None).await.0, 200);
    assert_eq!(daemon.terminate().await, Some(0));
    let mint = || {
        let output = run_to_end(
            daemon.folder.path(),
            &["token", "new", "desk-3", "--role", "agent", "--format", "json"],
        );
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let minted: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        minted["secret"].as_str().unwrap().to_owned()
    };
    let while_stopped = mint();
    daemon.start_again().await;
    assert_eq!(daemon.call("GET", "/v1/customers", &while_stopped, None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_and_no_text_is_logged() {
    let provider = Provider::start().await;
    let daemon = Daemon::start(&Setup::new(&provider.url)).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "A very private matter").await;
    provider.until_arrived(ANNA, 1).await;
    let log = daemon.log();
    assert!(log.contains("a customer texted"), "{log}");
    for secret in ["A very private matter", ANNA, &ANNA[1..], "agent-secret", crate::fixture::AUTH_TOKEN] {
        assert!(!log.contains(secret), "{secret} stands in the log:\n{log}");
    }
}

/// The file that a newcomer starts with: simulator, echo bot, demo tokens, all in one process.
#[tokio::test(flavor = "multi_thread")]
async fn the_default_configuration_shows_the_whole_way() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("config.toml", folder.path().join("config.toml")).unwrap();
    let port = free_port();
    let said = std::fs::File::create(folder.path().join("said")).unwrap();
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_switchboard"))
        .current_dir(folder.path())
        .env("SWITCHBOARD__SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("SWITCHBOARD__SERVER__PUBLIC_URL", format!("http://127.0.0.1:{port}"))
        .stdout(said)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let _killed_in_the_end = Killed(child);
    let url = format!("http://127.0.0.1:{port}");
    let http = client();
    for _ in 0..400 {
        if http.get(format!("{url}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let text = json!({"from": ANNA, "to": BRAND, "body": "Is anybody there?"});
    let taken = http.post(format!("{url}/simulator/texts")).json(&text).send().await.unwrap();
    assert_eq!(taken.status(), 201, "{}", taken.text().await.unwrap());
    let phone = Provider::at(&format!("{url}/simulator"));
    let arrived = phone.until_arrived(ANNA, 1).await;
    assert_eq!(arrived[0]["body"], "Is anybody there?");
    for page in ["docs", "openapi.json", "metrics", "healthz"] {
        assert!(http.get(format!("{url}/{page}")).send().await.unwrap().status().is_success(), "{page}");
    }
    let said = std::fs::read_to_string(folder.path().join("said")).unwrap();
    assert!(said.contains("/docs") && said.contains("demo-agent"), "it says where to look: {said}");
}

struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            self.0.wait().ok();
        }
    }
}
