//! The token object. What a token is recognised by is shown once, when it is minted, and never again.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Moment, words};
use crate::domain::ids::TokenId;
use crate::gateway::access::Minted;
use crate::store;
use crate::store::TokenRole;

/// An access token that was minted at run time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Token {
    #[schema(value_type = String, format = "uuid")]
    pub id: TokenId,
    /// The author of what is done with it.
    pub name: String,
    #[schema(schema_with = words::token_role)]
    pub role: TokenRole,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// Since when it is good for nothing.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub revoked_at: Option<Moment>,
}

/// A token just minted.
#[derive(Serialize, ToSchema)]
pub struct MintedToken {
    #[schema(value_type = String, format = "uuid")]
    pub id: TokenId,
    pub name: String,
    #[schema(schema_with = words::token_role)]
    pub role: TokenRole,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Moment,
    /// What goes into `Authorization: Bearer …`. Shown this once; it is not kept.
    #[schema(example = "sbt_mZb0m2lN8kYp1cW3xq7R9tVuAeJdGfHiKoLsPnQrBvT")]
    pub secret: String,
}

impl From<store::Token> for Token {
    fn from(token: store::Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            role: token.role,
            created_at: token.created_at.into(),
            revoked_at: token.revoked_at.map(Moment),
        }
    }
}

impl From<Minted> for MintedToken {
    fn from(minted: Minted) -> Self {
        let Minted { token, secret } = minted;
        Self { id: token.id, name: token.name, role: token.role, created_at: token.created_at.into(), secret }
    }
}
