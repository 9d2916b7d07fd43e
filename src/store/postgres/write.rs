//! Writes what a batch has changed: one statement for each table and kind of change, all of them sent together with the
//! commit.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::client::{Failure, Writing};
use super::sql::{big, encode, text};
use super::working::{Change, CustomerRow, MessageRow, SessionRow, TurnRow, Working};
use crate::domain::customer::NumberHash;
use crate::domain::delivery::Status;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::message::{Message, Priority};
use crate::domain::search::words_of;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::change::IdempotencyName;

pub const COMMIT: &str = "COMMIT";

pub const ADD_CUSTOMERS: &str = "INSERT INTO customers (id, seq, number, key_scope, key_name, record)
    SELECT id, seq, number, key_scope, key_name, record::json
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
        AS v (id, seq, number, key_scope, key_name, record)";
pub const CHANGE_CUSTOMERS: &str = "UPDATE customers c SET record = v.record::json
    FROM unnest($1::uuid[], $2::text[]) AS v (id, record) WHERE c.id = v.id";
pub const ADD_WORDS: &str = "INSERT INTO customer_words (word, customer_id)
    SELECT word, customer_id FROM unnest($1::text[], $2::uuid[]) AS v (word, customer_id)";
pub const REMOVE_WORDS: &str = "DELETE FROM customer_words w
    USING unnest($1::text[], $2::uuid[]) AS v (word, customer_id)
    WHERE w.word = v.word AND w.customer_id = v.customer_id";
pub const ADD_CONSENT: &str = "INSERT INTO consent_log (number, seq, record)
    SELECT number, seq, record::json FROM unnest($1::bytea[], $2::bigint[], $3::text[]) AS v (number, seq, record)";
pub const REMOVE_SUPPRESSIONS: &str = "DELETE FROM suppressed_numbers WHERE number = ANY ($1::bytea[])";
pub const ADD_SESSIONS: &str = "INSERT INTO sessions
    (id, seq, customer_id, inbox, inbox_since, attend_at, assignee, tags, topics, last_message_at, record)
    SELECT id, seq, customer_id, inbox, inbox_since, attend_at, assignee,
        ARRAY(SELECT json_array_elements_text(tags::json)), ARRAY(SELECT json_array_elements_text(topics::json)),
        last_message_at, record::json
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::smallint[], $5::bigint[], $6::bigint[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::text[])
        AS v (id, seq, customer_id, inbox, inbox_since, attend_at, assignee, tags, topics, last_message_at, record)";
pub const CHANGE_SESSIONS: &str = "UPDATE sessions s SET inbox = v.inbox, inbox_since = v.inbox_since,
        attend_at = v.attend_at, assignee = v.assignee,
        tags = ARRAY(SELECT json_array_elements_text(v.tags::json)),
        topics = ARRAY(SELECT json_array_elements_text(v.topics::json)),
        last_message_at = v.last_message_at, record = v.record::json
    FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::text[])
        AS v (id, inbox, inbox_since, attend_at, assignee, tags, topics, last_message_at, record)
    WHERE s.id = v.id";
pub const ADD_SUGGESTIONS: &str = "INSERT INTO suggestions (id, session_id)
    SELECT id, session_id FROM unnest($1::uuid[], $2::uuid[]) AS v (id, session_id)";
pub const REMOVE_SUGGESTIONS: &str = "DELETE FROM suggestions WHERE id = ANY ($1::uuid[])";
pub const ADD_MESSAGES: &str = "INSERT INTO messages
    (id, session_id, place, customer_id, key_scope, key_name, channel, sender, priority,
     status, seq, segments, ready_at, valid_until, look_at, holds_since, asks, silent_since, owner,
     is_open, holds_queue, is_head, record)
    SELECT id, session_id, place, customer_id, key_scope, key_name, channel, sender, priority,
     status, seq, segments, ready_at, valid_until, look_at, holds_since, asks, silent_since, owner,
     is_open, holds_queue, is_head, record::json
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::smallint[], $10::text[], $11::bigint[], $12::integer[], $13::bigint[], $14::bigint[], $15::bigint[],
        $16::bigint[], $17::smallint[], $18::bigint[], $19::text[], $20::boolean[], $21::boolean[], $22::boolean[],
        $23::text[])
        AS v (id, session_id, place, customer_id, key_scope, key_name, channel, sender, priority,
     status, seq, segments, ready_at, valid_until, look_at, holds_since, asks, silent_since, owner,
     is_open, holds_queue, is_head, record)";
