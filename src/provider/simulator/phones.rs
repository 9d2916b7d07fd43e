//! Owns what is to be seen on the customers' phones: what arrived and what they sent, in order. Forgets the oldest
//! text of all when there is no room, whoever's it is.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

/// One text on a phone.
#[derive(Clone, Debug)]
pub(super) struct PhoneText {
    /// The customer's number.
    pub phone: String,
    /// The other side: a number of ours.
    pub peer: String,
    /// Whether the phone's owner wrote it.
    pub own: bool,
    /// Whether the network wrote it: a reply to STOP, START or HELP.
    pub network: bool,
    /// None for the network's.
    pub sid: Option<String>,
    pub body: String,
    pub media: Vec<String>,
    pub status: &'static str,
    /// When the provider accepted it. The same as `at` for what the phone's owner wrote.
    pub accepted_at: Timestamp,
    /// When it arrived on the phone or left it.
    pub at: Timestamp,
}

impl PhoneText {
    fn to_json(&self) -> Value {
        let (from, to) = if self.own { (&self.phone, &self.peer) } else { (&self.peer, &self.phone) };
        json!({
            "sid": self.sid,
            "direction": if self.own { "sent" } else { "received" },
            "from": from,
            "to": to,
            "body": self.body,
            "media_urls": self.media,
            "status": self.status,
            "network": self.network,
            "accepted_at": self.accepted_at.to_string(),
            "at": self.at.to_string(),
        })
    }
}

#[derive(Debug, Default)]
struct Phone {
    forgotten: u64,
    texts: VecDeque<u64>,
}

#[derive(Debug)]
pub(super) struct Phones {
    most: usize,
    /// The number of the first of `texts`.
    first: u64,
    texts: VecDeque<PhoneText>,
    by_number: HashMap<String, Phone>,
}

impl Phones {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), first: 0, texts: VecDeque::new(), by_number: HashMap::new() }
    }

    /// Shows a text; its number, for later changes.
    pub(super) fn push(&mut self, text: PhoneText) -> u64 {
        if self.texts.len() >= self.most {
            self.forget_oldest();
        }
        let number = self.first + self.texts.len() as u64;
        self.by_number.entry(text.phone.clone()).or_default().texts.push_back(number);
        self.texts.push_back(text);
        number
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.texts.pop_front() else {
            return;
        };
        self.first += 1;
        if let Some(phone) = self.by_number.get_mut(&oldest.phone) {
            phone.texts.pop_front();
            phone.forgotten += 1;
            if phone.texts.is_empty() {
                self.by_number.remove(&oldest.phone);
            }
        }
    }

    pub(super) fn set_status(&mut self, number: u64, status: &'static str) {
        if let Some(text) = self.text_mut(number) {
            text.status = status;
        }
    }

    fn text_mut(&mut self, number: u64) -> Option<&mut PhoneText> {
        self.texts.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn text(&self, number: u64) -> Option<&PhoneText> {
        self.texts.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// How many texts the phone has seen, forgotten ones included.
    pub(super) fn count(&self, phone: &str) -> u64 {
        self.by_number.get(phone).map_or(0, |phone| phone.forgotten + phone.texts.len() as u64)
    }

    /// The phone's texts after the first `after`, oldest first.
    pub(super) fn texts(&self, phone: &str, after: u64) -> Vec<Value> {
        let Some(phone) = self.by_number.get(phone) else {
            return Vec::new();
        };
        let skipped = usize::try_from(after.saturating_sub(phone.forgotten)).unwrap_or(usize::MAX);
        let numbers = phone.texts.iter().skip(skipped);
        numbers.filter_map(|number| self.text(*number)).map(PhoneText::to_json).collect()
    }

    /// Our side of the newest text on the phone: the sender that the customer knows.
    pub(super) fn last_peer(&self, phone: &str) -> Option<&str> {
        let newest = self.by_number.get(phone)?.texts.back()?;
        self.text(*newest).map(|text| text.peer.as_str())
    }

    /// Every phone with its count, by number.
    pub(super) fn all(&self) -> Vec<(&str, u64)> {
        let mut all: Vec<_> =
            self.by_number.keys().map(|phone| (phone.as_str(), self.count(phone))).collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(phone: &str, body: &str) -> PhoneText {
        PhoneText {
            phone: phone.to_owned(),
            peer: "+1".to_owned(),
            own: false,
            network: false,
            sid: None,
            body: body.to_owned(),
            media: Vec::new(),
            status: "delivered",
            accepted_at: Timestamp::default(),
            at: Timestamp::default(),
        }
    }

    #[test]
    fn the_oldest_text_is_forgotten_and_counts_go_on() {
        let mut phones = Phones::new(3);
        for (phone, body) in [("+2", "a"), ("+2", "b"), ("+3", "c"), ("+2", "d"), ("+2", "e")] {
            phones.push(text(phone, body));
        }
        assert_eq!(phones.count("+2"), 4);
        let bodies: Vec<_> = phones.texts("+2", 0).iter().map(|t| t["body"].clone()).collect();
        assert_eq!(bodies, ["d", "e"]);
        assert_eq!(phones.texts("+2", 3).len(), 1);
        assert_eq!(phones.all(), [("+2", 4), ("+3", 1)]);
    }
}
