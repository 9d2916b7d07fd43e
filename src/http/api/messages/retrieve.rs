//! `GET /v1/messages/{message_id}`.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Message;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound);

/// Retrieve a message
#[utoipa::path(
    get, path = "/v1/messages/{message_id}", operation_id = "get_message", tag = "Messages",
    params(
        ("message_id" = String, Path, format = "uuid"),
        ("expand" = Option<String>, Query, description = "What comes with it: `delivery`, `author`, `media`; commas between them."),
    ),
    responses((status = 200, body = Message, description = "The message."), Refused)
)]
pub async fn get_message(
    State(state): State<HttpState>,
    _: Caller,
    Named(message): Named<String>,
    mut params: Params,
) -> Result<Json<Message>, Problem> {
    let message = named::message(&state, &message).await?;
    let wishes = params.expand(&Message::EXPANSIONS);
    params.finish()?;
    Ok(Json(Message::expanded(message, &wishes)))
}
