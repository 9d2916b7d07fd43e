//! Backups: taken while the daemon works, checked, and restored into another engine.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::{Value, json};
use switchboard::domain::conversation::Policy;
use switchboard::store::Store;
use switchboard::store::embedded::{EmbeddedStore, SledOptions};

use crate::fixture::{ANNA, BERT, BRAND, Daemon, Provider, Setup, run_to_end, store_of};

const CLEO: &str = "+14155550103";

fn setup(provider: &Provider, engine: &str) -> Setup {
    Setup {
        engine: engine.into(),
        store: store_of(engine),
        bot: "kind = \"none\"".into(),
        pace: Some("20/s"),
        // What may have left is looked for, and the last look must not be minutes away.
        more: "[sending]\nlooks = [\"300ms\", \"1s\", \"3s\"]".into(),
        ..Setup::new(&provider.url)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn result(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Twelve texts to each of two customers, none of which the provider takes before it is [`relieve`]d. What was promised,
/// by number.
async fn load(daemon: &Daemon, provider: &Provider) -> [(&'static str, Vec<String>); 2] {
    let mut promised = [(ANNA, Vec::new()), (BERT, Vec::new())];
    for (number, _) in &promised {
        provider.text(number, BRAND, "Hey").await;
    }
    provider.faults(json!({"sends": {"throttled": 1.0}})).await;
    for count in 0..12 {
        for (number, texts) in &mut promised {
            let customer = daemon.customer(number).await;
            let content = format!("{count} for {number}");
            assert_eq!(daemon.say(&customer, "agent-secret", &content).await.0, 201);
            texts.push(content);
        }
    }
    promised
}

/// From now on the provider takes what comes.
async fn relieve(provider: &Provider) {
    provider.faults(json!({})).await;
}

fn arrived_once_in_order(arrived: &[Value], texts: &[String]) {
    let arrived: Vec<&str> = arrived.iter().map(|text| text["body"].as_str().unwrap()).collect();
    assert_eq!(arrived, texts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_goes_on_in_the_other_engine() {
    let provider = Provider::start().await;
    let mut old = Daemon::start(&setup(&provider, "sled")).await;
    provider.calls_back(&old);
    provider.text(CLEO, BRAND, "STOP").await;
    let desk = json!({"name": "night desk", "role": "agent"});
    let (_, minted) = old.call("POST", "/v1/tokens", "admin-secret", Some(desk)).await;
    let promised = load(&old, &provider).await;

    let arguments = ["export", "--output", "backup.ndjson", "--format", "json"];
    let exported = result(&run_to_end(old.folder.path(), &arguments));
    assert_eq!((&exported["running"], &exported["engine"]), (&json!(true), &json!("sled")));
    // What leaves after the backup is in the provider's list, and nowhere in the backup.
    assert_eq!(provider.arrived(ANNA).await.len(), 0, "everything waited");
    relieve(&provider).await;
    provider.until_arrived(ANNA, 2).await;
    old.kill();

    let backup = old.folder.path().join("backup.ndjson");
    let (new, imported) = Daemon::start_from(&setup(&provider, "fjall"), &backup).await;
    assert_eq!((&imported["sha256"], &imported["counts"]), (&exported["sha256"], &exported["counts"]));
    assert!(imported["may_have_left"].as_u64().unwrap() > 2, "{imported}");
    provider.calls_back(&new);
    for (number, texts) in &promised {
        arrived_once_in_order(&provider.until_arrived(number, texts.len()).await, texts);
    }
    // Conversations, consent and access are what they were.
    let anna = new.customer(ANNA).await;
    let talk = new.get(&format!("/v1/customers/{anna}/sessions/current/messages?limit=100")).await;
    assert_eq!(talk.as_array().unwrap().len(), 13);
    let cleo = new.customer(CLEO).await;
    assert_eq!(new.get(&format!("/v1/customers/{cleo}")).await["unsubscribed"], true);
    let secret = minted["secret"].as_str().unwrap();
    assert_eq!(new.call("GET", "/v1/customers", secret, None).await.0, 200);
    provider.text(ANNA, BRAND, "Are you still there?").await;
    let talk = new.get(&format!("/v1/customers/{anna}/sessions/current/messages?limit=1")).await;
    assert_eq!(talk[0]["content"], "Are you still there?");
    // Nothing comes afterwards.
    for (number, texts) in &promised {
        arrived_once_in_order(&provider.arrived(number).await, texts);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_nobody_works_with_is_moved_as_it_is() {
    is_moved_as_it_is("sled", "fjall").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_moves_to_postgresql_and_back() {
    is_moved_as_it_is("sled", "postgres").await;
    is_moved_as_it_is("postgres", "sled").await;
}

async fn is_moved_as_it_is(from: &str, to: &str) {
    let provider = Provider::start().await;
    let mut old = Daemon::start(&setup(&provider, from)).await;
    provider.calls_back(&old);
    let promised = load(&old, &provider).await;
    assert_eq!(old.terminate().await, Some(0));
    let exported = result(&run_to_end(old.folder.path(), &["export", "-o", "moved", "--format", "json"]));
    assert_eq!(exported["running"], false);
    relieve(&provider).await;
    let (new, imported) = Daemon::start_from(&setup(&provider, to), &old.folder.path().join("moved")).await;
    assert_eq!((&imported["sha256"], &imported["counts"]), (&exported["sha256"], &exported["counts"]));
    assert_eq!(imported["may_have_left"], 0);
    provider.calls_back(&new);
    for (number, texts) in &promised {
        arrived_once_in_order(&provider.until_arrived(number, texts.len()).await, texts);
    }
    let anna = new.customer(ANNA).await;
    let talk =
        new.get(&format!("/v1/customers/{anna}/sessions/current/messages?limit=1&expand=delivery")).await;
    // It was never in doubt.
    assert_eq!(talk[0]["delivery"]["attempts"].as_array().unwrap().len(), 1, "{talk}");
}

/// A supervisor starts it again two seconds later, and it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_between_a_daemons_death_and_its_next_start_sends_nothing_twice() {
    let provider = Provider::start().await;
    let mut old = Daemon::start(&setup(&provider, "sled")).await;
    provider.calls_back(&old);
    let promised = load(&old, &provider).await;
    old.kill();
    let exported = result(&run_to_end(old.folder.path(), &["export", "-o", "between", "--format", "json"]));
    assert_eq!(exported["running"], true, "it may go on");
    relieve(&provider).await;
    old.start_again().await;
    for (number, texts) in &promised {
        provider.until_arrived(number, texts.len()).await;
    }
    old.kill();
    let (new, imported) =
        Daemon::start_from(&setup(&provider, "fjall"), &old.folder.path().join("between")).await;
    assert!(imported["may_have_left"].as_u64().unwrap() >= 22, "{imported}");
    for (number, texts) in &promised {
        let customer = new.customer(number).await;
        let talk = new.all_messages(&customer).await;
        for message in talk.iter().filter(|message| message["sender_role"] == "agent") {
            new.delivery(message["id"].as_str().unwrap(), &["sent", "delivered"]).await;
        }
        arrived_once_in_order(&provider.arrived(number).await, texts);
    }
}

/// A folder with a stopped daemon's store, and an export of it.
async fn stopped() -> Daemon {
    let provider = Provider::start().await;
    let mut daemon = Daemon::start(&setup(&provider, "sled")).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    assert_eq!(daemon.terminate().await, Some(0));
    result(&run_to_end(daemon.folder.path(), &["export", "--output", "backup", "--format", "json"]));
    daemon
}

fn import_into(folder: &Path, store: &str, file: &str, stdin: Option<&[u8]>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_switchboard"))
        .args(["import", file])
        .current_dir(folder)
        .env("SWITCHBOARD__STORE__PATH", store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused before it has read all of it.
    child.stdin.take().unwrap().write_all(stdin.unwrap_or_default()).ok();
    child.wait_with_output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_whole_file_is_imported_and_only_into_an_empty_store() {
    let daemon = stopped().await;
    let folder = daemon.folder.path();
    let whole = std::fs::read(folder.join("backup")).unwrap();
    let changed = String::from_utf8(whole.clone()).unwrap().replacen("Hey", "Hay", 1);
    std::fs::write(folder.join("changed"), changed).unwrap();
    std::fs::write(folder.join("half"), &whole[..whole.len() / 2]).unwrap();
    for (file, words) in [("changed", "checksum"), ("half", "breaks off"), ("config.toml", "line 1")] {
        let refused = run_to_end(folder, &["import", "--verify", file]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(said(&refused).contains(words) && said(&refused).contains(file), "{}", said(&refused));
        let refused = import_into(folder, "new", file, None);
        assert_eq!(refused.status.code(), Some(1));
        assert!(!folder.join("new").exists(), "nothing is touched before the file is known to be whole");
    }
    assert_eq!(run_to_end(folder, &["import", "--verify", "backup"]).status.code(), Some(0));
    let refused = run_to_end(folder, &["import", "backup"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("not empty") && said(&refused).contains("new folder"),
        "{}",
        said(&refused)
    );
    // A pipe is read once only: what breaks off in the middle leaves half a store, which says so.
    let refused = import_into(folder, "new", "-", Some(&whole[..whole.len() - 10]));
    assert!(
        said(&refused).contains("breaks off") && said(&refused).contains("/new, and import again"),
        "{}",
        said(&refused)
    );
    let refused = import_into(folder, "new", "-", Some(&whole));
    assert!(said(&refused).contains("half of one"), "{}", said(&refused));
    std::fs::remove_dir_all(folder.join("new")).unwrap();
    let imported = import_into(folder, "new", "-", Some(&whole));
    assert_eq!(imported.status.code(), Some(0), "{}", said(&imported));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_written_to_a_pipe_or_to_a_file_of_its_owners_alone() {
    let daemon = stopped().await;
    let folder = daemon.folder.path();
    let piped = run_to_end(folder, &["export"]);
    assert!(said(&piped).contains("sha256"), "{}", said(&piped));
    let body = |file: &[u8]| String::from_utf8(file.to_vec()).unwrap().lines().skip(1).count();
    assert_eq!(body(&piped.stdout), body(&std::fs::read(folder.join("backup")).unwrap()));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(folder.join("backup")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

/// The store is held as by a daemon; what answers in its place breaks the export off after some lines.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_the_daemon_breaks_off_is_no_backup() {
    let daemon = stopped().await;
    let folder = daemon.folder.path();
    let whole = std::fs::read_to_string(folder.join("backup")).unwrap();
    let half: String = whole.lines().take(2).flat_map(|line| [line, "\n"]).collect();
    let rules = Policy {
        idle_after: std::time::Duration::from_secs(1),
        has_bot: false,
        forward_keywords: false,
        max_content_units: 1600,
        bot: switchboard::domain::conversation::BotPolicy::default(),
        attention: switchboard::domain::conversation::AttentionPolicy::default(),
    };
    let held = EmbeddedStore::open_sled(&folder.join("data"), &SledOptions::default(), rules).unwrap();
    let router = Router::new()
        .route("/v1/export", get(|| async move { ([(CONTENT_TYPE, "application/x-ndjson")], half) }));
    let listener = tokio::net::TcpListener::bind(daemon.url.trim_start_matches("http://")).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let folder = folder.to_owned();
    let at = folder.clone();
    let refused =
        tokio::task::spawn_blocking(move || run_to_end(&at, &["export", "--output", "new"])).await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("breaks off at line 2"), "{}", said(&refused));
    assert!(!folder.join("new").exists() && !folder.join("new.partial").exists());
    held.close().await.unwrap();
}
