//! `POST /v1/bot/turns/{turn_id}/replay`: the bot is told once more.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Turn;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound, TurnNotOver, SessionHeld);

/// Replay a turn
///
/// The bot is told it again, as a new turn of its session, once its other turns are over. Not while agents have the
/// session. For admins.
#[utoipa::path(
    post, path = "/v1/bot/turns/{turn_id}/replay", operation_id = "replay_turn", tag = "Bot",
    params(("turn_id" = String, Path, format = "uuid")),
    responses((status = 201, body = Turn, description = "The new turn."), Refused)
)]
pub async fn replay_turn(
    State(state): State<HttpState>,
    caller: Caller,
    Named(turn): Named<String>,
    params: Params,
) -> Result<(StatusCode, Json<Turn>), Problem> {
    caller.must_be_admin()?;
    let id = named::id("turn", &turn)?;
    params.finish()?;
    let again = state.gateway().replay_turn(id).await?;
    Ok((StatusCode::CREATED, Json(again.into())))
}
