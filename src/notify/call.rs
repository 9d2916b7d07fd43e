//! One POST of JSON, and what its status means. Shared by all endpoints; must not try again, nor follow redirects, nor
//! show the address, which may carry a secret.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use reqwest::Url;

use super::NotifyError;
use crate::domain::{causes, retry};

/// How long an endpoint may take to answer.
const TIME_OUT: Duration = Duration::from_secs(15);

/// Why an endpoint cannot work as it is configured. Repeats neither addresses nor secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the endpoint cannot be called: {0}")]
pub struct SetupError(pub(super) String);

pub struct Call {
    url: Url,
    client: reqwest::Client,
}

impl Call {
    /// `client` follows no redirect: an event is for the configured address and for no other.
    pub fn new(url: &str, client: reqwest::Client) -> Result<Self, SetupError> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| SetupError("its url is not one that can be called".into()))?;
        Ok(Self { url, client })
    }

    pub async fn post(&self, headers: HeaderMap, body: String) -> Result<(), NotifyError> {
        let request = self.client.post(self.url.clone()).timeout(TIME_OUT).headers(headers);
        let sent = request.header(header::CONTENT_TYPE, "application/json").body(body).send().await;
        // The body says nothing that would count.
        judge(&sent.map_err(|error| failed(unreachable(error)))?)
    }
}

pub fn failed(why: impl Into<String>) -> NotifyError {
    NotifyError::Failed { why: why.into(), retry_after: None }
}

fn judge(response: &reqwest::Response) -> Result<(), NotifyError> {
    match response.status() {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => Err(NotifyError::Gone),
        status if status.is_redirection() => {
            Err(failed(format!("it answered {status}; redirects are not followed, set its final url")))
        }
        status => Err(NotifyError::Failed {
            why: format!("it answered {status}"),
            retry_after: retry_after(response.headers()),
        }),
    }
}

/// `Retry-After` in seconds; how far it is heeded is not decided here.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    retry::asked_for_s(text, None).map(Duration::from_secs)
}

/// Why there was no answer, in words without the URL.
fn unreachable(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {TIME_OUT:?}");
    }
    causes::in_words(&error.without_url())
}
