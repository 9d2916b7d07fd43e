//! Signing in to the console with a token, and out.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::cookie;
use crate::http::HttpState;
use crate::http::api::me::Me;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::problem::{Kind, Problem};

struct SignIn {
    token: String,
}

impl FromFields for SignIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { token: fields.required("token")? })
    }
}

fn must_be_from_console(headers: &HeaderMap) -> Result<(), Problem> {
    match cookie::is_from_console(headers) {
        true => Ok(()),
        false => Err(Problem::new(
            Kind::Forbidden,
            "Only the console signs in here: it sends X-Requested-With. The API takes a token in Authorization.",
        )),
    }
}

pub async fn sign_in(
    State(state): State<HttpState>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Problem> {
    must_be_from_console(&headers)?;
    let SignIn { token } = sent.read().await?;
    let caller = Caller::with_token(token.trim(), &state).await?;
    caller.must_be_human()?;
    let mut response = Json(Me::of(&caller)).into_response();
    let cookie = HeaderValue::from_str(&cookie::set(token.trim(), state.secure_cookies));
    // Base64 and fixed words make a header; there is no other case.
    cookie.into_iter().for_each(|cookie| drop(response.headers_mut().insert(SET_COOKIE, cookie)));
    Ok(response)
}

pub async fn sign_out(State(state): State<HttpState>, headers: HeaderMap) -> Result<Response, Problem> {
    must_be_from_console(&headers)?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let cookie = HeaderValue::from_str(&cookie::clear(state.secure_cookies));
    cookie.into_iter().for_each(|cookie| drop(response.headers_mut().insert(SET_COOKIE, cookie)));
    Ok(response)
}
