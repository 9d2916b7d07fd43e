//! A message: who wrote what, and when it reached the other side. What happened to it on its way is in
//! [`super::delivery`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::delivery::Delivery;
use super::ids::{CustomerId, MessageId, SessionId, TurnId};
use super::keywords::Keyword;
use super::time::Timestamp;

/// Who speaks. On the wire `end-user`, `agent`, `init`; there is no fourth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// The customer.
    #[serde(rename = "end-user")]
    EndUser,
    /// A human at the brand.
    #[serde(rename = "agent")]
    Agent,
    /// The conversational system: the bot, or the gateway speaking in its stead.
    #[serde(rename = "init")]
    Init,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndUser => "end-user",
            Self::Agent => "agent",
            Self::Init => "init",
        }
    }
}

/// Who exactly wrote a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub role: Role,
    /// The name of the token that was used; `customer`, `bot` or `gateway` where there was none.
    pub name: String,
}

impl Author {
    pub fn customer() -> Self {
        Self { role: Role::EndUser, name: "customer".into() }
    }

    /// The gateway itself: keyword replies, confirmation texts.
    pub fn gateway() -> Self {
        Self { role: Role::Init, name: "gateway".into() }
    }

    pub fn is_gateway(&self) -> bool {
        self.role == Role::Init && self.name == "gateway"
    }

    /// The conversational system, and not the gateway in its stead.
    pub fn is_bot(&self) -> bool {
        self.role == Role::Init && !self.is_gateway()
    }
}

/// A picture, sound or file that came with a text. It stays where the provider keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub url: String,
    pub content_type: String,
}

/// One sender of ours: a number, short code or messaging service, on one channel. Pace is kept per lane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lane {
    /// The name of the channel in the configuration.
    pub channel: String,
    /// The number in E.164, the short code, or the provider's id of the messaging service.
    pub sender: String,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.sender)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub session_id: SessionId,
    pub customer_id: CustomerId,
    /// Its place in the session, from 0.
    pub place: u64,
    pub content: String,
    pub author: Author,
    pub media: Vec<Media>,
    /// The keyword that a customer's text consists of.
    pub keyword: Option<Keyword>,
    /// The provider could not deliver it, and was asked for it later: it came after what was said since.
    #[serde(default)]
    pub recovered: bool,
    /// The bot's turn that it answers.
    pub turn_id: Option<TurnId>,
    pub sent_at: Timestamp,
    /// When the handset had it, by the provider's receipt. Set once.
    pub delivered_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub delivery: Delivery,
}

impl Message {
    pub fn is_inbound(&self) -> bool {
        self.author.role == Role::EndUser
    }
}

/// What goes out first when several customers have something waiting in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Priority {
    Agent = 0,
    Bot = 1,
}

impl Priority {
    pub const ALL: [Self; 2] = [Self::Agent, Self::Bot];

    pub fn of(author: &Author) -> Self {
        match author.role {
            Role::Agent | Role::EndUser => Self::Agent,
            // A keyword reply or a confirmation is somebody waiting, as with an agent.
            Role::Init if author.is_gateway() => Self::Agent,
            Role::Init => Self::Bot,
        }
    }
}
