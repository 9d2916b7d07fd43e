//! `POST /v1/bot/enable`: a bot that asked not to be called is called again.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden);

/// Enable the bot
///
/// A bot that answered 410 is not called until then; also one that failed again and again is called at once. For admins.
#[utoipa::path(
    post, path = "/v1/bot/enable", operation_id = "enable_bot", tag = "Bot",
    responses((status = 204, description = "It is called again."), Refused)
)]
pub async fn enable_bot(
    State(state): State<HttpState>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    caller.must_be_admin()?;
    params.finish()?;
    state.gateway().enable_bot().await?;
    Ok(StatusCode::NO_CONTENT)
}
