//! `/v1/receive/{channel}`: a customer texted.

use axum::extract::{Request, State};
use axum::response::Response;

use super::{acknowledged, believed, channel, not_taken, unreadable};
use crate::http::HttpState;
use crate::http::named::Named;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

refusals!(Refused: ; SignatureMissing, SignatureMismatch, UnknownChannel, BodyTooLarge, InvalidWebhook, Unavailable);

/// A customer's text
///
/// For the channel's provider, in the provider's own form and with its signature. A repeat is answered as the first.
#[utoipa::path(
    post, path = "/v1/receive/{channel}", operation_id = "receive_text", tag = "Receive", security(()),
    params(("channel" = String, Path, description = "A channel of the configuration.", example = "main")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "As the provider sends it."),
    responses((status = 200, description = "It is kept. The body is what the provider wants to hear."), Refused)
)]
pub async fn receive_text(
    State(state): State<HttpState>,
    Named(name): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let channel = channel(&state, &name)?;
    let call = believed(&state, &channel, request).await?;
    let text = channel.provider.parse_text(&call).map_err(|error| unreadable(&state, &channel, &error))?;
    let taken = state.gateway().receive_text(&channel, text).await;
    taken.map_err(|error| not_taken(&state, &channel, error))?;
    Ok(acknowledged(&channel))
}

/// A customer's text, by GET
///
/// For a provider that is set up to call that way.
#[utoipa::path(
    get, path = "/v1/receive/{channel}", operation_id = "receive_text_by_get", tag = "Receive", security(()),
    params(("channel" = String, Path, description = "A channel of the configuration.", example = "main")),
    responses((status = 200, description = "It is kept. The body is what the provider wants to hear."), Refused)
)]
pub async fn receive_text_by_get(
    state: State<HttpState>,
    name: Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    receive_text(state, name, request).await
}