pub const CHANGE_MESSAGES: &str = "UPDATE messages m SET status = v.status, ready_at = v.ready_at,
        valid_until = v.valid_until, look_at = v.look_at, holds_since = v.holds_since, asks = v.asks,
        silent_since = v.silent_since, owner = v.owner, is_open = v.is_open, holds_queue = v.holds_queue,
        is_head = v.is_head, record = v.record::json
    FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[],
        $8::bigint[], $9::text[], $10::boolean[], $11::boolean[], $12::boolean[], $13::text[])
        AS v (id, status, ready_at, valid_until, look_at, holds_since, asks, silent_since, owner, is_open,
              holds_queue, is_head, record)
    WHERE m.id = v.id";
pub const ADD_INBOUND_IDS: &str = "INSERT INTO inbound_ids (provider_id, channel, message_id)
    SELECT provider_id, channel, message_id
    FROM unnest($1::text[], $2::text[], $3::uuid[]) AS v (provider_id, channel, message_id)";
pub const ADD_OUTBOUND_IDS: &str = "INSERT INTO outbound_ids (provider_id, channel, message_id)
    SELECT provider_id, channel, message_id
    FROM unnest($1::text[], $2::text[], $3::uuid[]) AS v (provider_id, channel, message_id)";
pub const CHANGE_OUTBOUND_IDS: &str = "UPDATE outbound_ids o SET message_id = v.message_id
    FROM unnest($1::text[], $2::text[], $3::uuid[]) AS v (provider_id, channel, message_id)
    WHERE o.provider_id = v.provider_id AND o.channel = v.channel";
pub const ADD_TURNS: &str = "INSERT INTO turns
    (id, seq, session_id, place, customer_id, due_at, owner, is_open, is_head, has_failed, record)
    SELECT id, seq, session_id, place, customer_id, due_at, owner, is_open, is_head, has_failed, record::json
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bigint[], $7::text[],
        $8::boolean[], $9::boolean[], $10::boolean[], $11::text[])
        AS v (id, seq, session_id, place, customer_id, due_at, owner, is_open, is_head, has_failed, record)";
pub const CHANGE_TURNS: &str = "UPDATE turns t SET due_at = v.due_at, owner = v.owner, is_open = v.is_open,
        is_head = v.is_head, has_failed = v.has_failed, record = v.record::json
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::boolean[], $5::boolean[], $6::boolean[], $7::text[])
        AS v (id, due_at, owner, is_open, is_head, has_failed, record)
    WHERE t.id = v.id";
pub const ADD_KEYS: &str = "INSERT INTO idempotency_keys (scope, name, at, customer_id, session_id, record)
    SELECT scope, name, at, customer_id, session_id, record::json
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[])
        AS v (scope, name, at, customer_id, session_id, record)";
pub const ADD_PARKED: &str = "WITH added AS (
        INSERT INTO parked_receipts (provider_id, channel, seq, at, record)
        SELECT provider_id, channel, seq, at, record::json
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
            AS v (provider_id, channel, seq, at, record)
        RETURNING 1)
    UPDATE counters SET value = value + (SELECT count(*) FROM added) WHERE name = 'parked'";
/// After what was parked, and after the ids that messages have got: an id that nothing is known by any more is forgotten.
pub const REMOVE_PARKED: &str = "WITH removed AS (
        DELETE FROM parked_receipts p
        USING unnest($1::text[], $2::text[], $3::bigint[]) AS v (provider_id, channel, seq)
        WHERE p.provider_id = v.provider_id AND p.channel = v.channel AND p.seq = v.seq
        RETURNING p.provider_id, p.channel),
    forgotten AS (
        DELETE FROM outbound_ids o
        USING (SELECT provider_id, channel, count(*) AS removed FROM removed GROUP BY 1, 2) r
        WHERE o.provider_id = r.provider_id AND o.channel = r.channel AND o.message_id IS NULL
            AND r.removed = (SELECT count(*) FROM parked_receipts p
                WHERE p.provider_id = o.provider_id AND p.channel = o.channel))
    UPDATE counters SET value = value - (SELECT count(*) FROM removed) WHERE name = 'parked'";
