//! What a batch of commands works on: some rows of the database, loaded and locked, and what the commands make of them.
//! Knows no SQL. What a command asks for and is not here is noted as a want; the batch is then run again with it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::domain::consent::LastWords;
use crate::domain::customer::{ConsentRecord, Customer, NumberHash};
use crate::domain::delivery::Status;
use crate::domain::event::What;
use crate::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TurnId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Turn, TurnState};
use crate::store::apply::{self, Hand, Parked};
use crate::store::change::{Changed, IdempotencyName, Remembered};
use crate::store::{Rules, StoreError};

mod table;
mod wants;
mod world;

pub use table::{Change, Table};
pub use wants::{ProviderId, Want};

#[derive(Clone, Debug, PartialEq)]
pub struct CustomerRow {
    pub seq: u64,
    /// By which key it was created.
    pub key: Option<IdempotencyName>,
    pub customer: Customer,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    pub seq: u64,
    pub session: Session,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    /// Of ours only.
    pub seq: Option<u64>,
    pub key: Option<IdempotencyName>,
    pub is_head: bool,
    pub message: Message,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TurnRow {
    pub seq: u64,
    pub is_head: bool,
    pub turn: Turn,
}

/// A record of another store.
#[derive(Debug)]
pub enum Placed {
    Customer(Box<CustomerRow>),
    Session(Box<SessionRow>),
    Message(Box<MessageRow>),
    Turn(Box<TurnRow>),
    Consent(u64, ConsentRecord),
}

/// How far a list was loaded that is in order: what comes before this is here. None: all of it is.
pub type Bound = Option<(i64, u128)>;

#[derive(Debug)]
pub struct Working {
    pub rules: Arc<Rules>,
    pub now: Timestamp,
    wants: RefCell<BTreeSet<Want>>,

    /// Those whose newest session, open messages and open turns are here.
    pub locked: BTreeSet<CustomerId>,
    pub customers: Table<CustomerId, CustomerRow>,
    pub numbers: Table<String, CustomerId>,
    pub suppressed: Table<NumberHash, ()>,
    pub sessions: Table<SessionId, SessionRow>,
    pub messages: Table<MessageId, MessageRow>,
    pub turns: Table<TurnId, TurnRow>,
    /// By provider's id, then channel.
    pub inbound_ids: Table<ProviderId, MessageId>,
    /// None: there are receipts for it, and no message yet.
    pub outbound_ids: Table<ProviderId, Option<MessageId>>,
    pub keys: Table<IdempotencyName, Remembered>,
    pub parked: Table<ProviderId, Vec<Parked>>,

    pub last_words: BTreeMap<NumberHash, LastWords>,
    pub suggestions: BTreeMap<SuggestionId, Option<SessionId>>,
    /// What was said, as it was asked for.
    pub said: BTreeMap<(SessionId, u64, u64, usize), Vec<MessageId>>,
    /// Providers' ids whose messages are here, of all channels.
    pub of_all_channels: BTreeSet<String>,
    /// How many receipts are parked, and the oldest of them.
    pub all_parked: Option<(u64, Vec<Parked>)>,
    pub due_turns: Option<Bound>,
    pub to_be_attended: Option<Bound>,
    pub overdue: BTreeMap<Timestamp, Bound>,
    pub messages_in: BTreeMap<Hand, Vec<MessageId>>,
    pub turns_in: BTreeMap<Hand, Vec<TurnId>>,
    pub in_office: BTreeMap<String, bool>,

    sessions_of: BTreeMap<CustomerId, BTreeSet<SessionId>>,
    messages_of: BTreeMap<CustomerId, BTreeSet<MessageId>>,
    turns_of: BTreeMap<SessionId, BTreeSet<TurnId>>,
    at_place: BTreeMap<(SessionId, u64), MessageId>,

