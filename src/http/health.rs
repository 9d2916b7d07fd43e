//! For whoever runs it: is the process alive, should it get calls, and what it counts. None of it needs a token, and
//! none of it asks a provider: theirs is not our health.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::HttpState;
use crate::gateway::Gateway;
use crate::store::StoreError;

/// A store that says nothing for that long is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether calls should come here.
#[derive(Default)]
pub struct Readiness {
    retired: AtomicBool,
}

impl Readiness {
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
struct Ready {
    /// `ok`, or `unavailable` if any check is not `ok`.
    status: &'static str,
    checks: Checks,
    /// Why the store is not `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Checks {
    /// `ok`, or `unavailable`: it takes nothing new.
    store: &'static str,
    /// `ok`, or `stopping`.
    process: &'static str,
}

pub fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/healthz", operation_id = "get_health", tag = "Health", security(()),
    responses((status = 200, body = Health, description = "It is."))
)]
async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Should calls come here?
#[utoipa::path(
    get, path = "/readyz", operation_id = "get_readiness", tag = "Health", security(()),
    responses(
        (status = 200, body = Ready, description = "They should."),
        (status = 503, body = Ready, description = "They should not: a check failed.")
    )
)]
async fn ready(State(state): State<HttpState>) -> Response {
    let reason = why_not(&state.gateway).await;
    let store = if reason.is_none() { "ok" } else { "unavailable" };
    let process = if state.readiness.is_retired() { "stopping" } else { "ok" };
    let all_good = store == "ok" && process == "ok";
    let (code, status) =
        if all_good { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    (code, Json(Ready { status, checks: Checks { store, process }, reason })).into_response()
}

/// Why the store takes nothing new; none: it does. Of what the engine says only that it failed, since anybody may ask.
async fn why_not(gateway: &Gateway) -> Option<String> {
    let Ok(ready) = tokio::time::timeout(PATIENCE, gateway.store().ready()).await else {
        tracing::warn!("the store does not say whether it is ready");
        return Some("the store does not answer".into());
    };
    let Some(error) = ready.err() else {
        return gateway.start_is_put_off().then(|| "what an earlier process left is being taken up".into());
    };
    tracing::debug!(%error, "the store is not ready");
    Some(match error {
        StoreError::Overloaded | StoreError::Full { .. } => error.to_string(),
        StoreError::Unavailable(_) | StoreError::Uncertain(_) => {
            "the storage engine is away; it is opened again by itself".into()
        }
        StoreError::BrokeOff(_) | StoreError::Corrupt(_) | StoreError::TooLarge(_) => {
            "the store cannot be used".into()
        }
    })
}

/// What is counted, in the OpenMetrics text format
#[utoipa::path(
    get, path = "/metrics", operation_id = "get_metrics", tag = "Health", security(()),
    responses((
        status = 200, body = String, content_type = "application/openmetrics-text",
        description = "All metrics. Those that count what is stored are of the last time that the store could be read."
    ))
)]
async fn metrics(State(state): State<HttpState>) -> Response {
    let store = state.gateway.store();
    let is_ready = why_not(&state.gateway).await.is_none();
    let counts = tokio::time::timeout(PATIENCE, store.counts()).await;
    let text = state.gateway.metrics().render(counts.ok().and_then(Result::ok), is_ready);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], text).into_response()
}
