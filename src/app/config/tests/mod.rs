//! What is taken, and what is made of it.

use std::time::Duration;

use super::*;

mod bot;
mod events;
mod network;
mod refused;
mod secrets;

/// A channel that is fine.
const CHANNEL: &str =
    "[[channels]]\nname = \"main\"\nprovider = \"simulator\"\nnumbers = [\"+15550001111\"]\n";
const TWILIO: &str = "[[channels]]\nname = \"main\"\nprovider = \"twilio\"\nnumbers = [\"+15550001111\"]\n";

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    read(text, env).0
}

fn good(text: &str) -> Config {
    load(text, &[]).unwrap_or_else(|problems| panic!("{}", worded(problems)))
}

fn worded(problems: Vec<Problem>) -> String {
    Problems::new("config.toml".into(), problems).to_string()
}

/// What is said about a file that is wrong.
fn wrong(text: &str) -> String {
    wrong_with(text, &[])
}

fn wrong_with(text: &str, env: &[(&str, &str)]) -> String {
    worded(load(text, env).expect_err("something is wrong"))
}

#[test]
fn the_default_file_runs_as_it_is() {
    let config = good(DEFAULT_CONFIG);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store.engine, Engine::Sled);
    assert_eq!(config.channels.len(), 1);
    assert_eq!(config.channels[0].provider, ProviderKind::Simulator);
    assert!(matches!(config.bot.kind, BotKind::Echo));
    assert_eq!(config.tokens.iter().filter_map(|token| token.demo).collect::<Vec<_>>(), DEMO_TOKENS);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn the_default_file_says_what_the_defaults_are() {
    let (written, default) = (good(DEFAULT_CONFIG), good(CHANNEL));
    let sections = |config: &Config| {
        let Config { server, network, store, sessions, sending, consent, channels, simulator, log, .. } =
            config;
        format!(
            "{server:?} {network:?} {store:?} {sessions:?} {sending:?} {consent:?} {channels:?} {simulator:?} {log:?}"
        )
    };
    assert_eq!(sections(&written), sections(&default));
}

/// The keys that the default file writes, commented out (`#key = …`) or not.
fn documented(text: &str) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        // A table of an array may be commented out, too.
        let line = if line.starts_with("#[[") { &line[1..] } else { line };
        if let Some(name) = line.strip_prefix("[[") {
            section = format!("{}[]", name.trim_end_matches(']'));
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, value)) = line.strip_prefix('#').unwrap_or(line).split_once(" = ")
            && !key.starts_with(' ')
        {
            keys.insert(format!("{section}.{key}"));
            let inline = value.strip_prefix("{ ").into_iter().flat_map(|table| table.split(", "));
            keys.extend(
                inline.filter_map(|pair| Some(format!("{section}.{key}.{}", pair.split_once(" = ")?.0))),
            );
        }
    }
    keys
}

#[test]
fn the_default_file_explains_every_key_and_no_other() {
    let known: BTreeSet<_> = read(&DEFAULT_CONFIG.replace("#[[", "[["), std::iter::empty()).1;
    // Sections stand in brackets, not among the keys.
    let is_section = |key: &str| known.iter().any(|other| other.starts_with(&format!("{key}[].")));
    let is_key = |key: &&String| key.contains('.') && !is_section(key);
    let known: BTreeSet<_> = known.iter().filter(is_key).cloned().collect();
    assert_eq!(documented(DEFAULT_CONFIG), known);
}

#[test]
fn values_come_out_ready_to_use() {
    let config = good(&format!(
        "[server]\npublic_url = \"https://sms.example.com/\"\n[sending]\npace = {{ number = \"4/s\" }}\n\
         [sessions]\nidle_after = \"90s\"\n[consent]\nhelp_reply = \"\"\ndefault_region = \"\"\n{CHANNEL}"
    ));
    assert_eq!(config.server.public_url.as_str(), "https://sms.example.com");
    assert_eq!(config.channels[0].pace.number.unwrap().interval(), Duration::from_millis(250));
    assert_eq!(config.channels[0].pace.account.unwrap().interval(), Duration::from_millis(10));
    assert_eq!(config.sessions.idle_after, Duration::from_secs(90));
    assert_eq!((config.consent.replies.help, config.consent.default_region), (None, None));
}

