//! The PostgreSQL server of these tests: one for all of them, started with the first. Each store has a schema of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use switchboard::domain::conversation::Policy;
use switchboard::store::postgres::{PostgresOptions, PostgresStore};
use tokio::runtime::{Builder, Runtime};

/// The server, which ends when this process does: it then hears nothing more of it.
struct Server {
    _process: Child,
    address: String,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/serve");
        let mut process = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(!address.is_empty(), "no PostgreSQL server could be started; it says why above");
        Server { _process: process, address: address.trim().to_owned() }
    })
}

/// Where the stores' own tasks run, however long the test's runtime lives.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

fn tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// The store of that name; made if it is not there.
pub fn open(name: &str, rules: Policy) -> PostgresStore {
    let opened = async {
        let mut database: tokio_postgres::Config = server().address.parse().unwrap();
        let (client, connection) = database.connect(tokio_postgres::NoTls).await.unwrap();
        tokio_util::task::TaskTracker::new().spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{name}\"")).await.unwrap();
        database.options(format!("-csearch_path=\"{name}\""));
        let options = PostgresOptions { database, tls: tls(), writers: 2, readers: 2 };
        PostgresStore::open(&options, rules).await.unwrap()
    };
    // A thread of its own: a runtime may not wait for another one.
    thread::scope(|scope| scope.spawn(|| runtime().block_on(opened)).join()).unwrap()
}
