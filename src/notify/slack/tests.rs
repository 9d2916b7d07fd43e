//! What a channel is told, and what it is never told.

use axum::response::IntoResponse;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::domain::event::{BOT, CustomerChange};
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::time::Timestamp;
use crate::notify::tests::server::{Server, client, hushed, notice};

const MINUTE: i64 = 60_000;

fn waiting() -> Session {
    let since = Timestamp::from_millis(1_700_000_000_000 - 20 * MINUTE);
    let id = Uuid::from_u128(1);
    let mut session = Session::new(SessionId(id), CustomerId(id), true, since);
    session.need_attention = true;
    session.waiting_since = Some(since);
    session
}

fn told_of(change: SessionChange, session: Session) -> What {
    What::Session { change, session: Box::new(session) }
}

/// What the channel is told of that.
async fn told(what: What) -> Vec<Value> {
    let server = Server::start(|_| "ok".into_response()).await;
    let console = "https://sms.example.com/console".to_owned();
    let notifier = SlackNotifier::new(&hushed(&server.url), console, client()).unwrap();
    notifier.tell(&notice(what, "{}")).await.unwrap();
    server.calls().iter().map(|call| serde_json::from_slice(&call.body).unwrap()).collect()
}

async fn words(what: What) -> String {
    let told = told(what).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].as_object().unwrap().len(), 1, "only text: {}", told[0]);
    told[0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_what_calls_for_an_agent_is_told() {
    let served = Session { waiting_since: None, ..waiting() };
    let of_bot = Session { need_attention: false, ..waiting() };
    let id = CustomerId(Uuid::from_u128(1));
    let others = [
        told_of(SessionChange::Updated, waiting()),
        told_of(SessionChange::Suggested, waiting()),
        told_of(SessionChange::Created, served.clone()),
        told_of(SessionChange::Waits, served),
        told_of(SessionChange::Escalated, of_bot),
        What::Customer { id, change: CustomerChange::Created },
        What::Disabled { endpoint: BOT.to_owned(), reason: "410".into() },
    ];
    let notifier = SlackNotifier::new("https://hooks.example.com/x", String::new(), client()).unwrap();
    for what in others {
        assert!(!notifier.wants(&notice(what.clone(), "").event), "{what:?}");
        assert_eq!(told(what).await, Vec::<Value>::new());
    }
    for change in [SessionChange::Created, SessionChange::Waits, SessionChange::Escalated] {
        assert!(notifier.wants(&notice(told_of(change, waiting()), "").event));
    }
}

#[tokio::test]
async fn it_says_what_happened_and_where_to_go_and_not_who_wrote_what() {
    let link =
        "<https://sms.example.com/console#/c/00000000-0000-0000-0000-000000000001|Open the conversation>";
    let new = words(told_of(SessionChange::Waits, waiting())).await;
    assert_eq!(new, format!("A customer needs an agent. {link}"));
    let long = Session { escalations: 1, ..waiting() };
    let nobody = words(told_of(SessionChange::Escalated, long.clone())).await;
    assert_eq!(
        nobody,
        format!("A customer has waited for 20 min, and nobody has taken the conversation. {link}")
    );
    let somebody = Session { assignee: Some("ann".into()), ..long };
    let taken = words(told_of(SessionChange::Escalated, somebody)).await;
    assert_eq!(taken, format!("A customer of ann has waited for 20 min. {link}"));
}

#[tokio::test]
async fn the_gateways_own_reason_is_told_and_nothing_that_a_bot_wrote() {
    for (reason, told) in [
        ("bot_unavailable: it answered 503", Some("(bot_unavailable)")),
        ("loop_guard", Some("(loop_guard)")),
        ("Ann Lee wants her money back, <!channel> @everyone", None),
    ] {
        let session = Session { attention_reason: Some(reason.into()), ..waiting() };
        let text = words(told_of(SessionChange::Waits, session)).await;
        let expected = told.map_or_else(String::new, |told| format!(" {told}"));
        assert!(text.starts_with(&format!("A customer needs an agent{expected}. <https")), "{text}");
    }
}

#[tokio::test]
async fn an_agents_name_calls_nobody_links_nowhere_and_stays_one_line() {
    let name = "<!channel> <https://evil.example|click> @everyone & so\non\u{7}";
    let session = Session { assignee: Some(name.into()), escalations: 1, ..waiting() };
    let text = words(told_of(SessionChange::Escalated, session)).await;
    assert_eq!((text.matches('<').count(), text.matches('>').count()), (1, 1), "{text}");
    assert!(text.contains("&lt;!channel&gt; &lt;https://evil.example|click&gt;"), "{text}");
    assert!(text.contains("&amp; so on") && !text.contains("@everyone"), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

#[tokio::test]
async fn nobody_is_called_for_whom_an_agent_has_already_or_who_was_answered_or_erased_since() {
    let own = Session { assignee: Some("ann".into()), ..waiting() };
    assert_eq!(told(told_of(SessionChange::Waits, own)).await, Vec::<Value>::new());
    let server = Server::start(|_| "ok".into_response()).await;
    let notifier = SlackNotifier::new(&hushed(&server.url), String::new(), client()).unwrap();
    let answered = Session { waiting_since: None, ..waiting() };
    for now in [None, Some(answered), Some(waiting())] {
        let notice = Notice { session: now, ..notice(told_of(SessionChange::Waits, waiting()), "{}") };
        notifier.tell(&notice).await.unwrap();
    }
    assert_eq!(server.calls().len(), 1, "who waits still");
}
