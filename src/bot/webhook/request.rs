//! The turn on the wire: what the bot is sent. Owns its keys; must not decide what is sent when.

use serde::{Serialize, Serializer};

use super::config::Replies;
use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, MessageId, SessionId};
use crate::domain::message::{Media, Message, Role};
use crate::domain::phone::Address;
use crate::domain::reply::REPLY_LIFE;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{TurnKind, TurnWork};

/// The body. The same for every attempt at a turn, so that a bot may compare.
pub fn body(work: &TurnWork, replies: Option<&Replies>) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Envelope::of(work, replies)?)
}

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'static str,
    #[serde(serialize_with = "display")]
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    /// Gapless per session, from 1.
    turn: Option<u64>,
    /// The newest, where the customer wrote several.
    message: Option<WireMessage<'a>>,
    /// All of them, where the customer wrote several.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<WireMessage<'a>>>,
    session: WireSession<'a>,
    customer: WireCustomer<'a>,
    expects_reply: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<WireMessage<'a>>>,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    #[serde(serialize_with = "display")]
    id: MessageId,
    content: &'a str,
    content_type: &'static str,
    sender_role: Role,
    media: &'a [Media],
    #[serde(serialize_with = "display")]
    sent_at: Timestamp,
    /// The channel that it came or goes by.
    provider: &'a str,
    from: Option<&'a str>,
    to: &'a str,
}

#[derive(Serialize)]
struct WireSession<'a> {
    #[serde(serialize_with = "display")]
    id: SessionId,
    need_attention: bool,
    tags: &'a [String],
    topics: &'a [String],
    /// As the JSON that it was, not as a string of it.
    state: Option<serde_json::Value>,
    #[serde(serialize_with = "display")]
    created_at: Timestamp,
}

#[derive(Serialize)]
struct WireCustomer<'a> {
    #[serde(serialize_with = "display")]
    id: CustomerId,
    phone_number: Option<&'a str>,
    unconfirmed_phone_number: Option<&'a str>,
    country_code: Option<&'a str>,
    email: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    time_zone: &'a str,
    unsubscribed: bool,
    confirmed_at: Option<String>,
}

impl<'a> Envelope<'a> {
    fn of(work: &'a TurnWork, replies: Option<&Replies>) -> Result<Self, serde_json::Error> {
        let turn = &work.turn;
        let replies = replies.filter(|_| turn.kind.may_be_answered());
        let until = turn.created_at.after(REPLY_LIFE);
        let several = !work.also.is_empty();
        let told = !work.history.is_empty() || work.turn.kind == TurnKind::SessionUpdated;
        Ok(Self {
            r#type: work.turn.kind.as_str(),
            timestamp: work.turn.created_at,
            data: Data {
                turn: work.turn.number,
                message: work.messages().next_back().map(WireMessage::of),
                messages: several.then(|| work.messages().map(WireMessage::of).collect()),
                session: WireSession::of(&work.session)?,
                customer: WireCustomer::of(&work.customer),
                expects_reply: work.turn.kind.expects_reply(),
                reply_url: replies.map(|replies| replies.url(turn.id)),
                reply_token: replies.map(|replies| replies.key.token(turn.id, until)),
                history: told.then(|| work.history.iter().map(WireMessage::of).collect()),
            },
        })
    }
}

impl<'a> WireMessage<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            id: message.id,
            content: &message.content,
            content_type: "text",
            sender_role: message.author.role,
            media: &message.media,
            sent_at: message.sent_at,
            provider: &message.delivery.lane.channel,
            from: message.delivery.from.as_deref(),
            to: &message.delivery.to,
        }
    }
}

impl<'a> WireSession<'a> {
    fn of(session: &'a Session) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: session.id,
            need_attention: session.need_attention,
            tags: &session.tags,
            topics: &session.topics,
            state: session.bot_state.as_deref().map(serde_json::from_str).transpose()?,
            created_at: session.created_at,
        })
    }
}

impl<'a> WireCustomer<'a> {
    fn of(customer: &'a Customer) -> Self {
        Self {
            id: customer.id,
            phone_number: customer.phone_number.as_ref().map(Address::as_str),
            unconfirmed_phone_number: customer.unconfirmed_phone_number.as_ref().map(Address::as_str),
            country_code: customer.country_code.as_deref(),
            email: customer.email.as_deref(),
            first_name: customer.first_name.as_deref(),
            last_name: customer.last_name.as_deref(),
            time_zone: &customer.time_zone,
            unsubscribed: customer.unsubscribed,
            confirmed_at: customer.confirmed_at.map(|at| at.to_string()),
        }
    }
}

