//! What a deployment chooses about the HTTP side. `app` fills it in; nothing is read from anywhere here.

use std::fmt;

use subtle::ConstantTimeEq;

use super::CannedReply;
use crate::bot::AnswerLimits;
use crate::domain::pace::Pace;
use crate::domain::reply::ReplyKey;
use crate::gateway::access::token_hash;
use crate::store::TokenRole;

/// The SHA-256 of a secret: all that is needed to recognise it, and nothing that gives it away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    pub fn of(secret: &str) -> Self {
        Self(token_hash(secret))
    }

    pub const fn from_sha256(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Takes the same time whatever is offered.
    pub fn matches(&self, offered: &Self) -> bool {
        self.0.ct_eq(&offered.0).into()
    }

    pub const fn sha256(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// A token that stands in the configuration.
#[derive(Clone, Debug)]
pub struct ConfigToken {
    /// The author of what is done with it. Not one of [`RESERVED_NAMES`](crate::gateway::access::RESERVED_NAMES).
    pub name: String,
    pub role: TokenRole,
    pub secret: SecretHash,
}

#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The longest JSON body that is read. Webhooks have their own limit.
    pub max_body_bytes: usize,
    /// The country that a national number belongs to, ISO 3166-1 alpha-2.
    pub default_region: Option<String>,
    /// What `X-Init-Ai-Secret` must say on `POST /v1/receive/init`.
    pub init_secret: Option<SecretHash>,
    pub config_tokens: Vec<ConfigToken>,
    /// What the tokens are signed with by which a bot answers a turn of its own accord; none: it cannot.
    pub reply_keys: Vec<ReplyKey>,
    pub answer_limits: AnswerLimits,
    pub canned_replies: Vec<CannedReply>,
    /// The console is reached by https only.
    pub secure_cookies: bool,
    /// How often one token may call; none: as often as it likes.
    pub calls: Option<Pace>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 * 1024,
            default_region: None,
            init_secret: None,
            config_tokens: Vec::new(),
            reply_keys: Vec::new(),
            answer_limits: AnswerLimits { max_texts: 10, max_content_units: 1600 },
            canned_replies: Vec::new(),
            secure_cookies: false,
            calls: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_and_never_shown() {
        let kept = SecretHash::of("open sesame");
        assert!(kept.matches(&SecretHash::of("open sesame")));
        assert!(!kept.matches(&SecretHash::of("open sesam")));
        assert_eq!(format!("{kept:?}"), "SecretHash(…)");
    }

    #[test]
    fn settings_can_be_printed_without_giving_a_token_away() {
        let token = ConfigToken {
            name: "desk".into(),
            role: TokenRole::Agent,
            secret: SecretHash::of("open sesame"),
        };
        assert_eq!(
            format!("{token:?}"),
            "ConfigToken { name: \"desk\", role: Agent, secret: SecretHash(…) }"
        );
    }
}
