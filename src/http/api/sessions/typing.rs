//! `POST /v1/customers/{customer_id}/sessions/{session_id}/typing`: agents see who of them is typing.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// Whether the caller is typing.
#[derive(ToSchema)]
#[schema(example = json!({"typing": true}))]
pub struct TypingNow {
    typing: bool,
}

impl FromFields for TypingNow {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { typing: fields.required("typing")? })
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, NotFound, NoCurrentSession);

/// Say who is typing
///
/// Whoever follows the events right now sees `session.typing`. Nothing is kept, and the customer sees nothing. Say it again every
/// few seconds while it lasts.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/sessions/{session_id}/typing", operation_id = "type_in_session",
    tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "Only `current` is accepted.", example = "current"),
    ),
    request_body = TypingNow,
    responses((status = 204, description = "It is told."), Refused)
)]
pub async fn type_in_session(
    State(state): State<HttpState>,
    caller: Caller,
    Named((customer, session)): Named<(String, String)>,
    params: Params,
    sent: Sent,
) -> Result<StatusCode, Problem> {
    caller.must_be_human()?;
    named::must_be_current(&session)?;
    let customer = named::customer(&state, &customer).await?;
    let session = named::session(&state, &customer, &session).await?;
    params.finish()?;
    let TypingNow { typing } = sent.read().await?;
    state.gateway().types(session.id, customer.id, &caller.name, typing);
    Ok(StatusCode::NO_CONTENT)
}
