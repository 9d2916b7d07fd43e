//! Compares what the customers' phones received with what was promised, message by message.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;
use switchboard::domain::time::Timestamp;
use tokio::time::Instant;

use super::ledger::{Ledger, Promises};
use super::people::{Conversation, With};
use crate::fixture::{Acknowledged, Daemon, Provider};

/// How long a conversation may stand still before its end, once nothing goes wrong any more. While it moves it is waited for:
/// how much waits at the pace of one number depends on how fast the machine took it.
const STANDS_STILL: Duration = Duration::from_secs(120);

/// What was not as promised, one line each, by promise.
#[derive(Default)]
pub struct Findings {
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    pub out_of_order: Vec<String>,
    /// The bot spoke although agents had the session.
    pub past_the_fence: Vec<String>,
    pub canceled_but_sent: Vec<String>,
    /// An acknowledged receipt that says so, and a message that does not.
    pub receipt_forgotten: Vec<String>,
    /// A text on a phone that nobody wrote.
    pub from_nowhere: Vec<String>,
    pub texts_taken: usize,
    /// Customers' texts that nobody acknowledged.
    pub texts_unheard: usize,
    pub texts_accepted: usize,
    /// Attempts whose answer never came, or said nothing.
    pub line_breaks: usize,
    pub receipts: usize,
    /// How often agents took a session from the bot.
    pub switches: usize,
}

impl Findings {
    /// Every promise, and what broke it.
    fn broken(&self) -> [(&'static str, &Vec<String>); 7] {
        [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("out of order", &self.out_of_order),
            ("past the fence", &self.past_the_fence),
            ("canceled but sent", &self.canceled_but_sent),
            ("receipts forgotten", &self.receipt_forgotten),
            ("from nowhere", &self.from_nowhere),
        ]
    }

    /// In one line: how much there was, and how much of it was not as promised.
    pub fn summary(&self) -> String {
        let broken: Vec<_> =
            self.broken().iter().map(|(name, lines)| format!("{} {name}", lines.len())).collect();
        format!(
            "{} texts taken, {} never acknowledged, {} accepted, {} line breaks, {} receipts acknowledged, {} switches, {}",
            self.texts_taken,
            self.texts_unheard,
            self.texts_accepted,
            self.line_breaks,
            self.receipts,
            self.switches,
            broken.join(", ")
        )
    }

    /// The first lines of each, if any promise was broken.
    pub fn complaint(&self) -> Option<String> {
        let told: Vec<_> = self
            .broken()
            .into_iter()
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(name, lines)| {
                format!("{name}:\n  {}", lines.iter().take(10).cloned().collect::<Vec<_>>().join("\n  "))
            })
            .collect();
        (!told.is_empty()).then(|| told.join("\n"))
    }
}

/// One message as the daemon keeps it, in the order of its conversation.
struct Kept {
    id: String,
    content: String,
    role: String,
    status: String,
    delivered: bool,
    provider_ids: Vec<String>,
    line_breaks: usize,
    created_ms: i64,
}

