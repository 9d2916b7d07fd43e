//! The servers that are measured, each a process of its own: the daemon, Kannel's two, and the bare handler.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::calls::AGENT;
use crate::signed::{ACCOUNT, AUTH_TOKEN, NUMBER, PUBLIC_URL};

/// A process that ends with its handle.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    pub fn kill(&mut self) {
        self.0.kill().ok();
        self.0.wait().unwrap();
    }

    pub fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let kib = |name: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Memory { resident: kib("VmRSS:") / 1024.0, peak: kib("VmHWM:") / 1024.0 }
    }
}

/// In MiB.
#[derive(Clone, Copy)]
pub struct Memory {
    pub resident: f64,
    pub peak: f64,
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for_port(port: u16) {
    for _ in 0..6_000 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing listens on port {port}");
}

fn wait_until_ready(port: u16) {
    let call = b"GET /readyz HTTP/1.1\r\nhost: bench.example\r\n\r\n";
    for _ in 0..60_000 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            let status =
                crate::load::on_one_thread(async { crate::load::Connection::to(port).call(call).await });
            if status == 200 {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the daemon on port {port} is not ready");
}

/// What of the configuration is not the same for all.
#[derive(Clone)]
pub struct Setup {
    pub engine: &'static str,
    pub provider: u16,
    pub bot: bool,
    pub pace: &'static str,
    pub max_in_flight: usize,
}

impl Setup {
    /// Everything may leave at once.
    pub fn of(engine: &'static str, provider: u16) -> Self {
        Self { engine, provider, bot: false, pace: "none", max_in_flight: 128 }
    }
}

pub struct Daemon {
    pub process: Process,
    pub port: u16,
    pub home: TempDir,
}

impl Daemon {
    pub fn start(setup: &Setup) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), setup)
    }

    pub fn start_in(home: TempDir, setup: &Setup) -> Self {
        let port = free_port();
        std::fs::write(home.path().join("config.toml"), config(setup, port)).unwrap();
        let built = env!("CARGO_BIN_EXE_switchboard").into();
        let mut command = Command::new(std::env::var("SWITCHBOARD_BINARY").unwrap_or(built));
        command.current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let process = Process(command.spawn().unwrap());
        wait_until_ready(port);
        Self { process, port, home }
    }

    /// Ended as by a crash, and its folder.
    pub fn kill(self) -> TempDir {
        let Self { process, home, .. } = self;
        drop(process);
        home
    }
}

fn config(setup: &Setup, port: u16) -> String {
    let Setup { engine, provider, bot, pace, max_in_flight } = setup;
    let bot = if *bot {
        format!(
            "kind = \"webhook\"\nurl = \"http://127.0.0.1:{provider}/turns\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\nloop_guard = \"none\""
        )
    } else {
        "kind = \"none\"".to_owned()
    };
    format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"{PUBLIC_URL}\"\napi_rate = \"1000000/s\"\n\
         [store]\nengine = \"{engine}\"\npath = \"data\"\n[log]\nlevel = \"error\"\n[bot]\n{bot}\n\
         [sending]\nmax_in_flight = {max_in_flight}\npace = {{ number = \"{pace}\", account = \"none\", destinations = {{}} }}\n\
         [[tokens]]\nname = \"bench\"\nrole = \"admin\"\nsecret = \"{AGENT}\"\n\
         [[channels]]\nname = \"main\"\nprovider = \"twilio\"\naccount_sid = \"{ACCOUNT}\"\nauth_token = \"{AUTH_TOKEN}\"\n\
         numbers = [\"{NUMBER}\"]\napi_base = \"http://127.0.0.1:{provider}\"\nrecover = false\n"
    )
}

/// Kannel 1.4 with its HTTP SMSC of the generic kind, keeping messages in one file (which it does not flush to the disk).
pub struct Kannel {
    pub bearerbox: Process,
    pub smsbox: Process,
    /// Where its SMSC listens for texts and receipts.
    pub smsc: u16,
    /// Where texts are sent by.
    pub sendsms: u16,
    _home: TempDir,
}

