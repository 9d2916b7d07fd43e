//! `PATCH /v1/customers/{customer_id}`.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::{check_email, check_name, time_zone};
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::named::{self, Named};
use crate::http::objects::Customer;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;
use crate::store::CustomerPatch;

/// What changes; what is left out stays, and null clears.
#[derive(ToSchema)]
#[schema(example = json!({"first_name": "Ada", "last_name": null}))]
#[expect(clippy::option_option, reason = "left out and cleared are different wishes")]
pub struct CustomerUpdate {
    #[schema(value_type = Option<String>, max_length = 254)]
    email: Option<Option<String>>,
    #[schema(value_type = Option<String>, max_length = 100)]
    first_name: Option<Option<String>>,
    #[schema(value_type = Option<String>, max_length = 100)]
    last_name: Option<Option<String>>,
    /// IANA name.
    #[schema(nullable = false)]
    time_zone: Option<String>,
}

impl FromFields for CustomerUpdate {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.nullable::<String>("email");
        check_email(fields, email.as_ref().and_then(Option::as_deref));
        let first_name = fields.nullable::<String>("first_name");
        check_name(fields, "first_name", first_name.as_ref().and_then(Option::as_deref));
        let last_name = fields.nullable::<String>("last_name");
        check_name(fields, "last_name", last_name.as_ref().and_then(Option::as_deref));
        let time_zone = time_zone(fields);
        Some(Self { email, first_name, last_name, time_zone })
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, NotFound);

/// Update a customer
///
/// For agents and admins. A number is never changed: it is who the customer is.
#[utoipa::path(
    patch, path = "/v1/customers/{customer_id}", operation_id = "update_customer", tag = "Customers",
    params(("customer_id" = String, Path, format = "uuid")),
    request_body = CustomerUpdate,
    responses((status = 200, body = Customer, description = "The customer, changed."), Refused)
)]
pub async fn update_customer(
    State(state): State<HttpState>,
    caller: Caller,
    Named(customer): Named<String>,
    params: Params,
    sent: Sent,
) -> Result<Json<Customer>, Problem> {
    caller.must_be_human()?;
    let id = named::customer(&state, &customer).await?.id;
    params.finish()?;
    let CustomerUpdate { email, first_name, last_name, time_zone } = sent.read().await?;
    let patch = CustomerPatch { email, first_name, last_name, time_zone };
    Ok(Json(state.gateway().update_customer(id, patch).await?.into()))
}
