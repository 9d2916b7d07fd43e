//! An import: records as they were elsewhere, with their numbers in the orders, and all that leads to them. Decides nothing, but
//! believes nothing either: what does not belong to what came before is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::PostgresStore;
use super::beside::{ADD_TOKEN, PUT_ALIVE, PUT_ENDPOINT, put_delivery, put_pause};
use super::client::{Failure, Writing};
use super::log::{PART, make_parts};
use super::sql::{big, column_of, encode, record, text, unbig};
use super::statements::ALL;
use super::working::{CustomerRow, MessageRow, Placed, SessionRow, TurnRow, Want, Working};
use super::{load, write};
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::turn::Turn;
use crate::store::apply::{self, Parked};
use crate::store::change::Remembered;
use crate::store::export::{ImportError, Record};
use crate::store::{Created, StoreError};

/// How many customers' queues are looked through at a time.
const QUEUES_AT_A_TIME: u32 = 2_000;

const IS_EMPTY: &str = "SELECT NOT (
    EXISTS (SELECT FROM facts) OR EXISTS (SELECT FROM customers) OR EXISTS (SELECT FROM consent_log)
    OR EXISTS (SELECT FROM suppressed_numbers) OR EXISTS (SELECT FROM inbound_ids)
    OR EXISTS (SELECT FROM idempotency_keys) OR EXISTS (SELECT FROM parked_receipts) OR EXISTS (SELECT FROM events)
    OR EXISTS (SELECT FROM endpoints) OR EXISTS (SELECT FROM deliveries) OR EXISTS (SELECT FROM pauses)
    OR EXISTS (SELECT FROM tokens) OR EXISTS (SELECT FROM counters WHERE value <> 0)) AS empty";
const TAKEN: &str = "SELECT
    (SELECT array_agg(seq) FROM customers WHERE seq = ANY ($1::bigint[])) AS customers,
    (SELECT array_agg(s.customer_id) FROM sessions s
        JOIN unnest($2::uuid[], $3::bigint[]) AS v (customer_id, seq) USING (customer_id, seq)) AS sessions,
    (SELECT array_agg(m.session_id) FROM messages m
        JOIN unnest($4::uuid[], $5::bigint[]) AS v (session_id, place) USING (session_id, place)) AS messages,
    (SELECT array_agg(id) FROM tokens WHERE id = ANY ($6::uuid[]) OR sha256 = ANY ($7::bytea[])) AS tokens,
    (SELECT array_agg(name) FROM endpoints WHERE name = ANY ($8::text[])) AS endpoints,
    (SELECT array_agg(d.place) FROM deliveries d
        JOIN unnest($9::text[], $10::bigint[]) AS v (endpoint, place) USING (endpoint, place)) AS deliveries,
    (SELECT value FROM counters WHERE name = 'events') AS events";
const AT_THE_END: &str = "
    UPDATE turns t SET is_head = true WHERE t.is_open AND t.owner IS NULL AND NOT EXISTS (
        SELECT FROM turns o WHERE o.customer_id = t.customer_id AND o.session_id = t.session_id AND o.is_open
            AND o.place < t.place);
    SELECT setval('orders', greatest(
        (SELECT last_value FROM orders),
        (SELECT max(seq) FROM customers), (SELECT max(seq) FROM sessions), (SELECT max(seq) FROM messages),
        (SELECT max(seq) FROM turns), (SELECT max(seq) FROM parked_receipts)) + 1);
    DELETE FROM facts WHERE name = 'importing';
    COMMIT";
const ANALYZE: &str =
    "ANALYZE customers, customer_words, consent_log, sessions, messages, inbound_ids, outbound_ids, turns,
        idempotency_keys, events, deliveries";

/// What stands in the way of a batch's records.
struct Taken {
    customers: BTreeSet<u64>,
    sessions: BTreeSet<(Uuid, u64)>,
    messages: BTreeSet<(Uuid, u64)>,
    tokens: BTreeSet<Uuid>,
    hashes: BTreeSet<[u8; 32]>,
    endpoints: BTreeSet<String>,
    deliveries: BTreeSet<(String, u64)>,
    last_event: u64,
}

enum Wrong {
    Record(&'static str),
    Store(StoreError),
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into_store_error())
    }
}

type Took = Result<(), Wrong>;

fn must(holds: bool, otherwise: &'static str) -> Took {
    if holds { Ok(()) } else { Err(Wrong::Record(otherwise)) }
}

