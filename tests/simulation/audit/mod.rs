//! The auditor: sees every effect on the disk, every departure, everything that the provider took and everything that
//! the gateway promised, and keeps a book of its own. It asks the store only for what the gateway says of itself.
//!
//! * [`sending`]: nothing twice, nothing out of order, nothing that was taken back.
//! * [`pace`]: no window above the pace, and no lane idle without a reason.
//! * [`consent`]: nobody unsubscribed or unconfirmed is texted.
//! * [`sessions`]: bot or agent, never both.
//! * [`retention`]: what is over is forgotten, and nothing else.
//! * [`rest`]: what is checked after each step, and what must be true when everything has come to rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use switchboard::domain::delivery::{OnUnknown, Status};
use switchboard::domain::ids::{CustomerId, MessageId, SessionId};
use switchboard::domain::message::{Author, Lane, Message, Role};
use switchboard::domain::time::Timestamp;
use switchboard::provider::ProviderText;
use switchboard::store::Store;
use switchboard::store::memory::MemoryStore;

use crate::chance::Dice;
use crate::journal::Journal;
use crate::people::About;
use crate::plan::Plan;
use crate::time::Time;

mod consent;
mod pace;
mod rest;
mod retention;
mod sending;
mod sessions;

use consent::Consent;
use pace::Traffic;
use retention::Remembered;
use sessions::Hands;

#[expect(clippy::struct_excessive_bools, reason = "each is a rule of this world")]
pub struct Audit {
    time: Arc<Time>,
    journal: Arc<Journal>,
    disk: Arc<MemoryStore>,
    /// The provider can be asked for what customers texted.
    recovers: bool,
    on_unknown: OnUnknown,
    /// Silent texts are asked about.
    asks: bool,
    /// The provider's clock is right.
    clocks_agree: bool,
    /// The provider can always be asked.
    always_lists: bool,
    has_bot: bool,
    forwards_keywords: bool,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Ours, and the order of their creation.
    texts: BTreeMap<MessageId, Text>,
    order: Vec<MessageId>,
    /// How often the same words were sent to the same number, and how often the provider took them.
    alike: BTreeMap<String, Alike>,
    /// Customers', by the provider's id.
    heard: BTreeMap<String, Heard>,
    /// With their numbers.
    customers: Vec<(CustomerId, String)>,
    /// It was written down once until when nothing was missed.
    is_marked: bool,
    consent: BTreeMap<String, Consent>,
    hands: Hands,
    traffic: Traffic,
    /// While some are removed.
    remembered: Remembered,
}

#[derive(Clone, Copy, Default)]
struct Alike {
    texts: usize,
    resends: usize,
    taken: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    Agent,
    Bot,
    Gateway,
}

/// A text of ours.
#[expect(clippy::struct_excessive_bools, reason = "each is something that happened to it")]
struct Text {
    /// Its place in the order of creation over all customers.
    number: usize,
    customer: CustomerId,
    lane: Lane,
    voice: Voice,
    to: String,
    segments: u32,
    /// What the provider sees of it: whose it is among texts with the same words, nobody can tell.
    words: String,
    /// Its caller was told that it is accepted.
    accepted: bool,
    /// Agents were told that no such text leaves any more.
    fenced: bool,
    /// It was canceled or expired before it left.
    withdrawn: Option<&'static str>,
    /// Nobody looked for it any more when a later one of its customer's was begun.
    passed: bool,
    /// How often it was sent again though nobody could tell: as the channel is set up, or by a person.
    resends: usize,
    erased: bool,
    /// It went with its conversation, which was old.
    removed: bool,
    begun: u32,
    /// From when on it could have left, as far as its customer's queue goes.
    could_leave: Duration,
    departed: u32,
    /// By which ids the provider took it.
    taken: Vec<String>,
    /// A receipt said that the handset has it: with our id, or by these of the provider's.
    told_by_ours: bool,
    told_by_theirs: Vec<String>,
    last: Option<Status>,
    delivered_at: Option<Timestamp>,
}

/// A customer's text.
#[expect(clippy::struct_excessive_bools, reason = "each is something that happened to it")]
struct Heard {
    about: About,
    content: String,
    message: Option<MessageId>,
    customer: Option<CustomerId>,
    session: Option<SessionId>,
    acknowledged: bool,
    /// Nobody could take it, but the provider has it: it will be asked for.
    owed: bool,
    erased: bool,
    /// It went with its conversation, which was old: its repeat is a new text.
    removed: bool,
}

