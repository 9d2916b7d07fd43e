//! `POST /v1/tokens`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;

use crate::gateway::access::check_token_name;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::json::{Fields, FromFields, Sent};
use crate::http::objects::{MintedToken, words};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;
use crate::store::TokenRole;

/// A token to be.
#[derive(ToSchema)]
#[schema(example = json!({"name": "desk", "role": "agent"}))]
pub struct NewToken {
    /// The author of what is done with it. Not `customer`, `gateway` or `bot`.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(schema_with = words::token_role)]
    role: TokenRole,
}

impl FromFields for NewToken {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name: Option<String> = fields.required("name");
        if let Some(Err(wrong)) = name.as_deref().map(check_token_name) {
            fields.refuse("name", wrong);
        }
        let role = fields.required::<String>("role").and_then(|role| {
            let known = [TokenRole::Agent, TokenRole::Bot, TokenRole::Admin];
            let role = known.into_iter().find(|known| known.as_str() == role);
            if role.is_none() {
                fields.refuse("role", "must be agent, bot or admin");
            }
            role
        });
        Some(Self { name: name?, role: role? })
    }
}

refusals!(Refused: WITH_TOKEN, WITH_BODY; Forbidden, InvalidHeader);

/// Mint a token
///
/// For admins. The secret is in this answer and in no other, so the call cannot be made repeatable: an
/// `Idempotency-Key` is refused.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "mint_token", tag = "Tokens",
    request_body = NewToken,
    responses((status = 201, body = MintedToken, description = "The token, and its secret."), Refused)
)]
pub async fn mint_token(
    State(state): State<HttpState>,
    caller: Caller,
    params: Params,
    sent: Sent,
) -> Result<(StatusCode, Json<MintedToken>), Problem> {
    caller.must_be_admin()?;
    params.finish()?;
    // The secret is shown once: the first answer could not be given again.
    sent.refuse_key()?;
    let token: NewToken = sent.read().await?;
    let minted = state.gateway().mint_token(token.name, token.role).await?;
    Ok((StatusCode::CREATED, Json(minted.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_be_named_like_an_author_without_one() {
        for name in crate::gateway::access::RESERVED_NAMES {
            assert!(check_token_name(name).is_err(), "{name}");
        }
        assert!(check_token_name("desk 1").is_ok());
        for name in ["", " desk", "a\nb", &"x".repeat(101)] {
            assert!(check_token_name(name).is_err(), "{name:?}");
        }
    }
}
