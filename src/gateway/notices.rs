//! The outgoing webhooks: each endpoint is told what happens, from where it stands in the log. What it is told in vain is
//! written down before it goes on, and told again for three days; then it is a dead letter. No order is promised: every
//! event says when it happened.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::Notify;

use crate::domain::endpoint::{Delivery, Endpoint, pause_after};
use crate::domain::event::EventId;
use crate::domain::time::Timestamp;
use crate::notify::{Notice, Notifier, NotifyError};
use crate::store::{AdvanceEndpoint, EventsError, Logged, StoreError};

use super::Gateway;
use super::events::EventFilter;
use super::troubles::STORE_PAUSE;

/// How many events are read, and how many are told at once, of each endpoint; as many once more are told again.
const READ_AT_ONCE: usize = 64;
const TOLD_AT_ONCE: usize = 16;
/// How many that were told in vain are told again at a time.
const AGAIN_AT_ONCE: usize = 16;
/// The log is looked at as soon as something was added; this is only the safety net.
const SAFETY_NET: Duration = Duration::from_secs(5);
/// An endpoint that nothing has reached for so long is called no more.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(5 * 24 * 3_600);

/// An endpoint of the configuration.
pub struct Subscriber {
    /// Known by it in the store.
    pub name: String,
    pub filter: EventFilter,
    pub notifier: Arc<dyn Notifier>,
}

/// What is told to whom.
pub struct Notices {
    pub subscribers: Vec<Subscriber>,
    /// How an event stands on the wire.
    pub render: Arc<dyn Fn(&Logged) -> String + Send + Sync>,
}

impl Default for Notices {
    fn default() -> Self {
        Self { subscribers: Vec::new(), render: Arc::new(|_| String::new()) }
    }
}

/// An endpoint at work.
pub(super) struct Told {
    subscriber: Subscriber,
    enabled: Notify,
    /// Somebody wants it to be told something again.
    again: Notify,
}

impl Told {
    pub(super) fn name(&self) -> &str {
        &self.subscriber.name
    }

    pub(super) fn all_of(subscribers: Vec<Subscriber>) -> Vec<Arc<Self>> {
        let told = |subscriber| Arc::new(Self { subscriber, enabled: Notify::new(), again: Notify::new() });
        subscribers.into_iter().map(told).collect()
    }
}

/// Tells one endpoint what happens, until the gateway stops.
pub(super) async fn tell(gateway: Arc<Gateway>, told: Arc<Told>) {
    let mut news = gateway.store.event_news();
    let mut trouble = gateway.troubles.watch();
    loop {
        let done = tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            done = tell_some(&gateway, &told.subscriber) => done,
        };
        let more = trouble.note(done, "what an endpoint is told could not be read or written down");
        let listens = more.is_some();
        let pause = more.map_or(STORE_PAUSE, |more| if more { Duration::ZERO } else { SAFETY_NET });
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = told.enabled.notified() => {}
            Ok(()) = news.changed(), if listens => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Tells one endpoint again what it was told in vain, until the gateway stops: beside what is new, so that neither waits for the
/// other.
pub(super) async fn repeat(gateway: Arc<Gateway>, told: Arc<Told>) {
    let mut trouble = gateway.troubles.watch();
    loop {
        let pause = tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            next = repeat_some(&gateway, &told.subscriber) => next,
        };
        let pause = trouble.note(pause, "what an endpoint is told again could not be read or written down");
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = told.again.notified() => {}
            () = tokio::time::sleep(pause.unwrap_or(STORE_PAUSE)) => {}
        }
    }
}

/// Whether there may be more to tell.
async fn tell_some(gateway: &Gateway, subscriber: &Subscriber) -> Result<bool, StoreError> {
    let name = &subscriber.name;
    let Some(endpoint) = gateway.store.endpoint(name).await? else {
        // It is new: it is told what happens from now on.
        let position = gateway.store.last_event().await?;
        gateway.advance(name, position, Vec::new(), None).await?;
        return Ok(true);
    };
    if endpoint.disabled.is_some() { Ok(false) } else { tell_more(gateway, subscriber, &endpoint).await }
}

/// How long there is nothing more to tell again.
async fn repeat_some(gateway: &Gateway, subscriber: &Subscriber) -> Result<Duration, StoreError> {
    let name = &subscriber.name;
    if gateway.store.endpoint(name).await?.is_none_or(|endpoint| endpoint.disabled.is_some()) {
        return Ok(SAFETY_NET);
    }
    let now = gateway.now();
    let again = gateway.store.due_deliveries(name, now, AGAIN_AT_ONCE).await?;
    if again.due.is_empty() {
        return Ok(again.next_at.map_or(SAFETY_NET, |at| at.since(now).min(SAFETY_NET)));
    }
    let calls = again.due.into_iter().map(|delivery| gateway.tell_again(subscriber, delivery));
    let mut calls = pin!(stream::iter(calls).buffer_unordered(TOLD_AT_ONCE));
    while let Some(done) = calls.next().await {
        if done? == Outcome::Gone {
            return Ok(SAFETY_NET);
        }
    }
    Ok(Duration::ZERO)
}

