//! Locks whom a batch concerns, and loads what it wants to know: in as few round trips as that takes, since whoever waits
//! for a locked customer waits for them, too.
//!
//! Customers are locked in the order of their ids, in one statement, so that no two batches wait for each other. Whatever
//! is read of theirs is read after that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::try_join_all;
use tokio_postgres::Row;
use uuid::Uuid;

use super::client::{Failure, Writing};
use super::rows::{self, columns};
use super::sql::{big, column_of, count, record, text, unbig};
use super::working::{Bound, ProviderId, Want, Working};
use crate::domain::consent::LastWords;
use crate::domain::customer::{ConsentRecord, NumberHash};
use crate::domain::delivery::MAX_PARKED;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::time::Timestamp;
use crate::store::Rules;
use crate::store::apply::{Hand, Parked};
use crate::store::change::IdempotencyName;

/// How many numbers of the order of creation are given at a time: `INCREMENT BY` of the sequence.
const ORDERS_AT_A_TIME: u64 = 1024;
/// How many of the oldest parked receipts are known, where they may have to make room.
const OLDEST_PARKED: u64 = 300;

pub const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Whether the daemon of that name is gone: not in office, on a server that could have heard of it.
macro_rules! is_gone {
    ($name:literal) => {
        concat!(
            "NOT EXISTS (SELECT FROM daemons d WHERE d.name = ",
            $name,
            " AND (d.in_office_until > clock_timestamp() OR d.in_office_until > '-infinity'
                AND pg_postmaster_start_time() > clock_timestamp() - interval '10 seconds'))"
        )
    };
}
pub(super) use is_gone;

/// $1 customers, $2 numbers, $3 messages, $4 sessions, $5 turns, $6 providers' ids with $7 their channels; how many of: $8 due
/// turns, $9 sessions to be attended to, $10 overdue messages as of $11; $12 whose attempts, or those of all who are gone but
/// $13; $14 providers' ids of whatever channel; $15 and $16 as $12 and $13, of turns.
pub const LOCK: &str = concat!(
    "WITH wanted AS (
        SELECT unnest($1::uuid[]) AS id
        UNION SELECT id FROM customers WHERE number = ANY ($2::text[])
        UNION SELECT customer_id FROM messages WHERE id = ANY ($3::uuid[])
        UNION SELECT customer_id FROM sessions WHERE id = ANY ($4::uuid[])
        UNION SELECT customer_id FROM turns WHERE id = ANY ($5::uuid[])
        UNION SELECT m.customer_id FROM unnest($6::text[], $7::text[]) AS w (provider_id, channel)
            JOIN outbound_ids o USING (provider_id, channel) JOIN messages m ON m.id = o.message_id
        UNION (SELECT customer_id FROM turns WHERE is_head ORDER BY due_at, seq LIMIT $8)
        UNION (SELECT customer_id FROM sessions WHERE attend_at IS NOT NULL ORDER BY attend_at, id LIMIT $9)
        UNION (SELECT customer_id FROM messages WHERE status = 'queued' AND valid_until < $11
            ORDER BY valid_until, seq LIMIT $10)
        UNION SELECT customer_id FROM messages WHERE status = 'sending' AND (owner = ANY ($12::text[])
            OR $13::text[] IS NOT NULL AND owner <> ALL ($13) AND ",
    is_gone!("owner"),
    ")
        UNION SELECT customer_id FROM turns WHERE owner IS NOT NULL AND (owner = ANY ($15::text[])
            OR $16::text[] IS NOT NULL AND owner <> ALL ($16) AND ",
    is_gone!("owner"),
    ")
        UNION SELECT m.customer_id FROM outbound_ids o JOIN messages m ON m.id = o.message_id
            WHERE o.provider_id = ANY ($14::text[])
    )
    SELECT ",
    columns!(customers),
    " FROM customers c WHERE c.id IN (SELECT id FROM wanted) ORDER BY c.id FOR UPDATE"
);
pub const NEXT_ORDERS: &str = "SELECT nextval('orders') AS first FROM generate_series(1, $1::bigint)";
pub const NUMBER: &str = "UPDATE writers SET batch = $2, at = clock_timestamp() WHERE name = $1";

/// $1 the newest of these customers, $2 these, $3 those of these turns, $4 those of these customers' open turns.
pub const SESSIONS: &str = concat!(
    "SELECT ",
    columns!(sessions),
    " FROM sessions s WHERE s.id IN (
        SELECT n.id FROM unnest($1::uuid[]) AS w (customer_id), LATERAL (
            SELECT id FROM sessions WHERE customer_id = w.customer_id ORDER BY seq DESC LIMIT 1) n
        UNION SELECT unnest($2::uuid[])
        UNION SELECT session_id FROM turns WHERE id = ANY ($3::uuid[])
        UNION SELECT session_id FROM turns WHERE customer_id = ANY ($4::uuid[]) AND is_open)"
);
pub const OPEN_MESSAGES: &str = concat!(
    "SELECT ",
    columns!(messages),
    " FROM messages m WHERE m.customer_id = ANY ($1::uuid[]) AND m.is_open"
);
pub const MESSAGES: &str =
    concat!("SELECT ", columns!(messages), " FROM messages m WHERE m.id = ANY ($1::uuid[])");
