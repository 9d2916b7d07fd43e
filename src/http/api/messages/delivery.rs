//! `GET /v1/messages/{message_id}/delivery`: what became of a message on its way.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Delivery;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound);

/// Retrieve what became of a message
#[utoipa::path(
    get, path = "/v1/messages/{message_id}/delivery", operation_id = "get_delivery", tag = "Messages",
    params(("message_id" = String, Path, format = "uuid")),
    responses((status = 200, body = Delivery, description = "What became of it so far."), Refused)
)]
pub async fn get_delivery(
    State(state): State<HttpState>,
    _: Caller,
    Named(message): Named<String>,
    params: Params,
) -> Result<Json<Delivery>, Problem> {
    let message = named::message(&state, &message).await?;
    params.finish()?;
    Ok(Json(Delivery::of(&message)))
}
