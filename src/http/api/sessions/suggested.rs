//! `PATCH /v1/suggested_messages/{suggested_message_id}`: an agent uses a text that the bot proposed.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::SuggestedMessage;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound);

/// Use a suggested message
///
/// Counts that an agent used it (`selected_count`), as it was or changed. It is texted by creating a message, not by this.
/// What a body says is not read.
#[utoipa::path(
    patch, path = "/v1/suggested_messages/{suggested_message_id}", operation_id = "use_suggested_message",
    tag = "Sessions",
    params(("suggested_message_id" = String, Path, format = "uuid")),
    responses((status = 200, body = SuggestedMessage, description = "It, counted."), Refused)
)]
pub async fn use_suggested_message(
    State(state): State<HttpState>,
    caller: Caller,
    Named(id): Named<String>,
    params: Params,
) -> Result<Json<SuggestedMessage>, Problem> {
    caller.must_be_human()?;
    let id = named::id("suggested message", &id)?;
    params.finish()?;
    let used = state.gateway().use_suggestion(id).await?;
    used.map(|used| Json(used.into())).ok_or_else(|| Problem::not_found("suggested message"))
}
