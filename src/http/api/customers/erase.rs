//! `DELETE /v1/customers/{customer_id}`: the right to be forgotten.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound);

/// Erase a customer
///
/// For admins. The person is gone, with their sessions and messages. If they were unsubscribed, their number stays so.
#[utoipa::path(
    delete, path = "/v1/customers/{customer_id}", operation_id = "erase_customer", tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    responses((status = 204, description = "They are erased."), Refused)
)]
pub async fn erase_customer(
    State(state): State<HttpState>,
    caller: Caller,
    Named(customer): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    caller.must_be_admin()?;
    let id = named::id("customer", &customer)?;
    params.finish()?;
    state.gateway().erase_customer(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
