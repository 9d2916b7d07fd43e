//! A gateway whose time is tokio's paused clock, whose provider keeps what it was given, and whose bot is scripted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::bot::{Bot, BotError};
use crate::domain::conversation::{
    Answer, AnswerText, AttentionPolicy, BotPolicy, KeywordReplies, Policy, SessionPatch,
};
use crate::domain::delivery::{DeliveryError, ErrorClass, OnUnknown, ReceiptStatus};
use crate::domain::ids::{CustomerId, MessageId};
use crate::domain::message::{Author, Media, Message, Role};
use crate::domain::pause::{Length, Rest, Resting, TOO_FAST};
use crate::domain::phone::Address;
use crate::domain::retry::Asks;
use crate::domain::time::Timestamp;
use crate::domain::turn::TurnWork;
use crate::gateway::ambient::{Clock, Entropy};
use crate::gateway::channels::{Channel, Channels, Sender, SignaturePolicy};
use crate::gateway::conversation::Say;
use crate::gateway::events::EventFilter;
use crate::gateway::notices::{Notices, Subscriber};
use crate::gateway::pace::{ChannelPace, Paces};
use crate::gateway::{Gateway, Parts, Settings};
use crate::provider::{
    Acknowledgement, AskError, Capability, OutgoingText, ParseError, Provider, ProviderReceipt, ProviderText,
    Received, ReceivedText, Sent, SentRecord, SignatureError, Span, WebhookRequest,
};
use crate::store::memory::{MemoryStore, Refused};
use crate::store::{Alive, Inbound, Muster, Mustered, Store, StoreError};

use super::ear::Ear;

pub const BRAND: &str = "+15550001111";
pub const OTHER_BRAND: &str = "+15550002222";

/// When it began, and by how many milliseconds the wall clock has jumped since.
struct PausedClock(Instant, AtomicI64);

impl PausedClock {
    #[expect(clippy::disallowed_methods, reason = "the test's clock is tokio's, which stands still")]
    fn start() -> Self {
        Self(Instant::now(), AtomicI64::new(0))
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let jumped = self.1.load(Ordering::Relaxed);
        Timestamp::from_millis(1_700_000_000_000 + jumped).after(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Counts, so that nothing is made twice.
#[derive(Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(count.iter().cycle()).for_each(|(byte, count)| *byte = *count);
    }
}

/// What the provider does with a text.
#[derive(Clone, Debug)]
pub enum Act {
    Take,
    /// Takes it, and says so after a while.
    AnswerSlowly(Duration),
    /// Takes it, after a while.
    TakeSlowly(Duration),
    Throttle {
        retry_after_s: u64,
    },
    /// The provider's queue for this sender is full.
    QueueFull {
        retry_after_s: u64,
    },
    Refuse(ErrorClass),
    /// The line breaks; it was taken, or not.
    Break {
        taken: bool,
    },
}

/// One text that was handed over, and when.
#[derive(Clone, Debug)]
pub struct Handed {
    pub at: Duration,
    pub text: OutgoingText,
}

/// A provider that does as it is told, and `Take`s when it is told nothing.
pub struct Carrier {
    started: Instant,
    acts: Mutex<VecDeque<Act>>,
    handed: Mutex<Vec<Handed>>,
    taken: Mutex<Vec<SentRecord>>,
    /// What customers texted, as the provider lists it.
    pub missed: Mutex<Vec<ReceivedText>>,
    pub media: Mutex<BTreeMap<String, Vec<Media>>>,
    /// What the next calls of that list fail with.
    pub list_errors: Mutex<VecDeque<String>>,
    /// When it was asked for, of which number, and since when.
    pub asked: Mutex<Vec<(Duration, String, Timestamp)>>,
    /// It does not answer for what came from then on.
    pub lists_until: Mutex<Option<Timestamp>>,
    /// How many texts it lists at once.
    pub lists_at_once: AtomicUsize,
    changed: Notify,
    lists: bool,
    /// How often it was asked what was taken.
    pub looked: AtomicU64,
    /// While it is set, asking what was taken fails.
    silent: AtomicBool,
    /// How long it takes to say what was taken.
    dawdles: Mutex<Duration>,
    /// What it says of any text when it is asked.
    says: Mutex<Option<ReceiptStatus>>,
    fetched: Mutex<Vec<(Duration, String)>>,
    /// How long after it was taken a text shows in the list.
    list_lag: Duration,
}

impl Carrier {
    fn new(started: Instant) -> Self {
        Self {
            started,
            acts: Mutex::default(),
            handed: Mutex::default(),
            taken: Mutex::default(),
            missed: Mutex::default(),
            media: Mutex::default(),
            list_errors: Mutex::default(),
            asked: Mutex::default(),
            lists_until: Mutex::default(),
            lists_at_once: AtomicUsize::new(usize::MAX),
            changed: Notify::new(),
            lists: true,
            looked: AtomicU64::new(0),
            silent: AtomicBool::new(false),
            dawdles: Mutex::default(),
            says: Mutex::default(),
            fetched: Mutex::default(),
            list_lag: Duration::ZERO,
        }
    }

