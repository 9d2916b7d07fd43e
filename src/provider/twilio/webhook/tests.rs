//! What webhooks are read as.

use super::super::config::tests::ACCOUNT_SID;
use super::*;

const SID: &str = "SM00000000000000000000000000000001";
const MESSAGE_ID: &str = "019aa5f0-0000-7000-8000-000000000001";

fn encoded(changes: &[(&str, &str)], base: &[(&str, &str)]) -> String {
    let kept = base.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let pairs: Vec<_> = kept.chain(changes).filter(|(_, value)| *value != "(none)").collect();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs.iter().map(|(n, v)| (*n, *v))).finish()
}

fn post(query: Option<&str>, body: String) -> WebhookRequest {
    WebhookRequest {
        method: "POST".into(),
        url: "https://gw.example.com/x".into(),
        query: query.map(str::to_owned),
        content_type: Some("application/x-www-form-urlencoded".into()),
        headers: http::HeaderMap::new(),
        body: body.into(),
    }
}

/// A usual text, with `changes` (`(none)`: left out).
fn text(changes: &[(&str, &str)]) -> Result<ProviderText, ParseError> {
    parse_text(&post(None, text_form(changes)), ACCOUNT_SID)
}

fn text_form(changes: &[(&str, &str)]) -> String {
    let base = [
        ("MessageSid", SID),
        ("SmsSid", SID),
        ("AccountSid", ACCOUNT_SID),
        ("From", "+14155550101"),
        ("To", "+12125550100"),
        ("Body", "Hi there + 50% é😀"),
        ("NumMedia", "0"),
        ("FromCity", ""),
        ("SomethingNew", "x"),
    ];
    encoded(changes, &base)
}

/// A usual receipt, with `changes`, of the status URL with `query`.
fn receipt_at(query: Option<&str>, changes: &[(&str, &str)]) -> Result<ProviderReceipt, ParseError> {
    let base = [
        ("MessageSid", SID),
        ("AccountSid", ACCOUNT_SID),
        ("MessageStatus", "delivered"),
        ("To", "+14155550101"),
    ];
    parse_receipt(&post(query, encoded(changes, &base)), ACCOUNT_SID, Timestamp::from_millis(7))
}

fn receipt(changes: &[(&str, &str)]) -> Result<ProviderReceipt, ParseError> {
    receipt_at(None, changes)
}

#[test]
fn a_text_is_read() {
    let expected = ProviderText {
        provider_id: SID.into(),
        from: Address::parse("+14155550101").unwrap(),
        to: "+12125550100".into(),
        service: None,
        content: "Hi there + 50% é😀".into(),
        media: vec![],
        sent_at: None,
        keyword: None,
    };
    assert_eq!(text(&[]), Ok(expected));
}

#[test]
fn a_text_by_get_is_read_from_the_query() {
    let request = WebhookRequest { method: "GET".into(), ..post(Some(&text_form(&[])), "Body=other".into()) };
    assert_eq!(parse_text(&request, ACCOUNT_SID), text(&[]));
}

#[test]
fn the_query_of_a_post_is_not_read_for_fields() {
    let request = post(Some(&text_form(&[])), String::new());
    assert!(matches!(parse_text(&request, ACCOUNT_SID), Err(ParseError::Missing(_))));
}

