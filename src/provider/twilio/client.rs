//! Twilio's API over HTTP: one request, one answer, or why there is none. Never tries again by itself: the caller knows
//! what a second try may cost.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::domain::causes;
use crate::domain::delivery::{DeliveryError, ErrorClass};
use crate::provider::AskError;

use super::config::{Credentials, TwilioConfig};
use super::errors;

/// The most that is read of an answer about one thing.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Sids that begin so are of messaging services, and of API keys.
const SERVICE_PREFIX: &str = "MG";
const API_KEY_PREFIX: &str = "SK";

/// How long reaching Twilio may take, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client as this adapter needs it, made of any. A followed redirect or a silent second try could send a text twice, and
/// would show the credentials to another host.
pub fn client_builder(any: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    any.redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
}

#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    credentials: Credentials,
    /// Without a slash at its end.
    api_base: String,
    account_path: String,
    request_timeout: Duration,
}

/// An answer that was read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no answer.
pub enum Failure {
    /// The request did not leave.
    NotSent(String),
    /// It left, or may have. `status`: where that much of the answer came.
    Broken { status: Option<StatusCode>, reason: String },
}

impl From<Failure> for AskError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(reason) | Failure::Broken { reason, .. } => Self(reason),
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<u32>,
}

#[derive(Deserialize)]
struct Account {
    friendly_name: String,
    status: String,
}

impl Client {
    pub fn new(config: &TwilioConfig, http: reqwest::Client) -> Self {
        Self {
            http,
            credentials: config.credentials.clone(),
            api_base: config.api_base.trim_end_matches('/').to_owned(),
            account_path: format!("/2010-04-01/Accounts/{}", config.account_sid),
            request_timeout: config.request_timeout,
        }
    }

    /// A POST of a form, whatever its answer.
    pub async fn post(&self, path: &str, form: &[(&str, String)]) -> Result<Answer, Failure> {
        self.ask(self.http.post(self.url(path)).form(form), MAX_ANSWER_BYTES).await
    }

    pub async fn check(&self) -> Result<String, AskError> {
        // An API key of the standard kind may not read the account, but may list its texts.
        let by_key = self.credentials.user.starts_with(API_KEY_PREFIX);
        let path = if by_key {
            format!("{}?PageSize=1", self.messages_path())
        } else {
            format!("{}.json", self.account_path)
        };
        let answer = self.get(&path, MAX_ANSWER_BYTES).await?;
        if by_key {
            return Ok("Twilio accepts the API key".into());
        }
        let account: Account = serde_json::from_slice(&answer.body).map_err(|error| {
            AskError(format!("the answer is not an account of Twilio's; check api_base ({error})"))
        })?;
        match account.status.as_str() {
            "active" => {
                Ok(format!("Twilio accepts the credentials of the account {:?}", account.friendly_name))
            }
            status => Err(AskError(format!("the account {:?} is {status}", account.friendly_name))),
        }
    }

    /// The answer to a GET, if it is a 2xx.
    pub async fn get(&self, path: &str, max_bytes: usize) -> Result<Answer, AskError> {
        let answer = self.ask(self.http.get(self.url(path)), max_bytes).await?;
        Self::good(answer)
    }

    /// The same, or none if there is nothing at that path.
    pub async fn find(&self, path: &str, max_bytes: usize) -> Result<Option<Answer>, AskError> {
        let answer = self.ask(self.http.get(self.url(path)), max_bytes).await?;
        if answer.status == StatusCode::NOT_FOUND { Ok(None) } else { Self::good(answer).map(Some) }
    }

    fn good(answer: Answer) -> Result<Answer, AskError> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let error = refusal(&answer);
        Err(AskError(match error.class {
            ErrorClass::Credentials => {
                format!("{}; check account_sid and the auth token or API key", error.text)
            }
            _ => error.text,
        }))
    }

    pub fn messages_path(&self) -> String {
        format!("{}/Messages.json", self.account_path)
    }

    /// `provider_id` is Twilio's own: letters, digits and dashes.
    pub fn media_path(&self, provider_id: &str) -> String {
        format!("{}/Messages/{provider_id}/Media.json", self.account_path)
    }

    pub fn message_path(&self, sid: &str) -> String {
        format!("{}/Messages/{sid}.json", self.account_path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api_base)
    }

    async fn ask(&self, request: reqwest::RequestBuilder, max_bytes: usize) -> Result<Answer, Failure> {
        let request = request
            .basic_auth(&self.credentials.user, Some(self.credentials.password.expose()))
            .header(header::ACCEPT, "application/json")
            .timeout(self.request_timeout);
        let mut response = request.send().await.map_err(not_answered)?;
        let status = response.status();
        let broken = |reason| Failure::Broken { status: Some(status), reason };
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(in_words(error)))? {
            if body.len() + chunk.len() > max_bytes {
                return Err(broken(format!("the answer is longer than {max_bytes} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

pub fn is_service(sender: &str) -> bool {
    sender.starts_with(SERVICE_PREFIX)
}

/// What a refusing answer says, by its code or its status.
pub fn refusal(answer: &Answer) -> DeliveryError {
    let code = serde_json::from_slice::<Refusal>(&answer.body).ok().and_then(|refusal| refusal.code);
    errors::of_response(answer.status.as_u16(), code)
}

fn not_answered(error: reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::NotSent(in_words(error))
    } else {
        Failure::Broken { status: None, reason: in_words(error) }
    }
}

/// The whole chain of causes, without the URL: it holds phone numbers.
fn in_words(error: reqwest::Error) -> String {
    causes::in_words(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::ACCOUNT_SID;
    use super::super::scripted_server::{Act, ScriptedServer, client};

    async fn checked(user: &str, act: Act) -> (Result<String, String>, String) {
        let server = ScriptedServer::start(vec![act]).await;
        let mut client = client(&server.base);
        client.credentials.user = user.into();
        let checked = client.check().await.map_err(|error| error.to_string());
        (checked, server.seen()[0].line.clone())
    }

    #[tokio::test]
    async fn a_check_says_whose_account_it_is_or_what_to_look_at() {
        let (active, line) =
            checked(ACCOUNT_SID, Act::answer(200, r#"{"friendly_name":"Acme","status":"active"}"#)).await;
        assert!(active.unwrap().contains("Acme"));
        assert_eq!(line, format!("GET /2010-04-01/Accounts/{ACCOUNT_SID}.json HTTP/1.1"));
        let (suspended, _) =
            checked(ACCOUNT_SID, Act::answer(200, r#"{"friendly_name":"Acme","status":"suspended"}"#)).await;
        assert!(suspended.unwrap_err().contains("suspended"));
        let (wrong, _) = checked(ACCOUNT_SID, Act::answer(401, r#"{"code":20003,"status":401}"#)).await;
        assert!(wrong.unwrap_err().contains("check account_sid and the auth token"));
    }

    #[tokio::test]
    async fn a_check_with_an_api_key_asks_for_what_such_a_key_may_read() {
        let (checked, line) = checked("SK1", Act::answer(200, r#"{"messages":[]}"#)).await;
        assert!(checked.is_ok());
        assert!(line.contains("/Messages.json?PageSize=1"));
    }
}