/// Tells what was added to the log. Whether there may be more.
async fn tell_more(
    gateway: &Gateway,
    subscriber: &Subscriber,
    endpoint: &Endpoint,
) -> Result<bool, StoreError> {
    let name = &subscriber.name;
    let events = match gateway.store.events(endpoint.position, READ_AT_ONCE).await {
        Ok(events) => events,
        Err(EventsError::Forgotten) => {
            tracing::error!(
                endpoint = name,
                "the log was forgotten before this endpoint was told all of it; it goes on from now"
            );
            gateway.metrics.notice(name, "forgotten");
            let position = gateway.store.last_event().await?;
            gateway.advance(name, position, Vec::new(), None).await?;
            return Ok(true);
        }
        Err(EventsError::Store(error)) => return Err(error),
    };
    let Some(last) = events.last().map(|logged| logged.event.place) else { return Ok(false) };
    let more = events.len() == READ_AT_ONCE;
    let answers = gateway.call_all(subscriber, events).await;
    let gone = answers.iter().find(|(_, answer)| *answer == Err(NotifyError::Gone)).map(|(place, _)| *place);
    let now = gateway.now();
    let reached = (!answers.is_empty()).then(|| answers.iter().any(|(_, answer)| answer.is_ok()));
    let failed = answers.iter().filter_map(|(place, answer)| Some((*place, answer.as_ref().err()?)));
    let in_vain = failed.map(|(place, error)| {
        let (endpoint, last_error) = (name.clone(), String::new());
        let fresh = Delivery { endpoint, place, attempts: 0, next_at: None, last_error, created_at: now };
        gateway.failed_again(fresh, error, now)
    });
    // What comes after an event that it is gone for, it is told once it is enabled.
    gateway.advance(name, gone.unwrap_or(last), in_vain.collect(), reached).await?;
    if gone.is_some() {
        gateway.disable(name, NotifyError::Gone.to_string()).await?;
    } else if reached == Some(false) {
        gateway.give_up_after_days(name).await?;
    }
    Ok(more)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    GoesOn,
    /// It asks not to be called again.
    Gone,
}

