//! `[events]` and `[[webhooks]]`: how long what happens is remembered, and who outside is told.

use std::time::Duration;

use super::network;
use super::secret::{SIGNING, Secret, Sources, signing};
use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice};
use crate::app::outside::Outside;
use crate::domain::event::BOT;
use crate::gateway::events::EventFilter;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What cannot be told outside is told again for so long.
const LONGEST_SCHEDULE: Duration = Duration::from_secs(84 * 60 * 60);

/// How long the log is kept. `has_webhooks`: somebody outside is told of it.
pub(super) fn keep(mut section: Section<'_>, has_webhooks: bool) -> Duration {
    let keep = section.or("keep", WEEK);
    if has_webhooks && keep < LONGEST_SCHEDULE {
        section.refuse(
            "keep",
            "is too short; write \"84h\" or more where there are webhooks: what they could not be told is told again for so long",
        );
    }
    if keep < Duration::from_secs(60 * 60) {
        section.refuse(
            "keep",
            "is too short; write \"1h\" or more: whoever follows has to find where they were",
        );
    }
    section.finish();
    keep
}

/// An endpoint that is told of events.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub name: String,
    pub url: Secret,
    pub kind: WebhookKind,
    pub filter: EventFilter,
}

#[derive(Clone, Debug)]
pub enum WebhookKind {
    /// Standard Webhooks. At least one; all of them sign.
    Standard {
        secrets: Vec<Secret>,
    },
    Slack,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Standard,
    Slack,
}

impl Setting for Kind {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("standard", Self::Standard), ("slack", Self::Slack)])
    }
}

/// The URL of Slack's webhook is itself a secret.
const URL: Sources = Sources { inline: "url", list: None, file: "url_file" };

/// Reads all endpoints. A wrong one is reported and left out.
pub(super) fn read_all(sections: Vec<Section<'_>>, outside: &Outside) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    for mut section in sections {
        let name: Option<String> = section.required("name", "write what it is known by, such as \"crm\"");
        if let Some(wrong) = name.as_deref().and_then(|name| wrong_name(name, &webhooks)) {
            section.refuse("name", wrong);
        }
        let kind = section.or("kind", Kind::Standard);
        let url = url(&mut section, outside);
        let secrets = secrets(&mut section, kind);
        let filter = EventFilter { names: names(&mut section), ..EventFilter::default() };
        section.finish();
        let kind = match kind {
            Kind::Standard => WebhookKind::Standard { secrets },
            Kind::Slack => WebhookKind::Slack,
        };
        if let (Some(name), Some(url)) = (name, url) {
            webhooks.push(Webhook { name, url, kind, filter });
        }
    }
    webhooks
}

fn wrong_name(name: &str, webhooks: &[Webhook]) -> Option<String> {
    let is_plain = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    match name {
        BOT => Some("is \"bot\", which is taken; write another".into()),
        _ if name.is_empty() || name.len() > 40 || !name.chars().all(is_plain) => {
            Some("needs 1 to 40 of a-z, 0-9 and -".into())
        }
        _ if webhooks.iter().any(|webhook| webhook.name == name) => {
            Some(format!("is \"{name}\", and so is another webhook's; give each its own"))
        }
        _ => None,
    }
}

fn url(section: &mut Section<'_>, outside: &Outside) -> Option<Secret> {
    if !URL.any_in(section) {
        section.refuse("url", "is missing; write where events are POSTed to, or a url_file that holds it");
    }
    let url = URL.read(section).pop()?;
    let key = URL.used_in(section);
    network::check_callable(section, key, url.expose(), "https://crm.example.com/events", outside);
    Some(url)
}

fn secrets(section: &mut Section<'_>, kind: Kind) -> Vec<Secret> {
    if kind == Kind::Standard {
        return signing(section, Some("whoever is called"));
    }
    let secrets = signing(section, None);
    if SIGNING.any_in(section) {
        section.refuse(SIGNING.used_in(section), "is of no use: Slack checks no signature");
    }
    secrets
}

fn names(section: &mut Section<'_>) -> Vec<String> {
    let names: Vec<String> = section.or("events", vec!["*".to_owned()]);
    if let Some(Err(wrong)) = names.iter().map(|name| EventFilter::check_name(name)).find(Result::is_err) {
        section.refuse("events", format!("cannot be told: {wrong}"));
    }
    if names.is_empty() {
        section.refuse("events", "is empty; write \"*\" for all, or leave the key out");
    }
    names
}
