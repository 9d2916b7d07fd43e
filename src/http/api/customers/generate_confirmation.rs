//! `POST /v1/customers/{customer_id}/generate_confirmation`.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound, AlreadyConfirmed);

/// Generate a confirmation token
///
/// A new one, in place of any that is out. It is not in the answer.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/generate_confirmation", operation_id = "generate_confirmation",
    tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    responses((status = 201, description = "It is out."), Refused)
)]
pub async fn generate_confirmation(
    State(state): State<HttpState>,
    _: Caller,
    Named(customer): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    let id = named::id("customer", &customer)?;
    params.finish()?;
    state.gateway().generate_confirmation(id).await?;
    Ok(StatusCode::CREATED)
}
