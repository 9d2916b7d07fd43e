//! The customer object. The confirmation token is not part of it: whoever could read it could confirm any number.

use serde::Serialize;
use utoipa::ToSchema;

use super::Moment;
use crate::domain;
use crate::domain::ids::CustomerId;
use crate::domain::phone::Address;

/// A person who texts with the brand.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "fffd7e80-1691-41f5-8946-9deeaf0b8640",
    "phone_number": "+15550002222",
    "unconfirmed_phone_number": null,
    "country_code": "US",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": null,
    "time_zone": "America/New_York",
    "unsubscribed": false,
    "confirmed_at": "2017-04-21T14:38:59.691Z",
    "confirmation_sent_at": null,
    "created_at": "2017-04-21T14:38:59.691Z",
    "updated_at": "2017-04-21T18:10:51.475Z"
}))]
pub struct Customer {
    #[schema(value_type = String, format = "uuid")]
    pub id: CustomerId,
    /// The number that the customer proved to be theirs, in E.164.
    #[schema(required)]
    pub phone_number: Option<String>,
    /// The number that somebody said is theirs, in E.164.
    #[schema(required)]
    pub unconfirmed_phone_number: Option<String>,
    /// The number's country, ISO 3166-1 alpha-2.
    #[schema(required)]
    pub country_code: Option<String>,
    #[schema(required)]
    pub email: Option<String>,
    #[schema(required)]
    pub first_name: Option<String>,
    #[schema(required)]
    pub last_name: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// Asked not to be texted, and is not.
    pub unsubscribed: bool,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub confirmed_at: Option<Moment>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub confirmation_sent_at: Option<Moment>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Moment,
}

impl From<domain::customer::Customer> for Customer {
    fn from(customer: domain::customer::Customer) -> Self {
        let number = |address: Option<Address>| address.map(|address| address.as_str().to_owned());
        Self {
            id: customer.id,
            phone_number: number(customer.phone_number),
            unconfirmed_phone_number: number(customer.unconfirmed_phone_number),
            country_code: customer.country_code,
            email: customer.email,
            first_name: customer.first_name,
            last_name: customer.last_name,
            time_zone: customer.time_zone,
            unsubscribed: customer.unsubscribed,
            confirmed_at: customer.confirmed_at.map(Moment),
            confirmation_sent_at: customer.confirmation_sent_at.map(Moment),
            created_at: customer.created_at.into(),
            updated_at: customer.updated_at.into(),
        }
    }
}
