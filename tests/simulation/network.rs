//! The provider and everything behind it: takes texts, refuses them, loses answers, lists late, and keeps what it took.
//! It outlives every life of the gateway, and what it took is the evidence that the auditor goes by.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switchboard::domain::delivery::{DeliveryError, ErrorClass, ReceiptStage, ReceiptStatus};
use switchboard::provider::{
    AskError, OutgoingText, ProviderText, Received, ReceivedText, Sent, SentRecord, Span,
};

use switchboard::domain::time::Timestamp;

use crate::chance::Dice;
use crate::plan::{LONGEST_LAG, LONGEST_WAY, TIME_OUT};
use crate::world::World;

#[derive(Default)]
pub struct Network {
    taken: Mutex<Vec<Taken>>,
    received: Mutex<Vec<FromPhone>>,
}

/// A text of a customer's.
struct FromPhone {
    text: ProviderText,
    listed_from: Duration,
}

/// A text that the provider took.
struct Taken {
    record: SentRecord,
    listed_from: Duration,
    /// What becomes of it in the end, and when that is known.
    end: Option<(ReceiptStage, Duration)>,
}

pub enum Reply {
    Sent(Sent),
    /// The adapter falls over.
    Panic,
}

/// What becomes of one request.
#[derive(Clone, Copy)]
enum Fate {
    /// It is taken and answered for, in good time or not.
    Take,
    /// It is taken, and the line breaks.
    TakeAndBreak,
    /// It is taken, but so late that nobody waits any more.
    TakeLate,
    /// It never arrives, and nobody knows.
    Lose,
    Refuse(ErrorClass),
    TakeAndPanic,
    Panic,
}

const WRONG: [(u64, Fate); 14] = [
    (6, Fate::TakeAndBreak),
    (4, Fate::TakeLate),
    (6, Fate::Lose),
    (6, Fate::Refuse(ErrorClass::Throttled)),
    (6, Fate::Refuse(ErrorClass::Transient)),
    (2, Fate::Refuse(ErrorClass::Permanent)),
    (1, Fate::Refuse(ErrorClass::OptedOut)),
    (1, Fate::Refuse(ErrorClass::Credentials)),
    (1, Fate::Refuse(ErrorClass::Configuration)),
    (1, Fate::Refuse(ErrorClass::Content)),
    (1, Fate::Refuse(ErrorClass::Unknown)),
    (1, Fate::TakeAndPanic),
    (1, Fate::Panic),
    (4, Fate::Take),
];

impl World {
    /// The words of a text, unlike all others (unless everybody is a parrot), of one segment or several.
    pub fn words(&self, dice: &Dice, who: &str) -> String {
        if self.plan.parrots {
            return (*dice.pick(&["ok", "one moment", "thank you"])).to_owned();
        }
        let mut words = format!("{who} {}", self.number());
        let segments = dice.weighted(&[(30, 1), (5, 2), (2, 3), (1, 6)]);
        if segments > 1 {
            words.push_str(&" and so on".repeat(segments * 15));
        }
        words
    }

    /// A text is handed over. What is answered, and after how long.
    pub fn hand_over(self: &Arc<Self>, text: &OutgoingText) -> (Duration, Reply) {
        let dice = &self.dice.network;
        let wrong = self.is_chaotic() && dice.chance(self.plan.sends_go_wrong);
        let fate = if wrong { dice.weighted(&WRONG) } else { Fate::Take };
        let way = |longest_ms| Duration::from_millis(dice.between(1..=longest_ms));
        let (arrives, back) = (way(dice.weighted(&[(8, 80), (4, 600), (1, 4_000)])), way(300));
        match fate {
            Fate::Take => {
                let provider_id = self.take_after(arrives, text);
                let answered = arrives + if wrong { way(20_000) } else { back };
                if answered < TIME_OUT {
                    (answered, Reply::Sent(Sent::Accepted { provider_id, from: None }))
                } else {
                    self.unknown(TIME_OUT, "sent: answered too late")
                }
            }
            Fate::TakeAndBreak => {
                self.take_after(arrives, text);
                self.unknown(arrives + back, "sent: taken, answer lost")
            }
            Fate::TakeLate => {
                let longest_ms = u64::try_from(LONGEST_WAY.as_millis()).unwrap();
                self.take_after(Duration::from_millis(dice.between(1_000..=longest_ms)), text);
                self.unknown(way(15_000), "sent: taken late")
            }
            Fate::Lose => self.unknown(way(15_000), "sent: lost"),
            Fate::Refuse(class) => self.refuse(class, arrives + back),
            Fate::TakeAndPanic => {
                self.take_after(arrives, text);
                self.journal.saw("sent: adapter fell over");
                (arrives + back, Reply::Panic)
            }
            Fate::Panic => {
                self.journal.saw("sent: adapter fell over");
                (back, Reply::Panic)
            }
        }
    }

