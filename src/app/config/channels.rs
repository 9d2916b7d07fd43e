//! `[[channels]]`: the accounts with providers, and the numbers that they have for us.

use super::network;
use super::secret::{Secret, Sources};
use super::section::Section;
use super::sending::{ChannelPace, Sending};
use super::tree::Node;
use super::values::{BaseUrl, PublicUrl, Setting, choice};
use crate::app::outside::Outside;
use crate::domain::delivery::OnUnknown;
use crate::domain::phone::Address;

/// The secret that the simulator signs with unless it is given another. Public, so good for trying out only.
pub const DEMO_AUTH_TOKEN: &str = "demo-simulator";
/// What the simulator is called by unless it is given another.
const SIMULATED_ACCOUNT: &str = "AC00000000000000000000000000000000";
/// `/v1/receive/init` is the bot's.
const RESERVED: &str = "init";
const MAX_NAME_CHARS: usize = 40;

#[derive(Clone, Debug)]
pub struct Channel {
    /// Receives at `/v1/receive/NAME` and `/v1/receive/NAME/status`.
    pub name: String,
    pub provider: ProviderKind,
    pub account_sid: String,
    pub api_key: Option<ApiKey>,
    /// At least one; the first is the one to call with, and all of them verify.
    pub auth_tokens: Vec<Secret>,
    pub numbers: Vec<Address>,
    pub messaging_service_sid: Option<String>,
    pub api_base: BaseUrl,
    /// Overrides the server's, for this channel's webhooks.
    pub public_url: Option<PublicUrl>,
    pub signature: SignatureMode,
    /// What becomes of a text where nobody can say whether it left.
    pub on_unknown: OnUnknown,
    pub pace: ChannelPace,
    /// After an outage the provider is asked for the texts that it could not deliver.
    pub recover: bool,
    keyword_replies: Option<KeywordAnswerer>,
}

#[derive(Clone, Debug)]
pub struct ApiKey {
    pub sid: String,
    pub secret: Secret,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    Twilio,
    Simulator,
}

/// What happens to a webhook with a wrong signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureMode {
    /// It is refused.
    Enforce,
    /// It is taken, and a warning is logged.
    Report,
}

/// Who answers STOP, START and HELP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeywordAnswerer {
    Provider,
    Gateway,
    Nobody,
}

impl Channel {
    /// Who answers a keyword that was sent to this number, short code or service of ours. Providers answer for all
    /// but short codes, unless the configuration says otherwise.
    pub fn keyword_answerer(&self, sender: &str) -> KeywordAnswerer {
        self.keyword_replies.unwrap_or(match Address::parse(sender) {
            Ok(Address::ShortCode(_)) => KeywordAnswerer::Gateway,
            _ => KeywordAnswerer::Provider,
        })
    }
}

impl Setting for ProviderKind {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("twilio", Self::Twilio), ("simulator", Self::Simulator)])
    }
}

impl Setting for SignatureMode {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("enforce", Self::Enforce), ("report", Self::Report)])
    }
}

impl Setting for KeywordAnswerer {
    fn read(node: &Node) -> Result<Self, String> {
        choice(node, &[("provider", Self::Provider), ("gateway", Self::Gateway), ("none", Self::Nobody)])
    }
}

const AUTH_TOKEN: Sources =
    Sources { inline: "auth_token", list: Some("auth_tokens"), file: "auth_token_file" };
const API_SECRET: Sources = Sources { inline: "api_secret", list: None, file: "api_secret_file" };

/// Reads all channels. A wrong one is reported and left out. `exposed`: why demo secrets will not do, if they won't.
pub(super) fn read_all(
    sections: Vec<Section<'_>>,
    sending: &Sending,
    exposed: Option<&str>,
    outside: &Outside,
) -> Vec<Channel> {
    let mut names: Vec<String> = Vec::new();
    let mut channels = Vec::new();
    for mut section in sections {
        let name = name(&mut section, &names);
        names.extend(name.clone());
        channels.extend(read(section, name, sending, exposed, outside));
    }
    channels
}

fn name(section: &mut Section<'_>, taken: &[String]) -> Option<String> {
    const FORM: &str = "write 1 to 40 of a-z, 0-9 and -, such as \"main\"";
    let name: String = section.required("name", FORM)?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let wrong = if name.is_empty() || name.len() > MAX_NAME_CHARS || !name.bytes().all(allowed) {
        Some(format!("is \"{name}\"; {FORM}"))
    } else if name == RESERVED {
        Some("is \"init\", where the bot's messages come in; take another name".to_owned())
    } else if taken.contains(&name) {
        Some(format!("is \"{name}\", and so is another channel's; give each its own"))
    } else {
        None
    };
    match wrong {
        None => Some(name),
        Some(wrong) => {
            section.refuse("name", wrong);
            None
        }
    }
}