impl PostgresStore {
    pub(super) async fn start_import(&self) -> Result<(), ImportError> {
        let on = self.writing().await?;
        let begun = async {
            on.batch(load::BEGIN).await?;
            let rows = on.session().query(IS_EMPTY, &[]).await?;
            let empty = rows.first().map(|row| column_of::<bool>(row, "empty")).transpose()?;
            if empty == Some(true) {
                on.batch("INSERT INTO facts VALUES ('importing', 'true')").await?;
                on.batch(write::COMMIT).await?;
            } else {
                on.batch("ROLLBACK").await?;
            }
            Ok::<_, Failure>(empty == Some(true))
        };
        if begun.await.map_err(Failure::into_uncertain)? { Ok(()) } else { Err(ImportError::NotEmpty) }
    }

    pub(super) async fn take_records(&self, records: Vec<Record>) -> Result<(), ImportError> {
        let on = self.writing().await?;
        let taken = take_all(&on, self, records).await;
        if taken.is_err() {
            // What it failed for is what is told.
            drop(on.batch("ROLLBACK").await);
        }
        taken
    }

    pub(super) async fn finish_import(&self) -> Result<(), ImportError> {
        let on = self.writing().await?;
        must_have_begun(&on).await?;
        let finished = async {
            on.batch("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '1h'").await?;
            on.batch(load::BEGIN).await?;
            mark_heads(&on).await?;
            on.batch(AT_THE_END).await
        };
        finished.await.map_err(Failure::into_uncertain)?;
        // The server does so by itself, later.
        if let Err(failure) = on.batch(ANALYZE).await {
            tracing::warn!(reason = %failure.into_store_error(), "the imported tables were not analyzed; searches may be slow at first");
        }
        let newest = self.get_last_event().await?;
        self.show(Some(newest));
        Ok(())
    }

    async fn writing(&self) -> Result<Writing, StoreError> {
        let session = self.dialer.session().await.map_err(Failure::into_store_error)?.without_haste();
        Writing::new(session, ALL).await.map_err(Failure::into_store_error)
    }
}

async fn must_have_begun(on: &Writing) -> Result<(), ImportError> {
    let begun = on.session().query("SELECT FROM facts WHERE name = 'importing'", &[]).await;
    let begun = begun.map_err(Failure::into_store_error)?;
    if begun.is_empty() { Err(ImportError::NotBegun) } else { Ok(()) }
}

async fn take_all(on: &Writing, store: &PostgresStore, records: Vec<Record>) -> Result<(), ImportError> {
    must_have_begun(on).await?;
    let unavailable = |failure: Failure| ImportError::Store(failure.into_store_error());
    let mut wants: BTreeSet<Want> = records.iter().flat_map(wants_of).collect();
    wants.insert(Want::Orders(1 + records.len() / 1_000));
    let mut working =
        Box::pin(load::load(on, Arc::clone(&store.rules), &wants)).await.map_err(unavailable)?;
    let mut taken = taken(on, &records).await.map_err(unavailable)?;
    for (at, record) in records.iter().enumerate() {
        place(&mut working, &mut taken, record).map_err(|wrong| match wrong {
            Wrong::Record(reason) => ImportError::Refused { at, reason: reason.into() },
            Wrong::Store(error) => error.into(),
        })?;
        working.keep_placed();
    }
    let parts = write::Parts::of(&working)?;
    drop(working);
    write::write_untold(on, &parts).await.map_err(unavailable)?;
    write_beside(on, &records).await.map_err(unavailable)?;
    on.batch(write::COMMIT).await.map_err(|failure| failure.into_uncertain().into())
}

fn wants_of(record: &Record) -> Vec<Want> {
    match record {
        Record::Customer { customer, .. } => {
            let number = customer.address().map(|number| Want::Number(number.as_str().to_owned()));
            number.into_iter().chain([Want::Customer(customer.id)]).collect()
        }
        Record::Session { session, .. } => {
            vec![Want::Session(session.id), Want::Customer(session.customer_id)]
        }
        Record::Message { message, .. } => vec![Want::Message(message.id), Want::Session(message.session_id)],
        Record::InboundId { channel, provider_id, .. } => {
            vec![Want::InboundId((provider_id.clone(), channel.clone()))]
        }
        Record::OutboundId { channel, provider_id, message_id } => {
            vec![Want::OutboundId((provider_id.clone(), channel.clone())), Want::Message(*message_id)]
        }
        Record::Turn { turn, .. } => vec![Want::Turn(turn.id), Want::Session(turn.session_id)],
        Record::IdempotencyKey { scope, key, created, .. } => {
            let created = match created {
                Created::Customer(customer) => Want::Customer(customer.id),
                Created::Message(message) => Want::Message(message.id),
            };
            vec![Want::Key((scope.clone(), key.clone())), created]
        }
        Record::ParkedReceipt { receipt, .. } => {
            let id = (receipt.provider_id.clone(), receipt.channel.clone());
            vec![Want::Parked(id.clone()), Want::OutboundId(id)]
        }
        Record::Alive { .. }
        | Record::Consent { .. }
        | Record::Suppression { .. }
        | Record::Token { .. }
        | Record::Pause { .. }
        | Record::Event { .. }
        | Record::Endpoint { .. }
        | Record::Delivery { .. } => Vec::new(),
    }
}

