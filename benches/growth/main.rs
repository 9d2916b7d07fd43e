//! What an operation costs with few messages stored and with many, on PostgreSQL.
//!
//! cargo bench --bench growth
//!
//! Two stores in one server: `FEW` messages (10,000) and `MANY` (10,000,000), with as many customers, conversations, turns and
//! events as go with them. Each operation is done by one caller, `TIMES` times (400) on either in turn, and the medians are
//! compared. Filling the large one takes a quarter of an hour and some 25 GB.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark fails by panicking, prints, and measures time"
)]

use std::time::{Duration, Instant};

use switchboard::domain::conversation::{
    Answer, AnswerText, AttentionPolicy, BotPolicy, InboundIds, InboundText, KeywordReplies, OutboundText,
    Policy, SessionPatch,
};
use switchboard::domain::delivery::{ReceiptStage, ReceiptStatus, SendOutcome};
use switchboard::domain::ids::{CustomerId, MessageId, SessionId, TurnId, uuid_v7};
use switchboard::domain::message::{Author, Lane, Role};
use switchboard::domain::phone::Address;
use switchboard::domain::search::Query;
use switchboard::domain::time::Timestamp;
use switchboard::domain::turn::Turn;
use switchboard::store::postgres::{PostgresOptions, PostgresStore};
use switchboard::store::{
    Begun, BotSaid, CompleteTurn, CreateMessage, Inbound, InboxFilter, PageRequest, Receipt, RecordInbound,
    Silent, Store, TurnClaim, UpdateSession,
};
use uuid::Uuid;

#[path = "../../tests/postgres/server.rs"]
mod postgres;

/// Messages of a conversation: half of them the customer's, half ours.
const PER_SESSION: u64 = 20;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn rules() -> Policy {
    Policy {
        idle_after: Duration::from_secs(7_200),
        has_bot: true,
        forward_keywords: false,
        max_content_units: 1600,
        bot: BotPolicy::default(),
        attention: AttentionPolicy::default(),
    }
}

fn lane() -> Lane {
    Lane { channel: "main".into(), sender: "+15550001111".into() }
}

/// One store, and what is done in it.
struct Bench {
    store: PostgresStore,
    made: u64,
}

impl Bench {
    fn id(&mut self) -> Uuid {
        self.made += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        uuid_v7(now(), random)
    }

    fn text(&mut self, from: &str) -> RecordInbound {
        let ids = InboundIds {
            customer: CustomerId(self.id()),
            session: SessionId(self.id()),
            message: MessageId(self.id()),
            turn: TurnId(self.id()),
            reply: MessageId(self.id()),
        };
        let text = InboundText {
            lane: lane(),
            provider_id: format!("IN{}", ids.message),
            from: Address::parse(from).unwrap(),
            content: "as much as customers write when they have something to say to a brand".into(),
            media: Vec::new(),
            sent_at: None,
            recovered: false,
            keyword: None,
            replies: KeywordReplies::default(),
        };
        RecordInbound { text, ids, now: now() }
    }

    async fn hear(&mut self, from: &str) -> (CustomerId, SessionId) {
        let text = self.text(from);
        match self.store.record_inbound(text).await.unwrap() {
            Inbound::Recorded { message, session, .. } => (message.customer_id, session.id),
            Inbound::Duplicate { .. } => panic!("it is new"),
        }
    }

    fn say(&mut self, customer_id: CustomerId) -> CreateMessage {
        let text = OutboundText {
            id: MessageId(self.id()),
            author: Author { role: Role::Init, name: "bot".into() },
            content: "as much as a brand has to say to that".into(),
            default_lane: Some(lane()),
            not_before: None,
            valid_for: Duration::from_secs(4 * 3_600),
            confirmation: None,
            new_session: SessionId(self.id()),
            new_turn: TurnId(self.id()),
            turn_id: None,
            unprompted: false,
        };
        CreateMessage { customer_id, text, idempotency: None, now: now() }
    }

    fn answer(&mut self, to: &Turn, texts: Vec<AnswerText>) -> CompleteTurn {
        let said = BotSaid {
            message_ids: texts.iter().map(|_| MessageId(self.id())).collect(),
            answer: Answer { texts, ..Answer::default() },
            bot_name: "bot".into(),
            valid_for: Duration::from_secs(3_600),
            new_turn: TurnId(self.id()),
        };
        CompleteTurn { turn_id: to.id, attempt: to.attempts, said, now: now() }
    }
}

fn now() -> Timestamp {
    switchboard::app::ambient::now()
}

