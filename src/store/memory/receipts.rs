//! Providers' receipts, those that came too early among them.

use crate::domain::delivery::{
    self, DeliveryError, ErrorClass, MAX_PARKED, Parking, ReceiptEffect, ReceiptStatus,
};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::store::{Receipt, ReceiptOutcome};

use super::state::{Parked, State};

impl State {
    pub fn apply_receipt(&mut self, receipt: Receipt, now: Timestamp) -> ReceiptOutcome {
        let Some(message) = self.named_by(&receipt) else {
            return self.park(receipt, now);
        };
        let (id, customer_id, before) = (message.id, message.customer_id, message.delivery.status);
        self.change_queue(customer_id, now, |state| {
            state.adopt(id, &receipt.provider_id, now);
            state.apply(id, &receipt.provider_id, &receipt.status, now);
        });
        match self.messages.get(id).map(|message| message.delivery.status) {
            Some(after) if after != before => ReceiptOutcome::Advanced(id, after),
            _ => ReceiptOutcome::Stale(id),
        }
    }

    fn park(&mut self, receipt: Receipt, now: Timestamp) -> ReceiptOutcome {
        let of_one = self.parked.iter().filter(|parked| {
            parked.receipt.channel == receipt.channel && parked.receipt.provider_id == receipt.provider_id
        });
        let said: Vec<ReceiptStatus> = of_one.map(|parked| parked.receipt.status.clone()).collect();
        match delivery::park(&said, &receipt.status) {
            Parking::Known => return ReceiptOutcome::Parked,
            Parking::Refused => return ReceiptOutcome::Dropped,
            Parking::Kept => {}
        }
        let full = self.parked.len() as u64 >= MAX_PARKED;
        if full {
            self.forget_oldest_parked();
        }
        let order = self.parked.last().map_or(0, |last| last.order + 1);
        self.parked.push(Parked { order, receipt, at: now });
        if full { ReceiptOutcome::Displacing } else { ReceiptOutcome::Parked }
    }

    pub fn forget_oldest_parked(&mut self) {
        let arrived = self.parked.iter().enumerate();
        if let Some((oldest, _)) = arrived.min_by_key(|(arrival, parked)| (parked.at, *arrival)) {
            self.parked.remove(oldest);
        }
    }

    /// The provider was asked about a message.
    pub fn take_answer(
        &mut self,
        id: MessageId,
        asks: u8,
        answer: Option<&(String, ReceiptStatus)>,
        now: Timestamp,
    ) -> Option<Message> {
        let customer_id = self.messages.get(id)?.customer_id;
        self.change_queue(customer_id, now, |state| {
            let said = answer.map(|(id, status)| (id.as_str(), status));
            let effect = state.messages.get_mut(id).map(|message| message.take_answer(asks, said));
            let error = answer.and_then(|(_, status)| status.error.as_ref());
            if let (Some(ReceiptEffect::Advanced), Some(error)) = (effect, error) {
                state.heed_opt_out(id, error, now);
            }
        });
        self.messages.get(id).cloned()
    }

    fn named_by(&self, receipt: &Receipt) -> Option<&Message> {
        let by_our_id = receipt
            .message_id
            .and_then(|id| self.messages.get(id))
            .filter(|message| !message.is_inbound() && message.delivery.lane.channel == receipt.channel);
        let by_its = self.message_by_provider_id(&receipt.channel, &receipt.provider_id);
        let by_its = by_its.and_then(|id| self.messages.get(id));
        delivery::whose(by_our_id, by_its)
    }

    fn message_by_provider_id(&self, channel: &str, provider_id: &str) -> Option<MessageId> {
        self.adopted.get(&(channel.to_owned(), provider_id.to_owned())).copied()
    }

    /// Of each channel one at the most, in the order of their names.
    pub fn messages_by_provider_id(&self, provider_id: &str) -> impl Iterator<Item = &Message> {
        let whose = self.adopted.iter().filter(move |((_, known), _)| known == provider_id);
        whose.filter_map(|(_, id)| self.messages.get(*id))
    }

    /// The message has that provider id now: what came for it earlier is applied. Within [`State::change_queue`].
    pub fn adopt(&mut self, id: MessageId, provider_id: &str, now: Timestamp) {
        let Some(channel) = self.messages.get(id).map(|message| message.delivery.lane.channel.clone()) else {
            return;
        };
        self.adopted.entry((channel.clone(), provider_id.to_owned())).or_insert(id);
        let is_its = |parked: &mut Parked| {
            parked.receipt.channel == channel && parked.receipt.provider_id == provider_id
        };
        let early: Vec<Parked> = self.parked.extract_if(.., is_its).collect();
        for parked in early {
            self.apply(id, provider_id, &parked.receipt.status, now);
        }
    }

    fn apply(&mut self, id: MessageId, provider_id: &str, status: &ReceiptStatus, now: Timestamp) {
        let effect = self.messages.get_mut(id).map(|message| message.apply_receipt(provider_id, status));
        if let (Some(ReceiptEffect::Advanced), Some(error)) = (effect, &status.error) {
            self.heed_opt_out(id, error, now);
        }
    }

    /// If the provider says that the customer opted out, they are unsubscribed. Within [`State::change_queue`].
    pub fn heed_opt_out(&mut self, id: MessageId, error: &DeliveryError, now: Timestamp) {
        if error.class != ErrorClass::OptedOut {
            return;
        }
        let Some(message) = self.messages.get(id) else { return };
        if let Some(customer) = self.customers.get_mut(message.customer_id) {
            self.consent.extend(customer.opted_out_with_provider(message, error, now));
        }
        self.cancel_for_opt_out(message.customer_id, now);
    }
}
