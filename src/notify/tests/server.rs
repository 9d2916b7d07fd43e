//! A real HTTP server in the place of an endpoint: answers as the test says, and keeps what it was sent.
#![expect(clippy::disallowed_methods, reason = "the server's task is aborted when the test drops it")]

use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::domain::event::{Event, What};
use crate::domain::time::Timestamp;
use crate::notify::Notice;

/// One call of the endpoint.
#[derive(Clone)]
pub struct Call {
    pub headers: HeaderMap,
    pub body: bytes::Bytes,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

type Reply = Box<dyn Fn() -> Response + Send + Sync>;

struct Inner {
    calls: Mutex<Vec<Call>>,
    reply: Reply,
}

pub struct Server {
    /// With a path that nobody is to see.
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
    pub async fn start(reply: impl Fn() -> Response + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Inner { calls: Mutex::default(), reply: Box::new(reply) });
        let app = axum::Router::new().fallback(take).with_state(Arc::clone(&inner));
        let (url, listener) = listen().await;
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inner, task }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.lock().unwrap().clone()
    }
}

/// An address with somebody, or as soon as the listener is dropped nobody, behind it.
pub async fn listen() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}/hush-path?key=hush", listener.local_addr().unwrap()), listener)
}

async fn take(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    inner.calls.lock().unwrap().push(Call { headers: parts.headers, body });
    (inner.reply)()
}

/// A client as the endpoints are given one.
pub fn client() -> reqwest::Client {
    // Another test may have installed it first, which is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    builder.retry(reqwest::retry::never()).no_proxy().build().unwrap()
}

/// With the session as it was then: nothing has changed since.
pub fn notice(what: What, body: &str) -> Notice {
    let session = match &what {
        What::Session { session, .. } => Some(session.as_ref().clone()),
        _ => None,
    };
    let event = Event { place: 7, at: Timestamp::from_millis(1_700_000_000_000), what };
    Notice { event, session, body: body.to_owned() }
}
