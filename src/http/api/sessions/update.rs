//! Changing the current session: who has it, and how it is labelled. Three ways lead here, all of them documented by
//! the API's words or examples.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use crate::domain::conversation::{SessionPatch, check_labels};
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::named::{self, Named};
use crate::http::objects::Session;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// What changes; what is left out stays.
#[derive(ToSchema)]
#[schema(example = json!({"need_attention": true, "tags": ["mobile"], "topics": ["sleep", "skin+hair"]}))]
pub struct SessionUpdate {
    /// `true` pauses the bot and lets agents speak; `false` gives the session back to the bot.
    #[schema(nullable = false)]
    need_attention: Option<bool>,
    /// All of them: these replace the ones before. At most 50, of at most 100 characters.
    #[schema(nullable = false, max_items = 50)]
    tags: Option<Vec<String>>,
    /// All of them: these replace the ones before. At most 50, of at most 100 characters.
    #[schema(nullable = false, max_items = 50)]
    topics: Option<Vec<String>>,
}

impl FromFields for SessionUpdate {
    fn read(fields: &mut Fields) -> Option<Self> {
        let need_attention = fields.optional("need_attention");
        let tags = labels(fields, "tags");
        let topics = labels(fields, "topics");
        Some(Self { need_attention, tags, topics })
    }
}

fn labels(fields: &mut Fields, name: &'static str) -> Option<Vec<String>> {
    let labels: Vec<String> = fields.optional(name)?;
    if let Err(wrong) = check_labels(&labels) {
        fields.refuse(name, wrong);
    }
    Some(labels)
}

impl SessionUpdate {
    fn changes_nothing(&self) -> bool {
        self.need_attention.is_none() && self.tags.is_none() && self.topics.is_none()
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, NotFound, NoCurrentSession);

/// Update a session
///
/// A bot may ask for a human (`need_attention: true`), and only agents and admins give the session back. When this
/// answers 200 with `need_attention: true`, no text of the bot that had not left leaves any more.
#[utoipa::path(
    patch, path = "/v1/customers/{customer_id}/sessions/{session_id}", operation_id = "update_session",
    tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "Only `current` is accepted.", example = "current"),
    ),
    request_body = SessionUpdate,
    responses((status = 200, body = Session, description = "The session, changed."), Refused)
)]
pub async fn update_session(
    State(state): State<HttpState>,
    caller: Caller,
    Named((customer, session)): Named<(String, String)>,
    params: Params,
    sent: Sent,
) -> Result<Json<Session>, Problem> {
    named::must_be_current(&session)?;
    let customer = named::customer(&state, &customer).await?.id;
    params.finish()?;
    let update: SessionUpdate = sent.read().await?;
    if caller.is_bot() && update.need_attention == Some(false) {
        return Err(Problem::forbidden(
            "A bot may ask for a human; only agents and admins give the session back.",
        ));
    }
    let session = if update.changes_nothing() {
        state.gateway().current_session(customer).await?.ok_or_else(Problem::no_current_session)?
    } else {
        let SessionUpdate { need_attention, tags, topics } = update;
        let patch = SessionPatch { need_attention, tags, topics, ..SessionPatch::default() };
        state.gateway().update_session(customer, patch).await?
    };
    Ok(Json(session.into()))
}

/// Update a session, by POST
///
/// The same as by PATCH.
#[utoipa::path(
    post, path = "/v1/customers/{customer_id}/sessions/{session_id}", operation_id = "update_session_by_post",
    tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "Only `current` is accepted.", example = "current"),
    ),
    request_body = SessionUpdate,
    responses((status = 200, body = Session, description = "The session, changed."), Refused)
)]
pub async fn update_session_by_post(
    state: State<HttpState>,
    caller: Caller,
    named: Named<(String, String)>,
    params: Params,
    sent: Sent,
) -> Result<Json<Session>, Problem> {
    update_session(state, caller, named, params, sent).await
}

/// Update a session, at the path of its messages
///
/// The same as at the session's own path.
#[utoipa::path(
    patch, path = "/v1/customers/{customer_id}/sessions/{session_id}/messages",
    operation_id = "update_session_at_messages", tag = "Sessions",
    params(
        ("customer_id" = String, Path, format = "uuid"),
        ("session_id" = String, Path, description = "Only `current` is accepted.", example = "current"),
    ),
    request_body = SessionUpdate,
    responses((status = 200, body = Session, description = "The session, changed."), Refused)
)]
pub async fn update_session_at_messages(
    state: State<HttpState>,
    caller: Caller,
    named: Named<(String, String)>,
    params: Params,
    sent: Sent,
) -> Result<Json<Session>, Problem> {
    update_session(state, caller, named, params, sent).await
}
