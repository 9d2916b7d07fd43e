//! The kinds of bots: what each needs, and what is said where it is missing or wrong.

use super::*;

fn bot(keys: &str) -> String {
    format!("{CHANNEL}[bot]\n{keys}")
}

#[test]
fn a_webhook_bot_needs_an_address_and_a_secret() {
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}[bot]\nkind = \"webhook\"")), @r#"
    config.toml:5:2: bot.secret is missing; write "whsec_" and 24 to 64 random bytes in base64, and tell the bot
    config.toml:5:2: bot.url is missing; write where the bot takes its turns
    "#);
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}[bot]\nkind = \"webhook\"\nurl = \"bot\"\nsecret = \"hush\"")), @r#"
    config.toml:7:7: bot.url cannot be called; write an address such as "https://bot.example.com/turns"
    config.toml:8:10: bot.secret cannot sign: a webhook secret starts with "whsec_"
    "#);
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let config = good(&format!(
        "{CHANNEL}[bot]\nkind = \"webhook\"\nurl = \"http://bot/\"\nsecrets = [\"{key}\", \"{key}\"]"
    ));
    let BotKind::Webhook { at, secrets } = config.bot.kind else { panic!("a webhook") };
    assert_eq!((secrets.len(), at.timeout), (2, Duration::from_secs(25)));
}

#[test]
fn a_rasa_bot_needs_an_address_and_may_have_a_token() {
    insta::assert_snapshot!(wrong(&bot("kind = \"rasa\"")), @r#"config.toml:5:2: bot.url is missing; write where Rasa is, such as "http://127.0.0.1:5005""#);
    insta::assert_snapshot!(wrong(&bot("kind = \"rasa\"\nurl = \"http://127.0.0.1:5005\"\ntoken = \"a\\nb\"")), @"config.toml:8:9: bot.token has characters that no header can carry");
    let config =
        good(&bot("kind = \"rasa\"\nurl = \"http://127.0.0.1:5005\"\ntoken = \"hush\"\ntimeout = \"5s\""));
    let BotKind::Rasa { at, token } = &config.bot.kind else { panic!("rasa") };
    assert_eq!((at.url.as_str(), at.timeout), ("http://127.0.0.1:5005", Duration::from_secs(5)));
    assert_eq!(token.as_ref().map(Secret::expose), Some("hush"));
    assert!(!format!("{:?}", config.bot).contains("hush"));
}

#[test]
fn a_model_needs_an_address_a_name_and_a_prompt() {
    insta::assert_snapshot!(wrong(&bot("kind = \"openai\"")), @r#"
    config.toml:5:2: bot.model is missing; write the model's name, as its server knows it
    config.toml:5:2: bot.system_prompt is missing; write what the model is to be and to know, or name a file
    config.toml:5:2: bot.url is missing; write where the API is, such as "https://api.openai.com/v1"
    "#);
    let model = "kind = \"openai\"\nurl = \"https://api.openai.com/v1\"\nmodel = \"small\"\n";
    insta::assert_snapshot!(wrong(&bot(&format!("{model}system_prompt = \" \"\ntemperature = 3\nmax_tokens = 0\nhistory = 201"))), @r#"
    config.toml:9:17: bot.system_prompt is empty; write what the model is to be and to know
    config.toml:10:15: bot.temperature is out of range; write a number from 0.0 to 2.0
    config.toml:11:14: bot.max_tokens is 0; write 1 or more
    config.toml:12:11: bot.history is 201; write 0 to 200
    "#);
    insta::assert_snapshot!(wrong(&bot(&format!("{model}system_prompt = \"a\"\nsystem_prompt_file = \"b\"\ntemperature = \"hot\""))), @r#"
    config.toml:10:22: bot.system_prompt_file and system_prompt are both set; keep one of them
    config.toml:11:15: bot.temperature is a string; write a number from 0.0 to 2.0
    "#);
    insta::assert_snapshot!(wrong(&bot(&format!("{model}system_prompt_file = \"no/prompt.md\""))), @r#"config.toml:9:22: bot.system_prompt_file names "no/prompt.md", which cannot be read: No such file or directory (os error 2)"#);
    let config = good(&bot(&format!("{model}system_prompt = \"Be brief.\"\ntemperature = 1")));
    let BotKind::OpenAi { model, .. } = config.bot.kind else { panic!("a model") };
    assert_eq!((model.max_tokens.get(), model.history, model.max_history_chars), (500, 20, 8000));
    assert_eq!((model.temperature, model.api_key.is_none()), (Some(1.0), true));
}

#[test]
fn a_prompt_comes_from_a_file_that_is_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompt.md");
    std::fs::write(&path, "\nBe brief.\n").unwrap();
    let model = "kind = \"openai\"\nurl = \"https://api.openai.com/v1\"\nmodel = \"small\"\n";
    let text = bot(&format!("{model}system_prompt_file = {path:?}"));
    let prompt = |config: Config| match config.bot.kind {
        BotKind::OpenAi { model, .. } => model.system_prompt,
        other => panic!("{other:?}"),
    };
    assert_eq!(prompt(good(&text)), "Be brief.");
    let other = load(&text, &[("SWITCHBOARD__BOT__SYSTEM_PROMPT", "Be long.")]);
    assert_eq!(prompt(other.unwrap()), "Be long.");
}

#[test]
fn a_bot_of_init_ais_kind_shares_a_secret() {
    let init = "kind = \"init\"\nurl = \"https://bot.example.com/\"\n";
    insta::assert_snapshot!(wrong(&bot(init)), @"config.toml:5:2: bot.init_secret is missing; write a secret that is shared with the bot: it is called with it, and answers with it");
    let config = good(&bot(&format!("{init}init_secret = \"hush\"")));
    let BotKind::Init { secret, .. } = config.bot.kind else { panic!("init") };
    assert_eq!((secret.expose(), config.bot.init_secret.unwrap().expose()), ("hush", "hush"));
}

#[test]
fn what_another_kind_would_need_is_checked_and_not_missed() {
    insta::assert_snapshot!(wrong(&bot("kind = \"echo\"\nhistory = 1000\nsecret = \"x\"")), @r#"
    config.toml:7:11: bot.history is 1000; write 0 to 200
    config.toml:8:10: bot.secret cannot sign: a webhook secret starts with "whsec_"
    "#);
    assert!(matches!(good(&bot("kind = \"echo\"\nmodel = \"small\"")).bot.kind, BotKind::Echo));
    insta::assert_snapshot!(wrong(&bot("kind = \"openapi\"")), @r#"config.toml:6:8: bot.kind is "openapi"; did you mean "openai"?"#);
}
