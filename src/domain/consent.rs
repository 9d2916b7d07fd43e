//! What a change of a subscription entails for the customer, the consent log and what is queued. Keywords in
//! customers' own texts are read in [`super::conversation::receive`].

use super::conversation::Refusal;
use super::customer::{ConsentAction, ConsentEvidence, ConsentRecord, ConsentSource, Customer, NumberHash};
use super::delivery::{DeliveryError, ErrorClass, Exemption, Status};
use super::message::Message;
use super::time::Timestamp;

impl Customer {
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

    /// The provider says that the customer opted out with it. None if that is known already.
    pub fn opted_out_with_provider(
        &mut self,
        message: &Message,
        error: &DeliveryError,
        now: Timestamp,
    ) -> Option<ConsentRecord> {
        if !self.set_unsubscribed(true, now) {
            return None;
        }
        let evidence = ConsentEvidence {
            source: ConsentSource::Provider,
            lane: Some(message.delivery.lane.clone()),
            message_id: Some(message.id),
            detail: error.code.clone().unwrap_or_else(|| error.class.as_str().to_owned()),
        };
        self.consent_record(ConsentAction::OptedOut, evidence, now)
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
            | Refusal::NoLane => ErrorClass::Permanent,
        };
        let error = DeliveryError { code: Some(refusal.slug().to_owned()), class, text: refusal.to_string() };
        self.withdraw(Status::Canceled, Some(error), now);
    }
}
