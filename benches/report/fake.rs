//! What stands on the other side: a provider that takes texts (Twilio's way, and the way of Kannel's generic HTTP SMSC), a bot
//! that answers at once, and an application that is called by Kannel. One thread; keeps what came, and when.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;

/// A text that the provider took.
#[derive(Clone)]
pub struct Taken {
    pub at: Instant,
    pub id: String,
    pub to: String,
    /// Where its receipts go, if whoever sent it said so.
    pub callback: String,
}

/// Someone who waits for what comes to a number, or from it.
pub type Told = UnboundedSender<Came>;

pub enum Came {
    /// The bot was asked.
    Turn(Instant),
    Text(Taken),
}

#[derive(Default)]
pub struct Seen {
    pub taken: Mutex<Vec<Taken>>,
    /// Calls of Kannel's application.
    pub called: AtomicU64,
    /// How long the provider thinks, in microseconds.
    delay_us: AtomicU64,
    waiting: Mutex<HashMap<String, Told>>,
    ids: AtomicU64,
}

pub struct Fake {
    pub port: u16,
    pub seen: Arc<Seen>,
}

impl Fake {
    pub fn start() -> Self {
        let (seen, listener) = (Arc::<Seen>::default(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&seen);
        let serve = move || {
            super::load::on_one_thread(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    tokio::task::spawn_local(serve(stream, Arc::clone(&shared)));
                }
            });
        };
        std::thread::Builder::new().name("fake".into()).spawn(serve).unwrap();
        Self { port, seen }
    }

    /// How long the provider thinks from now on.
    pub fn thinks(&self, delay: Duration) {
        self.seen.delay_us.store(u64::try_from(delay.as_micros()).unwrap(), Ordering::Relaxed);
    }

    pub fn taken(&self) -> usize {
        self.seen.taken.lock().unwrap().len()
    }

    pub fn take_all(&self) -> Vec<Taken> {
        std::mem::take(&mut self.seen.taken.lock().unwrap())
    }

    pub fn forget_who_waits(&self) {
        self.seen.waiting.lock().unwrap().clear();
    }
}

impl Seen {
    pub fn wait_for(&self, number: &str, told: Told) {
        self.waiting.lock().unwrap().insert(number.to_owned(), told);
    }

    fn tell(&self, number: &str, came: Came) {
        if let Some(told) = self.waiting.lock().unwrap().get(number) {
            told.send(came).ok();
        }
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Seen>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut read = 0;
    loop {
        let Some((head, length)) = whole(&buffer[..read]) else {
            match stream.read(&mut buffer[read..]).await {
                Ok(more) if more > 0 => read += more,
                _ => return,
            }
            continue;
        };
        let (answer, delay) = answer(&buffer[..head], &buffer[head..length], &seen);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        buffer.copy_within(length..read, 0);
        read -= length;
    }
}

/// Where the head ends, and where the request does, once it is all there.
fn whole(read: &[u8]) -> Option<(usize, usize)> {
    let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let mut length = 0;
    for line in read[..head].split(|byte| *byte == b'\n') {
        if line.len() > 15 && line[..15].eq_ignore_ascii_case(b"content-length:") {
            length = str::from_utf8(line[15..].trim_ascii()).unwrap().parse().unwrap();
        }
    }
    (read.len() >= head + length).then_some((head, head + length))
}

fn field(form: &[u8], name: &str) -> String {
    let mut pairs = form_urlencoded::parse(form);
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn answer(head: &[u8], body: &[u8], seen: &Seen) -> (String, Duration) {
    let line = str::from_utf8(head).unwrap().lines().next().unwrap();
    let path = line.split(' ').nth(1).unwrap();
    let delay = Duration::from_micros(seen.delay_us.load(Ordering::Relaxed));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let ok = |status: &str, kind: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    if path == "/turns" {
        let from = number_in(body);
        seen.tell(&from, Came::Turn(Instant::now()));
        return (
            ok(
                "200 OK",
                "application/json",
                r#"{"messages":[{"content":"as much as a bot has to say to that"}]}"#,
            ),
            Duration::ZERO,
        );
    }
    if path.ends_with("/Messages.json") && line.starts_with("POST") {
        let number = seen.ids.fetch_add(1, Ordering::Relaxed);
        let taken = Taken {
            at: Instant::now(),
            id: format!("SM{number:032x}"),
            to: field(body, "To"),
            callback: field(body, "StatusCallback"),
        };
        let answer = format!(r#"{{"sid":"{}","from":"+15550001111","status":"queued"}}"#, taken.id);
        seen.tell(&taken.to, Came::Text(taken.clone()));
        seen.taken.lock().unwrap().push(taken);
        return (ok("201 Created", "application/json", &answer), delay);
    }
    match path {
        "/g" => {
            let id = (1 + seen.ids.fetch_add(1, Ordering::Relaxed)).to_string();
            let taken =
                Taken { at: Instant::now(), to: field(query.as_bytes(), "to"), callback: String::new(), id };
            let answer = format!("ok id={}", taken.id);
            seen.taken.lock().unwrap().push(taken);
            (ok("200 OK", "text/plain", &answer), delay)
        }
        "/app" | "/dlr" => {
            seen.called.fetch_add(1, Ordering::Relaxed);
            (ok("200 OK", "text/plain", ""), Duration::ZERO)
        }
        _ => (
            ok("200 OK", "application/json", r#"{"friendly_name":"bench","status":"active","messages":[]}"#),
            Duration::ZERO,
        ),
    }
}

/// The customer's number in a turn; a search, since reading all of it would be the bot's work.
fn number_in(body: &[u8]) -> String {
    let text = str::from_utf8(body).unwrap_or_default();
    let from = text.find(r#""phone_number":""#).map_or("", |at| &text[at + 16..]);
    from.split('"').next().unwrap_or_default().to_owned()
}