impl Kept {
    fn of(message: &Value) -> Self {
        let delivery = &message["delivery"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let attempts = delivery["attempts"].as_array().unwrap();
        Self {
            id: text(&message["id"]),
            content: text(&message["content"]),
            role: text(&message["sender_role"]),
            status: text(&delivery["status"]),
            delivered: message["delivered_at"].is_string(),
            provider_ids: delivery["provider_ids"].as_array().unwrap().iter().map(text).collect(),
            created_ms: millis(&message["created_at"]),
            line_breaks: attempts.iter().filter(|attempt| attempt["outcome"] == "unknown").count(),
        }
    }

    fn is_ours(&self) -> bool {
        self.role != "end-user"
    }

    fn is_settled(&self) -> bool {
        !self.is_ours() || !matches!(self.status.as_str(), "queued" | "sending" | "unknown")
    }
}

/// One text as it arrived on a phone.
struct Arrived {
    body: String,
    taken_ms: i64,
}

impl Arrived {
    fn of(text: &Value) -> Self {
        Self { body: text["body"].as_str().unwrap().to_owned(), taken_ms: millis(&text["accepted_at"]) }
    }
}

/// Waits for everything to come to its end, and looks at all of it.
pub async fn audit(
    daemon: &Daemon,
    provider: &Provider,
    ledger: &Ledger,
    conversations: &[std::sync::Arc<Conversation>],
    acknowledged: &[Acknowledged],
) -> Findings {
    let receipts: Vec<_> = acknowledged.iter().filter(|webhook| webhook.path.ends_with("/status")).collect();
    let mut findings = Findings { receipts: receipts.len(), ..Findings::default() };
    let delivered: BTreeSet<String> = receipts
        .iter()
        .filter(|receipt| receipt.field("MessageStatus") == Some("delivered"))
        .map(|receipt| receipt.field("MessageSid").unwrap().to_owned())
        .collect();
    let mut all = std::mem::take(&mut *ledger.promises());
    for of in conversations {
        let promised = all.get_mut(&of.number).unwrap();
        let kept = until_settled(daemon, of, promised).await;
        let arrived = until_arrived(provider, of, &kept).await;
        // The bot goes on while everything comes to its end, and may hand them over.
        if let Some(later) = ledger.promises().get(&of.number) {
            promised.switched_ms.extend(&later.switched_ms);
        }
        findings.texts_taken += promised.taken.len();
        findings.texts_unheard += promised.said.difference(&promised.taken).count();
        findings.texts_accepted += promised.accepted.len();
        findings.switches += promised.held.len();
        findings.line_breaks += kept.iter().map(|message| message.line_breaks).sum::<usize>();
        look_at_what_was_taken(&mut findings, of, promised, &kept, &arrived);
        look_at_what_was_sent(&mut findings, of, promised, &kept, &arrived);
        look_at_the_fence(&mut findings, of, promised, &kept, &arrived);
        for message in kept.iter().filter(|message| !message.delivered) {
            if message.provider_ids.iter().any(|id| delivered.contains(id)) {
                findings.receipt_forgotten.push(format!("{} is {}", message.id, message.status));
            }
        }
    }
    findings
}

/// What the customers said, acknowledged or not: kept once, and by the bot, where it alone has the session, answered
/// once.
fn look_at_what_was_taken(
    findings: &mut Findings,
    of: &Conversation,
    promised: &Promises,
    kept: &[Kept],
    arrived: &[Arrived],
) {
    let heard =
        counted(kept.iter().filter(|message| !message.is_ours()).map(|message| message.content.as_str()));
    let answered =
        counted(arrived.iter().filter_map(|text| text.body.split_once(" re ")).map(|(_, heard)| heard));
    for text in &promised.said {
        let how = if promised.taken.contains(text) { "was acknowledged" } else { "is with the provider" };
        let times = |counts: &HashMap<&str, usize>| counts.get(text.as_str()).copied().unwrap_or(0);
        match times(&heard) {
            0 => findings.lost.push(format!("\"{text}\" {how}, and is not kept")),
            1 => {}
            times => findings.doubled.push(format!("\"{text}\" is kept {times} times")),
        }
        match (of.with, times(&answered)) {
            (With::Bot, 0) => findings.lost.push(format!("\"{text}\" {how}, and never answered")),
            (With::Bot | With::Both, 2..) => findings.doubled.push(format!("\"{text}\" was answered twice")),
            _ => {}
        }
    }
}

/// What was said to a customer: each text on the phone once, in the order of the conversation; nothing else.
fn look_at_what_was_sent(
    findings: &mut Findings,
    of: &Conversation,
    promised: &Promises,
    kept: &[Kept],
    arrived: &[Arrived],
) {
    let number = &of.number;
    let ids: BTreeSet<_> = kept.iter().map(|message| message.id.as_str()).collect();
    for (id, content) in promised.accepted.iter().filter(|(id, _)| !ids.contains(id.as_str())) {
        findings.lost.push(format!("{number}: \"{content}\" ({id}) was accepted, and is not kept"));
    }
    let times = counted(arrived.iter().map(|text| text.body.as_str()));
    let mut places = BTreeMap::new();
    for (place, message) in kept.iter().enumerate().filter(|(_, message)| message.is_ours()) {
        let Kept { id, content, status, .. } = message;
        let line = format!("{number}: \"{content}\" ({id}, {status})");
        if places.insert(content.as_str(), place).is_some() {
            findings.doubled.push(format!("{line} was accepted twice"));
        }
        let taken_back =
            promised.canceled.contains(id) || status == "canceled" && may_be_taken_back(message, promised);
        match times.get(content.as_str()).copied().unwrap_or(0) {
            0 if !taken_back => findings.lost.push(line),
            0 => {}
            _ if taken_back => findings.canceled_but_sent.push(line),
            1 => {}
            times => findings.doubled.push(format!("{line} arrived {times} times")),
        }
    }
    let mut last = 0;
    for text in arrived {
        match places.get(text.body.as_str()) {
            None => findings.from_nowhere.push(format!("{number}: \"{}\"", text.body)),
            Some(place) if *place < last => {
                findings.out_of_order.push(format!("{number}: \"{}\" came too late", text.body));
            }
            Some(place) => last = *place,
        }
    }
}

/// Whether anybody asked for it: the daemon takes nothing back by itself.
fn may_be_taken_back(message: &Kept, promised: &Promises) -> bool {
    if message.role == "agent" {
        promised.cancel_asked.contains(&message.id)
    } else {
        promised.switched_ms.iter().any(|switched_ms| *switched_ms >= message.created_ms)
    }
}

/// Between the answer that agents have the session and their giving it back, nothing of the bot's is accepted, and the
/// provider takes nothing of it.
fn look_at_the_fence(
    findings: &mut Findings,
    of: &Conversation,
    promised: &Promises,
    kept: &[Kept],
    arrived: &[Arrived],
) {
    let accepted = kept.iter().map(|message| (&message.content, message.created_ms, "accepted"));
    let taken = arrived.iter().map(|text| (&text.body, text.taken_ms, "taken"));
    for (body, at_ms, what) in accepted.chain(taken).filter(|(body, ..)| body.starts_with("bot ")) {
        if promised.held.iter().any(|held| held.from_ms < at_ms && at_ms < held.until_ms) {
            findings.past_the_fence.push(format!("{}: \"{body}\" was {what}", of.number));
        }
    }
}

fn millis(moment: &Value) -> i64 {
    Timestamp::parse(moment.as_str().unwrap()).unwrap().as_millis()
}

fn counted<'a>(texts: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    texts.for_each(|text| *counts.entry(text).or_insert(0) += 1);
    counts
}

