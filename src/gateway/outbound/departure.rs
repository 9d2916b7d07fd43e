//! The last gate: texts whose attempts are written down leave here, each when the number, its destination and the
//! account let it. Nothing is taken of any of them before all do. None waits here for long: whether it may leave at all
//! was asked when its attempt was written down.

use std::sync::Arc;
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
use crate::gateway::pace::{Claims, Lead};

/// A text on its way to the gate.
pub(super) struct Leaving {
    pub message: Box<Message>,
    /// Held until the provider has answered.
    pub slot: OwnedSemaphorePermit,
    pub entry: Entry,
    /// Of the account and of its destination.
    pub claims: Claims,
    /// When its attempt had been written down.
    pub written: Moment,
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
    while let Some(mut leaving) = coming.recv().await {
        match gate.pass(&mut leaving).await {
            Ok(now) => gate.let_go(leaving, now),
            Err(held_back) => gate.put_back(leaving, held_back),
        }
    }
}

impl Gate {
    /// Returns when it leaves, with the moment, and has taken what that costs.
    async fn pass(&self, leaving: &mut Leaving) -> Result<Moment, HeldBack> {
        let segments = leaving.message.delivery.segmentation.segments;
        let mut may_have_been_settled = self.may_have_been_settled(&leaving.message);
        loop {
            self.may_leave(leaving)?;
            let now = self.now();
            let due = self.number.due(now, segments).max(leaving.claims.due(now));
            if due > now {
                self.wait(leaving, due).await?;
                continue;
            }
            if std::mem::take(&mut may_have_been_settled) {
                self.ask_whether_it_is_settled(&leaving.message).await?;
                continue;
            }
            // If another lane was faster, it is asked again.
            if leaving.claims.depart(now).is_ok() {
                self.number.depart(segments, now);
                return Ok(now);
            }
        }
    }

    /// What was claimed for it is exact, but for others that were late. It waits a little for them, and no longer: a
    /// customer's last word, or an agent's, would come too late for it.
    async fn wait(&self, leaving: &Leaving, due: Moment) -> Result<(), HeldBack> {
        let pause = due.saturating_sub(self.now());
        if due > leaving.written + Lead::MOST {
            let until = self.gateway.now().after(pause);
            return Err(HeldBack { until, because: "its turn came later than was planned" });
        }
        self.gateway.clock.at(due).await;
        Ok(())
    }

    /// Whether another daemon may have been told meanwhile that an earlier attempt has left after all. What this one is told
    /// stops it by itself.
    fn may_have_been_settled(&self, message: &Message) -> bool {
        message.delivery.may_have_left_before() && self.gateway.may_have_others()
    }

    async fn ask_whether_it_is_settled(&self, message: &Message) -> Result<(), HeldBack> {
        let until = self.gateway.now();
        match self.gateway.store.message(message.id).await {
            Ok(Some(now)) if now.has_attempt(message.delivery.attempt_number()) => Ok(()),
            Ok(_) => Err(HeldBack { until, because: "it was settled before it was handed over" }),
            Err(error) => {
                tracing::warn!(message = %message.id, %error, "it could not be asked whether a text has left before");
                Err(HeldBack { until, because: "it could not be asked whether it has left before" })
            }
        }
    }

    /// Not if a pause began since its attempt was written down, or if somebody else has settled that.
    fn may_leave(&self, leaving: &Leaving) -> Result<(), HeldBack> {
        let now = self.gateway.now();
        if !self.state.duty.is_this_daemons(self.now()) {
            let because = "it is another daemon's to send by its number";
            return Err(HeldBack { until: now, because });
        }
        if leaving.entry.is_stopped() {
            return Err(HeldBack { until: now, because: "it was stopped before it was handed over" });
        }
        match self.gateway.outbound.pauses.until(&self.state.lane, now) {
            Some(until) => Err(HeldBack { until, because: "a pause began before it was handed over" }),
            None => Ok(()),
        }
    }

    fn let_go(&self, leaving: Leaving, now: Moment) {
        let Leaving { message, slot, entry, .. } = leaving;
        tracing::debug!(
            message = %message.id,
            channel = self.channel.name,
            segments = message.delivery.segmentation.segments,
            at_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX),
            "a text leaves"
        );
        let (gateway, channel) = (Arc::clone(&self.gateway), Arc::clone(&self.channel));
        let attempt = attempt::send(gateway, channel, Arc::clone(&self.state), message, (slot, entry));
        self.gateway.spawn(self.state.duty.tasks.track_future(attempt));
    }

    /// It was not handed over: its attempt ends so, and it goes back to its place.
    fn put_back(&self, leaving: Leaving, held_back: HeldBack) {
        let Leaving { message, slot, entry, claims, .. } = leaving;
        // Others may leave instead.
        drop(claims);
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
}