    fn unknown(&self, after: Duration, kind: &'static str) -> (Duration, Reply) {
        self.journal.saw(kind);
        (after, Reply::Sent(Sent::Unknown { error: error(ErrorClass::Unknown) }))
    }

    fn refuse(&self, class: ErrorClass, after: Duration) -> (Duration, Reply) {
        self.journal.saw(match class {
            ErrorClass::Throttled => "sent: throttled",
            ErrorClass::OptedOut => "sent: opted out",
            ErrorClass::Unknown => "sent: unreadable answer",
            ErrorClass::Transient => "sent: refused for now",
            ErrorClass::Credentials | ErrorClass::Configuration => "sent: channel at fault",
            ErrorClass::Permanent | ErrorClass::Content => "sent: refused for good",
        });
        let retry_after_s =
            self.dice.network.weighted(&[(3, None), (3, Some(1)), (2, Some(7)), (1, Some(40))]);
        (after, Reply::Sent(Sent::Refused { error: error(class), retry_after_s }))
    }

    /// The provider takes a text, after a while. Returns the id that it will have.
    fn take_after(self: &Arc<Self>, after: Duration, text: &OutgoingText) -> String {
        let provider_id = format!("SM{}", self.number());
        let lag = self.list_lag(&self.dice.network);
        let (world, text, id) = (Arc::clone(self), text.clone(), provider_id.clone());
        self.spawn(async move {
            tokio::time::sleep(after).await;
            world.take(text, id, lag);
        });
        provider_id
    }

    fn take(self: &Arc<Self>, text: OutgoingText, provider_id: String, lag: Duration) {
        self.audit.is_taken(text.message_id, &provider_id);
        let end = self.send_receipts(text.message_id, &provider_id, &text.sender);
        let created_at = self.provider_time();
        let OutgoingText { sender, to, content, .. } = text;
        self.network.taken().push(Taken {
            record: SentRecord { provider_id, to, from: Some(sender), content, created_at },
            listed_from: self.time.elapsed() + lag,
            end: end.map(|(stage, after)| (stage, self.time.elapsed() + after)),
        });
    }

    /// What the provider says of one text, and after how long it says so.
    pub fn status_of(&self, id: &str, at: Timestamp) -> (Duration, Result<Option<ReceiptStatus>, AskError>) {
        let dice = &self.dice.network;
        let after = Duration::from_millis(dice.between(1..=300));
        if self.is_chaotic() && dice.chance(self.plan.lists_go_wrong) {
            self.journal.saw("status not told");
            return (after, Err(AskError("it does not say".into())));
        }
        let now = self.time.elapsed();
        let taken = self.network.taken();
        let status = taken.iter().find(|taken| taken.record.provider_id == id).map(|taken| {
            let ended = taken.end.filter(|(_, at)| *at <= now).map(|(stage, _)| stage);
            self.journal.saw("status told");
            status(ended.unwrap_or(ReceiptStage::Sent), None, at)
        });
        (after, Ok(status))
    }