async fn taken(on: &Writing, records: &[Record]) -> Result<Taken, Failure> {
    let (mut customers, mut of, mut of_seq) = (Vec::new(), Vec::new(), Vec::new());
    let (mut within, mut places, mut tokens, mut hashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut endpoints, mut told, mut told_places) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        match record {
            Record::Customer { order, .. } => customers.push(big(*order)),
            Record::Session { order, session } => {
                of.push(session.customer_id.0);
                of_seq.push(big(*order));
            }
            Record::Message { message, .. } => {
                within.push(message.session_id.0);
                places.push(big(message.place));
            }
            Record::Token { token } => {
                tokens.push(token.id.0);
                hashes.push(token.sha256.to_vec());
            }
            Record::Endpoint { endpoint } => endpoints.push(text(&endpoint.name).into_owned()),
            Record::Delivery { delivery } => {
                told.push(text(&delivery.endpoint).into_owned());
                told_places.push(big(delivery.place));
            }
            _ => {}
        }
    }
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 10] =
        [&customers, &of, &of_seq, &within, &places, &tokens, &hashes, &endpoints, &told, &told_places];
    let row = on.session().query_one(TAKEN, &values).await?;
    // What any of them stands in the way of is refused; which one is found out record by record.
    let numbers = |column| Ok::<_, Failure>(column_of::<Option<Vec<i64>>>(&row, column)?.unwrap_or_default());
    let ids = |column| Ok::<_, Failure>(column_of::<Option<Vec<Uuid>>>(&row, column)?.unwrap_or_default());
    let pairs = |ids: Vec<Uuid>, of: &[Uuid], at: &[i64]| -> Result<BTreeSet<(Uuid, u64)>, StoreError> {
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        let pairs = of.iter().zip(at).filter(|(id, _)| ids.contains(id));
        pairs.map(|(id, at)| Ok((*id, unbig(*at)?))).collect()
    };
    let names: Vec<String> = column_of::<Option<Vec<String>>>(&row, "endpoints")?.unwrap_or_default();
    let gone: BTreeSet<i64> = numbers("deliveries")?.into_iter().collect();
    let deliveries = told.iter().zip(&told_places).filter(|(_, place)| gone.contains(place));
    Ok(Taken {
        customers: numbers("customers")?.into_iter().map(unbig).collect::<Result<_, _>>()?,
        sessions: pairs(ids("sessions")?, &of, &of_seq)?,
        messages: pairs(ids("messages")?, &within, &places)?,
        tokens: ids("tokens")?.into_iter().collect(),
        hashes: BTreeSet::new(),
        endpoints: names.iter().map(|name| super::sql::untext(name)).collect(),
        deliveries: deliveries
            .map(|(endpoint, place)| Ok((super::sql::untext(endpoint), unbig(*place)?)))
            .collect::<Result<_, StoreError>>()?,
        last_event: unbig(column_of(&row, "events")?)?,
    })
}

