//! Query parameters: asked for one by one, like the fields of a body. What is left over is refused: a misspelt filter
//! must not look like no filter.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::{Kind, Problem};
use crate::store::{Cursor, PageRequest};

/// How many entries a page has if the caller does not say.
const DEFAULT_LIMIT: usize = 100;
/// The most entries that a page can have.
const MAX_LIMIT: usize = 1000;

/// The query of a call.
pub struct Params {
    pairs: Vec<(String, String)>,
    asked_for: Vec<&'static str>,
    complaints: Vec<String>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    pub fn of(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, asked_for: Vec::new(), complaints: Vec::new() }
    }

    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.asked_for.push(name);
        let place = self.pairs.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.pairs.remove(place);
        if self.pairs.iter().any(|(key, _)| key == name) {
            self.pairs.retain(|(key, _)| key != name);
            self.refuse(name, "is given more than once");
        }
        Some(value)
    }

    /// A parameter that reads as a `T`; `expected` says what that is.
    pub fn parsed<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.refuse(name, &format!("must be {expected}"));
        }
        value
    }

    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.parsed(name, "true or false")
    }

    /// `limit` and `cursor`.
    pub fn page(&mut self) -> PageRequest {
        let expected = format!("a whole number from 1 to {MAX_LIMIT}");
        let limit = self.parsed("limit", &expected).unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            self.refuse("limit", &format!("must be {expected}"));
        }
        let cursor = self.text("cursor").map(|text| URL_SAFE_NO_PAD.decode(text));
        if let Some(Err(_)) = cursor {
            self.refuse("cursor", "must be one that this list handed out");
        }
        PageRequest { after: cursor.and_then(Result::ok).map(Cursor), limit }
    }

    /// `expand`: which of `allowed` are asked for, comma between them.
    pub fn expand(&mut self, allowed: &[&'static str]) -> Vec<&'static str> {
        let Some(text) = self.text("expand") else { return Vec::new() };
        let mut expanded = Vec::new();
        for wish in text.split(',').map(str::trim).filter(|wish| !wish.is_empty()) {
            match allowed.iter().find(|known| **known == wish) {
                Some(known) => expanded.push(*known),
                None => {
                    self.refuse("expand", &format!("takes {}, with commas between them", allowed.join(", ")));
                }
            }
        }
        expanded
    }

    /// Complains about the value of a parameter.
    pub fn refuse(&mut self, name: &str, detail: &str) {
        self.complaints.push(format!("{name} {detail}"));
    }

    /// No more questions. Everything that was wrong, in one answer.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.pairs {
            let name: String = name.chars().take(50).collect();
            self.complaints.push(match self.asked_for.as_slice() {
                [] => format!("{name} is not known; this call takes no parameters"),
                known => format!("{name} is not known; known are {}", known.join(", ")),
            });
        }
        if self.complaints.is_empty() {
            return Ok(());
        }
        Err(Problem::new(Kind::InvalidQuery, format!("{}.", self.complaints.join("; "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_hundred_entries_unless_asked_otherwise() {
        assert_eq!(Params::of("").page().limit, 100);
        assert_eq!(Params::of("limit=1000").page().limit, 1000);
    }

    #[test]
    fn a_limit_out_of_bounds_is_refused_and_not_bent() {
        for query in ["limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=1&limit=2", "cursor=%2B"] {
            let mut params = Params::of(query);
            params.page();
            assert_eq!(params.finish().unwrap_err().kind(), Kind::InvalidQuery, "{query}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_known_ones() {
        let mut params = Params::of("need_atention=true");
        assert_eq!(params.flag("need_attention"), None);
        let problem = params.finish().unwrap_err();
        assert_eq!(problem.detail(), "need_atention is not known; known are need_attention.");
    }

    #[test]
    fn expansions_are_a_list_of_known_names() {
        let mut params = Params::of("expand=customer,%20messages");
        assert_eq!(params.expand(&["messages", "customer"]), ["customer", "messages"]);
        params.finish().unwrap();

        let mut params = Params::of("expand=customers");
        params.expand(&["messages", "customer"]);
        let problem = params.finish().unwrap_err();
        assert_eq!(problem.detail(), "expand takes messages, customer, with commas between them.");
    }
}
