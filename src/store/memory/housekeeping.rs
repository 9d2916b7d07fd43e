//! What is cleared away with time, and how much there is of everything.

use crate::domain::delivery::Status;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::session::{InboxQueue, Session};
use crate::domain::time::Timestamp;
use crate::store::{Counts, REMEMBERED, Swept};

use super::state::State;

impl State {
    pub fn sweep(&mut self, now: Timestamp, limit: usize) -> Swept {
        let (expired, more_expire) = self.expire(now, limit);
        let more_keys = self.forget_keys(now, limit);
        let more_receipts = self.forget_receipts(now, limit);
        Swept { expired, more: more_expire || more_keys || more_receipts }
    }

    fn expire(&mut self, now: Timestamp, limit: usize) -> (Vec<MessageId>, bool) {
        let mut overdue: Vec<_> = self
            .messages
            .numbered()
            .filter(|(_, message)| message.delivery.status == Status::Queued && message.is_overdue(now))
            .map(|(number, message)| (message.delivery.valid_until, number, message.clone()))
            .collect();
        overdue.sort_by_key(|(valid_until, number, _)| (*valid_until, *number));
        let more = overdue.len() > limit;
        let mut expired = Vec::new();
        for (_, _, mut message) in overdue.into_iter().take(limit) {
            expired.push(message.id);
            message.expire(now);
            self.change_queue(message.customer_id, now, |state| state.messages.put(message));
        }
        (expired, more)
    }

    fn forget_keys(&mut self, now: Timestamp, limit: usize) -> bool {
        let old = self.remembered.iter().filter(|(_, remembered)| is_forgotten(remembered.at, now));
        let mut keys: Vec<_> = old.map(|(key, remembered)| (remembered.at, key.clone())).collect();
        keys.sort();
        for (_, key) in keys.iter().take(limit) {
            self.remembered.remove(key);
        }
        keys.len() > limit
    }

    fn forget_receipts(&mut self, now: Timestamp, limit: usize) -> bool {
        let old = self.parked.iter().filter(|parked| is_forgotten(parked.at, now)).count();
        for _ in 0..old.min(limit) {
            self.forget_oldest_parked();
        }
        old > limit
    }

    pub fn counts(&self) -> Counts {
        let waiting = |session: &&Session| session.inbox_place().queue == InboxQueue::Waiting;
        let unknown = |message: &&Message| message.delivery.status == Status::Unknown;
        Counts {
            queued: count(self.messages.rows().filter(|message| message.holds_queue())),
            unknown: count(self.messages.rows().filter(unknown)),
            held: count(self.messages.rows().filter(|message| message.is_held())),
            sessions_waiting: count(self.sessions.rows().filter(waiting)),
            turns_open: count(self.turns.rows().filter(|turn| turn.is_open())),
        }
    }
}

fn count<T>(rows: impl Iterator<Item = T>) -> u64 {
    rows.fold(0, |count, _| count + 1)
}

fn is_forgotten(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) > REMEMBERED
}