/// All messages of the conversation, the oldest first, once all that the customer said is there and answered, and each
/// has come to its end.
async fn until_settled(daemon: &Daemon, of: &Conversation, promised: &Promises) -> Vec<Kept> {
    let (mut moved, mut last) = (Instant::now(), Vec::new());
    loop {
        let mut kept: Vec<_> = daemon.all_messages(&of.customer).await.iter().map(Kept::of).collect();
        kept.reverse();
        if kept.iter().all(Kept::is_settled) && is_complete(of, promised, &kept) {
            return kept;
        }
        let statuses: Vec<_> = kept.iter().map(|message| message.status.clone()).collect();
        if statuses != last {
            (moved, last) = (Instant::now(), statuses);
        } else if moved.elapsed() > STANDS_STILL {
            // What is still open then is found on no phone, and told as lost.
            return kept;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Nothing is known to be still missing.
fn is_complete(of: &Conversation, promised: &Promises, kept: &[Kept]) -> bool {
    let (ours, theirs): (Vec<_>, Vec<_>) = kept.iter().partition(|message| message.is_ours());
    let heard: BTreeSet<_> = theirs.iter().map(|message| message.content.as_str()).collect();
    let answered: BTreeSet<_> = ours
        .iter()
        .filter_map(|message| message.content.split_once(" re "))
        .map(|(_, heard)| heard)
        .collect();
    let is_done = |text: &str| heard.contains(text) && (of.with != With::Bot || answered.contains(text));
    promised.said.iter().all(|text| is_done(text))
}

/// What is on the phone, once all that the provider has taken is: it delivers within a second or so.
async fn until_arrived(provider: &Provider, of: &Conversation, kept: &[Kept]) -> Vec<Arrived> {
    let taken = kept.iter().filter(|message| message.is_ours() && !message.provider_ids.is_empty());
    let awaited: BTreeSet<_> = taken.map(|message| message.content.as_str()).collect();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let texts = provider.arrived(&of.number).await;
        let there: BTreeSet<_> = texts.iter().map(|text| text["body"].as_str().unwrap()).collect();
        if awaited.is_subset(&there) || Instant::now() > deadline {
            return texts.iter().map(Arrived::of).collect();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
