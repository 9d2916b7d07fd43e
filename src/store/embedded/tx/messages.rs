//! Messages, with their places in the queues: of their customer, of their lane, of what expires, is in hand or is
//! looked for or asked about.

use std::mem::take;

use super::{Index, Tx, entry};
use crate::domain::delivery::Status;
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::{Lane, Message, Priority};
use crate::store::StoreError;
use crate::store::apply::missing;
use crate::store::change::IdempotencyName;
use crate::store::embedded::keys::{
    AttemptKey, DoubtKey, ExpiryKey, HeldKey, HoldKey, InboundIdKey, LaneKey, LookKey, MessageAtKey,
    MessageKey, OutboundIdKey, QueueKey, ReadyKey, SilentKey,
};
use crate::store::embedded::tables::MessageAt;

/// The first of a customer's queue.
pub(super) struct QueueFront {
    message: MessageId,
    /// Its entry among what may leave next.
    ready: Index,
}

impl Tx<'_, '_> {
    pub fn add_message(
        &mut self,
        message: &Message,
        idempotency: Option<IdempotencyName>,
    ) -> Result<(), StoreError> {
        self.touch_queue(message)?;
        let order = if message.is_inbound() {
            self.note_inbound_ids(message);
            None
        } else {
            Some(self.next_order()?)
        };
        let at = MessageAt { session: message.session_id, place: message.place, order, idempotency };
        self.put_record(&MessageAtKey { message: message.id }, &at)?;
        self.touch_message(None, message);
        self.replace_message(None, Some(message), &at)
    }

    /// Adds the message at that place in the order of queueing, if it is ours. Of the ids that lead to it, only its own.
    pub fn place_message(&mut self, order: Option<u64>, message: &Message) -> Result<(), StoreError> {
        self.touch_queue(message)?;
        if let Some(order) = order {
            self.keep_order(order)?;
        }
        let at = MessageAt { session: message.session_id, place: message.place, order, idempotency: None };
        self.put_record(&MessageAtKey { message: message.id }, &at)?;
        self.replace_message(None, Some(message), &at)
    }

    /// By which key it was created. `false`: there is none with this id.
    pub fn name_message(&mut self, id: MessageId, name: IdempotencyName) -> Result<bool, StoreError> {
        let Some(at) = self.tables().message_at(id)? else { return Ok(false) };
        self.put_record(&MessageAtKey { message: id }, &MessageAt { idempotency: Some(name), ..at })?;
        Ok(true)
    }

    pub fn update_message(&mut self, message: &Message) -> Result<(), StoreError> {
        let at = self.tables().message_at(message.id)?.ok_or_else(|| missing("a message"))?;
        let old: Option<Message> =
            self.tables().record(&MessageKey { session: at.session, place: at.place })?;
        if old.as_ref() == Some(message) {
            return Ok(());
        }
        self.touch_queue(message)?;
        self.replace_message(old.as_ref(), Some(message), &at)?;
        self.touch_message(old, message);
        Ok(())
    }

    /// Removes the message and what leads to it. That a customer's text was received stays known.
    pub fn remove_message(&mut self, message: &Message, at: &MessageAt) -> Result<(), StoreError> {
        self.touch_queue(message)?;
        if !message.is_inbound() {
            for provider_id in &message.delivery.provider_ids {
                let key = outbound_id_key(message, provider_id);
                if self.tables().entry(&key)? == Some(message.id) {
                    self.remove(&key);
                }
            }
        }
        self.remove(&MessageAtKey { message: message.id });
        self.message_is(message.id, None);
        self.replace_message(Some(message), None, at)
    }

    /// That a customer's text was received is known no more: a repeat is a new text.
    pub fn forget_received(&mut self, message: &Message) -> Result<(), StoreError> {
        for provider_id in &message.delivery.provider_ids {
            let channel = message.delivery.lane.channel.clone();
            let key = InboundIdKey { channel, provider_id: provider_id.clone() };
            if self.tables().entry(&key)? == Some(message.id) {
                self.remove(&key);
            }
        }
        Ok(())
    }

    /// The provider's id leads to the message, unless it leads to another already.
    pub fn note_outbound_id(&mut self, message: &Message, provider_id: &str) -> Result<(), StoreError> {
        let channel = &message.delivery.lane.channel;
        if self.tables().outbound_id(channel, provider_id)?.is_none() {
            self.put_entry(&outbound_id_key(message, provider_id), &message.id);
        }
        Ok(())
    }

    fn note_inbound_ids(&mut self, message: &Message) {
        for provider_id in &message.delivery.provider_ids {
            let channel = message.delivery.lane.channel.clone();
            self.put_entry(&InboundIdKey { channel, provider_id: provider_id.clone() }, &message.id);
        }
    }

