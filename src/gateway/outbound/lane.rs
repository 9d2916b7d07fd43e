//! One lane: takes the next text when the pace lets it, and writes its attempt down before it leaves.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::domain::ids::MessageId;
use crate::domain::pace::Meter;
use crate::store::{Begun, LaneHead, StoreError};

use super::{LaneState, SAFETY_NET, STORE_PAUSE, attempt};
use crate::gateway::Gateway;
use crate::gateway::channels::Channel;

/// How long a lane whose head was not what it seemed waits before it looks again.
const CHANGED_PAUSE: Duration = Duration::from_millis(20);

/// What the lane does next.
enum Next {
    /// Ask again at once.
    Again,
    /// Ask again after a while, or when woken.
    Wait(Duration),
    Stop,
}

struct Runner {
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    state: Arc<LaneState>,
    meter: Option<Meter>,
    /// Segments whose time has been waited for, for the text that leaves next. Whatever leaves uses all of it up: time
    /// that was waited for before a departure cannot be spent after it.
    paid: u32,
}

/// Drains one lane until the gateway stops.
pub(super) async fn run(gateway: Arc<Gateway>, channel: Arc<Channel>, state: Arc<LaneState>) {
    // A lane starts owing one segment: what left just before a restart still counts.
    let owing = |pace: crate::domain::pace::Pace| Meter::new(pace, gateway.clock.elapsed() + pace.interval());
    let meter = channel.number_pace.map(owing);
    let mut runner = Runner { gateway, channel, state, meter, paid: 0 };
    loop {
        let next = runner.step().await.unwrap_or_else(|error| {
            tracing::error!(lane = %runner.state.lane.channel, %error, "the lane's next text could not be read");
            Next::Wait(STORE_PAUSE)
        });
        match next {
            Next::Again => {}
            Next::Stop => return,
            Next::Wait(pause) => {
                runner.paid = 0;
                if !runner.rest(pause).await {
                    return;
                }
            }
        }
    }
}

impl Runner {
    async fn step(&mut self) -> Result<Next, StoreError> {
        let Some(slot) = self.take_slot().await else { return Ok(Next::Stop) };
        let now = self.gateway.now();
        if let Some(until) = self.state.paused_until().filter(|until| *until > now) {
            return Ok(Next::Wait(until.since(now)));
        }
        match self.gateway.store.lane_head(&self.state.lane, now).await? {
            LaneHead::Empty => Ok(Next::Wait(SAFETY_NET)),
            LaneHead::NotBefore(ready_at) => Ok(Next::Wait(ready_at.since(now).min(SAFETY_NET))),
            LaneHead::Ready { segments, .. } if self.paid < segments => {
                if self.pay(segments).await {
                    Ok(Next::Again)
                } else {
                    Ok(Next::Stop)
                }
            }
            LaneHead::Ready { message_id, .. } => self.begin(message_id, slot).await,
        }
    }

    async fn take_slot(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.gateway.stop.cancelled() => None,
            slot = Arc::clone(&self.state.slots).acquire_owned() => slot.ok(),
        }
    }

    /// Waits until `segments` may leave, by the number's pace and then by the account's: the smaller limit is asked
    /// first, so that waiting for it wastes nothing of the larger. `false`: the gateway stops.
    async fn pay(&mut self, segments: u32) -> bool {
        let owed = segments - self.paid;
        if let Some(meter) = &mut self.meter {
            let departure = meter.reserve(self.gateway.clock.elapsed(), owed);
            if !self.sleep_until(departure).await {
                return false;
            }
        }
        if let Some(departure) = self.reserve_from_account(owed)
            && !self.sleep_until(departure).await
        {
            return false;
        }
        self.paid = segments;
        true
    }

    /// Something leaves now. Where that is later than planned (the disk was slow, the account's turn came late), what
    /// follows is put off, too: the pace holds between departures, not between plans.
    fn depart(&mut self) {
        let now = self.gateway.clock.elapsed();
        self.paid = 0;
        if let Some(meter) = &mut self.meter {
            meter.depart(now);
        }
        if let Some(account) = &self.channel.account {
            account.lock().unwrap_or_else(PoisonError::into_inner).depart(now);
        }
    }

    fn reserve_from_account(&self, segments: u32) -> Option<Duration> {
        let meter = self.channel.account.as_ref()?;
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        Some(meter.reserve(self.gateway.clock.elapsed(), segments))
    }

    async fn sleep_until(&self, departure: Duration) -> bool {
        let pause = departure.saturating_sub(self.gateway.clock.elapsed());
        if pause.is_zero() {
            return !self.gateway.is_stopping();
        }
        tokio::select! {
            biased;
            () = self.gateway.stop.cancelled() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }

    /// Writes the attempt down; then, and only then, the text leaves.
    async fn begin(&mut self, id: MessageId, slot: OwnedSemaphorePermit) -> Result<Next, StoreError> {
        let now = self.gateway.now();
        let in_flight = self.gateway.outbound.in_flight.enter(id);
        match self.gateway.store.begin_attempt(id, &self.gateway.owner, now).await? {
            Begun::Attempt(message) => {
                in_flight.is_of(&message);
                self.depart();
                let attempt = attempt::send(
                    Arc::clone(&self.gateway),
                    Arc::clone(&self.channel),
                    Arc::clone(&self.state),
                    message,
                    (slot, in_flight),
                );
                self.gateway.spawn(attempt);
            }
            Begun::Withdrawn(status) => {
                tracing::info!(message = %id, status = status.as_str(), "a text was withdrawn before it left");
            }
            Begun::NotDue => {
                tracing::debug!(message = %id, "the lane's next text has changed");
                return Ok(Next::Wait(CHANGED_PAUSE));
            }
        }
        Ok(Next::Again)
    }

    /// `false`: the gateway stops.
    async fn rest(&self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.gateway.stop.cancelled() => false,
            () = self.state.wake.notified() => true,
            () = tokio::time::sleep(pause) => true,
        }
    }
}
