//! Keeps the texts, oldest first, and no more than it was told to.

use std::collections::{BTreeMap, HashMap};

use super::message::Message;

#[derive(Debug)]
pub(super) struct History {
    most: usize,
    next: u64,
    messages: BTreeMap<u64, Message>,
    numbers: HashMap<String, u64>,
}

impl History {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), next: 0, messages: BTreeMap::new(), numbers: HashMap::new() }
    }

    /// Keeps `message` and forgets the oldest if there is no room.
    pub(super) fn insert(&mut self, message: Message) {
        if self.messages.len() >= self.most
            && let Some((_, oldest)) = self.messages.pop_first()
        {
            self.numbers.remove(&oldest.sid);
        }
        self.numbers.insert(message.sid.clone(), self.next);
        self.messages.insert(self.next, message);
        self.next += 1;
    }

    pub(super) fn get(&self, sid: &str) -> Option<&Message> {
        self.messages.get(self.numbers.get(sid)?)
    }

    pub(super) fn get_mut(&mut self, sid: &str) -> Option<&mut Message> {
        self.messages.get_mut(self.numbers.get(sid)?)
    }

    pub(super) fn remove(&mut self, sid: &str) -> Option<Message> {
        self.messages.remove(&self.numbers.remove(sid)?)
    }

    /// Newest first; after the text `sid` where one is given. `None` if that is not there.
    pub(super) fn newest_first(&self, after: Option<&str>) -> Option<impl Iterator<Item = &Message>> {
        let end = match after {
            Some(sid) => *self.numbers.get(sid)?,
            None => u64::MAX,
        };
        Some(self.messages.range(..end).rev().map(|(_, message)| message))
    }
}
