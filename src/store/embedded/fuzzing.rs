//! What must hold for any bytes that are taken for a record, a key or a cursor of ours: after a damaged disk, or from a
//! caller who made a cursor up. Each function is the body of a target in `fuzz/fuzz_targets`.

#![expect(clippy::missing_panics_doc, reason = "a target says by panicking what it has found")]

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{self, Family};
use super::tables::{CustomerRow, MessageAt, ParkedRow, TurnAt};
use super::{codec, tables};
use crate::domain::customer::ConsentRecord;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;
use crate::store::change::Remembered;
use crate::store::cursors::{self, CustomersAt, InboxAt, MessagesAt, Position, SessionsAt};
use crate::store::{Cursor, PageRequest, Token};

/// Whatever reads as a record is written as one that reads as the same.
pub fn records(data: &[u8]) {
    record::<Message>(data);
    record::<CustomerRow>(data);
    record::<Session>(data);
    record::<Turn>(data);
    record::<ConsentRecord>(data);
    record::<Token>(data);
    record::<Remembered>(data);
    record::<ParkedRow>(data);
    record::<MessageAt>(data);
    record::<TurnAt>(data);
}

fn record<T: DeserializeOwned + Serialize>(data: &[u8]) {
    let Ok(read) = codec::decode::<T>(data) else { return };
    let Ok(written) = codec::encode(&read) else { panic!("what was read cannot be written") };
    let again = codec::decode::<T>(&written).and_then(|again| codec::encode(&again));
    assert_eq!(again.ok(), Some(written), "a record changes by being kept");
}

/// Whatever reads as a key or an entry is written as the same bytes: no two spellings of one place.
pub fn keys(data: &[u8]) {
    key::<keys::FactKey>(data);
    key::<keys::CustomerNumberKey>(data);
    key::<keys::ConsentKey>(data);
    key::<keys::InboxKey>(data);
    key::<keys::TagKey>(data);
    key::<keys::MessageKey>(data);
    key::<keys::InboundIdKey>(data);
    key::<keys::ReadyKey>(data);
    key::<keys::LookKey>(data);
    key::<keys::HoldKey>(data);
    key::<keys::SilentKey>(data);
    key::<keys::IdempotencyAgeKey>(data);
    key::<keys::ParkedAgeKey>(data);
    key::<keys::TokenHashKey>(data);
    if let Ok(entry) = tables::read_entry::<(String, MessageId)>(data) {
        assert_eq!(tables::write_entry(&entry), data);
    }
}

fn key<F: Family>(data: &[u8]) {
    if let Ok(key) = F::decode(data) {
        assert_eq!(key.encode(), data, "one key, two spellings");
    }
}

/// A cursor is taken by the one list that could have made it.
pub fn cursor(data: &[u8]) {
    let taken = [
        position::<CustomersAt>(data),
        position::<SessionsAt>(data),
        position::<InboxAt>(data),
        position::<MessagesAt>(data),
    ];
    assert!(taken.iter().filter(|taken| **taken).count() <= 1, "two lists take the same cursor");
}

fn position<P: Position>(data: &[u8]) -> bool {
    let request = PageRequest { after: Some(Cursor(data.to_vec())), limit: 1 };
    let Ok(Some(position)) = cursors::read::<P>(&request) else { return false };
    assert_eq!(cursors::write(&position).0, data, "one place, two cursors");
    true
}

/// Whether a seed of `records` reads as the record that it is named after.
#[cfg(test)]
pub fn reads_as(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        "message" => codec::decode::<Message>(bytes).is_ok(),
        "customer" => codec::decode::<CustomerRow>(bytes).is_ok(),
        "session" => codec::decode::<Session>(bytes).is_ok(),
        "consent" => codec::decode::<ConsentRecord>(bytes).is_ok(),
        "message_at" => codec::decode::<MessageAt>(bytes).is_ok(),
        _ => false,
    }
}
