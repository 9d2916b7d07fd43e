//! What providers and bots call. A webhook is believed only if it is signed for the URL that the provider was given,
//! and acknowledged only when what it says is durable.

pub mod init;
pub mod status;
pub mod text;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::HttpState;
use super::json::read_body;
use super::problem::{Kind, Problem};
use crate::gateway::channels::{Channel, SignaturePolicy};
use crate::provider::{ParseError, SignatureError, WebhookRequest};
use crate::store::StoreError;

/// The longest webhook that is read: far more than any provider sends for one text.
const MAX_WEBHOOK_BYTES: usize = 64 * 1024;

pub fn routes() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new()
        .routes(routes!(init::receive_init))
        .routes(routes!(text::receive_text, text::receive_text_by_get))
        .routes(routes!(status::receive_status, status::receive_status_by_get))
}

fn channel(state: &HttpState, name: &str) -> Result<Arc<Channel>, Problem> {
    let channel = state.gateway().channel(name).map(Arc::clone);
    channel.ok_or_else(|| Problem::new(Kind::UnknownChannel, "No channel of this name is configured."))
}

/// A call of the channel's provider, if it is believed.
async fn believed(state: &HttpState, channel: &Channel, request: Request) -> Result<WebhookRequest, Problem> {
    let call = as_signed(channel, request).await?;
    let Err(doubt) = channel.provider.verify(&call) else { return Ok(call) };
    match channel.signature {
        SignaturePolicy::Enforce => {
            tracing::warn!(channel = channel.name, %doubt, "a webhook was refused");
            state.gateway().metrics().webhook_refused(&channel.name, "signature");
            Err(doubted(&doubt))
        }
        SignaturePolicy::Report => {
            tracing::warn!(channel = channel.name, %doubt, "a webhook is taken although its signature is not good");
            Ok(call)
        }
    }
}

/// The call under the URL that the provider was given. The Host header says what the caller likes, and is not asked.
async fn as_signed(channel: &Channel, request: Request) -> Result<WebhookRequest, Problem> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts, body, MAX_WEBHOOK_BYTES).await?;
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Ok(WebhookRequest {
        method: parts.method.as_str().to_owned(),
        url: format!("{}{path_and_query}", channel.public_url.trim_end_matches('/')),
        query: parts.uri.query().map(str::to_owned),
        content_type: content_type.map(str::to_owned),
        headers: parts.headers,
        body,
    })
}

fn doubted(doubt: &SignatureError) -> Problem {
    match doubt {
        SignatureError::Missing => Problem::new(Kind::SignatureMissing, "The call is not signed."),
        SignatureError::Unreadable(_) => Problem::new(
            Kind::InvalidWebhook,
            "The body is not a form in UTF-8, so nobody can have signed it.",
        ),
        SignatureError::Mismatch | SignatureError::BodyMismatch => {
            Problem::new(Kind::SignatureMismatch, "The signature is not the channel's for this URL and body.")
        }
    }
}

/// Names the field and says nothing of its value: that is a customer's.
fn unreadable(state: &HttpState, channel: &Channel, error: &ParseError) -> Problem {
    tracing::warn!(channel = channel.name, field = field_of(error), "a webhook could not be read");
    state.gateway().metrics().webhook_refused(&channel.name, "unreadable");
    let detail = match error {
        ParseError::Missing(field) => format!("{field} is missing."),
        ParseError::Invalid { field, .. } => format!("{field} is not valid."),
        ParseError::NotAForm(_) => "The body is not a form in UTF-8.".to_owned(),
    };
    Problem::new(Kind::InvalidWebhook, detail)
}

fn field_of(error: &ParseError) -> &str {
    match error {
        ParseError::Missing(field) | ParseError::Invalid { field, .. } => field,
        ParseError::NotAForm(_) => "body",
    }
}

/// Nothing was taken: the provider has to come again.
fn not_taken(state: &HttpState, channel: &Channel, error: StoreError) -> Problem {
    state.gateway().metrics().webhook_refused(&channel.name, "unavailable");
    error.into()
}

/// What the provider said is kept.
fn acknowledged(channel: &Channel) -> Response {
    let answer = channel.provider.acknowledge();
    (StatusCode::OK, [(CONTENT_TYPE, answer.content_type)], answer.body).into_response()
}
