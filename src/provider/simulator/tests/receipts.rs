//! What the simulator tells our side about texts it took.

use super::*;

#[tokio::test]
async fn a_text_through_a_service_is_delivered_and_its_four_receipts_are_signed() {
    let mut rig = Rig::start(config()).await;
    let (_, text) = rig.send_with_receipts(&[("MessagingServiceSid", SERVICE)]).await;
    let mut tokens = std::collections::BTreeSet::new();
    for state in ["queued", "sending", "sent", "delivered"] {
        let hook = rig.next_hook().await;
        hook.assert_signed();
        assert!(hook.url.ends_with("/status?m=17"));
        assert_eq!(hook.field("MessageStatus"), state);
        assert_eq!(hook.field("SmsStatus"), state);
        assert_eq!(hook.field("MessageSid"), text["sid"]);
        assert_eq!((hook.field("From"), hook.field("To")), (BRAND, CUSTOMER));
        assert_eq!((hook.field("AccountSid"), hook.field("MessagingServiceSid")), (ACCOUNT, SERVICE));
        assert_eq!(hook.field("RawDlrDoneDate"), if state == "delivered" { "2611211830" } else { "" });
        assert_eq!(hook.header("user-agent"), "TwilioProxy/1.1");
        tokens.insert(hook.header("i-twilio-idempotency-token").to_owned());
    }
    assert_eq!(tokens.len(), 4);
    let on_phone = rig.phone(1).await;
    assert_eq!((&on_phone[0]["sid"], &on_phone[0]["status"]), (&text["sid"], &"delivered".into()));
}

#[tokio::test]
async fn a_text_from_a_number_has_no_receipt_for_its_first_state() {
    let mut rig = Rig::start(config()).await;
    rig.send_with_receipts(&[]).await;
    assert_eq!(rig.receipts(3).await, ["sending", "sent", "delivered"]);
}

#[tokio::test]
async fn a_magic_number_ends_with_its_code() {
    let mut rig = Rig::start(config()).await;
    let (_, text) = rig.send_with_receipts(&[("To", "+15555530003")]).await;
    assert_eq!(rig.receipts(2).await, ["sending", "sent"]);
    let last = rig.next_hook().await;
    assert_eq!((last.field("MessageStatus"), last.field("ErrorCode")), ("undelivered", "30003"));
    let url = format!("{}{}", rig.base, text["uri"].as_str().unwrap());
    let response = rig.http.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["error_code"], 30003);
    rig.send_with_receipts(&[("To", "+15555530001")]).await;
    assert_eq!(rig.receipts(2).await, ["sending", "failed"]);
}

#[tokio::test]
async fn a_receipt_can_come_before_the_answer() {
    let mut rig = Rig::start(config()).await;
    let next = [SendFault::ReceiptFirst];
    rig.simulator.set_faults(Faults { next_sends: next.into(), ..Faults::default() }).unwrap();
    let (_, text) = rig.send_with_receipts(&[]).await;
    let early = [rig.hooks.try_recv().unwrap(), rig.hooks.try_recv().unwrap()];
    assert_eq!(early.map(|hook| hook.field("MessageStatus").to_owned()), ["sending", "sent"]);
    assert_eq!(text["status"], "queued");
    assert_eq!(rig.receipts(1).await, ["delivered"]);
}

#[tokio::test]
async fn a_refused_receipt_is_not_posted_again() {
    let mut rig = Rig::start_answering(config(), StatusCode::INTERNAL_SERVER_ERROR).await;
    rig.send_with_receipts(&[]).await;
    rig.send_with_receipts(&[("To", "+14155550000")]).await;
    let mut states = rig.receipts(6).await;
    states.sort_unstable();
    assert_eq!(states, ["delivered", "delivered", "sending", "sending", "sent", "sent"]);
}

#[tokio::test]
async fn a_repeated_receipt_has_the_same_token() {
    let mut rig = Rig::start(config()).await;
    let next = [ReceiptFault::Repeated];
    rig.simulator.set_faults(Faults { next_receipts: next.into(), ..Faults::default() }).unwrap();
    rig.send_with_receipts(&[]).await;
    let (first, second) = (rig.next_hook().await, rig.next_hook().await);
    let token = "i-twilio-idempotency-token";
    assert_eq!((first.header(token), &first.form), (second.header(token), &second.form));
}
