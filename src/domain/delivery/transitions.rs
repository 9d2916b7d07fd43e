//! How a message moves from state to state: attempted, settled, looked for, withdrawn, told of by receipts. Forward only;
//! no engine can invent a transition of its own.

use super::{
    Attempt, BY_RECEIPT, DeliveryError, ErrorClass, MAX_HISTORY, NEVER_LEFT, ProviderStatus, ReceiptEffect,
    ReceiptStage, ReceiptStatus, SendOutcome, Status,
};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;

impl Message {
    /// Writes an attempt down, before its request leaves.
    pub fn begin_attempt(&mut self, owner: &str, now: Timestamp) {
        self.delivery.status = Status::Sending;
        self.delivery.owner = Some(owner.to_owned());
        self.delivery.overtaken = false;
        self.delivery.note_attempt(now);
        self.updated_at = now;
    }

    /// Whether `attempt` is the attempt in hand. Any other's outcome is stale and changes nothing.
    pub fn has_attempt(&self, attempt: u32) -> bool {
        self.delivery.status == Status::Sending && self.delivery.attempt_number() == attempt
    }

    /// Whether this outcome of that attempt counts: it is in hand; or a receipt has beaten the answer that it was taken,
    /// which still names the number that was used.
    pub fn takes_outcome(&self, attempt: u32, outcome: &SendOutcome) -> bool {
        let beaten = matches!(outcome, SendOutcome::Accepted { .. })
            && self.delivery.attempt_number() == attempt
            && self.delivery.attempts.last().is_some_and(Attempt::ended_by_receipt);
        beaten || self.has_attempt(attempt)
    }

    /// What leaves.
    pub fn wire_content(&self) -> &str {
        self.delivery.wire_content.as_deref().unwrap_or(&self.content)
    }