/// The places are given last, and whoever gives them holds up all others until it has committed: the order of the log is the
/// order of the commits, and it has no gaps.
pub const ADD_EVENTS: &str = "WITH head AS (
        UPDATE counters SET value = value + cardinality($1::bigint[]) WHERE name = 'events' RETURNING value)
    INSERT INTO events (place, at, record)
    SELECT head.value - cardinality($1::bigint[]) + v.number, v.at, v.record::json
    FROM head, unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS v (at, record, number)
    RETURNING place";

type Written<'w> = BoxFuture<'w, Result<(), Failure>>;
/// None where there is nothing for it to write.
type Statement<'w> = Option<Written<'w>>;

/// A statement with its columns, if the first of them has anything in it.
macro_rules! run {
    ($on:ident, $sql:ident, $first:expr $(, $column:expr)*) => {
        (!$first.is_empty()).then(|| {
            async move { $on.execute($sql, &[&$first $(, &$column)*]).await.map(drop) }.boxed()
        })
    };
}

/// Writes the changes and commits them. The place of the newest event, if there is a new one.
pub async fn write(on: &Writing, parts: &Parts) -> Result<Option<u64>, Failure> {
    let (at, told) = &parts.told;
    let events = async {
        if at.is_empty() {
            return Ok(Vec::new());
        }
        on.query(ADD_EVENTS, &[at, told]).await
    };
    let commit = on.batch(COMMIT);
    let ((), _, places, ()) = tokio::try_join!(biased; on.begin_to_write(), futures_util::future::try_join_all(parts.statements(on)), events, commit)?;
    let places = places.iter().map(|row| super::sql::column_of::<i64>(row, "place"));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    Ok(places.into_iter().max().map(super::sql::unbig).transpose()?)
}

/// Writes the changes, and neither commits nor tells of them.
pub async fn write_untold(on: &Writing, parts: &Parts) -> Result<(), Failure> {
    futures_util::future::try_join_all(parts.statements(on)).await?;
    Ok(())
}

/// Whether there is anything to write.
pub fn has_changes(working: &Working) -> bool {
    working.customers.changes().next().is_some()
        || working.suppressed.changes().next().is_some()
        || working.sessions.changes().next().is_some()
        || working.messages.changes().next().is_some()
        || working.turns.changes().next().is_some()
        || working.inbound_ids.changes().next().is_some()
        || working.outbound_ids.changes().next().is_some()
        || working.keys.changes().next().is_some()
        || working.parked.changes().next().is_some()
        || !working.consent.lines().is_empty()
        || !working.told.lines().is_empty()
}

/// What is to be written, column by column.
#[derive(Default)]
pub struct Parts {
    new_customers: Customers,
    customers: Customers,
    new_words: Words,
    old_words: Words,
    consent: (Vec<Vec<u8>>, Vec<i64>, Vec<String>),
    no_more_suppressed: Vec<Vec<u8>>,
    new_sessions: Sessions,
    sessions: Sessions,
    new_suggestions: (Vec<Uuid>, Vec<Uuid>),
    old_suggestions: Vec<Uuid>,
    new_messages: Messages,
    messages: Messages,
    inbound_ids: ProviderIds,
    new_outbound_ids: ProviderIds,
    outbound_ids: ProviderIds,
    new_turns: Turns,
    turns: Turns,
    keys: Remembered,
    parked: Parked,
    unparked: (Vec<String>, Vec<String>, Vec<i64>),
    told: (Vec<i64>, Vec<String>),
}

#[derive(Default)]
struct Customers {
    id: Vec<Uuid>,
    seq: Vec<i64>,
    number: Vec<Option<String>>,
    key: Keys,
    record: Vec<String>,
}

#[derive(Default)]
struct Keys {
    scope: Vec<Option<String>>,
    name: Vec<Option<String>>,
}

