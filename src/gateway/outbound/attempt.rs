//! One attempt: the text is handed to the provider, and what came of it is written down.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::domain::delivery::{DeliveryError, ErrorClass, SendOutcome};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::provider::{OutgoingText, Sent};
use crate::store::SettleError;

use super::in_flight::Entry;
use super::{LaneState, STORE_PAUSE, verdict};
use crate::gateway::Gateway;
use crate::gateway::channels::Channel;

/// Sends a message whose attempt has been written down.
pub(super) async fn send(
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    state: Arc<LaneState>,
    message: Box<Message>,
    (slot, entry): (OwnedSemaphorePermit, Entry),
) {
    entry.leaves(&message);
    let text = outgoing(&channel, &message, gateway.now());
    let started = gateway.clock.elapsed();
    let sent = gateway.hand_over(&channel, text).await;
    let took = gateway.clock.elapsed().saturating_sub(started);

    let rests_until = gateway.rest_as_told(&channel, &message, &sent).await;
    let looks = &gateway.settings.looks;
    let (now, jitter) = (gateway.now(), gateway.entropy.fraction());
    let outcome = verdict::judge(sent, &message, looks, rests_until, now, jitter);
    gateway.metrics.sent(&channel.name, outcome.as_str(), took);
    report(&message, &outcome);
    if gateway.write_down(&message, outcome).await {
        entry.settled(&message);
    }
    drop((slot, entry));
    state.wake.notify_one();
    gateway.wake_next_of(&message).await;
}

fn outgoing(channel: &Channel, message: &Message, now: Timestamp) -> OutgoingText {
    OutgoingText {
        message_id: message.id,
        sender: message.delivery.lane.sender.clone(),
        to: message.delivery.to.clone(),
        content: message.wire_content().to_owned(),
        status_url: channel.status_url(),
        valid_for_s: message.delivery.valid_until.map(|until| until.since(now).as_secs().max(1)),
    }
}

fn report(message: &Message, outcome: &SendOutcome) {
    let id = message.id;
    let (code, text) =
        outcome.error().map_or((None, ""), |error| (error.code.as_deref(), error.text.as_str()));
    match outcome {
        SendOutcome::Accepted { .. } => tracing::info!(message = %id, "the provider took a text"),
        SendOutcome::Throttled { .. } | SendOutcome::Transient { .. } => {
            tracing::warn!(message = %id, code, reason = text, "the provider did not take a text now; it is tried again");
        }
        SendOutcome::ChannelFault { .. } => {
            tracing::error!(message = %id, code, reason = text, "the channel is set up wrongly; the text waits");
        }
        SendOutcome::Permanent { .. } => {
            tracing::warn!(message = %id, code, reason = text, "the provider refused a text for good");
        }
        SendOutcome::Unknown { .. } => {
            tracing::warn!(message = %id, code, reason = text, "it is unknown whether the provider took a text; looking for evidence");
        }
    }
}

impl Gateway {
    /// Hands a text over. An adapter that panics leaves its fate unknown.
    async fn hand_over(&self, channel: &Arc<Channel>, text: OutgoingText) -> Sent {
        let provider = Arc::clone(&channel.provider);
        let sending = self.tasks.spawn(async move { provider.send(&text).await });
        sending.await.unwrap_or_else(|failed| {
            let text = format!("the provider's adapter failed: {failed}");
            Sent::Unknown { error: DeliveryError { code: None, class: ErrorClass::Unknown, text } }
        })
    }

    /// The same, for a message of which only the id is known.
    pub(super) async fn wake_next_after(&self, id: MessageId) {
        match self.store.message(id).await {
            Ok(Some(message)) => self.wake_next_of(&message).await,
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(message = %id, %error, "its customer's next text is found a little later");
            }
        }
    }

    /// What the customer has next may go out by another number than the message that left the queue.
    pub(super) async fn wake_next_of(&self, message: &Message) {
        if !self.outbound.has_several_lanes() {
            return;
        }
        match self.store.queue_front(message.customer_id).await {
            Ok(Some(next)) if next.delivery.lane != message.delivery.lane => {
                self.outbound.wake(&next.delivery.lane);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(message = %message.id, %error, "its customer's next text is found a little later");
            }
        }
    }

    /// A refusal may ask for a pause; what is taken ends a row of them. Returns until when the lane rests now.
    async fn rest_as_told(&self, channel: &Channel, message: &Message, sent: &Sent) -> Option<Timestamp> {
        let lane = &message.delivery.lane;
        match sent {
            Sent::Accepted { .. } => {
                self.outbound.pauses.forget(lane, self.now());
                None
            }
            Sent::Refused { error, retry_after_s } => {
                let retry_after = retry_after_s.map(Duration::from_secs);
                Some(self.rest_after(channel, lane, error, retry_after).await?.until)
            }
            Sent::Unknown { .. } => None,
        }
    }

    /// If it was the provider who said, by what became of a message, that the customer opted out: what is about to leave to
    /// them does not.
    pub(in crate::gateway) fn heed_opt_out(&self, message: &Message) {
        if message.delivery.error.as_ref().is_some_and(|error| error.class == ErrorClass::OptedOut) {
            self.outbound.in_flight.stop_all_to(message.customer_id);
        }
    }

    /// The provider has answered: that must be written down. While the store cannot, it is tried until the gateway
    /// stops; after that the next process finds the attempt in hand, and settles it by evidence. `false`: so it is.
    pub(super) async fn write_down(&self, message: &Message, outcome: SendOutcome) -> bool {
        let unknown = matches!(outcome, SendOutcome::Unknown { .. });
        let attempt = message.delivery.attempt_number();
        let mut trouble = self.troubles.watch();
        loop {
            match self.store.settle(message.id, attempt, outcome.clone(), self.now()).await {
                Ok(settled) => {
                    self.heed_opt_out(&settled);
                    break;
                }
                Err(SettleError::Stale) => {
                    tracing::debug!(message = %message.id, "somebody else settled this attempt");
                    break;
                }
                Err(SettleError::Store(error)) => {
                    trouble.met(&error, "what came of a send could not be written down");
                }
            }
            if self.rest(STORE_PAUSE).await.is_err() {
                return false;
            }
        }
        if unknown {
            self.outbound.unknown.notify_one();
        }
        true
    }
}
