//! Goes through the whole store on a snapshot, table by table, and hands out its records. Never looks at a table that
//! it has left behind, so that the engine need not keep what stood there.

use async_trait::async_trait;

use super::codec;
use super::keys::{
    ConsentKey, CustomerKey, CustomerOrderKey, DeliveryKey, EndpointKey, EventKey, FactKey, Family,
    IdempotencyKey, InboundIdKey, MessageAtKey, MessageKey, OpenTurnKey, OutboundIdKey, ParkedKey, PauseKey,
    SessionKey, SessionOfKey, SuppressedKey, TokenKey, TurnAtKey, after_prefix,
};
use super::kv::{Direction, Key, KeyRange, Pair, Snapshot};
use super::schema;
use super::tables::{ParkedRow, Tables, TurnAt, read_entry};
use crate::domain::event::Event;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::message::Message;
use crate::store::StoreError;
use crate::store::apply::missing;
use crate::store::change::Remembered;
use crate::store::export::{Export, Record};

/// What is read on one view, while a commit may wait: a few milliseconds' work.
const RECORDS_PER_VIEW: usize = 250;

/// One kind of records: where they are found, and how.
struct Part {
    range: fn() -> KeyRange,
    /// The lowest key that any of this or a later part is read under.
    floor: fn() -> Key,
    read: Read,
}

/// What stands under a key.
enum Read {
    /// None for what remains of a conversation that is gone.
    Record(fn(Tables<'_>, Pair) -> Result<Option<Record>, StoreError>),
    Records(fn(Tables<'_>, Pair) -> Result<Vec<Record>, StoreError>),
}

/// In the order of [`Record`], which is also that of the tables.
const PARTS: [Part; 16] = [
    Part { range: the_mark, floor: start::<FactKey>, read: Read::Record(alive) },
    Part { range: CustomerOrderKey::all, floor: start::<CustomerKey>, read: Read::Record(customer) },
    Part { range: ConsentKey::all, floor: start::<ConsentKey>, read: Read::Record(consent) },
    Part { range: SuppressedKey::all, floor: start::<SuppressedKey>, read: Read::Record(suppression) },
    Part { range: SessionOfKey::all, floor: start::<SessionKey>, read: Read::Record(session) },
    Part { range: MessageKey::all, floor: start::<MessageKey>, read: Read::Record(message) },
    Part { range: InboundIdKey::all, floor: start::<MessageAtKey>, read: Read::Record(inbound_id) },
    Part { range: OutboundIdKey::all, floor: start::<MessageAtKey>, read: Read::Record(outbound_id) },
    Part { range: TurnAtKey::all, floor: start::<OpenTurnKey>, read: Read::Record(turn) },
    Part { range: IdempotencyKey::all, floor: start::<IdempotencyKey>, read: Read::Record(idempotency_key) },
    Part { range: ParkedKey::all, floor: start::<ParkedKey>, read: Read::Record(parked_receipt) },
    Part { range: TokenKey::all, floor: start::<TokenKey>, read: Read::Record(token) },
    Part { range: PauseKey::all, floor: start::<PauseKey>, read: Read::Record(pause) },
    Part { range: EventKey::all, floor: start::<EventKey>, read: Read::Records(events) },
    Part { range: EndpointKey::all, floor: start::<EndpointKey>, read: Read::Record(endpoint) },
    Part { range: DeliveryKey::all, floor: start::<DeliveryKey>, read: Read::Record(delivery) },
];

fn start<F: Family>() -> Key {
    F::all().start
}

/// An export under way.
pub struct SnapshotExport {
    engine: &'static str,
    /// None while a part is being read, and after an error.
    way: Option<Way>,
}

struct Way {
    snapshot: Box<dyn Snapshot>,
    part: usize,
    /// What of the part is still to come.
    rest: Option<KeyRange>,
}

impl SnapshotExport {
    pub fn new(snapshot: Box<dyn Snapshot>) -> Self {
        Self { engine: snapshot.engine(), way: Some(Way { snapshot, part: 0, rest: None }) }
    }
}

#[async_trait]
impl Export for SnapshotExport {
    fn engine(&self) -> &'static str {
        self.engine
    }

    async fn next(&mut self) -> Result<Vec<Record>, StoreError> {
        let broken_off = || StoreError::Unavailable("the export broke off".into());
        let mut way = self.way.take().ok_or_else(broken_off)?;
        // It may have to wait for the disk, or for a batch that is being applied.
        let read = tokio::task::spawn_blocking(move || way.next().map(|records| (way, records))).await;
        let (way, records) = read.map_err(|_| broken_off())??;
        self.way = Some(way);
        Ok(records)
    }
}

impl Way {
    fn next(&mut self) -> Result<Vec<Record>, StoreError> {
        while let Some(part) = PARTS.get(self.part) {
            let range = self.rest.take().unwrap_or_else(|| {
                self.snapshot.done_below(&(part.floor)());
                (part.range)()
            });
            let (records, last) = self.look(part, &range)?;
            match last {
                Some(mut last) => {
                    // Just after it.
                    last.push(0);
                    self.rest = Some(KeyRange { start: last, end: range.end });
                }
                None => self.part += 1,
            }
            if !records.is_empty() {
                return Ok(records);
            }
        }
        Ok(Vec::new())
    }

    /// One view's records, and the last key if there may be more after it.
    fn look(&self, part: &Part, range: &KeyRange) -> Result<(Vec<Record>, Option<Key>), StoreError> {
        let mut seen = Ok((Vec::new(), None));
        self.snapshot.look(&mut |view| seen = read(part, range, Tables::new(view)))?;
        seen
    }
}

fn read(part: &Part, range: &KeyRange, tables: Tables<'_>) -> Result<(Vec<Record>, Option<Key>), StoreError> {
    let (mut records, mut looked_at) = (Vec::new(), 0);
    for pair in tables.scan(range, Direction::Forward) {
        let pair = pair?;
        let key = pair.0.clone();
        match part.read {
            Read::Record(read) => records.extend(read(tables, pair)?),
            Read::Records(read) => records.extend(read(tables, pair)?),
        }
        looked_at += 1;
        if looked_at >= RECORDS_PER_VIEW {
            return Ok((records, Some(key)));
        }
    }
    Ok((records, None))
}

fn the_mark() -> KeyRange {
    let start = schema::alive_key().encode();
    KeyRange { end: after_prefix(&start), start }
}

fn alive(_: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Alive { alive: codec::decode(&value)? }))
}

fn customer(tables: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    let id: CustomerId = read_entry(&value)?;
    let row = tables.customer_row(id)?.ok_or_else(|| missing("a customer"))?;
    Ok(Some(Record::Customer { order: row.order, customer: Box::new(row.customer) }))
}

fn consent(_: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Consent { consent: codec::decode(&value)? }))
}