    pub fn next(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    /// Asking what was taken takes so long from now on.
    pub fn dawdles(&self, pause: Duration) {
        *self.dawdles.lock().unwrap() = pause;
    }

    /// Whether asking what was taken fails from now on.
    pub fn falls_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// What it says of any text from now on, when it is asked.
    pub fn says(&self, status: Option<ReceiptStatus>) {
        *self.says.lock().unwrap() = status;
    }

    /// What it was asked about, and when.
    pub fn fetched(&self) -> Vec<(Duration, String)> {
        self.fetched.lock().unwrap().clone()
    }

    pub fn handed(&self) -> Vec<Handed> {
        self.handed.lock().unwrap().clone()
    }

    pub fn contents(&self) -> Vec<String> {
        self.handed().into_iter().map(|handed| handed.text.content).collect()
    }

    /// What was handed over, once it is so much; time passes meanwhile.
    pub async fn until(&self, count: usize) -> Vec<Handed> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let handed = self.handed();
                if handed.len() >= count {
                    return handed;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(7 * 86_400), wait).await;
        waited.unwrap_or_else(|_| panic!("only {} of {count} texts were handed over", self.handed().len()))
    }

    fn record(&self, text: &OutgoingText) -> String {
        let mut taken = self.taken.lock().unwrap();
        let provider_id = format!("SM{}", taken.len());
        taken.push(SentRecord {
            provider_id: provider_id.clone(),
            to: text.to.clone(),
            from: Some(text.sender.clone()),
            content: text.content.clone(),
            created_at: Timestamp::from_millis(1_700_000_000_000).after(self.started.elapsed()),
        });
        provider_id
    }
}

/// What concerns one sender alone.
pub fn queue_full(class: ErrorClass) -> DeliveryError {
    DeliveryError { code: Some(QUEUE_FULL.into()), ..error(class) }
}

const QUEUE_FULL: &str = "queue-full";

fn error(class: ErrorClass) -> DeliveryError {
    DeliveryError { code: None, class, text: "as the test says".into() }
}

#[async_trait]
impl Provider for Carrier {
    fn capability(&self) -> Capability {
        Capability {
            lists_sent: self.lists,
            lists_received: self.lists,
            receipts: true,
            fetches_status: self.lists,
            answers_keywords: true,
        }
    }

    fn verify(&self, _: &WebhookRequest) -> Result<(), SignatureError> {
        Ok(())
    }

    fn parse_text(&self, _: &WebhookRequest) -> Result<ProviderText, ParseError> {
        Err(ParseError::Missing("everything"))
    }

    fn parse_receipt(&self, _: &WebhookRequest, _: Timestamp) -> Result<ProviderReceipt, ParseError> {
        Err(ParseError::Missing("everything"))
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { content_type: "text/plain", body: "" }
    }

    async fn send(&self, text: &OutgoingText) -> Sent {
        let at = self.started.elapsed();
        self.handed.lock().unwrap().push(Handed { at, text: text.clone() });
        self.changed.notify_waiters();
        let act = self.acts.lock().unwrap().pop_front().unwrap_or(Act::Take);
        let accepted = |provider_id| Sent::Accepted { provider_id, from: None };
        match act {
            Act::Take => accepted(self.record(text)),
            Act::AnswerSlowly(pause) => {
                let provider_id = self.record(text);
                tokio::time::sleep(pause).await;
                accepted(provider_id)
            }
            Act::TakeSlowly(pause) => {
                tokio::time::sleep(pause).await;
                accepted(self.record(text))
            }
            Act::Throttle { retry_after_s } => {
                Sent::Refused { error: error(ErrorClass::Throttled), retry_after_s: Some(retry_after_s) }
            }
            Act::QueueFull { retry_after_s } => {
                Sent::Refused { error: queue_full(ErrorClass::Throttled), retry_after_s: Some(retry_after_s) }
            }
            Act::Refuse(class) => Sent::Refused { error: error(class), retry_after_s: None },
            Act::Break { taken } => {
                if taken {
                    self.record(text);
                }
                Sent::Unknown { error: error(ErrorClass::Unknown) }
            }
        }
    }

