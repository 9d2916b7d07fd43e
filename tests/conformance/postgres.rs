//! Stores in a PostgreSQL database.

use std::sync::OnceLock;
use std::thread;

use switchboard::domain::conversation::Policy;
use switchboard::store::postgres::{PostgresOptions, PostgresStore};
use tokio::runtime::{Builder, Runtime};

#[path = "../postgres/server.rs"]
mod server;

/// Where the stores' own tasks run, however long the test's runtime lives.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// The store of that name; made if it is not there.
pub fn open(name: &str, rules: Policy) -> PostgresStore {
    open_at(&server::schema(name), rules)
}

/// The same, for another user.
pub fn open_as(name: &str, user: &str, rules: Policy) -> PostgresStore {
    open_at(&format!("{} user={user}", server::schema(name)), rules)
}

/// Where the store of that name is.
pub use server::schema;

pub fn execute(name: &str, sql: &str) {
    server::execute(&schema(name), sql);
}

pub fn select(name: &str, sql: &str) -> Vec<String> {
    server::select(&schema(name), sql)
}

fn open_at(address: &str, rules: Policy) -> PostgresStore {
    let database = address.parse().unwrap();
    let options = PostgresOptions { database, tls: server::tls(), writers: 2, readers: 2 };
    let opened = async { PostgresStore::open(&options, rules).await.unwrap() };
    // A thread of its own: a runtime may not wait for another one.
    thread::scope(|scope| scope.spawn(|| runtime().block_on(opened)).join()).unwrap()
}
