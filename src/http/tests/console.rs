//! The console's files, and signing in to it.

use axum::body::Body;
use axum::http::Request;

use super::fixture::{Answer, House, request, settings};
use crate::http::HttpSettings;

const PATH: &str = "/console/session";

/// A call of our own page, with a cookie and a body unless they are empty.
fn page(method: &str, path: &str, cookie: &str, body: &str) -> Request<Body> {
    let mut request = request("", method, path, body);
    request.headers_mut().insert("x-requested-with", "switchboard-console".parse().unwrap());
    if !cookie.is_empty() {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    request
}

async fn sign_in(house: &House, token: &str) -> Answer {
    house.send(page("POST", PATH, "", &format!(r#"{{"token":"{token}"}}"#))).await
}

/// What a browser sends back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn its_files_come_hardened_and_only_if_they_changed() {
    let house = House::new();
    for (path, kind) in [
        ("/console", "text/html; charset=utf-8"),
        ("/console/", "text/html; charset=utf-8"),
        ("/console/index.html", "text/html; charset=utf-8"),
        ("/console/main.js", "text/javascript; charset=utf-8"),
        ("/console/client.mjs", "text/javascript; charset=utf-8"),
        ("/console/desk.css", "text/css; charset=utf-8"),
        ("/console/icon.svg", "image/svg+xml"),
    ] {
        let file = house.send(request("", "GET", path, "")).await;
        assert_eq!((file.status, file.header("content-type")), (200, kind), "{path}");
        let policy = file.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert_eq!(file.header("cache-control"), "no-cache");
        let tag = file.header("etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let mut again = request("", "GET", path, "");
            again.headers_mut().insert("if-none-match", known.parse().unwrap());
            let again = house.send(again).await;
            assert_eq!(
                (again.status, again.text.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{known}"
            );
            assert_eq!(again.header("content-security-policy"), policy);
        }
        let mut changed = request("", "GET", path, "");
        changed.headers_mut().insert("if-none-match", "\"another\"".parse().unwrap());
        assert_eq!(house.send(changed).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_no_file_of_its_is_nowhere() {
    let house = House::new();
    for path in ["/console/none.js", "/console/..%2Fmod.rs", "/console/%2e%2e/Cargo.toml", "/console/a/b"] {
        assert_eq!(
            house.send(request("", "GET", path, "")).await.problem(),
            (404, "not-found".into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_signs_in_gets_a_cookie_that_no_script_reads_and_calls_with_it() {
    let house = House::new();
    let answer = sign_in(&house, "desk").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"name":"desk","role":"agent"}"#));
    let set = answer.header("set-cookie");
    assert!(set.contains("; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200"), "{set}");
    assert!(!set.contains("Secure") && !set.contains("=desk"), "{set}");
    let me = house.send(page("GET", "/v1/me", &cookie(&answer), "")).await;
    assert_eq!((me.status, me.text.as_str()), (200, r#"{"name":"desk","role":"agent"}"#));

    let secure = House::with(HttpSettings { secure_cookies: true, ..settings() });
    for answer in [sign_in(&secure, "boss").await, secure.send(page("DELETE", PATH, "", "")).await] {
        assert!(answer.header("set-cookie").ends_with("; Secure"), "{}", answer.header("set-cookie"));
    }
}

#[tokio::test]
async fn another_site_can_make_a_browser_do_nothing() {
    let house = House::new();
    let cookie = cookie(&sign_in(&house, "desk").await);
    let body = r#"{"token":"desk"}"#;
    for (method, body) in [("POST", body), ("DELETE", "")] {
        let refused = house.send(request("", method, PATH, body)).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()));
        assert_eq!(refused.header("set-cookie"), "");
    }
    for from in [None, Some("XMLHttpRequest")] {
        let mut call = request("", "GET", "/v1/me", "");
        call.headers_mut().insert("cookie", cookie.parse().unwrap());
        if let Some(from) = from {
            call.headers_mut().insert("x-requested-with", from.parse().unwrap());
        }
        assert_eq!(house.send(call).await.problem(), (401, "unauthorized".into()));
    }
}

#[tokio::test]
async fn only_agents_and_admins_sign_in() {
    let house = House::new();
    for (token, problem) in
        [("wrong", (401, "unauthorized")), ("", (401, "unauthorized")), ("robot", (403, "forbidden"))]
    {
        let refused = sign_in(&house, token).await;
        assert_eq!(refused.problem(), (problem.0, problem.1.into()), "{token}");
        assert_eq!(refused.header("set-cookie"), "");
    }
    for body in ["{}", r#"{"token":5}"#, r#"{"token":"desk","more":1}"#] {
        assert_eq!(house.send(page("POST", PATH, "", body)).await.problem(), (422, "invalid-body".into()));
    }
}

#[tokio::test]
async fn a_token_in_the_header_wins_over_the_cookie() {
    let house = House::new();
    let cookie = cookie(&sign_in(&house, "desk").await);
    for (token, expected) in [("boss", r#"{"name":"boss","role":"admin"}"#), ("wrong", "")] {
        let mut call = page("GET", "/v1/me", &cookie, "");
        call.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let me = house.send(call).await;
        if expected.is_empty() {
            assert_eq!(me.problem(), (401, "unauthorized".into()));
        } else {
            assert_eq!(me.text, expected);
        }
    }
}

#[tokio::test]
async fn whoever_signs_out_or_is_revoked_is_out() {
    let house = House::new();
    let out = house.send(page("DELETE", PATH, "", "")).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").starts_with("switchboard_console=; "), "{}", out.header("set-cookie"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(house.send(page("GET", "/v1/me", &cookie(&out), "")).await.status, 401);

    let minted = house.call("boss", "POST", "/v1/tokens", r#"{"name":"night","role":"agent"}"#).await.json();
    let signed = cookie(&sign_in(&house, minted["secret"].as_str().unwrap()).await);
    assert_eq!(house.send(page("GET", "/v1/me", &signed, "")).await.status, 200);
    house.call("boss", "DELETE", &format!("/v1/tokens/{}", minted["id"].as_str().unwrap()), "").await;
    assert_eq!(house.send(page("GET", "/v1/me", &signed, "")).await.status, 401);
}
