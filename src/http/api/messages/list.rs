//! `GET /v1/customers/{customer_id}/sessions/{session_id}/messages`.

use axum::extract::State;
use axum::http::Uri;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Message;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; NotFound, NoCurrentSession);

/// List a session's messages
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/customers/{customer_id}/sessions/{session_id}/messages", operation_id = "list_messages",
    tag = "Messages",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "An id, or `current`.", example = "current"),
        ("expand" = Option<String>, Query, description = "What comes with each: `delivery`, `author`, `media`; commas between them."),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 1000; 100 if not given."),
        ("cursor" = Option<String>, Query, description = "Where the page starts; from the `Link` of the page before."),
    ),
    responses(
        (status = 200, body = Vec<Message>, description = "A page of messages.",
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        Refused
    )
)]
pub async fn list_messages(
    State(state): State<HttpState>,
    _: Caller,
    Named((customer, session)): Named<(String, String)>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<Message>, Problem> {
    let customer = named::customer(&state, &customer).await?;
    let wishes = params.expand(&Message::EXPANSIONS);
    let request = params.page();
    params.finish()?;
    let session = named::session(&state, &customer, &session).await?;
    let page = state.gateway().store().messages_of(session.id, request).await?;
    let messages = page.items.into_iter().map(|message| Message::expanded(message, &wishes)).collect();
    // By its id: the next page is this session's, also when another has become current.
    let path = format!("/v1/customers/{}/sessions/{}/messages", customer.id, session.id);
    Ok(Listed::of_path(&path, &uri, messages, page.next.as_ref()))
}
