//! The random commands. They name what exists by its place among what was created, the newest first and counted
//! round, so that a command keeps its meaning when those before it are left out. Carries nothing out.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use switchboard::domain::delivery::{ErrorClass, ReceiptStage};
use switchboard::domain::keywords::Keyword;
use switchboard::store::TokenRole;

/// Something created so far: 0 is the newest.
pub type Pick = usize;

#[derive(Clone, Copy, Debug)]
pub enum Who {
    Agent,
    OtherAgent,
    Bot,
    Gateway,
}

#[derive(Clone, Copy, Debug)]
pub enum Change {
    Leave,
    Clear,
    Set(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub scope: usize,
    pub name: usize,
    pub request: u8,
}

#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    Accepted { provider_id: usize, from: bool },
    Throttled { wait_s: i64 },
    Transient { wait_s: i64 },
    ChannelFault { wait_s: i64 },
    Permanent { class: ErrorClass },
    Unknown { wait_s: i64 },
}

#[derive(Clone, Copy, Debug)]
pub enum Proof {
    Found { provider_id: usize },
    NotYet { wait_s: i64 },
    Absent,
    CannotTell,
    Passed { wait_s: i64 },
    Resend,
}

#[derive(Clone, Debug)]
pub struct Labels {
    pub tags: Option<Vec<&'static str>>,
    pub topics: Option<Vec<&'static str>>,
    pub state: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub texts: Vec<(&'static str, u64)>,
    pub hand_off: bool,
    pub labels: Labels,
}

/// What becomes of a turn that the bot could not be told.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    Retry { wait_s: i64 },
    PutOff { wait_s: i64 },
    GiveUp { fallback: bool },
}

/// An event that an endpoint was told in vain, so many places ago; `wait_s`: told again after that, none: a dead letter.
#[derive(Clone, Copy, Debug)]
pub struct InVain {
    pub endpoint: usize,
    pub ago: u64,
    pub wait_s: Option<i64>,
}

/// The fencing token that is given with a command: the right one, or one off.
pub type IsRight = bool;

#[derive(Clone, Debug)]
pub enum Command {
    Wait {
        ms: i64,
    },
    Text {
        number: usize,
        lane: usize,
        content: &'static str,
        provider_id: usize,
        media: bool,
        keyword: Option<Keyword>,
        replies: bool,
        /// Sent so many seconds ago, and recovered.
        recovered_s: Option<i64>,
    },
    CreateCustomer {
        number: usize,
        confirmed: bool,
        token: Option<usize>,
        key: Option<Key>,
    },
    UpdateCustomer {
        customer: Pick,
        email: Change,
        first_name: Change,
    },
    Erase {
        customer: Pick,
    },
    BeginConfirmation {
        customer: Pick,
        token: usize,
    },
    Confirm {
        customer: Pick,
        token: usize,
    },
    Subscribe {
        customer: Pick,
        unsubscribed: bool,
    },
    Say {
        customer: Pick,
        who: Who,
        content: &'static str,
        lane: Option<usize>,
        not_before_s: Option<i64>,
        valid_for_s: u64,
        key: Option<Key>,
        /// The turn that it answers.
        turn: Option<Pick>,
    },
    UpdateSession {
        customer: Pick,
        need_attention: Option<bool>,
        labels: Labels,
    },
    Assign {
        customer: Pick,
        assignee: Option<usize>,
        caller: usize,
        force: bool,
    },
    UseSuggestion {
        suggestion: Pick,
    },
    /// Customers who wait, this many at the most.
    Attend {
        most: usize,
    },
    SendHead {
        lane: usize,
        owner: usize,
    },
    /// What the lane has, sent and settled at once.
    Send {
        lane: usize,
        outcome: Outcome,
    },
    Begin {
        message: Pick,
        owner: usize,
    },
    /// The lane's `place`-th text is put off, or a text that is not its turn.
    Postpone {
        lane: usize,
        place: usize,
        message: Option<Pick>,
        wait_s: i64,
    },
    Pause {
        lane: usize,
        account: bool,
        wait_s: i64,
    },
    Settle {
        attempt: Pick,
        right: IsRight,
        outcome: Outcome,
    },
    Abandon {
        owner: usize,
    },
    /// Of what was begun, every so-manieth is known; 0: none.
    Reclaim {
        owner: usize,
        every: usize,
    },
    Look {
        limit: usize,
        proof: Proof,
    },
    Resolve {
        message: Pick,
        proof: Proof,
    },
    Receipt {
        /// By our id, too.
        message: Option<Pick>,
        lane: usize,
        provider_id: usize,
        stage: ReceiptStage,
        class: Option<ErrorClass>,
    },
    Claim {
        owner: usize,
    },
    /// A turn claimed and answered at once.
    Ask {
        reply: Reply,
    },
    Complete {
        turn: Pick,
        right: IsRight,
        reply: Reply,
    },
    Fail {
        turn: Pick,
        right: IsRight,
        failure: Failure,
    },
    /// A call of the bot's own; keys repeat.
    ReplyTo {
        turn: Pick,
        key: u8,
        reply: Reply,
    },
    Replay {
        turn: Pick,
    },
    Release {
        owner: usize,
    },
    Cancel {
        message: Pick,
    },
    Resend {
        message: Pick,
    },
    /// The first that is held.
    ResendHeld,
    /// The provider is asked about what is silent, and answers with a stage or not at all.
    AskAbout {
        asks: u8,
        stage: Option<ReceiptStage>,
        class: Option<ErrorClass>,
    },
    Mint {
        role: TokenRole,
    },
    /// What was silent for so long.
    Prune {
        silent_s: i64,
        from: Option<Pick>,
        limit: usize,
    },
    MarkAlive {
        clean: bool,
    },
    PruneEvents {
        older_s: i64,
        limit: usize,
    },
    /// An endpoint was told up to so many places ago.
    Advance {
        endpoint: usize,
        ago: u64,
        in_vain: Vec<InVain>,
        failing: bool,
    },
    Switch {
        endpoint: usize,
        disabled: bool,
    },
    KeepDelivery {
        in_vain: InVain,
    },
    DropDelivery {
        in_vain: InVain,
    },
    Revoke {
        token: Pick,
    },
    /// A day goes by, and a sweep.
    NextDay {
        limit: usize,
    },
    Sweep {
        limit: usize,
    },
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![6 => 0..4usize, 1 => 0..40usize]
}

