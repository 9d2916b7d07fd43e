//! `GET /v1/messages?held=true`: the texts that wait for a person's decision.

use axum::extract::State;
use axum::http::Uri;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::Message;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: WITH_TOKEN; Forbidden);

/// List held messages
///
/// The texts of all customers of which nobody can say whether they left: `unknown`, with `held_at`. Each waits for somebody
/// to send it again, or to leave it. The oldest first. For agents and admins.
#[utoipa::path(
    get, path = "/v1/messages", operation_id = "list_held_messages", tag = "Messages",
    params(
        ("held" = bool, Query, description = "`true`: there is no list of all messages; a session's are at the session."),
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
pub async fn list_held_messages(
    State(state): State<HttpState>,
    caller: Caller,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<Message>, Problem> {
    caller.must_be_human()?;
    if params.flag("held") != Some(true) {
        params.refuse("held", "must be true: a session's messages are listed at the session");
    }
    let wishes = params.expand(&Message::EXPANSIONS);
    let request = params.page();
    params.finish()?;
    let page = state.gateway().store().held(request).await?;
    let messages = page.items.into_iter().map(|message| Message::expanded(message, &wishes)).collect();
    Ok(Listed::new(&uri, messages, page.next.as_ref()))
}
