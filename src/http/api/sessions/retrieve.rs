//! `GET /v1/customers/{customer_id}/sessions/{session_id}`.

use axum::Json;
use axum::extract::State;

use super::{EXPANSIONS, expanded};
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Session;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound, NoCurrentSession);

/// Retrieve a session
///
/// `current` is the customer's newest session, while it is held by agents or its last message is recent.
#[utoipa::path(
    get, path = "/v1/customers/{customer_id}/sessions/{session_id}", operation_id = "get_session", tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "An id, or `current`.", example = "current"),
        ("expand" = Option<String>, Query, description = "What comes with it: `messages`, `customer`, `last_message`, `attention`, `suggested_messages`; commas between them."),
    ),
    responses((status = 200, body = Session, description = "The session."), Refused)
)]
pub async fn get_session(
    State(state): State<HttpState>,
    _: Caller,
    Named((customer, session)): Named<(String, String)>,
    mut params: Params,
) -> Result<Json<Session>, Problem> {
    let customer = named::customer(&state, &customer).await?;
    let wishes = params.expand(&EXPANSIONS);
    params.finish()?;
    let session = named::session(&state, &customer, &session).await?;
    Ok(Json(expanded(&state, session, &wishes).await?))
}
