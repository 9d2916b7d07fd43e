//! Texts of unknown fate: the provider is asked for them, and only what is proven absent is sent again. Where nobody can
//! be asked, the channel says what becomes of them.
//!
//! Clocks lie: ours may jump, and may differ from the provider's. A jump ahead only makes the next look, or the passing,
//! come too early: nothing is absent before all looks were made, with their pauses between them. After a jump back what is
//! already planned waits for so much longer, and no more than that.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::delivery::{Evidence, OnUnknown};
use crate::domain::message::Message;
use crate::domain::time::{CLOCK_SKEW, Timestamp};
use crate::provider::{AskError, SentRecord};
use crate::store::StoreError;

use super::asking::Asking;
use crate::gateway::Gateway;
use crate::gateway::metrics::labels;

const POLL: Duration = Duration::from_secs(1);
/// How many of a channel are taken up at once.
const BATCH: usize = 200;
/// A text listed with the same words and so much older than the attempt, which is no other message's, may be ours if our
/// clock was far ahead. Nobody can tell: it is neither taken for the one, nor is the one sent again by itself.
const CLOCK_DOUBT: Duration = Duration::from_secs(60 * 60);
/// When it is looked again where what was found may be another's.
const AMBIGUOUS_PAUSE: Duration = Duration::from_secs(2);
/// A provider that cannot be asked is asked for so long, or until the last look if that is later.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Whether the provider lists a text.
enum Listed {
    This(String),
    /// One that may be it.
    Perhaps,
    Not,
}

