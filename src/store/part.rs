//! How the parts of a key are written, so that the bytes sort as the values do. Big-endian throughout; texts carry
//! their length first, so that no text is the beginning of another.

use uuid::Uuid;

use crate::domain::customer::NumberHash;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TokenId, TurnId};
use crate::domain::message::{Lane, Priority};
use crate::domain::session::InboxQueue;
use crate::domain::time::Timestamp;

/// One part of a key.
pub trait Part: Sized {
    fn write(&self, key: &mut Vec<u8>);
    /// Takes the part off the front; none if it is not there.
    fn read(key: &mut &[u8]) -> Option<Self>;
}

fn take<const N: usize>(key: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = key.split_first_chunk::<N>()?;
    *key = rest;
    Some(*taken)
}

/// Nothing: what stands under a key that says it all.
impl Part for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl Part for u8 {
    fn write(&self, key: &mut Vec<u8>) {
        key.push(*self);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        take::<1>(key).map(|[byte]| byte)
    }
}

impl Part for u32 {
    fn write(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(&self.to_be_bytes());
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        take(key).map(Self::from_be_bytes)
    }
}

impl Part for u64 {
    fn write(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(&self.to_be_bytes());
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        take(key).map(Self::from_be_bytes)
    }
}

impl<const N: usize> Part for [u8; N] {
    fn write(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(self);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        take(key)
    }
}

impl Part for String {
    fn write(&self, key: &mut Vec<u8>) {
        // No text of ours comes near four gigabytes.
        u32::try_from(self.len()).unwrap_or(u32::MAX).write(key);
        key.extend_from_slice(self.as_bytes());
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(u32::read(key)?).ok()?;
        let (text, rest) = key.split_at_checked(length)?;
        *key = rest;
        Self::from_utf8(text.to_vec()).ok()
    }
}

/// A word that is found by its beginning: written without its length, and ended by a NUL, which it must not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(pub String);

impl Word {
    /// What all keys begin with whose words begin with this one.
    pub fn beginning(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Part for Word {
    fn write(&self, key: &mut Vec<u8>) {
        key.extend_from_slice(self.0.as_bytes());
        key.push(0);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        let end = key.iter().position(|byte| *byte == 0)?;
        let (word, rest) = key.split_at_checked(end)?;
        *key = rest.get(1..)?;
        String::from_utf8(word.to_vec()).ok().map(Self)
    }
}

/// The sign bit turned over, moments before 1970 sort before those after.
impl Part for Timestamp {
    fn write(&self, key: &mut Vec<u8>) {
        (self.as_millis().cast_unsigned() ^ (1 << 63)).write(key);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        u64::read(key).map(|bits| Self::from_millis((bits ^ (1 << 63)).cast_signed()))
    }
}

impl Part for NumberHash {
    fn write(&self, key: &mut Vec<u8>) {
        self.0.write(key);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        Part::read(key).map(Self)
    }
}

impl Part for Lane {
    fn write(&self, key: &mut Vec<u8>) {
        self.channel.write(key);
        self.sender.write(key);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        Some(Self { channel: Part::read(key)?, sender: Part::read(key)? })
    }
}

impl Part for Priority {
    fn write(&self, key: &mut Vec<u8>) {
        key.push(*self as u8);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        let byte = u8::read(key)?;
        Self::ALL.into_iter().find(|priority| *priority as u8 == byte)
    }
}

impl Part for InboxQueue {
    fn write(&self, key: &mut Vec<u8>) {
        key.push(*self as u8);
    }

    fn read(key: &mut &[u8]) -> Option<Self> {
        let byte = u8::read(key)?;
        [Self::Waiting, Self::Answered, Self::WithBot].into_iter().find(|queue| *queue as u8 == byte)
    }
}

macro_rules! id_parts {
    ($($name:ident)*) => {$(
        impl Part for $name {
            fn write(&self, key: &mut Vec<u8>) {
                key.extend_from_slice(self.0.as_bytes());
            }

            fn read(key: &mut &[u8]) -> Option<Self> {
                take(key).map(|bytes| Self(Uuid::from_bytes(bytes)))
            }
        }
    )*};
}

id_parts! { CustomerId SessionId MessageId TurnId TokenId SuggestionId }

macro_rules! tuple_parts {
    ($(($($name:ident)*))*) => {$(
        #[expect(non_snake_case, reason = "the types' names are the variables'")]
        impl<$($name: Part),*> Part for ($($name,)*) {
            fn write(&self, key: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.write(key);)*
            }

            fn read(key: &mut &[u8]) -> Option<Self> {
                Some(($($name::read(key)?,)*))
            }
        }
    )*};
}

tuple_parts! { (A B) (A B C) (A B C D) }
