//! All families of keys. One tree holds everything; the first byte of a key says which table it belongs to.
//! Owns how keys are written, read and ranged over; what stands under them is [`super::tables`]' business.

use super::kv::{Key, KeyRange};
use crate::domain::customer::NumberHash;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TokenId, TurnId};
use crate::domain::message::{Lane, Priority};
use crate::domain::session::InboxQueue;
use crate::domain::time::Timestamp;
use crate::store::StoreError;

pub use crate::store::part::{Part, Word};

/// One table's keys.
pub trait Family: Sized {
    const TABLE: u8;

    fn write(&self, key: &mut Vec<u8>);
    fn read(key: &mut &[u8]) -> Option<Self>;

    fn encode(&self) -> Key {
        let mut key = begun(Self::TABLE);
        self.write(&mut key);
        key
    }

    fn decode(key: &[u8]) -> Result<Self, StoreError> {
        let unreadable = || StoreError::Corrupt(format!("a key of table {} cannot be read", Self::TABLE));
        let (&table, mut rest) = key.split_first().ok_or_else(unreadable)?;
        let decoded = Self::read(&mut rest).ok_or_else(unreadable)?;
        if table == Self::TABLE && rest.is_empty() { Ok(decoded) } else { Err(unreadable()) }
    }

    /// The whole table.
    fn all() -> KeyRange {
        KeyRange { start: vec![Self::TABLE], end: vec![Self::TABLE + 1] }
    }

    /// Every key that begins with these parts.
    fn within(parts: &impl Part) -> KeyRange {
        let mut start = begun(Self::TABLE);
        parts.write(&mut start);
        let end = after_prefix(&start);
        KeyRange { start, end }
    }
}

/// A key of that table, with as much room as most have.
fn begun(table: u8) -> Key {
    let mut key = Vec::with_capacity(64);
    key.push(table);
    key
}