/// Mostly what is still in hand.
fn latest() -> impl Strategy<Value = Pick> {
    prop_oneof![5 => Just(0usize), 3 => pick()]
}

fn wait_s() -> impl Strategy<Value = i64> {
    select(vec![0, 0, 1, 30, 3600])
}

fn right() -> impl Strategy<Value = IsRight> {
    prop::bool::weighted(0.9)
}

fn provider_id() -> impl Strategy<Value = usize> {
    0..5usize
}

fn key() -> impl Strategy<Value = Option<Key>> {
    let key = (0..2usize, 0..3usize, prop_oneof![4 => Just(0u8), 1 => Just(1u8)]);
    option::weighted(0.3, key.prop_map(|(scope, name, request)| Key { scope, name, request }))
}

fn labels() -> impl Strategy<Value = Labels> {
    let list = || option::weighted(0.3, prop::collection::vec(select(vec!["a", "b", "vip"]), 0..3));
    (list(), list(), option::weighted(0.2, select(vec!["{}", "[1]"])))
        .prop_map(|(tags, topics, state)| Labels { tags, topics, state })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let class = select(vec![ErrorClass::Permanent, ErrorClass::OptedOut, ErrorClass::Content]);
    prop_oneof![
        5 => (provider_id(), any::<bool>())
            .prop_map(|(provider_id, from)| Outcome::Accepted { provider_id, from }),
        1 => wait_s().prop_map(|wait_s| Outcome::Throttled { wait_s }),
        2 => wait_s().prop_map(|wait_s| Outcome::Transient { wait_s }),
        1 => wait_s().prop_map(|wait_s| Outcome::ChannelFault { wait_s }),
        2 => class.prop_map(|class| Outcome::Permanent { class }),
        4 => wait_s().prop_map(|wait_s| Outcome::Unknown { wait_s }),
    ]
}

