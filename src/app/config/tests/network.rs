//! What may be called, and that what may not is refused where it is written.

use super::*;

const WEBHOOK: &str = "[bot]\nkind = \"webhook\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";

fn with(network: &str, url: &str) -> String {
    format!("[network]\n{network}\n{CHANNEL}{WEBHOOK}url = \"{url}\"")
}

#[test]
fn by_default_this_machine_may_be_called_and_nothing_else_inside() {
    for url in ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "https://bot.example.com/"] {
        good(&with("", url));
    }
    insta::assert_snapshot!(wrong(&with("", "http://10.0.0.7/turns")), @"config.toml:10:7: bot.url leads inside: 10.0.0.7 is in 10.0.0.0/8 (private networks), which is not called; if it is meant to be, add it to network.allow_private");
    insta::assert_snapshot!(wrong(&with("", "http://169.254.169.254/latest/")), @"config.toml:10:7: bot.url leads inside: 169.254.169.254 is in 169.254.0.0/16 (one link, where clouds keep their machines' credentials), which is not called; if it is meant to be, add it to network.allow_private");
    insta::assert_snapshot!(wrong(&with("", "http://0xa.7/turns")), @"config.toml:10:7: bot.url leads inside: 10.0.0.7 is in 10.0.0.0/8 (private networks), which is not called; if it is meant to be, add it to network.allow_private");
}

#[test]
fn what_is_allowed_takes_the_place_of_the_default() {
    good(&with("allow_private = [\"10.0.0.0/8\"]", "http://10.0.0.7/"));
    insta::assert_snapshot!(wrong(&with("allow_private = []", "http://127.0.0.1:9/")), @"config.toml:10:7: bot.url leads inside: 127.0.0.1 is in 127.0.0.0/8 (this machine), which is not called; if it is meant to be, add it to network.allow_private");
    insta::assert_snapshot!(wrong(&with("allow_private = [\"10.0.0.0/8\"]", "http://localhost/")), @"config.toml:10:7: bot.url leads inside: 127.0.0.1 is in 127.0.0.0/8 (this machine), which is not called; if it is meant to be, add it to network.allow_private");
}

#[test]
fn a_network_that_is_none_is_refused_with_what_to_write() {
    insta::assert_snapshot!(wrong(&with("allow_private = [\"10.0.0.7\"]", "https://bot.example.com/")), @r#"config.toml:2:17: network.allow_private at index 0 is the address "10.0.0.7"; write "10.0.0.7/32" for it alone"#);
    insta::assert_snapshot!(wrong(&with("allow_private = [\"10.0.0.7/8\", \"intranet\"]\nproxy = \"env\"", "https://bot.example.com/")), @r#"
    config.toml:2:17: network.allow_private at index 0 is "10.0.0.7/8", which begins within a network; write "10.0.0.0/8"
    config.toml:3:9: network.proxy is "env"; write "none" or "environment"
    "#);
}

#[test]
fn a_provider_inside_is_refused_too_but_the_simulator_is_the_daemon_itself() {
    let twilio =
        format!("{TWILIO}account_sid = \"AC1\"\nauth_token = \"t\"\napi_base = \"http://192.168.0.9\"");
    insta::assert_snapshot!(wrong(&twilio), @"config.toml:7:12: channels[0].api_base leads inside: 192.168.0.9 is in 192.168.0.0/16 (private networks), which is not called; if it is meant to be, add it to network.allow_private");
    good(&format!("[network]\nallow_private = []\n[server]\nlisten = \"127.0.0.1:9\"\n{CHANNEL}"));
}

#[test]
fn a_proxy_that_is_not_heeded_is_warned_of() {
    let warnings =
        |text: &str| load(text, &[("HTTPS_PROXY", "http://proxy:3128")]).unwrap().warnings.join("\n");
    insta::assert_snapshot!(warnings(CHANNEL), @r#"network.proxy is "none", so what HTTPS_PROXY says is not heeded; write "environment" if it is to be"#);
    for said in ["none", "environment"] {
        assert_eq!(warnings(&format!("[network]\nproxy = \"{said}\"\n{CHANNEL}")), "");
    }
}
