//! An engine and the model side by side, with the clock, the ids and all that was created so far.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use proptest::test_runner::TestCaseError;
use switchboard::domain::conversation::Policy;
use switchboard::domain::ids::{CustomerId, MessageId, SessionId, SuggestionId, TokenId, TurnId};
use switchboard::domain::message::Lane;
use switchboard::domain::time::Timestamp;
use switchboard::store::Store;
use switchboard::store::memory::MemoryStore;
use tempfile::TempDir;
use uuid::Uuid;

use super::command::Pick;
use crate::engines::OpenAt;
use crate::export::{file_of, fill};
use crate::fixture::{at, lane, other_lane};

/// Four customers' numbers; the last is a short code.
pub const NUMBERS: [&str; 4] = ["+14155550101", "+14155550102", "+14155550103", "74454"];
pub const OWNERS: [&str; 2] = ["here", "there"];
pub const AGENTS: [&str; 2] = ["desk", "eve"];
/// Whom the events are told; the bot is called as well.
pub const ENDPOINTS: [&str; 3] = ["crm", "c", "bot"];

pub struct World {
    pub model: MemoryStore,
    pub engine: Arc<dyn Store>,
    open: OpenAt,
    home: TempDir,
    pub policy: Policy,
    pub now: Timestamp,
    ids_given: u128,
    pub customers: Vec<CustomerId>,
    pub sessions: Vec<SessionId>,
    pub messages: Vec<MessageId>,
    pub turns: Vec<TurnId>,
    /// What may have been proposed.
    pub suggestions: Vec<SuggestionId>,
    pub tokens: Vec<TokenId>,
    /// Attempts and calls that were begun, over or not, with their fencing tokens.
    pub attempts: Vec<(MessageId, u32)>,
    pub calls: Vec<(TurnId, u32)>,
    /// Turns whose answer was a hand-off, with the version that their session had then.
    pub hand_offs: BTreeMap<TurnId, u64>,
    pub delivered: BTreeMap<MessageId, Timestamp>,
}

impl World {
    pub fn new(open: OpenAt, policy: Policy) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            model: MemoryStore::new(policy.clone()),
            engine: open(home.path(), policy.clone()),
            open,
            home,
            policy,
            now: at(0),
            ids_given: 0,
            customers: Vec::new(),
            sessions: Vec::new(),
            messages: Vec::new(),
            turns: Vec::new(),
            suggestions: Vec::new(),
            tokens: Vec::new(),
            attempts: Vec::new(),
            calls: Vec::new(),
            hand_offs: BTreeMap::new(),
            delivered: BTreeMap::new(),
        }
    }

    /// Closes the engine and opens its directory again. The model goes on.
    pub async fn restart(&mut self) {
        self.engine.close().await.unwrap();
        self.engine = (self.open)(self.home.path(), self.policy.clone());
    }

    /// Both move to new stores, each with what the other has: what one engine exports, another imports.
    pub async fn change_places(&mut self) {
        let (of_model, of_engine) = (file_of(&self.model).await, file_of(&*self.engine).await);
        self.engine.close().await.unwrap();
        self.home = tempfile::tempdir().unwrap();
        self.engine = (self.open)(self.home.path(), self.policy.clone());
        self.model = MemoryStore::new(self.policy.clone());
        fill(&*self.engine, &of_model).await;
        fill(&self.model, &of_engine).await;
    }

    /// A new id. Ids come in no order: what counts is the order of the commands.
    pub fn id(&mut self) -> Uuid {
        self.ids_given += 1;
        Uuid::from_u128(self.ids_given.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// A new id of a session. Begins with a time, as they do, but not later than now; else in no order, too.
    pub fn session_id(&mut self) -> SessionId {
        let rest = self.id().as_u128() & (u128::MAX >> 48);
        let ago_ms = i64::try_from(rest % (3 * 3_600_000)).unwrap();
        let made_at = u128::try_from(self.now.as_millis() - ago_ms).unwrap();
        SessionId(Uuid::from_u128((made_at << 80) | rest))
    }

    pub fn in_seconds(&self, seconds: i64) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() + seconds * 1000)
    }
}

/// Counted round, from the newest.
pub fn picked<T: Copy>(created: &[T], pick: Pick) -> Option<T> {
    let last = created.len().checked_sub(1)?;
    Some(created[last - pick % created.len()])
}

pub fn lanes(which: usize) -> Lane {
    if which == 0 { lane() } else { other_lane() }
}

/// Both answers in one form, an error as its text; only that the engine failed is never an answer.
pub fn same<T: PartialEq + Debug, E: Debug>(
    what: &str,
    model: Result<T, E>,
    engine: Result<T, E>,
) -> Result<Result<T, String>, TestCaseError> {
    let (model, engine) = (comparable(model), comparable(engine));
    if let Err(error) = &engine
        && ["Store(", "Corrupt(", "Unavailable(", "Uncertain(", "Overloaded"]
            .iter()
            .any(|broken| error.starts_with(broken))
    {
        return Err(TestCaseError::fail(format!("{what}: the engine fails with {error}")));
    }
    if model == engine {
        Ok(engine)
    } else {
        Err(TestCaseError::fail(format!("{what}:\n the model: {model:#?}\nthe engine: {engine:#?}")))
    }
}

fn comparable<T, E: Debug>(answer: Result<T, E>) -> Result<T, String> {
    answer.map_err(|error| format!("{error:?}"))
}
