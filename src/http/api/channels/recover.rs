//! `POST /v1/channels/{channel}/recover`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::time::Timestamp;
use crate::gateway::recovery::Recovered;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::named::Named;
use crate::http::objects::Moment;
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{Kind, Problem};

/// How far back the provider is asked if nobody says.
const BACK: Duration = Duration::from_secs(24 * 60 * 60);

/// What to ask the provider for.
#[derive(ToSchema)]
#[schema(example = json!({"since": "2017-05-02T12:00:00.000Z"}))]
pub struct Recover {
    /// Texts since then, but of the last 7 days only. By default of the last 24 hours.
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    since: Option<Timestamp>,
}

impl FromFields for Recover {
    fn read(fields: &mut Fields) -> Option<Self> {
        let Some(text) = fields.optional::<String>("since") else { return Some(Self { since: None }) };
        let since = Timestamp::parse(&text);
        if since.is_none() {
            fields.refuse("since", "must be a moment, such as 2017-05-02T12:00:00Z");
        }
        Some(Self { since: Some(since?) })
    }
}

/// What came of it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"since": "2017-05-02T12:00:00.000Z", "recovered": 3, "known": 128, "unreadable": 0}))]
pub struct Recovery {
    /// Texts since then were asked for.
    #[schema(value_type = String, format = DateTime)]
    since: Moment,
    /// Texts that were missing, and are taken now.
    recovered: usize,
    /// Texts that were there already.
    known: usize,
    /// Texts in the provider's list that nothing can be made of.
    unreadable: usize,
}

impl From<Recovered> for Recovery {
    fn from(recovered: Recovered) -> Self {
        let Recovered { since, taken, known, unreadable } = recovered;
        Self { since: since.into(), recovered: taken, known, unreadable }
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, UnknownChannel, ProviderUnavailable);

/// Take what was missed
///
/// For admins. Asks the channel's provider for the texts that it could not deliver, and takes them in the order in which
/// they were sent. The daemon does so by itself after an outage. What is there is not taken again.
#[utoipa::path(
    post, path = "/v1/channels/{channel}/recover", operation_id = "recover_texts", tag = "Receive",
    params(("channel" = String, Path, description = "A channel of the configuration.", example = "main")),
    request_body = Recover,
    responses((status = 200, body = Recovery, description = "What is taken now."), Refused)
)]
pub async fn recover_texts(
    State(state): State<HttpState>,
    caller: Caller,
    Named(name): Named<String>,
    params: Params,
    sent: Sent,
) -> Result<Json<Recovery>, Problem> {
    caller.must_be_admin()?;
    let channel = state.gateway().channel(&name).cloned();
    let channel = channel
        .ok_or_else(|| Problem::new(Kind::UnknownChannel, "No channel of this name is configured."))?;
    params.finish()?;
    let asked: Recover = sent.read().await?;
    let since = asked.since.unwrap_or_else(|| state.gateway().now().before(BACK));
    let recovered = state.gateway().recover(&channel, since).await?;
    Ok(Json(recovered.into()))
}