impl Keys {
    fn add(&mut self, key: Option<&IdempotencyName>) {
        self.scope.push(key.map(|(scope, _)| text(scope).into_owned()));
        self.name.push(key.map(|(_, name)| text(name).into_owned()));
    }
}

#[derive(Default)]
struct Words {
    word: Vec<String>,
    customer: Vec<Uuid>,
}

#[derive(Default)]
struct Sessions {
    id: Vec<Uuid>,
    seq: Vec<i64>,
    customer_id: Vec<Uuid>,
    inbox: Vec<i16>,
    inbox_since: Vec<i64>,
    attend_at: Vec<Option<i64>>,
    assignee: Vec<Option<String>>,
    tags: Vec<String>,
    topics: Vec<String>,
    last_message_at: Vec<i64>,
    record: Vec<String>,
}

#[derive(Default)]
struct Messages {
    id: Vec<Uuid>,
    session_id: Vec<Uuid>,
    place: Vec<i64>,
    customer_id: Vec<Uuid>,
    key: Keys,
    channel: Vec<Option<String>>,
    sender: Vec<Option<String>>,
    priority: Vec<Option<i16>>,
    status: Vec<&'static str>,
    seq: Vec<Option<i64>>,
    segments: Vec<Option<i32>>,
    ready_at: Vec<Option<i64>>,
    valid_until: Vec<Option<i64>>,
    look_at: Vec<Option<i64>>,
    holds_since: Vec<Option<i64>>,
    asks: Vec<Option<i16>>,
    silent_since: Vec<Option<i64>>,
    owner: Vec<Option<String>>,
    is_open: Vec<bool>,
    holds_queue: Vec<bool>,
    is_head: Vec<bool>,
    record: Vec<String>,
}

#[derive(Default)]
struct ProviderIds {
    provider_id: Vec<String>,
    channel: Vec<String>,
    message_id: Vec<Option<Uuid>>,
}

#[derive(Default)]
struct Turns {
    id: Vec<Uuid>,
    seq: Vec<i64>,
    session_id: Vec<Uuid>,
    place: Vec<i64>,
    customer_id: Vec<Uuid>,
    due_at: Vec<i64>,
    owner: Vec<Option<String>>,
    is_open: Vec<bool>,
    is_head: Vec<bool>,
    has_failed: Vec<bool>,
    record: Vec<String>,
}

#[derive(Default)]
struct Remembered {
    scope: Vec<String>,
    name: Vec<String>,
    at: Vec<i64>,
    customer_id: Vec<Uuid>,
    session_id: Vec<Option<Uuid>>,
    record: Vec<String>,
}

#[derive(Default)]
struct Parked {
    provider_id: Vec<String>,
    channel: Vec<String>,
    seq: Vec<i64>,
    at: Vec<i64>,
    record: Vec<String>,
}

impl Parts {
    pub fn of(working: &Working) -> Result<Self, StoreError> {
        let mut parts = Self::default();
        for change in working.customers.changes() {
            parts.take_customer(&change)?;
        }
        for (seq, record) in working.consent.lines() {
            parts.consent.0.push(record.number.0.to_vec());
            parts.consent.1.push(big(*seq));
            parts.consent.2.push(encode(record)?);
        }
        for Change { key: NumberHash(number), .. } in working.suppressed.changes() {
            parts.no_more_suppressed.push(number.to_vec());
        }
        for change in working.sessions.changes() {
            parts.take_session(&change)?;
        }
        for change in working.messages.changes() {
            parts.take_message(&change)?;
        }
        for change in working.inbound_ids.changes() {
            parts.inbound_ids.add(change.key, change.now.map(|id| id.0));
        }
        for change in working.outbound_ids.changes() {
            let ids =
                if change.stored.is_none() { &mut parts.new_outbound_ids } else { &mut parts.outbound_ids };
            ids.add(change.key, change.now.and_then(|message| message.map(|id| id.0)));
        }
        for change in working.turns.changes() {
            parts.take_turn(&change)?;
        }
        for Change { key: (scope, name), now, .. } in working.keys.changes() {
            let Some(remembered) = now else { continue };
            parts.keys.scope.push(text(scope).into_owned());
            parts.keys.name.push(text(name).into_owned());
            parts.keys.at.push(remembered.at.as_millis());
            parts.keys.customer_id.push(remembered.created.customer_id().0);
            parts.keys.session_id.push(remembered.created.session_id().map(|id| id.0));
            parts.keys.record.push(encode(remembered)?);
        }
        for change in working.parked.changes() {
            parts.take_parked(&change)?;
        }
        for (at, what) in working.told.lines() {
            parts.told.0.push(at.as_millis());
            parts.told.1.push(encode(what)?);
        }
        Ok(parts)
    }

