//! Refusals in the OpenAPI document: an endpoint lists the kinds it may answer with, and gets one response per status.

use std::collections::BTreeMap;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Body, Kind};

/// The responses of those kinds.
pub fn responses(kinds: &[Kind]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.status().as_str().to_owned()).or_default().push(*kind);
    }
    by_status.into_iter().map(|(status, kinds)| (status, response(&kinds).into())).collect()
}

/// What the responses refer to.
pub fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(Body::name().into_owned(), Body::schema())];
    Body::schemas(&mut schemas);
    schemas
}

/// What any call with a token may be answered.
pub const WITH_TOKEN: &[Kind] =
    &[Kind::Unauthorized, Kind::TooManyCalls, Kind::Unavailable, Kind::InvalidQuery];

/// What any call with a JSON body may be answered.
pub const WITH_BODY: &[Kind] =
    &[Kind::MalformedBody, Kind::BodyTooLarge, Kind::UnsupportedMediaType, Kind::InvalidBody];

fn response(kinds: &[Kind]) -> Response {
    let description = kinds
        .iter()
        .map(|kind| format!("`{}`: {}", kind.slug(), kind.meaning()))
        .collect::<Vec<_>>()
        .join("\n\n");
    let content = kinds.iter().fold(
        ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))),
        |content, kind| {
            let body = Body {
                kind: format!("/problems/{}", kind.slug()),
                title: kind.title(),
                status: kind.status().as_u16(),
                detail: kind.meaning(),
                errors: &[],
            };
            let example = ExampleBuilder::new().value(serde_json::to_value(body).ok()).build();
            content.examples_from_iter([(kind.slug(), example)])
        },
    );
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content.build())
        .build()
}

/// Declares the refusals of an endpoint: `refusals!(Refused: WITH_TOKEN, WITH_BODY; NotFound, NumberTaken)`.
macro_rules! refusals {
    ($name:ident: $($group:ident),* $(; $($kind:ident),* $(,)?)?) => {
        /// What this endpoint may refuse.
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses()
            -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                let groups: &[&[$crate::http::problem::Kind]] =
                    &[$($crate::http::problem::document::$group,)* &[$($($crate::http::problem::Kind::$kind,)*)?]];
                $crate::http::problem::document::responses(&groups.concat())
            }
        }
    };
}
pub(in crate::http) use refusals;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_one_status_share_a_response() {
        let responses = responses(&[Kind::NotFound, Kind::NoCurrentSession, Kind::SessionHeld]);
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["404", "409"]);
    }
}
