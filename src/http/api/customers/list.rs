//! `GET /v1/customers`, all of them or the one with a number.

use axum::extract::State;
use axum::http::Uri;

use crate::domain::phone::{Address, PhoneNumber};
use crate::domain::search::Query;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::Customer;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN);

/// List customers
///
/// In the order of their creation, the oldest first. With `phone_number`: the one who has it, confirmed or not, or
/// nobody. With `query`: those whom it finds, in the order of what they are found by.
#[utoipa::path(
    get, path = "/v1/customers", operation_id = "list_customers", tag = "Customers",
    params(
        ("phone_number" = Option<String>, Query, description = "In E.164. The plus may be written as it is or as `%2B`.", example = "+15550002222"),
        ("query" = Option<String>, Query, description = "Those whose names begin with these words, or whose number begins or ends with these digits; at least two. One page, of `limit`.", example = "ann"),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 1000; 100 if not given."),
        ("cursor" = Option<String>, Query, description = "Where the page starts; from the `Link` of the page before."),
    ),
    responses(
        (status = 200, body = Vec<Customer>, description = "A page of customers.",
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        Refused
    )
)]
pub async fn list_customers(
    State(state): State<HttpState>,
    _: Caller,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<Customer>, Problem> {
    let number = number(&mut params);
    let query = query(&mut params);
    let request = params.page();
    params.finish()?;
    if let Some(number) = number {
        let customer = state.gateway().store().customer_by_number(&number).await?;
        return Ok(Listed::new(&uri, customer.into_iter().map(Customer::from).collect(), None));
    }
    if let Some(query) = query {
        let found = state.gateway().store().search_customers(query, request.limit).await?;
        return Ok(Listed::new(&uri, found.into_iter().map(Customer::from).collect(), None));
    }
    let page = state.gateway().store().customers(request).await?;
    let customers = page.items.into_iter().map(Customer::from).collect();
    Ok(Listed::new(&uri, customers, page.next.as_ref()))
}

/// What somebody remembers of a name or a number.
fn query(params: &mut Params) -> Option<Query> {
    let text = params.text("query")?;
    match Query::parse(&text) {
        Ok(query) => Some(query),
        Err(wrong) => {
            params.refuse("query", &wrong.to_string());
            None
        }
    }
}

/// A phone number; or a short code or sender name, where such a one has texted.
fn number(params: &mut Params) -> Option<Address> {
    let text = params.text("phone_number")?;
    // A plus in a query means a space, and a space in front of a number means a plus.
    let text = text.strip_prefix(' ').map_or_else(|| text.clone(), |digits| format!("+{digits}"));
    match Address::parse(&text).or_else(|_| PhoneNumber::parse(&text).map(Address::Phone)) {
        Ok(number) => Some(number),
        Err(wrong) => {
            params.refuse("phone_number", &format!("cannot be looked for: {wrong}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_may_come_as_it_is() {
        for query in ["phone_number=+15550002222", "phone_number=%2B15550002222"] {
            assert_eq!(number(&mut Params::of(query)).unwrap().as_str(), "+15550002222");
        }
        let mut params = Params::of("phone_number=15550002222");
        assert_eq!(number(&mut params), None);
        assert!(
            params
                .finish()
                .unwrap_err()
                .detail()
                .starts_with("phone_number cannot be looked for: not an E.164 phone number")
        );
    }
}