/// An endpoint as it stands.
#[derive(Clone, Debug)]
pub struct EndpointState {
    pub name: String,
    pub kind: &'static str,
    pub events: Vec<String>,
    pub endpoint: Option<Endpoint>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayNoticeError {
    #[error("no such endpoint")]
    NotFound,
    /// The log does not have it any more, or never had.
    #[error("no such event")]
    Forgotten,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    async fn advance(
        &self,
        name: &str,
        position: u64,
        in_vain: Vec<Delivery>,
        reached: Option<bool>,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        let command = AdvanceEndpoint { name, position, in_vain, reached, now: self.now() };
        self.store.advance_endpoint(command).await
    }

    /// Nothing reached it just now: after days of that it is called no more.
    async fn give_up_after_days(&self, name: &str) -> Result<(), StoreError> {
        let since = self.store.endpoint(name).await?.and_then(|endpoint| endpoint.failing_since);
        if since.is_some_and(|since| self.now().since(since) > GIVEN_UP_AFTER) {
            self.disable(name, "nothing has reached it for five days".to_owned()).await?;
        }
        Ok(())
    }

    /// Tells those events that are of interest, several at once; what came of each, in the order of the log.
    async fn call_all(
        &self,
        subscriber: &Subscriber,
        events: Vec<Logged>,
    ) -> Vec<(u64, Result<(), NotifyError>)> {
        let is_wanted = |logged: &Logged| {
            subscriber.filter.takes_event(logged) && subscriber.notifier.wants(&logged.event)
        };
        let calls = events.into_iter().filter(is_wanted).map(|logged| async move {
            let answer = self.call(subscriber, &logged).await;
            (logged.event.place, answer)
        });
        let mut calls = pin!(stream::iter(calls).buffered(TOLD_AT_ONCE));
        let mut answers = Vec::new();
        while let Some((place, answer)) = calls.next().await {
            let is_gone = answer == Err(NotifyError::Gone);
            answers.push((place, answer));
            if is_gone {
                break;
            }
        }
        answers
    }

    async fn call(&self, subscriber: &Subscriber, logged: &Logged) -> Result<(), NotifyError> {
        let notice = Notice {
            event: logged.event.clone(),
            session: logged.session.clone(),
            body: (self.notices_render)(logged),
        };
        let answer = subscriber.notifier.tell(&notice).await;
        let outcome = match &answer {
            Ok(()) => "told",
            Err(NotifyError::Failed { .. }) => "failed",
            Err(NotifyError::Gone) => "gone",
        };
        self.metrics.notice(&subscriber.name, outcome);
        if let Err(error) = &answer {
            tracing::warn!(endpoint = subscriber.name, event = %notice.event.id(), %error, "an endpoint could not be told");
        }
        answer
    }

    /// What is on record of an event that was told in vain once more.
    fn failed_again(&self, mut delivery: Delivery, error: &NotifyError, now: Timestamp) -> Delivery {
        let asked_for = match error {
            NotifyError::Failed { retry_after, .. } => *retry_after,
            NotifyError::Gone => None,
        };
        delivery.attempts += 1;
        delivery.last_error = error.to_string();
        let pause = pause_after(delivery.attempts, self.entropy.fraction(), asked_for);
        delivery.next_at = pause.map(|pause| now.after(pause));
        if delivery.next_at.is_none() {
            self.metrics.notice(&delivery.endpoint, "dead");
            tracing::error!(
                endpoint = delivery.endpoint,
                attempts = delivery.attempts,
                "an endpoint was told an event in vain for days: it is a dead letter now"
            );
        }
        delivery
    }

    async fn tell_again(&self, subscriber: &Subscriber, delivery: Delivery) -> Result<Outcome, StoreError> {
        let (name, place) = (&subscriber.name, delivery.place);
        let Some(logged) = self.store.event(place).await? else {
            self.metrics.notice(name, "forgotten");
            tracing::error!(endpoint = name, "the log was forgotten before this endpoint was told all of it");
            self.store.drop_delivery(name, place, self.now()).await?;
            return Ok(Outcome::GoesOn);
        };
        let answer = self.call(subscriber, &logged).await;
        let now = self.now();
        let Err(error) = answer else {
            self.store.drop_delivery(name, place, now).await?;
            self.advance(name, 0, Vec::new(), Some(true)).await?;
            return Ok(Outcome::GoesOn);
        };
        self.store.keep_delivery(self.failed_again(delivery, &error, now), now).await?;
        if error != NotifyError::Gone {
            return Ok(Outcome::GoesOn);
        }
        self.disable(name, error.to_string()).await?;
        Ok(Outcome::Gone)
    }

    async fn disable(&self, name: &str, reason: String) -> Result<(), StoreError> {
        tracing::error!(
            endpoint = name,
            reason,
            "an endpoint is told nothing any more, until it is enabled again"
        );
        self.store.switch_endpoint(name, Some(reason), self.now()).await
    }

    /// The endpoints of the configuration, in its order.
    pub async fn endpoint_states(&self) -> Result<Vec<EndpointState>, StoreError> {
        let known = self.store.endpoints().await?;
        let state = |told: &Arc<Told>| {
            let Subscriber { name, filter, notifier } = &told.subscriber;
            let events = if filter.names.is_empty() { vec!["*".to_owned()] } else { filter.names.clone() };
            let endpoint = known.iter().find(|endpoint| endpoint.name == *name).cloned();
            EndpointState { name: name.clone(), kind: notifier.kind(), events, endpoint }
        };
        Ok(self.notices.iter().map(state).collect())
    }

    pub fn has_endpoint(&self, name: &str) -> bool {
        self.told(name).is_some()
    }

    fn told(&self, name: &str) -> Option<&Arc<Told>> {
        self.notices.iter().find(|told| told.subscriber.name == name)
    }

    /// The endpoint is told again what happens, from where it stood.
    pub async fn enable_endpoint(&self, name: &str) -> Result<bool, StoreError> {
        let Some(told) = self.told(name) else { return Ok(false) };
        self.store.switch_endpoint(name, None, self.now()).await?;
        told.enabled.notify_one();
        told.again.notify_one();
        Ok(true)
    }

    /// The endpoint is told an event once more, now, whether or not it was told before.
    pub async fn replay_notice(&self, name: &str, event: EventId) -> Result<(), ReplayNoticeError> {
        let told = self.told(name).ok_or(ReplayNoticeError::NotFound)?;
        let logged = self.store.event(event.place()).await?.filter(|logged| logged.event.id() == event);
        let place = logged.ok_or(ReplayNoticeError::Forgotten)?.event.place;
        let now = self.now();
        let known = self.store.delivery(name, place).await?;
        let delivery = Delivery {
            endpoint: name.to_owned(),
            place,
            attempts: 0,
            next_at: Some(now),
            last_error: known.map_or_else(String::new, |known| known.last_error),
            created_at: now,
        };
        self.store.keep_delivery(delivery, now).await?;
        told.again.notify_one();
        Ok(())
    }
}
