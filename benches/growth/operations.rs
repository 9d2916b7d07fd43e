//! What is done in a store, each by one caller, and how long it takes: on any engine.

use std::sync::Arc;
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
use switchboard::store::{
    Begun, BotSaid, CompleteTurn, CreateMessage, Inbound, InboxFilter, PageRequest, Receipt, RecordInbound,
    Silent, Store, TurnClaim, UpdateSession,
};
use uuid::Uuid;

pub fn rules() -> Policy {
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
pub struct Bench {
    pub store: Arc<dyn Store>,
    made: u64,
}

impl Bench {
    /// `made`: how many ids were made before.
    pub fn new(store: Arc<dyn Store>, made: u64) -> Self {
        Self { store, made }
    }

    fn id(&mut self) -> Uuid {
        self.made += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        uuid_v7(now(), random)
    }

    pub fn text(&mut self, from: &str) -> RecordInbound {
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

    pub async fn hear(&mut self, from: &str) -> (CustomerId, SessionId) {
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

/// A conversation of so many messages as it is when it is over, half of them the customer's: what the others are copies of.
pub async fn sample(bench: &mut Bench, messages: u64) -> CustomerId {
    let (customer, _) = bench.hear("+14155550000").await;
    for round in 0..messages / 2 {
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

/// The operations, in the order in which one needs the other.
pub const OPERATIONS: [&str; 28] = [
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
pub async fn once(bench: &mut Bench, round: u64) -> Vec<Duration> {
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
