//! What is read without the committer: on one view, which shows every commit whole or not at all; or on several, one
//! after the other, where the way may be long.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::keys::{
    AssigneeKey, ConsentKey, CustomerOrderKey, DeliveryDueKey, DeliveryKey, EndpointKey, FailedTurnKey,
    Family, HeldKey, HoldKey, InboxKey, LaneKey, LookKey, OpenTurnKey, Part, PauseKey, QueueKey, ReadyKey,
    SessionOfKey, SilentKey, TagKey, TokenHashKey, TokenKey, TopicKey, Word, WordKey,
};
use super::kv::{Direction, KeyRange, Kv};
use super::tables::{Tables, read_entry};
use super::walk::walk;
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::{Event, Subject};
use crate::domain::ids::{CustomerId, MessageId, SessionId};
use crate::domain::message::{Lane, Message, Priority};
use crate::domain::pause::Pause;
use crate::domain::search::Query;
use crate::domain::session::{InboxQueue, Session};
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::apply::missing;
use crate::store::cursors::{
    self, CustomersAt, DeliveriesAt, FailedTurnsAt, HeldAt, InboxAt, MessagesAt, Position, SessionsAt,
};
use crate::store::{
    AssigneeFilter, Counts, DueDeliveries, EventsError, Expand, Expanded, Head, InboxFilter, LaneHeads,
    ListError, Logged, Page, PageRequest, Silent, StoreError, Token,
};

/// What is gone through while a commit waits: a few milliseconds' work.
const KEYS_PER_VIEW: usize = 1_000;
/// The same, where each is read, too.
const SESSIONS_PER_VIEW: usize = 100;
const CUSTOMERS_PER_VIEW: usize = 100;
/// How many words with the same beginning are gone through.
const MOST_WORDS: usize = 10_000;

pub fn customers(tables: Tables<'_>, request: &PageRequest) -> Result<Page<Customer>, ListError> {
    let mut range = CustomerOrderKey::all();
    if let Some(CustomersAt { order }) = cursors::read(request)? {
        range.start = CustomerOrderKey { order: order.saturating_add(1) }.encode();
    }
    let rows = tables.entries(&range).map(|entry| {
        let (CustomerOrderKey { order }, id) = entry?;
        Ok((CustomersAt { order }, tables.customer(id)?.ok_or_else(|| missing("a customer"))?))
    });
    page(rows, request)
}

pub fn sessions_of(
    tables: Tables<'_>,
    customer: CustomerId,
    request: &PageRequest,
) -> Result<Page<Session>, ListError> {
    let mut range = SessionOfKey::within(&customer);
    if let Some(at) = cursors::read::<SessionsAt>(request)? {
        if at.customer != customer {
            return Err(ListError::InvalidCursor);
        }
        range.start = SessionOfKey { customer, order: at.order.saturating_add(1) }.encode();
    }
    let rows = tables.entries(&range).map(|entry| {
        let (SessionOfKey { customer, order }, id) = entry?;
        Ok((SessionsAt { customer, order }, session(tables, id)?))
    });
    page(rows, request)
}