/// Settles unknown fates as their looks come due, until the gateway stops.
pub(in crate::gateway) async fn settle_unknown(gateway: Arc<Gateway>) {
    let asking = Asking::new(&gateway, "texts of unknown fate could not be settled");
    let mut trouble = gateway.troubles.watch();
    loop {
        match take_up(&gateway, &asking).await {
            Ok(()) => trouble.over(),
            Err(error) => trouble.met(&error, "texts of unknown fate could not be taken up"),
        }
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = gateway.outbound.unknown.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn take_up(gateway: &Arc<Gateway>, asking: &Asking) -> Result<(), StoreError> {
    // Here, and not where the provider is asked: who waits must not wait for its answer, too, nor for those that are
    // looked for before.
    for message in gateway.store.holding(gateway.now().before(gateway.settings.order_hold), BATCH).await? {
        gateway.pass(&message).await?;
    }
    let due = gateway.store.unknown_due(gateway.now(), BATCH).await?;
    asking.each(gateway, due, |gateway, message| async move { gateway.look_for(&message).await });
    Ok(())
}

impl Gateway {
    fn holds_until(&self, message: &Message) -> Timestamp {
        message.unknown_since().after(self.settings.order_hold)
    }

    /// Lets what comes after the message go. From here on it may arrive out of order, or be found to have arrived.
    async fn pass(&self, message: &Message) -> Result<(), StoreError> {
        let now = self.now();
        let look_at = self.look_by_clock(message).map_or(now, |look_at| look_at.max(now));
        if self
            .store
            .resolve(message.id, message.delivery.attempt_number(), Evidence::Passed { look_at }, now)
            .await?
            .is_some()
        {
            tracing::warn!(
                message = %message.id,
                "it is still unknown whether a text left; its customer's later texts no longer wait for it"
            );
            self.metrics.unknown(&message.delivery.lane.channel, labels::PASSED);
            self.outbound.wake_all();
        }
        Ok(())
    }

    async fn look_for(&self, message: &Message) -> Result<(), StoreError> {
        let evidence = self.evidence_for(message).await?;
        if self
            .store
            .resolve(message.id, message.delivery.attempt_number(), evidence.clone(), self.now())
            .await?
            .is_some()
        {
            self.report_evidence(message, &evidence);
            // Nothing else may be queued in its own lane, which then is not running.
            self.outbound.wake(&message.delivery.lane);
            self.outbound.wake_all();
        } else if matches!(evidence, Evidence::Found { .. }) {
            // What was found is another's, or may be that of a text with the same words whose answer is still out.
            let again = Evidence::NotYet { look_at: self.now().after(AMBIGUOUS_PAUSE) };
            self.store.resolve(message.id, message.delivery.attempt_number(), again, self.now()).await?;
        }
        Ok(())
    }

    fn report_evidence(&self, message: &Message, evidence: &Evidence) {
        let (id, looks) = (message.id, message.delivery.looks);
        let outcome = match evidence {
            Evidence::NotYet { .. } | Evidence::Passed { .. } => {
                tracing::info!(message = %id, looks, "a text of unknown fate is not found yet; looked for again");
                return;
            }
            Evidence::Found { .. } => {
                tracing::info!(message = %id, looks, "a text of unknown fate: the provider has it");
                labels::FOUND
            }
            Evidence::Absent => {
                tracing::info!(message = %id, looks, "a text of unknown fate never left; it is sent again");
                labels::ABSENT
            }
            Evidence::CannotTell => {
                tracing::warn!(message = %id, looks, "nobody can tell whether a text left; it is held until somebody decides");
                labels::HELD
            }
            Evidence::Resend => {
                tracing::warn!(message = %id, looks, "nobody can tell whether a text left; it is sent again, as its channel is set up");
                labels::RESENT
            }
        };
        self.metrics.unknown(&message.delivery.lane.channel, outcome);
    }

    async fn evidence_for(&self, message: &Message) -> Result<Evidence, StoreError> {
        let delivery = &message.delivery;
        let Some(channel) = self.channels.get(&delivery.lane.channel) else {
            return Ok(self.nobody_to_ask(message, OnUnknown::Hold));
        };
        if !channel.provider.capability().lists_sent {
            return Ok(self.nobody_to_ask(message, channel.on_unknown));
        }
        // Any attempt that may have left may be the one that is there, not only the last.
        let left_at = delivery.may_have_left_at().unwrap_or(delivery.queued_at);
        match channel
            .provider
            .list_sent(&delivery.lane.sender, &delivery.to, left_at.before(CLOCK_DOUBT))
            .await
        {
            Ok(list) => Ok(match self.unclaimed(message, list, left_at).await? {
                Listed::This(provider_id) => Evidence::Found { provider_id },
                Listed::Perhaps => self.not_there(message, Self::without_evidence(channel.on_unknown)),
                Listed::Not => self.not_there(message, Evidence::Absent),
            }),
            Err(error) => Ok(self.not_answered(message, channel.on_unknown, &error)),
        }
    }

    /// The text in the provider's list that is this one: same words, not older than its first attempt that may have
    /// left, and no other message's of ours. Perhaps, if it is a little too old, or of a twin that has one too many.
    async fn unclaimed(
        &self,
        message: &Message,
        list: Vec<SentRecord>,
        left_at: Timestamp,
    ) -> Result<Listed, StoreError> {
        let mut found = Listed::Not;
        for record in list {
            let alike = record.to == message.delivery.to
                && record.content == message.wire_content()
                && record.created_at >= left_at.before(CLOCK_DOUBT);
            if !alike {
                continue;
            }
            let mut owners = self.store.messages_by_provider_id(&record.provider_id).await?;
            owners.retain(|owner| message.yields_to(owner));
            let in_time = record.created_at >= left_at.before(CLOCK_SKEW);
            if owners.is_empty() && in_time {
                return Ok(Listed::This(record.provider_id));
            }
            // Nobody can tell which of a twin's ids is not its own.
            if owners.is_empty()
                || owners.iter().any(|owner| owner.is_twin_of(message) && owner.has_an_id_too_many())
            {
                found = Listed::Perhaps;
            }
        }
        Ok(found)
    }

    /// `at_last`: what it is if that was the last look.
    fn not_there(&self, message: &Message, at_last: Evidence) -> Evidence {
        self.next_look(message).map_or(at_last, |look_at| self.not_yet(message, look_at))
    }

    fn not_answered(&self, message: &Message, on_unknown: OnUnknown, error: &AskError) -> Evidence {
        tracing::warn!(message = %message.id, %error, "a text of unknown fate could not be looked for");
        let last = self.settings.looks.last();
        let next = self.next_look(message);
        if next.is_some() || self.now() < message.unknown_since().after(last.max(PATIENCE)) {
            self.not_yet(message, next.unwrap_or_else(|| self.now().after(last)))
        } else {
            Self::without_evidence(on_unknown)
        }
    }

    /// There is nobody to ask, but a receipt may still come: for as long as others wait for it if it is to be held, and for
    /// as long as it would have been looked for if it is to be sent again.
    fn nobody_to_ask(&self, message: &Message, on_unknown: OnUnknown) -> Evidence {
        let patience = match on_unknown {
            OnUnknown::Hold => self.settings.order_hold,
            OnUnknown::Resend => self.settings.looks.last(),
        };
        let until = message.unknown_since().after(patience);
        if self.now() < until { self.not_yet(message, until) } else { Self::without_evidence(on_unknown) }
    }

    fn without_evidence(on_unknown: OnUnknown) -> Evidence {
        match on_unknown {
            OnUnknown::Hold => Evidence::CannotTell,
            OnUnknown::Resend => Evidence::Resend,
        }
    }

    /// Seen to again then; or as soon as it has held others for long enough, if that is earlier.
    fn not_yet(&self, message: &Message, look_at: Timestamp) -> Evidence {
        let until = self.holds_until(message);
        Evidence::NotYet { look_at: if message.holds_queue() { look_at.min(until) } else { look_at } }
    }

    /// After this one. None: this was the last.
    fn next_look(&self, message: &Message) -> Option<Timestamp> {
        let now = self.now();
        let by_count =
            || self.settings.looks.pause_after(message.delivery.looks + 1).map(|pause| now.after(pause));
        if now < message.unknown_since() { by_count() } else { self.look_by_clock(message).or_else(by_count) }
    }

    /// None: the last one was due by now, as far as the clock can be believed.
    fn look_by_clock(&self, message: &Message) -> Option<Timestamp> {
        let since = message.unknown_since();
        self.settings.looks.next(self.now().since(since)).map(|after| since.after(after))
    }
}