    /// Whether it has waited for longer than it may.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.delivery.valid_until.is_some_and(|until| until < now)
    }

    /// Whose process has the attempt in hand, if it is not `owner`'s: nobody will settle it any more.
    pub fn is_abandoned(&self, owner: &str) -> bool {
        self.delivery.status == Status::Sending && self.delivery.owner.as_deref() != Some(owner)
    }

    /// The process that had the attempt in hand is gone: nobody knows whether it left.
    pub fn abandon(&mut self, now: Timestamp) {
        let error = DeliveryError {
            code: None,
            class: ErrorClass::Unknown,
            text: "the process that was sending it ended before the provider's answer was written down"
                .into(),
        };
        self.settle(&SendOutcome::Unknown { error, look_at: now }, now);
    }

    /// Whether `owner` has the attempt in hand and does not know of it, but at most of earlier ones.
    pub fn is_forgotten(&self, owner: &str, known: &[(MessageId, u32)]) -> bool {
        self.delivery.status == Status::Sending
            && self.delivery.owner.as_deref() == Some(owner)
            && !known.contains(&(self.id, self.delivery.attempt_number()))
    }

    /// The attempt in hand was never made: the message waits again.
    pub fn reclaim(&mut self, now: Timestamp) {
        self.delivery.end_attempt(NEVER_LEFT, now);
        self.requeue(now);
        self.updated_at = now;
    }

    /// Ends the attempt in hand.
    pub fn settle(&mut self, outcome: &SendOutcome, now: Timestamp) {
        self.delivery.end_attempt(outcome.as_str(), now);
        self.updated_at = now;
        if self.holds_queue() {
            self.delivery.error = outcome.error().cloned();
        }
        match outcome {
            SendOutcome::Accepted { provider_id, from } => {
                self.adopt(provider_id, now);
                self.delivery.from = from.clone().or(self.delivery.from.take());
            }
            SendOutcome::Throttled { ready_at, .. } | SendOutcome::ChannelFault { ready_at, .. } => {
                self.requeue(*ready_at);
            }
            SendOutcome::Transient { ready_at, .. } => {
                self.delivery.counted_attempts += 1;
                self.requeue(*ready_at);
            }
            SendOutcome::Permanent { .. } => self.delivery.status = Status::Failed,
            SendOutcome::Unknown { look_at, .. } => {
                self.delivery.status = Status::Unknown;
                self.delivery.looks = 0;
                self.delivery.look_at = Some(*look_at);
            }
        }
    }

    /// Whether it may still leave, or nobody knows yet whether it did: looked for, or held until a person decides.
    pub fn is_open(&self) -> bool {
        self.delivery.status.holds_queue()
    }

    /// Whether it holds its customer's place in the queue. An unknown one does until it is passed.
    pub fn holds_queue(&self) -> bool {
        match self.delivery.status {
            Status::Unknown => self.delivery.look_at.is_some() && !self.delivery.overtaken,
            status => status.holds_queue(),
        }
    }

    /// Whether nothing else of its customer's may leave now, whatever comes before it in the queue.
    pub fn is_in_flight(&self) -> bool {
        self.holds_queue() && self.delivery.status != Status::Queued
    }

    pub(super) fn requeue(&mut self, ready_at: Timestamp) {
        self.delivery.status = if self.delivery.recalled { Status::Canceled } else { Status::Queued };
        self.delivery.look_at = None;
        self.delivery.held_at = None;
        self.delivery.ready_at = ready_at;
    }

    /// Whether it ended without a word of the provider's that it has it: expired, canceled or refused. If an earlier attempt
    /// has left after all, it has not.
    fn is_ended_by_us(&self) -> bool {
        match self.delivery.status {
            Status::Expired => true,
            Status::Canceled | Status::Failed => self.delivery.provider_ids.is_empty(),
            Status::Queued
            | Status::Sending
            | Status::Sent
            | Status::Delivered
            | Status::Undelivered
            | Status::Unknown => false,
        }
    }

    pub(super) fn adopt(&mut self, provider_id: &str, now: Timestamp) {
        if self.delivery.status == Status::Sending {
            self.delivery.end_attempt(BY_RECEIPT, now);
        }
        if self.delivery.status.holds_queue() || self.is_ended_by_us() {
            self.delivery.status = Status::Sent;
            self.delivery.error = None;
        }
        self.delivery.look_at = None;
        self.delivery.held_at = None;
        self.delivery.dispatched_at.get_or_insert(now);
        if !self.delivery.provider_ids.iter().any(|known| known == provider_id) {
            self.delivery.provider_ids.push(provider_id.to_owned());
        }
    }

    /// Takes it out of the queue for good, before it left.
    pub fn withdraw(&mut self, status: Status, error: Option<DeliveryError>, now: Timestamp) {
        self.delivery.status = status;
        self.delivery.error = error;
        self.delivery.look_at = None;
        self.delivery.held_at = None;
        self.updated_at = now;
    }

    /// It waited for too long. The error of its last attempt stays: it says why it had to wait.
    pub fn expire(&mut self, now: Timestamp) {
        self.withdraw(Status::Expired, self.delivery.error.clone(), now);
    }

    /// Agents took the session over from its author: canceled if it still waits, and else not sent again.
    pub fn recall(&mut self, now: Timestamp) {
        match self.delivery.status {
            Status::Queued => self.withdraw(Status::Canceled, None, now),
            Status::Sending | Status::Unknown if self.holds_queue() => self.delivery.recalled = true,
            // One that was passed is asked whether it still may speak before it is sent again.
            Status::Sending
            | Status::Unknown
            | Status::Sent
            | Status::Delivered
            | Status::Undelivered
            | Status::Failed
            | Status::Canceled
            | Status::Expired => {}
        }
    }

    /// Applies a receipt. Its every word is kept; its state counts only if it moves the message forward.
    pub fn apply_receipt(&mut self, provider_id: &str, receipt: &ReceiptStatus) -> ReceiptEffect {
        self.hear(provider_id, receipt, false)
    }

    pub(super) fn hear(&mut self, provider_id: &str, receipt: &ReceiptStatus, asked: bool) -> ReceiptEffect {
        let known = self.delivery.history.iter().any(|seen| {
            seen.status == receipt.raw
                && seen.error_code == receipt.error.as_ref().and_then(|e| e.code.clone())
        });
        if !known && self.delivery.history.len() < MAX_HISTORY {
            self.delivery.history.push(ProviderStatus {
                status: receipt.raw.clone(),
                error_code: receipt.error.as_ref().and_then(|error| error.code.clone()),
                at: receipt.at,
                asked,
            });
        }
        // Any receipt proves that the provider has it, also while its send's answer is still out.
        let was = (self.delivery.status, self.delivery.provider_ids.len());
        self.note_evidence(BY_RECEIPT);
        self.adopt(provider_id, receipt.at);
        if receipt.stage > self.stage() {
            self.advance(receipt);
        }
        if !known || was != (self.delivery.status, self.delivery.provider_ids.len()) {
            self.updated_at = self.updated_at.max(receipt.at);
        }
        if was.0 == self.delivery.status { ReceiptEffect::Stale } else { ReceiptEffect::Advanced }
    }

    fn advance(&mut self, receipt: &ReceiptStatus) {
        self.delivery.error.clone_from(&receipt.error);
        match receipt.stage {
            ReceiptStage::Taken | ReceiptStage::Sent => {}
            ReceiptStage::Canceled => self.delivery.status = Status::Canceled,
            ReceiptStage::Failed => self.delivery.status = Status::Failed,
            ReceiptStage::Undelivered => self.delivery.status = Status::Undelivered,
            ReceiptStage::Delivered => {
                self.delivery.status = Status::Delivered;
                self.delivery.error = None;
                self.delivered_at.get_or_insert(receipt.at);
            }
        }
    }

    fn stage(&self) -> ReceiptStage {
        match self.delivery.status {
            Status::Queued | Status::Sending | Status::Unknown | Status::Sent | Status::Expired => {
                ReceiptStage::Taken
            }
            Status::Canceled => ReceiptStage::Canceled,
            Status::Failed => ReceiptStage::Failed,
            Status::Undelivered => ReceiptStage::Undelivered,
            Status::Delivered => ReceiptStage::Delivered,
        }
    }
}
