//! `POST /v1/customers/{customer_id}/subscribe`.

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{Kind, Problem};
use crate::store::Subscription;

refusals!(Refused: WITH_TOKEN; Forbidden, NotFound, AlreadySubscribed);

/// Subscribe a customer
///
/// For agents and admins, when the customer asked for it: it goes into the consent log with the token's name.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/subscribe", operation_id = "subscribe_customer", tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    responses((status = 204, description = "They may be texted."), Refused)
)]
pub async fn subscribe_customer(
    State(state): State<HttpState>,
    caller: Caller,
    Named(customer): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    caller.must_be_human()?;
    let id = named::id("customer", &customer)?;
    params.finish()?;
    match state.gateway().set_subscription(id, false, &caller.name).await? {
        Subscription::Changed => Ok(StatusCode::NO_CONTENT),
        Subscription::Already => {
            Err(Problem::new(Kind::AlreadySubscribed, "The customer is subscribed already."))
        }
    }
}
