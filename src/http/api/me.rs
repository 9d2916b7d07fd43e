//! `GET /v1/me`: whose token it is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::words;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// Whose token a call carries.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "desk", "role": "agent"}))]
pub struct Me {
    /// The author of what is done with it.
    name: String,
    #[schema(schema_with = words::token_role)]
    role: &'static str,
}

impl Me {
    pub fn of(caller: &Caller) -> Self {
        Self { name: caller.name.clone(), role: caller.role.as_str() }
    }
}

refusals!(Refused: WITH_TOKEN);

/// Whose token it is
#[utoipa::path(
    get, path = "/v1/me", operation_id = "get_me", tag = "Tokens",
    responses((status = 200, body = Me, description = "Its name and role."), Refused)
)]
pub async fn get_me(State(_): State<HttpState>, caller: Caller, params: Params) -> Result<Json<Me>, Problem> {
    params.finish()?;
    Ok(Json(Me::of(&caller)))
}
