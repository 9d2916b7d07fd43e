//! Nothing twice, nothing out of order, nothing that was taken back; and whether the evidence that the gateway goes by is
//! the truth.

use switchboard::domain::delivery::{
    ErrorClass, Evidence, OnUnknown, ReceiptStage, ReceiptStatus, SendOutcome, Status,
};
use switchboard::domain::ids::MessageId;
use switchboard::domain::message::Message;
use switchboard::store::{
    Begun, CancelError, Receipt, ReceiptOutcome, Reclaimed, ResendError, SettleError, StoreError, Swept,
};

use super::{Audit, Book};

impl Audit {
    pub fn saw_cancel(&self, answer: &Result<Message, CancelError>, id: MessageId) {
        if answer.is_ok() {
            self.journal.saw("text canceled");
            self.withdraw(&mut self.book(), id, "canceled");
        }
    }

    pub fn saw_sweep(&self, answer: &Result<Swept, StoreError>) {
        let Ok(swept) = answer else { return };
        let mut book = self.book();
        for id in &swept.expired {
            self.journal.saw("text expired");
            self.withdraw(&mut book, *id, "expired");
        }
    }

    pub(super) fn withdraw(&self, book: &mut Book, id: MessageId, why: &'static str) {
        let text = book.texts.get_mut(&id).unwrap();
        if text.withdrawn.is_none() {
            self.journal.note(|| format!("{} is {why}", text.title()));
            text.withdrawn = Some(why);
        }
    }

    pub fn saw_attempt(&self, answer: &Result<Begun, StoreError>, id: MessageId) {
        let mut book = self.book();
        let message = match answer {
            Ok(Begun::Attempt(message)) => message,
            Ok(Begun::Withdrawn(status)) => return self.withdraw(&mut book, id, status.as_str()),
            Ok(Begun::NotDue) | Err(_) => return,
        };
        self.check_consent(&book, message);
        let number = book.texts[&id].number;
        let earlier = book.of_customer(message.customer_id).filter(|(_, text)| text.number < number);
        let passed: Vec<MessageId> = earlier.map(|(id, _)| *id).filter(|id| self.is_passed(*id)).collect();
        for id in passed {
            book.texts.get_mut(&id).unwrap().passed = true;
            self.journal.saw("unknown text passed");
        }
        let could_leave = book.traffic.truly(message.delivery.ready_at);
        book.traffic.begins(&message.delivery.lane, self.now());
        let text = book.texts.get_mut(&id).unwrap();
        text.begun += 1;
        text.could_leave = could_leave;
        self.journal.note(|| {
            format!("attempt {} of {} is begun", message.delivery.attempts_made, book.texts[&id].title())
        });
    }

    /// Nobody knows whether it left, and nobody looks for it any more.
    fn is_passed(&self, id: MessageId) -> bool {
        self.stored(id)
            .is_some_and(|earlier| earlier.delivery.status == Status::Unknown && !earlier.holds_queue())
    }

    /// A text leaves for the provider.
    pub fn departs(&self, id: MessageId) {
        let now = self.now();
        let stored = self.stored(id);
        let mut book = self.book();
        let Book { texts, traffic, alike, .. } = &mut *book;
        let Some(text) = texts.get(&id) else {
            return self.journal.broken(format!("message {id} leaves and was never created"));
        };
        let title = text.title();
        self.journal.note(|| format!("{title} departs"));
        let later = |other: &super::Text| other.customer == text.customer && other.number > text.number;
        let in_flight = stored.as_ref().is_some_and(|stored| stored.delivery.status == Status::Sending);
        let wrong = match () {
            () if text.removed => Some("leaves though its conversation was removed".to_owned()),
            () if text.erased => None,
            () if !in_flight => Some("leaves without an attempt that was written down".to_owned()),
            () if text.begun <= text.departed => Some("leaves more often than it was begun".to_owned()),
            () if text.withdrawn.is_some() => {
                Some(format!("leaves though it was {}", text.withdrawn.unwrap_or("")))
            }
            () if text.fenced => {
                Some("is the bot's and leaves after agents were told that they have it".to_owned())
            }
            () if !text.passed && texts.values().any(|other| later(other) && other.departed > 0) => {
                Some("leaves after a later one of the same customer".to_owned())
            }
            () if text.taken.len() <= text.resends || alike[&text.words].texts > 1 => None,
            () => Some("leaves again though the provider has it".to_owned()),
        };
        if let Some(wrong) = wrong {
            self.journal.broken(format!("{title} {wrong}"));
        }
        if traffic.another_account_rests(&text.lane.channel, now) {
            self.journal.saw("a second channel sent while the first one rested");
        }
        if let Some(wrong) = traffic.departs(text, now) {
            self.journal.broken(wrong);
        }
        texts.get_mut(&id).unwrap().departed += 1;
        self.journal.saw("departure");
    }