    fn rest_after(&self, error: &DeliveryError, _: Timestamp) -> Option<Rest> {
        match error.code.as_deref() {
            Some(QUEUE_FULL) => Some(Rest::new(Resting::Sender, Length::Growing(TOO_FAST))),
            _ => Rest::of_class(error.class),
        }
    }

    async fn list_sent(&self, _: &str, to: &str, _: Timestamp) -> Result<Vec<SentRecord>, AskError> {
        self.looked.fetch_add(1, Ordering::Relaxed);
        let pause = *self.dawdles.lock().unwrap();
        tokio::time::sleep(pause).await;
        if self.silent.load(Ordering::Relaxed) {
            return Err(AskError("as the test says".into()));
        }
        let taken = self.taken.lock().unwrap();
        let shown_until =
            Timestamp::from_millis(1_700_000_000_000).after(self.started.elapsed()).before(self.list_lag);
        let shown = taken.iter().filter(|record| record.to == to && record.created_at <= shown_until);
        Ok(shown.cloned().collect())
    }

    async fn list_received(&self, sender: &str, span: Span) -> Result<Received, AskError> {
        self.asked.lock().unwrap().push((self.started.elapsed(), sender.to_owned(), span.since));
        if self.lists_until.lock().unwrap().is_some_and(|until| until <= span.since) {
            return Err(AskError("as the test says".into()));
        }
        if let Some(error) = self.list_errors.lock().unwrap().pop_front() {
            return Err(AskError(error));
        }
        let missed = self.missed.lock().unwrap();
        let is_in_span = |received: &&ReceivedText| {
            received.text.to == sender && received.text.sent_at.is_some_and(|sent_at| span.has(sent_at))
        };
        let mut texts: Vec<_> = missed.iter().filter(is_in_span).cloned().collect();
        texts.sort_by_key(|received| received.text.sent_at);
        let most = self.lists_at_once.load(Ordering::Relaxed);
        let complete_until = texts.get(most).and_then(|received| received.text.sent_at);
        texts.truncate(most);
        Ok(Received { texts, complete_until, unreadable: 0 })
    }

    async fn received_media(&self, provider_id: &str) -> Result<Vec<Media>, AskError> {
        let media = self.media.lock().unwrap().get(provider_id).cloned();
        media.ok_or_else(|| AskError("it is gone".into()))
    }

    async fn fetch_status(&self, provider_id: &str, _: Timestamp) -> Result<Option<ReceiptStatus>, AskError> {
        self.fetched.lock().unwrap().push((self.started.elapsed(), provider_id.to_owned()));
        if self.silent.load(Ordering::Relaxed) {
            return Err(AskError("as the test says".into()));
        }
        Ok(self.says.lock().unwrap().clone())
    }

    async fn check(&self) -> Result<String, AskError> {
        Ok("good".into())
    }
}

type Script = Box<dyn Fn(&TurnWork) -> (Duration, Result<Answer, BotError>) + Send + Sync>;

/// A bot that answers as the test says, and keeps what it was told.
pub struct Robot {
    script: Script,
    told: Mutex<Vec<TurnWork>>,
    changed: Notify,
}

impl Robot {
    pub fn told(&self) -> Vec<TurnWork> {
        self.told.lock().unwrap().clone()
    }

    pub async fn until(&self, count: usize) -> Vec<TurnWork> {
        loop {
            let changed = self.changed.notified();
            let told = self.told();
            if told.len() >= count {
                return told;
            }
            changed.await;
        }
    }
}

#[async_trait]
impl Bot for Robot {
    fn name(&self) -> &'static str {
        "robot"
    }

    fn is_present(&self) -> bool {
        true
    }

