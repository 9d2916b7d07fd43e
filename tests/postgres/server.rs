//! The PostgreSQL server of a test program: one for all of its tests, started with the first that asks for it, and gone with the
//! program. Each store has a schema of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::Builder;
use tokio_util::task::TaskTracker;

/// Ends when this process does: it then hears nothing more of it.
struct Server {
    _process: Child,
    address: String,
}

/// Its connection string.
fn address() -> &'static str {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres/serve");
        let mut process = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(!address.is_empty(), "no PostgreSQL server could be started; it says why above");
        Server { _process: process, address: address.trim().to_owned() }
    });
    &server.address
}

/// A connection string for a schema of that name, which is made if it is not there.
pub fn schema(name: &str) -> String {
    let address = address();
    execute(address, &format!("CREATE SCHEMA IF NOT EXISTS \"{name}\""));
    format!("{address} options='-csearch_path=\"{name}\"'")
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