pub fn messages_of(
    tables: Tables<'_>,
    session: SessionId,
    request: &PageRequest,
) -> Result<Page<Message>, ListError> {
    let before = match cursors::read::<MessagesAt>(request)? {
        Some(at) if at.session != session => return Err(ListError::InvalidCursor),
        at => at.map_or(u64::MAX, |at| at.place),
    };
    if tables.is_gone(session)? {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let rows = tables.said(session, 0..before).map(|message| {
        let message = message?;
        Ok((MessagesAt { session, place: message.place }, message))
    });
    page(rows, request)
}

pub fn held(tables: Tables<'_>, request: &PageRequest) -> Result<Page<Message>, ListError> {
    let mut range = HeldKey::all();
    if let Some(HeldAt { order }) = cursors::read(request)? {
        range.start = HeldKey { order: order.saturating_add(1) }.encode();
    }
    let rows = tables.entries::<HeldKey, MessageId>(&range).filter_map(|entry| {
        entry
            .and_then(|(HeldKey { order }, id)| {
                // One that is not there is of a conversation that is gone, and still to be cleared away.
                Ok(tables.message(id)?.map(|message| (HeldAt { order }, message)))
            })
            .transpose()
    });
    page(rows, request)
}

/// Goes through the inbox of the agent, else of the tag, else of the topic, else the whole; what else is asked for is
/// looked up in each session.
pub fn inbox(kv: &dyn Kv, filter: &InboxFilter, request: &PageRequest) -> Result<Page<Session>, ListError> {
    let after: Option<InboxAt> = cursors::read(request)?;
    let (range, session_of) = inbox_of(filter, after.as_ref());
    let mut rows: Vec<(InboxAt, Session)> = Vec::new();
    walk(kv, range, SESSIONS_PER_VIEW, |tables, key| {
        let session = session(tables, session_of(key)?)?;
        if filter.takes(&session) {
            // An earlier view may have shown it where it was before.
            rows.retain(|(_, seen)| seen.id != session.id);
            let place = session.inbox_place();
            rows.push((InboxAt { queue: place.queue, since: place.since, session: session.id }, session));
        }
        Ok(if rows.len() > request.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    page(rows.into_iter().map(Ok), request)
}

/// As many sessions on each view as have no more messages together than are gone through while a commit waits.
pub fn expand(
    kv: &dyn Kv,
    sessions: &[(SessionId, CustomerId)],
    what: Expand,
) -> Result<Vec<Expanded>, StoreError> {
    let per_view = (KEYS_PER_VIEW / (1 + what.messages)).clamp(1, SESSIONS_PER_VIEW);
    let mut expanded = Vec::with_capacity(sessions.len());
    for some in sessions.chunks(per_view) {
        let view = kv.begin()?;
        let tables = Tables::new(&*view);
        for &(session, customer) in some {
            let customer = if what.customer { tables.customer(customer)? } else { None };
            expanded.push(Expanded { customer, messages: newest_messages(tables, session, what.messages)? });
        }
    }
    Ok(expanded)
}

fn newest_messages(tables: Tables<'_>, session: SessionId, limit: usize) -> Result<Vec<Message>, StoreError> {
    if limit == 0 || tables.is_gone(session)? {
        return Ok(Vec::new());
    }
    tables.said(session, 0..u64::MAX).take(limit).collect()
}

/// The keys to go through, and whose session each of them is.
fn inbox_of(filter: &InboxFilter, after: Option<&InboxAt>) -> (KeyRange, SessionOf) {
    let queues = filter.need_attention;
    if let Some(AssigneeFilter::Agent(name)) = &filter.assignee {
        let range = inbox_range::<AssigneeKey>(&tag_prefix(name), queues, after);
        return (range, |key| Ok(AssigneeKey::decode(key)?.session));
    }
    match (&filter.tag, &filter.topic) {
        (Some(tag), _) => {
            (inbox_range::<TagKey>(&tag_prefix(tag), queues, after), |key| Ok(TagKey::decode(key)?.session))
        }
        (None, Some(topic)) => {
            let range = inbox_range::<TopicKey>(&tag_prefix(topic), queues, after);
            (range, |key| Ok(TopicKey::decode(key)?.session))
        }
        (None, None) => {
            (inbox_range::<InboxKey>(&[], queues, after), |key| Ok(InboxKey::decode(key)?.session))
        }
    }
}

type SessionOf = fn(&[u8]) -> Result<SessionId, StoreError>;

fn tag_prefix(label: &String) -> Vec<u8> {
    let mut prefix = Vec::new();
    label.write(&mut prefix);
    prefix
}

/// What an inbox has, in the queues asked for, after a position.
fn inbox_range<F: Family>(label: &[u8], need_attention: Option<bool>, after: Option<&InboxAt>) -> KeyRange {
    let key = |rest: &dyn Fn(&mut Vec<u8>)| {
        let mut key = [&[F::TABLE], label].concat();
        rest(&mut key);
        key
    };
    let (first, last) = match need_attention {
        None => (InboxQueue::Waiting, InboxQueue::WithBot),
        Some(true) => (InboxQueue::Waiting, InboxQueue::Answered),
        Some(false) => (InboxQueue::WithBot, InboxQueue::WithBot),
    };
    let mut start = key(&|key| first.write(key));
    if let Some(&InboxAt { queue, since, session }) = after {
        let mut at = key(&|key| (queue, since, session).write(key));
        // Just after it.
        at.push(0);
        start = start.max(at);
    }
    KeyRange { start, end: super::keys::after_prefix(&key(&|key| last.write(key))) }
}

fn session(tables: Tables<'_>, id: SessionId) -> Result<Session, StoreError> {
    tables.session(id)?.ok_or_else(|| missing("a session"))
}

fn page<T, P: Position>(
    rows: impl Iterator<Item = Result<(P, T), StoreError>>,
    request: &PageRequest,
) -> Result<Page<T>, ListError> {
    let mut rows: Vec<(P, T)> = rows.take(request.limit.saturating_add(1)).collect::<Result<_, _>>()?;
    let more = rows.len() > request.limit;
    rows.truncate(request.limit);
    let next = rows.last().filter(|_| more).map(|(position, _)| cursors::write(position));
    Ok(Page { items: rows.into_iter().map(|(_, item)| item).collect(), next })
}

/// Goes through the words that begin so.
pub fn search_customers(kv: &dyn Kv, query: &Query, limit: usize) -> Result<Vec<Customer>, StoreError> {
    let mut found: BTreeMap<CustomerId, (Word, Customer)> = BTreeMap::new();
    for beginning in query.beginnings().into_iter().map(Word) {
        let mut start = vec![WordKey::TABLE];
        start.extend_from_slice(beginning.beginning());
        let range = KeyRange { end: super::keys::after_prefix(&start), start };
        let (mut left, mut words) = (limit, MOST_WORDS);
        walk(kv, range, CUSTOMERS_PER_VIEW, |tables, key| {
            if left == 0 || words == 0 {
                return Ok(ControlFlow::Break(()));
            }
            words -= 1;
            let WordKey { word, customer } = WordKey::decode(key)?;
            if found.get(&customer).is_some_and(|(first, _)| first.0 <= word.0) {
                return Ok(ControlFlow::Continue(()));
            }
            let customer = tables.customer(customer)?.ok_or_else(|| missing("a customer"))?;
            if query.finds(&customer) {
                left -= 1;
                found.insert(customer.id, (word, customer));
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|(word, one), (other, two)| (&word.0, one.id).cmp(&(&other.0, two.id)));
    Ok(found.into_iter().take(limit).map(|(_, customer)| customer).collect())
}

pub fn failed_turns(tables: Tables<'_>, request: &PageRequest) -> Result<Page<Turn>, ListError> {
    let mut range = FailedTurnKey::all();
    if let Some(FailedTurnsAt { order }) = cursors::read(request)? {
        range.end = FailedTurnKey { order }.encode();
    }
    let rows = tables.scan(&range, Direction::Reverse).filter_map(|pair| {
        pair.and_then(|(key, value)| {
            let FailedTurnKey { order } = FailedTurnKey::decode(&key)?;
            // One that is not there is of a conversation that is gone, and still to be cleared away.
            Ok(tables.turn(read_entry(&value)?)?.map(|turn| (FailedTurnsAt { order }, turn)))
        })
        .transpose()
    });
    page(rows, request)
}

pub fn events(tables: Tables<'_>, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError> {
    let last = tables.last_event()?;
    if after > last {
        return Err(EventsError::Forgotten);
    }
    let mut events: Vec<Logged> = Vec::new();
    for event in tables.events_from(after + 1)?.take(limit) {
        let event = event?;
        if events.is_empty() && event.place != after + 1 {
            return Err(EventsError::Forgotten);
        }
        events.push(logged(tables, event)?);
    }
    Ok(events)
}

pub fn last_event(tables: Tables<'_>) -> Result<u64, StoreError> {
    tables.last_event()
}

pub fn event(tables: Tables<'_>, place: u64) -> Result<Option<Logged>, StoreError> {
    let event = tables.events_from(place)?.next().transpose()?.filter(|event| event.place == place);
    event.map(|event| logged(tables, event)).transpose()
}

fn logged(tables: Tables<'_>, event: Event) -> Result<Logged, StoreError> {
    let (mut customer, mut session, mut message) = (None, None, None);
    match event.what.subject() {
        Some(Subject::Customer(id)) => customer = tables.customer(id)?,
        Some(Subject::Session(id)) => session = tables.session(id)?,
        Some(Subject::Message(id)) => message = tables.message(id)?,
        None => {}
    }
    Ok(Logged { event, customer, session, message })
}

pub fn endpoints(tables: Tables<'_>) -> Result<Vec<Endpoint>, StoreError> {
    let mut endpoints: Vec<Endpoint> = tables.records(&EndpointKey::all()).collect::<Result<_, _>>()?;
    endpoints.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(endpoints)
}

pub fn due_deliveries(
    tables: Tables<'_>,
    endpoint: &str,
    now: Timestamp,
    limit: usize,
) -> Result<DueDeliveries, StoreError> {
    let name = endpoint.to_owned();
    let whole = DeliveryDueKey::within(&name);
    let later = DeliveryDueKey::within(&(name.clone(), next_moment(now))).start;
    let mut due = Vec::new();
    let due_range = KeyRange { start: whole.start, end: later.clone() };
    for entry in tables.entries::<DeliveryDueKey, ()>(&due_range).take(limit) {
        let (DeliveryDueKey { place, .. }, ()) = entry?;
        let delivery = tables.record(&DeliveryKey { endpoint: name.clone(), place })?;
        due.push(delivery.ok_or_else(|| missing("a delivery"))?);
    }
    let later = KeyRange { start: later, end: whole.end };
    let next = tables.entries::<DeliveryDueKey, ()>(&later).next().transpose()?;
    Ok(DueDeliveries { due, next_at: next.map(|(key, ())| key.next_at) })
}

pub fn deliveries(
    tables: Tables<'_>,
    endpoint: &str,
    request: &PageRequest,
) -> Result<Page<Delivery>, ListError> {
    let name = endpoint.to_owned();
    let mut range = DeliveryKey::within(&name);
    if let Some(at) = cursors::read::<DeliveriesAt>(request)? {
        if at.endpoint != name {
            return Err(ListError::InvalidCursor);
        }
        range.start = DeliveryKey { endpoint: name, place: at.place.saturating_add(1) }.encode();
    }
    let rows = tables.records::<Delivery>(&range).map(|delivery| {
        let delivery = delivery?;
        let at = DeliveriesAt { endpoint: delivery.endpoint.clone(), place: delivery.place };
        Ok((at, delivery))
    });
    page(rows, request)
}

pub fn lane_heads(
    tables: Tables<'_>,
    lane: &Lane,
    now: Timestamp,
    limit: usize,
) -> Result<LaneHeads, StoreError> {
    let mut heads = LaneHeads::default();
    for priority in Priority::ALL {
        let whole = ReadyKey::within(&(lane.clone(), priority));
        let later = ReadyKey::within(&(lane.clone(), priority, next_moment(now))).start;
        let due = KeyRange { start: whole.start, end: later.clone() };
        let due = tables.entries::<ReadyKey, (MessageId, u32)>(&due).take(limit - heads.ready.len());
        for entry in due {
            let (_, (message_id, segments)) = entry?;
            heads.ready.push(Head { message_id, segments });
        }
        let later = KeyRange { start: later, end: whole.end };
        let next = tables.entries::<ReadyKey, (MessageId, u32)>(&later).next().transpose()?;
        let next_at = next.map(|(key, _)| key.ready_at);
        heads.next_at = heads.next_at.into_iter().chain(next_at).min();
    }
    Ok(heads)
}

pub fn pauses(tables: Tables<'_>, now: Timestamp) -> Result<Vec<Pause>, StoreError> {
    let pauses = tables.records::<Pause>(&PauseKey::all());
    let mut pauses = pauses
        .filter(|pause| pause.as_ref().map_or(true, |pause| pause.until > now))
        .collect::<Result<Vec<_>, _>>()?;
    pauses.sort_by(|one, other| one.scope.cmp(&other.scope));
    Ok(pauses)
}

pub fn busy_lanes(tables: Tables<'_>) -> Result<Vec<Lane>, StoreError> {
    tables.entries::<LaneKey, u64>(&LaneKey::all()).map(|entry| Ok(entry?.0.lane)).collect()
}

/// The longest due first; at most `limit` of each channel are read.
pub fn unknown_due(tables: Tables<'_>, now: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
    let mut due = Vec::new();
    for channel in tables.channels::<LookKey>(|key| key.channel)? {
        let until = LookKey::within(&(channel.clone(), next_moment(now))).start;
        let range = KeyRange { start: LookKey::within(&channel).start, end: until };
        for entry in tables.entries::<LookKey, MessageId>(&range).take(limit) {
            let (key, id) = entry?;
            due.push(((key.look_at, key.order), unknown(tables, id)?));
        }
    }
    Ok(in_order(due))
}

/// The longest waited for first; at most `limit` of each channel are read.
pub fn holding(tables: Tables<'_>, until: Timestamp, limit: usize) -> Result<Vec<Message>, StoreError> {
    let mut holding = Vec::new();
    for channel in tables.channels::<HoldKey>(|key| key.channel)? {
        let end = HoldKey::within(&(channel.clone(), next_moment(until))).start;
        let range = KeyRange { start: HoldKey::within(&channel).start, end };
        for entry in tables.entries::<HoldKey, MessageId>(&range).take(limit) {
            let (key, id) = entry?;
            holding.push(((key.since, key.order), unknown(tables, id)?));
        }
    }
    Ok(in_order(holding))
}

fn unknown(tables: Tables<'_>, id: MessageId) -> Result<Message, StoreError> {
    tables.message(id)?.ok_or_else(|| missing("a message of unknown fate"))
}

/// The longest silent first; at most `limit` of each channel are read, beside those that are to be cleared away.
pub fn silent(tables: Tables<'_>, filter: Silent, limit: usize) -> Result<Vec<Message>, StoreError> {
    let Silent { asks, from, until } = filter;
    let mut silent = Vec::new();
    for channel in tables.channels::<SilentKey>(|key| key.channel)? {
        let range = KeyRange {
            start: SilentKey::within(&(channel.clone(), asks, from)).start,
            end: SilentKey::within(&(channel, asks, next_moment(until))).start,
        };
        let mut left = limit;
        for entry in tables.entries::<SilentKey, MessageId>(&range) {
            if left == 0 {
                break;
            }
            let (key, id) = entry?;
            // One that is not there is of a conversation that is gone, and still to be cleared away.
            if let Some(message) = tables.message(id)? {
                silent.push(((key.since, key.order), message));
                left -= 1;
            }
        }
    }
    Ok(in_order(silent))
}

fn in_order<P: Ord>(mut messages: Vec<(P, Message)>) -> Vec<Message> {
    messages.sort_by(|(one, _), (other, _)| one.cmp(other));
    messages.into_iter().map(|(_, message)| message).collect()
}

fn next_moment(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(1))
}

pub fn consent_log(tables: Tables<'_>, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError> {
    tables.records(&ConsentKey::within(&number)).collect()
}

pub fn token_by_hash(tables: Tables<'_>, sha256: [u8; 32]) -> Result<Option<Token>, StoreError> {
    let Some(id) = tables.entry(&TokenHashKey { sha256 })? else { return Ok(None) };
    Ok(tables.token(id)?.filter(|token| token.revoked_at.is_none()))
}

pub fn tokens(tables: Tables<'_>) -> Result<Vec<Token>, StoreError> {
    tables.records(&TokenKey::all()).collect()
}

/// Counts what is under way: these tables hold no more than that.
pub fn counts(kv: &dyn Kv) -> Result<Counts, StoreError> {
    let count = |range: KeyRange| {
        let mut count = 0u64;
        walk(kv, range, KEYS_PER_VIEW, |_, _| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok::<_, StoreError>(count)
    };
    let held = count(HeldKey::all())?;
    Ok(Counts {
        queued: count(QueueKey::all())?,
        unknown: count(LookKey::all())? + held,
        held,
        sessions_waiting: count(InboxKey::within(&InboxQueue::Waiting))?,
        turns_open: count(OpenTurnKey::all())?,
    })
}

#[cfg(test)]
mod tests;