    fn list_lag(&self, dice: &Dice) -> Duration {
        if !self.is_chaotic() || !dice.chance(3_000) {
            return Duration::ZERO;
        }
        self.journal.saw("list lags");
        Duration::from_millis(dice.between(0..=u64::try_from(LONGEST_LAG.as_millis()).unwrap()))
    }

    /// The time of day, as the provider has it.
    fn provider_time(&self) -> Timestamp {
        Timestamp::from_millis(self.time.now().as_millis() + self.plan.provider_ahead_ms)
    }

    /// A customer's text has reached the provider.
    pub fn reaches_provider(&self, text: &ProviderText) {
        let listed_from = self.time.elapsed() + self.list_lag(&self.dice.people);
        let text = ProviderText { sent_at: Some(self.provider_time()), ..text.clone() };
        self.network.received().push(FromPhone { text, listed_from });
    }

    /// What customers texted, as the provider says, and after how long it says so.
    pub fn list_received(&self, sender: &str, span: Span) -> (Duration, Result<Received, AskError>) {
        let dice = &self.dice.people;
        let after = Duration::from_millis(dice.between(1..=300));
        if self.is_chaotic() && dice.chance(self.plan.lists_go_wrong) {
            self.journal.saw("list failed");
            return (after, Err(AskError("it does not say".into())));
        }
        let now = self.time.elapsed();
        let received = self.network.received();
        let is_listed = |from: &&FromPhone| {
            from.listed_from <= now
                && from.text.to == sender
                && from.text.sent_at.is_some_and(|sent_at| span.has(sent_at))
        };
        let listed = received.iter().filter(is_listed);
        let mut texts: Vec<_> =
            listed.map(|from| ReceivedText { text: from.text.clone(), has_media: false }).collect();
        texts.sort_by_key(|received| received.text.sent_at);
        self.journal.saw("asked for customers' texts");
        let complete_until = self.list_by_halves(&mut texts, span);
        (after, Ok(Received { texts, complete_until, unreadable: 0 }))
    }

    /// Leaves the last ones out if there are more than are listed at once; and from when on. What came at the beginning of
    /// the span is always there.
    fn list_by_halves(&self, texts: &mut Vec<ReceivedText>, span: Span) -> Option<Timestamp> {
        let is_later = |text: &ReceivedText| text.text.sent_at.filter(|sent_at| *sent_at > span.since);
        let (number, until) = texts
            .iter()
            .enumerate()
            .skip(self.plan.lists_at_once)
            .find_map(|(number, text)| Some((number, is_later(text)?)))?;
        texts.truncate(number);
        self.journal.saw("listed by halves");
        Some(until)
    }

    /// What the provider says that it took, and after how long it says so.
    pub fn list_sent(
        &self,
        sender: &str,
        to: &str,
        since: Timestamp,
    ) -> (Duration, Result<Vec<SentRecord>, AskError>) {
        let dice = &self.dice.network;
        let after = Duration::from_millis(dice.between(1..=300));
        if self.is_chaotic() && dice.chance(self.plan.lists_go_wrong) {
            self.journal.saw("list failed");
            return (after, Err(AskError("it does not say".into())));
        }
        let now = self.time.elapsed();
        let taken = self.network.taken();
        let is_listed = |taken: &&Taken| {
            let record = &taken.record;
            taken.listed_from <= now
                && record.to == to
                && record.from.as_deref() == Some(sender)
                && record.created_at >= since
        };
        (after, Ok(taken.iter().filter(is_listed).map(|taken| taken.record.clone()).collect()))
    }
}

impl Network {
    fn taken(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn received(&self) -> MutexGuard<'_, Vec<FromPhone>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn status(stage: ReceiptStage, error: Option<DeliveryError>, at: Timestamp) -> ReceiptStatus {
    ReceiptStatus { stage, raw: format!("{stage:?}").to_lowercase(), error, at }
}

pub fn error(class: ErrorClass) -> DeliveryError {
    let code = (class == ErrorClass::OptedOut).then(|| "21610".to_owned());
    DeliveryError { code, class, text: "as the network says".into() }
}
