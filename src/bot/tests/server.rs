//! A real HTTP server in the place of a bot, or of an endpoint: answers as the test says, and keeps what it was sent.
#![expect(clippy::disallowed_methods, reason = "the server's task is aborted when the test drops it")]

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One call.
#[derive(Clone)]
pub struct Call {
    pub path: String,
    pub headers: HeaderMap,
    pub body: bytes::Bytes,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Reply = Box<dyn Fn(usize) -> Response + Send + Sync>;

struct Inner {
    calls: Mutex<Vec<Call>>,
    reply: Reply,
}

pub struct Server {
    /// Without a path.
    pub url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers any POST with what `reply` makes for the call of that number, from 0.
    pub async fn start(reply: impl Fn(usize) -> Response + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner { calls: Mutex::default(), reply: Box::new(reply) });
        let app = axum::Router::new().fallback(take).with_state(Arc::clone(&inner));
        let (url, listener) = listen().await;
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inner, task }
    }

    /// Writes these bytes in answer to whatever it is sent, and closes the connection.
    pub async fn breaking_off_after(bytes: &'static str) -> Self {
        let (url, listener) = listen().await;
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = vec![0; 64 * 1024];
                let _any = stream.read(&mut heard).await;
                let _any = stream.write_all(bytes.as_bytes()).await;
                let _any = stream.shutdown().await;
            }
        });
        let inner = Inner { calls: Mutex::default(), reply: Box::new(|_| status(500)) };
        Self { url, inner: Arc::new(inner), task }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.lock().unwrap().clone()
    }
}

/// An address with somebody, or as soon as the listener is dropped nobody, behind it.
pub async fn listen() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

async fn take(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut calls = inner.calls.lock().unwrap();
    calls.push(Call { path: parts.uri.path().to_owned(), headers: parts.headers, body });
    (inner.reply)(calls.len() - 1)
}

pub fn status(code: u16) -> Response {
    (StatusCode::from_u16(code).unwrap(), "hush-body").into_response()
}

/// A client as the bots and the endpoints are given one.
pub fn client() -> reqwest::Client {
    // Another test may have installed it first, which is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.retry(reqwest::retry::never()).no_proxy().build().unwrap()
}
