//! `[bot]`: which conversational system answers customers.

use std::time::Duration;

use super::network;
use super::secret::{Secret, Sources};
use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice};
use crate::app::outside::Outside;
use crate::bot::webhook::signature::SigningKey;

#[derive(Clone, Debug)]
pub struct BotSettings {
    pub kind: BotKind,
    /// What calls of `/v1/receive/init` have to know; none closes it.
    pub init_secret: Option<Secret>,
}

#[derive(Clone, Debug)]
pub enum BotKind {
    /// Every session belongs to agents.
    None,
    Echo,
    Webhook {
        url: String,
        /// At least one; all of them sign.
        secrets: Vec<Secret>,
        timeout: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Echo,
    Webhook,
}

impl Setting for Kind {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("none", Self::None), ("echo", Self::Echo), ("webhook", Self::Webhook)])
    }
}

const SECRET: Sources = Sources { inline: "secret", list: Some("secrets"), file: "secret_file" };
const INIT_SECRET: Sources = Sources { inline: "init_secret", list: None, file: "init_secret_file" };

impl BotSettings {
    pub(super) fn read(mut section: Section<'_>, outside: &Outside) -> Option<Self> {
        let kind = section.or("kind", Kind::None);
        let webhook = webhook(&mut section, kind == Kind::Webhook, outside);
        let init_secret = INIT_SECRET.read(&mut section).pop();
        section.finish();
        let kind = match kind {
            Kind::None => BotKind::None,
            Kind::Echo => BotKind::Echo,
            Kind::Webhook => webhook?,
        };
        Some(Self { kind, init_secret })
    }
}

/// What is there is checked whatever the kind; what is missing only matters to a webhook.
fn webhook(section: &mut Section<'_>, needed: bool, outside: &Outside) -> Option<BotKind> {
    let url: Option<String> = if needed {
        section.required("url", "write where the bot takes its turns")
    } else {
        section.optional("url")
    };
    let callable = |url: &String| {
        reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    match &url {
        Some(url) if !callable(url) => section
            .refuse("url", "cannot be called; write an address such as \"https://bot.example.com/turns\""),
        Some(url) => network::check(section, "url", url, outside),
        None => {}
    }
    let given = SECRET.any_in(section);
    let secrets = SECRET.read(section);
    if let Some(wrong) = secrets.iter().find_map(|secret| SigningKey::parse(secret.expose()).err()) {
        section.refuse(SECRET.used_in(section), format!("cannot sign: {wrong}"));
    }
    if needed && !given {
        section.refuse(
            "secret",
            "is missing; write \"whsec_\" and 24 to 64 random bytes in base64, and tell the bot",
        );
    }
    let timeout = section.or("timeout", Duration::from_secs(25));
    Some(BotKind::Webhook { url: url?, secrets, timeout })
}
