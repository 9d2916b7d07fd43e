//! `GET /v1/export`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;

use crate::gateway::exports::Exporting;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;
use crate::store::StoreError;

const NDJSON: &str = "application/x-ndjson";

refusals!(Refused: WITH_TOKEN; Forbidden, ExportUnderWay);

/// Export everything
///
/// For admins. All that the store holds, as it is now, while work goes on: one JSON object a line, the last of which
/// counts and proves the others. An answer without it broke off, and is no backup. One export at a time; one of which
/// nothing is read for a minute is given up.
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
    let export = state.gateway().export().await?;
    tracing::info!(by = caller.name, "an export was begun");
    let headers = [(CONTENT_TYPE, NDJSON), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(try_unfold(export, chunk))).into_response())
}

/// The next chunk. After an error the connection is broken off, so that nobody takes the answer for whole.
async fn chunk(mut export: Exporting) -> Result<Option<(Bytes, Exporting)>, StoreError> {
    Ok(export.next().await?.map(|lines| (lines.into(), export)))
}
