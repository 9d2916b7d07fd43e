//! Commands with readable defaults, ids from a counter, and shorthands for what most cases begin with.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use switchboard::domain::conversation::{
    Answer, AnswerText, InboundIds, InboundText, KeywordReplies, OutboundText, Policy, SessionPatch,
};
use switchboard::domain::customer::{ConsentEvidence, ConsentSource, Customer};
use switchboard::domain::delivery::{
    DeliveryError, ErrorClass, Evidence, ReceiptStage, ReceiptStatus, SendOutcome, Status,
};
use switchboard::domain::event::What;
use switchboard::domain::ids::{CustomerId, MessageId, SessionId, TurnId};
use switchboard::domain::message::{Author, Lane, Message, Role};
use switchboard::domain::phone::Address;
use switchboard::domain::session::Session;
use switchboard::domain::time::Timestamp;
use switchboard::domain::turn::TurnWork;
use switchboard::store::{
    AssignSession, Begun, BotSaid, CompleteTurn, CreateCustomer, CreateMessage, Idempotency, Inbound,
    LaneHead, PageRequest, Receipt, RecordInbound, ReplyToTurn, SetSubscription, Store, StoreError,
    TurnClaim, TurnCompleted, UpdateSession,
};
use uuid::Uuid;

use crate::engines::{Open, Opened};

pub const ANN: &str = "+14155550101";
pub const BOB: &str = "+14155550102";
pub const CLEO: &str = "+14155550103";

/// The process that sends and asks, unless a case says otherwise.
pub const HERE: &str = "here";
pub const VALID_FOR: Duration = Duration::from_secs(4 * 60 * 60);
pub const IDLE_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

/// So many seconds after the cases' beginning of time.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