fn proof() -> impl Strategy<Value = Proof> {
    prop_oneof![
        provider_id().prop_map(|provider_id| Proof::Found { provider_id }),
        wait_s().prop_map(|wait_s| Proof::NotYet { wait_s }),
        Just(Proof::Absent),
        Just(Proof::CannotTell),
        wait_s().prop_map(|wait_s| Proof::Passed { wait_s }),
        Just(Proof::Resend),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let text = (select(vec!["sure", "one moment", "¿qué?"]), select(vec![0u64, 0, 5]));
    (prop::collection::vec(text, 0..3), prop::bool::weighted(0.25), labels())
        .prop_map(|(texts, hand_off, labels)| Reply { texts, hand_off, labels })
}

fn stage() -> impl Strategy<Value = ReceiptStage> {
    use ReceiptStage::{Canceled, Delivered, Failed, Sent, Taken, Undelivered};
    select(vec![Taken, Sent, Canceled, Failed, Undelivered, Delivered, Delivered])
}

fn text() -> impl Strategy<Value = Command> {
    let content = prop_oneof![
        6 => select(vec!["hello", "where is my order", "¿qué tal?"]),
        2 => select(vec!["STOP", "START", "START", "help", "yes"]),
    ];
    let keyword = select(vec![Keyword::Stop, Keyword::Start, Keyword::Help]);
    let recovered_s = option::weighted(0.2, select(vec![-1, 0, 1, 60, 3_600, 90_000]));
    (
        0..4usize,
        0..2usize,
        content,
        0..60usize,
        any::<bool>(),
        option::weighted(0.07, keyword),
        any::<bool>(),
        recovered_s,
    )
        .prop_map(|(number, lane, content, provider_id, media, keyword, replies, recovered_s)| {
            Command::Text { number, lane, content, provider_id, media, keyword, replies, recovered_s }
        })
}

fn say() -> impl Strategy<Value = Command> {
    let who = prop_oneof![
        3 => Just(Who::Agent),
        1 => Just(Who::OtherAgent),
        3 => Just(Who::Bot),
        1 => Just(Who::Gateway),
    ];
    let turn = option::weighted(0.2, pick());
    let content = select(vec!["we are on it", "done ✓", "your code is 123456"]);
    let lane = option::weighted(0.8, 0..2usize);
    let not_before = option::weighted(0.2, select(vec![-10, 5, 600]));
    (pick(), who, content, lane, not_before, select(vec![1, 600, 14_400, 200_000]), key(), turn).prop_map(
        |(customer, who, content, lane, not_before_s, valid_for_s, key, turn)| Command::Say {
            customer,
            who,
            content,
            lane,
            not_before_s,
            valid_for_s,
            key,
            turn,
        },
    )
}

fn customers() -> impl Strategy<Value = Command> {
    let name =
        || select(vec![Change::Leave, Change::Clear, Change::Set("Ann"), Change::Set("ann@example.com")]);
    prop_oneof![
        2 => (0..4usize, any::<bool>(), option::of(0..2usize), key())
            .prop_map(|(number, confirmed, token, key)| Command::CreateCustomer { number, confirmed, token, key }),
        1 => (pick(), name(), name())
            .prop_map(|(customer, email, first_name)| Command::UpdateCustomer { customer, email, first_name }),
        2 => pick().prop_map(|customer| Command::Erase { customer }),
        1 => (pick(), 0..2usize).prop_map(|(customer, token)| Command::BeginConfirmation { customer, token }),
        2 => (pick(), 0..2usize).prop_map(|(customer, token)| Command::Confirm { customer, token }),
        2 => (pick(), prop::bool::weighted(0.4))
            .prop_map(|(customer, unsubscribed)| Command::Subscribe { customer, unsubscribed }),
        4 => (pick(), option::weighted(0.8, any::<bool>()), labels()).prop_map(
            |(customer, need_attention, labels)| Command::UpdateSession { customer, need_attention, labels }
        ),
        3 => (pick(), option::weighted(0.8, 0..2usize), 0..2usize, prop::bool::weighted(0.3)).prop_map(
            |(customer, assignee, caller, force)| Command::Assign { customer, assignee, caller, force }
        ),
        1 => pick().prop_map(|suggestion| Command::UseSuggestion { suggestion }),
        2 => (0..3usize).prop_map(|most| Command::Attend { most }),
    ]
}

fn sending() -> impl Strategy<Value = Command> {
    let class = option::weighted(0.3, select(vec![ErrorClass::OptedOut, ErrorClass::Permanent]));
    let class2 = class.clone();
    prop_oneof![
        8 => (0..2usize, outcome()).prop_map(|(lane, outcome)| Command::Send { lane, outcome }),
        6 => (0..2usize, 0..2usize).prop_map(|(lane, owner)| Command::SendHead { lane, owner }),
        1 => (pick(), 0..2usize).prop_map(|(message, owner)| Command::Begin { message, owner }),
        2 => (0..2usize, 0..3usize, option::weighted(0.3, pick()), wait_s())
            .prop_map(|(lane, place, message, wait_s)| Command::Postpone { lane, place, message, wait_s }),
        1 => (0..2usize, any::<bool>(), wait_s())
            .prop_map(|(lane, account, wait_s)| Command::Pause { lane, account, wait_s }),
        5 => (latest(), right(), outcome())
            .prop_map(|(attempt, right, outcome)| Command::Settle { attempt, right, outcome }),
        1 => (0..2usize).prop_map(|owner| Command::Abandon { owner }),
        2 => (0..2usize, 0..3usize).prop_map(|(owner, every)| Command::Reclaim { owner, every }),
        6 => (1..3usize, proof()).prop_map(|(limit, proof)| Command::Look { limit, proof }),
        1 => (pick(), proof()).prop_map(|(message, proof)| Command::Resolve { message, proof }),
        5 => (option::weighted(0.6, pick()), 0..2usize, provider_id(), stage(), class).prop_map(
            |(message, lane, provider_id, stage, class)| {
                Command::Receipt { message, lane, provider_id, stage, class }
            }
        ),
        1 => pick().prop_map(|message| Command::Cancel { message }),
        1 => pick().prop_map(|message| Command::Resend { message }),
        2 => Just(Command::ResendHeld),
        3 => (0..3u8, option::of(stage()), class2).prop_map(|(asks, stage, class)| Command::AskAbout { asks, stage, class }),
    ]
}

fn turns() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => reply().prop_map(|reply| Command::Ask { reply }),
        6 => (0..2usize).prop_map(|owner| Command::Claim { owner }),
        5 => (latest(), right(), reply()).prop_map(|(turn, right, reply)| Command::Complete { turn, right, reply }),
        4 => (latest(), right(), failure())
            .prop_map(|(turn, right, failure)| Command::Fail { turn, right, failure }),
        5 => (pick(), 0..3u8, reply()).prop_map(|(turn, key, reply)| Command::ReplyTo { turn, key, reply }),
        2 => pick().prop_map(|turn| Command::Replay { turn }),
        1 => (0..2usize).prop_map(|owner| Command::Release { owner }),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        2 => wait_s().prop_map(|wait_s| Failure::Retry { wait_s }),
        1 => wait_s().prop_map(|wait_s| Failure::PutOff { wait_s }),
        3 => any::<bool>().prop_map(|fallback| Failure::GiveUp { fallback }),
    ]
}

