//! What happens to a text once the simulator has it: its plan, its steps, the receipts they cause, and what the
//! faults do to those. Part of the state machine: no I/O and no clock.

use std::time::Duration;

use serde_json::Value;

use super::errors::ApiError;
use super::fate::fate_of;
use super::faults::{Dice, ReceiptFault};
use super::message::{Message, Receipt, Status, Step};
use super::phones::PhoneText;
use super::send_request::LONGEST_VALIDITY_S;
use super::state::{RECEIPTS, State};
use crate::domain::time::Timestamp;

/// "Validity period expired".
const EXPIRED: u32 = 30036;
/// "The sender's queue is full".
const QUEUE_FULL: u32 = 21611;

/// A text that has passed all checks.
#[derive(Debug)]
pub(super) struct Draft {
    pub message: Message,
    /// Now, or when it is scheduled for.
    pub starts_at: Timestamp,
    /// How long after that it may still leave.
    pub validity: Duration,
}

/// What becomes due.
#[derive(Debug)]
pub(super) enum Due {
    /// The next step of the text with this id.
    Step(String),
    /// A late receipt.
    Receipt(Receipt),
}

impl State {
    /// Keeps a text that has passed all checks and plans its life. Its id, and its resource as it is now.
    pub(super) fn take(&mut self, draft: Draft, now: Timestamp) -> Result<(String, Value), ApiError> {
        let Draft { mut message, starts_at, validity } = draft;
        let queued_at = match &message.service {
            Some(_) => starts_at.after(Duration::from_millis(self.config.delays.queued_ms)),
            None => starts_at,
        };
        let sending_at = self.leave_at(&message, queued_at)?;
        message.plan = self.plan(&message, queued_at, sending_at, validity).into();
        message.sid = self.sid(!message.media.is_empty(), now);
        let sid = message.sid.clone();
        for step in &message.plan {
            self.scheduled += 1;
            self.timeline.insert((step.at, self.scheduled), Due::Step(sid.clone()));
        }
        let resource = message.resource(&self.config.account_sid);
        self.taken += 1;
        message.dice = Dice::new(self.seed, RECEIPTS + self.taken);
        self.messages.insert(message);
        Ok((sid, resource))
    }

    /// When the sender has capacity for the text; that is used up then.
    fn leave_at(&mut self, message: &Message, queued_at: Timestamp) -> Result<Timestamp, ApiError> {
        let at = queued_at.after(Duration::from_millis(self.config.delays.sending_ms));
        let Some(mps) = self.config.mps.filter(|mps| *mps > 0.0) else {
            return Ok(at);
        };
        let at = self.free_at.get(&message.from).map_or(at, |free| at.max(*free));
        if at.since(queued_at) > Duration::from_secs(LONGEST_VALIDITY_S) {
            return Err(ApiError::new(QUEUE_FULL, "The queue of this sender is full"));
        }
        let taken = Duration::try_from_secs_f64(f64::from(message.segments) / mps).unwrap_or(Duration::MAX);
        self.free_at.insert(message.from.clone(), at.after(taken));
        Ok(at)
    }

    fn plan(
        &self,
        message: &Message,
        queued_at: Timestamp,
        sending_at: Timestamp,
        validity: Duration,
    ) -> Vec<Step> {
        let delays = self.config.delays;
        let mut plan = Vec::with_capacity(4);
        if message.service.is_some() {
            plan.push(Step { at: queued_at, status: Status::Queued, error: None });
        }
        let expires_at = queued_at.after(validity);
        if sending_at > expires_at {
            plan.push(Step { at: expires_at, status: Status::Failed, error: Some(EXPIRED) });
            return plan;
        }
        plan.push(Step { at: sending_at, status: Status::Sending, error: None });
        let mut at = sending_at;
        for (status, error) in fate_of(&message.to).ending() {
            let later = if status == Status::Sent { delays.sent_ms } else { delays.delivered_ms };
            at = at.after(Duration::from_millis(later));
            plan.push(Step { at, status, error });
        }
        plan
    }

