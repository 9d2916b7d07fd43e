//! Who is calling: the token of a call, and what its role allows. Tokens are known by their hashes alone.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::console::cookie;
use super::problem::{Kind, Problem};
use super::{ConfigToken, HttpState, SecretHash};
use crate::domain::message::{Author, Role};
use crate::store::{Store, StoreError, TokenRole};

/// The tokens of the configuration.
pub struct Access {
    config: Vec<ConfigToken>,
}

impl Access {
    pub fn new(config: Vec<ConfigToken>) -> Self {
        Self { config }
    }

    /// Whether there is a person of that name: somebody with an agent's or an admin's token.
    pub async fn knows_person(&self, name: &str, store: &dyn Store) -> Result<bool, StoreError> {
        let is_person = |role| role != TokenRole::Bot;
        if self.config.iter().any(|token| token.name == name && is_person(token.role)) {
            return Ok(true);
        }
        Ok(store.tokens().await?.iter().any(|token| token.name == name && is_person(token.role)))
    }

    /// Compares with every token, in the same time whichever it is.
    fn find(&self, offered: &SecretHash) -> Option<&ConfigToken> {
        self.config.iter().fold(None, |found, token| {
            let same = token.secret.matches(offered);
            if same { Some(token) } else { found }
        })
    }
}

/// Whose token the call carries. An extractor: without a good token there is no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub name: String,
    pub role: TokenRole,
    /// Tells this token from all others, also from those of the same name.
    pub fingerprint: String,
    secret: SecretHash,
}

impl Caller {
    /// Checks the token, and then how often it called.
    pub async fn of(headers: &HeaderMap, state: &HttpState) -> Result<Self, Problem> {
        if !headers.contains_key(AUTHORIZATION)
            && let Some(token) = cookie::token(headers)
        {
            return Self::with_token(&token, state).await;
        }
        Self::with_token(bearer(headers)?, state).await
    }

    /// Whose token it is, and whether it may call now.
    pub async fn with_token(token: &str, state: &HttpState) -> Result<Self, Problem> {
        let offered = SecretHash::of(token);
        let caller = Self::known_by(offered, state).await?;
        tracing::Span::current().record("caller", &caller.name);
        state.calls.check(offered.sha256())?;
        Ok(caller)
    }

    /// Whether its token still is what it was.
    pub async fn is_still_good(&self, state: &HttpState) -> bool {
        match Self::known_by(self.secret, state).await {
            Ok(caller) => caller.role == self.role,
            // Nobody is sent away for a store that cannot answer.
            Err(problem) => problem.kind() == Kind::Unavailable,
        }
    }

    async fn known_by(offered: SecretHash, state: &HttpState) -> Result<Self, Problem> {
        let fingerprint = URL_SAFE_NO_PAD.encode(&offered.sha256()[..16]);
        if let Some(token) = state.access.find(&offered) {
            return Ok(Self { name: token.name.clone(), role: token.role, fingerprint, secret: offered });
        }
        match state.gateway.store().token_by_hash(offered.sha256()).await? {
            Some(token) => Ok(Self { name: token.name, role: token.role, fingerprint, secret: offered }),
            None => Err(unauthorized("The token is unknown or revoked.")),
        }
    }

    /// Somebody who proved it by another secret than a token.
    pub fn by_secret(name: &str, role: TokenRole, secret: SecretHash) -> Self {
        Self { name: name.to_owned(), role, fingerprint: name.to_owned(), secret }
    }

    /// As whom the caller speaks to customers.
    pub fn author(&self) -> Author {
        let role = match self.role {
            TokenRole::Agent | TokenRole::Admin => Role::Agent,
            TokenRole::Bot => Role::Init,
        };
        Author { role, name: self.name.clone() }
    }

    pub fn is_bot(&self) -> bool {
        self.role == TokenRole::Bot
    }

    /// Agents and admins.
    pub fn must_be_human(&self) -> Result<(), Problem> {
        match self.role {
            TokenRole::Agent | TokenRole::Admin => Ok(()),
            TokenRole::Bot => Err(Problem::forbidden("A bot's token does not allow this; use an agent's.")),
        }
    }

    pub fn must_be_admin(&self) -> Result<(), Problem> {
        match self.role {
            TokenRole::Admin => Ok(()),
            TokenRole::Agent | TokenRole::Bot => {
                Err(Problem::forbidden("Only an admin's token allows this."))
            }
        }
    }
}

impl FromRequestParts<HttpState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Problem> {
        Self::of(&parts.headers, state).await
    }
}

fn unauthorized(detail: &'static str) -> Problem {
    Problem::new(Kind::Unauthorized, detail)
}

/// The token of `Authorization: Bearer <token>`; `Token <token>` is the same.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unauthorized("Send one header Authorization: Bearer <token>."));
    };
    let credentials = value.to_str().ok().and_then(|text| text.trim().split_once(' '));
    match credentials {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") =>
        {
            Ok(token.trim())
        }
        _ => Err(unauthorized("The header Authorization must read: Bearer <token>.")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn both_schemes_are_taken_in_any_case() {
        for good in ["Bearer abc", "bearer abc", "Token abc", "TOKEN  abc "] {
            assert_eq!(bearer(&headers(&[good])).unwrap(), "abc", "{good}");
        }
        for bad in [&[][..], &["abc"], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer a"]] {
            assert_eq!(bearer(&headers(bad)).unwrap_err().kind(), Kind::Unauthorized, "{bad:?}");
        }
    }

    #[test]
    fn a_token_is_found_by_its_hash_alone() {
        let token = |name: &str| ConfigToken {
            name: name.into(),
            role: TokenRole::Agent,
            secret: SecretHash::of(name),
        };
        let access = Access::new(vec![token("one"), token("two")]);
        assert_eq!(access.find(&SecretHash::of("one")).unwrap().name, "one");
        assert_eq!(access.find(&SecretHash::of("two")).unwrap().name, "two");
        assert!(access.find(&SecretHash::of("three")).is_none());
    }

    #[test]
    fn agents_and_admins_speak_as_agents_and_bots_as_init() {
        let role = |role| Caller::by_secret("x", role, SecretHash::of("x")).author().role;
        assert_eq!(role(TokenRole::Agent), Role::Agent);
        assert_eq!(role(TokenRole::Admin), Role::Agent);
        assert_eq!(role(TokenRole::Bot), Role::Init);
    }
}
