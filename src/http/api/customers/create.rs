//! `POST /v1/customers`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use super::{check_email, check_name, time_zone};
use crate::domain::phone::PhoneNumber;
use crate::gateway::customers;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::idempotency;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::objects::Customer;
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{FieldError, Problem};

/// A customer to be.
#[derive(ToSchema)]
#[schema(example = json!({"unconfirmed_phone_number": "+1 (555) 000-2222", "first_name": "Ada", "time_zone": "America/New_York"}))]
pub struct NewCustomer {
    /// As people write it; without a country code it belongs to the server's own region, if it has one.
    unconfirmed_phone_number: String,
    #[schema(nullable = false, max_length = 254)]
    email: Option<String>,
    #[schema(nullable = false, max_length = 100)]
    first_name: Option<String>,
    #[schema(nullable = false, max_length = 100)]
    last_name: Option<String>,
    /// IANA name; `UTC` if not given.
    #[schema(nullable = false)]
    time_zone: Option<String>,
    /// `true`, or left out: the number waits for its confirmation. `false`: you vouch for it, and the customer is
    /// created confirmed.
    #[schema(nullable = false, default = true)]
    confirmation: Option<bool>,
}

impl FromFields for NewCustomer {
    fn read(fields: &mut Fields) -> Option<Self> {
        let unconfirmed_phone_number = fields.required("unconfirmed_phone_number");
        let email: Option<String> = fields.optional("email");
        check_email(fields, email.as_deref());
        let first_name: Option<String> = fields.optional("first_name");
        check_name(fields, "first_name", first_name.as_deref());
        let last_name: Option<String> = fields.optional("last_name");
        check_name(fields, "last_name", last_name.as_deref());
        let time_zone = time_zone(fields);
        let confirmation = fields.optional("confirmation");
        let unconfirmed_phone_number = unconfirmed_phone_number?;
        Some(Self { unconfirmed_phone_number, email, first_name, last_name, time_zone, confirmation })
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, NumberTaken, IdempotencyMismatch, InvalidHeader);

/// Create a customer
///
/// For agents and admins. Whoever texts first needs no creating.
#[utoipa::path(
    post, path = "/v1/customers", operation_id = "create_customer", tag = "Customers",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gives the first answer again, for a day."),
    ),
    request_body = NewCustomer,
    responses(
        (status = 201, body = Customer, description = "The customer.",
            headers(("Idempotency-Replayed" = String, description = "`true` if it is the first answer again."))),
        Refused
    )
)]
pub async fn create_customer(
    State(state): State<HttpState>,
    caller: Caller,
    params: Params,
    sent: Sent,
) -> Result<Response, Problem> {
    caller.must_be_human()?;
    params.finish()?;
    let (new, idempotency) = sent.read_keyed::<NewCustomer>(&caller).await?;
    let number = PhoneNumber::parse_human(&new.unconfirmed_phone_number, state.default_region.as_deref());
    let number = number.map_err(|wrong| {
        let pointer = "/unconfirmed_phone_number".to_owned();
        Problem::invalid_body(vec![FieldError { pointer, detail: format!("cannot be taken: {wrong}") }])
    })?;
    let new = customers::NewCustomer {
        number,
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        time_zone: new.time_zone,
        confirmed: new.confirmation == Some(false),
        idempotency,
    };
    let created = state.gateway().create_customer(new, &caller.name).await?;
    let response = (StatusCode::CREATED, Json(Customer::from(created.value))).into_response();
    Ok(idempotency::mark(response, created.replayed))
}
