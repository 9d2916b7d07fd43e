//! What a change of a subscription entails for the customer, the consent log and what is queued. Keywords in
//! customers' own texts are read in [`super::conversation::receive`].

use super::conversation::Refusal;
use super::customer::{ConsentAction, ConsentEvidence, ConsentRecord, ConsentSource, Customer, NumberHash};
use super::delivery::{DeliveryError, ErrorClass, Exemption, Status};
use super::message::Message;
use super::time::{CLOCK_SKEW, Timestamp};

/// When a number last opted out and in, as its consent log has it. Two clocks tell of it: ours when we heard it, the
/// provider's when it was said in a text that was recovered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastWords {
    stop_heard: Option<Timestamp>,
    stop_recovered: Option<Timestamp>,
    start_heard: Option<Timestamp>,
    start_recovered: Option<Timestamp>,
}

impl LastWords {
    /// Takes a line of the log into account. A mere proof of the number says nothing of either.
    pub fn note(&mut self, record: &ConsentRecord) {
        let last = match (record.action, record.said_at) {
            (ConsentAction::Confirmed, _) => return,
            (ConsentAction::OptedIn, None) => &mut self.start_heard,
            (ConsentAction::OptedIn, Some(_)) => &mut self.start_recovered,
            (ConsentAction::OptedOut, None) => &mut self.stop_heard,
            (ConsentAction::OptedOut, Some(_)) => &mut self.stop_recovered,
        };
        *last = (*last).max(Some(record.said_at.unwrap_or(record.at)));
    }

    /// Whether what was said then, by the provider's clock, was certainly said before the number opted in. Providers tell
    /// the time of a text in seconds, so that is how finely their times are compared.
    pub fn opted_in_since(&self, said_at: Timestamp) -> bool {
        self.start_heard.is_some_and(|start| said_at.after(CLOCK_SKEW) < start)
            || self.start_recovered.is_some_and(|start| said_at.as_secs() < start.as_secs())
    }

    /// Whether what was said then, by the provider's clock, was certainly said after the number opted out.
    pub fn opted_out_before(&self, said_at: Timestamp) -> bool {
        self.stop_heard.is_none_or(|stop| stop.after(CLOCK_SKEW) < said_at)
            && self.stop_recovered.is_none_or(|stop| stop.as_secs() < said_at.as_secs())
    }
}

impl Customer {
    /// Subscribes or unsubscribes them. Whether that changed anything; and the line for the consent log: of every
    /// opt-out, even of who has opted out already, so that it is known until when they have wanted silence.
    pub fn set_subscription(
        &mut self,
        unsubscribed: bool,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> (bool, Option<ConsentRecord>) {
        let changed = self.set_unsubscribed(unsubscribed, now);
        let action = if unsubscribed { ConsentAction::OptedOut } else { ConsentAction::OptedIn };
        let is_word = changed || unsubscribed;
        (changed, if is_word { self.consent_record(action, evidence, now) } else { None })
    }

    /// A line for the consent log. None for a customer without a number: there is nothing to consent to.
    pub fn consent_record(
        &self,
        action: ConsentAction,
        evidence: ConsentEvidence,
        now: Timestamp,
    ) -> Option<ConsentRecord> {
        let number = NumberHash::of(self.address()?);
        Some(ConsentRecord { number, customer_id: self.id, action, evidence, at: now, said_at: None })
    }

    /// The provider says that the customer opted out with it.
    pub fn opted_out_with_provider(
        &mut self,
        message: &Message,
        error: &DeliveryError,
        now: Timestamp,
    ) -> Option<ConsentRecord> {
        let evidence = ConsentEvidence {
            source: ConsentSource::Provider,
            lane: Some(message.delivery.lane.clone()),
            message_id: Some(message.id),
            detail: error.code.clone().unwrap_or_else(|| error.class.as_str().to_owned()),
        };
        self.set_subscription(true, evidence, now).1
    }
}

impl Message {
    /// Whether an opt-out of its customer cancels it.
    pub fn is_canceled_by_opt_out(&self) -> bool {
        self.delivery.status == Status::Queued && self.delivery.exemption != Exemption::KeywordReply
    }

    /// Its customer may not be texted any more: canceled, for that reason.
    pub fn cancel_because(&mut self, refusal: Refusal, now: Timestamp) {
        let class = match refusal {
            Refusal::CustomerUnsubscribed => ErrorClass::OptedOut,
            Refusal::CustomerUnconfirmed
            | Refusal::CustomerUnreachable
            | Refusal::SessionNotHeld
            | Refusal::SessionHeld
            | Refusal::StaleTurn
            | Refusal::SessionAssigned
            | Refusal::LoopGuard
            | Refusal::NoLane => ErrorClass::Permanent,
        };
        let error = DeliveryError { code: Some(refusal.slug().to_owned()), class, text: refusal.to_string() };
        self.withdraw(Status::Canceled, Some(error), now);
    }
}
