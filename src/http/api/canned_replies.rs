//! `GET /v1/canned_replies`: texts that agents say often.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// A text that agents say often.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"title": "Hours", "content": "We are here from 9 to 5, Monday to Friday."}))]
pub struct CannedReply {
    pub title: String,
    pub content: String,
}

refusals!(Refused: WITH_TOKEN);

/// List canned replies
///
/// As they stand in the configuration.
#[utoipa::path(
    get, path = "/v1/canned_replies", operation_id = "list_canned_replies", tag = "Messages",
    responses((status = 200, body = Vec<CannedReply>, description = "All of them."), Refused)
)]
pub async fn list_canned_replies(
    State(state): State<HttpState>,
    _: Caller,
    params: Params,
) -> Result<Json<Vec<CannedReply>>, Problem> {
    params.finish()?;
    Ok(Json(state.canned_replies.to_vec()))
}