pub const MESSAGES_OF_IDS: &str = concat!(
    "SELECT ",
    columns!(messages),
    " FROM messages m WHERE m.id IN (
        SELECT o.message_id FROM unnest($1::text[], $2::text[]) AS w (provider_id, channel)
            JOIN outbound_ids o USING (provider_id, channel)
        UNION SELECT message_id FROM outbound_ids WHERE provider_id = ANY ($3::text[]))"
);
pub const OPEN_TURNS: &str =
    concat!("SELECT ", columns!(turns), " FROM turns t WHERE t.customer_id = ANY ($1::uuid[]) AND t.is_open");
pub const TURNS: &str = concat!("SELECT ", columns!(turns), " FROM turns t WHERE t.id = ANY ($1::uuid[])");
pub const INBOUND_IDS: &str = "SELECT i.provider_id, i.channel, i.message_id
    FROM unnest($1::text[], $2::text[]) AS w (provider_id, channel)
    JOIN inbound_ids i USING (provider_id, channel)";
/// $1 with $2 their channels; $3 of whatever channel.
pub const OUTBOUND_IDS: &str = "SELECT o.provider_id, o.channel, o.message_id
    FROM (
        SELECT provider_id, channel FROM unnest($1::text[], $2::text[]) AS w (provider_id, channel)
        UNION SELECT provider_id, channel FROM outbound_ids WHERE provider_id = ANY ($3::text[])) w
    JOIN outbound_ids o USING (provider_id, channel) ORDER BY o.provider_id, o.channel FOR UPDATE OF o";
pub const PARKED: &str = concat!(
    "SELECT p.provider_id, p.channel, ",
    columns!(parked),
    " FROM unnest($1::text[], $2::text[]) AS w (provider_id, channel)
    JOIN parked_receipts p USING (provider_id, channel) ORDER BY p.seq"
);
pub const HOW_MANY_PARKED: &str = "SELECT value FROM counters WHERE name = 'parked'";
pub const OLDEST: &str =
    concat!("SELECT ", columns!(parked), " FROM parked_receipts p ORDER BY p.at, p.seq LIMIT $1");
pub const KEYS: &str = "SELECT k.scope, k.name, k.record::text AS record
    FROM unnest($1::text[], $2::text[]) AS w (scope, name) JOIN idempotency_keys k USING (scope, name)";
pub const SUPPRESSED: &str = "SELECT number FROM suppressed_numbers WHERE number = ANY ($1::bytea[])";
pub const CONSENT: &str = "SELECT number, record::text AS record FROM consent_log WHERE number = ANY ($1::bytea[]) ORDER BY number, seq";
pub const SAID: &str = concat!(
    "SELECT ",
    columns!(messages),
    " FROM messages m WHERE m.session_id = $1 AND m.place >= $2 AND m.place < $3 ORDER BY m.place DESC LIMIT $4"
);
pub const SUGGESTIONS: &str = "SELECT id, session_id FROM suggestions WHERE id = ANY ($1::uuid[])";
pub const DUE_TURNS: &str =
    "SELECT id, customer_id, due_at AS at, seq FROM turns WHERE is_head ORDER BY due_at, seq LIMIT $1";
