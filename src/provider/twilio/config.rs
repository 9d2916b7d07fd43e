//! What an account with Twilio needs to be used: ids, secrets and where the API is. Reads no file and no environment.

use std::fmt;
use std::time::Duration;

/// A secret. It is written out nowhere but into the request or signature it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What requests to the API are authenticated with: account sid and auth token, or an API key's sid and secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

#[derive(Clone, Debug)]
pub struct TwilioConfig {
    /// The account that texts belong to, also where an API key is used.
    pub account_sid: String,
    pub credentials: Credentials,
    /// What webhooks may be signed with, the newest first: more than one while a token is rotated.
    pub auth_tokens: Vec<Secret>,
    /// `https://api.twilio.com`, or a region's, or a stand-in for it.
    pub api_base: String,
    /// How long one request may take, from its start to the last byte of its answer. More than the five seconds that
    /// connecting may take: a request that runs out of time while connecting counts as one that may have left.
    pub request_timeout: Duration,
}

/// Why an account cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TwilioConfigError {
    #[error("account_sid: write letters and digits only, as Twilio's console shows it (AC…)")]
    AccountSid,
    #[error("the credentials are incomplete: give the auth token, or an API key's sid and secret")]
    Credentials,
    #[error("auth_token: without one, or with an empty one, anybody could sign webhooks")]
    AuthToken,
    #[error("api_base: write a URL without query, as https://api.twilio.com")]
    ApiBase,
}

impl TwilioConfig {
    pub(super) fn validate(&self) -> Result<(), TwilioConfigError> {
        let sid = &self.account_sid;
        // It becomes a part of the URLs. Compatible vendors use dashes in theirs.
        if sid.is_empty() || !sid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(TwilioConfigError::AccountSid);
        }
        if self.credentials.user.is_empty() || self.credentials.password.expose().is_empty() {
            return Err(TwilioConfigError::Credentials);
        }
        if self.auth_tokens.is_empty() || self.auth_tokens.iter().any(|token| token.expose().is_empty()) {
            return Err(TwilioConfigError::AuthToken);
        }
        let base = reqwest::Url::parse(&self.api_base).map_err(|_| TwilioConfigError::ApiBase)?;
        let usable =
            matches!(base.scheme(), "http" | "https") && base.query().is_none() && base.fragment().is_none();
        if usable { Ok(()) } else { Err(TwilioConfigError::ApiBase) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";

    pub fn config(api_base: &str) -> TwilioConfig {
        TwilioConfig {
            account_sid: ACCOUNT_SID.into(),
            credentials: Credentials { user: ACCOUNT_SID.into(), password: Secret::new("hush-password") },
            auth_tokens: vec![Secret::new("hush-token")],
            api_base: api_base.into(),
            request_timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        assert!(!format!("{:?}", config("https://api.twilio.com")).contains("hush"));
    }

    #[test]
    fn a_usable_account_is_taken() {
        assert_eq!(config("https://api.dublin.ie1.twilio.com/").validate(), Ok(()));
        assert_eq!(config("http://127.0.0.1:9/prefix").validate(), Ok(()));
    }

    #[test]
    fn an_empty_token_is_refused_because_anybody_could_sign_with_it() {
        for tokens in [vec![], vec![Secret::new("one"), Secret::new("")]] {
            let config = TwilioConfig { auth_tokens: tokens, ..config("https://api.twilio.com") };
            assert_eq!(config.validate(), Err(TwilioConfigError::AuthToken));
        }
    }

    #[test]
    fn what_cannot_be_part_of_a_url_is_no_account() {
        for sid in ["", "AC/../x", "AC 1", "AC?1"] {
            let config = TwilioConfig { account_sid: sid.into(), ..config("https://api.twilio.com") };
            assert_eq!(config.validate(), Err(TwilioConfigError::AccountSid), "{sid}");
        }
    }

    #[test]
    fn a_base_that_is_no_http_url_is_refused() {
        for base in ["api.twilio.com", "ftp://api.twilio.com", "https://api.twilio.com/?x=1", "https://a/#b"]
        {
            assert_eq!(config(base).validate(), Err(TwilioConfigError::ApiBase), "{base}");
        }
    }
}
