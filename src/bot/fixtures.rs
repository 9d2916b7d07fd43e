//! A turn to test bots with. Owns nothing that ships.

use uuid::Uuid;

use crate::domain::customer::Customer;
use crate::domain::delivery::Delivery;
use crate::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use crate::domain::message::{Author, Lane, Media, Message};
use crate::domain::phone::Address;
use crate::domain::segments;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnKind, TurnState, TurnWork};

/// The moment at which everything here happened: 2017-05-02T12:04:42.693Z.
pub const THEN: Timestamp = Timestamp::from_millis(1_493_726_682_693);
pub const TURN: TurnId = TurnId(Uuid::from_u128(4));
const CUSTOMER: CustomerId = CustomerId(Uuid::from_u128(1));
const SESSION: SessionId = SessionId(Uuid::from_u128(2));

pub fn media() -> Media {
    Media { url: "https://media.example/1".into(), content_type: "image/jpeg".into() }
}

/// A text of the customer's.
pub fn message(content: &str) -> Message {
    let lane = Lane { channel: "main".into(), sender: "+15550001111".into() };
    let from = Address::parse("+15550002222").unwrap();
    Message {
        id: MessageId(Uuid::from_u128(3)),
        session_id: SESSION,
        customer_id: CUSTOMER,
        place: 0,
        content: content.into(),
        author: Author::customer(),
        media: Vec::new(),
        keyword: None,
        recovered: false,
        turn_id: None,
        sent_at: THEN,
        delivered_at: Some(THEN),
        created_at: THEN,
        updated_at: THEN,
        delivery: Delivery::inbound(lane, &from, segments::analyse(content), "SM1".into(), THEN),
    }
}

/// A turn of that kind about that text; no history.
pub fn work(kind: TurnKind, content: &str) -> TurnWork {
    let message = (kind != TurnKind::SessionUpdated).then(|| message(content));
    TurnWork {
        turn: Turn {
            id: TURN,
            session_id: SESSION,
            customer_id: CUSTOMER,
            place: 0,
            number: Some(1),
            kind,
            message_id: message.as_ref().map(|message| message.id),
            history: None,
            also: Vec::new(),
            replies: Vec::new(),
            refused_texts: Vec::new(),
            version: 1,
            attempts: 1,
            failures: 0,
            put_off: 0,
            due_at: THEN,
            state: TurnState::InFlight { owner: "test".into() },
            created_at: THEN,
        },
        session: Session::new(SESSION, CUSTOMER, false, THEN),
        customer: customer(),
        message,
        also: Vec::new(),
        history: Vec::new(),
    }
}

fn customer() -> Customer {
    Customer {
        id: CUSTOMER,
        phone_number: Some(Address::parse("+15550002222").unwrap()),
        unconfirmed_phone_number: None,
        country_code: Some("US".into()),
        email: None,
        first_name: Some("Ada".into()),
        last_name: None,
        time_zone: "UTC".into(),
        unsubscribed: false,
        confirmed_at: Some(THEN),
        confirmation_sent_at: None,
        confirmation: None,
        lane: None,
        created_at: THEN,
        updated_at: THEN,
    }
}
