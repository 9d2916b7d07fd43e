//! `GET /v1/export`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;
use crate::store::StoreError;
use crate::store::export::Lines;

const NDJSON: &str = "application/x-ndjson";

refusals!(Refused: WITH_TOKEN; Forbidden);

/// Export everything
///
/// For admins. All that the store holds, as it is now, while work goes on: one JSON object a line, the last of which
/// counts and proves the others. An answer without it broke off, and is no backup. One export at a time.
#[utoipa::path(
    get, path = "/v1/export", operation_id = "export", tag = "Backup",
    responses(
        (status = 200, description = "The export, line by line.", body = String, content_type = NDJSON),
        Refused
    )
)]
pub async fn export(
    State(state): State<HttpState>,
    caller: Caller,
    params: Params,
) -> Result<Response, Problem> {
    caller.must_be_admin()?;
    params.finish()?;
    let gateway = state.gateway();
    let lines = Lines::of_running(gateway.store().export().await?, gateway.now());
    tracing::info!(by = caller.name, "an export was begun");
    let headers = [(CONTENT_TYPE, NDJSON), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(try_unfold(lines, chunk))).into_response())
}

/// The next chunk. After an error the connection is broken off, so that nobody takes the answer for whole.
async fn chunk(mut lines: Lines) -> Result<Option<(Bytes, Lines)>, StoreError> {
    match lines.next().await {
        Ok(Some(chunk)) => Ok(Some((chunk.into(), lines))),
        Ok(None) => {
            if let Some(summary) = lines.summary() {
                tracing::info!(
                    records = summary.records(),
                    sha256 = summary.sha256(),
                    "an export is at its end"
                );
            }
            Ok(None)
        }
        Err(error) => {
            tracing::error!(%error, "an export broke off");
            Err(error)
        }
    }
}