fn read(
    mut section: Section<'_>,
    name: Option<String>,
    sending: &Sending,
    exposed: Option<&str>,
    outside: &Outside,
) -> Option<Channel> {
    let provider = section.required("provider", "write \"twilio\" or \"simulator\"");
    let account_sid = account_sid(&mut section, provider);
    let auth_tokens = auth_tokens(&mut section, provider, exposed);
    let api_key = api_key(&mut section);
    let numbers: Option<Vec<Address>> = section.optional("numbers");
    let service: Option<String> = section.optional("messaging_service_sid");
    check_senders(&section, numbers.as_deref(), service.as_deref());
    let api_base: Option<BaseUrl> =
        section.optional("api_base").or_else(|| BaseUrl::parse("https://api.twilio.com"));
    if let (Some(ProviderKind::Twilio), Some(base)) = (provider, &api_base) {
        network::check(&section, "api_base", base.as_str(), outside);
    }
    let public_url = section.optional("public_url");
    let signature = section.or("signature", SignatureMode::Enforce);
    let on_unknown = section.or("on_unknown", sending.on_unknown);
    let pace = ChannelPace::read(section.section("pace"), &sending.pace);
    let recover = section.or("recover", true);
    let keyword_replies = section.optional("keyword_replies");
    section.finish();
    Some(Channel {
        name: name?,
        provider: provider?,
        account_sid: account_sid?,
        api_key,
        auth_tokens,
        numbers: numbers.unwrap_or_default(),
        messaging_service_sid: service,
        api_base: api_base?,
        public_url,
        signature,
        on_unknown,
        pace,
        recover,
        keyword_replies,
    })
}

fn account_sid(section: &mut Section<'_>, provider: Option<ProviderKind>) -> Option<String> {
    const FORM: &str = "write the provider's id of the account, which starts with AC";
    let sid: String = match provider {
        Some(ProviderKind::Twilio) => section.required("account_sid", FORM)?,
        _ => section.or("account_sid", SIMULATED_ACCOUNT.to_owned()),
    };
    if !sid.starts_with("AC") {
        section.refuse("account_sid", format!("does not start with AC; {FORM}"));
    }
    Some(sid)
}

fn auth_tokens(
    section: &mut Section<'_>,
    provider: Option<ProviderKind>,
    exposed: Option<&str>,
) -> Vec<Secret> {
    let given = AUTH_TOKEN.any_in(section);
    let mut tokens = AUTH_TOKEN.read(section);
    match provider {
        Some(ProviderKind::Twilio) if !given => {
            section.refuse(
                "auth_token",
                "is missing; write it, or auth_token_file with the path of a file that has it",
            );
        }
        Some(ProviderKind::Simulator) if !given => tokens.push(Secret::new(DEMO_AUTH_TOKEN)),
        _ => {}
    }
    let demo = tokens.iter().any(|token| token.expose() == DEMO_AUTH_TOKEN);
    if let (true, Some(why)) = (demo, exposed) {
        let key = AUTH_TOKEN.used_in(section);
        section.refuse(key, format!("is the simulator's public default, and {why}; set your own"));
    }
    tokens
}

fn api_key(section: &mut Section<'_>) -> Option<ApiKey> {
    let sid: Option<String> = section.optional("api_key");
    let given = API_SECRET.any_in(section);
    let secret = API_SECRET.read(section).pop();
    match (section.has("api_key"), given) {
        (true, false) => section.refuse("api_key", "has no api_secret; write both, or neither"),
        (false, true) => {
            section.refuse(API_SECRET.used_in(section), "has no api_key; write both, or neither");
        }
        _ => {}
    }
    Some(ApiKey { sid: sid?, secret: secret? })
}

fn check_senders(section: &Section<'_>, numbers: Option<&[Address]>, service: Option<&str>) {
    if service.is_some_and(|sid| !sid.starts_with("MG")) {
        section.refuse(
            "messaging_service_sid",
            "does not start with MG; write the provider's id of the service",
        );
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = numbers.into_iter().flatten().find(|number| !seen.insert(number.as_str())) {
        section.refuse("numbers", format!("has \"{twice}\" twice; keep one"));
    }
    let none = numbers.is_none_or(<[_]>::is_empty) && service.is_none();
    // A list that could not be read was reported already.
    if none && !(section.has("numbers") && numbers.is_none()) && !section.has("messaging_service_sid") {
        section.refuse("numbers", "is missing; write the numbers to text from, or a messaging_service_sid");
    }
}
