//! `DELETE /v1/tokens/{token_id}`.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound);

/// Revoke a token
///
/// For admins. It is good for nothing from now on.
#[utoipa::path(
    delete, path = "/v1/tokens/{token_id}", operation_id = "revoke_token", tag = "Tokens",
    params(("token_id" = String, Path, format = "uuid")),
    responses((status = 204, description = "It is revoked."), Refused)
)]
pub async fn revoke_token(
    State(state): State<HttpState>,
    caller: Caller,
    Named(token): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    caller.must_be_admin()?;
    let id = named::id("token", &token)?;
    params.finish()?;
    let found = state.gateway().revoke_token(id).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("token")) }
}