    fn take_customer(&mut self, change: &Change<'_, CustomerId, CustomerRow>) -> Result<(), StoreError> {
        let words = |row: Option<&CustomerRow>| row.map(|row| words_of(&row.customer)).unwrap_or_default();
        let (before, after) = (words(change.stored), words(change.now));
        before.difference(&after).for_each(|word| self.old_words.add(word, *change.key));
        after.difference(&before).for_each(|word| self.new_words.add(word, *change.key));
        let Some(row) = change.now else { return Ok(()) };
        let customers = if change.stored.is_none() { &mut self.new_customers } else { &mut self.customers };
        customers.id.push(row.customer.id.0);
        customers.seq.push(big(row.seq));
        customers.number.push(row.customer.address().map(|number| text(number.as_str()).into_owned()));
        customers.key.add(row.key.as_ref());
        customers.record.push(encode(&row.customer)?);
        Ok(())
    }

    fn take_session(&mut self, change: &Change<'_, SessionId, SessionRow>) -> Result<(), StoreError> {
        let proposed = |row: Option<&SessionRow>| -> BTreeSet<SuggestionId> {
            row.iter().flat_map(|row| &row.session.suggestions).map(|text| text.id).collect()
        };
        let (before, after) = (proposed(change.stored), proposed(change.now));
        self.old_suggestions.extend(before.difference(&after).map(|id| id.0));
        for id in after.difference(&before) {
            self.new_suggestions.0.push(id.0);
            self.new_suggestions.1.push(change.key.0);
        }
        let Some(row) = change.now else { return Ok(()) };
        let sessions = if change.stored.is_none() { &mut self.new_sessions } else { &mut self.sessions };
        sessions.add(row.seq, &row.session)
    }

    fn take_message(&mut self, change: &Change<'_, MessageId, MessageRow>) -> Result<(), StoreError> {
        let Some(row) = change.now else { return Ok(()) };
        let messages = if change.stored.is_none() { &mut self.new_messages } else { &mut self.messages };
        messages.add(row)
    }

    fn take_turn(&mut self, change: &Change<'_, TurnId, TurnRow>) -> Result<(), StoreError> {
        let Some(row) = change.now else { return Ok(()) };
        let turns = if change.stored.is_none() { &mut self.new_turns } else { &mut self.turns };
        turns.add(row)
    }

    fn take_parked(
        &mut self,
        change: &Change<'_, (String, String), Vec<crate::store::apply::Parked>>,
    ) -> Result<(), StoreError> {
        let (provider_id, channel) = change.key;
        let by_order = |parked: Option<&Vec<crate::store::apply::Parked>>| -> BTreeMap<u64, _> {
            parked.into_iter().flatten().cloned().map(|parked| (parked.order, parked)).collect()
        };
        let (before, after) = (by_order(change.stored), by_order(change.now));
        for order in before.keys().filter(|order| !after.contains_key(order)) {
            self.unparked.0.push(text(provider_id).into_owned());
            self.unparked.1.push(text(channel).into_owned());
            self.unparked.2.push(big(*order));
        }
        for (order, parked) in after.iter().filter(|(order, _)| !before.contains_key(order)) {
            self.parked.provider_id.push(text(provider_id).into_owned());
            self.parked.channel.push(text(channel).into_owned());
            self.parked.seq.push(big(*order));
            self.parked.at.push(parked.at.as_millis());
            self.parked.record.push(encode(&parked.receipt)?);
        }
        Ok(())
    }

    /// The statements that have something to do. Each is sent when it is first polled.
    fn statements<'w>(&'w self, on: &'w Writing) -> Vec<Written<'w>> {
        let customers = self.customers(on).into_iter().chain(self.consent(on));
        let sessions = self.sessions(on).into_iter().chain(self.messages(on));
        let all =
            customers.chain(sessions).chain(self.ids(on)).chain(self.turns(on)).chain(self.receipts(on));
        all.flatten().collect()
    }