/// A conversation as it is when it is over: what the others are copies of.
async fn sample(bench: &mut Bench) -> CustomerId {
    let (customer, _) = bench.hear("+14155550000").await;
    for round in 0..PER_SESSION / 2 {
        if round > 0 {
            bench.hear("+14155550000").await;
        }
        let TurnClaim::Work(work) = bench.store.claim_turn("bench", now()).await.unwrap() else {
            panic!("a turn is due")
        };
        let text = AnswerText { content: "an answer".into(), delay: Duration::ZERO, valid_for: None };
        let command = bench.answer(&work.turn, vec![text]);
        let message = bench.store.complete_turn(command).await.unwrap().messages[0].id;
        send(bench, message, &format!("SM{round}")).await;
    }
    let patch = SessionPatch { tags: Some(vec!["vip".into()]), ..SessionPatch::default() };
    let tag = UpdateSession { customer_id: customer, patch, new_turn: TurnId(bench.id()), now: now() };
    bench.store.update_session(tag).await.unwrap();
    customer
}

async fn send(bench: &Bench, message: MessageId, provider_id: &str) {
    let Begun::Attempt(begun) = bench.store.begin_attempt(message, "bench", now()).await.unwrap() else {
        panic!("it is due");
    };
    let outcome = SendOutcome::Accepted { provider_id: provider_id.to_owned(), from: None };
    bench.store.settle(message, begun.delivery.attempt_number(), outcome, now()).await.unwrap();
    receipt(bench, provider_id).await;
}

async fn receipt(bench: &Bench, provider_id: &str) {
    let status =
        ReceiptStatus { stage: ReceiptStage::Delivered, raw: "delivered".into(), error: None, at: now() };
    let receipt =
        Receipt { channel: "main".into(), provider_id: provider_id.to_owned(), message_id: None, status };
    bench.store.apply_receipt(receipt, now()).await.unwrap();
}

/// Copies the sample until there are so many messages. Ids sort by time, as they do.
fn fill(address: &str, messages: u64) {
    let conversations = messages / PER_SESSION;
    let some = 2_000;
    for begin in (1..=conversations).step_by(some) {
        let end = (begin + some as u64 - 1).min(conversations);
        // A copy's ids are the sample's with its number in place of the time that they begin with.
        let id = |of: &str| {
            format!("(lpad(to_hex(n), 12, '0') || substr(replace({of}::text, '-', ''), 13))::uuid")
        };
        let record = |of: &str| {
            format!(
                "regexp_replace(replace({of}.record::text, '+14155550000', '+1' || (2000000000 + n)),
                    '\"[0-9a-f]{{8}}-[0-9a-f]{{4}}-(7[0-9a-f]{{3}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}\")',
                    '\"' || substr(lpad(to_hex(n), 12, '0'), 1, 8) || '-' || substr(lpad(to_hex(n), 12, '0'), 9, 4) || '-\\1',
                    'g')::json"
            )
        };
        let series = format!("generate_series({begin}::bigint, {end}::bigint) n");
        let seq = "s.seq + n * 100000";
        let sql = format!(
            "SET synchronous_commit = off;
            INSERT INTO customers SELECT {cid}, {seq}, '+1' || (2000000000 + n), NULL, NULL, {crec} FROM {series}, sample_customers s;
            INSERT INTO customer_words SELECT CASE WHEN left(word, 1) = '<' THEN '<' || reverse((12000000000 + n)::text) ELSE (12000000000 + n)::text END, {wid} FROM {series}, sample_words s;
            INSERT INTO sessions SELECT {cid}, {seq}, {scid}, inbox, inbox_since + n, attend_at, assignee, tags, topics, last_message_at, {crec} FROM {series}, sample_sessions s;
            INSERT INTO messages SELECT {cid}, {msid}, place, {scid}, status, {seq}, channel, sender, priority, segments, ready_at, valid_until, look_at, holds_since, asks, silent_since, owner, is_open, holds_queue, is_head, NULL, NULL, {crec} FROM {series}, sample_messages s;
            INSERT INTO turns SELECT {cid}, {seq}, {msid}, place, {scid}, due_at, owner, is_open, is_head, has_failed, {crec} FROM {series}, sample_turns s;
            INSERT INTO inbound_ids SELECT provider_id || n, channel, {mid} FROM {series}, sample_inbound s;
            INSERT INTO outbound_ids SELECT provider_id || '-' || n, channel, {mid} FROM {series}, sample_outbound s;
            INSERT INTO events SELECT (SELECT value FROM counters WHERE name = 'events') + row_number() OVER (), at, s.record FROM {series}, sample_events s;
            UPDATE counters SET value = value + (SELECT count(*) FROM sample_events) * {count} WHERE name = 'events'",
            cid = id("s.id"),
            wid = id("s.customer_id"),
            scid = id("s.customer_id"),
            msid = id("s.session_id"),
            mid = id("s.message_id"),
            crec = record("s"),
            count = end - begin + 1,
        );
        let part = format!(
            "DO $$ DECLARE p bigint; BEGIN FOR p IN SELECT generate_series(0, ((SELECT value FROM counters WHERE name = 'events')
                + {some} * (SELECT count(*) FROM sample_events)) / 4000000 + 1) LOOP
                EXECUTE format('CREATE TABLE IF NOT EXISTS events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s)', p, p * 4000000, (p + 1) * 4000000);
            END LOOP; END $$"
        );
        postgres::execute(address, &part);
        postgres::execute(address, &sql);
        if (begin / some as u64).is_multiple_of(25) {
            println!("{} of {messages} messages", end * PER_SESSION);
        }
    }
    postgres::execute(address, &format!("SELECT setval('orders', {})", (conversations + 2) * 100_000));
    postgres::execute(address, "VACUUM ANALYZE");
}

