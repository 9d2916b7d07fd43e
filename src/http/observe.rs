//! Every call leaves a trace: an id in the answer and in each log line of the call, one access log line, and the
//! metrics. Patterns and ids only: a query may hold a phone number, and is never written down.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::HttpState;

/// What stands for the route of a call that no route is there for.
const NO_ROUTE: &str = "(none)";

pub async fn observe(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    let gateway = state.gateway();
    let started = gateway.elapsed();
    let id = gateway.new_id(gateway.now()).to_string();
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);

    let span = tracing::info_span!("call", id, caller = tracing::field::Empty);
    let mut response = next.run(request).instrument(span.clone()).await;

    let took = gateway.elapsed().saturating_sub(started);
    let status = response.status().as_u16();
    gateway.metrics().request(method, route, status, took);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(parent: &span, method, route, status, took_ms, "answered");
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// A label must not be of the caller's making.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_method_makes_no_new_label() {
        assert_eq!(known_method(&Method::from_bytes(b"BREW").unwrap()), "other");
        assert_eq!(known_method(&Method::PATCH), "PATCH");
    }
}
