//! The log of events, and whom they are told.

use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::{Event, Subject};
use crate::domain::time::Timestamp;
use crate::store::change::Changed;
use crate::store::{AdvanceEndpoint, DueDeliveries, EventsError, ListError, Logged, Page, PageRequest};

use super::pages::page;
use super::state::State;

impl State {
    /// Tells what the command under way has changed.
    pub fn tell(&mut self, now: Timestamp) {
        let changed = Changed {
            customers: self.customers.take_touched(),
            sessions: self.sessions.take_touched(),
            messages: self.messages.take_touched(),
            turns: self.turns.take_touched(),
            others: std::mem::take(&mut self.told),
        };
        for what in changed.told() {
            self.last_event += 1;
            self.events.insert(self.last_event, Event { place: self.last_event, at: now, what });
        }
    }

    pub fn logged(&self, event: &Event) -> Logged {
        let mut logged = Logged { event: event.clone(), customer: None, session: None, message: None };
        match event.what.subject() {
            Some(Subject::Customer(id)) => logged.customer = self.customers.get(id).cloned(),
            Some(Subject::Session(id)) => logged.session = self.sessions.get(id).cloned(),
            Some(Subject::Message(id)) => logged.message = self.messages.get(id).cloned(),
            None => {}
        }
        logged
    }

    pub fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError> {
        let first_kept = self.events.keys().next().copied().unwrap_or(1);
        if after > self.last_event || after + 1 < first_kept {
            return Err(EventsError::Forgotten);
        }
        Ok(self.events.range(after + 1..).take(limit).map(|(_, event)| self.logged(event)).collect())
    }

    pub fn prune_events(&mut self, before: Timestamp, limit: usize) -> usize {
        let newest = self.last_event;
        let old = |(place, event): &(&u64, &Event)| event.at < before && **place != newest;
        let places: Vec<u64> =
            self.events.iter().take_while(old).take(limit).map(|(place, _)| *place).collect();
        self.events.retain(|place, _| !places.contains(place));
        if let Some(last) = places.last() {
            self.deliveries.retain(|(name, place), _| place > last || !self.endpoints.contains_key(name));
        }
        places.len()
    }

    pub fn advance_endpoint(&mut self, command: AdvanceEndpoint) {
        let AdvanceEndpoint { name, position, in_vain, reached, now } = command;
        let endpoint = self.endpoints.entry(name.clone()).or_insert_with(|| Endpoint::new(&name, position));
        endpoint.advance(position, reached, now);
        for delivery in in_vain {
            self.keep_delivery(delivery);
        }
    }

    pub fn switch_endpoint(&mut self, name: &str, reason: Option<String>, now: Timestamp) {
        let last = self.last_event;
        let endpoint = self.endpoints.entry(name.to_owned()).or_insert_with(|| Endpoint::new(name, last));
        self.told.extend(endpoint.switch(reason, now));
    }

    pub fn due_deliveries(&self, endpoint: &str, now: Timestamp, limit: usize) -> DueDeliveries {
        let of_it = self.deliveries.values().filter(|delivery| delivery.endpoint == endpoint);
        let mut planned: Vec<_> =
            of_it.filter_map(|delivery| Some((delivery.next_at?, delivery.place, delivery))).collect();
        planned.sort_by_key(|(at, place, _)| (*at, *place));
        let next_at = planned.iter().map(|(at, _, _)| *at).find(|at| *at > now);
        let due = planned.into_iter().filter(|(at, _, _)| *at <= now).take(limit);
        DueDeliveries { due: due.map(|(_, _, delivery)| delivery.clone()).collect(), next_at }
    }

    pub fn keep_delivery(&mut self, delivery: Delivery) {
        self.deliveries.insert((delivery.endpoint.clone(), delivery.place), delivery);
    }

    pub fn deliveries_of(&self, endpoint: &str, request: &PageRequest) -> Result<Page<Delivery>, ListError> {
        let of_it = self.deliveries.iter().filter(|((name, _), _)| name == endpoint);
        let rows = of_it.map(|((_, place), delivery)| (*place, delivery.clone())).collect();
        let whose = uuid::Uuid::from_u128(u128::from(hash(endpoint)));
        page(("deliveries", whose), rows, request)
    }
}

/// Tells lists of different endpoints apart.
fn hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