/// The first key after all that begin with `prefix`.
pub fn after_prefix(prefix: &[u8]) -> Key {
    let mut end = prefix.to_vec();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    // A table's number is never 255, so that there is always a byte left to raise.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

macro_rules! families {
    ($($(#[$doc:meta])* $table:literal $name:ident { $($field:ident: $type:ty),* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $name { $(pub $field: $type),* }

            impl Family for $name {
                const TABLE: u8 = $table;

                fn write(&self, key: &mut Vec<u8>) {
                    $(self.$field.write(key);)*
                }

                fn read(key: &mut &[u8]) -> Option<Self> {
                    Some(Self { $($field: Part::read(key)?),* })
                }
            }
        )*

        #[cfg(test)]
        mod families_under_test {
            use super::*;
            use proptest::prelude::*;

            use super::tests::Sample;

            pub const TABLES: &[u8] = &[$($table),*];

            proptest! {
                $(
                    #[test]
                    #[expect(non_snake_case, reason = "named after the family")]
                    fn $name(($($field,)*) in ($(<$type as Sample>::any(),)*)) {
                        let key = $name { $($field),* };
                        prop_assert_eq!($name::decode(&key.encode()).unwrap(), key.clone());
                        prop_assert!($name::decode(&key.encode()[..key.encode().len() - 1]).is_err());
                        let all = $name::all();
                        prop_assert!(all.start < key.encode() && key.encode() < all.end);
                    }
                )*
            }
        }
    };
}

families! {
    /// A fact about the store as a whole, by its number in [`super::schema`].
    1 FactKey { fact: u8 }

    /// The customer's row.
    2 CustomerKey { customer: CustomerId }
    /// Whose number it is.
    3 CustomerNumberKey { number: String }
    /// Customers in the order of their creation.
    4 CustomerOrderKey { order: u64 }
    /// What is on record for a number, oldest first.
    5 ConsentKey { number: NumberHash, order: u64 }
    /// Numbers whose erased person had opted out.
    6 SuppressedKey { number: NumberHash }

    7 SessionKey { session: SessionId }
    /// A customer's sessions in the order of their creation.
    8 SessionOfKey { customer: CustomerId, order: u64 }
    /// The agents' inbox in its order.
    9 InboxKey { queue: InboxQueue, since: Timestamp, session: SessionId }
    /// The inbox of one tag.
    10 TagKey { tag: String, queue: InboxQueue, since: Timestamp, session: SessionId }
    /// The inbox of one topic.
    11 TopicKey { topic: String, queue: InboxQueue, since: Timestamp, session: SessionId }

    /// The message, where its session has it.
    12 MessageKey { session: SessionId, place: u64 }
    /// Where a message is.
    13 MessageAtKey { message: MessageId }
    /// The customers' texts by the provider's id: what makes a repeat a repeat. Outlives the message.
    14 InboundIdKey { channel: String, provider_id: String }
    /// Our texts by the provider's id. Apart from the customers', so that no provider's numbering of the one hides
    /// the other.
    15 OutboundIdKey { channel: String, provider_id: String }

    /// A customer's texts that are not settled, in the order in which they leave.
    16 QueueKey { customer: CustomerId, order: u64 }
    /// What may leave next: the first of each customer's queue, if it is `queued`.
    17 ReadyKey { lane: Lane, priority: Priority, ready_at: Timestamp, order: u64 }
    /// How many texts are `queued` in a lane.
    18 LaneKey { lane: Lane }
    /// Until when a `queued` text is worth sending.
    19 ExpiryKey { valid_until: Timestamp, order: u64 }
    /// Texts whose attempt is in hand.
    20 AttemptKey { message: MessageId }
    /// Texts of unknown fate that are looked for, by when.
    21 LookKey { channel: String, look_at: Timestamp, order: u64 }

    /// The turns that are still to be told or answered, in their session's order.
    22 OpenTurnKey { session: SessionId, place: u64 }
    /// The turns that are over.
    23 ClosedTurnKey { session: SessionId, place: u64 }
    /// Where a turn is.
    24 TurnAtKey { turn: TurnId }
    /// The first open turn of each session, if it is pending.
    25 DueTurnKey { due_at: Timestamp, order: u64 }
    /// Turns in somebody's hand.
    26 TurnInHandKey { turn: TurnId }

    27 IdempotencyKey { scope: String, key: String }
    28 IdempotencyAgeKey { at: Timestamp, scope: String, key: String }
    /// Receipts that came before their message's provider id, in the order of their coming.
    29 ParkedKey { channel: String, provider_id: String, order: u64 }
    30 ParkedAgeKey { at: Timestamp, order: u64, channel: String, provider_id: String }

    31 TokenKey { token: TokenId }
    32 TokenHashKey { sha256: [u8; 32] }

    /// Texts that the provider has taken and said nothing final of, by how often it was asked and since when it has them.
    33 SilentKey { channel: String, asks: u8, since: Timestamp, order: u64 }

    /// Texts of unknown fate that nobody looks for.
    34 HeldKey { order: u64 }
    /// Texts of unknown fate that hold their customers' queues, by since when.
    35 HoldKey { channel: String, since: Timestamp, order: u64 }

    /// What rests since the provider said so; without a sender, the channel's account.
    36 PauseKey { channel: String, sender: String }

    /// A customer's texts of unknown fate that hold their queue no more.
    37 DoubtKey { customer: CustomerId, order: u64 }

    /// The log of events, in runs: those that were written together stand under the place of the first of them.
    38 EventKey { place: u64 }

    /// A fact about the log of events: see [`LogKey::FORGOTTEN`].
    39 LogKey { fact: u8 }

    /// Conversations that are gone, while there is still something of them to be cleared away.
    40 RemainsKey { session: SessionId }

    /// Whom the events are told, and how far.
    41 EndpointKey { name: String }
    /// What an endpoint was told in vain.
    42 DeliveryKey { endpoint: String, place: u64 }
    /// When it is told again.
    43 DeliveryDueKey { endpoint: String, next_at: Timestamp, place: u64 }

    /// Sessions whose customers wait, by when somebody is to be reminded.
    44 AttentionKey { at: Timestamp, session: SessionId }
    /// The inbox of one agent.
    45 AssigneeKey { assignee: String, queue: InboxQueue, since: Timestamp, session: SessionId }
    /// Whose session a text is proposed for.
    46 SuggestionKey { suggestion: SuggestionId }
    /// Turns that were given up, and those whose answer was refused, in the order of queueing.
    47 FailedTurnKey { order: u64 }
    /// Customers by the words that lead to them.
    48 WordKey { word: Word, customer: CustomerId }
}

impl LogKey {
    /// Up to which place the log is forgotten, if any of it is.
    pub const FORGOTTEN: Self = Self { fact: 0 };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    /// Any value of a part's type.
    pub trait Sample: Sized + std::fmt::Debug {
        fn any() -> BoxedStrategy<Self>;
    }

    macro_rules! samples {
        ($($type:ty => $strategy:expr;)*) => {$(
            impl Sample for $type {
                fn any() -> BoxedStrategy<Self> {
                    $strategy.boxed()
                }
            }
        )*};
    }

    samples! {
        u8 => proptest::prelude::any::<u8>();
        u64 => proptest::prelude::any::<u64>();
        [u8; 32] => proptest::prelude::any::<[u8; 32]>();
        String => "\\PC{0,12}|\u{0}{1,3}";
        Timestamp => proptest::prelude::any::<i64>().prop_map(Timestamp::from_millis);
        NumberHash => proptest::prelude::any::<[u8; 32]>().prop_map(NumberHash);
        Lane => ("\\PC{0,6}", "\\PC{0,6}").prop_map(|(channel, sender)| Lane { channel, sender });
        Priority => proptest::sample::select(Priority::ALL.to_vec());
        InboxQueue => proptest::sample::select(vec![InboxQueue::Waiting, InboxQueue::Answered, InboxQueue::WithBot]);
        CustomerId => proptest::prelude::any::<u128>().prop_map(|id| CustomerId(Uuid::from_u128(id)));
        SessionId => proptest::prelude::any::<u128>().prop_map(|id| SessionId(Uuid::from_u128(id)));
        MessageId => proptest::prelude::any::<u128>().prop_map(|id| MessageId(Uuid::from_u128(id)));
        TurnId => proptest::prelude::any::<u128>().prop_map(|id| TurnId(Uuid::from_u128(id)));
        TokenId => proptest::prelude::any::<u128>().prop_map(|id| TokenId(Uuid::from_u128(id)));
        SuggestionId => proptest::prelude::any::<u128>().prop_map(|id| SuggestionId(Uuid::from_u128(id)));
        Word => "[^\u{0}]{0,12}".prop_map(Word);
    }

    #[test]
    fn every_table_has_a_number_of_its_own() {
        let tables = families_under_test::TABLES;
        assert!(tables.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(tables.iter().all(|table| *table < u8::MAX));
    }

    proptest! {
        #[test]
        fn the_inbox_sorts_by_queue_then_time_then_session(
            a in <(InboxQueue, Timestamp, u128)>::samples(), b in <(InboxQueue, Timestamp, u128)>::samples(),
        ) {
            let key = |(queue, since, session): (InboxQueue, Timestamp, u128)| {
                InboxKey { queue, since, session: SessionId(Uuid::from_u128(session)) }.encode()
            };
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn a_range_holds_its_own_tag_and_no_other(tag in String::any(), other in String::any(), since in Timestamp::any()) {
            let key = |tag: &str| TagKey {
                tag: tag.into(), queue: InboxQueue::Waiting, since, session: SessionId(Uuid::max()),
            }.encode();
            let range = TagKey::within(&tag);
            let holds = |key: &Key| range.start <= *key && *key < range.end;
            prop_assert!(holds(&key(&tag)));
            prop_assert_eq!(holds(&key(&other)), tag == other);
        }
    }

    trait Samples: Sized {
        fn samples() -> BoxedStrategy<Self>;
    }

    impl Samples for (InboxQueue, Timestamp, u128) {
        fn samples() -> BoxedStrategy<Self> {
            (InboxQueue::any(), Timestamp::any(), proptest::prelude::any::<u128>()).boxed()
        }
    }
}