pub fn number(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn lane() -> Lane {
    Lane { channel: "main".into(), sender: "+15550001111".into() }
}

pub fn other_lane() -> Lane {
    Lane { channel: "other".into(), sender: "+15550002222".into() }
}

pub fn rules() -> Policy {
    Policy {
        idle_after: IDLE_AFTER,
        has_bot: true,
        forward_keywords: false,
        max_content_units: 1600,
        bot: switchboard::domain::conversation::BotPolicy::default(),
        attention: switchboard::domain::conversation::AttentionPolicy::default(),
    }
}

pub fn first(limit: usize) -> PageRequest {
    PageRequest { after: None, limit }
}

pub fn all() -> PageRequest {
    first(10_000)
}

pub fn by_api() -> ConsentEvidence {
    ConsentEvidence { source: ConsentSource::Api, lane: None, message_id: None, detail: "desk".into() }
}

pub fn error(class: ErrorClass) -> DeliveryError {
    DeliveryError { code: Some("21610".into()), class, text: "the provider's words".into() }
}

pub fn accepted(provider_id: &str) -> SendOutcome {
    SendOutcome::Accepted { provider_id: provider_id.into(), from: None }
}

pub fn permanent(class: ErrorClass) -> SendOutcome {
    SendOutcome::Permanent { error: error(class) }
}

pub fn transient(ready_at: Timestamp) -> SendOutcome {
    SendOutcome::Transient { error: error(ErrorClass::Transient), ready_at }
}

pub fn unknown(look_at: Timestamp) -> SendOutcome {
    SendOutcome::Unknown { error: error(ErrorClass::Unknown), look_at }
}

pub fn receipt(provider_id: &str, stage: ReceiptStage, at: Timestamp) -> Receipt {
    Receipt {
        channel: lane().channel,
        provider_id: provider_id.into(),
        message_id: None,
        status: ReceiptStatus { stage, raw: format!("{stage:?}").to_lowercase(), error: None, at },
    }
}

pub fn texts(contents: &[&str]) -> Answer {
    let text =
        |content: &&str| AnswerText { content: (*content).into(), delay: Duration::ZERO, valid_for: None };
    Answer { texts: contents.iter().map(text).collect(), ..Answer::default() }
}

pub fn hand_off(contents: &[&str]) -> Answer {
    Answer { handoff: Some("asked for a human".into()), ..texts(contents) }
}

pub fn key(scope: &str, key: &str, request: u8) -> Idempotency {
    Idempotency { scope: scope.into(), key: key.into(), request: [request; 32] }
}

pub fn assignment(
    customer_id: CustomerId,
    assignee: Option<&str>,
    caller: &str,
    now: Timestamp,
) -> AssignSession {
    let assignee = assignee.map(str::to_owned);
    AssignSession { customer_id, assignee, caller: caller.into(), force: false, now }
}

/// A store that a case works on.
pub struct Fixture {
    opened: Opened,
    next_id: AtomicU64,
}

impl Deref for Fixture {
    type Target = Arc<dyn Store>;
    fn deref(&self) -> &Arc<dyn Store> {
        &self.opened.store
    }
}

impl Fixture {
    /// What came of looking for its last attempt.
    pub async fn resolve(
        &self,
        id: MessageId,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        let attempt = self.message(id).await?.map_or(1, |message| message.delivery.attempt_number());
        self.opened.store.resolve(id, attempt, evidence, now).await
    }

    pub fn new(open: Open) -> Self {
        Self::under(open, rules())
    }

    pub fn under(open: Open, rules: Policy) -> Self {
        Self::of(open(rules))
    }

    pub fn of(opened: Opened) -> Self {
        Self { opened, next_id: AtomicU64::new(1) }
    }

    /// Gives no id that the other has given.
    pub fn skip_ids_of(&self, other: &Self) {
        self.next_id.fetch_max(other.next_id.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub fn id(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.next_id.fetch_add(1, Ordering::Relaxed)))
    }

    // --- commands ---

    /// A text from `from`, with a provider id of its own.
    pub fn text(&self, from: &str, content: &str, now: Timestamp) -> RecordInbound {
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
            from: number(from),
            content: content.into(),
            media: Vec::new(),
            sent_at: None,
            recovered: false,
            keyword: None,
            replies: KeywordReplies::default(),
        };
        RecordInbound { text, ids, now }
    }

    /// The message of that channel that the provider's id belongs to.
    pub async fn by_provider_id(&self, channel: &str, provider_id: &str) -> Option<MessageId> {
        let messages = self.messages_by_provider_id(provider_id).await.unwrap();
        messages.iter().find(|message| message.delivery.lane.channel == channel).map(|message| message.id)
    }

    /// An unconfirmed customer.
    pub fn customer(&self, of: &str, now: Timestamp) -> CreateCustomer {
        CreateCustomer {
            id: CustomerId(self.id()),
            number: number(of),
            email: None,
            first_name: Some("Ann".into()),
            last_name: None,
            time_zone: "UTC".into(),
            country_code: Some("US".into()),
            confirmed: None,
            token: Some("123456".into()),
            idempotency: None,
            now,
        }
    }

    pub fn say(
        &self,
        customer_id: CustomerId,
        author: Author,
        content: &str,
        now: Timestamp,
    ) -> CreateMessage {
        let text = OutboundText {
            id: MessageId(self.id()),
            author,
            content: content.into(),
            default_lane: Some(lane()),
            not_before: None,
            valid_for: VALID_FOR,
            confirmation: None,
            new_session: SessionId(self.id()),
            new_turn: TurnId(self.id()),
            turn_id: None,
            unprompted: false,
        };
        CreateMessage { customer_id, text, idempotency: None, now }
    }

    pub fn by_agent(&self, customer_id: CustomerId, content: &str, now: Timestamp) -> CreateMessage {
        self.say(customer_id, Author { role: Role::Agent, name: "desk".into() }, content, now)
    }

    pub fn by_bot(&self, customer_id: CustomerId, content: &str, now: Timestamp) -> CreateMessage {
        self.say(customer_id, Author { role: Role::Init, name: "bot".into() }, content, now)
    }

    /// A confirmation text of the gateway's.
    pub fn by_gateway(&self, customer_id: CustomerId, content: &str, now: Timestamp) -> CreateMessage {
        let mut command = self.say(customer_id, Author::gateway(), content, now);
        command.text.confirmation = Some(content.to_owned());
        command
    }

    pub fn update(&self, customer_id: CustomerId, patch: SessionPatch, now: Timestamp) -> UpdateSession {
        UpdateSession { customer_id, patch, new_turn: TurnId(self.id()), now }
    }

    /// What the bot says to a turn by a call of its own.
    pub fn reply(&self, turn_id: TurnId, key: u8, answer: Answer, now: Timestamp) -> ReplyToTurn {
        ReplyToTurn { turn_id, key: [key; 32], said: self.said(answer), now }
    }

    pub fn completion(&self, work: &TurnWork, answer: Answer, now: Timestamp) -> CompleteTurn {
        CompleteTurn { turn_id: work.turn.id, attempt: work.turn.attempts, said: self.said(answer), now }
    }

    fn said(&self, answer: Answer) -> BotSaid {
        BotSaid {
            message_ids: answer.texts.iter().map(|_| MessageId(self.id())).collect(),
            answer,
            bot_name: "bot".into(),
            valid_for: VALID_FOR,
            new_turn: TurnId(self.id()),
        }
    }

    // --- what most cases begin with ---

    /// Takes a text that is new.
    pub async fn hear(&self, command: RecordInbound) -> (Message, Session) {
        match self.record_inbound(command).await.unwrap() {
            Inbound::Recorded { message, session, .. } => (*message, *session),
            Inbound::Duplicate { message_id } => panic!("{message_id} is a repeat"),
        }
    }

    /// A customer who has written, so that they are confirmed; the bot has them.
    pub async fn with_bot(&self, of: &str) -> CustomerId {
        self.hear(self.text(of, "hello", at(0))).await.0.customer_id
    }

    /// The same, but agents have them; there is nothing that the bot is still to be asked.
    pub async fn with_agents(&self, of: &str) -> CustomerId {
        let id = self.with_bot(of).await;
        self.hold(id, at(0)).await;
        id
    }

    pub async fn hold(&self, id: CustomerId, now: Timestamp) -> Session {
        let patch = SessionPatch { need_attention: Some(true), ..SessionPatch::default() };
        self.update_session(self.update(id, patch, now)).await.unwrap()
    }

    pub async fn let_go(&self, id: CustomerId, now: Timestamp) -> Session {
        let patch = SessionPatch { need_attention: Some(false), ..SessionPatch::default() };
        self.update_session(self.update(id, patch, now)).await.unwrap()
    }

    pub async fn unsubscribe(&self, customer_id: CustomerId, now: Timestamp) {
        let command = SetSubscription { customer_id, unsubscribed: true, evidence: by_api(), now };
        self.set_subscription(command).await.unwrap();
    }

    pub async fn queue(&self, command: CreateMessage) -> MessageId {
        self.create_message(command).await.unwrap().value.id
    }

    /// Begins an attempt that must be possible; its fencing token.
    pub async fn begin(&self, id: MessageId, now: Timestamp) -> u32 {
        match self.begin_attempt(id, HERE, now).await.unwrap() {
            Begun::Attempt(message) => message.delivery.attempt_number(),
            other => panic!("{id} was not begun: {other:?}"),
        }
    }

    /// Begins an attempt and settles it.
    pub async fn send(&self, id: MessageId, outcome: SendOutcome, now: Timestamp) -> Message {
        let attempt = self.begin(id, now).await;
        Store::settle(&***self, id, attempt, outcome, now).await.unwrap()
    }

    pub async fn claim(&self, now: Timestamp) -> TurnWork {
        match self.claim_turn(HERE, now).await.unwrap() {
            TurnClaim::Work(work) => *work,
            other => panic!("there is no turn: {other:?}"),
        }
    }

    /// Answers a turn in hand.
    pub async fn answer(&self, work: &TurnWork, answer: Answer, now: Timestamp) -> TurnCompleted {
        self.complete_turn(self.completion(work, answer, now)).await.unwrap()
    }

    // --- what most cases look at ---

    /// Where the log stands.
    pub async fn place(&self) -> u64 {
        self.last_event().await.unwrap()
    }

    /// What was told after a place.
    pub async fn told(&self, after: u64) -> Vec<What> {
        let logged = self.events(after, usize::MAX).await.unwrap();
        logged.into_iter().map(|logged| logged.event.what).collect()
    }

    /// The same, by the names.
    pub async fn names(&self, after: u64) -> Vec<&'static str> {
        self.told(after).await.iter().map(What::name).collect()
    }

    pub async fn get(&self, id: MessageId) -> Message {
        self.message(id).await.unwrap().unwrap()
    }

    pub async fn status(&self, id: MessageId) -> Status {
        self.get(id).await.delivery.status
    }

    pub async fn who(&self, id: CustomerId) -> Customer {
        Store::customer(&***self, id).await.unwrap().unwrap()
    }

    pub async fn talk(&self, id: CustomerId) -> Session {
        self.newest_session(id).await.unwrap().unwrap()
    }

    /// The message that the lane has to send.
    pub async fn head(&self, now: Timestamp) -> Option<MessageId> {
        match self.lane_head(&lane(), now).await.unwrap() {
            LaneHead::Ready { message_id, .. } => Some(message_id),
            LaneHead::NotBefore(_) | LaneHead::Empty => None,
        }
    }
}

/// Runs the same call in as many tasks at once, and gives all their answers.
pub async fn at_once<T, F>(tasks: usize, call: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the tasks end here")]
    let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(call(task))).collect();
    let mut answers = Vec::new();
    for task in running {
        answers.push(task.await.unwrap());
    }
    answers
}
