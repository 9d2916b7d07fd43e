//! A session: one conversation of a customer, who has it (the bot or agents), and where it stands in the inbox.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{CustomerId, SessionId, SuggestionId, TurnId};
use super::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub customer_id: CustomerId,
    /// `true`: agents have it; `false`: the bot has it.
    pub need_attention: bool,
    /// Why it needs attention, where the gateway or the bot decided so.
    pub attention_reason: Option<String>,
    /// The fence: counts the switches of `need_attention`. What the bot says for an older version is refused.
    pub version: u64,
    pub tags: Vec<String>,
    pub topics: Vec<String>,
    /// What the bot asked to be given back with every turn, as JSON text.
    pub bot_state: Option<String>,
    /// Since when the customer has been waiting for an agent.
    pub waiting_since: Option<Timestamp>,
    pub last_message_at: Timestamp,
    /// How many messages it has had: the next one's place.
    pub message_count: u64,
    /// The place of the first message that the bot has not been told of: while agents have the session, and where the bot
    /// has it and could not be told, until its next turn.
    pub unseen_by_bot_from: Option<u64>,
    /// How many turns were queued, and how many were numbered on the wire.
    pub turns_queued: u64,
    pub turns_numbered: u64,
    /// The number of the last turn that the bot answered with texts: what it says for an earlier one comes too late.
    #[serde(default)]
    pub turns_answered: u64,
    /// When the bot last texted, the oldest first: no more of them than the loop guard counts.
    #[serde(default)]
    pub bot_texts: Vec<Timestamp>,
    /// The agent who has it, by the name of their token.
    #[serde(default)]
    pub assignee: Option<String>,
    /// How often agents were reminded that the customer waits.
    #[serde(default)]
    pub escalations: u32,
    /// When somebody is to be reminded, or the bot is to have it back.
    #[serde(default)]
    pub attend_at: Option<Timestamp>,
    /// The bot was given it back for want of agents, and the customer has not written since.
    #[serde(default)]
    pub given_back: bool,
    /// What the bot was last asked, and has not answered with a text.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// What the bot would say, while agents have it: the newest proposal's texts.
    #[serde(default)]
    pub suggestions: Vec<Suggestion>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The bot was told something that it may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The session's version then.
    pub version: u64,
    pub at: Timestamp,
}

/// A text that the bot proposes to the agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    pub id: SuggestionId,
    pub content: String,
    /// The turn that it would have answered.
    pub turn_id: TurnId,
    /// How often an agent has used it.
    pub selected_count: u32,
    pub created_at: Timestamp,
}

/// The most suggestions that a session has at a time.
pub const MAX_SUGGESTIONS: usize = 10;

/// The version of a session that was never switched.
pub const FIRST_VERSION: u64 = 1;

/// The longest list of tags or topics, and the longest tag, in characters.
pub const MAX_LABELS: usize = 50;
pub const MAX_LABEL_CHARS: usize = 100;
/// The most that a bot may leave in `bot_state`.
pub const MAX_BOT_STATE_BYTES: usize = 8 * 1024;

impl Session {
    pub fn new(id: SessionId, customer_id: CustomerId, need_attention: bool, now: Timestamp) -> Self {
        Self {
            id,
            customer_id,
            need_attention,
            attention_reason: None,
            version: FIRST_VERSION,
            tags: Vec::new(),
            topics: Vec::new(),
            bot_state: None,
            waiting_since: None,
            last_message_at: now,
            message_count: 0,
            unseen_by_bot_from: need_attention.then_some(0),
            turns_queued: 0,
            turns_numbered: 0,
            turns_answered: 0,
            bot_texts: Vec::new(),
            assignee: None,
            escalations: 0,
            attend_at: None,
            given_back: false,
            asked: None,
            suggestions: Vec::new(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether a new message belongs to this session: it is held, or its last message is younger than `idle_after`.
    pub fn is_current(&self, now: Timestamp, idle_after: Duration) -> bool {
        self.need_attention || now.since(self.last_message_at) < idle_after
    }

    /// Whether nobody has said anything in it since then, and nobody holds it.
    pub fn is_over(&self, before: Timestamp) -> bool {
        !self.need_attention && self.last_message_at < before
    }

    pub fn inbox_place(&self) -> InboxPlace {
        match (self.need_attention, self.waiting_since) {
            (true, Some(since)) => InboxPlace { queue: InboxQueue::Waiting, since },
            (true, None) => InboxPlace { queue: InboxQueue::Answered, since: self.last_message_at },
            (false, _) => InboxPlace { queue: InboxQueue::WithBot, since: self.last_message_at },
        }
    }

    /// Counts that an agent used a text that the bot proposed, and gives it; none if it is not there any more.
    pub fn use_suggestion(&mut self, id: SuggestionId, now: Timestamp) -> Option<Suggestion> {
        let suggestion = self.suggestions.iter_mut().find(|suggestion| suggestion.id == id)?;
        suggestion.selected_count += 1;
        self.updated_at = now;
        Some(suggestion.clone())
    }

    /// The bot was never told of what is said from `place` on.
    pub fn bot_missed(&mut self, place: u64) {
        self.unseen_by_bot_from = Some(self.unseen_by_bot_from.map_or(place, |from| from.min(place)));
    }

    /// Takes a place for a message in this session, and returns it.
    pub fn take_message_place(&mut self, now: Timestamp) -> u64 {
        let place = self.message_count;
        self.message_count += 1;
        self.last_message_at = self.last_message_at.max(now);
        self.updated_at = now;
        place
    }
}

/// Where a session stands in the agents' inbox. Sorts as the inbox does: who waits first, the longest waiting first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InboxPlace {
    pub queue: InboxQueue,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum InboxQueue {
    /// Held, and the customer waits for an answer.
    Waiting = 0,
    /// Held, and an agent spoke last.
    Answered = 1,
    /// The bot has it.
    WithBot = 2,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn session(need_attention: bool) -> Session {
        Session::new(
            SessionId(Uuid::nil()),
            CustomerId(Uuid::nil()),
            need_attention,
            Timestamp::from_millis(0),
        )
    }

    #[test]
    fn a_session_is_current_until_it_has_been_idle() {
        let idle = Duration::from_millis(100);
        assert!(session(false).is_current(Timestamp::from_millis(99), idle));
        assert!(!session(false).is_current(Timestamp::from_millis(100), idle));
    }

    #[test]
    fn a_held_session_stays_current() {
        assert!(session(true).is_current(Timestamp::from_millis(1_000_000), Duration::from_millis(1)));
    }

    #[test]
    fn who_waits_comes_before_who_was_answered_before_whom_the_bot_has() {
        let mut waiting = session(true);
        waiting.waiting_since = Some(Timestamp::from_millis(9));
        assert!(waiting.inbox_place() < session(true).inbox_place());
        assert!(session(true).inbox_place() < session(false).inbox_place());
    }
}
