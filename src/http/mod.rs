//! The HTTP floor: the API as it stands on the wire, the providers' webhooks, health and documentation.
//!
//! A handler reads its call, asks the [`Gateway`] and writes the answer; it decides nothing about conversations. The
//! folder reads like the API, one endpoint a file, and the router and the OpenAPI document come from the same
//! `routes!` lines. Every refusal is a [`problem::Problem`]. Refusals come in one order: who is asking (401), how
//! often (429), what they may (403), what the path names (404), what the body says (415, 413, 400, 422), and then what
//! the conversation allows (404 `no-current-session`, 409).

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::bot::AnswerLimits;
use crate::domain::reply::ReplyKey;
use crate::gateway::Gateway;

mod api;
pub mod auth;
mod calls;
mod console;
mod docs;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod health;
mod idempotency;
pub mod json;
mod named;
pub mod objects;
mod observe;
pub mod page;
pub mod params;
pub mod problem;
mod receive;
mod settings;

pub use api::canned_replies::CannedReply;
use auth::Access;
use calls::Calls;
use health::Readiness;
pub use settings::{ConfigToken, HttpSettings, SecretHash};

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct HttpState {
    gateway: Arc<Gateway>,
    access: Arc<Access>,
    calls: Arc<Calls>,
    readiness: Arc<Readiness>,
    max_body_bytes: usize,
    default_region: Option<Arc<str>>,
    init_secret: Option<SecretHash>,
    reply_keys: Arc<[ReplyKey]>,
    answer_limits: AnswerLimits,
    canned_replies: Arc<[CannedReply]>,
    secure_cookies: bool,
}

impl HttpState {
    pub fn new(gateway: Arc<Gateway>, settings: HttpSettings) -> Self {
        Self {
            calls: Arc::new(Calls::new(Arc::clone(&gateway), settings.calls)),
            access: Arc::new(Access::new(settings.config_tokens)),
            readiness: Arc::default(),
            max_body_bytes: settings.max_body_bytes,
            default_region: settings.default_region.map(Arc::from),
            init_secret: settings.init_secret,
            reply_keys: settings.reply_keys.into(),
            answer_limits: settings.answer_limits,
            canned_replies: settings.canned_replies.into(),
            secure_cookies: settings.secure_cookies,
            gateway,
        }
    }

    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// From now on `/readyz` says no, so that no new calls are sent here while the process ends.
    pub fn retire(&self) {
        self.readiness.retire();
    }
}

/// The whole HTTP side of the daemon.
pub fn router(state: HttpState) -> Router {
    let (api, document) = docs::documented().split_for_parts();
    api.merge(docs::pages(&document))
        .merge(console::routes())
        .merge(problem::page::routes())
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}

/// What is answered to everything where all places for connections are taken.
pub async fn no_place_left() -> problem::Problem {
    let detail = "More connections are open than there is room for. Nothing was taken. Make the same call again in a moment.";
    problem::Problem::new(problem::Kind::Unavailable, detail).retry_after(1)
}

/// The description of the API, from the same definitions as the router.
pub fn openapi() -> utoipa::openapi::OpenApi {
    docs::documented().into_openapi()
}

/// The same as pretty JSON, always in the same order.
pub fn openapi_json() -> String {
    docs::render(&openapi())
}

#[cfg(test)]
mod tests;