    /// Numbers that may be given; how many blocks of them were loaded.
    pub orders: Vec<Range<u64>>,
    orders_given: usize,
    orders_kept: usize,

    pub consent: Log<(u64, ConsentRecord)>,
    pub told: Log<(Timestamp, What)>,
    others: Vec<What>,
}

/// Something that is only ever added to.
#[derive(Debug)]
pub struct Log<T> {
    lines: Vec<T>,
    kept: usize,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), kept: 0 }
    }
}

impl<T> Log<T> {
    fn add(&mut self, line: T) {
        self.lines.push(line);
    }

    fn keep(&mut self) {
        self.kept = self.lines.len();
    }

    fn discard(&mut self) {
        self.lines.truncate(self.kept);
    }

    fn reset(&mut self) {
        self.lines.clear();
        self.kept = 0;
    }

    pub fn lines(&self) -> &[T] {
        &self.lines
    }
}

macro_rules! each_table {
    ($working:ident, $method:ident) => {
        $working.customers.$method();
        $working.numbers.$method();
        $working.suppressed.$method();
        $working.sessions.$method();
        $working.messages.$method();
        $working.turns.$method();
        $working.inbound_ids.$method();
        $working.outbound_ids.$method();
        $working.keys.$method();
        $working.parked.$method();
        $working.consent.$method();
        $working.told.$method();
    };
}

