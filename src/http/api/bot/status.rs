//! `GET /v1/bot`: whether the bot is called.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::endpoint;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::Moment;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// Whether the bot is called.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "bot", "breaker": "closed", "disabled": null}))]
pub struct BotStatus {
    /// The author of its messages; null where there is no bot.
    #[schema(required)]
    name: Option<String>,
    /// `closed`: it is called. `open`: it failed again and again, and is only probed now and then. `probing`: right now.
    breaker: &'static str,
    /// Since when it is not called at all: it asked for that.
    #[schema(required)]
    disabled: Option<Disabled>,
}

/// Why somebody is not called any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Disabled {
    #[schema(value_type = String, format = DateTime)]
    at: Moment,
    reason: String,
}

impl From<endpoint::Disabled> for Disabled {
    fn from(disabled: endpoint::Disabled) -> Self {
        Self { at: disabled.at.into(), reason: disabled.reason }
    }
}

refusals!(Refused: WITH_TOKEN);

/// Retrieve how the bot is
#[utoipa::path(
    get, path = "/v1/bot", operation_id = "get_bot", tag = "Bot",
    responses((status = 200, body = BotStatus, description = "Whether it is called."), Refused)
)]
pub async fn get_bot(
    State(state): State<HttpState>,
    _: Caller,
    params: Params,
) -> Result<Json<BotStatus>, Problem> {
    params.finish()?;
    let (breaker, disabled) = state.gateway().bot_state();
    let name = state.gateway().bot_name().map(str::to_owned);
    Ok(Json(BotStatus { name, breaker: breaker.as_str(), disabled: disabled.map(Into::into) }))
}
