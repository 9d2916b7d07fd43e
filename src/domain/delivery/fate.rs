//! A message of unknown fate: what evidence about it does, how long others wait for it, and who decides where there is no
//! evidence to be had.

use std::borrow::Borrow;
use std::time::Duration;

use super::{DeliveryError, ErrorClass, Evidence, Status};
use crate::domain::message::Message;
use crate::domain::session::{FIRST_VERSION, Session};
use crate::domain::time::Timestamp;

/// What was found out about an attempt that ended without an answer. `receipt` is the fifth.
const FOUND: &str = "found";
const ABSENT: &str = "absent";
/// Nobody could tell, and it was sent again all the same: as its channel is set up, or since somebody decided so.
const RESENT: &str = "resent";
const RESENT_BY_HAND: &str = "resent_by_hand";

fn nobody_can_tell(then: &str) -> DeliveryError {
    let text = format!("nobody can tell whether the provider took it; {then}");
    DeliveryError { code: None, class: ErrorClass::Unknown, text }
}

/// Whose a receipt is that names one message by our id and one by the provider's: whom our id names. But an id that a text
/// with the same words has claimed ([`Evidence::Found`]) stays with that one, and the other is looked for: if both took it
/// for theirs, one of them would be lost.
pub fn whose<M: Borrow<Message>>(by_our_id: Option<M>, by_its_id: Option<M>) -> Option<M> {
    match (by_our_id, by_its_id) {
        (Some(ours), Some(its)) if its.borrow().is_twin_of(ours.borrow()) => Some(its),
        (ours, its) => ours.or(its),
    }
}

impl Message {
    /// Whether the evidence counts: its fate is unknown, and it is that attempt which was looked for. Once nobody looks for it any more it is never queued or looked for
    /// again by itself; only that it was found still counts.
    pub fn takes_evidence(&self, attempt: u32, evidence: &Evidence) -> bool {
        let counts = match evidence {
            Evidence::Found { .. } => true,
            Evidence::Passed { .. } => self.holds_queue(),
            Evidence::NotYet { .. } | Evidence::Absent | Evidence::CannotTell | Evidence::Resend => {
                self.delivery.look_at.is_some()
            }
        };
        self.delivery.status == Status::Unknown && self.delivery.attempt_number() == attempt && counts
    }

    /// Whether the two say the same to the same number, so that nothing but the provider's id tells what left of the one
    /// from what left of the other.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        self.id != other.id
            && self.customer_id == other.customer_id
            && self.delivery.to == other.delivery.to
            && self.wire_content() == other.wire_content()
    }

    /// Whether an id of the provider's that is `owner`'s says that what is listed under it is not this one. Ids are an
    /// account's, and channels may share one; where they do not, two of the same name belong to texts of other words.
    pub fn yields_to(&self, owner: &Self) -> bool {
        let same_channel = self.delivery.lane.channel == owner.delivery.lane.channel;
        self.id != owner.id && (same_channel || owner.is_twin_of(self))
    }

    /// Whether one of the ids that it has must be another's: of a twin's, taken for its own before its own was known.
    pub fn has_an_id_too_many(&self) -> bool {
        usize::try_from(self.delivery.attempt_number())
            .is_ok_and(|attempts| self.delivery.provider_ids.len() > attempts)
    }

    /// Whether what the provider lists may be `in_hand`'s as well, whose answer is still out: nobody else can claim it now.
    pub fn waits_for_twin(&self, in_hand: &Self) -> bool {
        in_hand.delivery.status == Status::Sending && self.is_twin_of(in_hand)
    }

    /// Settles an unknown fate by evidence, or says how it goes on without.
    pub fn resolve(&mut self, evidence: &Evidence, now: Timestamp) {
        self.updated_at = now;
        match evidence {
            Evidence::Found { provider_id } => {
                self.note_evidence(FOUND);
                self.adopt(provider_id, now);
            }
            Evidence::NotYet { look_at } => {
                self.delivery.looks += 1;
                self.delivery.look_at = Some(*look_at);
            }
            Evidence::Passed { look_at } => {
                self.pass(now);
                self.delivery.look_at = Some(*look_at);
            }
            Evidence::Absent => {
                self.note_evidence(ABSENT);
                self.requeue(now);
            }
            Evidence::Resend => {
                self.note_evidence(RESENT);
                self.delivery.error = Some(nobody_can_tell("sent again, as its channel is set up"));
                self.requeue(now);
            }
            Evidence::CannotTell => {
                self.pass(now);
                self.delivery.look_at = None;
                self.delivery.held_at = Some(now);
                self.delivery.error = Some(nobody_can_tell("held until somebody decides"));
            }
        }
    }

    /// Whether nobody looks for it any more, so that a person has to decide.
    pub fn is_held(&self) -> bool {
        self.delivery.status == Status::Unknown && self.delivery.look_at.is_none()
    }

    /// Somebody decided to send one that is held again: it is queued at its old place, and worth sending for that long. That
    /// it was recalled is what they decided on, too.
    pub fn resend(&mut self, valid_for: Duration, now: Timestamp) {
        self.note_evidence(RESENT_BY_HAND);
        self.delivery.error = Some(nobody_can_tell("sent again, as somebody decided"));
        self.delivery.overtaken = true;
        self.delivery.recalled = false;
        self.delivery.valid_until = self.delivery.valid_until.map(|until| until.max(now.after(valid_for)));
        self.requeue(now);
        self.updated_at = now;
    }

    /// Whether agents have taken the conversation since: `own` is its session, `newest` the customer's newest.
    pub fn is_silenced(&self, own: &Session, newest: &Session) -> bool {
        self.author.is_bot() && (own.need_attention || newest.need_attention)
    }

    /// While others do not wait for it, a switch to the agents does not find it: it is asked here, before it may be queued
    /// again. Also where the bot has the conversation again: what it said before, agents have made obsolete.
    pub fn heed_switch(&mut self, own: &Session, newest: &Session) {
        let switched = self.delivery.session_version.is_some_and(|version| version != own.version);
        let elsewhere = newest.id != own.id && newest.version > FIRST_VERSION;
        let obsolete = self.author.is_bot() && (switched || elsewhere);
        if self.delivery.overtaken && (obsolete || self.is_silenced(own, newest)) {
            self.delivery.recalled = true;
        }
    }

    /// When its fate became unknown.
    pub fn unknown_since(&self) -> Timestamp {
        let last = self.delivery.attempts.last();
        last.map_or(self.delivery.queued_at, |attempt| attempt.ended_at.unwrap_or(attempt.at))
    }

    /// Since when its customer's later texts wait for its fate.
    pub fn holds_since(&self) -> Option<Timestamp> {
        let holds = self.delivery.status == Status::Unknown && self.holds_queue();
        holds.then(|| self.unknown_since())
    }

    fn pass(&mut self, now: Timestamp) {
        if !self.delivery.overtaken {
            self.delivery.overtaken = true;
            self.delivery.passed_at = Some(now);
        }
    }

    pub(super) fn note_evidence(&mut self, evidence: &str) {
        if self.delivery.status == Status::Unknown
            && let Some(attempt) = self.delivery.attempts.last_mut()
        {
            attempt.evidence = Some(evidence.to_owned());
        }
    }
}
