//! Who outside is told of events, how long they are kept, what agents find on their page, and how long customers wait.

use super::*;
use crate::domain::conversation::LoopGuard;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CRM: &str = "[[webhooks]]\nname = \"crm\"\nurl = \"https://crm.example.com/hush\"\n";

/// That is wrong, in that line and with those words.
fn refused(text: &str, line: usize, words: &str) {
    let told = wrong(text);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with(&format!("config.toml:{line}:")) && told.contains(words), "{told}");
    assert!(!told.contains("hush") && !told.contains("whsec_M"), "{told}");
}

fn signed(keys: &str) -> String {
    format!("{CHANNEL}{CRM}secret = \"{KEY}\"\n{keys}")
}

#[test]
fn an_endpoint_is_told_everything_unless_it_says_otherwise() {
    let config = good(&signed(""));
    let [crm] = &config.webhooks[..] else { panic!("one webhook") };
    assert_eq!((crm.name.as_str(), crm.url.expose()), ("crm", "https://crm.example.com/hush"));
    assert_eq!(crm.filter.names, ["*"]);
    let config = good(&format!("{CHANNEL}{CRM}secrets = [\"{KEY}\", \"{KEY}\"]\nevents = [\"message.*\"]"));
    let WebhookKind::Standard { secrets } = &config.webhooks[0].kind else { panic!("signed") };
    assert_eq!((secrets.len(), &config.webhooks[0].filter.names[..]), (2, &["message.*".to_owned()][..]));
    let config = good(&format!("{CHANNEL}{CRM}kind = \"slack\""));
    assert!(matches!(config.webhooks[0].kind, WebhookKind::Slack));
    assert!(good(CHANNEL).webhooks.is_empty());
}

#[test]
fn an_endpoint_has_a_name_of_its_own() {
    let named = |name: &str| signed("").replace("\"crm\"", &format!("\"{name}\""));
    refused(&named("bot"), 6, "which is taken");
    for name in ["", "My CRM", "crm_1", &"x".repeat(41)] {
        refused(&named(name), 6, "needs 1 to 40 of a-z, 0-9 and -");
    }
    refused(&format!("{}{CRM}secret = \"{KEY}\"", signed("")), 10, "and so is another webhook's");
}

#[test]
fn an_endpoint_needs_an_address_and_what_its_kind_asks_for() {
    refused(&format!("{CHANNEL}{CRM}"), 5, "secret is missing");
    refused(&format!("{CHANNEL}{CRM}secret = \"hush\""), 8, "cannot sign");
    refused(&format!("{CHANNEL}{CRM}secret = \"whsec_MfKQ9r8G\""), 8, "24 to 64 bytes");
    refused(&signed("kind = \"slack\""), 8, "Slack checks no signature");
    refused(&signed("kind = \"slakc\""), 9, "did you mean \"slack\"?");
    refused(&signed("events = []"), 9, "is empty");
    refused(&signed("events = [\"messages.*\"]"), 9, "is no event's name");
    refused(&signed("colour = 1"), 9, "is no known key");
    let keys = |url: &str| format!("{CHANNEL}[[webhooks]]\nname = \"crm\"\nsecret = \"{KEY}\"\n{url}");
    refused(&keys(""), 5, "url is missing");
    for url in ["hush", "ftp://hush/", "https://"] {
        refused(&keys(&format!("url = \"{url}\"")), 8, "cannot be called");
    }
    refused(&keys("url_file = \"no/such/file\""), 8, "cannot be read");
}

#[test]
fn an_endpoint_inside_is_refused_unless_it_is_allowed() {
    let inside =
        |network: &str| signed("").replace("https://crm.example.com/hush", "http://10.0.0.7/hush") + network;
    refused(&inside(""), 7, "add it to network.allow_private");
    good(&inside("[network]\nallow_private = [\"10.0.0.0/8\"]"));
}

#[test]
fn neither_an_address_nor_a_secret_of_an_endpoint_is_printed() {
    let config = good(&signed(""));
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush") && !shown.contains("whsec"), "{shown}");
}

