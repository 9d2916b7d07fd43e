//! All of the model as records, and back.

use std::collections::{BTreeMap, VecDeque};

use async_trait::async_trait;

use crate::domain::pause::PauseScope;
use crate::store::StoreError;
use crate::store::export::{Export, Record};

use super::state::State;

/// Few, so that tests see several parts.
const RECORDS_AT_ONCE: usize = 10;

/// A copy of everything, handed out bit by bit.
pub(super) struct Copied(VecDeque<Record>);

#[async_trait]
impl Export for Copied {
    fn engine(&self) -> &'static str {
        "memory"
    }

    async fn next(&mut self) -> Result<Vec<Record>, StoreError> {
        let count = self.0.len().min(RECORDS_AT_ONCE);
        Ok(self.0.drain(..count).collect())
    }
}

impl Copied {
    /// Whether there is anything but facts about the store.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|record| matches!(record, Record::Alive { .. }))
    }
}

type Pair = (String, String);

/// Pairs of texts, each sorted by its length first.
fn by_length<V>(pairs: &BTreeMap<Pair, V>) -> Vec<(&Pair, &V)> {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort_by_key(|((first, second), _)| (first.len(), first, second.len(), second));
    sorted
}

impl State {
    pub fn export(&self) -> Copied {
        let mut records = VecDeque::new();
        records.extend(self.alive.map(|alive| Record::Alive { alive }));
        self.export_people(&mut records);
        self.export_talk(&mut records);
        self.export_ids(&mut records);
        self.export_turns(&mut records);
        self.export_the_rest(&mut records);
        Copied(records)
    }

    fn export_people(&self, records: &mut VecDeque<Record>) {
        let customers = self.customers.numbered();
        records.extend(
            customers.map(|(order, row)| Record::Customer { order, customer: Box::new(row.clone()) }),
        );
        let mut consent = self.consent.clone();
        // Keeps the order of one number's.
        consent.sort_by_key(|consent| consent.number);
        records.extend(consent.into_iter().map(|consent| Record::Consent { consent }));
        records.extend(self.suppressed.iter().map(|number| Record::Suppression { number: *number }));
    }

    fn export_talk(&self, records: &mut VecDeque<Record>) {
        let mut sessions: Vec<_> = self.sessions.numbered().collect();
        sessions.sort_by_key(|(order, session)| (session.customer_id, *order));
        let session =
            |(order, row): (u64, &_)| Record::Session { order, session: Box::new(Clone::clone(row)) };
        records.extend(sessions.into_iter().map(session));
        let mut messages: Vec<_> = self.messages.numbered().collect();
        messages.sort_by_key(|(_, message)| (message.session_id, message.place));
        records.extend(messages.into_iter().map(|(number, message)| Record::Message {
            order: (!message.is_inbound()).then_some(number),
            message: Box::new(message.clone()),
        }));
    }

    fn export_ids(&self, records: &mut VecDeque<Record>) {
        for ((channel, provider_id), message_id) in by_length(&self.received) {
            let (channel, provider_id) = (channel.clone(), provider_id.clone());
            records.push_back(Record::InboundId { channel, provider_id, message_id: *message_id });
        }
        for ((channel, provider_id), message_id) in by_length(&self.adopted) {
            let (channel, provider_id) = (channel.clone(), provider_id.clone());
            records.push_back(Record::OutboundId { channel, provider_id, message_id: *message_id });
        }
    }

    fn export_turns(&self, records: &mut VecDeque<Record>) {
        let mut turns: Vec<_> = self.turns.numbered().collect();
        turns.sort_by_key(|(_, turn)| turn.id);
        records.extend(
            turns.into_iter().map(|(order, turn)| Record::Turn { order, turn: Box::new(turn.clone()) }),
        );
    }

    fn export_the_rest(&self, records: &mut VecDeque<Record>) {
        for ((scope, key), remembered) in by_length(&self.remembered) {
            records.push_back(Record::IdempotencyKey {
                scope: scope.clone(),
                key: key.clone(),
                request: remembered.request,
                at: remembered.at,
                created: remembered.created.clone(),
            });
        }
        let mut parked: Vec<_> = self.parked.iter().collect();
        parked.sort_by_key(|parked| {
            let (channel, id) = (&parked.receipt.channel, &parked.receipt.provider_id);
            (channel.len(), channel, id.len(), id, parked.order)
        });
        records.extend(parked.into_iter().map(|parked| Record::ParkedReceipt {
            order: parked.order,
            at: parked.at,
            receipt: parked.receipt.clone(),
        }));
        records.extend(self.tokens.values().map(|token| Record::Token { token: token.clone() }));
        let mut pauses: Vec<_> = self.pauses.values().collect();
        pauses.sort_by_key(|pause| {
            let channel = pause.scope.channel();
            let sender = match &pause.scope {
                PauseScope::Account { .. } => "",
                PauseScope::Sender(lane) => &lane.sender,
            };
            (channel.len(), channel, sender.len(), sender)
        });
        records.extend(pauses.into_iter().map(|pause| Record::Pause { pause: pause.clone() }));
        records.extend(self.events.values().map(|event| Record::Event { event: event.clone() }));
        let mut endpoints: Vec<_> = self.endpoints.values().collect();
        endpoints.sort_by_key(|endpoint| (endpoint.name.len(), &endpoint.name));
        records.extend(endpoints.into_iter().map(|endpoint| Record::Endpoint { endpoint: endpoint.clone() }));
        let mut deliveries: Vec<_> = self.deliveries.values().collect();
        deliveries.sort_by_key(|delivery| (delivery.endpoint.len(), &delivery.endpoint, delivery.place));
        records
            .extend(deliveries.into_iter().map(|delivery| Record::Delivery { delivery: delivery.clone() }));
    }
}
