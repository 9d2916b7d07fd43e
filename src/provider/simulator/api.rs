//! The provider's HTTP: authentication, paths, status codes. What is asked is answered by the state machine; here
//! the answer is carried out, also where it is to be none.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{Full, Limited};
use serde_json::json;

use super::Simulator;
use super::callbacks;
use super::dates;
use super::errors::{ApiError, json_response};
use super::form::Form;
use super::state::Answer;
use crate::domain::time::Timestamp;

type App = State<Arc<Simulator>>;

pub(super) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}", get(account).fallback(wrong_method))
        .route("/2010-04-01/Accounts/{account}/Messages.json", get(list).post(create).fallback(wrong_method))
        .route(
            "/2010-04-01/Accounts/{account}/Messages/{message}",
            get(fetch).post(update).delete(delete).fallback(wrong_method),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Messages/{message}/Media.json",
            get(media).fallback(wrong_method),
        )
        .route("/2010-04-01/{*rest}", axum::routing::any(not_there))
}

async fn wrong_method() -> ApiError {
    ApiError::new(20004, "Method not allowed")
}

async fn not_there(uri: Uri) -> ApiError {
    ApiError::not_found(uri.path())
}

async fn account(
    State(app): App,
    Path(file): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sid = file.strip_suffix(".json").ok_or_else(|| ApiError::not_found(uri.path()))?;
    app.authorise(sid, &uri, &headers)?;
    let since = dates::rfc2822(Timestamp::default());
    let body = json!({
        "sid": sid,
        "owner_account_sid": sid,
        "friendly_name": "Simulated account",
        "status": "active",
        "type": "Full",
        "auth_token": "",
        "date_created": since,
        "date_updated": since,
        "uri": uri.path(),
        "subresource_uris": {"messages": format!("/2010-04-01/Accounts/{sid}/Messages.json")},
    });
    Ok(json_response(StatusCode::OK, &body))
}

async fn create(
    State(app): App,
    Path(account): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    app.authorise(&account, &uri, &headers)?;
    let form = Form::read(&headers, &body);
    let answering = app.change(|state, now| state.send(&form, now));
    for receipt in answering.first {
        callbacks::post_receipt(&app, &receipt).await;
    }
    if !answering.wait.is_zero() {
        tokio::time::sleep(answering.wait).await;
    }
    Ok(match answering.answer {
        Answer::Created(resource) => json_response(StatusCode::CREATED, &resource),
        Answer::Refused(error) => error.into_response(),
        Answer::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::HungUp => hang_up(),
    })
}

async fn media(
    State(app): App,
    Path((account, sid)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    app.authorise(&account, &uri, &headers)?;
    app.check_readable()?;
    let media = app.read(|state| state.media(&sid)).ok_or_else(|| ApiError::not_found(uri.path()))?;
    Ok(json_response(StatusCode::OK, &media))
}

async fn list(
    State(app): App,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    app.authorise(&account, &uri, &headers)?;
    app.check_readable()?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let now = app.now();
    let page = app.read(|state| state.list(&query, now))?;
    Ok(json_response(StatusCode::OK, &page))
}

async fn fetch(
    State(app): App,
    path: Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sid = app.authorise_message(&path, &uri, &headers)?;
    app.check_readable()?;
    let resource = app.read(|state| state.fetch(sid)).ok_or_else(|| ApiError::not_found(uri.path()))?;
    Ok(json_response(StatusCode::OK, &resource))
}

async fn update(
    State(app): App,
    path: Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let sid = app.authorise_message(&path, &uri, &headers)?;
    let form = Form::read(&headers, &body);
    let updated = app.change(|state, now| state.update(sid, &form, now));
    let resource = updated.ok_or_else(|| ApiError::not_found(uri.path()))??;
    Ok(json_response(StatusCode::OK, &resource))
}

async fn delete(
    State(app): App,
    path: Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sid = app.authorise_message(&path, &uri, &headers)?;
    app.change(|state, _| state.delete(sid)).ok_or_else(|| ApiError::not_found(uri.path()))??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Simulator {
    /// Whether the request comes from the account that it is about.
    fn authorise(&self, account: &str, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let login = basic_login(headers);
        if !login.is_some_and(|(user, password)| self.config.accepts_login(&user, &password)) {
            return Err(ApiError::new(20003, "Authenticate"));
        }
        if account != self.config.account_sid {
            return Err(ApiError::not_found(uri.path()));
        }
        Ok(())
    }

    /// The id of the message that the path names, for those who may see it.
    fn authorise_message<'a>(
        &self,
        Path((account, file)): &'a Path<(String, String)>,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<&'a str, ApiError> {
        self.authorise(account, uri, headers)?;
        file.strip_suffix(".json").ok_or_else(|| ApiError::not_found(uri.path()))
    }

    fn check_readable(&self) -> Result<(), ApiError> {
        if self.change(|state, _| state.read_fails()) {
            return Err(ApiError::new(20503, "Service Unavailable"));
        }
        Ok(())
    }
}

fn basic_login(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let login = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = login.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// An answer that is none: its body fails before its first byte, and the server closes the connection then, with
/// the headers still unsent.
fn hang_up() -> Response {
    Response::new(Body::new(Limited::new(Full::new(Bytes::from_static(b"no answer")), 1)))
}