    async fn take_turn(&self, work: &TurnWork, _transcript: &[Message]) -> Result<Answer, BotError> {
        self.told.lock().unwrap().push(work.clone());
        self.changed.notify_waiters();
        let (pause, answer) = (self.script)(work);
        tokio::time::sleep(pause).await;
        answer
    }
}

pub fn answer(contents: &[&str]) -> Answer {
    let text = |content: &&str| AnswerText {
        content: (*content).to_owned(),
        delay: Duration::ZERO,
        valid_for: None,
    };
    Answer { texts: contents.iter().map(text).collect(), ..Answer::default() }
}

/// What a test wants of its gateway.
pub struct Plan {
    pub number_pace: Option<&'static str>,
    pub account_pace: Option<&'static str>,
    pub destinations: &'static [(&'static str, &'static str)],
    pub has_bot: bool,
    pub lists: bool,
    pub on_unknown: OnUnknown,
    pub order_hold: Duration,
    pub list_lag: Duration,
    pub script: Script,
    /// What the daemon before this one left.
    pub last_alive: Option<Alive>,
    /// A second channel, before the other in their order, whose provider never answers.
    pub dead_channel: bool,
    /// A third channel, of the same account as the first.
    pub also: Option<&'static str>,
    /// What was texted since.
    pub missed: Vec<ReceivedText>,
    pub list_errors: Vec<&'static str>,
    pub keep_messages: Option<Duration>,
    pub keep_events: Duration,
    pub bot: BotPolicy,
    pub attention: AttentionPolicy,
    /// What a customer is told where the bot could not be asked.
    pub fallback: Option<&'static str>,
    /// Who is told of events: of which, by their names.
    pub ears: Vec<(&'static str, &'static str, Arc<Ear>)>,
    /// Other daemons work on the same store.
    pub shared: Option<Arc<Office>>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            number_pace: None,
            account_pace: None,
            destinations: &[],
            has_bot: false,
            lists: true,
            on_unknown: OnUnknown::Hold,
            order_hold: Duration::from_secs(120),
            list_lag: Duration::ZERO,
            script: Box::new(|_| (Duration::ZERO, Ok(Answer::default()))),
            last_alive: None,
            dead_channel: false,
            also: None,
            missed: Vec::new(),
            list_errors: Vec::new(),
            keep_messages: None,
            keep_events: Duration::from_secs(7 * 24 * 3600),
            bot: BotPolicy::default(),
            attention: AttentionPolicy::default(),
            fallback: None,
            ears: Vec::new(),
            shared: None,
        }
    }
}

type OfficeAnswers = Box<dyn Fn(&Muster) -> Result<Mustered, StoreError> + Send>;

/// What the gateway is told when it shows that it lives, and what it has said of itself.
pub struct Office {
    answer: Mutex<OfficeAnswers>,
    seen: Mutex<Vec<Muster>>,
}

impl Office {
    pub fn answering(answer: impl Fn(&Muster) -> Result<Mustered, StoreError> + Send + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Mutex::new(Box::new(answer)), seen: Mutex::default() })
    }

    /// From now on.
    pub fn answers(&self, answer: impl Fn(&Muster) -> Result<Mustered, StoreError> + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    pub fn seen(&self) -> Vec<Muster> {
        self.seen.lock().unwrap().clone()
    }

    fn answer(&self, muster: &Muster) -> Result<Mustered, StoreError> {
        self.seen.lock().unwrap().push(muster.clone());
        (self.answer.lock().unwrap())(muster)
    }
}

/// What of a plan every process needs anew.
struct Wanted {
    paces: Paces,
    on_unknown: OnUnknown,
    order_hold: Duration,
    keep_messages: Option<Duration>,
    keep_events: Duration,
    dead_channel: bool,
    also: Option<&'static str>,
    fallback: Option<&'static str>,
    ears: Vec<(&'static str, &'static str, Arc<Ear>)>,
}

impl Plan {
    fn wanted(&self) -> Wanted {
        Wanted {
            paces: self.paces(),
            on_unknown: self.on_unknown,
            order_hold: self.order_hold,
            keep_messages: self.keep_messages,
            keep_events: self.keep_events,
            dead_channel: self.dead_channel,
            also: self.also,
            fallback: self.fallback,
            ears: self.ears.clone(),
        }
    }