#[test]
fn media_come_with_or_without_text_and_whatever_their_number_says() {
    let media = |number| {
        let changes = [
            ("Body", ""),
            ("NumMedia", number),
            ("MediaUrl0", "https://api.twilio.com/ME0"),
            ("MediaContentType0", "image/png"),
            ("MediaUrl1", "https://api.twilio.com/ME1"),
        ];
        text(&changes).unwrap()
    };
    for number in ["2", "many"] {
        let text = media(number);
        assert_eq!(text.content, "");
        let found: Vec<_> =
            text.media.iter().map(|media| (media.url.as_str(), media.content_type.as_str())).collect();
        let expected = [
            ("https://api.twilio.com/ME0", "image/png"),
            ("https://api.twilio.com/ME1", "application/octet-stream"),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn what_the_provider_says_about_keywords_and_services_is_taken_over() {
    for (word, keyword) in [("STOP", Keyword::Stop), ("START", Keyword::Start), ("HELP", Keyword::Help)] {
        assert_eq!(text(&[("OptOutType", word)]).unwrap().keyword, Some(keyword));
    }
    assert_eq!(text(&[("OptOutType", "OTHER")]).unwrap().keyword, None);
    assert_eq!(text(&[("MessagingServiceSid", "MG1")]).unwrap().service.as_deref(), Some("MG1"));
    assert_eq!(text(&[("MessagingServiceSid", "")]).unwrap().service, None);
}

#[test]
fn the_former_name_of_the_id_will_do() {
    assert_eq!(text(&[("MessageSid", "(none)")]).unwrap().provider_id, SID);
    let none = text(&[("MessageSid", "(none)"), ("SmsSid", "(none)")]);
    assert_eq!(none, Err(ParseError::Missing("MessageSid")));
}

#[test]
fn ids_of_compatible_vendors_are_taken_and_what_is_no_id_is_refused() {
    for sid in ["SM00000000000000000000000000000001", "c0ffee00-7e57-4bad-8bad-000000000001"] {
        assert_eq!(text(&[("MessageSid", sid)]).unwrap().provider_id, sid);
    }
    for sid in ["x'; --", "SM 1", "SM\u{e9}", &"S".repeat(65)] {
        assert!(
            matches!(text(&[("MessageSid", sid)]), Err(ParseError::Invalid { field: "MessageSid", .. })),
            "{sid}"
        );
    }
}

#[test]
fn another_account_is_refused() {
    let other = text(&[("AccountSid", "AC00000000000000000000000000000002")]);
    assert!(matches!(other, Err(ParseError::Invalid { field: "AccountSid", .. })));
    assert!(text(&[("AccountSid", "(none)")]).is_ok(), "the signature has proved whose call it is");
    assert!(receipt(&[("AccountSid", "AC2")]).is_err());
}

#[test]
fn a_short_code_may_text() {
    assert!(matches!(text(&[("From", "74454")]).unwrap().from, Address::ShortCode(_)));
}

#[test]
fn what_is_no_number_is_named_by_its_field_and_not_repeated() {
    for (field, value) in
        [("From", "whatsapp:+14155550101"), ("To", "(415) 555-0101"), ("From", "client:ann@b.example")]
    {
        let error = text(&[(field, value)]).unwrap_err();
        assert!(matches!(error, ParseError::Invalid { field: named, .. } if named == field), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(value));
    }
    assert_eq!(text(&[("From", "")]), Err(ParseError::Missing("From")));
    assert_eq!(text(&[("Body", "(none)")]), Err(ParseError::Missing("Body")));
}

#[test]
fn nul_is_dropped_and_the_rest_kept() {
    assert_eq!(text(&[("Body", "a\0b\n")]).unwrap().content, "ab\n");
}

#[test]
fn a_body_that_is_no_form_is_refused() {
    let json = WebhookRequest { content_type: Some("application/json".into()), ..post(None, "{}".into()) };
    assert!(matches!(parse_text(&json, ACCOUNT_SID), Err(ParseError::NotAForm(_))));
    assert!(matches!(parse_text(&post(None, "Body=%ff".into()), ACCOUNT_SID), Err(ParseError::NotAForm(_))));
}

#[test]
fn every_status_of_the_api_has_its_stage() {
    let stages = [
        ("accepted", ReceiptStage::Taken),
        ("scheduled", ReceiptStage::Taken),
        ("queued", ReceiptStage::Taken),
        ("sending", ReceiptStage::Taken),
        ("receiving", ReceiptStage::Taken),
        ("received", ReceiptStage::Taken),
        ("sent", ReceiptStage::Sent),
        ("partially_delivered", ReceiptStage::Sent),
        ("delivered", ReceiptStage::Delivered),
        ("read", ReceiptStage::Delivered),
        ("undelivered", ReceiptStage::Undelivered),
        ("failed", ReceiptStage::Failed),
        ("canceled", ReceiptStage::Canceled),
    ];
    for (word, stage) in stages {
        let status = receipt(&[("MessageStatus", word)]).unwrap().status;
        assert_eq!((status.stage, status.raw.as_str(), status.at.as_millis()), (stage, word, 7));
    }
}

#[test]
fn an_unknown_status_is_kept_and_moves_nothing_and_a_missing_one_is_refused() {
    let unknown = receipt(&[("MessageStatus", "teleported")]).unwrap().status;
    assert_eq!((unknown.stage, unknown.raw.as_str()), (ReceiptStage::Taken, "teleported"));
    // A customer's text that was sent to the status URL by mistake has only this one.
    let text = receipt(&[("MessageStatus", "(none)"), ("SmsStatus", "received")]);
    assert_eq!(text, Err(ParseError::Missing("MessageStatus")));
}

#[test]
fn a_failure_has_its_reason() {
    let error = |changes: &[(&str, &str)]| receipt(changes).unwrap().status.error;
    let opted_out = error(&[("MessageStatus", "failed"), ("ErrorCode", "21610")]).unwrap();
    assert_eq!((opted_out.code.as_deref(), opted_out.class), (Some("21610"), ErrorClass::OptedOut));
    let silent = error(&[("MessageStatus", "undelivered")]).unwrap();
    assert_eq!((silent.code, silent.class), (None, ErrorClass::Permanent));
    assert_eq!(error(&[("ErrorCode", "")]), None);
    assert_eq!(error(&[("ErrorCode", "x")]), None, "no reason to lose the receipt");
}

#[test]
fn our_message_id_comes_from_the_status_url() {
    let id = |query: Option<&str>| receipt_at(query, &[]).unwrap().message_id.map(|id| id.to_string());
    assert_eq!(id(Some(&format!("x=1&m={MESSAGE_ID}"))).as_deref(), Some(MESSAGE_ID));
    assert_eq!(id(Some("m=not-ours")), None);
    assert_eq!(id(None), None);
}