async fn open(name: &str, messages: u64) -> Bench {
    let address = postgres::schema(name);
    let (database, tls) = (address.parse().unwrap(), postgres::tls());
    let options = PostgresOptions { database, tls, writers: 2, readers: 2 };
    let mut bench = Bench { store: PostgresStore::open(&options, rules()).await.unwrap(), made: 0 };
    sample(&mut bench).await;
    for (table, from) in [
        ("customers", "customers"),
        ("words", "customer_words"),
        ("sessions", "sessions"),
        ("messages", "messages"),
        ("turns", "turns"),
        ("inbound", "inbound_ids"),
        ("outbound", "outbound_ids WHERE message_id IS NOT NULL"),
        ("events", "events"),
    ] {
        postgres::execute(&address, &format!("CREATE TABLE sample_{table} AS SELECT * FROM {from}"));
    }
    let filling = Instant::now();
    tokio::task::block_in_place(|| fill(&address, messages));
    println!("{name}: {messages} messages in {} s", filling.elapsed().as_secs());
    drop(bench);
    Bench { store: PostgresStore::open(&options, rules()).await.unwrap(), made: 1 << 40 }
}

/// The operations, in the order in which one needs the other.
const OPERATIONS: [&str; 28] = [
    "take a text of a new customer",
    "take a text of a known customer",
    "take a text that is a repeat",
    "hand out a turn",
    "keep the bot's answer",
    "queue an agent's or the bot's text",
    "what a lane has next",
    "begin an attempt",
    "settle an attempt",
    "apply a receipt",
    "read a page of messages",
    "read the inbox",
    "find a customer by number",
    "search customers",
    "read the log's end",
    "sweep",
    "read the inbox by a tag that all have",
    "read what the bot has",
    "read a customer's conversations",
    "read a page of customers",
    "give a conversation to agents",
    "give it back to the bot",
    "lanes that have something queued",
    "texts of unknown fate to look for",
    "silent texts to ask about",
    "an endpoint's deliveries that are due",
    "what is counted for the metrics",
    "look for old conversations and events",
];

macro_rules! measured {
    ($took:expr, $operation:expr) => {{
        let began = Instant::now();
        let done = $operation;
        $took.push(began.elapsed());
        done
    }};
}

/// What is looked for again and again, or by agents.
async fn look(bench: &mut Bench, customer_id: CustomerId, took: &mut Vec<Duration>) {
    let page = || PageRequest { after: None, limit: 50 };
    let tagged = InboxFilter { tag: Some("vip".into()), ..InboxFilter::default() };
    measured!(took, bench.store.inbox(tagged, page()).await.unwrap());
    let with_bot = InboxFilter { need_attention: Some(false), ..InboxFilter::default() };
    measured!(took, bench.store.inbox(with_bot, page()).await.unwrap());
    measured!(took, bench.store.sessions_of(customer_id, page()).await.unwrap());
    measured!(took, bench.store.customers(page()).await.unwrap());
    for held in [true, false] {
        let patch = SessionPatch { need_attention: Some(held), ..SessionPatch::default() };
        let switch = UpdateSession { customer_id, patch, new_turn: TurnId(bench.id()), now: now() };
        measured!(took, bench.store.update_session(switch).await.unwrap());
    }
    measured!(took, bench.store.busy_lanes().await.unwrap());
    measured!(took, bench.store.unknown_due(now(), 50).await.unwrap());
    let silent = Silent { asks: 0, from: Timestamp::default(), until: now() };
    measured!(took, bench.store.silent(silent, 50).await.unwrap());
    measured!(took, bench.store.due_deliveries("crm", now(), 50).await.unwrap());
    measured!(took, bench.store.counts().await.unwrap());
    let old = async {
        bench.store.prune(Timestamp::default(), None, 500, now()).await.unwrap();
        bench.store.prune_events(Timestamp::default(), 500, now()).await.unwrap();
    };
    measured!(took, old.await);
}