impl Audit {
    pub fn new(plan: &Plan, time: Arc<Time>, journal: Arc<Journal>, disk: Arc<MemoryStore>) -> Self {
        let book = Book { traffic: Traffic::new(plan), ..Book::default() };
        Self {
            time,
            journal,
            disk,
            recovers: plan.recovers,
            on_unknown: plan.on_unknown,
            asks: plan.settings.asks.steps().next().is_some(),
            clocks_agree: plan.provider_ahead_ms == 0 && !plan.clock_jumps,
            always_lists: plan.lists && plan.lists_go_wrong == 0,
            has_bot: plan.settings.policy.has_bot,
            forwards_keywords: plan.settings.policy.forward_keywords,
            book: Mutex::new(book),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.time.elapsed()
    }

    fn stored(&self, id: MessageId) -> Option<Message> {
        at_once(self.disk.message(id)).unwrap()
    }

    // --- what people know ---

    pub fn some_customer(&self, dice: &Dice) -> Option<CustomerId> {
        let book = self.book();
        (!book.customers.is_empty()).then(|| dice.pick(&book.customers).0)
    }

    /// Rather a new one: it may still be queued.
    pub fn some_text(&self, dice: &Dice) -> Option<MessageId> {
        let book = self.book();
        let newest = book.order.len().saturating_sub(6);
        (!book.order.is_empty()).then(|| *dice.pick(&book.order[newest..]))
    }

    pub fn some_held_text(&self) -> Option<MessageId> {
        let book = self.book();
        book.order.iter().copied().find(|id| self.stored(*id).is_some_and(|message| message.is_held()))
    }

    /// The code that the customer's confirmation text shows.
    pub fn code_of(&self, customer: CustomerId) -> Option<String> {
        let customer = at_once(self.disk.customer(customer)).unwrap()?;
        customer.confirmation.map(|confirmation| confirmation.token)
    }

    pub fn name_of(&self, customer: CustomerId) -> String {
        let place = self.book().customers.iter().position(|(known, _)| *known == customer);
        place.map_or_else(|| "a new customer".into(), |place| format!("c{place}"))
    }

    pub fn title_of(&self, id: MessageId) -> String {
        self.book().texts.get(&id).map_or_else(|| "a text unknown".into(), Text::title)
    }

    // --- what was promised ---

    pub fn customer_texts(&self, text: &ProviderText, about: About) {
        let heard = Heard {
            about,
            content: text.content.clone(),
            message: None,
            customer: None,
            session: None,
            acknowledged: false,
            owed: false,
            erased: false,
            removed: false,
        };
        self.book().heard.insert(text.provider_id.clone(), heard);
    }

    pub fn text_is_acknowledged(&self, text: &ProviderText, message_id: MessageId) {
        let mut book = self.book();
        let heard = book.heard.get_mut(&text.provider_id).unwrap();
        heard.acknowledged = true;
        let stored = heard.message;
        if stored != Some(message_id) {
            self.journal.broken(format!("{} was acknowledged and is not in the store", text.provider_id));
        }
    }

    /// The provider tried to bring it while nobody lived, after a crash.
    pub fn text_is_owed(&self, text: &ProviderText) {
        let mut book = self.book();
        if self.recovers && book.is_marked {
            self.journal.saw("text owed after a crash");
            book.heard.get_mut(&text.provider_id).unwrap().owed = true;
        }
    }

    pub fn text_is_accepted(&self, id: MessageId) {
        match self.book().texts.get_mut(&id) {
            Some(text) => text.accepted = true,
            None => self.journal.broken(format!("message {id} was accepted and is not in the store")),
        }
    }
}

impl Book {
    fn create(&mut self, message: &Message, journal: &Journal) {
        let number = self.order.len();
        let text = Text::new(number, message);
        journal.note(|| {
            let content = crate::people::short(&message.content);
            format!("{} of {:?} is queued, {} segments: {content}", text.title(), text.voice, text.segments)
        });
        self.alike.entry(text.words.clone()).or_default().texts += 1;
        self.order.push(message.id);
        self.texts.insert(message.id, text);
    }

    /// Others have the same words: what the provider has of them may be taken for one another.
    fn is_ambiguous(&self, text: &Text) -> bool {
        self.alike[&text.words].texts > 1
    }

    fn of_customer(&self, customer: CustomerId) -> impl Iterator<Item = (&MessageId, &Text)> {
        self.texts.iter().filter(move |(_, text)| text.customer == customer)
    }
}

impl Text {
    fn new(number: usize, message: &Message) -> Self {
        Self {
            number,
            customer: message.customer_id,
            lane: message.delivery.lane.clone(),
            voice: Voice::of(&message.author),
            to: message.delivery.to.clone(),
            segments: message.delivery.segmentation.segments,
            words: format!("{} {}", message.delivery.to, message.wire_content()),
            accepted: false,
            fenced: false,
            withdrawn: None,
            passed: false,
            resends: 0,
            erased: false,
            removed: false,
            begun: 0,
            could_leave: Duration::ZERO,
            departed: 0,
            taken: Vec::new(),
            told_by_ours: false,
            told_by_theirs: Vec::new(),
            last: None,
            delivered_at: None,
        }
    }

    fn title(&self) -> String {
        format!("t{}", self.number)
    }
}

impl Voice {
    fn of(author: &Author) -> Self {
        match author.role {
            _ if author.is_gateway() => Self::Gateway,
            Role::Init => Self::Bot,
            Role::Agent | Role::EndUser => Self::Agent,
        }
    }
}

/// The reference engine answers at once.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match std::pin::pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("the reference engine waits for nothing"),
    }
}
