//! Silent messages: taken by the provider, which then said nothing final. What it answers when it is asked counts as a
//! receipt does; that it does not answer changes nothing.

use super::{ReceiptEffect, ReceiptStatus, Status};
use crate::domain::message::Message;
use crate::domain::retry::MOST_ASKS;
use crate::domain::time::Timestamp;

impl Message {
    /// Since when the provider has said nothing final, if it is still to be asked.
    pub fn silent_since(&self) -> Option<Timestamp> {
        let asked_about = self.delivery.status == Status::Sent && self.delivery.asks < MOST_ASKS;
        self.delivery.dispatched_at.filter(|_| asked_about)
    }

    /// The provider was asked: `asks` of the times for that are over. `answer`: what it said of that id, if anything.
    pub fn take_answer(&mut self, asks: u8, answer: Option<(&str, &ReceiptStatus)>) -> ReceiptEffect {
        let effect = answer.map_or(ReceiptEffect::Stale, |(id, status)| self.hear(id, status, true));
        self.delivery.asks = self.delivery.asks.max(asks);
        effect
    }
}
