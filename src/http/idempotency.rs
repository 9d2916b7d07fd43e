//! `Idempotency-Key`: a creating call that is made again gives the first answer again.

use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;

use super::problem::{Kind, Problem};
use crate::store::Idempotency;

const HEADER: &str = "idempotency-key";
const MAX_CHARS: usize = 255;

/// The key of the call, if it has one. Keys of different tokens, methods or paths never meet. `caller`: what no other
/// token has; names may be the same.
pub fn key_of(parts: &Parts, caller: &str, request: [u8; 32]) -> Result<Option<Idempotency>, Problem> {
    let mut values = parts.headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.as_bytes();
    let good = (1..=MAX_CHARS).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if !good || values.next().is_some() {
        return Err(Problem::new(
            Kind::InvalidHeader,
            format!("Idempotency-Key takes 1 to {MAX_CHARS} visible ASCII characters, once."),
        ));
    }
    let key = String::from_utf8_lossy(key).into_owned();
    let scope = format!("{caller} {} {}", parts.method, parts.uri.path());
    Ok(Some(Idempotency { scope, key, request }))
}

/// Refuses a call that carries a key.
pub fn refuse(parts: &Parts) -> Result<(), Problem> {
    if parts.headers.contains_key(HEADER) {
        return Err(Problem::new(
            Kind::InvalidHeader,
            "This call takes no Idempotency-Key: its answer holds a secret, and is not kept to be given again.",
        ));
    }
    Ok(())
}

/// Says so if the answer is the first one again.
pub fn mark(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn key(values: &[&str]) -> Result<Option<Idempotency>, Problem> {
        let request = Request::post("/v1/customers?x=1");
        let request = values.iter().fold(request, |request, value| request.header(HEADER, *value));
        key_of(&request.body(()).unwrap().into_parts().0, "desk", [1; 32])
    }

    #[test]
    fn a_key_belongs_to_a_caller_a_method_and_a_path() {
        let found = key(&["abc"]).unwrap().unwrap();
        assert_eq!((found.scope.as_str(), found.key.as_str()), ("desk POST /v1/customers", "abc"));
        assert!(key(&[]).unwrap().is_none());
    }

    #[test]
    fn a_key_is_short_visible_and_single() {
        assert!(key(&[&"k".repeat(255)]).is_ok());
        for bad in [vec![""], vec!["a b"], vec!["a", "b"], vec![&*"k".repeat(256)]] {
            assert_eq!(key(&bad).unwrap_err().kind(), Kind::InvalidHeader, "{bad:?}");
        }
    }
}