    fn paces(&self) -> Paces {
        let pace = |pace: &str| pace.parse().unwrap();
        Paces {
            number: self.number_pace.map(pace),
            account: self.account_pace.map(pace),
            destinations: self
                .destinations
                .iter()
                .map(|(prefix, limit)| ((*prefix).to_owned(), pace(limit)))
                .collect(),
        }
    }
}

fn subscriber((name, events, ear): &(&'static str, &'static str, Arc<Ear>)) -> Subscriber {
    let names = vec![(*events).to_owned()];
    let filter = EventFilter { names, ..EventFilter::default() };
    Subscriber { name: (*name).to_owned(), filter, notifier: Arc::clone(ear) as Arc<_> }
}

pub struct World {
    pub gateway: Arc<Gateway>,
    pub carrier: Arc<Carrier>,
    pub robot: Arc<Robot>,
    store: Arc<MemoryStore>,
    clock: Arc<PausedClock>,
    entropy: Arc<Counter>,
    texts: Arc<AtomicU64>,
}

impl World {
    pub async fn start(plan: Plan) -> Self {
        let wanted = plan.wanted();
        let policy = Policy {
            idle_after: Duration::from_secs(48 * 3600),
            has_bot: plan.has_bot,
            forward_keywords: false,
            max_content_units: 1600,
            bot: plan.bot,
            attention: plan.attention,
        };
        let clock = Arc::new(PausedClock::start());
        let carrier = Arc::new(Carrier {
            missed: Mutex::new(plan.missed),
            list_errors: Mutex::new(plan.list_errors.into_iter().map(str::to_owned).collect()),
            lists: plan.lists,
            list_lag: plan.list_lag,
            ..Carrier::new(clock.0)
        });
        let robot = Arc::new(Robot { script: plan.script, told: Mutex::default(), changed: Notify::new() });
        let store = Arc::new(MemoryStore::new(policy.clone()));
        if let Some(office) = plan.shared {
            store.share(move |muster| office.answer(muster));
        }
        if let Some(alive) = plan.last_alive {
            store.mark_alive(alive).await.unwrap();
        }
        Self::run(policy, wanted, carrier, robot, store, clock, Arc::default()).await
    }

    /// The next process, on what this one leaves behind; it stops softly first.
    pub async fn start_again(self, plan: &Plan) -> Self {
        self.gateway.stop().await;
        let Self { gateway, carrier, robot, store, clock, entropy, texts } = self;
        let policy = gateway.policy().clone();
        let next = Self::run(policy, plan.wanted(), carrier, robot, store, clock, entropy).await;
        Self { texts, ..next }
    }

    async fn run(
        policy: Policy,
        wanted: Wanted,
        carrier: Arc<Carrier>,
        robot: Arc<Robot>,
        store: Arc<MemoryStore>,
        clock: Arc<PausedClock>,
        entropy: Arc<Counter>,
    ) -> Self {
        let sender = |name: &str| Sender { name: name.into(), replies: KeywordReplies::default() };
        let channel = |name: &str, carrier: &Arc<Carrier>| Channel {
            name: name.into(),
            provider: Arc::clone(carrier) as Arc<dyn Provider>,
            public_url: "http://127.0.0.1".into(),
            signature: SignaturePolicy::Enforce,
            recover: true,
            senders: vec![sender(BRAND), sender(OTHER_BRAND)],
            on_unknown: wanted.on_unknown,
            pace: ChannelPace::starting(&wanted.paces, clock.elapsed()),
        };
        let mut channels = vec![channel("main", &carrier)];
        channels.extend(wanted.also.map(|name| channel(name, &carrier)));
        if wanted.dead_channel {
            let dead = Carrier::new(clock.0);
            dead.list_errors.lock().unwrap().extend(vec!["revoked".to_owned(); 10_000]);
            channels.push(channel("dead", &Arc::new(dead)));
        }
        let gateway = Gateway::new(Parts {
            notices: Notices {
                subscribers: wanted.ears.iter().map(subscriber).collect(),
                ..Notices::default()
            },
            store: Arc::clone(&store) as Arc<dyn Store>,
            channels: Channels::new(channels),
            bot: Arc::clone(&robot) as Arc<dyn Bot>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::clone(&entropy) as Arc<dyn Entropy>,
            settings: Settings {
                policy,
                valid_for: Duration::from_secs(48 * 3600),
                max_in_flight: 8,
                request_timeout: Duration::from_secs(10),
                looks: crate::domain::retry::Looks::default(),
                order_hold: wanted.order_hold,
                asks: Asks::new(Some(Duration::from_secs(15 * 60))),
                max_turns: 8,
                keep_messages: wanted.keep_messages,
                confirmation_text: None,
                bot_fallback: wanted.fallback.map(str::to_owned),
                keep_events: wanted.keep_events,
            },
        });
        gateway.run().await.unwrap();
        Self { gateway, carrier, robot, store, clock, entropy, texts: Arc::default() }
    }

