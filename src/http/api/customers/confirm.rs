//! `POST /v1/customers/{customer_id}/confirm`: the customer has given the token back.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::named::{self, Named};
use crate::http::objects::Customer;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// What the customer gave back.
#[derive(ToSchema)]
#[schema(example = json!({"confirmation_token": "042042"}))]
pub struct Confirmation {
    /// Six digits, good for half an hour and five tries.
    confirmation_token: String,
}

impl FromFields for Confirmation {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { confirmation_token: fields.required("confirmation_token")? })
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; NotFound, AlreadyConfirmed, ConfirmationInvalid);

/// Confirm a customer
///
/// The number is the customer's, as they could read what was texted to it: it becomes `phone_number`.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/confirm", operation_id = "confirm_customer", tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    request_body = Confirmation,
    responses((status = 200, body = Customer, description = "The customer, confirmed."), Refused)
)]
pub async fn confirm_customer(
    State(state): State<HttpState>,
    caller: Caller,
    Named(customer): Named<String>,
    params: Params,
    sent: Sent,
) -> Result<Json<Customer>, Problem> {
    let id = named::customer(&state, &customer).await?.id;
    params.finish()?;
    let Confirmation { confirmation_token } = sent.read().await?;
    let customer = state.gateway().confirm_customer(id, confirmation_token, &caller.name).await?;
    Ok(Json(customer.into()))
}
