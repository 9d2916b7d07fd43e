//! The last gate: texts whose attempts are written down leave here, each when the number, its destination and the
//! account let it. Nothing is taken of any of them before all do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::domain::delivery::{DeliveryError, ErrorClass, SendOutcome};
use crate::domain::message::Message;
use crate::domain::pace::Moment;
use crate::domain::time::Timestamp;

use super::in_flight::Entry;
use super::number::NumberPace;
use super::{LaneState, attempt};
use crate::gateway::Gateway;
use crate::gateway::channels::Channel;
use crate::gateway::pace::{Destination, Lead};

/// A text on its way to the gate.
pub(super) struct Leaving {
    pub message: Box<Message>,
    /// Held until the provider has answered.
    pub slot: OwnedSemaphorePermit,
    pub entry: Entry,
    /// Held until it has left, where the account has a pace.
    pub approach: Option<OwnedSemaphorePermit>,
    /// Where it has a pace, with the moment that was claimed there.
    pub destination: Option<(Arc<Destination>, Moment)>,
}

impl Leaving {
    /// When its destination lets it leave.
    fn claimed(&self) -> Moment {
        self.destination.as_ref().map_or(Duration::ZERO, |(_, claimed)| *claimed)
    }
}

/// Why a text does not leave after all.
#[derive(Clone, Copy)]
struct HeldBack {
    until: Timestamp,
    because: &'static str,
}

struct Gate {
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    state: Arc<LaneState>,
    number: Arc<NumberPace>,
}

/// Lets a lane's texts leave, one after the other, until no more come. Those that are here when the gateway stops leave,
/// too: it is a moment.
pub(super) async fn run(
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    state: Arc<LaneState>,
    number: Arc<NumberPace>,
    mut coming: UnboundedReceiver<Leaving>,
) {
    let gate = Gate { gateway, channel, state, number };
    while let Some(leaving) = coming.recv().await {
        match gate.pass(&leaving).await {
            Ok(now) => gate.let_go(leaving, now),
            Err(held_back) => gate.put_back(leaving, held_back),
        }
    }
}

impl Gate {
    /// Returns when it leaves, with the moment, and has taken what that costs.
    async fn pass(&self, leaving: &Leaving) -> Result<Moment, HeldBack> {
        let segments = leaving.message.delivery.segmentation.segments;
        loop {
            self.may_leave()?;
            let planned = self.number.due(self.now(), segments).max(leaving.claimed());
            self.sleep_until(planned).await;
            self.destination_is_open(leaving, segments).await?;
            let account = match &self.channel.pace.account {
                None => None,
                Some(account) => {
                    let meter = account.meter.lock().await;
                    let due = meter.due(self.now(), segments);
                    self.sleep_until(due).await;
                    Some(meter)
                }
            };
            self.may_leave()?;
            let now = self.now();
            let destination = leaving.destination.as_ref();
            if destination.is_some_and(|(destination, _)| destination.due(now, segments) > now) {
                // Another lane was faster.
                continue;
            }
            if let Some(mut meter) = account {
                meter.depart(segments, now);
            }
            if let Some((destination, _)) = destination {
                destination.depart(segments, now);
            }
            self.number.depart(segments, now);
            return Ok(now);
        }
    }

    /// What its destination has claimed for it is exact, but for others that were late.
    async fn destination_is_open(&self, leaving: &Leaving, segments: u32) -> Result<(), HeldBack> {
        let Some((destination, _)) = &leaving.destination else { return Ok(()) };
        let now = self.now();
        let due = destination.due(now, segments);
        let wait = due.saturating_sub(now);
        if wait > Lead::MOST {
            let until = self.gateway.now().after(wait);
            return Err(HeldBack { until, because: "its destination had no room for it" });
        }
        self.sleep_until(due).await;
        Ok(())
    }

    /// Not if a pause began since its attempt was written down.
    fn may_leave(&self) -> Result<(), HeldBack> {
        match self.gateway.outbound.pauses.until(&self.state.lane, self.gateway.now()) {
            Some(until) => Err(HeldBack { until, because: "a pause began before it was handed over" }),
            None => Ok(()),
        }
    }

    fn let_go(&self, leaving: Leaving, now: Moment) {
        let Leaving { message, slot, entry, approach, .. } = leaving;
        drop(approach);
        tracing::debug!(
            message = %message.id,
            channel = self.channel.name,
            segments = message.delivery.segmentation.segments,
            at_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX),
            "a text leaves"
        );
        let (gateway, channel) = (Arc::clone(&self.gateway), Arc::clone(&self.channel));
        let attempt = attempt::send(gateway, channel, Arc::clone(&self.state), message, (slot, entry));
        self.gateway.spawn(attempt);
    }

    /// It was not handed over: its attempt ends so, and it goes back to its place.
    fn put_back(&self, leaving: Leaving, held_back: HeldBack) {
        let Leaving { message, slot, entry, approach, .. } = leaving;
        drop(approach);
        self.number.give_up();
        let HeldBack { until: ready_at, because } = held_back;
        let error = DeliveryError { code: None, class: ErrorClass::Throttled, text: because.into() };
        let (gateway, state) = (Arc::clone(&self.gateway), Arc::clone(&self.state));
        self.gateway.spawn(async move {
            tracing::info!(message = %message.id, because, "a text was held back");
            gateway.write_down(&message, SendOutcome::Throttled { error, ready_at }).await;
            drop((slot, entry));
            state.wake.notify_one();
        });
    }

    fn now(&self) -> Moment {
        self.gateway.clock.elapsed()
    }

    async fn sleep_until(&self, moment: Moment) {
        let pause = moment.saturating_sub(self.now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}
