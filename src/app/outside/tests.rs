//! The guard against real servers and odd spellings.
#![expect(clippy::disallowed_methods, reason = "the server's task is aborted when the test drops it")]

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

use super::*;
use crate::domain::causes;

const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

fn outside(allowed: &[&str]) -> Outside {
    // Another test may have installed it first, which is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    Outside::new(allowed.iter().map(|network| network.parse().unwrap()).collect(), ProxyUse::None)
}

struct Server {
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve() -> Server {
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/away", get(|| async { Redirect::temporary("/") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    Server { port, task: tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }) }
}

/// What comes of calling this machine by its name.
async fn called(allowed: &[&str], path: &str) -> Result<u16, String> {
    let server = serve().await;
    let url = format!("http://localhost:{}{path}", server.port);
    let client = outside(allowed).client_builder(&url).build().unwrap();
    let answer = client.get(url).send().await;
    answer.map(|answer| answer.status().as_u16()).map_err(|error| causes::in_words(&error))
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_called_unless_that_is_allowed() {
    assert_eq!(called(&LOOPBACK, "/").await, Ok(200));
    for allowed in [&[][..], &["10.0.0.0/8"]] {
        let refused = called(allowed, "/").await.unwrap_err();
        assert!(refused.contains("(this machine), which is not called"), "{refused}");
        assert!(refused.contains("add it to network.allow_private"), "{refused}");
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    assert_eq!(called(&LOOPBACK, "/away").await, Ok(307));
}

#[test]
fn an_address_in_a_url_is_judged_however_it_is_spelt() {
    let nothing = outside(&[]);
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.0.0.1.",
        "１２７.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "bot.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0",
        "0.0.0.0",
        "[::]",
        "10.0.0.1",
        "0xa000001",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:a00:1::]",
    ] {
        assert!(nothing.check(&format!("http://{host}:8080/turns")).is_err(), "{host}");
        assert!(nothing.check(&format!("https://user:password@{host}/")).is_err(), "{host}");
    }
    for host in
        ["8.8.8.8", "bot.example.com", "10.0.0.1.example.com", "localhost.example.com", "[2606:4700::1]"]
    {
        assert_eq!(nothing.check(&format!("http://{host}/")), Ok(()), "{host}");
    }
}

#[test]
fn what_is_allowed_is_allowed_in_every_spelling_and_nothing_beside_it() {
    let loopback = outside(&LOOPBACK);
    for host in ["127.0.0.1", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        assert_eq!(loopback.check(&format!("http://{host}/")), Ok(()), "{host}");
    }
    for host in ["10.0.0.1", "0.0.0.0", "[::]", "169.254.169.254"] {
        assert!(loopback.check(&format!("http://{host}/")).is_err(), "{host}");
    }
    let v6_only = outside(&["::1/128"]);
    assert_eq!(v6_only.check("http://localhost/"), Ok(()));
    assert!(v6_only.check("http://127.0.0.1/").is_err());
}
