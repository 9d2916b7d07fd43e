//! `[retention]`: how long conversations are kept.

use std::time::Duration;

use super::section::Section;
use crate::gateway::recovery::MOST_BACK;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Debug)]
pub struct Retention {
    /// After their last message. None: for ever.
    pub messages: Option<Duration>,
}

impl Retention {
    /// `idle_after`: when a conversation is over.
    pub(super) fn read(mut section: Section<'_>, idle_after: Duration) -> Self {
        let retention = Self { messages: section.optional("messages") };
        let wrong = match retention.messages {
            Some(messages) if messages < MOST_BACK + DAY => Some(
                "is too short; write \"8d\" or more: the provider can be asked for the texts of the last 7 days, \
                 and those removed before would come back",
            ),
            Some(messages) if messages < idle_after + DAY => Some(
                "is too short; write at least a day more than sessions.idle_after, when a conversation is over",
            ),
            _ => None,
        };
        if let Some(wrong) = wrong {
            section.refuse("messages", wrong);
        }
        section.finish();
        retention
    }
}
