//! What the path of a call names: customers, sessions and messages by their ids, and the session `current`.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::HttpState;
use super::problem::{Kind, Problem, unknown_route};
use crate::domain::customer::Customer;
use crate::domain::message::Message;
use crate::domain::session::Session;

/// The one session that can be written to.
const CURRENT: &str = "current";

/// The names in the path, unread: whether they name anything is asked after who is calling.
pub struct Named<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Self(names)),
            // A name that is not UTF-8.
            Err(_) => Err(unknown_route().await),
        }
    }
}

/// What is no id names nothing.
pub fn id<I: FromStr>(what: &str, text: &str) -> Result<I, Problem> {
    text.parse().map_err(|_| Problem::not_found(what))
}

pub async fn customer(state: &HttpState, text: &str) -> Result<Customer, Problem> {
    let customer = state.gateway.store().customer(id("customer", text)?).await?;
    customer.ok_or_else(|| Problem::not_found("customer"))
}

pub async fn message(state: &HttpState, text: &str) -> Result<Message, Problem> {
    let message = state.gateway.store().message(id("message", text)?).await?;
    message.ok_or_else(|| Problem::not_found("message"))
}

/// The customer's session of that id, or the current one.
pub async fn session(state: &HttpState, customer: &Customer, text: &str) -> Result<Session, Problem> {
    if text == CURRENT {
        let current = state.gateway.current_session(customer.id).await?;
        return current.ok_or_else(Problem::no_current_session);
    }
    let session = state.gateway.store().session(id("session", text)?).await?;
    let own = session.filter(|session| session.customer_id == customer.id);
    own.ok_or_else(|| Problem::not_found("session"))
}

/// Writing names `current`, whatever session that is.
pub fn must_be_current(text: &str) -> Result<(), Problem> {
    match text {
        CURRENT => Ok(()),
        _ => Err(Problem::new(
            Kind::NotFound,
            "Only current is accepted as the session here: write /sessions/current in the path.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CustomerId;

    #[test]
    fn what_is_no_id_is_not_found() {
        assert_eq!(id::<CustomerId>("customer", "42").unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn writing_to_another_session_than_current_says_so() {
        assert!(must_be_current("current").is_ok());
        let problem = must_be_current("0191a8a0-0000-7000-8000-000000000000").unwrap_err();
        assert_eq!(problem.kind(), Kind::NotFound);
        assert!(problem.detail().starts_with("Only current is accepted"));
    }
}