fn place(working: &mut Working, taken: &mut Taken, record: &Record) -> Took {
    match record {
        Record::Alive { .. } | Record::Suppression { .. } | Record::Pause { .. } => Ok(()),
        Record::Customer { order, customer } => {
            must(working.customers.row(&customer.id).is_none(), "this customer was there before")?;
            must(taken.customers.insert(*order), "another customer has this place in the order")?;
            if let Some(number) = customer.address() {
                let number = number.as_str().to_owned();
                must(working.numbers.row(&number).is_none(), "another customer has this number")?;
            }
            let row = CustomerRow { seq: *order, key: None, customer: (**customer).clone() };
            working.place(Placed::Customer(Box::new(row)));
            Ok(())
        }
        Record::Consent { consent } => {
            let order = working.next_order()?;
            working.place(Placed::Consent(order, consent.clone()));
            Ok(())
        }
        Record::Session { order, session } => place_session(working, taken, *order, session),
        Record::Message { order, message } => place_message(working, taken, *order, message),
        Record::InboundId { channel, provider_id, message_id } => {
            let id = (provider_id.clone(), channel.clone());
            must(working.inbound_ids.row(&id).is_none(), "this provider's id was there before")?;
            working.inbound_ids.put(id, Some(*message_id));
            Ok(())
        }
        Record::OutboundId { channel, provider_id, message_id } => {
            let id = (provider_id.clone(), channel.clone());
            must(working.outbound_ids.row(&id).is_none(), "this provider's id was there before")?;
            must(working.messages.row(message_id).is_some(), "the message of this provider's id is missing")?;
            working.outbound_ids.put(id, Some(Some(*message_id)));
            Ok(())
        }
        Record::Turn { order, turn } => place_turn(working, *order, turn),
        Record::IdempotencyKey { scope, key, request, at, created } => {
            let name = (scope.clone(), key.clone());
            must(working.keys.row(&name).is_none(), "this idempotency key was there before")?;
            let found = match created {
                Created::Customer(customer) => working.customers.row(&customer.id).is_some(),
                Created::Message(message) => working.messages.row(&message.id).is_some(),
            };
            must(found, "what the idempotency key created is missing")?;
            let remembered = Remembered { request: *request, at: *at, created: created.clone() };
            working.keys.put(name, Some(remembered));
            Ok(())
        }
        Record::ParkedReceipt { order, at, receipt } => {
            let id = (receipt.provider_id.clone(), receipt.channel.clone());
            let mut parked = working.parked.row(&id).cloned().unwrap_or_default();
            let known = parked.iter().any(|parked| parked.order == *order);
            must(!known, "another receipt has this place in the order")?;
            parked.push(Parked { order: *order, at: *at, receipt: receipt.clone() });
            if working.outbound_ids.row(&id).is_none() {
                working.outbound_ids.put(id.clone(), Some(None));
            }
            working.parked.put(id, Some(parked));
            Ok(())
        }
        Record::Token { token } => {
            let new = taken.tokens.insert(token.id.0) && taken.hashes.insert(token.sha256);
            must(new, "this token was there before")
        }
        Record::Event { event } => {
            let next = taken.last_event == 0 || event.place == taken.last_event + 1;
            must(next, "the event is not the next one of the log")?;
            taken.last_event = event.place;
            Ok(())
        }
        Record::Endpoint { endpoint } => {
            must(taken.endpoints.insert(endpoint.name.clone()), "this endpoint was there before")
        }
        Record::Delivery { delivery } => {
            let new = taken.deliveries.insert((delivery.endpoint.clone(), delivery.place));
            must(new, "this delivery was there before")
        }
    }
}

fn place_session(working: &mut Working, taken: &mut Taken, order: u64, session: &Session) -> Took {
    must(working.sessions.row(&session.id).is_none(), "this session was there before")?;
    must(working.customers.row(&session.customer_id).is_some(), "the session's customer is missing")?;
    let new = taken.sessions.insert((session.customer_id.0, order));
    must(new, "another session of the customer has this place in the order")?;
    working.place(Placed::Session(Box::new(SessionRow { seq: order, session: session.clone() })));
    Ok(())
}

fn place_message(working: &mut Working, taken: &mut Taken, order: Option<u64>, message: &Message) -> Took {
    let session = working.sessions.row(&message.session_id);
    let session = session.filter(|row| row.session.customer_id == message.customer_id);
    let session = session.ok_or(Wrong::Record("the message's session is missing, or another customer's"))?;
    must(
        message.place < session.session.message_count,
        "the message has a place that its session does not have",
    )?;
    must(
        order.is_none() == message.is_inbound(),
        "a message has a place in the queue if it is not a customer's",
    )?;
    let new = working.messages.row(&message.id).is_none()
        && taken.messages.insert((message.session_id.0, message.place));
    must(new, "this message, or one in its place, was there before")?;
    let row = MessageRow { seq: order, key: None, is_head: false, message: message.clone() };
    working.place(Placed::Message(Box::new(row)));
    Ok(())
}