pub const TO_BE_ATTENDED: &str = concat!(
    "SELECT s.customer_id, s.attend_at AS at, s.id, ",
    columns!(sessions),
    " FROM sessions s WHERE s.attend_at IS NOT NULL ORDER BY s.attend_at, s.id LIMIT $1"
);
pub const OVERDUE: &str = "SELECT customer_id, valid_until AS at, seq FROM messages
    WHERE status = 'queued' AND valid_until < $1 ORDER BY valid_until, seq LIMIT $2";
/// $1 of these, $2 of all who are gone but these.
pub const MESSAGES_IN: &str = concat!(
    "SELECT ",
    columns!(messages),
    " FROM messages m WHERE m.status = 'sending'
        AND (m.owner = ANY ($1::text[]) OR $2::text[] IS NOT NULL AND m.owner <> ALL ($2) AND ",
    is_gone!("m.owner"),
    ") ORDER BY m.id"
);
pub const TURNS_IN: &str = concat!(
    "SELECT ",
    columns!(turns),
    " FROM turns t WHERE t.owner IS NOT NULL
        AND (t.owner = ANY ($1::text[]) OR $2::text[] IS NOT NULL AND t.owner <> ALL ($2) AND ",
    is_gone!("t.owner"),
    ") ORDER BY t.id"
);
/// Who was never heard of is no daemon, but somebody who works by himself.
pub const OFFICE: &str = concat!(
    "SELECT o.name, NOT ",
    is_gone!("o.name"),
    " AS in_office FROM daemons o WHERE o.name = ANY ($1::text[])"
);

/// What was said in a session, from one place to before another, and how much of it.
type Said = (SessionId, u64, u64, usize);

/// What is wanted, by kind.
#[derive(Default)]
struct Asked {
    customers: Vec<Uuid>,
    numbers: Vec<String>,
    messages: Vec<Uuid>,
    sessions: Vec<Uuid>,
    turns: Vec<Uuid>,
    suggestions: Vec<Uuid>,
    inbound_ids: Pairs,
    outbound_ids: Pairs,
    /// Of all channels.
    provider_ids: Vec<String>,
    parked: Pairs,
    how_many_parked: bool,
    keys: Pairs,
    suppressions: BTreeSet<NumberHash>,
    last_words: BTreeSet<NumberHash>,
    said: Vec<Said>,
    due_turns: Option<usize>,
    to_be_attended: Option<usize>,
    overdue: BTreeMap<Timestamp, usize>,
    messages_in: Vec<Hand>,
    turns_in: Vec<Hand>,
    offices: Vec<String>,
    orders: usize,
}

/// Pairs of texts, apart.
#[derive(Default)]
struct Pairs {
    given: Vec<ProviderId>,
    first: Vec<String>,
    second: Vec<String>,
}

impl Pairs {
    fn add(&mut self, pair: &ProviderId) {
        self.first.push(text(&pair.0).into_owned());
        self.second.push(text(&pair.1).into_owned());
        self.given.push(pair.clone());
    }
}

impl Asked {
    fn of(wants: &BTreeSet<Want>) -> Self {
        let mut asked = Self::default();
        for want in wants {
            match want {
                Want::Customer(CustomerId(id)) => asked.customers.push(*id),
                Want::Number(number) => asked.numbers.push(number.clone()),
                Want::Session(SessionId(id)) => asked.sessions.push(*id),
                Want::Message(MessageId(id)) => asked.messages.push(*id),
                Want::Turn(TurnId(id)) => asked.turns.push(*id),
                Want::Suggestion(SuggestionId(id)) => asked.suggestions.push(*id),
                Want::InboundId(id) => asked.inbound_ids.add(id),
                Want::OutboundId(id) => asked.outbound_ids.add(id),
                Want::ProviderId(id) => asked.provider_ids.push(id.clone()),
                Want::Parked(id) => asked.parked.add(id),
                Want::HowManyParked => asked.how_many_parked = true,
                Want::Key(name) => asked.keys.add(name),
                Want::Suppression(number) => drop(asked.suppressions.insert(*number)),
                Want::LastWords(number) => drop(asked.last_words.insert(*number)),
                Want::Said(session, from, until, limit) => {
                    asked.said.push((*session, *from, *until, *limit));
                }
                Want::DueTurns(most) => asked.due_turns = asked.due_turns.max(Some(*most)),
                Want::ToBeAttended(most) => asked.to_be_attended = asked.to_be_attended.max(Some(*most)),
                Want::Overdue(now, most) => {
                    let before = asked.overdue.entry(*now).or_default();
                    *before = (*before).max(*most);
                }
                Want::MessagesIn(hand) => asked.messages_in.push(hand.clone()),
                Want::TurnsIn(hand) => asked.turns_in.push(hand.clone()),
                Want::Office(owner) => asked.offices.push(owner.clone()),
                Want::Orders(blocks) => asked.orders = asked.orders.max(*blocks),
            }
        }
        asked
    }
}

/// Locks whom these wants concern, and gives everything that is wanted.
pub async fn load(on: &Writing, rules: Arc<Rules>, wants: &BTreeSet<Want>) -> Result<Working, Failure> {
    let asked = Asked::of(wants);
    let mut working = Working::new(rules);
    lock(on, &asked, &mut working).await?;
    Box::pin(load_rows(on, &asked, &mut working)).await?;
    Ok(working)
}

/// Gives what else is wanted, and locks nobody more. Whether that was enough is told by [`Working::is_unlocked`].
pub async fn load_more(on: &Writing, working: &mut Working, wants: &BTreeSet<Want>) -> Result<(), Failure> {
    let asked = Asked::of(wants);
    if asked.orders > working.orders.len() {
        give_orders(working, &on.query(NEXT_ORDERS, &[&count(asked.orders - working.orders.len())]).await?)?;
    }
    Box::pin(load_rows(on, &asked, working)).await
}

async fn lock(on: &Writing, asked: &Asked, working: &mut Working) -> Result<(), Failure> {
    let (due_turns, to_be_attended) = (or_none(asked.due_turns), or_none(asked.to_be_attended));
    let overdue = asked.overdue.values().max().copied().map_or(0, count);
    let overdue_at = asked.overdue.keys().max().map_or(i64::MIN, |now| now.as_millis());
    let orders = count(asked.orders.max(1));
    let of_all_channels = escaped(&asked.provider_ids);
    let (messages_of, messages_gone_but) = hands(&asked.messages_in);
    let (turns_of, turns_gone_but) = hands(&asked.turns_in);
    let lock: [&(dyn tokio_postgres::types::ToSql + Sync); 16] = [
        &asked.customers,
        &asked.numbers,
        &asked.messages,
        &asked.sessions,
        &asked.turns,
        &asked.outbound_ids.first,
        &asked.outbound_ids.second,
        &due_turns,
        &to_be_attended,
        &overdue,
        &overdue_at,
        &messages_of,
        &messages_gone_but,
        &of_all_channels,
        &turns_of,
        &turns_gone_but,
    ];
    // In this order on the wire: what is read, and what is numbered, comes after the locks.
    let ((), customers, orders, ()) = tokio::try_join!(
        biased;
        on.begin(),
        async { on.query(LOCK, &lock).await },
        async { on.query(NEXT_ORDERS, &[&orders]).await },
        on.number(),
    )?;
    for row in &customers {
        let row = rows::customer(row)?;
        working.locked.insert(row.customer.id);
        working.load_customer(row);
    }
    for id in &asked.customers {
        working.customers.load(CustomerId(*id), None);
    }
    for number in &asked.numbers {
        working.numbers.load(number.clone(), None);
    }
    give_orders(working, &orders)
}

/// Whose hands, and those who are not gone where all who are gone are asked for: none is nobody, so that a null asks for none.
fn hands(hands: &[Hand]) -> (Vec<String>, Option<Vec<String>>) {
    let (mut of, mut gone_but): (Vec<String>, Option<Vec<String>>) = (Vec::new(), None);
    for hand in hands {
        match hand {
            Hand::Of(owner) => of.push(owner.clone()),
            // Whom only one of them leaves out is asked for by the others.
            Hand::GoneBut(owner) => {
                let mut but = gone_but.take().unwrap_or_else(|| vec![owner.clone()]);
                but.retain(|other| other == owner);
                gone_but = Some(but);
            }
        }
    }
    (of, gone_but)
}

fn or_none(most: Option<usize>) -> i64 {
    most.map_or(0, count)
}

fn give_orders(working: &mut Working, rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        let first = unbig(column_of(row, "first")?)?;
        working.orders.push(first..first + ORDERS_AT_A_TIME);
    }
    Ok(())
}

async fn load_rows(on: &Writing, asked: &Asked, working: &mut Working) -> Result<(), Failure> {
    let locked: Vec<Uuid> = working.locked.iter().map(|id| id.0).collect();
    let about_turns = !asked.turns.is_empty() || asked.due_turns.is_some() || !asked.turns_in.is_empty();
    let with_turns: &[Uuid] = if about_turns { &locked } else { &[] };
    // Providers' ids are locked before the messages are read that they lead to.
    let (ids, sessions, messages, turns, lists) = tokio::try_join!(
        biased;
        ids(on, asked),
        sessions(on, asked, &locked, with_turns),
        messages(on, asked, &locked),
        turns(on, asked, &locked),
        lists(on, asked),
    )?;
    for row in &sessions {
        working.load_session(rows::session(row)?);
    }
    for row in &messages {
        working.load_message(rows::message(row)?);
    }
    for row in &turns {
        working.load_turn(rows::turn(row)?);
    }
    take_ids(asked, &ids, working)?;
    take_lists(asked, &lists, working)?;
    for id in &asked.sessions {
        working.sessions.load(SessionId(*id), None);
    }
    for id in &asked.turns {
        working.turns.load(TurnId(*id), None);
    }
    if about_turns {
        load_what_turns_name(on, asked, working).await?;
    }
    for id in &asked.messages {
        working.messages.load(MessageId(*id), None);
    }
    Ok(())
}

async fn sessions(
    on: &Writing,
    asked: &Asked,
    locked: &[Uuid],
    of_turns: &[Uuid],
) -> Result<Vec<Row>, Failure> {
    if locked.is_empty() && asked.sessions.is_empty() {
        return Ok(Vec::new());
    }
    on.query(SESSIONS, &[&locked, &asked.sessions, &asked.turns, &of_turns]).await
}

async fn messages(on: &Writing, asked: &Asked, locked: &[Uuid]) -> Result<Vec<Row>, Failure> {
    let outbound = &asked.outbound_ids;
    let (open, named, of_ids) = tokio::try_join!(
        biased;
        async { on.query_unless(locked.is_empty(), OPEN_MESSAGES, &[&locked]).await },
        async { on.query_unless(asked.messages.is_empty(), MESSAGES, &[&asked.messages]).await },
        async { on.query_unless(
            outbound.given.is_empty() && asked.provider_ids.is_empty(),
            MESSAGES_OF_IDS,
            &[&outbound.first, &outbound.second, &escaped(&asked.provider_ids)]
        ).await },
    )?;
    Ok(open.into_iter().chain(named).chain(of_ids).collect())
}

async fn turns(on: &Writing, asked: &Asked, locked: &[Uuid]) -> Result<Vec<Row>, Failure> {
    let (open, named) = tokio::try_join!(
        biased;
        async { on.query_unless(locked.is_empty(), OPEN_TURNS, &[&locked]).await },
        async { on.query_unless(asked.turns.is_empty(), TURNS, &[&asked.turns]).await },
    )?;
    Ok(open.into_iter().chain(named).collect())
}

fn escaped(texts: &[String]) -> Vec<String> {
    texts.iter().map(|given| text(given).into_owned()).collect()
}

#[derive(Default)]
struct Ids {
    inbound: Vec<Row>,
    outbound: Vec<Row>,
    parked: Vec<Row>,
    keys: Vec<Row>,
    suppressed: Vec<Row>,
    consent: Vec<Row>,
    suggestions: Vec<Row>,
}

async fn ids(on: &Writing, asked: &Asked) -> Result<Ids, Failure> {
    let Asked { inbound_ids, outbound_ids, parked, keys, .. } = asked;
    let hashes =
        |numbers: &BTreeSet<NumberHash>| numbers.iter().map(|number| number.0.to_vec()).collect::<Vec<_>>();
    let (suppressions, last_words) = (hashes(&asked.suppressions), hashes(&asked.last_words));
    let (inbound, outbound, parked, keys, suppressed, consent, suggestions) = tokio::try_join!(
        biased;
        async { on.query_unless(
            inbound_ids.given.is_empty(),
            INBOUND_IDS,
            &[&inbound_ids.first, &inbound_ids.second]
        ).await },
        async { on.query_unless(
            outbound_ids.given.is_empty() && asked.provider_ids.is_empty(),
            OUTBOUND_IDS,
            &[&outbound_ids.first, &outbound_ids.second, &escaped(&asked.provider_ids)]
        ).await },
        async { on.query_unless(parked.given.is_empty(), PARKED, &[&parked.first, &parked.second]).await },
        async { on.query_unless(keys.given.is_empty(), KEYS, &[&keys.first, &keys.second]).await },
        async { on.query_unless(suppressions.is_empty(), SUPPRESSED, &[&suppressions]).await },
        async { on.query_unless(last_words.is_empty(), CONSENT, &[&last_words]).await },
        async { on.query_unless(asked.suggestions.is_empty(), SUGGESTIONS, &[&asked.suggestions]).await },
    )?;
    Ok(Ids { inbound, outbound, parked, keys, suppressed, consent, suggestions })
}

fn provider_id(row: &Row) -> Result<ProviderId, Failure> {
    let part = |column| Ok::<_, Failure>(super::sql::untext(column_of::<&str>(row, column)?));
    Ok((part("provider_id")?, part("channel")?))
}

fn load_parked(rows: &[Row], working: &mut Working) -> Result<(), Failure> {
    let mut parked: BTreeMap<ProviderId, Vec<Parked>> = BTreeMap::new();
    for row in rows {
        parked.entry(provider_id(row)?).or_default().push(rows::parked(row)?);
    }
    for (id, parked) in parked {
        working.parked.load(id, Some(parked));
    }
    Ok(())
}

fn take_ids(asked: &Asked, ids: &Ids, working: &mut Working) -> Result<(), Failure> {
    for row in &ids.inbound {
        working.inbound_ids.load(provider_id(row)?, Some(MessageId(rows::id(row, "message_id")?)));
    }
    for row in &ids.outbound {
        let message: Option<Uuid> = column_of(row, "message_id")?;
        working.outbound_ids.load(provider_id(row)?, Some(message.map(MessageId)));
    }
    load_parked(&ids.parked, working)?;
    for row in &ids.keys {
        let part = |column| Ok::<_, Failure>(super::sql::untext(column_of::<&str>(row, column)?));
        let name: IdempotencyName = (part("scope")?, part("name")?);
        working.keys.load(name, Some(record(row, "record")?));
    }
    for row in &ids.suppressed {
        working.suppressed.load(number_of(row)?, Some(()));
    }
    for number in &asked.last_words {
        working.last_words.insert(*number, LastWords::default());
    }
    for row in &ids.consent {
        let line: ConsentRecord = record(row, "record")?;
        working.last_words.entry(number_of(row)?).or_default().note(&line);
    }
    for id in &asked.suggestions {
        working.suggestions.insert(SuggestionId(*id), None);
    }
    for row in &ids.suggestions {
        let session = SessionId(rows::id(row, "session_id")?);
        working.suggestions.insert(SuggestionId(rows::id(row, "id")?), Some(session));
    }
    // What was not found is not there.
    asked.inbound_ids.given.iter().for_each(|id| working.inbound_ids.load(id.clone(), None));
    asked.outbound_ids.given.iter().for_each(|id| working.outbound_ids.load(id.clone(), None));
    asked.parked.given.iter().for_each(|id| working.parked.load(id.clone(), None));
    asked.keys.given.iter().for_each(|name| working.keys.load(name.clone(), None));
    asked.suppressions.iter().for_each(|number| working.suppressed.load(*number, None));
    working.of_all_channels.extend(asked.provider_ids.iter().cloned());
    Ok(())
}

fn number_of(row: &Row) -> Result<NumberHash, Failure> {
    let number: &[u8] = column_of(row, "number")?;
    let number =
        number.try_into().map_err(|_| crate::store::StoreError::Corrupt("a number's hash is cut".into()))?;
    Ok(NumberHash(number))
}

#[derive(Default)]
struct Lists {
    how_many_parked: Vec<Row>,
    said: Vec<(Said, Vec<Row>)>,
    due_turns: Vec<Row>,
    to_be_attended: Vec<Row>,
    overdue: Vec<(Timestamp, Vec<Row>)>,
    messages_in: Vec<(Hand, Vec<Row>)>,
    turns_in: Vec<(Hand, Vec<Row>)>,
    offices: Vec<Row>,
    oldest_parked: Vec<Row>,
    /// All that is parked of the same ids.
    around_oldest: Vec<Row>,
}

async fn lists(on: &Writing, asked: &Asked) -> Result<Lists, Failure> {
    // One more than may be used, so that it is known where the unknown begins.
    let one_more = |most: usize| count(most.saturating_add(1));
    let (due_turns, to_be_attended) =
        (one_more(asked.due_turns.unwrap_or(0)), one_more(asked.to_be_attended.unwrap_or(0)));
    let said = asked.said.iter().map(|&(session, start, end, limit)| async move {
        let rows = on.query(SAID, &[&session.0, &big(start), &big(end), &count(limit)]).await?;
        Ok::<_, Failure>(((session, start, end, limit), rows))
    });
    let overdue = asked.overdue.iter().map(|(now, most)| async move {
        let rows = on.query(OVERDUE, &[&now.as_millis(), &one_more(*most)]).await?;
        Ok::<_, Failure>((*now, rows))
    });
    let (how_many_parked, said, due_turns, to_be_attended, overdue, messages_in, turns_in, offices) = tokio::try_join!(
        biased;
        async { on.query_unless(!asked.how_many_parked, HOW_MANY_PARKED, &[]).await },
        try_join_all(said),
        async { on.query_unless(asked.due_turns.is_none(), DUE_TURNS, &[&due_turns]).await },
        async { on.query_unless(asked.to_be_attended.is_none(), TO_BE_ATTENDED, &[&to_be_attended]).await },
        try_join_all(overdue),
        try_join_all(asked.messages_in.iter().map(|hand| in_hand(on, MESSAGES_IN, hand))),
        try_join_all(asked.turns_in.iter().map(|hand| in_hand(on, TURNS_IN, hand))),
        async { on.query_unless(asked.offices.is_empty(), OFFICE, &[&asked.offices]).await },
    )?;
    let parked: Option<i64> = how_many_parked.first().map(|row| column_of(row, "value")).transpose()?;
    let nearly_full = parked.is_some_and(|parked| parked >= big(MAX_PARKED - OLDEST_PARKED));
    let oldest_parked = on.query_unless(!nearly_full, OLDEST, &[&big(OLDEST_PARKED)]).await?;
    let mut of_oldest = Pairs::default();
    for row in &oldest_parked {
        let receipt = rows::parked(row)?.receipt;
        of_oldest.add(&(receipt.provider_id, receipt.channel));
    }
    let around_oldest =
        on.query_unless(of_oldest.given.is_empty(), PARKED, &[&of_oldest.first, &of_oldest.second]).await?;
    Ok(Lists {
        how_many_parked,
        said,
        due_turns,
        to_be_attended,
        overdue,
        messages_in,
        turns_in,
        offices,
        oldest_parked,
        around_oldest,
    })
}

async fn in_hand(on: &Writing, sql: &'static str, hand: &Hand) -> Result<(Hand, Vec<Row>), Failure> {
    let (of, gone_but) = hands(std::slice::from_ref(hand));
    Ok((hand.clone(), on.query(sql, &[&of, &gone_but]).await?))
}

fn take_lists(asked: &Asked, lists: &Lists, working: &mut Working) -> Result<(), Failure> {
    if let Some(row) = lists.how_many_parked.first() {
        let oldest = lists.oldest_parked.iter().map(rows::parked).collect::<Result<_, _>>()?;
        working.all_parked = Some((unbig(column_of(row, "value")?)?, oldest));
        load_parked(&lists.around_oldest, working)?;
    }
    for (asked, rows) in &lists.said {
        let mut said = Vec::with_capacity(rows.len());
        for row in rows {
            let row = rows::message(row)?;
            said.push(row.message.id);
            working.load_message(row);
        }
        working.said.insert(*asked, said);
    }
    let by_seq = |row: &Row| Ok::<_, Failure>(u128::from(unbig(column_of(row, "seq")?)?));
    if let Some(most) = asked.due_turns {
        working.due_turns = Some(bound(&lists.due_turns, most, working, by_seq)?);
    }
    if let Some(most) = asked.to_be_attended {
        let by_id = |row: &Row| Ok::<_, Failure>(rows::id(row, "id")?.as_u128());
        working.to_be_attended = Some(bound(&lists.to_be_attended, most, working, by_id)?);
        for row in lists.to_be_attended.iter().take(most) {
            let row = rows::session(row)?;
            if working.locked.contains(&row.session.customer_id) {
                working.load_session(row);
            }
        }
    }
    for (now, rows) in &lists.overdue {
        let most = asked.overdue.get(now).copied().unwrap_or(0);
        let bound = bound(rows, most, working, by_seq)?;
        working.overdue.insert(*now, bound);
    }
    for (hand, rows) in &lists.messages_in {
        let mut in_hand = Vec::new();
        for row in rows {
            let row = rows::message(row)?;
            in_hand.push(row.message.id);
            working.load_message(row);
        }
        working.messages_in.insert(hand.clone(), in_hand);
    }
    for (hand, rows) in &lists.turns_in {
        let mut in_hand = Vec::new();
        for row in rows {
            let row = rows::turn(row)?;
            in_hand.push(row.turn.id);
            working.load_turn(row);
        }
        working.turns_in.insert(hand.clone(), in_hand);
    }
    for owner in &asked.offices {
        working.in_office.insert(owner.clone(), true);
    }
    for row in &lists.offices {
        working.in_office.insert(column_of(row, "name")?, column_of(row, "in_office")?);
    }
    Ok(())
}

/// Where what is not here begins: with the first of somebody who is not locked, or with what comes after the last.
fn bound(
    rows: &[Row],
    most: usize,
    working: &Working,
    second: impl Fn(&Row) -> Result<u128, Failure>,
) -> Result<Bound, Failure> {
    for (at, row) in rows.iter().enumerate() {
        let customer = CustomerId(rows::id(row, "customer_id")?);
        if at >= most || !working.locked.contains(&customer) {
            return Ok(Some((column_of(row, "at")?, second(row)?)));
        }
    }
    Ok(None)
}

/// The messages that the wanted turns name: whoever hands one out, or takes one back, asks for them.
async fn load_what_turns_name(on: &Writing, asked: &Asked, working: &mut Working) -> Result<(), Failure> {
    let wanted: BTreeSet<TurnId> = asked.turns.iter().map(|id| TurnId(*id)).collect();
    let turns = working
        .turns
        .iter()
        .filter(|(id, row)| row.is_head || row.turn.owner().is_some() || wanted.contains(*id));
    let named: BTreeSet<Uuid> = turns.flat_map(|(_, row)| row.turn.message_ids()).map(|id| id.0).collect();
    let named: Vec<Uuid> =
        named.into_iter().filter(|id| working.messages.get(&MessageId(*id)).is_none()).collect();
    let found = on.query_unless(named.is_empty(), MESSAGES, &[&named]).await?;
    for row in &found {
        working.load_message(rows::message(row)?);
    }
    for id in named {
        working.messages.load(MessageId(id), None);
    }
    Ok(())
}
