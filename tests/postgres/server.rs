//! The PostgreSQL server of a test program: one for all of its tests, started with the first that asks for it, and gone with the
//! program. Each store has a schema of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use tokio::runtime::Builder;
use tokio_util::task::TaskTracker;

/// Ends when this process does: it then hears nothing more of it.
struct Server {
    address: String,
    pipes: Mutex<Pipes>,
}

struct Pipes {
    _process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

static ON_DISK: AtomicBool = AtomicBool::new(false);

/// The server that is started waits for the disk, as in production.
#[allow(dead_code, reason = "not every program measures")]
pub fn wait_for_the_disk() {
    ON_DISK.store(true, Ordering::SeqCst);
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/serve");
        let mut command = Command::new(script);
        if ON_DISK.load(Ordering::SeqCst) {
            command.env("FSYNC", "on").env("SHARED_BUFFERS", "1GB");
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        let mut from = BufReader::new(process.stdout.take().unwrap());
        from.read_line(&mut address).unwrap();
        assert!(!address.is_empty(), "no PostgreSQL server could be started; it says why above");
        let to = process.stdin.take().unwrap();
        let pipes = Mutex::new(Pipes { _process: process, to, from });
        Server { address: address.trim().to_owned(), pipes }
    })
}

/// Starts it again: `restart` or `crash`. Blocks until it is back.
#[allow(dead_code, reason = "not every test program does so")]
pub fn start_again(how: &str) {
    let mut pipes = server().pipes.lock().unwrap();
    writeln!(pipes.to, "{how}").unwrap();
    let mut back = String::new();
    pipes.from.read_line(&mut back).unwrap();
    assert_eq!(back.trim(), how, "the server did not come back");
}

/// Where it listens on 127.0.0.1, also as localhost.
#[allow(dead_code, reason = "not every test program asks")]
pub fn port() -> u16 {
    part("port=").parse().unwrap()
}

/// The file with the certificate of who vouches for it.
#[allow(dead_code, reason = "not every test program asks")]
pub fn authority() -> String {
    format!("{}/ca.crt", part("host="))
}

/// A part of the address.
fn part(name: &str) -> &'static str {
    server().address.split(' ').find_map(|part| part.strip_prefix(name)).unwrap()
}

/// A connection string for a schema of that name, which is made if it is not there.
pub fn schema(name: &str) -> String {
    let address = &server().address;
    execute(address, &format!("CREATE SCHEMA IF NOT EXISTS \"{name}\""));
    format!("{address} options='-csearch_path=\"{name}\"'")
}

/// For a server that is not asked for a certificate.
#[allow(dead_code, reason = "not every program opens a store by itself")]
pub fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Runs statements, from whatever runtime.
pub fn execute(address: &str, sql: &str) {
    let executed = async {
        let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
        let moved = TaskTracker::new().spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        moved.await.unwrap().unwrap();
    };
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap().block_on(executed);
    thread::scope(|scope| scope.spawn(runtime).join()).unwrap();
}

/// The first column of what a statement gives, as texts.
#[allow(dead_code, reason = "not every test program asks")]
pub fn select(address: &str, sql: &str) -> Vec<String> {
    let selected = async {
        let (client, connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
        TaskTracker::new().spawn(connection);
        let rows = client.query(sql, &[]).await.unwrap();
        rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)).collect()
    };
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap().block_on(selected);
    thread::scope(|scope| scope.spawn(runtime).join()).unwrap()
}
