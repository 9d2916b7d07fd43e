//! The queues of the lanes: what is next, its attempts and how they end.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::conversation::may_be_texted;
use crate::domain::delivery::{Evidence, SendOutcome, Status};
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::{Lane, Message, Priority};
use crate::domain::time::Timestamp;
use crate::store::{Begun, Head, LaneHeads, SettleError, Silent, StoreError};

use super::state::State;

/// At most `limit` of each channel.
fn shares<'m>(messages: impl Iterator<Item = &'m Message>, limit: usize) -> Vec<Message> {
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shares = Vec::new();
    for message in messages {
        let given = given.entry(&message.delivery.lane.channel).or_default();
        *given += 1;
        if *given <= limit {
            shares.push(message.clone());
        }
    }
    shares
}

impl State {
    pub fn lane_heads(&self, lane: &Lane, now: Timestamp, limit: usize) -> LaneHeads {
        let mut first_of_each: BTreeMap<CustomerId, (u64, &Message)> = BTreeMap::new();
        for (number, message) in self.messages.numbered() {
            if !message.is_inbound() && message.is_in_flight() {
                first_of_each.insert(message.customer_id, (number, message));
            } else if !message.is_inbound() && message.holds_queue() {
                first_of_each.entry(message.customer_id).or_insert((number, message));
            }
        }
        let waiting = || {
            first_of_each.values().filter(|(_, message)| {
                message.delivery.status == Status::Queued && message.delivery.lane == *lane
            })
        };
        let mut ready: Vec<_> = waiting().filter(|(_, message)| message.delivery.ready_at <= now).collect();
        ready.sort_by_key(|(number, message)| {
            (Priority::of(&message.author), message.delivery.ready_at, *number)
        });
        let head = |(_, message): &(u64, &Message)| Head {
            message_id: message.id,
            segments: message.delivery.segmentation.segments,
        };
        let later = waiting().map(|(_, message)| message.delivery.ready_at).filter(|at| *at > now);
        LaneHeads { ready: ready.into_iter().take(limit).map(head).collect(), next_at: later.min() }
    }

    /// Whether it is what its customer's queue has to send now.
    fn is_due(&self, message: &Message, now: Timestamp) -> bool {
        let first = self.first_in_queue(message.customer_id).is_some_and(|first| first.id == message.id);
        message.delivery.status == Status::Queued && first && message.delivery.ready_at <= now
    }

    pub fn postpone(&mut self, id: MessageId, ready_at: Timestamp, now: Timestamp) -> bool {
        let due = self.messages.get(id).is_some_and(|message| self.is_due(message, now));
        if due && let Some(message) = self.messages.get_mut(id) {
            message.delivery.ready_at = ready_at;
        }
        due
    }

    pub fn busy_lanes(&self) -> Vec<Lane> {
        let queued = self.messages.rows().filter(|message| message.delivery.status == Status::Queued);
        let lanes: BTreeSet<Lane> = queued.map(|message| message.delivery.lane.clone()).collect();
        lanes.into_iter().collect()
    }

    pub fn begin_attempt(&mut self, id: MessageId, owner: &str, now: Timestamp) -> Result<Begun, StoreError> {
        let Some(mut message) = self.messages.get(id).cloned() else { return Ok(Begun::NotDue) };
        if !self.is_due(&message, now) {
            return Ok(Begun::NotDue);
        }
        let customer = self.owner(message.customer_id)?;
        if message.is_overdue(now) {
            message.expire(now);
        } else if let Err(refusal) = may_be_texted(customer, message.delivery.exemption) {
            message.cancel_because(refusal, now);
        } else {
            message.begin_attempt(owner, now);
        }
        self.change_queue(message.customer_id, now, |state| state.messages.put(message.clone()));
        match message.delivery.status {
            Status::Sending => Ok(Begun::Attempt(Box::new(message))),
            withdrawn => Ok(Begun::Withdrawn(withdrawn)),
        }
    }

