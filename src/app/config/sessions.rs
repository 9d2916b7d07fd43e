//! `[sessions]` and `[consent]`: the rules of a conversation that a deployment chooses.

use std::time::Duration;

use super::section::Section;
use super::tree::Node;
use super::values::{Setting, text as words};
use crate::domain::conversation::{AttentionPolicy, KeywordReplies, check_content};
use crate::domain::phone::{InvalidNumber, PhoneNumber};
use crate::domain::segments::MAX_CONTENT_UNITS;

#[derive(Clone, Debug)]
pub struct Sessions {
    /// A session is current while its last message is younger.
    pub idle_after: Duration,
    pub attention: AttentionPolicy,
}

impl Sessions {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let attention = AttentionPolicy {
            escalate_after: patience(&mut section, "escalate_after", Some(Duration::from_secs(15 * 60))),
            return_after: patience(&mut section, "return_after", None),
        };
        let sessions =
            Self { idle_after: section.or("idle_after", Duration::from_secs(2 * 60 * 60)), attention };
        section.finish();
        sessions
    }
}

/// A time, or "never".
struct Patience(Option<Duration>);

impl Setting for Patience {
    fn read(node: &Node) -> Result<Self, String> {
        match words(node, "a time such as \"15m\", or \"never\"")? {
            "never" => Ok(Self(None)),
            _ => Duration::read(node).map(|patience| Self(Some(patience))),
        }
    }
}

fn patience(section: &mut Section<'_>, key: &'static str, default: Option<Duration>) -> Option<Duration> {
    let patience = section.or(key, Patience(default)).0;
    if patience.is_some_and(|patience| patience < Duration::from_secs(1)) {
        section.refuse(key, "is too short; write a second or more, or \"never\"");
    }
    patience
}

#[derive(Clone, Debug)]
pub struct Consent {
    /// Whether STOP, START and HELP are told to the bot, too.
    pub forward_keywords: bool,
    /// What the gateway answers where it does; none says nothing.
    pub replies: KeywordReplies,
    /// What a customer is texted to confirm the number, with `{token}` in it; none texts nothing.
    pub confirmation_text: Option<String>,
    /// ISO 3166 code of the country that national numbers belong to; none takes international ones only.
    pub default_region: Option<String>,
}

const TOKEN: &str = "{token}";

impl Consent {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let consent = Self {
            forward_keywords: section.or("forward_keywords", false),
            replies: KeywordReplies {
                stop: text(&mut section, "stop_reply", STOP_REPLY),
                start: text(&mut section, "start_reply", START_REPLY),
                help: text(&mut section, "help_reply", HELP_REPLY),
            },
            confirmation_text: text(&mut section, "confirmation_text", CONFIRMATION_TEXT),
            default_region: region(&mut section),
        };
        if consent.confirmation_text.as_ref().is_some_and(|text| !text.contains(TOKEN)) {
            section.refuse("confirmation_text", "has no {token}; write it where the code is to stand");
        }
        section.finish();
        consent
    }
}

const STOP_REPLY: &str =
    "You are unsubscribed and will get no more messages. Reply START to subscribe again.";
const START_REPLY: &str =
    "You are subscribed again. Reply HELP for help, STOP to unsubscribe. Msg & data rates may apply.";
const HELP_REPLY: &str =
    "Reply with your question and we will answer. Reply STOP to unsubscribe. Msg & data rates may apply.";
const CONFIRMATION_TEXT: &str = "Your code is {token}. Reply with it to confirm your number.";

/// A text to send; an empty one is none.
fn text(section: &mut Section<'_>, key: &'static str, default: &str) -> Option<String> {
    let text = section.or(key, default.to_owned());
    if text.is_empty() {
        return None;
    }
    if let Err(wrong) = check_content(&text, MAX_CONTENT_UNITS) {
        section.refuse(key, wrong);
    }
    Some(text)
}

fn region(section: &mut Section<'_>) -> Option<String> {
    let region = section.or("default_region", "US".to_owned());
    if region.is_empty() {
        return None;
    }
    // A number of no country: what is asked is whether the region is known.
    if let Err(InvalidNumber::UnknownRegion) = PhoneNumber::parse_human("(415) 555-2671", Some(&region)) {
        section
            .refuse("default_region", "is no country; write an ISO 3166 code of two letters, such as \"US\"");
    }
    Some(region)
}