#[test]
fn the_log_is_kept_for_long_enough_to_be_found_again() {
    assert_eq!(good(CHANNEL).keep_events, Duration::from_secs(7 * 86_400));
    assert_eq!(good(&format!("[events]\nkeep = \"1h\"\n{CHANNEL}")).keep_events, Duration::from_secs(3_600));
    refused(&format!("[events]\nkeep = \"59m\"\n{CHANNEL}"), 2, "is too short");
    refused(&format!("[events]\nkeep = 7\n{CHANNEL}"), 2, "is an integer");
    refused(&format!("[events]\nkept = \"7d\"\n{CHANNEL}"), 2, "is no known key; the keys here are keep");
}

#[test]
fn a_canned_reply_has_a_title_and_a_text_that_can_be_sent() {
    let reply = |keys: &str| format!("{CHANNEL}[[console.canned_replies]]\n{keys}");
    let config = good(&reply("title = \"Hours\"\ncontent = \"9 to 5\""));
    let [hours] = &config.console.canned_replies[..] else { panic!("one reply") };
    assert_eq!((hours.title.as_str(), hours.content.as_str()), ("Hours", "9 to 5"));
    refused(&reply("content = \"9 to 5\""), 5, "title is missing");
    refused(&reply("title = \"Hours\""), 5, "content is missing");
    for title in [" ", &"x".repeat(61)] {
        refused(&reply(&format!("title = \"{title}\"\ncontent = \"a\"")), 6, "needs 1 to 60 characters");
    }
    for content in [" ", &"x".repeat(1_601)] {
        let told = wrong(&reply(&format!("title = \"Hours\"\ncontent = \"{content}\"")));
        assert!(told.starts_with("config.toml:7:"), "{told}");
    }
    refused(&reply("title = \"Hours\"\ncontent = \"a\"\nkey = \"h\""), 8, "is no known key");
}

#[test]
fn a_bot_has_rules_of_its_own() {
    let config = good(CHANNEL).bot;
    assert_eq!(
        (config.policy.debounce, config.policy.observe, config.fallback_text),
        (Duration::ZERO, false, None)
    );
    assert_eq!(config.policy.loop_guard, Some(LoopGuard { texts: 10, within: Duration::from_secs(30) }));
    let bot = |keys: &str| format!("{CHANNEL}[bot]\n{keys}");
    let keys = "debounce = \"10s\"\nobserve = true\nloop_guard = \"3/1m\"\nfallback_text = \"Soon.\"";
    let config = good(&bot(keys)).bot;
    assert_eq!((config.policy.debounce, config.policy.observe), (Duration::from_secs(10), true));
    assert_eq!(config.policy.loop_guard, Some(LoopGuard { texts: 3, within: Duration::from_secs(60) }));
    assert_eq!(config.fallback_text.as_deref(), Some("Soon."));
    assert_eq!(good(&bot("loop_guard = \"none\"")).bot.policy.loop_guard, None);
    refused(&bot("debounce = \"11s\""), 6, "is too long");
    refused(&bot("debounce = 2"), 6, "debounce is an integer");
    for guard in ["10", "0/30s", "1001/30s", "10/0s", "ten/30s", "10/soon", "/"] {
        refused(&bot(&format!("loop_guard = \"{guard}\"")), 6, "such as \"10/30s\", or \"none\"");
    }
    refused(&bot("observe = \"yes\""), 6, "observe is a string");
    let long = "x".repeat(1_601);
    refused(&bot(&format!("fallback_text = \"{long}\"")), 6, "fallback_text");
}

#[test]
fn customers_wait_for_as_long_as_a_deployment_says() {
    let attention = |keys: &str| good(&format!("[sessions]\n{keys}\n{CHANNEL}")).sessions.attention;
    let default = attention("");
    assert_eq!((default.escalate_after, default.return_after), (Some(Duration::from_secs(900)), None));
    let set = attention("escalate_after = \"never\"\nreturn_after = \"1h\"");
    assert_eq!((set.escalate_after, set.return_after), (None, Some(Duration::from_secs(3_600))));
    for key in ["escalate_after", "return_after"] {
        let with = |value: &str| format!("[sessions]\n{key} = {value}\n{CHANNEL}");
        refused(&with("\"999ms\""), 2, "is too short");
        refused(&with("\"soon\""), 2, "is no duration");
        refused(&with("15"), 2, "a time such as \"15m\", or \"never\"");
    }
}
