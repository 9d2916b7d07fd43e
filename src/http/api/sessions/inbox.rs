//! `GET /v1/sessions`: the agents' inbox.

use axum::extract::State;
use axum::http::Uri;

use super::{EXPANSIONS, all_expanded};
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::Session;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;
use crate::store::{AssigneeFilter, InboxFilter};

refusals!(Refused: WITH_TOKEN);

/// The inbox
///
/// The sessions of all customers: who waits for an agent first, the longest waiting first; then those whom an agent
/// answered last; then those that the bot has, each by their last message, the oldest first.
#[utoipa::path(
    get, path = "/v1/sessions", operation_id = "list_sessions", tag = "Sessions",
    params(
        ("need_attention" = Option<bool>, Query, description = "Only those that agents have, or only those that the bot has."),
        ("tag" = Option<String>, Query, description = "Only those with this tag."),
        ("topic" = Option<String>, Query, description = "Only those with this topic."),
        ("assignee" = Option<String>, Query, description = "Only those of this agent, by the name of their token; `me`: the caller's; `none`: those that nobody has."),
        ("expand" = Option<String>, Query, description = "What comes with each: `customer`, `last_message`, `messages`, `attention`, `suggested_messages`; commas between them."),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 1000; 100 if not given."),
        ("cursor" = Option<String>, Query, description = "Where the page starts; from the `Link` of the page before."),
    ),
    responses(
        (status = 200, body = Vec<Session>, description = "A page of the inbox.",
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        Refused
    )
)]
pub async fn list_sessions(
    State(state): State<HttpState>,
    caller: Caller,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<Session>, Problem> {
    let filter = InboxFilter {
        need_attention: params.flag("need_attention"),
        tag: params.text("tag"),
        topic: params.text("topic"),
        assignee: params.text("assignee").map(|whose| match whose.as_str() {
            "none" => AssigneeFilter::Nobody,
            "me" => AssigneeFilter::Agent(caller.name.clone()),
            name => AssigneeFilter::Agent(name.to_owned()),
        }),
    };
    let wishes = params.expand(&EXPANSIONS);
    let request = params.page();
    params.finish()?;
    let page = state.gateway().store().inbox(filter, request).await?;
    let sessions = all_expanded(&state, page.items, &wishes).await?;
    Ok(Listed::new(&uri, sessions, page.next.as_ref()))
}
