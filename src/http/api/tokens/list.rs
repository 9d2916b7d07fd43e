//! `GET /v1/tokens`.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::Token;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden);

/// List the minted tokens
///
/// For admins. All of them, revoked ones too; those of the configuration are not among them.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "list_tokens", tag = "Tokens",
    responses((status = 200, body = Vec<Token>, description = "The tokens."), Refused)
)]
pub async fn list_tokens(
    State(state): State<HttpState>,
    caller: Caller,
    params: Params,
) -> Result<Json<Vec<Token>>, Problem> {
    caller.must_be_admin()?;
    params.finish()?;
    let tokens = state.gateway().store().tokens().await?;
    Ok(Json(tokens.into_iter().map(Token::from).collect()))
}
