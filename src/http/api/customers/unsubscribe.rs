//! `POST /v1/customers/{customer_id}/unsubscribe`.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{Kind, Problem};
use crate::store::Subscription;

refusals!(Refused: WITH_TOKEN; NotFound, AlreadyUnsubscribed);

/// Unsubscribe a customer
///
/// Nothing is texted to them any more, and what waits for them is canceled. It goes into the consent log with the
/// token's name.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/unsubscribe", operation_id = "unsubscribe_customer", tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    responses((status = 204, description = "They are not texted any more."), Refused)
)]
pub async fn unsubscribe_customer(
    State(state): State<HttpState>,
    caller: Caller,
    Named(customer): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    let id = named::id("customer", &customer)?;
    params.finish()?;
    match state.gateway().set_subscription(id, true, &caller.name).await? {
        Subscription::Changed => Ok(StatusCode::NO_CONTENT),
        Subscription::Already => {
            Err(Problem::new(Kind::AlreadyUnsubscribed, "The customer is unsubscribed already."))
        }
    }
}