    /// When something will be due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.timeline.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets happen all that is due, in its order. The receipts to post now.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Receipt> {
        let mut receipts = Vec::new();
        while self.next_due().is_some_and(|at| at <= now)
            && let Some(((at, _), due)) = self.timeline.pop_first()
        {
            match due {
                // Steps that were taken early leave an empty turn behind.
                Due::Step(sid) if self.next_step_at(&sid).is_some_and(|planned| planned <= at) => {
                    self.step(&sid, &mut receipts);
                }
                Due::Step(_) => {}
                Due::Receipt(receipt) => receipts.push(receipt),
            }
        }
        receipts
    }

    fn next_step_at(&self, sid: &str) -> Option<Timestamp> {
        self.messages.get(sid)?.plan.front().map(|step| step.at)
    }

    /// Takes the steps up to `sent` now, whenever they were planned. Their receipts.
    pub(super) fn hurry(&mut self, sid: &str, now: Timestamp) -> Vec<Receipt> {
        let mut receipts = Vec::new();
        while let Some(step) = self.messages.get_mut(sid).and_then(|message| message.plan.front_mut()) {
            if !matches!(step.status, Status::Queued | Status::Sending | Status::Sent) {
                break;
            }
            step.at = now;
            self.step(sid, &mut receipts);
        }
        receipts
    }

    pub(super) fn cancel(&mut self, sid: &str, now: Timestamp) {
        if let Some(message) = self.messages.get_mut(sid) {
            let canceled = Step { at: now, status: Status::Canceled, error: None };
            message.plan = [canceled].into();
            self.scheduled += 1;
            let mut receipts = Vec::new();
            self.step(sid, &mut receipts);
            for receipt in receipts {
                self.post_at(now, receipt);
            }
        }
    }

    /// The text's next step, with its consequences for the phone and the receipts.
    fn step(&mut self, sid: &str, receipts: &mut Vec<Receipt>) {
        let Some(message) = self.messages.get_mut(sid) else {
            return;
        };
        let Some(step) = message.step() else { return };
        if step.status == Status::Delivered {
            let arrived = arrival(message, step.at);
            self.phones.push(arrived);
        }
        let last = message.plan.is_empty();
        if let Some(url) = message.status_callback.clone() {
            let fields = message.receipt_fields(&self.config.account_sid);
            let receipt = Receipt { url, sid: sid.to_owned(), fields, token: self.token() };
            self.place(receipt, step.at, last, receipts);
        }
    }

    /// Puts `receipt` where its fault wants it.
    fn place(&mut self, receipt: Receipt, at: Timestamp, last: bool, receipts: &mut Vec<Receipt>) {
        let Some(message) = self.messages.get_mut(&receipt.sid) else {
            return;
        };
        let fault = self.faults.draw_receipt(&mut message.dice);
        let overtaken = message.held.take();
        match fault {
            ReceiptFault::Reordered if !last && overtaken.is_none() => message.held = Some(receipt),
            ReceiptFault::Lost => {}
            ReceiptFault::Repeated => receipts.extend([receipt.clone(), receipt]),
            ReceiptFault::Late => self.post_at(at.after(Duration::from_millis(self.faults.late_ms)), receipt),
            ReceiptFault::Reordered | ReceiptFault::Nothing => receipts.push(receipt),
        }
        receipts.extend(overtaken);
    }

    fn post_at(&mut self, at: Timestamp, receipt: Receipt) {
        self.scheduled += 1;
        self.timeline.insert((at, self.scheduled), Due::Receipt(receipt));
    }
}

/// The text as it is seen on the customer's phone.
fn arrival(message: &Message, at: Timestamp) -> PhoneText {
    PhoneText {
        phone: message.to.clone(),
        peer: message.from.clone(),
        own: false,
        network: false,
        sid: Some(message.sid.clone()),
        body: message.body.clone(),
        media: message.media.clone(),
        status: Status::Delivered.as_str(),
        accepted_at: message.created_at,
        at,
    }
}