    pub fn settle(
        &mut self,
        id: MessageId,
        attempt: u32,
        outcome: &SendOutcome,
        now: Timestamp,
    ) -> Result<Message, SettleError> {
        let message = self.messages.get_mut(id).filter(|message| message.takes_outcome(attempt, outcome));
        let customer_id = message.ok_or(SettleError::Stale)?.customer_id;
        self.change_queue(customer_id, now, |state| {
            if let Some(message) = state.messages.get_mut(id) {
                message.settle(outcome, now);
            }
            match outcome {
                SendOutcome::Accepted { provider_id, .. } => state.adopt(id, provider_id, now),
                SendOutcome::Permanent { error } => state.heed_opt_out(id, error, now),
                SendOutcome::Throttled { .. }
                | SendOutcome::Transient { .. }
                | SendOutcome::ChannelFault { .. }
                | SendOutcome::Unknown { .. } => {}
            }
        });
        self.messages.get(id).cloned().ok_or(SettleError::Stale)
    }

    pub fn abandon_attempts(&mut self, owner: &str, now: Timestamp) -> usize {
        self.messages.change(|message| message.is_abandoned(owner), |message| message.abandon(now))
    }

    pub fn reclaim_attempts(&mut self, owner: &str, known: &[(MessageId, u32)], now: Timestamp) -> usize {
        let forgotten = self.messages.rows().filter(|message| message.is_forgotten(owner, known));
        let forgotten: Vec<_> = forgotten.map(|message| (message.id, message.customer_id)).collect();
        for (id, customer) in &forgotten {
            self.change_queue(*customer, now, |state| {
                if let Some(message) = state.messages.get_mut(*id) {
                    message.reclaim(now);
                }
            });
        }
        forgotten.len()
    }

    pub fn unknown_due(&self, now: Timestamp, limit: usize) -> Vec<Message> {
        let mut due: Vec<(Timestamp, u64, &Message)> = self
            .messages
            .numbered()
            .filter(|(_, message)| message.delivery.status == Status::Unknown)
            .filter_map(|(number, message)| Some((message.delivery.look_at?, number, message)))
            .filter(|(look_at, _, _)| *look_at <= now)
            .collect();
        due.sort_by_key(|(look_at, number, _)| (*look_at, *number));
        shares(due.into_iter().map(|(_, _, message)| message), limit)
    }

    pub fn holding(&self, until: Timestamp, limit: usize) -> Vec<Message> {
        let mut holding: Vec<(Timestamp, u64, &Message)> = self
            .messages
            .numbered()
            .filter_map(|(number, message)| Some((message.holds_since()?, number, message)))
            .filter(|(since, _, _)| *since <= until)
            .collect();
        holding.sort_by_key(|(since, number, _)| (*since, *number));
        shares(holding.into_iter().map(|(_, _, message)| message), limit)
    }

    pub fn silent(&self, filter: Silent, limit: usize) -> Vec<Message> {
        let mut silent: Vec<(Timestamp, u64, &Message)> = self
            .messages
            .numbered()
            .filter(|(_, message)| !message.is_inbound() && message.delivery.asks == filter.asks)
            .filter_map(|(number, message)| Some((message.silent_since()?, number, message)))
            .filter(|(since, _, _)| (filter.from..=filter.until).contains(since))
            .collect();
        silent.sort_by_key(|(since, number, _)| (*since, *number));
        shares(silent.into_iter().map(|(_, _, message)| message), limit)
    }

    /// Not what is another message's, or may be.
    fn may_claim(&self, message: &Message, provider_id: &str) -> bool {
        !self.messages_by_provider_id(provider_id).any(|owner| message.yields_to(owner))
            && !self.messages.rows().any(|other| message.waits_for_twin(other))
    }

    pub fn resolve(
        &mut self,
        id: MessageId,
        attempt: u32,
        evidence: &Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        let message = self.messages.get(id).filter(|message| message.takes_evidence(attempt, evidence));
        let Some(mut message) = message.cloned() else { return Ok(None) };
        if let Evidence::Found { provider_id } = evidence
            && !self.may_claim(&message, provider_id)
        {
            return Ok(None);
        }
        let (own, newest) = self.sessions_around(&message)?;
        message.heed_switch(own, newest);
        message.resolve(evidence, now);
        self.change_queue(message.customer_id, now, |state| {
            state.messages.put(message);
            if let Evidence::Found { provider_id } = evidence {
                state.adopt(id, provider_id, now);
            }
        });
        Ok(self.messages.get(id).cloned())
    }
}
