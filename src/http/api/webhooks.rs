//! The outgoing webhooks: how each endpoint stands, what it was told in vain, and to tell it again. For admins.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Serialize;
use utoipa::ToSchema;

use super::bot::status::Disabled;
use crate::domain::endpoint::Delivery;
use crate::domain::event::EventId;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::named::{self, Named};
use crate::http::objects::Moment;
use crate::http::page::Listed;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::document::refusals;

/// Who is told of events.
#[derive(Serialize, ToSchema)]
pub struct Webhook {
    name: String,
    /// `standard` (Standard Webhooks) or `slack`.
    kind: &'static str,
    /// The names of the events that it is told.
    events: Vec<String>,
    /// Since when it is not called.
    #[schema(required)]
    disabled: Option<Disabled>,
    /// Since when nothing has reached it.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    failing_since: Option<Moment>,
}

/// An event that an endpoint was told in vain.
#[derive(Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Null if the log does not have it any more.
    #[schema(required)]
    event_id: Option<String>,
    #[schema(required)]
    event_name: Option<String>,
    attempts: u32,
    /// When it is told again; null: it is a dead letter.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    next_attempt_at: Option<Moment>,
    dead: bool,
    last_error: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
}

refusals!(ListRefused: WITH_TOKEN; Forbidden);
refusals!(Refused: WITH_TOKEN; Forbidden, NotFound);

/// List webhooks
///
/// The endpoints of the configuration, and how they stand. For admins.
#[utoipa::path(
    get, path = "/v1/webhooks", operation_id = "list_webhooks", tag = "Events",
    responses((status = 200, body = Vec<Webhook>, description = "All of them."), ListRefused)
)]
pub async fn list_webhooks(
    State(state): State<HttpState>,
    caller: Caller,
    params: Params,
) -> Result<Json<Vec<Webhook>>, Problem> {
    caller.must_be_admin()?;
    params.finish()?;
    let states = state.gateway().endpoint_states().await?;
    let webhooks = states.into_iter().map(|state| {
        let (disabled, failing_since) =
            state.endpoint.map_or((None, None), |endpoint| (endpoint.disabled, endpoint.failing_since));
        Webhook {
            name: state.name,
            kind: state.kind,
            events: state.events,
            disabled: disabled.map(Into::into),
            failing_since: failing_since.map(Moment),
        }
    });
    Ok(Json(webhooks.collect()))
}

/// Enable a webhook
///
/// It is called again, and told what happened since it was called last, as far as the log goes back. For admins.
#[utoipa::path(
    post, path = "/v1/webhooks/{name}/enable", operation_id = "enable_webhook", tag = "Events",
    params(("name" = String, Path, description = "As in the configuration.")),
    responses((status = 204, description = "It is called again."), Refused)
)]
pub async fn enable_webhook(
    State(state): State<HttpState>,
    caller: Caller,
    Named(name): Named<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    caller.must_be_admin()?;
    params.finish()?;
    let found = state.gateway().enable_endpoint(&name).await?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("webhook")) }
}

/// List a webhook's deliveries
///
/// What it was told in vain, in the order of the events: what is told again, and the dead letters. For admins.
#[utoipa::path(
    get, path = "/v1/webhooks/{name}/deliveries", operation_id = "list_webhook_deliveries", tag = "Events",
    params(
        ("name" = String, Path, description = "As in the configuration."),
        ("dead" = Option<bool>, Query, description = "Only dead letters, or only those that are told again. A page may then be shorter than its limit."),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 1000; 100 if not given."),
        ("cursor" = Option<String>, Query, description = "Where the page starts; from the `Link` of the page before."),
    ),
    responses(
        (status = 200, body = Vec<WebhookDelivery>, description = "A page of deliveries.",
            headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        Refused
    )
)]
pub async fn list_webhook_deliveries(
    State(state): State<HttpState>,
    caller: Caller,
    Named(name): Named<String>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<WebhookDelivery>, Problem> {
    caller.must_be_admin()?;
    if !state.gateway().has_endpoint(&name) {
        return Err(Problem::not_found("webhook"));
    }
    let dead = params.flag("dead");
    let request = params.page();
    params.finish()?;
    let page = state.gateway().store().deliveries(&name, request).await?;
    let wanted = |delivery: &Delivery| dead.is_none_or(|dead| dead == delivery.next_at.is_none());
    let mut deliveries = Vec::new();
    for delivery in page.items.into_iter().filter(wanted) {
        let logged = state.gateway().store().event(delivery.place).await?;
        deliveries.push(WebhookDelivery {
            event_id: logged.as_ref().map(|logged| logged.event.id().to_string()),
            event_name: logged.map(|logged| logged.event.what.name().to_owned()),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_at.map(Moment),
            dead: delivery.next_at.is_none(),
            last_error: delivery.last_error,
            created_at: delivery.created_at.into(),
        });
    }
    Ok(Listed::new(&uri, deliveries, page.next.as_ref()))
}

/// Replay an event
///
/// The endpoint is told it once more, now, whether or not it was told before; if that fails, again on the same schedule. For
/// admins.
#[utoipa::path(
    post, path = "/v1/webhooks/{name}/deliveries/{event_id}/replay", operation_id = "replay_webhook_delivery",
    tag = "Events",
    params(
        ("name" = String, Path, description = "As in the configuration."),
        ("event_id" = String, Path, format = "uuid"),
    ),
    responses((status = 202, description = "It is about to be told."), Refused)
)]
pub async fn replay_webhook_delivery(
    State(state): State<HttpState>,
    caller: Caller,
    Named((name, event)): Named<(String, String)>,
    params: Params,
) -> Result<StatusCode, Problem> {
    caller.must_be_admin()?;
    let event: EventId = named::id("event", &event)?;
    params.finish()?;
    state.gateway().replay_notice(&name, event).await?;
    Ok(StatusCode::ACCEPTED)
}
