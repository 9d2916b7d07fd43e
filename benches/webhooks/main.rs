//! How many customers' texts a daemon takes in a second, each durable before it is answered, and how long each takes: on sled, and
//! on PostgreSQL with one daemon and with two. Real daemons, signed webhooks over HTTP, and the load on the same machine.
//!
//! cargo bench --bench webhooks
//!
//! The set-ups take turns, round by round, so that whatever else the machine does falls on all of them; medians are given. `ROUNDS`
//! sets how many (3), `SECONDS` how long each (8), `CONNECTIONS` how many there are at once (64), `ENGINES` which set-ups,
//! separated by commas (sled,fjall,postgres,postgres2), `WRITERS` what `store.writers` says (1). PostgreSQL is started for it, with fsync on.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, prints, and measures time"
)]

use std::io::Write;
use std::net::TcpListener as StdListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[path = "../../tests/postgres/server.rs"]
mod postgres;
#[path = "../report/signed.rs"]
mod signed;

use signed::{ACCOUNT, AUTH_TOKEN, NUMBER, PUBLIC_URL};

/// Customers who text, at random.
const CUSTOMERS: u64 = 20_000;

struct Daemon {
    process: Child,
    port: u16,
    _home: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn start(store: &str) -> Daemon {
    let home = tempfile::tempdir().unwrap();
    let port = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"{PUBLIC_URL}\"\n\
         [store]\n{store}\n[log]\nlevel = \"error\"\n[bot]\nkind = \"none\"\n\
         [[channels]]\nname = \"main\"\nprovider = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\n\
         auth_token = \"{AUTH_TOKEN}\"\nnumbers = [\"{NUMBER}\"]\napi_base = \"http://127.0.0.1:9\"\nrecover = false\n"
    );
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    let process = process.current_dir(home.path()).stdout(Stdio::null()).spawn().unwrap();
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Daemon { process, port, _home: home }
}

/// Texts until the time is over; how long each took, in microseconds.
async fn customer(port: u16, next: Arc<AtomicU64>, until: Instant) -> Vec<u64> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    connection.set_nodelay(true).unwrap();
    let (mut took, mut answer) = (Vec::new(), vec![0; 4096]);
    while Instant::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = signed::text(&signed::customer(signed::mixed(number) % CUSTOMERS), number);
        let began = Instant::now();
        connection.write_all(&request).await.unwrap();
        let mut read = 0;
        loop {
            read += connection.read(&mut answer[read..]).await.unwrap();
            let text = String::from_utf8_lossy(&answer[..read]);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                assert!(head.starts_with("HTTP/1.1 200"), "{text}");
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() >= length.parse::<usize>().unwrap() {
                    break;
                }
            }
        }
        took.push(u64::try_from(began.elapsed().as_micros()).unwrap());
    }
    took
}

struct Round {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

fn round(setup: &str, number: u64, seconds: u64, connections: u64) -> Round {
    let daemons: Vec<Daemon> = match setup {
        "postgres" | "postgres2" => {
            let url = postgres::schema(&format!("bench_{setup}_{number}"));
            let writers = from_environment("WRITERS", 1);
            let store = format!("engine = \"postgres\"\nurl = '''{url}'''\nwriters = {writers}");
            (0..if setup == "postgres" { 1 } else { 2 }).map(|_| start(&store)).collect()
        }
        embedded => vec![start(&format!("engine = \"{embedded}\"\npath = \"data\""))],
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let next = Arc::new(AtomicU64::new(number << 40));
    let run = async |seconds: u64| {
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut customers = tokio::task::JoinSet::new();
        for place in 0..connections {
            let daemon = &daemons[usize::try_from(place).unwrap() % daemons.len()];
            customers.spawn(customer(daemon.port, Arc::clone(&next), until));
        }
        customers.join_all().await.concat()
    };
    let (mut took, lasted) = runtime.block_on(async {
        // The first seconds make the customers.
        run(3).await;
        let began = Instant::now();
        (run(seconds).await, began.elapsed())
    });
    took.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    let at = |share: usize| took[(took.len() - 1) * share / 100] as f64 / 1_000.0;
    #[expect(clippy::cast_precision_loss, reason = "a few digits are enough")]
    let per_second = took.len() as f64 / lasted.as_secs_f64();
    Round { per_second, p50_ms: at(50), p99_ms: at(99) }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    postgres::wait_for_the_disk();
    let (rounds, seconds) = (from_environment("ROUNDS", 3), from_environment("SECONDS", 8));
    let connections = from_environment("CONNECTIONS", 64);
    let setups = std::env::var("ENGINES").unwrap_or_else(|_| "sled,fjall,postgres,postgres2".into());
    let mut all: Vec<(&str, Vec<Round>)> = setups.split(',').map(|setup| (setup, Vec::new())).collect();
    for number in 1..=rounds {
        for (setup, done) in &mut all {
            done.push(round(setup, number, seconds, connections));
            let last = done.last().unwrap();
            println!(
                "round {number}, {setup}: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms",
                last.per_second, last.p50_ms, last.p99_ms
            );
            std::io::stdout().flush().unwrap();
        }
    }
    println!("\n{connections} connections, {rounds} rounds of {seconds} s, medians:");
    println!("| engine | texts a second | p50 ms | p99 ms |\n|---|---|---|---|");
    for (setup, done) in &all {
        let of = |value: fn(&Round) -> f64| median(done.iter().map(value).collect());
        println!(
            "| {setup} | {:.0} | {:.1} | {:.1} |",
            of(|round| round.per_second),
            of(|round| round.p50_ms),
            of(|round| round.p99_ms)
        );
    }
}