    /// The provider took a text.
    pub fn is_taken(&self, id: MessageId, provider_id: &str) {
        let mut book = self.book();
        let text = book.texts.get_mut(&id).unwrap();
        text.taken.push(provider_id.to_owned());
        let text = &book.texts[&id];
        let title = text.title();
        self.journal.note(|| format!("the provider takes {title} as {provider_id}"));
        self.journal.saw("taken");
        if text.erased {
            return;
        }
        let words = text.words.clone();
        let alike = book.alike.get_mut(&words).unwrap();
        alike.taken += 1;
        let too_often = alike.taken > alike.texts + alike.resends;
        let text = &book.texts[&id];
        if too_often {
            self.journal.broken(format!("{title} was taken twice: {:?}", text.taken));
        }
        if let Some(why) = text.withdrawn.filter(|_| text.resends == 0) {
            self.journal.broken(format!("{title} was {why} and yet taken"));
        }
        let overtaken = book
            .of_customer(text.customer)
            .any(|(_, other)| other.number > text.number && !other.taken.is_empty());
        // What is taken late may long have been found as another with the same words, or sent again by hand.
        let settled_before = book.alike[&words].texts > 1 || text.resends > 0;
        if overtaken && !text.passed && !settled_before {
            self.journal.broken(format!("{title} was taken after a later one of the same customer"));
        }
    }

    pub fn saw_settled(
        &self,
        answer: &Result<Message, SettleError>,
        id: MessageId,
        attempt: u32,
        outcome: &SendOutcome,
    ) {
        let now = self.now();
        let mut book = self.book();
        let Book { texts, traffic, .. } = &mut *book;
        let text = &texts[&id];
        let title = text.title();
        traffic.ends(&text.lane, now);
        match outcome {
            SendOutcome::Throttled { ready_at, .. } => traffic.may_rest(&text.lane.channel, *ready_at),
            SendOutcome::ChannelFault { error, ready_at } if error.class == ErrorClass::Credentials => {
                traffic.may_rest(&text.lane.channel, *ready_at);
            }
            _ => {}
        }
        drop(book);
        match answer {
            Err(_) => {
                self.journal.note(|| format!("attempt {attempt} of {title} is stale: {}", outcome.as_str()));
                self.journal.saw("stale settle");
            }
            Ok(message) => {
                let status = message.delivery.status.as_str();
                self.journal
                    .note(|| format!("attempt {attempt} of {title}: {}; it is {status}", outcome.as_str()));
                if let SendOutcome::Permanent { error } = outcome {
                    self.heed(message, Some(error.class));
                }
            }
        }
    }

    pub fn saw_reclaimed(&self, answer: &Result<Reclaimed, StoreError>) {
        if answer.as_ref().is_ok_and(|reclaimed| reclaimed.messages + reclaimed.turns > 0) {
            self.journal.note(|| "what the store kept without saying so is taken back".to_owned());
            self.journal.saw("taken back from the store");
        }
    }

    pub fn saw_abandoned(&self, answer: &Result<usize, StoreError>) {
        if let Ok(count @ 1..) = answer {
            self.journal.note(|| format!("{count} attempts of an earlier life are of unknown fate"));
            self.journal.saw("attempts abandoned");
        }
    }

