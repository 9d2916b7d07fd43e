//! The identifiers of everything that has one: UUIDs, version 7, so that they sort by time.
//! Makes none up itself: [`uuid_v7`] takes the time and the randomness as values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::Timestamp;

/// A version 7 UUID (RFC 9562) of that moment and those ten random bytes.
pub fn uuid_v7(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )*};
}

id! {
    /// A person who texts with the brand.
    CustomerId
    /// One conversation of a customer, from its first text until it has been idle for long enough.
    SessionId
    /// One text, in either direction.
    MessageId
    /// One thing the bot is told, and may answer.
    TurnId
    /// One access token that was minted at run time.
    TokenId
    /// One text that the bot proposes to the agents.
    SuggestionId
}

impl SessionId {
    /// When it was made: what a version 7 UUID begins with.
    pub fn made_at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_tells_when_it_was_made() {
        let moment = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(SessionId(uuid_v7(moment, [0xff; 10])).made_at(), moment);
    }

    #[test]
    fn ids_sort_by_time() {
        let early = uuid_v7(Timestamp::from_millis(1_000), [0xff; 10]);
        let late = uuid_v7(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
