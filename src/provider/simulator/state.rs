//! All that the simulator knows, as a state machine: requests and the time go in as values, answers and receipts to
//! post come out. No I/O and no clock. What happens to a text after it was taken is in [`super::life`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::config::SimulatorConfig;
use super::errors::ApiError;
use super::faults::{Dice, Faults, SendFault};
use super::form::Form;
use super::history::History;
use super::life::{Draft, Due};
use super::list::ListRequest;
use super::message::{Message, Receipt, Status};
use super::opt_out::BlockList;
use super::phones::Phones;
use super::send_request::SendRequest;
use crate::domain::time::Timestamp;

/// The streams of dice, so that one kind of draw does not shift another.
const SENDS: u64 = 1;
const READS: u64 = 2;
const IDS: u64 = 3;
const WEBHOOKS: u64 = 4;
/// Each text throws for its receipts from a stream of its own, numbered from here.
pub(super) const RECEIPTS: u64 = 1 << 32;

/// What the client of a request to send gets to see.
#[derive(Debug)]
pub(super) enum Answer {
    /// 201 with the resource.
    Created(Value),
    /// An error, with the body that the API gives its errors.
    Refused(ApiError),
    /// 500 without a body that could be read.
    Broken,
    /// The connection closes.
    HungUp,
}

/// How to answer a request to send.
#[derive(Debug)]
pub(super) struct Answering {
    pub answer: Answer,
    /// Receipts to deliver before.
    pub first: Vec<Receipt>,
    /// And then a time to wait.
    pub wait: Duration,
}

impl From<Answer> for Answering {
    fn from(answer: Answer) -> Self {
        Self { answer, first: Vec::new(), wait: Duration::ZERO }
    }
}

pub(super) struct State {
    pub(super) config: Arc<SimulatorConfig>,
    pub(super) seed: u64,
    pub(super) faults: Faults,
    pub(super) messages: History,
    pub(super) phones: Phones,
    pub(super) blocked: BlockList,
    pub(super) inbound_url: Option<String>,
    /// What is due when; the number keeps apart what is due at once.
    pub(super) timeline: BTreeMap<(Timestamp, u64), Due>,
    pub(super) scheduled: u64,
    /// From when on each sender is free again, where senders are limited.
    pub(super) free_at: HashMap<String, Timestamp>,
    /// How many texts were taken: the number of the next one's stream of dice.
    pub(super) taken: u64,
    send_dice: Dice,
    read_dice: Dice,
    id_dice: Dice,
    webhook_dice: Dice,
}

impl State {
    pub(super) fn new(config: Arc<SimulatorConfig>, seed: u64) -> Self {
        Self {
            seed,
            faults: config.faults.clone(),
            messages: History::new(config.history),
            phones: Phones::new(config.history),
            blocked: BlockList::default(),
            inbound_url: config.inbound_url.clone(),
            timeline: BTreeMap::new(),
            scheduled: 0,
            free_at: HashMap::new(),
            taken: 0,
            send_dice: Dice::new(seed, SENDS),
            read_dice: Dice::new(seed, READS),
            id_dice: Dice::new(seed, IDS),
            webhook_dice: Dice::new(seed, WEBHOOKS),
            config,
        }
    }

    /// As at the start, but for ids, which are not given twice, and for where customers' texts go.
    pub(super) fn reset(&mut self, seed: u64) {
        let mut fresh = Self::new(Arc::clone(&self.config), seed);
        fresh.id_dice = self.id_dice.clone();
        fresh.inbound_url = self.inbound_url.take();
        *self = fresh;
    }

    /// A request to send: checked, then struck by a fault or not.
    pub(super) fn send(&mut self, form: &Form, now: Timestamp) -> Answering {
        let draft = match self.draft(form, now) {
            Ok(draft) => draft,
            Err(error) => return Answer::Refused(error).into(),
        };
        let fault = self.faults.draw_send(&mut self.send_dice);
        match fault {
            SendFault::Throttled => {
                return Answer::Refused(ApiError::throttled(self.faults.retry_after_s)).into();
            }
            SendFault::ErrorNotTaken => {
                return Answer::Refused(ApiError::new(20503, "Service Unavailable")).into();
            }
            SendFault::DroppedBefore => return Answer::HungUp.into(),
            _ => {}
        }
        match self.take(draft, now) {
            Ok((sid, created)) => self.answer(fault, &sid, created, now),
            Err(error) => Answer::Refused(error).into(),
        }
    }