fn place_turn(working: &mut Working, order: u64, turn: &Turn) -> Took {
    let session = working.sessions.row(&turn.session_id);
    let session = session.filter(|row| row.session.customer_id == turn.customer_id);
    let session = session.ok_or(Wrong::Record("the turn's session is missing, or another customer's"))?;
    must(turn.place < session.session.turns_queued, "the turn has a place that its session does not have")?;
    must(working.turns.row(&turn.id).is_none(), "this turn was there before")?;
    working.place(Placed::Turn(Box::new(TurnRow { seq: order, is_head: false, turn: turn.clone() })));
    Ok(())
}

/// What no command writes, or none together with others.
async fn write_beside(on: &Writing, records: &[Record]) -> Result<(), Failure> {
    let session = on.session();
    let (mut events, mut last) = ((Vec::new(), Vec::new(), Vec::new()), 0);
    for record in records {
        match record {
            Record::Alive { alive } => {
                session.execute(PUT_ALIVE, &[&encode(alive)?]).await?;
            }
            Record::Suppression { number } => {
                let sql = "INSERT INTO suppressed_numbers VALUES ($1) ON CONFLICT DO NOTHING";
                session.execute(sql, &[&number.0.as_slice()]).await?;
            }
            Record::IdempotencyKey { scope, key, created, .. } => {
                let (table, id) = match created {
                    Created::Customer(customer) => ("customers", customer.id.0),
                    Created::Message(message) => ("messages", message.id.0),
                };
                let sql = format!("UPDATE {table} SET key_scope = $2, key_name = $3 WHERE id = $1");
                session.execute(&sql, &[&id, &text(scope), &text(key)]).await?;
            }
            Record::Token { token } => {
                session.execute(ADD_TOKEN, &[&token.id.0, &token.sha256.as_slice(), &encode(token)?]).await?;
            }
            Record::Pause { pause } => put_pause(session, pause).await?,
            Record::Event { event } => {
                events.0.push(big(event.place));
                events.1.push(event.at.as_millis());
                events.2.push(encode(&event.what)?);
                last = event.place;
            }
            Record::Endpoint { endpoint } => {
                session.execute(PUT_ENDPOINT, &[&text(&endpoint.name), &encode(endpoint)?]).await?;
            }
            Record::Delivery { delivery } => put_delivery(session, delivery).await?,
            Record::Customer { .. }
            | Record::Consent { .. }
            | Record::Session { .. }
            | Record::Message { .. }
            | Record::InboundId { .. }
            | Record::OutboundId { .. }
            | Record::Turn { .. }
            | Record::ParkedReceipt { .. } => {}
        }
    }
    let parts: BTreeSet<i64> = events.0.iter().map(|place| place / big(PART)).collect();
    for part in parts {
        make_parts(session, unbig(part)? * PART).await?;
    }
    if last > 0 {
        let sql = "INSERT INTO events (place, at, record)
            SELECT place, at, record::json FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS v (place, at, record)";
        session.execute(sql, &[&events.0, &events.1, &events.2]).await?;
        session.execute("UPDATE counters SET value = $1 WHERE name = 'events'", &[&big(last)]).await?;
    }
    Ok(())
}

/// Marks the first of each queue, as it is in an engine that has kept it.
async fn mark_heads(on: &Writing) -> Result<(), Failure> {
    let session = on.session();
    session
        .batch(
            "DECLARE queues NO SCROLL CURSOR FOR
            SELECT record::text AS record FROM messages WHERE is_open AND holds_queue ORDER BY customer_id, seq",
        )
        .await?;
    let (mut of, mut queue): (Option<CustomerId>, Vec<Message>) = (None, Vec::new());
    let mut heads: Vec<Uuid> = Vec::new();
    loop {
        let rows = session.client().query(&format!("FETCH {QUEUES_AT_A_TIME} FROM queues"), &[]).await?;
        for row in &rows {
            let message: Message = record(row, "record")?;
            if of != Some(message.customer_id) {
                heads.extend(head_of(std::mem::take(&mut queue)).map(|id| id.0));
                of = Some(message.customer_id);
            }
            queue.push(message);
        }
        if rows.is_empty() {
            break;
        }
    }
    heads.extend(head_of(queue).map(|id| id.0));
    session.batch("CLOSE queues").await?;
    for some in heads.chunks(10_000) {
        session.execute("UPDATE messages SET is_head = true WHERE id = ANY ($1)", &[&some]).await?;
    }
    Ok(())
}

fn head_of(queue: Vec<Message>) -> Option<MessageId> {
    let front = apply::front(queue.into_iter().map(Ok::<_, StoreError>), |message| message).ok()??;
    (front.delivery.status == crate::domain::delivery::Status::Queued).then_some(front.id)
}
