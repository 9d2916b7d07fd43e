//! Access tokens that are minted at run time. A token is shown once; what is stored is its hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::ids::TokenId;
use crate::store::{StoreError, Token, TokenRole};

use super::Gateway;
use super::ambient::Entropy;

/// A token just minted, and the one time that its secret can be read.
pub struct Minted {
    pub token: Token,
    pub secret: String,
}

/// Names that no token may have: they are the authors of what no token wrote, and rules hang on them.
pub const RESERVED_NAMES: [&str; 5] = ["customer", "gateway", "bot", "me", "none"];
/// The longest name of a token, in characters.
pub const MAX_TOKEN_NAME_CHARS: usize = 100;

/// What is wrong with a token's name.
pub fn check_token_name(name: &str) -> Result<(), String> {
    match () {
        () if name.trim() != name || !(1..=MAX_TOKEN_NAME_CHARS).contains(&name.chars().count()) => {
            Err(format!("needs 1 to {MAX_TOKEN_NAME_CHARS} characters, without space around them"))
        }
        () if name.chars().any(char::is_control) => Err("must not contain control characters".into()),
        () if RESERVED_NAMES.contains(&name) => {
            Err("is reserved: nobody is called that, so that nobody is taken for another".into())
        }
        () => Ok(()),
    }
}

/// What a token is stored and looked up as.
pub fn token_hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A secret of 256 random bits, recognisable as ours wherever it leaks to.
pub fn new_secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    format!("sbt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

impl Gateway {
    pub async fn mint_token(&self, name: String, role: TokenRole) -> Result<Minted, StoreError> {
        let now = self.now();
        let secret = new_secret(self.entropy.as_ref());
        let token = Token {
            id: TokenId(self.new_id(now)),
            name,
            role,
            sha256: token_hash(&secret),
            created_at: now,
            revoked_at: None,
        };
        self.store.mint_token(token.clone()).await?;
        tracing::info!(token = %token.id, name = token.name, role = role.as_str(), "a token was minted");
        Ok(Minted { token, secret })
    }

    /// `false`: there is none with this id.
    pub async fn revoke_token(&self, id: TokenId) -> Result<bool, StoreError> {
        let found = self.store.revoke_token(id, self.now()).await?;
        if found {
            tracing::info!(token = %id, "a token was revoked");
        }
        Ok(found)
    }
}
