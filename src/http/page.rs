//! Lists on the wire: bare JSON arrays; where the next page is stands in the header `Link` (RFC 8288).

use axum::Json;
use axum::http::header::LINK;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::store::Cursor;

/// One page of a list.
pub struct Listed<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> Listed<T> {
    /// `uri`: the call's own; the next page has the same filters.
    pub fn new(uri: &Uri, items: Vec<T>, next: Option<&Cursor>) -> Self {
        Self::of_path(uri.path(), uri, items, next)
    }

    /// The same, where the next page is at another path.
    pub fn of_path(path: &str, uri: &Uri, items: Vec<T>, next: Option<&Cursor>) -> Self {
        Self { items, next: next.map(|cursor| next_link(path, uri, cursor)) }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.items).into_response();
        // A path that came in and an encoded query make a header; there is no other case.
        if let Some(link) = self.next.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

pub(super) fn next_link(path: &str, uri: &Uri, cursor: &Cursor) -> String {
    let filters = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(filters.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", &URL_SAFE_NO_PAD.encode(&cursor.0))
        .finish();
    format!("<{path}?{query}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(uri: &str) -> String {
        let uri: Uri = uri.parse().unwrap();
        next_link(uri.path(), &uri, &Cursor(vec![0xff, 0xfe, 1]))
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        assert_eq!(
            link("/v1/sessions?tag=skin%2Bhair&limit=2&cursor=old"),
            "</v1/sessions?tag=skin%2Bhair&limit=2&cursor=__4B>; rel=\"next\""
        );
        assert_eq!(link("/v1/customers"), "</v1/customers?cursor=__4B>; rel=\"next\"");
    }

    #[test]
    fn the_last_page_has_no_link() {
        let response = Listed::<u8>::new(&"/v1/customers".parse().unwrap(), vec![], None).into_response();
        assert!(response.headers().get(LINK).is_none());
    }
}
