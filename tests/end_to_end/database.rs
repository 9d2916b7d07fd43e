//! The way to the database: encrypted where that is asked for, and to nobody but the server that was meant.

use std::process::Output;

use serde_json::Value;

use crate::fixture::{Daemon, Provider, Setup, postgres, run_to_end};

/// A configuration whose database is asked for by that name, over TLS, as the authorities of `ca` vouch for it.
fn setup(provider: &Provider, host: &str, ca: Option<&str>) -> Setup {
    let port = postgres::port();
    let options = "options='-csearch_path=encrypted' application_name=encrypted";
    let url = format!("host={host} port={port} user=postgres dbname=postgres sslmode=require {options}");
    let ca = ca.map(|file| format!("\nca_file = '''{file}'''")).unwrap_or_default();
    Setup { engine: "postgres".into(), store: format!("url = \"{url}\"{ca}"), ..Setup::new(&provider.url) }
}

/// What `check` finds of that store.
fn check(setup: &Setup) -> (Output, Value) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), setup.config()).unwrap();
    let output = run_to_end(folder.path(), &["check", "--format", "json"]);
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found = findings.into_iter().find(|finding| finding["what"].as_str().unwrap().contains("database"));
    (output, found.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_speaks_in_secret_to_a_database_that_its_authority_vouches_for() {
    let provider = Provider::start().await;
    let setup = setup(&provider, "localhost", Some(&postgres::authority()));
    let address = postgres::schema("encrypted");
    let mut daemon = Daemon::start(&setup).await;
    let encrypted = "SELECT count(*)::text FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
        WHERE application_name = 'encrypted' AND ssl";
    let plain = encrypted.replace("AND ssl", "AND NOT ssl");
    let of = |sql| postgres::select(&address, sql)[0].parse::<u32>().unwrap();
    assert!(of(encrypted) > 0);
    assert_eq!(of(&plain), 0);
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_nobody_vouches_for_is_told_nothing() {
    let provider = Provider::start().await;
    let authority = postgres::authority();
    // The system does not know who signed it; and the authority vouches for another name.
    for (host, ca, because) in
        [("localhost", None, "UnknownIssuer"), ("127.0.0.1", Some(authority.as_str()), "not valid for name")]
    {
        let (output, found) = check(&setup(&provider, host, ca));
        assert_eq!(output.status.code(), Some(1), "{found}");
        let detail = found["detail"].as_str().unwrap();
        assert!(detail.contains("certificate") && detail.contains(because), "{detail}");
    }
}