/// Does each once; how long each took.
async fn once(bench: &mut Bench, round: u64) -> Vec<Duration> {
    let mut took = Vec::with_capacity(OPERATIONS.len());
    macro_rules! measure {
        ($operation:expr) => {
            measured!(took, $operation)
        };
    }
    let (new, known) =
        (format!("+1415{:07}", 1_000_000 + round), format!("+1{}", 2_000_000_000 + 1 + round % 400));
    let (first, second) = (bench.text(&new), bench.text(&known));
    let again = second.clone();
    measure!(bench.store.record_inbound(first).await.unwrap());
    let taken = measure!(bench.store.record_inbound(second).await.unwrap());
    measure!(bench.store.record_inbound(again).await.unwrap());
    let Inbound::Recorded { message, session, .. } = taken else { panic!("it is new") };
    let TurnClaim::Work(work) = measure!(bench.store.claim_turn("bench", now()).await.unwrap()) else {
        panic!("a turn is due");
    };
    let answer = bench.answer(&work.turn, Vec::new());
    measure!(bench.store.complete_turn(answer).await.unwrap());
    let say = bench.say(message.customer_id);
    let queued = measure!(bench.store.create_message(say).await.unwrap()).value.id;
    measure!(bench.store.lane_heads(&lane(), now(), 64).await.unwrap());
    let begun = measure!(bench.store.begin_attempt(queued, "bench", now()).await.unwrap());
    let Begun::Attempt(begun) = begun else { panic!("it is due: {begun:?}") };
    let provider_id = format!("BE{round}");
    let outcome = SendOutcome::Accepted { provider_id: provider_id.clone(), from: None };
    measure!(bench.store.settle(queued, begun.delivery.attempt_number(), outcome, now()).await.unwrap());
    measure!(receipt(bench, &provider_id).await);
    let page = || PageRequest { after: None, limit: 50 };
    measure!(bench.store.messages_of(session.id, page()).await.unwrap());
    measure!(bench.store.inbox(InboxFilter::default(), page()).await.unwrap());
    measure!(bench.store.customer_by_number(&Address::parse(&known).unwrap()).await.unwrap());
    measure!(bench.store.search_customers(Query::parse(&known).unwrap(), 20).await.unwrap());
    let last = bench.store.last_event().await.unwrap();
    measure!(bench.store.events(last - 50, 200).await.unwrap());
    measure!(bench.store.sweep(now(), 500).await.unwrap());
    look(bench, message.customer_id, &mut took).await;
    // The turn of the new customer waits for nobody.
    while let TurnClaim::Work(work) = bench.store.claim_turn("bench", now()).await.unwrap() {
        let answer = bench.answer(&work.turn, Vec::new());
        bench.store.complete_turn(answer).await.unwrap();
    }
    took
}

fn median(mut of: Vec<Duration>) -> f64 {
    of.sort_unstable();
    of[of.len() / 2].as_secs_f64() * 1_000.0
}

fn main() {
    postgres::wait_for_the_disk();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (few, many) = (from_environment("FEW", 10_000), from_environment("MANY", 10_000_000));
        let times = from_environment("TIMES", 400);
        let mut small = open("few", few).await;
        let mut large = open("many", many).await;
        let mut took = [Vec::new(), Vec::new()];
        // The first rounds warm up both.
        for round in 0..times + 50 {
            let (one, other) = (once(&mut small, round).await, once(&mut large, round).await);
            if round >= 50 {
                took[0].push(one);
                took[1].push(other);
            }
        }
        println!("| operation | {few} messages, ms | {many} messages, ms | ratio |\n|---|---|---|---|");
        for (place, operation) in OPERATIONS.iter().enumerate() {
            let of =
                |which: usize| median(took[which].iter().map(|round: &Vec<Duration>| round[place]).collect());
            let (one, other) = (of(0), of(1));
            println!("| {operation} | {one:.2} | {other:.2} | {:.2} |", other / one);
        }
    });
}