    /// The gateway's wall clock jumps; the provider's does not.
    pub fn clock_jumps(&self, seconds: i64) {
        self.clock.1.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// The next attempt or claim is kept, but nobody is told so.
    pub fn doubt_next(&self) {
        self.store.doubt(1);
    }

    /// Whether the store refuses everything from now on.
    pub fn store_refuses(&self, refuses: bool) {
        self.store.refuse(if refuses { Refused::Everything } else { Refused::Nothing });
    }

    /// From now on the store fails whatever is asked of its records.
    pub fn store_is_corrupt(&self) {
        self.store.refuse(Refused::Records);
    }

    /// Whether the store takes no changes from now on.
    pub fn disk_is_full(&self, full: bool) {
        self.store.refuse(if full { Refused::Changes } else { Refused::Nothing });
    }

    /// The provider brings a text and is told that it cannot be taken; it will list it.
    pub async fn text_in_vain(&self, received: &ReceivedText) {
        let channel = self.gateway.channel("main").unwrap();
        self.gateway.receive_text(channel, received.text.clone()).await.unwrap_err();
        self.carrier.missed.lock().unwrap().push(received.clone());
    }

    /// A customer texts a number of ours; returns whose session it is.
    pub async fn text_to(&self, from: &str, to: &str, content: &str) -> Message {
        self.text_on("main", from, to, content).await
    }

    pub async fn text_on(&self, channel: &str, from: &str, to: &str, content: &str) -> Message {
        let channel = self.gateway.channel(channel).unwrap();
        let text = ProviderText {
            provider_id: format!("IN{}", self.texts.fetch_add(1, Ordering::Relaxed)),
            from: Address::parse(from).unwrap(),
            to: to.into(),
            service: None,
            content: content.into(),
            media: Vec::new(),
            sent_at: None,
            keyword: None,
        };
        match self.gateway.receive_text(channel, text).await.unwrap() {
            Inbound::Recorded { message, .. } => *message,
            Inbound::Duplicate { .. } => panic!("each text has an id of its own"),
        }
    }

    pub async fn text(&self, from: &str, content: &str) -> CustomerId {
        self.text_to(from, BRAND, content).await.customer_id
    }

    pub async fn say(&self, customer_id: CustomerId, content: &str) -> MessageId {
        self.say_as(customer_id, Role::Agent, content).await
    }

    pub async fn say_as(&self, customer_id: CustomerId, role: Role, content: &str) -> MessageId {
        self.say_it(customer_id, role, content, None).await
    }

    /// An agent's text that is worth sending for so long.
    pub async fn say_for(
        &self,
        customer_id: CustomerId,
        content: &str,
        valid_for: Option<Duration>,
    ) -> MessageId {
        self.say_it(customer_id, Role::Agent, content, valid_for).await
    }

    async fn say_it(
        &self,
        customer_id: CustomerId,
        role: Role,
        content: &str,
        valid_for: Option<Duration>,
    ) -> MessageId {
        let say = Say {
            customer_id,
            author: Author { role, name: "test".into() },
            content: content.into(),
            confirmation: None,
            turn_id: None,
            unprompted: false,
            valid_for,
            idempotency: None,
        };
        self.gateway.say(say).await.unwrap().value.id
    }

    pub async fn hold(&self, customer: CustomerId, held: bool) {
        let patch = SessionPatch { need_attention: Some(held), ..SessionPatch::default() };
        self.gateway.update_session(customer, patch).await.unwrap();
    }

    pub async fn message(&self, id: MessageId) -> Message {
        self.gateway.store().message(id).await.unwrap().unwrap()
    }
}
