//! `POST /v1/messages/{message_id}/cancel`: takes a text back that has not left yet.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Delivery;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound, NotQueued);

/// Cancel a message
///
/// Only while it is `queued`. For agents and admins.
#[utoipa::path(
    post, path = "/v1/messages/{message_id}/cancel", operation_id = "cancel_message", tag = "Messages",
    params(("message_id" = String, Path, format = "uuid")),
    responses((status = 200, body = Delivery, description = "It is canceled."), Refused)
)]
pub async fn cancel_message(
    State(state): State<HttpState>,
    caller: Caller,
    Named(message): Named<String>,
    params: Params,
) -> Result<Json<Delivery>, Problem> {
    caller.must_be_human()?;
    let id = named::id("message", &message)?;
    params.finish()?;
    let message = state.gateway().cancel_message(id).await?;
    Ok(Json(Delivery::of(&message)))
}
