//! Refusals on the wire: `application/problem+json` (RFC 9457), every one of them, with words that say what to do.

use std::borrow::Cow;

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::StoreError;

pub mod document;
mod kind;
pub mod page;
mod refusals;

pub use kind::Kind;

/// One thing wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where it is: a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    pub detail: String,
}

/// Why a call is refused.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    /// What is not for the caller to know, but for the log.
    cause: Option<StoreError>,
}

/// A problem as it is written.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Body<'a> {
    /// `/problems/` and a slug that never changes.
    #[serde(rename = "type")]
    #[schema(value_type = String, format = "uri-reference")]
    kind: String,
    /// What the slug means, for people.
    title: &'a str,
    status: u16,
    /// What is wrong in this case, and what to do.
    detail: &'a str,
    /// What is wrong with which field of the body.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), retry_after_s: None, cause: None }
    }

    /// `what` does not exist.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("There is no {what} with this id."))
    }

    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// A body that is JSON, but not what is expected. `errors` is not empty.
    pub fn invalid_body(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] if only.pointer.is_empty() => format!("The body {}.", only.detail),
            [only] => format!("{} {}.", only.pointer, only.detail),
            several => format!("{} fields are not valid; see errors.", several.len()),
        };
        Self { errors, ..Self::new(Kind::InvalidBody, detail) }
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    fn body(&self) -> Body<'_> {
        Body {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (detail, seconds) = match &error {
            StoreError::Full { .. } => {
                ("The store's disk is nearly full. Nothing was taken. Make the same call again later.", 5)
            }
            StoreError::Uncertain(_) => (
                "The store failed while it wrote, and nobody knows whether this was taken. Make the same call again \
                 in a moment, with the same Idempotency-Key if it had one.",
                1,
            ),
            StoreError::Overloaded
            | StoreError::Unavailable(_)
            | StoreError::BrokeOff(_)
            | StoreError::Corrupt(_)
            | StoreError::TooLarge(_) => ("Nothing was taken. Make the same call again in a moment.", 1),
        };
        Self { cause: Some(error), ..Self::new(Kind::Unavailable, detail).retry_after(seconds) }
    }
}

impl IntoResponse for Problem {
    /// The boundary: what went wrong inside is logged here, and nowhere else.
    fn into_response(self) -> Response {
        match &self.cause {
            None => {}
            // The store has said so itself, once, and says when it works again.
            Some(cause @ (StoreError::Overloaded | StoreError::Full { .. } | StoreError::Unavailable(_))) => {
                tracing::debug!(error = %cause, "the store could not do what a call asked for");
            }
            // The store has said this once, too; these lines say which calls it leaves in doubt.
            Some(cause @ StoreError::Uncertain(_)) => {
                tracing::warn!(error = %cause, "nobody knows whether what a call asked for was kept");
            }
            Some(cause) => tracing::error!(error = %cause, "the store could not do what a call asked for"),
        }
        // A struct of texts and numbers always serializes.
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.kind.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"switchboard\""));
        }
        response
    }
}

/// Nothing is served at the path.
pub async fn unknown_route() -> Problem {
    Problem::new(Kind::NotFound, "Nothing is served at this path; /docs shows what is.")
}

/// Something is, but not for this method. The router adds `Allow`.
pub async fn wrong_method(method: Method) -> Problem {
    // A method is a token of the caller's choosing, and may be long.
    let method: String = method.as_str().chars().take(16).collect();
    Problem::new(
        Kind::MethodNotAllowed,
        format!("{method} is not possible here; see the header {ALLOW} for what is."),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use http_body_util::BodyExt;

    use super::*;

    async fn written(problem: Problem) -> (Response<()>, String) {
        let (parts, body) = problem.into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (Response::from_parts(parts, ()), String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_problem_has_the_keys_of_rfc_9457() {
        let (response, body) = written(Problem::not_found("customer")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            body,
            r#"{"type":"/problems/not-found","title":"There is no such thing","status":404,"detail":"There is no customer with this id."}"#
        );
    }

    #[tokio::test]
    async fn an_invalid_body_points_at_each_field() {
        let errors = vec![FieldError { pointer: "/content".into(), detail: "is required".into() }];
        let (response, body) = written(Problem::invalid_body(errors)).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body.ends_with(
            r#""detail":"/content is required.","errors":[{"pointer":"/content","detail":"is required"}]}"#
        ));
    }

    #[tokio::test]
    async fn a_store_that_fails_is_503_and_its_reason_stays_inside() {
        let (response, body) = written(StoreError::Unavailable("disk full".into()).into()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert!(!body.contains("disk full"));
    }

    #[tokio::test]
    async fn a_401_says_how_to_authenticate() {
        let (response, _) = written(Problem::new(Kind::Unauthorized, "")).await;
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer realm=\"switchboard\"");
    }
}
