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
    if cookie::is_from_console(headers) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "Only the console signs in here: it sends X-Requested-With. The API takes a token in Authorization.",
    ))
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
    let cookie = cookie::set(token.trim(), state.secure_cookies);
    Ok(with_cookie(Json(Me::of(&caller)).into_response(), &cookie))
}

pub async fn sign_out(State(state): State<HttpState>, headers: HeaderMap) -> Result<Response, Problem> {
    must_be_from_console(&headers)?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), &cookie::clear(state.secure_cookies)))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    // Base64 and fixed words make a header; there is no other case.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
