//! For tests: an HTTP server on a free local port that answers each request with the next of its scripted acts, and
//! keeps what it was sent. It also does what no well-behaved server does: break off.

#![expect(clippy::disallowed_methods, reason = "a test owns what it starts")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::{Client, client_builder};
use super::config::{TwilioConfig, tests::config};

#[derive(Clone, Debug)]
pub enum Act {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Reads the request, then closes the connection.
    HangUp,
    /// Announces a longer body than it sends.
    BreakOff {
        status: u16,
    },
    /// Reads the request and never answers.
    Silence,
}

impl Act {
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn answer_with(status: u16, headers: &[(&'static str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::Answer { status, headers, body: body.into() }
    }
}

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub connection: usize,
    /// Method, target, version.
    pub line: String,
    pub head: String,
    pub body: String,
}

pub struct ScriptedServer {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl ScriptedServer {
    pub async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acts = Arc::new(Mutex::new(acts.into_iter()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(serve(stream, connection, Arc::clone(&acts), Arc::clone(&log)));
            }
        });
        Self { base, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

type Acts = Arc<Mutex<std::vec::IntoIter<Act>>>;

async fn serve(mut stream: TcpStream, connection: usize, acts: Acts, log: Arc<Mutex<Vec<Seen>>>) {
    while let Some(request) = read_request(&mut stream, connection).await {
        log.lock().unwrap().push(request);
        let act = acts.lock().unwrap().next().expect("the server was asked more often than scripted");
        match act {
            Act::Answer { status, headers, body } => {
                let headers: Vec<_> =
                    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let headers = headers.concat();
                let answer =
                    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            Act::HangUp => return,
            Act::BreakOff { status } => {
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\n\r\n{{\"si");
                stream.write_all(answer.as_bytes()).await.unwrap();
                return;
            }
            Act::Silence => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream, connection: usize) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        read_more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let end = head_end + length.parse::<usize>().unwrap();
    while bytes.len() < end {
        read_more(stream, &mut bytes).await?;
    }
    let line = head.lines().next().unwrap().to_owned();
    Some(Seen { connection, line, head, body: String::from_utf8(bytes[head_end..end].to_vec()).unwrap() })
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    match stream.read(&mut chunk).await {
        Ok(0) | Err(_) => None,
        Ok(count) => {
            bytes.extend_from_slice(&chunk[..count]);
            Some(())
        }
    }
}

/// A client of the server at that base, with TLS ready though it is not used.
pub fn client(api_base: &str) -> Client {
    client_of(&config(api_base))
}

pub fn client_of(config: &TwilioConfig) -> Client {
    // An error says that another test was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::new(config, client_builder(reqwest::Client::builder()).build().unwrap())
}