    fn replace_message(
        &mut self,
        old: Option<&Message>,
        new: Option<&Message>,
        at: &MessageAt,
    ) -> Result<(), StoreError> {
        let index_of =
            |message: Option<&Message>| message.map(|message| index(message, at)).unwrap_or_default();
        self.reindex(&index_of(old), index_of(new));
        let queued = |message: &&Message| message.delivery.status == Status::Queued;
        match (old.filter(queued), new.filter(queued)) {
            (Some(old), None) => self.count_in_lane(&old.delivery.lane, -1)?,
            (None, Some(new)) => self.count_in_lane(&new.delivery.lane, 1)?,
            (None, None) | (Some(_), Some(_)) => {}
        }
        let key = MessageKey { session: at.session, place: at.place };
        match new {
            Some(message) => self.put_record(&key, message)?,
            None => self.remove(&key),
        }
        Ok(())
    }

    fn count_in_lane(&mut self, lane: &Lane, change: i64) -> Result<(), StoreError> {
        let key = LaneKey { lane: lane.clone() };
        let count: u64 = self.tables().entry(&key)?.unwrap_or(0);
        match count.saturating_add_signed(change) {
            0 => self.remove(&key),
            count => self.put_entry(&key, &count),
        }
        Ok(())
    }

    fn touch_queue(&mut self, message: &Message) -> Result<(), StoreError> {
        let customer = message.customer_id;
        if message.is_inbound() || self.queues.contains_key(&customer) {
            return Ok(());
        }
        let front = self.tables().queue_front(customer)?;
        let front =
            front.map(|(order, message)| QueueFront { message: message.id, ready: ready(&message, order) });
        self.queues.insert(customer, front);
        Ok(())
    }

    /// What came to the front of a queue because another one left is ready now, or later if it says so itself.
    pub(super) fn finish_queues(&mut self) -> Result<(), StoreError> {
        for (customer, before) in take(&mut self.queues) {
            let after = self.finish_queue(customer, before.as_ref())?;
            self.reindex(&before.map(|front| front.ready).unwrap_or_default(), after);
        }
        Ok(())
    }

    fn finish_queue(
        &mut self,
        customer: CustomerId,
        before: Option<&QueueFront>,
    ) -> Result<Index, StoreError> {
        let front = self.tables().queue_front(customer)?;
        let Some((order, mut front)) = front else { return Ok(Index::new()) };
        let stepped_up = before.is_some_and(|before| before.message != front.id);
        if stepped_up && front.delivery.status == Status::Queued && front.delivery.ready_at < self.now {
            front.delivery.ready_at = self.now;
            self.put_record(&MessageKey { session: front.session_id, place: front.place }, &front)?;
            self.message_is(front.id, Some(&front));
        }
        Ok(ready(&front, order))
    }
}

fn outbound_id_key(message: &Message, provider_id: &str) -> OutboundIdKey {
    OutboundIdKey { channel: message.delivery.lane.channel.clone(), provider_id: provider_id.to_owned() }
}

/// Where the message stands by itself, whatever else is in its customer's queue.
pub fn index(message: &Message, at: &MessageAt) -> Index {
    let Some(order) = at.order else { return Index::new() };
    let delivery = &message.delivery;
    let channel = || delivery.lane.channel.clone();
    let place = match delivery.status {
        Status::Queued => {
            delivery.valid_until.map(|valid_until| entry(&ExpiryKey { valid_until, order }, &message.id))
        }
        Status::Sending => Some(entry(&AttemptKey { message: message.id }, &())),
        Status::Unknown => Some(match delivery.look_at {
            Some(look_at) => entry(&LookKey { channel: channel(), look_at, order }, &message.id),
            None => entry(&HeldKey { order }, &message.id),
        }),
        Status::Sent => message.silent_since().map(|since| {
            entry(&SilentKey { channel: channel(), asks: delivery.asks, since, order }, &message.id)
        }),
        Status::Delivered | Status::Undelivered | Status::Failed | Status::Canceled | Status::Expired => None,
    };
    let queue = QueueKey { customer: message.customer_id, order };
    let queued = message.holds_queue().then(|| entry(&queue, &message.id));
    let doubt = DoubtKey { customer: message.customer_id, order };
    let doubted = (message.is_open() && !message.holds_queue()).then(|| entry(&doubt, &message.id));
    let holds =
        message.holds_since().map(|since| entry(&HoldKey { channel: channel(), since, order }, &message.id));
    place.into_iter().chain(queued).chain(doubted).chain(holds).collect()
}

/// The entry, among what may leave next, of the first in a customer's queue.
fn ready(message: &Message, order: u64) -> Index {
    let delivery = &message.delivery;
    if delivery.status != Status::Queued {
        return Index::new();
    }
    let priority = Priority::of(&message.author);
    let key = ReadyKey { lane: delivery.lane.clone(), priority, ready_at: delivery.ready_at, order };
    Index::from([entry(&key, &(message.id, delivery.segmentation.segments))])
}
