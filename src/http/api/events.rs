//! `GET /v1/events`: what happens, as it happens, as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Sleep;

use crate::domain::event::EventId;
use crate::domain::ids::{CustomerId, SessionId};
use crate::gateway::events::{EventFilter, Follower, Told};
use crate::gateway::metrics::Streaming;
use crate::http::HttpState;
use crate::http::auth::Caller;
use crate::http::objects::Event;
use crate::http::objects::event::{Audience, TypingEvent, frame};
use crate::http::params::Params;
use crate::http::problem::document::refusals;
use crate::http::problem::{Kind, Problem};
use crate::store::TokenRole;

const LAST_EVENT_ID: &str = "last-event-id";
/// How often something is written at the least: whoever reads knows by it that the line is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After how many milliseconds a browser that lost the line comes again.
const RETRY_MS: u32 = 2_000;
/// How many characters of names a filter may have.
const MAX_NAMES_CHARS: usize = 1_000;

refusals!(Refused: WITH_TOKEN; InvalidHeader, EventsForgotten);

/// Follow the events
///
/// A stream of server-sent events: each with its `id`, its name as `event`, and the event object as `data`. With `Last-Event-ID`
/// (the header, or `last_event_id`) it begins after that event, with no gap and no repeat, also after a restart of the daemon;
/// without, with what happens next. The first frame has an `id` and nothing else: where the stream stands. A comment comes
/// every 15 seconds. `session.typing` has no id: it is not kept. What an event is about comes whole in `data`, as the API has it:
/// a message with `customer_id`, `author`, `media`, `status` and `error`; a session with `attention`; a customer. Where that was erased since:
/// its ids, and `gone`.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "follow_events", tag = "Events",
    params(
        ("type" = Option<String>, Query, description = "Only events of these names, with commas between them; `message.*` are all that begin so.", example = "message.*,session.updated"),
        ("customer_id" = Option<String>, Query, format = "uuid", description = "Only those about this customer."),
        ("session_id" = Option<String>, Query, format = "uuid", description = "Only those about this session."),
        ("last_event_id" = Option<String>, Query, format = "uuid", description = "In the place of the header `Last-Event-ID`."),
        ("Last-Event-ID" = Option<String>, Header, format = "uuid", description = "The id of the last event that was seen."),
    ),
    responses(
        (status = 200, body = Event, content_type = "text/event-stream", description = "The stream; this is the `data` of a frame."),
        Refused
    )
)]
pub async fn follow_events(
    State(state): State<HttpState>,
    caller: Caller,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let (filter, after) = asked(&headers, params)?;
    let follower = state.gateway().follow(after).await?;
    let audience = match caller.role {
        TokenRole::Agent => Audience::Agents,
        TokenRole::Bot | TokenRole::Admin => Audience::Systems,
    };
    let counted = state.gateway().metrics().stream();
    let stands_at = follower.id();
    let until_check = Box::pin(tokio::time::sleep(HEARTBEAT));
    let telling =
        Telling { state, caller, follower, filter, audience, stands_at, until_check, _counted: counted };
    Ok(telling.into_response())
}

/// What is to be told, and after which event.
pub(in crate::http) fn asked(
    headers: &HeaderMap,
    mut params: Params,
) -> Result<(EventFilter, Option<EventId>), Problem> {
    let filter = EventFilter {
        names: names(&mut params),
        customer_id: params.parsed::<CustomerId>("customer_id", "a UUID"),
        session_id: params.parsed::<SessionId>("session_id", "a UUID"),
    };
    let asked = params.parsed::<EventId>("last_event_id", "the id of an event");
    params.finish()?;
    Ok((filter, last_event_id(headers)?.or(asked)))
}

fn names(params: &mut Params) -> Vec<String> {
    let Some(text) = params.text("type") else { return Vec::new() };
    if text.len() > MAX_NAMES_CHARS {
        params.refuse("type", &format!("has more than {MAX_NAMES_CHARS} characters"));
        return Vec::new();
    }
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    if let Some(Err(wrong)) = names.iter().map(|name| EventFilter::check_name(name)).find(Result::is_err) {
        params.refuse("type", &format!("cannot be followed: {wrong}"));
    }
    names
}

/// An empty header is none: that is what a browser sends that has seen no event.
fn last_event_id(headers: &HeaderMap) -> Result<Option<EventId>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    if value.is_empty() {
        return Ok(None);
    }
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(Some).ok_or_else(|| {
        Problem::new(
            Kind::InvalidHeader,
            "Last-Event-ID is not the id of an event; leave it out to follow from now on.",
        )
    })
}

/// A stream under way.
struct Telling {
    state: HttpState,
    caller: Caller,
    follower: Follower,
    filter: EventFilter,
    audience: Audience,
    /// The id that whoever reads knows last.
    stands_at: EventId,
    /// When it has to be asked again whether the token is good.
    until_check: Pin<Box<Sleep>>,
    _counted: Streaming,
}

impl IntoResponse for Telling {
    fn into_response(self) -> Response {
        let first = Bytes::from(format!("retry: {RETRY_MS}\nid: {}\n\n", self.stands_at));
        let frames = stream::unfold((self, Some(first)), |(mut telling, first)| async move {
            let bytes = match first {
                Some(first) => first,
                None => telling.next().await?,
            };
            Some((Ok::<_, Infallible>(bytes), (telling, None)))
        });
        let mut response = Body::from_stream(frames).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // nginx would keep it back otherwise.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response
    }
}

impl Telling {
    /// What is written next; none ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // First: however much there is to tell, whoever is revoked is told no more.
            let told = tokio::select! {
                biased;
                () = &mut self.until_check => return self.heartbeat().await,
                told = self.follower.next() => told,
            };
            match told {
                Ok(Told::Event(logged)) if self.filter.takes_event(&logged) => {
                    let event = Event::of(&logged, self.audience);
                    self.stands_at = logged.event.id();
                    return Some(frame(Some(self.stands_at), event.name, &event).into());
                }
                Ok(Told::Typing(typing)) => {
                    let wanted = self.filter.takes(
                        TypingEvent::NAME,
                        Some(typing.customer_id),
                        Some(typing.session_id),
                    );
                    // Nobody need be told what they do themselves.
                    if wanted && typing.name != self.caller.name {
                        return Some(frame(None, TypingEvent::NAME, &TypingEvent::of(&typing)).into());
                    }
                }
                Ok(Told::Event(_)) => {}
                Ok(Told::End) => return None,
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends, to be begun again");
                    return None;
                }
            }
        }
    }

    /// A sign of life; and where the stream stands, if what came meanwhile was not wanted here. Ends if the token is good no
    /// more.
    async fn heartbeat(&mut self) -> Option<Bytes> {
        if !self.caller.is_still_good(&self.state).await {
            return None;
        }
        self.until_check.set(tokio::time::sleep(HEARTBEAT));
        let stands_at = self.follower.id();
        if stands_at == self.stands_at {
            return Some(Bytes::from_static(b": \n\n"));
        }
        self.stands_at = stands_at;
        Some(Bytes::from(format!(": \nid: {stands_at}\n\n")))
    }
}