fn display<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::fixtures::{media, message, work};

    fn sent(work: &TurnWork) -> serde_json::Value {
        serde_json::from_slice(&body(work, None).unwrap()).unwrap()
    }

    #[test]
    fn a_customers_text_is_told_with_all_that_surrounds_it() {
        let mut work = work(TurnKind::MessageReceived, "Hi");
        work.message.as_mut().unwrap().media = vec![media()];
        work.session.bot_state = Some(r#"{"step":2}"#.into());
        work.session.tags = vec!["vip".into()];
        insta::assert_snapshot!(serde_json::to_string_pretty(&Envelope::of(&work, None).unwrap()).unwrap(), @r#"
        {
          "type": "message.received",
          "timestamp": "2017-05-02T12:04:42.693Z",
          "data": {
            "turn": 1,
            "message": {
              "id": "00000000-0000-0000-0000-000000000003",
              "content": "Hi",
              "content_type": "text",
              "sender_role": "end-user",
              "media": [
                {
                  "url": "https://media.example/1",
                  "content_type": "image/jpeg"
                }
              ],
              "sent_at": "2017-05-02T12:04:42.693Z",
              "provider": "main",
              "from": "+15550002222",
              "to": "+15550001111"
            },
            "session": {
              "id": "00000000-0000-0000-0000-000000000002",
              "need_attention": false,
              "tags": [
                "vip"
              ],
              "topics": [],
              "state": {
                "step": 2
              },
              "created_at": "2017-05-02T12:04:42.693Z"
            },
            "customer": {
              "id": "00000000-0000-0000-0000-000000000001",
              "phone_number": "+15550002222",
              "unconfirmed_phone_number": null,
              "country_code": "US",
              "email": null,
              "first_name": "Ada",
              "last_name": null,
              "time_zone": "UTC",
              "unsubscribed": false,
              "confirmed_at": "2017-05-02T12:04:42.693Z"
            },
            "expects_reply": true
          }
        }
        "#);
    }

    #[test]
    fn several_texts_come_at_once_and_the_newest_by_itself() {
        let mut work = work(TurnKind::MessageReceived, "one");
        assert!(sent(&work)["data"].get("messages").is_none());
        work.also = vec![message("two"), message("three")];
        let sent = sent(&work);
        assert_eq!(sent["data"]["message"]["content"], "three");
        let all: Vec<_> =
            sent["data"]["messages"].as_array().unwrap().iter().map(|one| &one["content"]).collect();
        assert_eq!(all, ["one", "two", "three"]);
    }

    #[test]
    fn a_turn_that_can_be_answered_says_where_and_gives_the_right_to() {
        let key = crate::domain::reply::ReplyKey::of("whsec_a");
        let replies = Replies { base_url: "https://sms.example.com".into(), key: key.clone() };
        let sent = |kind| -> serde_json::Value {
            serde_json::from_slice(&body(&work(kind, "Hi"), Some(&replies)).unwrap()).unwrap()
        };
        for kind in [TurnKind::MessageReceived, TurnKind::MessageObserved] {
            let data = &sent(kind)["data"];
            let turn = crate::bot::fixtures::TURN;
            assert_eq!(data["reply_url"], format!("https://sms.example.com/v1/bot/turns/{turn}/reply"));
            assert!(key.admits(data["reply_token"].as_str().unwrap(), turn, crate::bot::fixtures::THEN));
        }
        assert!(sent(TurnKind::MessageCreated)["data"].get("reply_token").is_none());
    }

    #[test]
    fn a_session_that_comes_back_brings_what_was_said_meanwhile() {
        let mut back = work(TurnKind::SessionUpdated, "");
        assert_eq!(sent(&back)["data"]["history"], serde_json::json!([]));
        back.history = vec![message("first"), message("second")];
        let sent = sent(&back);
        assert_eq!(sent["data"]["history"][1]["content"], "second");
        assert_eq!(sent["data"]["message"], serde_json::Value::Null);
        assert_eq!(sent["data"]["expects_reply"], false);
    }
}
