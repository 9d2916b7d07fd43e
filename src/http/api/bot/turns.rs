//! `GET /v1/bot/turns?failed=true` and `GET /v1/bot/turns/{turn_id}`: what the bot was told in vain.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Turn;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound);

/// List failed turns
///
/// The turns that the bot could not be told, and those whose answer did not count, the newest first. For agents and admins.
#[utoipa::path(
    get, path = "/v1/bot/turns", operation_id = "list_failed_turns", tag = "Bot",
    params(
        ("failed" = bool, Query, description = "`true`: there is no list of all turns."),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 1000; 100 if not given."),
        ("cursor" = Option<String>, Query, description = "Where the page starts; from the `Link` of the page before."),
    ),
    responses(
        (status = 200, body = Vec<Turn>, description = "A page of turns.",
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        Refused
    )
)]
pub async fn list_failed_turns(
    State(state): State<HttpState>,
    caller: Caller,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<Turn>, Problem> {
    caller.must_be_human()?;
    if params.flag("failed") != Some(true) {
        params.refuse("failed", "must be true: there is no list of all turns");
    }
    let request = params.page();
    params.finish()?;
    let page = state.gateway().store().failed_turns(request).await?;
    Ok(Listed::new(&uri, page.items.into_iter().map(Turn::from).collect(), page.next.as_ref()))
}

/// Retrieve a turn
///
/// For agents and admins.
#[utoipa::path(
    get, path = "/v1/bot/turns/{turn_id}", operation_id = "get_turn", tag = "Bot",
    params(("turn_id" = String, Path, format = "uuid")),
    responses((status = 200, body = Turn, description = "The turn."), Refused)
)]
pub async fn get_turn(
    State(state): State<HttpState>,
    caller: Caller,
    Named(turn): Named<String>,
    params: Params,
) -> Result<Json<Turn>, Problem> {
    caller.must_be_human()?;
    let id = named::id("turn", &turn)?;
    params.finish()?;
    let turn = state.gateway().store().turn(id).await?;
    turn.map(|turn| Json(turn.into())).ok_or_else(|| Problem::not_found("turn"))
}
