//! `[bot]`: which conversational system answers customers.

use std::time::Duration;

use super::network;
use super::secret::{Secret, Sources, signing};
use super::section::Section;
use super::tree::Node;
use super::values::{Setting, choice, duration, text};
use crate::app::outside::Outside;
use crate::domain::conversation::{BotPolicy, LONGEST_DEBOUNCE, LoopGuard, check_content};
use crate::domain::segments::MAX_CONTENT_UNITS;

mod openai;

pub use self::openai::OpenAi;

#[derive(Clone, Debug)]
pub struct BotSettings {
    pub kind: BotKind,
    /// What calls of `/v1/receive/init` have to know; none closes it.
    pub init_secret: Option<Secret>,
    pub policy: BotPolicy,
    /// What a customer is told when humans take over because the bot could not be asked.
    pub fallback_text: Option<String>,
}

#[derive(Clone, Debug)]
pub enum BotKind {
    /// Every session belongs to agents.
    None,
    Echo,
    Webhook {
        at: Address,
        /// At least one; all of them sign.
        secrets: Vec<Secret>,
    },
    Rasa {
        at: Address,
        token: Option<Secret>,
    },
    OpenAi {
        at: Address,
        model: OpenAi,
    },
    Init {
        at: Address,
        /// The same as `init_secret`: it is shared.
        secret: Secret,
    },
}

/// Where a bot is, and for how long a turn waits for it.
#[derive(Clone)]
pub struct Address {
    pub url: String,
    pub timeout: Duration,
}

/// Without the URL, which may carry a secret.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Echo,
    Webhook,
    Rasa,
    OpenAi,
    Init,
}

impl Setting for Kind {
    fn read(node: &Node) -> Result<Self, String> {
        let kinds = [
            ("none", Self::None),
            ("echo", Self::Echo),
            ("webhook", Self::Webhook),
            ("rasa", Self::Rasa),
            ("openai", Self::OpenAi),
            ("init", Self::Init),
        ];
        choice(node, &kinds)
    }
}

impl Kind {
    /// What to write where its URL is missing; none for one that has none.
    fn address(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Echo => None,
            Self::Webhook => Some("write where the bot takes its turns"),
            Self::Rasa => Some("write where Rasa is, such as \"http://127.0.0.1:5005\""),
            Self::OpenAi => Some("write where the API is, such as \"https://api.openai.com/v1\""),
            Self::Init => Some("write where the bot takes its invocations"),
        }
    }
}

const TOKEN: Sources = Sources { inline: "token", list: None, file: "token_file" };
const INIT_SECRET: Sources = Sources { inline: "init_secret", list: None, file: "init_secret_file" };

impl BotSettings {
    /// What is there is checked whatever the kind; what is missing only matters to the kind that needs it.
    pub(super) fn read(mut section: Section<'_>, outside: &Outside) -> Option<Self> {
        let kind = section.or("kind", Kind::None);
        let at = address(&mut section, kind, outside);
        let secrets = signing(&mut section, (kind == Kind::Webhook).then_some("the bot"));
        let token = for_header(&mut section, TOKEN);
        let model = OpenAi::read(&mut section, kind == Kind::OpenAi);
        let init_secret = init_secret(&mut section, kind == Kind::Init);
        let policy = policy(&mut section);
        let fallback_text = fallback_text(&mut section);
        section.finish();
        let kind = match kind {
            Kind::None => BotKind::None,
            Kind::Echo => BotKind::Echo,
            Kind::Webhook => BotKind::Webhook { at: at?, secrets },
            Kind::Rasa => BotKind::Rasa { at: at?, token },
            Kind::OpenAi => BotKind::OpenAi { at: at?, model: model? },
            Kind::Init => BotKind::Init { at: at?, secret: init_secret.clone()? },
        };
        Some(Self { kind, init_secret, policy, fallback_text })
    }
}

fn policy(section: &mut Section<'_>) -> BotPolicy {
    let debounce = section.or("debounce", Debounce(Duration::ZERO)).0;
    if debounce > LONGEST_DEBOUNCE {
        section.refuse("debounce", "is too long; \"10s\" is the most that a customer should wait");
    }
    let guard = section.or("loop_guard", Guard(Some(LOOP_GUARD)));
    BotPolicy { debounce, observe: section.or("observe", false), loop_guard: guard.0 }
}

/// A time, or none at all.
struct Debounce(Duration);

impl Setting for Debounce {
    fn read(node: &Node) -> Result<Self, String> {
        match node.value.as_text() {
            Some("0s") => Ok(Self(Duration::ZERO)),
            _ => Duration::read(node).map(Self),
        }
    }
}

/// The bound of Twilio's own guard is near (15 in 30 s, error 14107).
const LOOP_GUARD: LoopGuard = LoopGuard { texts: 10, within: Duration::from_secs(30) };

/// "10/30s", or "none".
struct Guard(Option<LoopGuard>);

impl Setting for Guard {
    fn read(node: &Node) -> Result<Self, String> {
        const WANTED: &str = "texts and a time, such as \"10/30s\", or \"none\"";
        let text = text(node, WANTED)?;
        if text == "none" {
            return Ok(Self(None));
        }
        let guard = text.split_once('/').and_then(|(texts, within)| {
            let texts = texts.parse().ok().filter(|texts| (1..=1_000).contains(texts))?;
            Some(LoopGuard { texts, within: duration(within).ok().filter(|within| !within.is_zero())? })
        });
        guard.map(|guard| Self(Some(guard))).ok_or_else(|| format!("is \"{text}\"; write {WANTED}"))
    }
}

fn fallback_text(section: &mut Section<'_>) -> Option<String> {
    let text = section.or("fallback_text", String::new());
    if text.is_empty() {
        return None;
    }
    if let Err(wrong) = check_content(&text, MAX_CONTENT_UNITS) {
        section.refuse("fallback_text", wrong);
    }
    Some(text)
}

fn address(section: &mut Section<'_>, kind: Kind, outside: &Outside) -> Option<Address> {
    let url: Option<String> = match kind.address() {
        Some(mend) => section.required("url", mend),
        None => section.optional("url"),
    };
    if let Some(url) = &url {
        network::check_callable(section, "url", url, "https://bot.example.com/turns", outside);
    }
    let timeout = section.or("timeout", Duration::from_secs(25));
    Some(Address { url: url?, timeout })
}

fn init_secret(section: &mut Section<'_>, needed: bool) -> Option<Secret> {
    if needed && !INIT_SECRET.any_in(section) {
        section.refuse(
            INIT_SECRET.inline,
            "is missing; write a secret that is shared with the bot: it is called with it, and answers with it",
        );
    }
    for_header(section, INIT_SECRET)
}

/// A secret that goes out in a header.
fn for_header(section: &mut Section<'_>, sources: Sources) -> Option<Secret> {
    let secret = sources.read(section).pop()?;
    if http::HeaderValue::from_str(secret.expose()).is_err() {
        section.refuse(sources.used_in(section), "has characters that no header can carry");
    }
    Some(secret)
}
