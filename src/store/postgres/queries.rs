//! What is read without the committer: each on one statement's view, which shows every commit whole or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::PostgresStore;
use super::client::Failure;
use super::log::{NEWEST_PLACE, place_in};
use super::rows;
use super::sql::{big, column_of, count, decode, record, text, unbig, untext};
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::event::{Event, Subject};
use crate::domain::ids::{CustomerId, MessageId, SessionId, TokenId, TurnId};
use crate::domain::message::{Lane, Message, Priority};
use crate::domain::pause::Pause;
use crate::domain::phone::Address;
use crate::domain::search::Query;
use crate::domain::session::{InboxQueue, Session};
use crate::domain::time::Timestamp;
use crate::domain::turn::Turn;
use crate::store::cursors::{
    self, CustomersAt, DeliveriesAt, FailedTurnsAt, HeldAt, InboxAt, MessagesAt, Position, SessionsAt,
};
use crate::store::{
    Alive, AssigneeFilter, Counts, DueDeliveries, EventsError, Expand, Expanded, Head, InboxFilter,
    LaneHeads, ListError, Logged, Page, PageRequest, Silent, StoreError, Token, apply,
};

type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// How many words with the same beginning are gone through, and how many at a time.
const MOST_WORDS: usize = 10_000;
const WORDS_AT_A_TIME: usize = 500;
/// How many customers and messages are read beside sessions by one statement.
const EXPANDED_AT_A_TIME: usize = 1_000;