impl Kannel {
    pub fn start(app: u16, store: &'static str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let [admin, boxes, smsc, sendsms] = [free_port(), free_port(), free_port(), free_port()];
        let file = home.path().join("kannel.conf");
        if store == "spool" {
            std::fs::create_dir(home.path().join("store")).unwrap();
        }
        std::fs::write(&file, kannel_config(home.path(), store, app, [admin, boxes, smsc, sendsms])).unwrap();
        let start = |program: &str| {
            let mut command = Command::new(format!("/usr/sbin/{program}"));
            command.arg(&file).current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::null());
            Process(
                command.spawn().unwrap_or_else(|_| panic!("{program} is not there: apt-get install kannel")),
            )
        };
        let bearerbox = start("bearerbox");
        wait_for_port(boxes);
        wait_for_port(smsc);
        let smsbox = start("smsbox");
        wait_for_port(sendsms);
        // What connects the two is not seen from outside.
        std::thread::sleep(Duration::from_millis(500));
        Self { bearerbox, smsbox, smsc, sendsms, _home: home }
    }
}

fn kannel_config(home: &Path, store: &str, app: u16, [admin, boxes, smsc, sendsms]: [u16; 4]) -> String {
    let home = home.display();
    let groups: [&[(&str, String)]; 5] = [
        &[
            ("group", "core".into()),
            ("admin-port", admin.to_string()),
            ("admin-password", "bench".into()),
            ("admin-interface", "127.0.0.1".into()),
            ("smsbox-port", boxes.to_string()),
            ("smsbox-interface", "127.0.0.1".into()),
            ("log-file", format!("\"{home}/bearerbox.log\"")),
            ("log-level", "2".into()),
            ("dlr-storage", "internal".into()),
            ("store-type", store.into()),
            ("store-location", format!("\"{home}/store\"")),
        ],
        &[
            ("group", "smsc".into()),
            ("smsc", "http".into()),
            ("smsc-id", "bench".into()),
            ("system-type", "generic".into()),
            ("port", smsc.to_string()),
            ("send-url", format!("\"http://127.0.0.1:{app}/g?from=%P&to=%p&text=%b\"")),
            ("status-success-regex", "\"^ok\"".into()),
            ("generic-foreign-id-regex", "\"id=([0-9]+)\"".into()),
            ("max-pending-submits", "10".into()),
        ],
        &[
            ("group", "smsbox".into()),
            ("bearerbox-host", "127.0.0.1".into()),
            ("sendsms-port", sendsms.to_string()),
            ("sendsms-interface", "127.0.0.1".into()),
            ("log-file", format!("\"{home}/smsbox.log\"")),
            ("log-level", "2".into()),
            ("max-pending-requests", "512".into()),
        ],
        &[
            ("group", "sendsms-user".into()),
            ("username", "u".into()),
            ("password", "p".into()),
            ("concatenation", "true".into()),
            ("max-messages", "10".into()),
        ],
        &[
            ("group", "sms-service".into()),
            ("keyword", "default".into()),
            ("catch-all", "yes".into()),
            ("get-url", format!("\"http://127.0.0.1:{app}/app?from=%p&to=%P&text=%a\"")),
            ("max-messages", "0".into()),
            ("omit-empty", "true".into()),
        ],
    ];
    let group = |group: &&[(&str, String)]| {
        let lines: Vec<_> = group.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        lines.join("\n") + "\n\n"
    };
    groups.iter().map(group).collect()
}

/// A handler that takes the same call and answers, and does nothing else: what HTTP costs on this machine.
pub struct Bare {
    _process: Process,
    pub port: u16,
}

/// The argument that makes this program the bare server.
const BARE: &str = "--bare-server";

impl Bare {
    pub fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let process = Process(command.args([BARE, &port.to_string()]).spawn().unwrap());
        wait_for_port(port);
        Self { _process: process, port }
    }

    /// If this process is to be it, it is, for ever.
    pub fn be_if_asked() {
        let arguments: Vec<String> = std::env::args().collect();
        let [_, bare, port] = arguments.as_slice() else { return };
        if bare != BARE {
            return;
        }
        let router = axum::Router::new().route("/v1/receive/main", axum::routing::post(take));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse().unwrap())).await.unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = hyper_util::service::TowerToHyperService::new(router.clone());
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(hyper_util::rt::TokioIo::new(stream), service),
                );
            }
        });
    }
}

async fn take(body: axum::body::Bytes) -> ([(&'static str, &'static str); 1], &'static str) {
    std::hint::black_box(body);
    ([("content-type", "text/xml")], r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#)
}