#[test]
fn short_codes_have_their_keywords_answered_by_the_gateway() {
    let channel = &good(CHANNEL).channels[0];
    assert_eq!(channel.keyword_answerer("+15550001111"), KeywordAnswerer::Provider);
    assert_eq!(channel.keyword_answerer("MG1"), KeywordAnswerer::Provider);
    assert_eq!(channel.keyword_answerer("74454"), KeywordAnswerer::Gateway);
    let told = &good(&format!("{CHANNEL}keyword_replies = \"none\"")).channels[0];
    assert_eq!(told.keyword_answerer("74454"), KeywordAnswerer::Nobody);
}

#[test]
fn a_channel_may_have_its_own_way_with_unknown_fates() {
    use crate::domain::delivery::OnUnknown;
    let sending = "[sending]\non_unknown = \"resend\"\nask_after = \"never\"\norder_hold = \"5s\"\n";
    let config = good(&format!("{sending}{CHANNEL}"));
    assert_eq!(config.channels[0].on_unknown, OnUnknown::Resend);
    assert_eq!(config.sending.asks.steps().count(), 0);
    assert_eq!(config.sending.order_hold, Duration::from_secs(5));
    let config = good(&format!("{sending}{CHANNEL}on_unknown = \"hold\""));
    assert_eq!(config.channels[0].on_unknown, OnUnknown::Hold);
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = load(
        DEFAULT_CONFIG,
        &[
            ("SWITCHBOARD__SERVER__LISTEN", "127.0.0.1:9"),
            ("SWITCHBOARD__CONSENT__FORWARD_KEYWORDS", "true"),
            ("SWITCHBOARD__CHANNELS__0__AUTH_TOKEN", "0123"),
            ("SWITCHBOARD__CHANNELS__0__PACE__NUMBER", "10/s"),
            ("SWITCHBOARD__CHANNELS__1__NAME", "second"),
            ("SWITCHBOARD__CHANNELS__1__PROVIDER", "simulator"),
            ("SWITCHBOARD__CHANNELS__1__NUMBERS", "[\"74454\", \"+15550003333\"]"),
            ("SWITCHBOARD__CHANNELS__0__NUMBERS__0", "+15550004444"),
            ("SWITCHBOARD__TOKENS", "[]"),
            ("SWITCHBOARD_OTHER", "1"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap_or_else(|problems| panic!("{}", worded(problems)));
    assert_eq!(config.server.listen.port(), 9);
    assert!(config.consent.forward_keywords && config.tokens.is_empty());
    let [first, second] = &config.channels[..] else { panic!("two channels") };
    assert_eq!(first.auth_tokens[0].expose(), "0123");
    assert_eq!(first.pace.number.unwrap().interval(), Duration::from_millis(100));
    assert_eq!(first.numbers[0].as_str(), "+15550004444");
    assert_eq!((second.name.as_str(), second.numbers.len()), ("second", 2));
}

#[test]
fn a_public_url_that_no_provider_can_call_is_warned_of() {
    let config = good(&format!("{TWILIO}account_sid = \"AC1\"\nauth_token = \"x\""));
    insta::assert_snapshot!(config.warnings.join("\n"), @r#"server.public_url is of this machine: the provider of "main" cannot call it"#);
}

#[test]
fn a_missing_file_is_told_with_how_to_get_one() {
    let error = Config::load(Path::new("no/config.toml"), std::iter::empty()).unwrap_err();
    insta::assert_snapshot!(error, @"there is no file no/config.toml; write the default one with `switchboard check --print-default > config.toml`, or name yours with --config FILE");
}

#[test]
fn a_channel_adds_to_the_paces_of_all_and_takes_them_back() {
    let config = good(
        "[sending.pace]\ndestinations = { \"+1\" = \"50/s\", \"+44\" = \"5/s\" }\n\
         [[channels]]\nname = \"main\"\nprovider = \"simulator\"\nnumbers = [\"+15550001111\"]\n\
         pace = { number = \"none\", destinations = { \"+44\" = \"none\", \"+49\" = \"2/s\" } }\n",
    );
    let pace = &config.channels[0].pace;
    assert_eq!((pace.number, pace.account), (None, Some("100/s".parse().unwrap())));
    let destinations: Vec<_> =
        pace.destinations.iter().map(|(prefix, pace)| (prefix.as_str(), *pace)).collect();
    assert_eq!(destinations, [("+1", "50/s".parse().unwrap()), ("+49", "2/s".parse().unwrap())]);
    assert_eq!(config.sending.pace.destinations.len(), 2);
}
