//! Bodies: read late, after the caller and the path are known, and never longer than allowed.
//!
//! [`Sent`] is a call whose body has not been read. What a body must look like is said by a [`FromFields`], which asks
//! [`Fields`] for one field after the other, so that one answer names everything that is wrong.

mod fields;
mod reading;

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::LengthLimitError;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::store::Idempotency;

use super::idempotency;
use super::problem::{FieldError, Kind, Problem};
use super::{HttpState, auth::Caller};
pub use fields::Fields;
#[cfg(test)]
pub(in crate::http) use fields::fields_of;
pub use reading::FromJson;

/// A body that is read field by field. `None`: something was wrong, and [`Fields`] has kept what.
pub trait FromFields: Sized {
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// A call whose body has not been read yet.
pub struct Sent {
    parts: Parts,
    body: Body,
    max_bytes: usize,
}

impl FromRequest<HttpState> for Sent {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        Ok(Self { parts, body, max_bytes: state.max_body_bytes })
    }
}

impl Sent {
    /// The body as a `T`.
    pub async fn read<T: FromFields>(self) -> Result<T, Problem> {
        let (_, bytes) = self.json_bytes().await?;
        read_fields(&bytes)
    }

    /// For calls whose answer cannot be given twice.
    pub fn refuse_key(&self) -> Result<(), Problem> {
        idempotency::refuse(&self.parts)
    }

    /// The same, and the idempotency key if the call carries one.
    pub async fn read_keyed<T: FromFields>(
        self,
        caller: &Caller,
    ) -> Result<(T, Option<Idempotency>), Problem> {
        let (bytes, key) = self.read_bytes_keyed(&caller.fingerprint).await?;
        Ok((read_fields(&bytes)?, key))
    }

    /// A body of a shape that is not ours, whatever else it holds.
    pub async fn read_foreign(self, author: &str) -> Result<(Value, Option<Idempotency>), Problem> {
        let (bytes, key) = self.read_bytes_keyed(author).await?;
        Ok((parse(&bytes)?, key))
    }

    /// The body as it came, and the idempotency key if the call carries one.
    pub async fn read_bytes_keyed(self, author: &str) -> Result<(Bytes, Option<Idempotency>), Problem> {
        let (parts, bytes) = self.json_bytes().await?;
        let key = idempotency::key_of(&parts, author, Sha256::digest(&bytes).into())?;
        Ok((bytes, key))
    }

    async fn json_bytes(self) -> Result<(Parts, Bytes), Problem> {
        let content_type = self.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                "The body must be JSON; send the header Content-Type: application/json.",
            ));
        }
        let bytes = read_body(&self.parts, self.body, self.max_bytes).await?;
        Ok((self.parts, bytes))
    }
}

/// A body of at most `max_bytes`; one that says that it is longer is refused before it is read.
pub async fn read_body(parts: &Parts, body: Body, max_bytes: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Kind::BodyTooLarge,
            format!("The body is too large; at most {max_bytes} bytes are read."),
        )
    };
    let declared =
        parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > max_bytes)) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_PATIENCE, to_bytes(body, max_bytes)).await;
    let read = read.map_err(|_| Problem::new(Kind::MalformedBody, "The body did not arrive in time."))?;
    read.map_err(|error| {
        let over = error.source().is_some_and(<dyn Error>::is::<LengthLimitError>);
        if over {
            too_large()
        } else {
            Problem::new(Kind::MalformedBody, "The body ended before it was complete.")
        }
    })
}

/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// `application/json` or anything `+json`, whatever its parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

pub(super) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::new(Kind::MalformedBody, "The body is empty; a JSON object is expected."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser's own words may repeat the body; where it stopped says enough.
        let (line, column) = (error.line(), error.column());
        Problem::new(Kind::MalformedBody, format!("The body is not JSON: see line {line}, column {column}."))
    })
}

pub(super) fn read_fields<T: FromFields>(bytes: &[u8]) -> Result<T, Problem> {
    let Value::Object(object) = parse(bytes)? else {
        let detail = "must be a JSON object".to_owned();
        return Err(Problem::invalid_body(vec![FieldError { pointer: String::new(), detail }]));
    };
    let mut fields = Fields::new(object);
    let value = T::read(&mut fields);
    fields.finish(value).map_err(Problem::invalid_body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Note {
        content: String,
        urgent: Option<bool>,
        tags: Option<Vec<String>>,
    }

    impl FromFields for Note {
        fn read(fields: &mut Fields) -> Option<Self> {
            let content = fields.required("content");
            let urgent = fields.optional("urgent");
            let tags = fields.optional("tags");
            Some(Self { content: content?, urgent, tags })
        }
    }

    fn refused(body: &str) -> (Kind, String, Vec<String>) {
        let problem = read_fields::<Note>(body.as_bytes()).unwrap_err();
        let errors =
            problem.errors().iter().map(|error| format!("{} {}", error.pointer, error.detail)).collect();
        (problem.kind(), problem.detail().to_owned(), errors)
    }

    #[test]
    fn a_good_body_is_read() {
        let note: Note = read_fields(br#"{"content":"Hey","tags":["a"]}"#).unwrap();
        assert_eq!(
            (note.content.as_str(), note.urgent, note.tags),
            ("Hey", None, Some(vec!["a".to_owned()]))
        );
    }

    #[test]
    fn one_answer_names_everything_that_is_wrong() {
        let (kind, _, errors) = refused(r#"{"urgent":"yes","tags":["a",3],"a/b~c":1}"#);
        assert_eq!(kind, Kind::InvalidBody);
        assert_eq!(
            errors,
            [
                "/content is required",
                "/urgent must be a boolean, not a string",
                "/tags/1 must be a string, not a number",
                "/a~1b~0c is not known; known fields are content, urgent, tags",
            ]
        );
    }

    #[test]
    fn null_is_no_value_where_nothing_can_be_cleared() {
        let (_, detail, _) = refused(r#"{"content":null}"#);
        assert_eq!(detail, "/content must be a string, not null.");
    }

    #[test]
    fn what_is_not_json_says_where() {
        assert_eq!(refused("{\n\"content\": }").1, "The body is not JSON: see line 2, column 12.");
        assert_eq!(refused(" ").1, "The body is empty; a JSON object is expected.");
        assert_eq!(refused("[]").1, "The body must be a JSON object.");
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/json", "application/x-www-form-urlencoded", "application/jsonp"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