    fn customers<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 4] {
        let (new, old) = (&self.new_customers, &self.customers);
        let (new_words, old_words) = (&self.new_words, &self.old_words);
        [
            run!(on, ADD_CUSTOMERS, new.id, new.seq, new.number, new.key.scope, new.key.name, new.record),
            run!(on, CHANGE_CUSTOMERS, old.id, old.record),
            run!(on, REMOVE_WORDS, old_words.word, old_words.customer),
            run!(on, ADD_WORDS, new_words.word, new_words.customer),
        ]
    }

    fn consent<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 2] {
        let (number, seq, record) = &self.consent;
        [
            run!(on, ADD_CONSENT, *number, *seq, *record),
            run!(on, REMOVE_SUPPRESSIONS, self.no_more_suppressed),
        ]
    }

    fn sessions<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 4] {
        let (new, old) = (&self.new_sessions, &self.sessions);
        let (proposed, proposed_for) = &self.new_suggestions;
        [
            run!(
                on,
                ADD_SESSIONS,
                new.id,
                new.seq,
                new.customer_id,
                new.inbox,
                new.inbox_since,
                new.attend_at,
                new.assignee,
                new.tags,
                new.topics,
                new.last_message_at,
                new.record
            ),
            run!(
                on,
                CHANGE_SESSIONS,
                old.id,
                old.inbox,
                old.inbox_since,
                old.attend_at,
                old.assignee,
                old.tags,
                old.topics,
                old.last_message_at,
                old.record
            ),
            run!(on, REMOVE_SUGGESTIONS, self.old_suggestions),
            run!(on, ADD_SUGGESTIONS, *proposed, *proposed_for),
        ]
    }

    fn messages<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 2] {
        let (new, old) = (&self.new_messages, &self.messages);
        [
            run!(
                on,
                ADD_MESSAGES,
                new.id,
                new.session_id,
                new.place,
                new.customer_id,
                new.key.scope,
                new.key.name,
                new.channel,
                new.sender,
                new.priority,
                new.status,
                new.seq,
                new.segments,
                new.ready_at,
                new.valid_until,
                new.look_at,
                new.holds_since,
                new.asks,
                new.silent_since,
                new.owner,
                new.is_open,
                new.holds_queue,
                new.is_head,
                new.record
            ),
            run!(
                on,
                CHANGE_MESSAGES,
                old.id,
                old.status,
                old.ready_at,
                old.valid_until,
                old.look_at,
                old.holds_since,
                old.asks,
                old.silent_since,
                old.owner,
                old.is_open,
                old.holds_queue,
                old.is_head,
                old.record
            ),
        ]
    }

    fn ids<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 3] {
        let (inbound, new, old) = (&self.inbound_ids, &self.new_outbound_ids, &self.outbound_ids);
        [
            run!(on, ADD_INBOUND_IDS, inbound.provider_id, inbound.channel, inbound.message_id),
            run!(on, ADD_OUTBOUND_IDS, new.provider_id, new.channel, new.message_id),
            run!(on, CHANGE_OUTBOUND_IDS, old.provider_id, old.channel, old.message_id),
        ]
    }

    fn turns<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 2] {
        let (new, old) = (&self.new_turns, &self.turns);
        [
            run!(
                on,
                ADD_TURNS,
                new.id,
                new.seq,
                new.session_id,
                new.place,
                new.customer_id,
                new.due_at,
                new.owner,
                new.is_open,
                new.is_head,
                new.has_failed,
                new.record
            ),
            run!(
                on,
                CHANGE_TURNS,
                old.id,
                old.due_at,
                old.owner,
                old.is_open,
                old.is_head,
                old.has_failed,
                old.record
            ),
        ]
    }

    fn receipts<'w>(&'w self, on: &'w Writing) -> [Statement<'w>; 3] {
        let (keys, parked) = (&self.keys, &self.parked);
        let (provider_id, channel, seq) = &self.unparked;
        [
            run!(
                on,
                ADD_KEYS,
                keys.scope,
                keys.name,
                keys.at,
                keys.customer_id,
                keys.session_id,
                keys.record
            ),
            run!(on, ADD_PARKED, parked.provider_id, parked.channel, parked.seq, parked.at, parked.record),
            run!(on, REMOVE_PARKED, *provider_id, *channel, *seq),
        ]
    }
}

