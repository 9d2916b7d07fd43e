//! `POST /v1/customers/{customer_id}/send_confirmation`.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound, AlreadyConfirmed, CustomerUnreachable, CustomerUnsubscribed, NoLane);

/// Send the confirmation token
///
/// Texts the customer the token that is out, or a new one, if the server has a text for it.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/send_confirmation", operation_id = "send_confirmation",
    tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    responses((status = 204, description = "It is on its way."), Refused)
)]
pub async fn send_confirmation(
    State(state): State<HttpState>,
    _: Caller,
    Named(customer): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    let id = named::id("customer", &customer)?;
    params.finish()?;
    state.gateway().send_confirmation(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
