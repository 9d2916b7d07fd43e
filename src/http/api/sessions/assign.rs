//! `POST /v1/customers/{customer_id}/sessions/{session_id}/assign`: an agent takes a session on.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use crate::gateway::access::check_token_name;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::named::{self, Named};
use crate::http::objects::Session;
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{FieldError, Problem};

/// Who has the session.
#[derive(ToSchema)]
#[schema(example = json!({"assignee": "ann", "force": false}))]
pub struct Assignment {
    /// An agent, by the name of their token; null: nobody. The caller, if it is left out.
    #[expect(clippy::option_option, reason = "left out, nobody, or somebody")]
    assignee: Option<Option<String>>,
    /// Also if somebody else has it.
    #[schema(nullable = false)]
    force: Option<bool>,
}

impl FromFields for Assignment {
    fn read(fields: &mut Fields) -> Option<Self> {
        let assignee: Option<Option<String>> = fields.nullable("assignee");
        if let Some(Some(Err(wrong))) = assignee.as_ref().map(|name| name.as_deref().map(check_token_name)) {
            fields.refuse("assignee", wrong);
        }
        let force = fields.optional("force");
        Some(Self { assignee, force })
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, NotFound, NoCurrentSession, SessionNotHeld, SessionAssigned);

/// Assign a session
///
/// One agent at a time has a held session: others may read it, and are refused when they write in it. Giving it back to the
/// bot takes it from whoever had it.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/sessions/{session_id}/assign", operation_id = "assign_session",
    tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "Only `current` is accepted.", example = "current"),
    ),
    request_body = Assignment,
    responses((status = 200, body = Session, description = "The session, with its `attention`."), Refused)
)]
pub async fn assign_session(
    State(state): State<HttpState>,
    caller: Caller,
    Named((customer, session)): Named<(String, String)>,
    params: Params,
    sent: Sent,
) -> Result<Json<Session>, Problem> {
    caller.must_be_human()?;
    named::must_be_current(&session)?;
    let customer = named::customer(&state, &customer).await?.id;
    params.finish()?;
    let Assignment { assignee, force } = sent.read().await?;
    let assignee = assignee.unwrap_or_else(|| Some(caller.name.clone()));
    if let Some(name) = assignee.as_deref().filter(|name| *name != caller.name)
        && !state.access.knows_person(name, state.gateway().store()).await?
    {
        let detail = "is nobody's name: write the name of an agent's or an admin's token".to_owned();
        return Err(Problem::invalid_body(vec![FieldError { pointer: "/assignee".to_owned(), detail }]));
    }
    let force = force.unwrap_or(false);
    let session = state.gateway().assign_session(customer, assignee, &caller.name, force).await?;
    Ok(Json(super::expanded(&state, session, &["attention"]).await?))
}
