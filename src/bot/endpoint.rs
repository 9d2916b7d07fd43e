//! A bot's address over HTTP: one POST, the status of its answer judged, its body read up to a limit. Shared by all bots that
//! are called; must not try again, nor follow redirects, nor show the address, which may carry a secret.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Url;

use super::{BotError, SetupError};
use crate::domain::{causes, retry};

/// The most that is read of an answer.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// The longest that a bot's `Retry-After` is heeded: a customer waits.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

pub struct Endpoint {
    url: Url,
    /// For the whole call, the answer's body included.
    timeout: Duration,
    client: reqwest::Client,
}

impl Endpoint {
    /// `client` follows no redirect: a turn is for the configured address and for no other.
    pub fn new(url: &str, timeout: Duration, client: reqwest::Client) -> Result<Self, SetupError> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| SetupError("its url is not one that can be called".into()))?;
        Ok(Self { url, timeout, client })
    }

    /// The same, where the system's own path is added to an address that does not end with it. `path` has no slash at either
    /// end.
    pub fn beneath(
        url: &str,
        path: &str,
        timeout: Duration,
        client: reqwest::Client,
    ) -> Result<Self, SetupError> {
        let mut endpoint = Self::new(url, timeout, client)?;
        let given = endpoint.url.path().trim_end_matches('/');
        if !given.ends_with(&format!("/{path}")) {
            let whole = format!("{given}/{path}");
            endpoint.url.set_path(&whole);
        }
        Ok(endpoint)
    }

    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Posts JSON. The answer's status is good; its body is still to be read.
    pub async fn post(&self, headers: HeaderMap, body: Vec<u8>) -> Result<Reply, BotError> {
        let request = self.client.post(self.url.clone()).timeout(self.timeout).headers(headers);
        let sent = request.header(header::CONTENT_TYPE, "application/json").body(body).send().await;
        let response = sent.map_err(|error| unreachable(error, self.timeout))?;
        judge(&response)?;
        Ok(Reply { response, timeout: self.timeout })
    }
}

/// A good answer, of which only the status has been read.
pub struct Reply {
    response: reqwest::Response,
    timeout: Duration,
}

impl Reply {
    /// It says by its status that there is nothing to read.
    pub fn is_silent(&self) -> bool {
        matches!(self.response.status(), StatusCode::NO_CONTENT | StatusCode::ACCEPTED)
    }

    pub async fn body(mut self) -> Result<Vec<u8>, BotError> {
        let mut body = Vec::new();
        while let Some(chunk) =
            self.response.chunk().await.map_err(|error| unreachable(error, self.timeout))?
        {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(BotError::Refused(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// A secret as the value of a header, which is never logged.
pub fn secret_value(name: &str, secret: &str) -> Result<HeaderValue, SetupError> {
    let mut value = HeaderValue::from_str(secret)
        .map_err(|_| SetupError(format!("its {name} has characters that no header can carry")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a status means for the turn.
fn judge(response: &reqwest::Response) -> Result<(), BotError> {
    let status = response.status();
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    match status {
        _ if status.is_success() => Ok(()),
        StatusCode::GONE => Err(BotError::Gone),
        _ if status.is_server_error() || passing.contains(&status) => Err(BotError::Unavailable {
            why: format!("it answered {status}"),
            retry_after: retry_after(response.headers()),
        }),
        _ if status.is_redirection() => Err(BotError::Refused(format!(
            "it answered {status}; redirects are not followed, set its final url"
        ))),
        _ => Err(BotError::Refused(format!("it answered {status}"))),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = retry::asked_for_s(text(header::RETRY_AFTER)?, text(header::DATE))?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

/// Why there was no answer, in words without the URL.
fn unreachable(error: reqwest::Error, timeout: Duration) -> BotError {
    if error.is_builder() {
        return BotError::Refused("its url is not one that can be called".into());
    }
    if error.is_timeout() {
        return no_answer(timeout);
    }
    BotError::unavailable(causes::in_words(&error.without_url()))
}

pub fn no_answer(timeout: Duration) -> BotError {
    BotError::unavailable(format!("no answer within {timeout:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heeded(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, date.parse().unwrap());
        }
        super::retry_after(&headers).map(|pause| pause.as_secs())
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date_and_capped() {
        let now = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(heeded("7", None), Some(7));
        assert_eq!(heeded("86400", None), Some(300));
        assert_eq!(heeded("Wed, 21 Oct 2015 07:28:42 GMT", now), Some(42));
        assert_eq!(heeded("Wed, 21 Oct 2015 07:27:00 GMT", now), Some(0));
        assert_eq!(heeded("Wed, 21 Oct 2015 07:28:42 GMT", None), None);
        for nonsense in ["soon", "-1", "1.5", ""] {
            assert_eq!(heeded(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn a_systems_own_path_is_added_once() {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().build().unwrap();
        let url = |given: &str| {
            let endpoint = Endpoint::beneath(given, "v1/ask", Duration::from_secs(1), client.clone());
            endpoint.map(|endpoint| endpoint.url.to_string())
        };
        for given in ["http://bot", "http://bot/", "http://bot/v1/ask", "http://bot/v1/ask/"] {
            assert!(url(given).unwrap().trim_end_matches('/').ends_with("//bot/v1/ask"), "{given}");
        }
        assert_eq!(url("http://bot/team?key=1").unwrap(), "http://bot/team/v1/ask?key=1");
        assert!(url("ftp://bot").is_err() && url("bot").is_err());
    }
}
