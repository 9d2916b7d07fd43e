//! Customers' texts.

use crate::domain::consent::LastWords;
use crate::domain::conversation::{OnRecord, receive};
use crate::domain::customer::NumberHash;
use crate::domain::turn::Turn;
use crate::store::{Inbound, RecordInbound};

use super::state::State;

impl State {
    pub fn record_inbound(&mut self, command: RecordInbound) -> Inbound {
        let RecordInbound { text, ids, now } = command;
        let provider_id = (text.lane.channel.clone(), text.provider_id.clone());
        if let Some(message_id) = self.received.get(&provider_id) {
            return Inbound::Duplicate { message_id: *message_id };
        }
        let customer = self.customer_by_number(&text.from).cloned();
        let number = NumberHash::of(&text.from);
        let mut last_words = LastWords::default();
        self.consent
            .iter()
            .filter(|record| record.number == number)
            .for_each(|record| last_words.note(record));
        let newest = customer.as_ref().and_then(|customer| self.newest_session(customer.id)).cloned();
        let of_newest = |turn: &&Turn| {
            newest.as_ref().is_some_and(|newest| newest.id == turn.session_id) && turn.is_open()
        };
        let last_turn = self.turns.rows().filter(of_newest).max_by_key(|turn| turn.place).cloned();
        let on_record =
            OnRecord { newest, customer, suppressed: self.suppressed.remove(&number), last_words, last_turn };
        let mut received = receive(on_record, &text, ids, &self.rules, now);

        let customer_id = received.customer.id;
        self.received.insert(provider_id, received.message.id);
        if received.silence_bot {
            self.change_queue(customer_id, now, |state| state.silence_bot(&mut received.session, now));
        }
        self.customers.put(received.customer);
        self.consent.extend(received.consent);
        self.sessions.put(received.session.clone());
        self.messages.put(received.message.clone());
        let turn = received.turn.is_some();
        received.turn.into_iter().for_each(|turn| self.turns.put(turn));
        self.change_queue(customer_id, now, |state| {
            if received.opted_out {
                state.cancel_for_opt_out(customer_id, now);
            }
            received.reply.iter().for_each(|reply| state.messages.put(reply.clone()));
        });
        Inbound::Recorded {
            message: Box::new(received.message),
            session: Box::new(received.session),
            turn,
            reply: received.reply.map(Box::new),
        }
    }
}
