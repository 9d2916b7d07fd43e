//! The daemon: the real binary, with its store on the disk that is going to lose its power.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{ACCOUNT, BRAND, Client, TOKEN};

/// How long it may take to open its store.
const PATIENCE: Duration = Duration::from_secs(60);

/// Killed when dropped.
pub struct Daemon {
    child: Child,
    pub client: Client,
    log: PathBuf,
}

impl Daemon {
    /// Starts one on a store and waits until it is ready; the end of its log if it ends before.
    pub async fn start(room: &Path, engine: &str, disk: &Path) -> Result<Self, String> {
        let port = free_port();
        let file = room.join("config.toml");
        fs::write(&file, config(engine, &disk.join("data"), port)).unwrap();
        let log = room.join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_switchboard"))
            .arg("--config")
            .arg(file)
            .current_dir(room)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut daemon = Self { child, client: Client::of(port), log };
        daemon.until_ready().await?;
        Ok(daemon)
    }

    async fn until_ready(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(format!("it ended with {status}: {}", self.last_words()));
            }
            if self.client.is_ready().await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("it was not ready after {PATIENCE:?}: {}", self.last_words()))
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap();
        let last: Vec<_> = log.lines().rev().take(5).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets it end by itself.
    pub async fn terminate(mut self) {
        self.signal("TERM");
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the daemon does not stop: {}", self.last_words());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(pid).status().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be dead already, which is as well.
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

/// Whatever is sent is refused by a port where nobody listens, and tried again: so the store is written to, too.
fn config(engine: &str, store: &Path, port: u16) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
api_rate = "1000000/s"

[store]
engine = "{engine}"
path = "{store}"

[[channels]]
name = "main"
provider = "twilio"
account_sid = "{ACCOUNT}"
auth_token = "the-providers-auth-token"
numbers = ["{BRAND}"]
api_base = "http://127.0.0.1:1"
signature = "report"
pace = {{ number = "1000/s", account = "1000/s" }}

[bot]
kind = "none"

[[tokens]]
name = "desk"
role = "agent"
secret = "{TOKEN}"

[log]
level = "error"
"#,
        store = store.display()
    )
}

/// A port that nobody listens on, and that the system hands to nobody.
fn free_port() -> u16 {
    loop {
        let port = 10_000 + u16::try_from(getrandom::u32().unwrap() % 2_000).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