impl Working {
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            now: Timestamp::default(),
            wants: RefCell::default(),
            locked: BTreeSet::new(),
            customers: Table::default(),
            numbers: Table::default(),
            suppressed: Table::default(),
            sessions: Table::default(),
            messages: Table::default(),
            turns: Table::default(),
            inbound_ids: Table::default(),
            outbound_ids: Table::default(),
            keys: Table::default(),
            parked: Table::default(),
            last_words: BTreeMap::new(),
            suggestions: BTreeMap::new(),
            said: BTreeMap::new(),
            of_all_channels: BTreeSet::new(),
            all_parked: None,
            due_turns: None,
            to_be_attended: None,
            overdue: BTreeMap::new(),
            messages_in: BTreeMap::new(),
            turns_in: BTreeMap::new(),
            in_office: BTreeMap::new(),
            sessions_of: BTreeMap::new(),
            messages_of: BTreeMap::new(),
            turns_of: BTreeMap::new(),
            at_place: BTreeMap::new(),
            orders: Vec::new(),
            orders_given: 0,
            orders_kept: 0,
            consent: Log::default(),
            told: Log::default(),
            others: Vec::new(),
        }
    }

    // --- loading ---

    pub fn load_customer(&mut self, row: CustomerRow) {
        if let Some(number) = row.customer.address() {
            self.numbers.load(number.as_str().to_owned(), Some(row.customer.id));
        }
        self.customers.load(row.customer.id, Some(row));
    }

    pub fn load_session(&mut self, row: SessionRow) {
        self.sessions_of.entry(row.session.customer_id).or_default().insert(row.session.id);
        self.sessions.load(row.session.id, Some(row));
    }

    pub fn load_message(&mut self, row: MessageRow) {
        self.place_message(&row.message);
        self.messages.load(row.message.id, Some(row));
    }

    pub fn load_turn(&mut self, row: TurnRow) {
        self.turns_of.entry(row.turn.session_id).or_default().insert(row.turn.id);
        self.turns.load(row.turn.id, Some(row));
    }

    fn place_message(&mut self, message: &Message) {
        self.messages_of.entry(message.customer_id).or_default().insert(message.id);
        self.at_place.insert((message.session_id, message.place), message.id);
    }

    /// Whether somebody's row is here who is not locked: then nothing that was loaded of them may be relied upon.
    pub fn is_unlocked(&self) -> bool {
        let sessions = self.sessions.iter().map(|(_, row)| row.session.customer_id);
        let messages = self.messages.iter().map(|(_, row)| row.message.customer_id);
        let turns = self.turns.iter().map(|(_, row)| row.turn.customer_id);
        sessions.chain(messages).chain(turns).any(|customer| !self.locked.contains(&customer))
    }

    // --- running ---

    /// A command begins at that moment.
    pub fn begin(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Notes what is wanted. What the command that asked for it says then does not count.
    fn want(&self, want: Want) -> StoreError {
        self.wants.borrow_mut().insert(want);
        StoreError::Unavailable("it was not loaded".into())
    }

    pub fn take_wants(&mut self) -> BTreeSet<Want> {
        std::mem::take(&mut *self.wants.borrow_mut())
    }

    /// Everything is as it is in the database: the batch is run again.
    pub fn reset(&mut self) {
        each_table!(self, reset);
        (self.orders_given, self.orders_kept) = (0, 0);
        self.others.clear();
    }

    /// The command under way has failed: it wrote nothing.
    pub fn discard(&mut self) {
        each_table!(self, discard);
        self.orders_given = self.orders_kept;
        self.others.clear();
    }

    /// The command under way has succeeded: what depends on the first of a queue is brought up to date, and what it has
    /// changed is told.
    pub fn keep(&mut self) -> Result<(), StoreError> {
        let changed: Vec<MessageId> = self.messages.written().copied().collect();
        self.finish_queues()?;
        self.finish_turns();
        self.tell(&changed);
        each_table!(self, keep);
        self.orders_kept = self.orders_given;
        Ok(())
    }

    /// A record as it was elsewhere, with its place in the orders: nothing follows from it, and nothing is told.
    pub fn place(&mut self, record: Placed) {
        match record {
            Placed::Customer(row) => {
                if let Some(number) = row.customer.address() {
                    self.numbers.put(number.as_str().to_owned(), Some(row.customer.id));
                }
                self.customers.put(row.customer.id, Some(*row));
            }
            Placed::Session(row) => {
                self.sessions_of.entry(row.session.customer_id).or_default().insert(row.session.id);
                self.sessions.put(row.session.id, Some(*row));
            }
            Placed::Message(row) => {
                self.place_message(&row.message);
                self.messages.put(row.message.id, Some(*row));
            }
            Placed::Turn(row) => self.turns.put(row.turn.id, Some(*row)),
            Placed::Consent(seq, record) => self.consent.add((seq, record)),
        }
    }

    /// What was placed stays.
    pub fn keep_placed(&mut self) {
        each_table!(self, keep);
    }

    pub fn next_order(&mut self) -> Result<u64, StoreError> {
        let mut skip = self.orders_given as u64;
        for block in &self.orders {
            let length = block.end - block.start;
            if skip < length {
                self.orders_given += 1;
                return Ok(block.start + skip);
            }
            skip -= length;
        }
        Err(self.want(Want::Orders(self.orders.len() + 1)))
    }

    /// What came to the front of a queue because another one left is ready now, or later if it says so itself.
    fn finish_queues(&mut self) -> Result<(), StoreError> {
        let rows =
            self.messages.written().filter_map(|id| self.messages.row(id).or(self.messages.before(id)));
        let ours = rows.filter(|row| row.seq.is_some());
        let customers: BTreeSet<CustomerId> = ours.map(|row| row.message.customer_id).collect();
        for customer in customers {
            let before = self.front_before(customer);
            let front =
                apply::front(self.queue_rows(customer)?.into_iter().map(Ok::<_, StoreError>), |row| {
                    &row.message
                })?;
            let front = front.cloned();
            let head = front.as_ref().filter(|row| row.message.delivery.status == Status::Queued);
            let head_id = head.map(|row| row.message.id);
            for id in self.messages_of.get(&customer).cloned().unwrap_or_default() {
                if let Some(row) = self.messages.row(&id).filter(|row| row.is_head && head_id != Some(id)) {
                    let row = MessageRow { is_head: false, ..row.clone() };
                    self.messages.put(id, Some(row));
                }
            }
            let Some(mut head) = head.cloned() else { continue };
            let stepped_up = before.is_some_and(|before| before != head.message.id);
            let ready_at = &mut head.message.delivery.ready_at;
            if stepped_up && *ready_at < self.now {
                *ready_at = self.now;
            } else if head.is_head {
                continue;
            }
            head.is_head = true;
            self.messages.put(head.message.id, Some(head));
        }
        Ok(())
    }

    /// What was the first of the queue before the command under way.
    fn front_before(&self, customer: CustomerId) -> Option<MessageId> {
        let ids = self.messages_of.get(&customer)?;
        let mut queue: Vec<&MessageRow> = ids
            .iter()
            .filter_map(|id| self.messages.before(id))
            .filter(|row| row.seq.is_some() && row.message.holds_queue())
            .collect();
        queue.sort_by_key(|row| row.seq);
        let front = apply::front(queue.into_iter().map(Ok::<_, StoreError>), |row| &row.message);
        front.ok().flatten().map(|row| row.message.id)
    }

    fn queue_rows(&self, customer: CustomerId) -> Result<Vec<&MessageRow>, StoreError> {
        if !self.locked.contains(&customer) {
            return Err(self.want(Want::Customer(customer)));
        }
        let ids = self.messages_of.get(&customer).into_iter().flatten();
        let rows = ids.filter_map(|id| self.messages.row(id));
        let mut queue: Vec<&MessageRow> =
            rows.filter(|row| row.seq.is_some() && row.message.holds_queue()).collect();
        queue.sort_by_key(|row| row.seq);
        Ok(queue)
    }

    fn finish_turns(&mut self) {
        let sessions: BTreeSet<SessionId> =
            self.turns.written().filter_map(|id| Some(self.turns.row(id)?.turn.session_id)).collect();
        for session in sessions {
            let head = self.head_of(session).map(|row| row.turn.id);
            for id in self.turns_of.get(&session).cloned().unwrap_or_default() {
                if let Some(row) = self.turns.row(&id).filter(|row| row.is_head != (head == Some(id))) {
                    let row = TurnRow { is_head: head == Some(id), ..row.clone() };
                    self.turns.put(id, Some(row));
                }
            }
        }
    }

    /// The first open turn of a session, if it is pending.
    fn head_of(&self, session: SessionId) -> Option<&TurnRow> {
        let open = self.open_turn_rows(session).into_iter().next()?;
        (open.turn.state == TurnState::Pending).then_some(open)
    }

    fn open_turn_rows(&self, session: SessionId) -> Vec<&TurnRow> {
        let ids = self.turns_of.get(&session).into_iter().flatten();
        let mut open: Vec<&TurnRow> =
            ids.filter_map(|id| self.turns.row(id)).filter(|row| row.turn.is_open()).collect();
        open.sort_by_key(|row| row.turn.place);
        open
    }

    fn tell(&mut self, messages: &[MessageId]) {
        let mut changed = Changed { others: std::mem::take(&mut self.others), ..Changed::default() };
        for id in self.customers.written() {
            let of = |row: &CustomerRow| row.customer.clone();
            changed.customers.push((self.customers.before(id).map(of), self.customers.row(id).map(of)));
        }
        for id in self.sessions.written() {
            let of = |row: &SessionRow| row.session.clone();
            changed.sessions.push((self.sessions.before(id).map(of), self.sessions.row(id).map(of)));
        }
        for id in messages {
            let of = |row: &MessageRow| row.message.clone();
            changed.messages.push((self.messages.before(id).map(of), self.messages.row(id).map(of)));
        }
        for id in self.turns.written() {
            let of = |row: &TurnRow| row.turn.clone();
            changed.turns.push((self.turns.before(id).map(of), self.turns.row(id).map(of)));
        }
        for what in changed.told() {
            self.told.add((self.now, what));
        }
    }
}