    pub fn saw_evidence(
        &self,
        answer: &Result<Option<Message>, StoreError>,
        id: MessageId,
        evidence: &Evidence,
    ) {
        let Ok(Some(message)) = answer else { return };
        let mut book = self.book();
        let ambiguous = book.is_ambiguous(&book.texts[&id]);
        let text = book.texts.get_mut(&id).unwrap();
        let title = text.title();
        self.journal.note(|| {
            format!("{title} is looked for: {evidence:?}; it is {}", message.delivery.status.as_str())
        });
        let wrong = match evidence {
            Evidence::Found { provider_id } if !text.taken.contains(provider_id) && !ambiguous => {
                Some(format!("{title} was found as {provider_id}, which is another"))
            }
            Evidence::Resend if self.on_unknown != OnUnknown::Resend => {
                Some(format!("{title} is sent again though nobody wants that"))
            }
            Evidence::Absent if text.taken.len() > text.resends && !ambiguous => {
                Some(format!("{title} was called absent though the provider has it"))
            }
            Evidence::CannotTell | Evidence::Resend if self.always_lists && !ambiguous => {
                Some(format!("{title} was given up though it could be asked for"))
            }
            _ => None,
        };
        match evidence {
            Evidence::Found { .. } => self.journal.saw("unknown: found"),
            Evidence::Absent => self.journal.saw("unknown: absent, sent again"),
            Evidence::NotYet { .. } => self.journal.saw("unknown: not yet"),
            Evidence::Passed { .. } => self.journal.saw("unknown: passed"),
            Evidence::CannotTell => self.journal.saw("unknown: held"),
            Evidence::Resend => {
                text.resends += 1;
                let words = text.words.clone();
                book.alike.get_mut(&words).unwrap().resends += 1;
                self.journal.saw("unknown: sent again untold");
            }
        }
        if let Some(wrong) = wrong {
            self.journal.broken(wrong);
        }
    }

    pub fn saw_resend(&self, answer: &Result<Message, ResendError>, id: MessageId) {
        if answer.is_ok() {
            self.journal.saw("text sent again by hand");
            let mut book = self.book();
            let text = book.texts.get_mut(&id).unwrap();
            text.resends += 1;
            // Somebody has seen what it says, and who has the conversation now.
            text.fenced = false;
            let words = text.words.clone();
            book.alike.get_mut(&words).unwrap().resends += 1;
        }
    }

    pub fn saw_receipt(&self, answer: &Result<ReceiptOutcome, StoreError>, receipt: &Receipt) {
        match answer {
            Ok(ReceiptOutcome::Advanced(id, _)) => {
                self.journal.saw("receipt advanced");
                if let Some(message) = self.stored(*id) {
                    self.heed(&message, receipt.status.error.as_ref().map(|error| error.class));
                }
            }
            Ok(ReceiptOutcome::Stale(_)) => self.journal.saw("receipt stale"),
            Ok(ReceiptOutcome::Displacing | ReceiptOutcome::Dropped) => {
                self.journal.broken("a receipt was dropped, though there are few");
            }
            Ok(ReceiptOutcome::Parked) => self.journal.saw("receipt parked"),
            Err(_) => {}
        }
    }

    /// The provider was asked about a silent text, and told.
    pub fn saw_told(
        &self,
        answer: &Result<Option<Message>, StoreError>,
        told: Option<&(String, ReceiptStatus)>,
    ) {
        let (Ok(Some(message)), Some((provider_id, status))) = (answer, told) else { return };
        self.journal.note(|| format!("{} is asked about: {:?}", self.title_of(message.id), status.stage));
        self.journal.saw("silent text asked about");
        self.receipt_is_acknowledged(message.id, provider_id, status.stage, false);
    }

    pub fn receipt_is_acknowledged(
        &self,
        id: MessageId,
        provider_id: &str,
        stage: ReceiptStage,
        names_ours: bool,
    ) {
        if stage == ReceiptStage::Delivered {
            let mut book = self.book();
            let text = book.texts.get_mut(&id).unwrap();
            text.told_by_ours |= names_ours;
            if !names_ours {
                text.told_by_theirs.push(provider_id.to_owned());
            }
        }
    }
}
