//! The console at `/console`: its files, which the program carries with it, and signing in. The page uses the API as any
//! other client does, with a cookie that no script can read in the place of the token.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::problem::unknown_route;
use super::{HttpState, docs};

pub mod cookie;
mod files;
mod sign_in;

/// What a page of ours may do: nothing that does not come from here, and no text that becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    media-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'";

pub fn routes() -> Router<HttpState> {
    Router::new()
        .route("/console", get(index))
        .route("/console/", get(index))
        .route("/console/session", post(sign_in::sign_in).delete(sign_in::sign_out))
        .route("/console/{file}", get(file))
}

async fn index(headers: HeaderMap) -> Response {
    serve("index.html", &headers).await
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&name, &headers).await
}

async fn serve(name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = files::find(name) else { return unknown_route().await.into_response() };
    let tag = file.tag();
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &tag));
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { file.bytes.into_response() };
    let written = response.headers_mut();
    written.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type()));
    // Asked for each time, and sent only if it is another one: a new version of the program is a new page.
    written.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        written.insert(ETAG, tag);
    }
    harden(response)
}

/// Whether the tag is one of those that the caller has: a proxy that compresses makes weak ones of ours (RFC 9110, 13.1.2).
fn names(known: &HeaderValue, tag: &str) -> bool {
    let mut tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The headers of any page of ours, with this one's own policy.
fn harden(response: Response) -> Response {
    let mut response = docs::harden(response);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}