fn suppression(_: Tables<'_>, (key, _): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Suppression { number: SuppressedKey::decode(&key)?.number }))
}

fn session(tables: Tables<'_>, (key, value): Pair) -> Result<Option<Record>, StoreError> {
    let id: SessionId = read_entry(&value)?;
    let session = tables.session(id)?.ok_or_else(|| missing("a session"))?;
    Ok(Some(Record::Session { order: SessionOfKey::decode(&key)?.order, session: Box::new(session) }))
}

fn message(tables: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    let message: Message = codec::decode(&value)?;
    if tables.is_gone(message.session_id)? {
        return Ok(None);
    }
    let at = tables.message_at(message.id)?.ok_or_else(|| missing("a message's place"))?;
    Ok(Some(Record::Message { order: at.order, message: Box::new(message) }))
}

fn inbound_id(_: Tables<'_>, (key, value): Pair) -> Result<Option<Record>, StoreError> {
    let InboundIdKey { channel, provider_id } = InboundIdKey::decode(&key)?;
    Ok(Some(Record::InboundId { channel, provider_id, message_id: read_entry(&value)? }))
}

fn outbound_id(tables: Tables<'_>, (key, _): Pair) -> Result<Option<Record>, StoreError> {
    let OutboundIdKey { channel, provider_id } = OutboundIdKey::decode(&key)?;
    let message_id = tables.outbound_id(&channel, &provider_id)?;
    Ok(message_id.map(|message_id| Record::OutboundId { channel, provider_id, message_id }))
}

fn turn(tables: Tables<'_>, (key, value): Pair) -> Result<Option<Record>, StoreError> {
    let TurnAt { order, session, .. } = codec::decode(&value)?;
    if tables.is_gone(session)? {
        return Ok(None);
    }
    let turn = tables.turn(TurnAtKey::decode(&key)?.turn)?.ok_or_else(|| missing("a turn"))?;
    Ok(Some(Record::Turn { order, turn: Box::new(turn) }))
}

fn idempotency_key(tables: Tables<'_>, (key, value): Pair) -> Result<Option<Record>, StoreError> {
    let IdempotencyKey { scope, key } = IdempotencyKey::decode(&key)?;
    let Remembered { request, at, created } = codec::decode(&value)?;
    if let Some(session) = created.session_id()
        && tables.is_gone(session)?
    {
        return Ok(None);
    }
    Ok(Some(Record::IdempotencyKey { scope, key, request, at, created }))
}

fn parked_receipt(_: Tables<'_>, (key, value): Pair) -> Result<Option<Record>, StoreError> {
    let ParkedRow { receipt, at } = codec::decode(&value)?;
    Ok(Some(Record::ParkedReceipt { order: ParkedKey::decode(&key)?.order, at, receipt }))
}

fn token(_: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Token { token: codec::decode(&value)? }))
}

fn pause(_: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Pause { pause: codec::decode(&value)? }))
}

fn events(tables: Tables<'_>, (_, run): Pair) -> Result<Vec<Record>, StoreError> {
    let forgotten = tables.forgotten_events()?;
    let events = codec::decode_all::<Event>(&run)?.into_iter();
    Ok(events.filter(|event| event.place > forgotten).map(|event| Record::Event { event }).collect())
}

fn endpoint(_: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Endpoint { endpoint: codec::decode(&value)? }))
}

fn delivery(_: Tables<'_>, (_, value): Pair) -> Result<Option<Record>, StoreError> {
    Ok(Some(Record::Delivery { delivery: codec::decode(&value)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_needs_what_an_earlier_one_has_left_behind() {
        assert!(PARTS.iter().map(|part| (part.floor)()).is_sorted());
        assert!(PARTS.iter().all(|part| (part.floor)() <= (part.range)().start));
    }
}