impl Words {
    fn add(&mut self, word: &str, customer: CustomerId) {
        self.word.push(text(word).into_owned());
        self.customer.push(customer.0);
    }
}

impl Sessions {
    fn add(&mut self, seq: u64, session: &Session) -> Result<(), StoreError> {
        let labels = |labels: &[String]| encode(&labels.iter().map(|label| text(label)).collect::<Vec<_>>());
        let place = session.inbox_place();
        self.id.push(session.id.0);
        self.seq.push(big(seq));
        self.customer_id.push(session.customer_id.0);
        self.inbox.push(place.queue as i16);
        self.inbox_since.push(place.since.as_millis());
        self.attend_at.push(session.attend_at.map(Timestamp::as_millis));
        self.assignee.push(session.assignee.as_ref().map(|name| text(name).into_owned()));
        self.tags.push(labels(&session.tags)?);
        self.topics.push(labels(&session.topics)?);
        self.last_message_at.push(session.last_message_at.as_millis());
        self.record.push(encode(session)?);
        Ok(())
    }
}

impl Messages {
    fn add(&mut self, row: &MessageRow) -> Result<(), StoreError> {
        let MessageRow { seq, key, is_head, message } = row;
        let delivery = &message.delivery;
        let ours = |moment: Option<Timestamp>| moment.filter(|_| seq.is_some()).map(Timestamp::as_millis);
        self.id.push(message.id.0);
        self.session_id.push(message.session_id.0);
        self.place.push(big(message.place));
        self.customer_id.push(message.customer_id.0);
        self.key.add(key.as_ref());
        self.channel.push(seq.map(|_| text(&delivery.lane.channel).into_owned()));
        self.sender.push(seq.map(|_| text(&delivery.lane.sender).into_owned()));
        self.priority.push(seq.map(|_| Priority::of(&message.author) as i16));
        self.status.push(delivery.status.as_str());
        self.seq.push(seq.map(big));
        self.segments.push(seq.map(|_| i32::try_from(delivery.segmentation.segments).unwrap_or(i32::MAX)));
        self.ready_at.push(ours(Some(delivery.ready_at)));
        self.valid_until.push(ours(delivery.valid_until));
        self.look_at.push(ours(delivery.look_at));
        self.holds_since.push(ours(message.holds_since()));
        self.asks.push(seq.map(|_| i16::from(delivery.asks)));
        self.silent_since.push(ours(message.silent_since()));
        self.owner.push(owner(message));
        self.is_open.push(seq.is_some() && message.is_open());
        self.holds_queue.push(seq.is_some() && message.holds_queue());
        self.is_head.push(*is_head);
        self.record.push(encode(message)?);
        Ok(())
    }
}

fn owner(message: &Message) -> Option<String> {
    let sending = message.delivery.status == Status::Sending;
    message.delivery.owner.as_ref().filter(|_| sending).map(|owner| text(owner).into_owned())
}

impl ProviderIds {
    fn add(&mut self, (provider_id, channel): &(String, String), message_id: Option<Uuid>) {
        self.provider_id.push(text(provider_id).into_owned());
        self.channel.push(text(channel).into_owned());
        self.message_id.push(message_id);
    }
}

impl Turns {
    fn add(&mut self, TurnRow { seq, is_head, turn }: &TurnRow) -> Result<(), StoreError> {
        self.id.push(turn.id.0);
        self.seq.push(big(*seq));
        self.session_id.push(turn.session_id.0);
        self.place.push(big(turn.place));
        self.customer_id.push(turn.customer_id.0);
        self.due_at.push(turn.due_at.as_millis());
        self.owner.push(turn.owner().map(|owner| text(owner).into_owned()));
        self.is_open.push(turn.is_open());
        self.is_head.push(*is_head);
        self.has_failed.push(turn.has_failed());
        self.record.push(encode(turn)?);
        Ok(())
    }
}
