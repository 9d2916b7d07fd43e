//! The command line, where something is not as it should be: what it says, what it leaves alone, and how it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::fixture::{ANNA, BRAND, Daemon, Provider, Setup, client, run_to_end};

/// No disk has so much.
const TOO_MUCH: (&str, &str) = ("SWITCHBOARD__STORE__MIN_FREE", "900000GB");

fn run(folder: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.args(arguments).envs(env.iter().copied()).current_dir(folder).output().unwrap()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn answer(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `check` found of the store.
fn store_found(output: &Output) -> Value {
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let is_store = |finding: &&Value| finding["what"].as_str().unwrap().starts_with("store ");
    findings.iter().find(is_store).unwrap().clone()
}

/// A folder with a stopped daemon's store, with a customer in it.
async fn stopped() -> (Provider, Daemon) {
    let provider = Provider::start().await;
    let bot = "kind = \"none\"".into();
    let mut daemon = Daemon::start(&Setup { bot, ..Setup::new(&provider.url) }).await;
    provider.calls_back(&daemon);
    provider.text(ANNA, BRAND, "Hey").await;
    assert_eq!(daemon.terminate().await, Some(0));
    (provider, daemon)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_reads_makes_no_store_and_leaves_a_good_backup_alone() {
    let (_provider, daemon) = stopped().await;
    let exported = run_to_end(daemon.folder.path(), &["export", "--output", "backup"]);
    let from = daemon.folder.path().canonicalize().unwrap().join("data");
    assert!(answer(&exported).contains(from.to_str().unwrap()), "{}", answer(&exported));
    let backup = daemon.folder.path().join("backup");
    let before = std::fs::read(&backup).unwrap();

    // Where cron works, and not the daemon.
    let elsewhere = tempfile::tempdir().unwrap();
    let config = daemon.folder.path().join("config.toml");
    let common = ["--config", config.to_str().unwrap()];
    let id = uuid::Uuid::nil().to_string();
    let commands: [&[&str]; 3] =
        [&["export", "--output", backup.to_str().unwrap()], &["token", "list"], &["token", "revoke", &id]];
    let there = elsewhere.path().canonicalize().unwrap().join("data");
    for command in commands {
        let said = complaint(&run_to_end(elsewhere.path(), &[&common, command].concat()));
        assert!(said.contains(&format!("there is no store in {}", there.display())), "{said}");
        assert!(said.contains("store.path") && said.contains("working directory"), "{said}");
    }
    let checked = run_to_end(elsewhere.path(), &[&common[..], &["check", "--format", "json"]].concat());
    let found = store_found(&checked);
    assert_eq!(found["what"], format!("store {}", there.display()));
    assert!(found["detail"].as_str().unwrap().contains("there is no store"), "{found}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing was made");
    assert_eq!(std::fs::read(&backup).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_token_is_made_before_the_first_start() {
    let provider = Provider::start().await;
    let mut daemon =
        Daemon::start(&Setup { bot: "kind = \"none\"".into(), ..Setup::new(&provider.url) }).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let env = [("SWITCHBOARD__STORE__PATH", "new")];
    let made = run(daemon.folder.path(), &["token", "new", "desk", "--role", "agent"], &env);
    assert_eq!(made.status.code(), Some(0));
    let listed = run(daemon.folder.path(), &["token", "list"], &env);
    assert!(answer(&listed).contains("desk"), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_did_not_begin_says_that_the_store_was_not_touched() {
    let (_provider, daemon) = stopped().await;
    let folder = daemon.folder.path();
    assert_eq!(run_to_end(folder, &["export", "--output", "backup"]).status.code(), Some(0));
    for env in [&[][..], &[TOO_MUCH]] {
        let said = complaint(&run(folder, &["import", "backup"], env));
        assert!(said.contains("not touched") && !said.contains("remove"), "{said}");
    }
    let said = complaint(&run(folder, &["import", "backup"], &[TOO_MUCH]));
    assert!(said.contains("make room") && said.contains("bytes left"), "{said}");
    let again = run_to_end(folder, &["export", "--format", "json", "--output", "again"]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["counts"]["customer"], 1, "the store is as good as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_refuses_everything_is_not_good() {
    let (_provider, daemon) = stopped().await;
    let folder = daemon.folder.path();
    let good = run_to_end(folder, &["check", "--format", "json"]);
    assert_eq!((good.status.code(), &store_found(&good)["good"]), (Some(0), &json!(true)));
    let bad = run(folder, &["check", "--format", "json"], &[TOO_MUCH]);
    let found = store_found(&bad);
    assert_eq!((bad.status.code(), &found["good"]), (Some(1), &json!(false)));
    let detail = found["detail"].as_str().unwrap();
    assert!(detail.contains("bytes left") && detail.contains("keeps 966367641600000 free"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn recovering_says_what_is_really_wrong() {
    let provider = Provider::start().await;
    let bot = "kind = \"none\"".into();
    let mut daemon = Daemon::start(&Setup { bot, ..Setup::new(&provider.url) }).await;
    let folder = daemon.folder.path().to_owned();
    let without = "only a running daemon";
    for name in ["nowhere", "../../v1/export", "main/recover?"] {
        let unknown = run_to_end(&folder, &["recover", "--channel", name]);
        assert_eq!(unknown.status.code(), Some(2));
        let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
        assert!(said.contains(name) && said.contains("there is: main"), "{said}");
    }
    // A configuration that the daemon was not started with.
    let env = [("SWITCHBOARD__CHANNELS__0__NAME", "second")];
    let refused = run(&folder, &["recover"], &env);
    assert!(complaint(&refused).contains("1 of the channels"), "{refused:?}");
    assert!(answer(&refused).contains("404") && !answer(&refused).contains(without), "{refused:?}");

    provider.faults(json!({"reads_failed": 1.0})).await;
    let refused = run_to_end(&folder, &["recover"]);
    assert!(answer(&refused).contains("503") && !answer(&refused).contains(without), "{refused:?}");

    std::fs::write(folder.join("wrong"), "wrong").unwrap();
    let refused = run_to_end(&folder, &["recover", "--admin-token-file", "wrong"]);
    assert!(answer(&refused).contains("401") && !answer(&refused).contains(without), "{refused:?}");

    let env = [("SWITCHBOARD__TOKENS__2__ROLE", "agent")];
    let said = complaint(&run(&folder, &["recover"], &env));
    assert!(said.contains("--admin-token-file") && !said.contains("stop"), "{said}");
    // Who wants the store itself may stop the daemon, too.
    let said = complaint(&run(&folder, &["export", "--output", "backup"], &env));
    assert!(said.contains("--admin-token-file") && said.contains("stopped first"), "{said}");

    assert_eq!(daemon.terminate().await, Some(0));
    let refused = run_to_end(&folder, &["recover"]);
    let said = answer(&refused);
    assert!(
        said.contains(without) && said.contains("no daemon answers") && !said.contains("store"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulator_by_itself_has_the_phone_with_all_that_belongs_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    std::fs::copy(config, folder.path().join("config.toml")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    command.args(["simulate", "--listen", "127.0.0.1:0"]);
    let mut simulator = command.current_dir(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(simulator.stdout.take().unwrap()).lines();
    let url =
        told.find_map(|line| Some(line.unwrap().split_once("as a page ")?.1.trim().to_owned())).unwrap();

    let get = async |path: &str| {
        let response = client().get(format!("{url}{path}")).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, page) = get("/").await;
    assert_eq!(status, 200);
    let belongs: Vec<&str> =
        page.split('"').filter(|word| word.starts_with("/simulator/")).chain(["/simulator/phones"]).collect();
    assert!(belongs.len() > 2, "{belongs:?}");
    for path in belongs {
        assert_eq!(get(path).await.0, 200, "{path}");
    }
    simulator.kill().unwrap();
    simulator.wait().unwrap();
}