fn in_vain() -> impl Strategy<Value = InVain> {
    let wait_s = option::weighted(0.8, wait_s());
    (0..3usize, 0..6u64, wait_s).prop_map(|(endpoint, ago, wait_s)| InVain { endpoint, ago, wait_s })
}

fn log() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => (select(vec![-1, 0, 1, 3_600, 90_000]), 0..9usize)
            .prop_map(|(older_s, limit)| Command::PruneEvents { older_s, limit }),
        2 => (0..3usize, 0..6u64, prop::collection::vec(in_vain(), 0..3), any::<bool>()).prop_map(
            |(endpoint, ago, in_vain, failing)| Command::Advance { endpoint, ago, in_vain, failing }
        ),
        2 => (0..3usize, any::<bool>()).prop_map(|(endpoint, disabled)| Command::Switch { endpoint, disabled }),
        3 => in_vain().prop_map(|in_vain| Command::KeepDelivery { in_vain }),
        2 => in_vain().prop_map(|in_vain| Command::DropDelivery { in_vain }),
    ]
}

fn housekeeping() -> impl Strategy<Value = Command> {
    let ms = prop_oneof![
        4 => 1..2_000i64,
        3 => select(vec![60_000, 45 * 60_000, 3 * 3_600_000]),
        3 => select(vec![25 * 3_600_000, 30 * 3_600_000]),
        // A clock that was set back.
        1 => -3_000..0i64,
    ];
    let role = select(vec![TokenRole::Agent, TokenRole::Bot, TokenRole::Admin]);
    prop_oneof![
        6 => ms.prop_map(|ms| Command::Wait { ms }),
        3 => (1..4usize).prop_map(|limit| Command::NextDay { limit }),
        3 => (1..4usize).prop_map(|limit| Command::Sweep { limit }),
        1 => role.prop_map(|role| Command::Mint { role }),
        1 => any::<bool>().prop_map(|clean| Command::MarkAlive { clean }),
        3 => (select(vec![-1, 0, 600, 3_600, 90_000]), option::weighted(0.2, pick()), 1..6usize)
            .prop_map(|(silent_s, from, limit)| Command::Prune { silent_s, from, limit }),
        1 => pick().prop_map(|token| Command::Revoke { token }),
    ]
}

/// Any command, in about the proportions of a busy day.
pub fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => text(),
        5 => say(),
        6 => customers(),
        10 => sending(),
        7 => turns(),
        2 => log(),
        5 => housekeeping(),
    ]
}
