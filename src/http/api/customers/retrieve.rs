//! `GET /v1/customers/{customer_id}`.

use axum::Json;
use axum::extract::State;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Customer;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound);

/// Retrieve a customer
#[utoipa::path(
    get, path = "/v1/customers/{customer_id}", operation_id = "get_customer", tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    responses((status = 200, body = Customer, description = "The customer."), Refused)
)]
pub async fn get_customer(
    State(state): State<HttpState>,
    _: Caller,
    Named(customer): Named<String>,
    params: Params,
) -> Result<Json<Customer>, Problem> {
    let customer = named::customer(&state, &customer).await?;
    params.finish()?;
    Ok(Json(customer.into()))
}
