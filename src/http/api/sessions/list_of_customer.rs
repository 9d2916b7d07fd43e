//! `GET /v1/customers/{customer_id}/sessions`.

use axum::extract::State;
use axum::http::Uri;

use super::{EXPANSIONS, all_expanded};
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Session;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound);

/// List a customer's sessions
///
/// In the order of their creation, the oldest first.
#[utoipa::path(
    get, path = "/v1/customers/{customer_id}/sessions", operation_id = "list_sessions_of_customer", tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("expand" = Option<String>, Query, description = "What comes with each: `messages`, `customer`, `last_message`, `attention`, `suggested_messages`; commas between them."),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 1000; 100 if not given."),
        ("cursor" = Option<String>, Query, description = "Where the page starts; from the `Link` of the page before."),
    ),
    responses(
        (status = 200, body = Vec<Session>, description = "A page of sessions.",
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        Refused
    )
)]
pub async fn list_sessions_of_customer(
    State(state): State<HttpState>,
    _: Caller,
    Named(customer): Named<String>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<Session>, Problem> {
    let customer = named::customer(&state, &customer).await?;
    let wishes = params.expand(&EXPANSIONS);
    let request = params.page();
    params.finish()?;
    let page = state.gateway().store().sessions_of(customer.id, request).await?;
    let sessions = all_expanded(&state, page.items, &wishes).await?;
    Ok(Listed::new(&uri, sessions, page.next.as_ref()))
}
