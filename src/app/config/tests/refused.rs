//! What is refused, and in which words.

use super::*;

#[test]
fn a_misspelt_key_is_refused_with_the_one_that_was_meant() {
    insta::assert_snapshot!(wrong(&format!("[server]\nlistn = \"127.0.0.1:80\"\n{CHANNEL}")), @"config.toml:2:1: server.listn is no known key; did you mean listen?");
}

#[test]
fn an_unknown_key_is_refused_with_those_that_there_are() {
    insta::assert_snapshot!(wrong(&format!("[sessions]\ncolour = 1\n{CHANNEL}")), @"config.toml:2:1: sessions.colour is no known key; the keys here are escalate_after, return_after, idle_after");
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}pace = {{ numbre = \"1/s\" }}")), @"config.toml:5:10: channels[0].pace.numbre is no known key; did you mean number?");
}

#[test]
fn an_unknown_section_is_refused() {
    insta::assert_snapshot!(wrong(&format!("[sever]\nlisten = \"127.0.0.1:80\"\n{CHANNEL}")), @"config.toml:1:2: sever is no known section; did you mean server?");
}

#[test]
fn a_wrong_type_is_refused() {
    insta::assert_snapshot!(wrong(&format!("[sessions]\nidle_after = 7200\n{CHANNEL}")), @r#"config.toml:2:14: sessions.idle_after is an integer; write a whole number and its unit, such as "2h", "90s" or "500ms" (units: ms, s, m, h, d)"#);
    insta::assert_snapshot!(wrong("[server]\nlisten = 8080\n[channels]\nname = \"main\""), @r#"
    config.toml:2:10: server.listen is an integer; write an IP address and a port, such as "127.0.0.1:8080" or "0.0.0.0:8080"
    config.toml:3:2: channels is a table; write a table headed [[channels]]
    "#);
    insta::assert_snapshot!(wrong(&format!("server = \"here\"\n{CHANNEL}")), @"config.toml:1:1: server is a string; write a table");
    insta::assert_snapshot!(wrong(&format!("[sending]\nmax_in_flight = 0\n[simulator]\nreads_failed = 2\n{CHANNEL}")), @r#"
    config.toml:2:17: sending.max_in_flight is 0; write 1 or more
    config.toml:4:16: simulator.reads_failed is out of range; write a number from 0.0 to 1.0
    "#);
}

#[test]
fn faults_are_no_more_than_certain() {
    insta::assert_snapshot!(wrong(&format!("[simulator]\nreceipts = {{ lost = 0.9, late = 0.2, gone = 1 }}\n{CHANNEL}")), @r#"
    config.toml:2:12: simulator.receipts adds up to 1.1; at most one fault strikes, so write 1.0 in all at the most
    config.toml:2:38: simulator.receipts.gone is no known key; the keys here are lost, repeated, reordered, late
    "#);
}

#[test]
fn a_bad_pace_is_refused() {
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}pace = {{ number = \"fast\", account = 5 }}")), @r#"
    config.toml:5:19: channels[0].pace.number is "fast", which is no pace; write a count and s, m, h or d, such as "1/s" or "200000/d"
    config.toml:5:37: channels[0].pace.account is an integer; write a pace such as "1/s" or "200000/d", or "none"
    "#);
}

#[test]
fn a_destination_is_the_beginning_of_a_number() {
    let with = |destinations: &str| wrong(&format!("{CHANNEL}pace = {{ destinations = {destinations} }}"));
    insta::assert_snapshot!(with("{ \"44\" = \"5/s\" }"), @r#"config.toml:5:25: channels[0].pace.destinations has "44", which no number begins with; write a table of numbers' beginnings and paces, such as { "+44" = "5/s" }"#);
    insta::assert_snapshot!(with("{ \"+44\" = \"slow\" }"), @r#"config.toml:5:25: channels[0].pace.destinations for "+44" is "slow", which is no pace; write a count and s, m, h or d, such as "1/s" or "200000/d""#);
    insta::assert_snapshot!(with("5"), @r#"config.toml:5:25: channels[0].pace.destinations is an integer; write a table of numbers' beginnings and paces, such as { "+44" = "5/s" }"#);
}

#[test]
fn channels_have_names_of_their_own() {
    insta::assert_snapshot!(wrong(&format!("{CHANNEL}{CHANNEL}")), @r#"config.toml:6:8: channels[1].name is "main", and so is another channel's; give each its own"#);
    insta::assert_snapshot!(wrong(&CHANNEL.replace("main", "init")), @r#"config.toml:2:8: channels[0].name is "init", where the bot's messages come in; take another name"#);
    insta::assert_snapshot!(wrong(&CHANNEL.replace("main", "Main line")), @r#"config.toml:2:8: channels[0].name is "Main line"; write 1 to 40 of a-z, 0-9 and -, such as "main""#);
}

#[test]
fn a_channel_needs_what_its_provider_asks_for() {
    insta::assert_snapshot!(wrong("[[channels]]\nname = \"main\"\nprovider = \"twilio\""), @r#"
    config.toml:1:1: channels[0].account_sid is missing; write the provider's id of the account, which starts with AC
    config.toml:1:1: channels[0].auth_token is missing; write it, or auth_token_file with the path of a file that has it
    config.toml:1:1: channels[0].numbers is missing; write the numbers to text from, or a messaging_service_sid
    "#);
    insta::assert_snapshot!(wrong("[[channels]]\n"), @r#"
    config.toml:1:1: channels[0].name is missing; write 1 to 40 of a-z, 0-9 and -, such as "main"
    config.toml:1:1: channels[0].numbers is missing; write the numbers to text from, or a messaging_service_sid
    config.toml:1:1: channels[0].provider is missing; write "twilio" or "simulator"
    "#);
    insta::assert_snapshot!(wrong(&format!("{TWILIO}account_sid = \"AC1\"\nauth_tokens = []\napi_key = \"SK1\"")), @r#"
    config.toml:6:15: channels[0].auth_tokens is empty; write the secret, or leave the key out
    config.toml:7:11: channels[0].api_key has no api_secret; write both, or neither
    "#);
    insta::assert_snapshot!(wrong(&CHANNEL.replace("\"+15550001111\"", "\"+1555\", \"(555)\"")), @r#"config.toml:4:11: channels[0].numbers at index 0 is "+1555", which cannot be texted from; write a phone number as "+15550001111", a short code as "74454" or a sender as "Acme""#);
    insta::assert_snapshot!(wrong(&CHANNEL.replace("simulator", "simulater")), @r#"config.toml:3:12: channels[0].provider is "simulater"; did you mean "simulator"?"#);
}

#[test]
fn an_engine_has_to_exist_and_a_database_to_be_named() {
    insta::assert_snapshot!(wrong(&format!("[store]\nengine = \"oracle\"\n{CHANNEL}")), @r#"config.toml:2:10: store.engine is "oracle"; write "sled", "fjall" or "postgres""#);
    insta::assert_snapshot!(wrong(&format!("[store]\nengine = \"postgres\"\n{CHANNEL}")), @r#"config.toml:1:2: store.url is missing; write "postgres://user:password@host/database""#);
    insta::assert_snapshot!(wrong(&format!("[store]\nengine = \"postgres\"\nurl = \"mysql://me:secret@db/x\"\n{CHANNEL}")), @r#"config.toml:3:7: store.url is no connection string; write "postgres://user:password@host/database""#);
    let database = |url: &str| wrong(&format!("[store]\nengine = \"postgres\"\nurl = \"{url}\"\n{CHANNEL}"));
    for torn in
        ["postgres://u:p@ssw0rd@db/x", "postgres://db/x?user=a&password=p@ss", "postgres://u:s/ecret@db/x"]
    {
        assert!(database(torn).contains("in a password write @ as %40"), "{}", database(torn));
    }
    insta::assert_snapshot!(database("postgres://u:secret@localhost/x?hostaddr=203.0.113.5"), @"config.toml:3:7: store.url has a hostaddr; write the address as the host");
    insta::assert_snapshot!(database("postgres:///x?user=u"), @r#"config.toml:3:7: store.url names no host; write "postgres://user:password@host/database""#);
    insta::assert_snapshot!(database("postgres://u:secret@db/x?sslmode=verify-full"), @"config.toml:3:7: store.url asks for a certificate to be checked, which it always is; leave sslmode and sslrootcert out, and write who may vouch for the server into store.ca_file");
    insta::assert_snapshot!(database("postgres://u:secret@db/x?sslcert=me.pem"), @"config.toml:3:7: store.url names a certificate of ours, which is not spoken for here; leave sslcert and sslkey out, and write a password");
    insta::assert_snapshot!(wrong(&format!("[store]\nurl = \"postgres://me:secret@db/x\"\n{CHANNEL}")), @r#"config.toml:2:7: store.url is of no use to this engine; write engine = "postgres", or leave it out"#);
    insta::assert_snapshot!(wrong(&format!("[store]\nengine = \"postgres\"\nurl = \"postgres://db\"\nwriters = 0\nreaders = 65\n{CHANNEL}")), @"
    config.toml:4:11: store.writers is 0; write 1 or more
    config.toml:5:11: store.readers is 65; write 64 or less
    ");
    insta::assert_snapshot!(wrong(&format!("[store]\nengine = \"postgres\"\nurl = \"postgres://db\"\nca_file = \"nowhere.pem\"\n{CHANNEL}")), @r#"config.toml:4:11: store.ca_file names "nowhere.pem", which cannot be read: I/O error: No such file or directory (os error 2)"#);
    insta::assert_snapshot!(wrong(&format!("[store]\nengine = \"rocks\"\n{CHANNEL}")), @r#"config.toml:2:10: store.engine is "rocks"; write "sled", "fjall" or "postgres""#);
}

#[test]
fn a_confirmation_text_has_room_for_its_code() {
    insta::assert_snapshot!(wrong(&format!("[consent]\nconfirmation_text = \"Hi\"\ndefault_region = \"Texas\"\n{CHANNEL}")), @r#"
    config.toml:2:21: consent.confirmation_text has no {token}; write it where the code is to stand
    config.toml:3:18: consent.default_region is no country; write an ISO 3166 code of two letters, such as "US"
    "#);
}

#[test]
fn all_problems_are_told_at_once_and_in_the_order_of_the_file() {
    insta::assert_snapshot!(
        wrong(&format!("[server]\nlisten = \"here\"\nshutdown_grace = \"soon\"\n[log]\nlevel = \"inof\"\n{CHANNEL}sie = 1")),
        @r#"
    config.toml:2:10: server.listen is "here"; write an IP address and a port, such as "127.0.0.1:8080" or "0.0.0.0:8080"
    config.toml:3:18: server.shutdown_grace is "soon", which is no duration; write a whole number and its unit, such as "2h", "90s" or "500ms" (units: ms, s, m, h, d)
    config.toml:5:9: log.level is "inof"; did you mean "info"?
    config.toml:10:1: channels[0].sie is no known key; the keys here are name, provider, account_sid, auth_token, auth_tokens, auth_token_file, api_key, api_secret, api_secret_file, numbers, messaging_service_sid, api_base, public_url, signature, on_unknown, pace, recover, keyword_replies
    "#
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    insta::assert_snapshot!(wrong("[server]\nlisten = \"127.0.0.1:80\n\n[store\npath = \"é\" x"), @r#"
    config.toml:2:23: not TOML: invalid basic string, expected `"`
    config.toml:4:7: not TOML: unclosed table, expected `]`
    config.toml:5:12: not TOML: unexpected key or value, expected newline, `#`
    "#);
    insta::assert_snapshot!(wrong("[log]\nlevel = \"info\"\nlevel = \"warn\""), @"config.toml:3:1: not TOML: duplicate key");
}

#[test]
fn a_wrong_variable_is_named() {
    insta::assert_snapshot!(
        wrong_with(
            CHANNEL,
            &[
                ("SWITCHBOARD__SERVER__LISTN", "127.0.0.1:80"),
                ("SWITCHBOARD__SERVR__LISTEN", "127.0.0.1:80"),
                ("SWITCHBOARD__SENDING__VALID_FOR", "4"),
                ("SWITCHBOARD__SENDING__VALID_FOR__X", "4"),
                ("SWITCHBOARD__CHANNELS__7__NAME", "x"),
                ("SWITCHBOARD__CHANNELS__MAIN__NAME", "x"),
                ("SWITCHBOARD__SERVER____LISTEN", "x"),
            ],
        ),
        @r#"
    SWITCHBOARD__CHANNELS__7__NAME: has index 7; the list goes on with index 1
    SWITCHBOARD__CHANNELS__MAIN__NAME: has main where an index is wanted, from 0
    SWITCHBOARD__SENDING__VALID_FOR: sending.valid_for is "4", which is no duration; write a whole number and its unit, such as "2h", "90s" or "500ms" (units: ms, s, m, h, d)
    SWITCHBOARD__SENDING__VALID_FOR__X: goes into what is an integer, which has no keys
    SWITCHBOARD__SERVER__LISTN: server.listn is no known key; did you mean SWITCHBOARD__SERVER__LISTEN?
    SWITCHBOARD__SERVER____LISTEN: names no key; write SWITCHBOARD__SECTION__KEY
    SWITCHBOARD__SERVR__LISTEN: servr is no known section; did you mean SWITCHBOARD__SERVER__LISTEN?
    "#
    );
}

#[test]
fn what_becomes_of_unknown_fates_is_said_in_words_that_are_known() {
    insta::assert_snapshot!(wrong(&format!("[sending]\non_unknown = \"ressend\"\nask_after = \"0s\"\norder_hold = \"1s\"\n{CHANNEL}")), @r#"
    config.toml:2:14: sending.on_unknown is "ressend"; did you mean "resend"?
    config.toml:3:13: sending.ask_after is no time at all; write something longer, or "never"
    config.toml:4:14: sending.order_hold is shorter than the first of looks; make it at least as long
    "#);
}

#[test]
fn agents_do_not_wait_for_longer_than_a_call_may_take() {
    insta::assert_snapshot!(
        wrong(&format!("[sending]\nrequest_timeout = \"31s\"\n{CHANNEL}")),
        @r#"config.toml:2:19: sending.request_timeout is too long; write "30s" or less: a session is given to agents only when no text of the bot is on its way any more"#
    );
}

#[test]
fn what_could_come_back_is_not_removed() {
    insta::assert_snapshot!(
        wrong(&format!("[retention]\nmessages = \"7d\"\n{CHANNEL}")),
        @r#"config.toml:2:12: retention.messages is too short; write "8d" or more: the provider can be asked for the texts of the last 7 days, and those removed before would come back"#
    );
    insta::assert_snapshot!(
        wrong(&format!("[sessions]\nidle_after = \"30d\"\n[retention]\nmessages = \"30d\"\n{CHANNEL}")),
        @"config.toml:4:12: retention.messages is too short; write at least a day more than sessions.idle_after, when a conversation is over"
    );
    assert_eq!(
        good(&format!("[retention]\nmessages = \"8d\"\n{CHANNEL}")).retention.messages,
        Some(Duration::from_secs(8 * 86_400))
    );
    assert_eq!(good(CHANNEL).retention.messages, None);
}
