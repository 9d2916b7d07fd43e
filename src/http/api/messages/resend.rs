//! `POST /v1/messages/{message_id}/resend`: somebody decides to send a text again of which nobody can say whether it left.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Delivery;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound, NotHeld, CustomerUnconfirmed, CustomerUnsubscribed, SessionHeld);

/// Send a held message again
///
/// Only while it is held: `unknown`, with `held_at`. It may be that it arrived, and arrives twice then. It keeps its place
/// among what waits for the customer. For agents and admins.
#[utoipa::path(
    post, path = "/v1/messages/{message_id}/resend", operation_id = "resend_message", tag = "Messages",
    params(("message_id" = String, Path, format = "uuid")),
    responses((status = 200, body = Delivery, description = "It is queued again."), Refused)
)]
pub async fn resend_message(
    State(state): State<HttpState>,
    caller: Caller,
    Named(message): Named<String>,
    params: Params,
) -> Result<Json<Delivery>, Problem> {
    caller.must_be_human()?;
    let id = named::id("message", &message)?;
    params.finish()?;
    let message = state.gateway().resend_message(id).await?;
    Ok(Json(Delivery::of(&message)))
}