    /// The answer for a text that was taken.
    fn answer(&mut self, fault: SendFault, sid: &str, created: Value, now: Timestamp) -> Answering {
        match fault {
            SendFault::ErrorTaken => Answer::Broken.into(),
            SendFault::DroppedAfter => Answer::HungUp.into(),
            SendFault::Slow => Answering {
                wait: Duration::from_millis(self.faults.slow_ms),
                ..Answer::Created(created).into()
            },
            SendFault::ReceiptFirst => {
                Answering { first: self.hurry(sid, now), ..Answer::Created(created).into() }
            }
            _ => Answer::Created(created).into(),
        }
    }

    /// The text that `form` asks for, if it may be sent.
    fn draft(&self, form: &Form, now: Timestamp) -> Result<Draft, ApiError> {
        let request = SendRequest::read(form, &self.config, now)?;
        let known = self.phones.last_peer(&request.to).filter(|sender| self.config.owns(sender));
        let pool = || known.or(self.config.numbers.first().map(String::as_str)).unwrap_or_default();
        let from = request.from.unwrap_or_else(|| pool().to_owned());
        if self.blocked.is_blocked(&from, &request.to) {
            return Err(ApiError::new(21610, "Attempt to send to unsubscribed recipient"));
        }
        let status = match (request.send_at, &request.service) {
            (Some(_), _) => Status::Scheduled,
            (None, Some(_)) => Status::Accepted,
            (None, None) => Status::Queued,
        };
        Ok(Draft {
            message: Message {
                service: request.service,
                media: request.media,
                status_callback: request.status_callback,
                ..Message::new(from, request.to, request.body, status, now)
            },
            starts_at: request.send_at.unwrap_or(now),
            validity: request.validity,
        })
    }

    pub(super) fn loses_webhook(&mut self) -> bool {
        self.faults.draw_webhook_lost(&mut self.webhook_dice)
    }

    pub(super) fn read_fails(&mut self) -> bool {
        self.faults.draw_read_failed(&mut self.read_dice)
    }

    pub(super) fn list(&self, query: &Form, now: Timestamp) -> Result<Value, ApiError> {
        let newest = now.before(Duration::from_millis(self.faults.list_lag_ms));
        ListRequest::read(query)?.page(&self.messages, &self.config.account_sid, newest)
    }

    /// What came with a text.
    pub(super) fn media(&self, sid: &str) -> Option<Value> {
        self.messages.get(sid).map(|message| message.media_list(&self.config.account_sid))
    }

    pub(super) fn fetch(&self, sid: &str) -> Option<Value> {
        self.messages.get(sid).map(|message| message.resource(&self.config.account_sid))
    }

    /// Cancels or redacts; `None` if there is no such text.
    pub(super) fn update(
        &mut self,
        sid: &str,
        form: &Form,
        now: Timestamp,
    ) -> Option<Result<Value, ApiError>> {
        let status = self.messages.get(sid)?.status;
        let changed = match (form.filled("Status"), form.first("Body")) {
            (Some("canceled"), _) if status == Status::Scheduled => {
                self.cancel(sid, now);
                Ok(())
            }
            (Some("canceled"), _) => Err(ApiError::new(30409, "This message cannot be canceled")),
            (None, Some("")) if status.is_final() => {
                let message = self.messages.get_mut(sid)?;
                message.body.clear();
                message.updated_at = now;
                Ok(())
            }
            (None, Some("")) => Err(unfinished()),
            _ => Err(ApiError::new(20001, "Only Status=canceled or an empty Body can be set")),
        };
        Some(changed.and_then(|()| self.fetch(sid).ok_or_else(|| ApiError::not_found(sid))))
    }

    /// Deletes; `None` if there is no such text.
    pub(super) fn delete(&mut self, sid: &str) -> Option<Result<(), ApiError>> {
        if !self.messages.get(sid)?.status.is_final() {
            return Some(Err(unfinished()));
        }
        self.messages.remove(sid).map(|_| Ok(()))
    }

    /// A new id. It begins with the time, so that a simulator that starts again from its seed gives none twice.
    pub(super) fn sid(&mut self, media: bool, now: Timestamp) -> String {
        let prefix = if media { "MM" } else { "SM" };
        let (high, low) = (self.id_dice.next() & 0xffff, self.id_dice.next());
        format!("{prefix}{:012x}{high:04x}{low:016x}", now.as_millis().max(0))
    }

    /// A value for `I-Twilio-Idempotency-Token`.
    pub(super) fn token(&mut self) -> String {
        let (high, low) = (self.id_dice.next(), self.id_dice.next());
        let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

fn unfinished() -> ApiError {
    ApiError::new(20009, "The message is not finished: it can be neither redacted nor deleted yet")
}