/// Messages of each channel that some column says something of, `$2` of each at the most, in the order of that column. The
/// channels are found one after the other, without a walk over all the messages.
macro_rules! of_each_channel {
    ($by:literal, $is:literal, $within:literal) => {
        concat!(
            "WITH RECURSIVE channels AS (
                (SELECT channel FROM messages WHERE ",
            $is,
            " ORDER BY channel LIMIT 1)
                UNION ALL
                SELECT (SELECT m.channel FROM messages m WHERE ",
            $is,
            " AND m.channel > c.channel
                    ORDER BY m.channel LIMIT 1)
                FROM channels c WHERE c.channel IS NOT NULL)
            SELECT m.record FROM channels c, LATERAL (
                SELECT ",
            $by,
            ", seq, record::text AS record FROM messages
                WHERE channel = c.channel AND ",
            $is,
            " AND ",
            $within,
            "
                ORDER BY ",
            $by,
            ", seq LIMIT $1) m
            WHERE c.channel IS NOT NULL ORDER BY m.",
            $by,
            ", m.seq"
        )
    };
}

impl PostgresStore {
    async fn rows(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        if self.committer.is_closed() {
            return Err(StoreError::Unavailable("it is closed".into()));
        }
        // A connection that was gone already says nothing of the database.
        match self.readers.session().await.map_err(Failure::into_store_error)?.query(sql, values).await {
            Err(Failure::Lost(_)) => {}
            done => return done.map_err(Failure::into_store_error),
        }
        let session = self.readers.session().await.map_err(Failure::into_store_error)?;
        session.query(sql, values).await.map_err(Failure::into_store_error)
    }

    async fn records<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, values).await?.iter().map(|row| record(row, "record")).collect()
    }

    async fn one<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.records(sql, values).await?.into_iter().next())
    }

    // --- customers ---

    pub(super) async fn get_inbound_id(
        &self,
        channel: &str,
        provider_id: &str,
    ) -> Result<Option<MessageId>, StoreError> {
        let sql = "SELECT message_id FROM inbound_ids WHERE provider_id = $1 AND channel = $2";
        let rows = self.rows(sql, &[&text(provider_id), &text(channel)]).await?;
        rows.first().map(|row| Ok(MessageId(rows::id(row, "message_id")?))).transpose()
    }

    pub(super) async fn get_customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.one("SELECT record::text AS record FROM customers WHERE id = $1", &[&id.0]).await
    }

    pub(super) async fn get_customer_by_number(
        &self,
        number: &Address,
    ) -> Result<Option<Customer>, StoreError> {
        let sql = "SELECT record::text AS record FROM customers WHERE number = $1";
        self.one(sql, &[&text(number.as_str())]).await
    }

    pub(super) async fn list_customers(&self, request: &PageRequest) -> Result<Page<Customer>, ListError> {
        let after = cursors::read::<CustomersAt>(request)?.map_or(-1, |at| big(at.order));
        let sql = "SELECT seq, record::text AS record FROM customers WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows = self.rows(sql, &[&after, &one_more(request)]).await?;
        page(&rows, request, |row, _| Ok(CustomersAt { order: unbig(column_of(row, "seq")?)? }))
    }

    pub(super) async fn find_customers(
        &self,
        query: &Query,
        limit: usize,
    ) -> Result<Vec<Customer>, StoreError> {
        let mut found: BTreeMap<CustomerId, (String, Customer)> = BTreeMap::new();
        for beginning in query.beginnings() {
            let (beginning, mut looked_at, mut left) = (text(&beginning).into_owned(), 0, limit);
            let (mut word, mut id) = (beginning.clone(), Uuid::nil());
            while left > 0 && looked_at < MOST_WORDS {
                let sql = "SELECT w.word, c.id, c.record::text AS record FROM (
                        SELECT word, customer_id FROM customer_words
                        WHERE word >= $3 AND word < $3 || U&'\\+10FFFF' AND (word, customer_id) > ($1, $2)
                        ORDER BY word, customer_id LIMIT $4) w
                    JOIN customers c ON c.id = w.customer_id ORDER BY w.word, w.customer_id";
                let rows = self.rows(sql, &[&word, &id, &beginning, &count(WORDS_AT_A_TIME)]).await?;
                for row in &rows {
                    (word, id) = (column_of(row, "word")?, column_of(row, "id")?);
                    looked_at += 1;
                    if left == 0 || looked_at > MOST_WORDS {
                        break;
                    }
                    if found.get(&CustomerId(id)).is_some_and(|(first, _)| *first <= word) {
                        continue;
                    }
                    let customer: Customer = record(row, "record")?;
                    if query.finds(&customer) {
                        left -= 1;
                        found.insert(customer.id, (word.clone(), customer));
                    }
                }
                if rows.len() < WORDS_AT_A_TIME {
                    break;
                }
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        found.sort_by(|(word, one), (other, two)| (word, one.id).cmp(&(other, two.id)));
        Ok(found.into_iter().take(limit).map(|(_, customer)| customer).collect())
    }

    pub(super) async fn list_consent(&self, number: NumberHash) -> Result<Vec<ConsentRecord>, StoreError> {
        let sql = "SELECT record::text AS record FROM consent_log WHERE number = $1 ORDER BY seq";
        self.records(sql, &[&number.0.as_slice()]).await
    }

    // --- sessions ---

    pub(super) async fn get_session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.one("SELECT record::text AS record FROM sessions WHERE id = $1", &[&id.0]).await
    }

    pub(super) async fn get_newest_session(
        &self,
        customer: CustomerId,
    ) -> Result<Option<Session>, StoreError> {
        let sql =
            "SELECT record::text AS record FROM sessions WHERE customer_id = $1 ORDER BY seq DESC LIMIT 1";
        self.one(sql, &[&customer.0]).await
    }

    pub(super) async fn list_sessions(
        &self,
        customer: CustomerId,
        request: &PageRequest,
    ) -> Result<Page<Session>, ListError> {
        let after = match cursors::read::<SessionsAt>(request)? {
            Some(at) if at.customer != customer => return Err(ListError::InvalidCursor),
            at => at.map_or(-1, |at| big(at.order)),
        };
        let sql = "SELECT seq, record::text AS record FROM sessions
            WHERE customer_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let rows = self.rows(sql, &[&customer.0, &after, &one_more(request)]).await?;
        page(&rows, request, |row, _| Ok(SessionsAt { customer, order: unbig(column_of(row, "seq")?)? }))
    }

    /// Goes through those with the tag, else with the topic, else through the inbox; of the agent, where one is asked for. Each in
    /// the inbox's order.
    pub(super) async fn list_inbox(
        &self,
        filter: &InboxFilter,
        request: &PageRequest,
    ) -> Result<Page<Session>, ListError> {
        let (first, last) = match filter.need_attention {
            None => (InboxQueue::Waiting, InboxQueue::WithBot),
            Some(true) => (InboxQueue::Waiting, InboxQueue::Answered),
            Some(false) => (InboxQueue::WithBot, InboxQueue::WithBot),
        };
        let (first, last) = (first as i16, last as i16);
        let (inbox, since, id) = cursors::read::<InboxAt>(request)?
            .map(|at| (at.queue as i16, at.since.as_millis(), at.session.0))
            .filter(|(inbox, ..)| *inbox >= first)
            .unwrap_or((first, i64::MIN, Uuid::nil()));
        let limit = one_more(request);
        let tag = filter.tag.as_ref().map(|tag| text(tag).into_owned());
        let topic = filter.topic.as_ref().map(|topic| text(topic).into_owned());
        let agent = match &filter.assignee {
            Some(AssigneeFilter::Agent(name)) => Some(text(name).into_owned()),
            Some(AssigneeFilter::Nobody) | None => None,
        };
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&last, &inbox, &since, &id, &limit];
        let mut conditions = Vec::new();
        let mut and = |condition: &str, value| {
            values.push(value);
            conditions.push(format!(" AND {condition}").replace('?', &format!("${}", values.len())));
        };
        match (&tag, &topic) {
            (Some(tag), _) => and("l.kind = 0 AND l.label = ?", tag),
            (None, Some(topic)) => and("l.kind = 1 AND l.label = ?", topic),
            (None, None) => {}
        }
        if let (Some(_), Some(topic)) = (&tag, &topic) {
            and("s.topics @> ARRAY[?]", topic);
        }
        if let Some(agent) = &agent {
            and("s.assignee = ?", agent);
        }
        if filter.assignee == Some(AssigneeFilter::Nobody) {
            conditions.push(" AND s.assignee IS NULL".into());
        }
        let (from, queue, place) = if tag.is_some() || topic.is_some() {
            let labelled = "session_labels l JOIN sessions s ON s.id = l.session_id";
            (labelled, "l.inbox", "l.inbox, l.inbox_since, l.session_id")
        } else {
            ("sessions s", "s.inbox", "s.inbox, s.inbox_since, s.id")
        };
        let sql = format!(
            "SELECT s.record::text AS record FROM {from}
            WHERE {queue} <= $1 AND ({place}) > ($2, $3, $4){}
            ORDER BY {place} LIMIT $5",
            conditions.concat()
        );
        let rows = self.rows(&sql, &values).await?;
        page(&rows, request, |_, session: &Session| {
            let place = session.inbox_place();
            Ok(InboxAt { queue: place.queue, since: place.since, session: session.id })
        })
    }

    /// Some of those whose customers wait, by their ids.
    pub(super) async fn list_waiting(
        &self,
        after: Option<SessionId>,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        let sql = "SELECT id FROM sessions WHERE inbox = 0 AND id > $1 ORDER BY id LIMIT $2";
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = self.rows(sql, &[&after, &count(limit)]).await?;
        rows.iter().map(|row| Ok(SessionId(rows::id(row, "id")?))).collect()
    }

    // --- messages ---

    pub(super) async fn get_message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.one("SELECT record::text AS record FROM messages WHERE id = $1", &[&id.0]).await
    }

    pub(super) async fn list_messages(
        &self,
        session: SessionId,
        request: &PageRequest,
    ) -> Result<Page<Message>, ListError> {
        let before = match cursors::read::<MessagesAt>(request)? {
            Some(at) if at.session != session => return Err(ListError::InvalidCursor),
            at => at.map_or(i64::MAX, |at| big(at.place)),
        };
        let sql = "SELECT record::text AS record FROM messages
            WHERE session_id = $1 AND place < $2 ORDER BY place DESC LIMIT $3";
        let rows = self.rows(sql, &[&session.0, &before, &one_more(request)]).await?;
        page(&rows, request, |_, message: &Message| Ok(MessagesAt { session, place: message.place }))
    }

    /// Two statements for as many sessions as have no more messages together than are read at a time.
    pub(super) async fn get_expanded(
        &self,
        sessions: &[(SessionId, CustomerId)],
        what: Expand,
    ) -> Result<Vec<Expanded>, StoreError> {
        let together = (EXPANDED_AT_A_TIME / (1 + what.messages)).max(1);
        let mut expanded = Vec::with_capacity(sessions.len());
        for some in sessions.chunks(together) {
            let customers = if what.customer { self.customers_of(some).await? } else { HashMap::new() };
            let messages = match what.messages {
                0 => HashMap::new(),
                limit => self.newest_messages_of(some, limit).await?,
            };
            expanded.extend(some.iter().map(|(session, customer)| Expanded {
                customer: customers.get(customer).cloned(),
                messages: messages.get(session).cloned().unwrap_or_default(),
            }));
        }
        Ok(expanded)
    }

    async fn customers_of(
        &self,
        sessions: &[(SessionId, CustomerId)],
    ) -> Result<HashMap<CustomerId, Customer>, StoreError> {
        let ids: Vec<Uuid> = sessions.iter().map(|(_, customer)| customer.0).collect();
        let sql = "SELECT record::text AS record FROM customers WHERE id = ANY($1)";
        let rows = self.rows(sql, &[&ids]).await?;
        let customers = rows.iter().map(|row| {
            let customer: Customer = record(row, "record")?;
            Ok((customer.id, customer))
        });
        customers.collect()
    }

    /// `limit` of each at the most, the newest first.
    async fn newest_messages_of(
        &self,
        sessions: &[(SessionId, CustomerId)],
        limit: usize,
    ) -> Result<HashMap<SessionId, Vec<Message>>, StoreError> {
        let ids: BTreeSet<Uuid> = sessions.iter().map(|(session, _)| session.0).collect();
        let ids = Vec::from_iter(ids);
        let sql = "SELECT m.record::text AS record FROM unnest($1::uuid[]) AS s (id)
            CROSS JOIN LATERAL (SELECT place, record FROM messages
                WHERE session_id = s.id ORDER BY place DESC LIMIT $2) m
            ORDER BY m.place DESC";
        let mut messages: HashMap<SessionId, Vec<Message>> = HashMap::new();
        for row in &self.rows(sql, &[&ids, &count(limit)]).await? {
            let message: Message = record(row, "record")?;
            messages.entry(message.session_id).or_default().push(message);
        }
        Ok(messages)
    }

    pub(super) async fn list_held(&self, request: &PageRequest) -> Result<Page<Message>, ListError> {
        let after = cursors::read::<HeldAt>(request)?.map_or(-1, |at| big(at.order));
        let sql = "SELECT seq, record::text AS record FROM messages
            WHERE status = 'unknown' AND look_at IS NULL AND seq > $1 ORDER BY seq LIMIT $2";
        let rows = self.rows(sql, &[&after, &one_more(request)]).await?;
        page(&rows, request, |row, _| Ok(HeldAt { order: unbig(column_of(row, "seq")?)? }))
    }

    pub(super) async fn get_lane_heads(
        &self,
        lane: &Lane,
        now: Timestamp,
        limit: usize,
    ) -> Result<LaneHeads, StoreError> {
        let (channel, sender) = (text(&lane.channel), text(&lane.sender));
        let sql = "SELECT id, segments, ready_at FROM (
                (SELECT id, segments, ready_at, 0 AS part, seq FROM messages
                    WHERE is_head AND channel = $1 AND sender = $2 AND priority = $3 AND ready_at <= $4
                    ORDER BY ready_at, seq LIMIT $5)
                UNION ALL
                (SELECT id, segments, ready_at, 1 AS part, seq FROM messages
                    WHERE is_head AND channel = $1 AND sender = $2 AND priority = $3 AND ready_at > $4
                    ORDER BY ready_at, seq LIMIT 1)) h
            ORDER BY part, ready_at, seq";
        let mut heads = LaneHeads::default();
        for priority in Priority::ALL {
            let left = count(limit - heads.ready.len());
            let values: [&(dyn ToSql + Sync); 5] =
                [&channel, &sender, &(priority as i16), &now.as_millis(), &left];
            for row in &self.rows(sql, &values).await? {
                let ready_at = Timestamp::from_millis(column_of(row, "ready_at")?);
                if ready_at > now {
                    heads.next_at = heads.next_at.into_iter().chain([ready_at]).min();
                    continue;
                }
                let segments = u32::try_from(column_of::<i32>(row, "segments")?).unwrap_or(1);
                heads.ready.push(Head { message_id: MessageId(rows::id(row, "id")?), segments });
            }
        }
        Ok(heads)
    }

    pub(super) async fn get_queue_front(&self, customer: CustomerId) -> Result<Option<Message>, StoreError> {
        let sql = "SELECT record::text AS record FROM messages
            WHERE customer_id = $1 AND is_open AND holds_queue ORDER BY seq";
        let queue: Vec<Message> = self.records(sql, &[&customer.0]).await?;
        apply::front(queue.into_iter().map(Ok), |message| message)
    }

    pub(super) async fn list_busy_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        let sql = "WITH RECURSIVE lanes AS (
                (SELECT channel, sender FROM messages WHERE status = 'queued' ORDER BY channel, sender LIMIT 1)
                UNION ALL
                SELECT n.channel, n.sender FROM lanes l, LATERAL (
                    SELECT m.channel, m.sender FROM messages m
                    WHERE m.status = 'queued' AND (m.channel, m.sender) > (l.channel, l.sender)
                    ORDER BY m.channel, m.sender LIMIT 1) n)
            SELECT channel, sender FROM lanes";
        let rows = self.rows(sql, &[]).await?;
        let lane = |row: &Row| {
            let part = |column| Ok::<_, StoreError>(untext(column_of::<&str>(row, column)?));
            Ok(Lane { channel: part("channel")?, sender: part("sender")? })
        };
        rows.iter().map(lane).collect()
    }

    pub(super) async fn list_unknown_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let sql = of_each_channel!("look_at", "status = 'unknown' AND look_at IS NOT NULL", "look_at <= $2");
        self.records(sql, &[&count(limit), &now.as_millis()]).await
    }

    pub(super) async fn list_holding(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let sql = of_each_channel!("holds_since", "holds_since IS NOT NULL", "holds_since <= $2");
        self.records(sql, &[&count(limit), &until.as_millis()]).await
    }

    pub(super) async fn list_silent(&self, filter: Silent, limit: usize) -> Result<Vec<Message>, StoreError> {
        let Silent { asks, from, until } = filter;
        let sql = of_each_channel!(
            "silent_since",
            "silent_since IS NOT NULL",
            "asks = $2 AND silent_since BETWEEN $3 AND $4"
        );
        let values: [&(dyn ToSql + Sync); 4] =
            [&count(limit), &i16::from(asks), &from.as_millis(), &until.as_millis()];
        self.records(sql, &values).await
    }

    pub(super) async fn list_by_provider_id(&self, provider_id: &str) -> Result<Vec<Message>, StoreError> {
        let sql = "SELECT m.record::text AS record FROM outbound_ids o JOIN messages m ON m.id = o.message_id
            WHERE o.provider_id = $1 ORDER BY o.channel";
        self.records(sql, &[&text(provider_id)]).await
    }

    pub(super) async fn list_pauses(&self, now: Timestamp) -> Result<Vec<Pause>, StoreError> {
        let sql = "SELECT record::text AS record FROM pauses WHERE until > $1";
        let mut pauses: Vec<Pause> = self.records(sql, &[&now.as_millis()]).await?;
        pauses.sort_by(|one, other| one.scope.cmp(&other.scope));
        Ok(pauses)
    }

    // --- turns ---

    pub(super) async fn list_failed_turns(&self, request: &PageRequest) -> Result<Page<Turn>, ListError> {
        let before = cursors::read::<FailedTurnsAt>(request)?.map_or(i64::MAX, |at| big(at.order));
        let sql = "SELECT seq, record::text AS record FROM turns
            WHERE has_failed AND seq < $1 ORDER BY seq DESC LIMIT $2";
        let rows = self.rows(sql, &[&before, &one_more(request)]).await?;
        page(&rows, request, |row, _| Ok(FailedTurnsAt { order: unbig(column_of(row, "seq")?)? }))
    }

    pub(super) async fn get_turn(&self, id: TurnId) -> Result<Option<Turn>, StoreError> {
        self.one("SELECT record::text AS record FROM turns WHERE id = $1", &[&id.0]).await
    }

    // --- events ---

    pub(super) async fn list_events(&self, after: u64, limit: usize) -> Result<Vec<Logged>, EventsError> {
        let last = self.get_last_event().await?;
        if after > last {
            return Err(EventsError::Forgotten);
        }
        // There are no gaps: so far, and no more parts of the log need be looked at.
        let until = big(after).saturating_add(count(limit));
        let sql = "SELECT place, at, record::text AS record FROM events
            WHERE place > $1 AND place <= $2 ORDER BY place";
        let rows = self.rows(sql, &[&big(after), &until]).await?;
        let events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
        let is_there = events.first().map_or(after == last || limit == 0, |first| first.place == after + 1);
        if !is_there {
            return Err(EventsError::Forgotten);
        }
        Ok(self.logged(events).await?)
    }

    pub(super) async fn get_event(&self, place: u64) -> Result<Option<Logged>, StoreError> {
        let sql = "SELECT place, at, record::text AS record FROM events WHERE place = $1";
        let rows = self.rows(sql, &[&big(place)]).await?;
        let events = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
        Ok(self.logged(events).await?.into_iter().next())
    }

    pub(super) async fn get_last_event(&self) -> Result<u64, StoreError> {
        place_in(&self.rows(NEWEST_PLACE, &[]).await?)
    }

    /// The events, with what they are about.
    async fn logged(&self, events: Vec<Event>) -> Result<Vec<Logged>, StoreError> {
        let (mut customers, mut sessions, mut messages) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in &events {
            match event.what.subject() {
                Some(Subject::Customer(id)) => drop(customers.insert(id.0)),
                Some(Subject::Session(id)) => drop(sessions.insert(id.0)),
                Some(Subject::Message(id)) => drop(messages.insert(id.0)),
                None => {}
            }
        }
        let (customers, sessions, messages) = tokio::try_join!(
            self.by_id::<Customer>(
                "SELECT id, record::text AS record FROM customers WHERE id = ANY ($1)",
                customers
            ),
            self.by_id::<Session>(
                "SELECT id, record::text AS record FROM sessions WHERE id = ANY ($1)",
                sessions
            ),
            self.by_id::<Message>(
                "SELECT id, record::text AS record FROM messages WHERE id = ANY ($1)",
                messages
            ),
        )?;
        let logged = |event: Event| {
            let (mut customer, mut session, mut message) = (None, None, None);
            match event.what.subject() {
                Some(Subject::Customer(id)) => customer = customers.get(&id.0).cloned(),
                Some(Subject::Session(id)) => session = sessions.get(&id.0).cloned(),
                Some(Subject::Message(id)) => message = messages.get(&id.0).cloned(),
                None => {}
            }
            Logged { event, customer, session, message }
        };
        Ok(events.into_iter().map(logged).collect())
    }

    async fn by_id<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        ids: BTreeSet<Uuid>,
    ) -> Result<BTreeMap<Uuid, T>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let rows = self.rows(sql, &[&ids]).await?;
        rows.iter().map(|row| Ok((rows::id(row, "id")?, record(row, "record")?))).collect()
    }

    // --- whom the events are told ---

    pub(super) async fn list_endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.records("SELECT record::text AS record FROM endpoints ORDER BY name", &[]).await
    }

    pub(super) async fn get_endpoint(&self, name: &str) -> Result<Option<Endpoint>, StoreError> {
        self.one("SELECT record::text AS record FROM endpoints WHERE name = $1", &[&text(name)]).await
    }

    pub(super) async fn list_due_deliveries(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<DueDeliveries, StoreError> {
        let endpoint = text(endpoint);
        let due = "SELECT record::text AS record FROM deliveries
            WHERE endpoint = $1 AND next_at <= $2 ORDER BY next_at, place LIMIT $3";
        let later = "SELECT next_at FROM deliveries WHERE endpoint = $1 AND next_at > $2 ORDER BY next_at, place LIMIT 1";
        let due = self.records(due, &[&endpoint, &now.as_millis(), &count(limit)]).await?;
        let later = self.rows(later, &[&endpoint, &now.as_millis()]).await?;
        let next_at =
            later.first().map(|row| column_of(row, "next_at").map(Timestamp::from_millis)).transpose()?;
        Ok(DueDeliveries { due, next_at })
    }

    pub(super) async fn get_delivery(
        &self,
        endpoint: &str,
        place: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        let sql = "SELECT record::text AS record FROM deliveries WHERE endpoint = $1 AND place = $2";
        self.one(sql, &[&text(endpoint), &big(place)]).await
    }

    pub(super) async fn list_deliveries(
        &self,
        endpoint: &str,
        request: &PageRequest,
    ) -> Result<Page<Delivery>, ListError> {
        let after = match cursors::read::<DeliveriesAt>(request)? {
            Some(at) if at.endpoint != endpoint => return Err(ListError::InvalidCursor),
            at => at.map_or(-1, |at| big(at.place)),
        };
        let sql = "SELECT record::text AS record FROM deliveries
            WHERE endpoint = $1 AND place > $2 ORDER BY place LIMIT $3";
        let rows = self.rows(sql, &[&text(endpoint), &after, &one_more(request)]).await?;
        page(&rows, request, |_, delivery: &Delivery| {
            Ok(DeliveriesAt { endpoint: delivery.endpoint.clone(), place: delivery.place })
        })
    }

    // --- the rest ---

    pub(super) async fn get_token(&self, sha256: [u8; 32]) -> Result<Option<Token>, StoreError> {
        let sql = "SELECT record::text AS record FROM tokens WHERE sha256 = $1";
        let token: Option<Token> = self.one(sql, &[&sha256.as_slice()]).await?;
        Ok(token.filter(|token| token.revoked_at.is_none()))
    }

    pub(super) async fn list_tokens(&self) -> Result<Vec<Token>, StoreError> {
        let mut tokens: Vec<Token> =
            self.records("SELECT record::text AS record FROM tokens ORDER BY id", &[]).await?;
        tokens.sort_by_key(|token: &Token| -> TokenId { token.id });
        Ok(tokens)
    }

    pub(super) async fn get_last_alive(&self) -> Result<Option<Alive>, StoreError> {
        self.one("SELECT record::text AS record FROM facts WHERE name = 'alive'", &[]).await
    }

    pub(super) async fn get_counts(&self) -> Result<Counts, StoreError> {
        let sql = "SELECT
            (SELECT count(*) FROM messages WHERE is_open AND holds_queue) AS queued,
            (SELECT count(*) FROM messages WHERE status = 'unknown' AND look_at IS NOT NULL) AS looked_for,
            (SELECT count(*) FROM messages WHERE status = 'unknown' AND look_at IS NULL) AS held,
            (SELECT count(*) FROM sessions WHERE inbox = 0) AS waiting,
            (SELECT count(*) FROM turns WHERE is_open) AS turns_open";
        let rows = self.rows(sql, &[]).await?;
        let Some(row) = rows.first() else { return Ok(Counts::default()) };
        let number = |column| unbig(column_of(row, column)?);
        let held = number("held")?;
        Ok(Counts {
            queued: number("queued")?,
            unknown: number("looked_for")? + held,
            held,
            sessions_waiting: number("waiting")?,
            turns_open: number("turns_open")?,
        })
    }
}

fn event(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        place: unbig(column_of(row, "place")?)?,
        at: Timestamp::from_millis(column_of(row, "at")?),
        what: decode(column_of(row, "record")?)?,
    })
}

/// One more than the page takes, to know whether there is more.
fn one_more(request: &PageRequest) -> i64 {
    count(request.limit.saturating_add(1))
}

fn page<T: serde::de::DeserializeOwned, P: Position>(
    rows: &[Row],
    request: &PageRequest,
    position: impl Fn(&Row, &T) -> Result<P, StoreError>,
) -> Result<Page<T>, ListError> {
    let mut items = Vec::with_capacity(rows.len().min(request.limit));
    let mut last = None;
    for row in rows.iter().take(request.limit) {
        let item: T = record(row, "record")?;
        last = Some(position(row, &item)?);
        items.push(item);
    }
    let more = rows.len() > request.limit;
    Ok(Page { items, next: last.filter(|_| more).map(|last| cursors::write(&last)) })
}
