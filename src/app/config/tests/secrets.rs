//! Secrets and tokens: where they come from, and that nothing gives them away.

use super::*;
use crate::store::TokenRole;

#[test]
fn tokens_are_whole_and_differ() {
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}[[tokens]]\nname = \"desk\"\nrole = \"boss\"")), @r#"
    config.toml:5:1: tokens[0].secret is missing; write it, its secret_sha256, or a secret_file
    config.toml:7:8: tokens[0].role is "boss"; write "agent", "bot" or "admin"
    "#);
    let desk = "[[tokens]]\nname = \"desk\"\nrole = \"agent\"\nsecret = \"s3cret\"\n";
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}{desk}{desk}")), @r#"
    config.toml:10:8: tokens[1].name is "desk", and so is another token's; give each its own
    config.toml:12:10: tokens[1].secret is the same as another token's; give each its own
    "#);
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}{desk}secret_sha256 = \"abc\"")), @r#"
    config.toml:8:10: tokens[0].secret and secret_sha256 are both set; keep one of them
    config.toml:9:17: tokens[0].secret_sha256 is no hash; write the SHA-256 of the token in 64 hexadecimal digits, as `sha256sum` prints it
    "#);
    let token = &good(&format!("{CHANNEL}{desk}")).tokens[0];
    let hash = "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0";
    let hashed = good(&format!(
        "{CHANNEL}[[tokens]]\nname = \"desk\"\nrole = \"agent\"\nsecret_sha256 = \"{hash}\"\n"
    ));
    assert_eq!(token.sha256, hashed.tokens[0].sha256);
    assert_eq!(token.secret.as_ref().map(Secret::expose), Some("s3cret"));
    assert!(hashed.tokens[0].secret.is_none());
    assert_eq!((token.role, token.demo), (TokenRole::Agent, None));
}

#[test]
fn demo_secrets_are_refused_where_others_could_use_them() {
    let told = wrong_with(DEFAULT_CONFIG, &[("SWITCHBOARD__SERVER__LISTEN", "0.0.0.0:8080")]);
    let keys = ["channels[0].auth_token", "tokens[0].secret", "tokens[1].secret", "tokens[2].secret"];
    assert_eq!(told.lines().count(), keys.len(), "{told}");
    for (line, key) in told.lines().zip(keys) {
        assert!(line.contains(key) && line.ends_with("open to other machines; set your own"), "{line}");
    }
    let token = "[[tokens]]\nname = \"desk\"\nrole = \"agent\"\nsecret = \"demo-agent\"\n";
    insta::assert_snapshot!(
        wrong(&format!("{TWILIO}account_sid = \"AC1\"\nauth_token = \"t\"\n{}{token}", CHANNEL.replace("main", "sim"))),
        @r#"
    config.toml:7:1: channels[1].auth_token is the simulator's public default, and a channel texts real phones; set your own
    config.toml:14:10: tokens[0].secret is a public demo token, and a channel texts real phones; set your own
    "#
    );
}

#[test]
fn a_secret_comes_from_a_file_without_its_white_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "new\nold \n\n").unwrap();
    let text = format!("{TWILIO}account_sid = \"AC1\"\nauth_token_file = {path:?}");
    let tokens = good(&text).channels[0].auth_tokens.clone();
    assert_eq!(tokens.iter().map(Secret::expose).collect::<Vec<_>>(), ["new", "old"]);
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "hush").unwrap();
    let warnings_with = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        good(&format!("{CHANNEL}[bot]\ninit_secret_file = {path:?}")).warnings
    };
    assert_eq!(warnings_with(0o600), Vec::<String>::new());
    assert!(warnings_with(0o644)[0].starts_with("bot.init_secret_file can be read by everybody"));
}

#[test]
fn a_secret_has_one_source_that_is_there() {
    insta::assert_snapshot!(
        wrong(&format!("{TWILIO}account_sid = \"AC1\"\nauth_token_file = \"no/such/file\"")),
        @r#"config.toml:6:19: channels[0].auth_token_file names "no/such/file", which cannot be read: No such file or directory (os error 2)"#
    );
    insta::assert_snapshot!(
        wrong(&format!("{TWILIO}account_sid = \"AC1\"\nauth_token = \"x\"\nauth_token_file = \"no/such/file\"")),
        @"config.toml:7:19: channels[0].auth_token_file and auth_token are both set; keep one of them"
    );
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}[bot]\ninit_secret = \"\"")), @"config.toml:6:15: bot.init_secret is empty; write the secret, or leave the key out");
}

#[test]
fn nothing_prints_a_secret() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let config = good(&format!(
        "{TWILIO}account_sid = \"AC1\"\nauth_token = \"hush1\"\napi_key = \"SK1\"\napi_secret = \"hush2\"\n\
         [bot]\nkind = \"webhook\"\nurl = \"http://bot/\"\nsecret = \"{key}\"\ninit_secret = \"hush3\"\n\
         [[tokens]]\nname = \"desk\"\nrole = \"agent\"\nsecret = \"hush4\""
    ));
    let shown = format!("{config:?}");
    assert!(!shown.contains("hush") && !shown.contains("whsec"), "{shown}");
}
