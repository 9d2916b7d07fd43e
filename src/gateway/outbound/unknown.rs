//! Texts of unknown fate: the provider is asked for them, and only what is proven absent is sent again.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::delivery::Evidence;
use crate::domain::message::Message;
use crate::domain::time::Timestamp;
use crate::provider::{AskError, SentRecord};
use crate::store::StoreError;

use crate::gateway::Gateway;

const POLL: Duration = Duration::from_secs(1);
const BATCH: usize = 200;
/// How far providers' clocks and ours may be apart. Too little would call what is there absent; too much costs nothing
/// but a longer list, since what belongs to another message of ours never counts.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// Asking that fails is repeated this often before the text is left `unknown` for good.
const MOST_LOOKS: u32 = 20;

/// Settles unknown fates as their looks come due, until the gateway stops. Each channel is asked by itself: one that does
/// not answer keeps nobody else waiting.
pub(in crate::gateway) async fn settle_unknown(gateway: Arc<Gateway>) {
    let asking: Arc<Mutex<HashSet<String>>> = Arc::default();
    loop {
        match gateway.store.unknown_due(gateway.now(), BATCH).await {
            Ok(due) => by_channel(due).into_iter().for_each(|(channel, due)| {
                look(&gateway, &asking, channel, due);
            }),
            Err(error) => tracing::error!(%error, "texts of unknown fate could not be read"),
        }
        tokio::select! {
            biased;
            () = gateway.stop.cancelled() => return,
            () = gateway.outbound.unknown.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

fn by_channel(due: Vec<Message>) -> BTreeMap<String, Vec<Message>> {
    let mut channels: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in due {
        channels.entry(message.delivery.lane.channel.clone()).or_default().push(message);
    }
    channels
}

/// Looks for a channel's texts one after the other, unless it is being asked already.
fn look(gateway: &Arc<Gateway>, asking: &Arc<Mutex<HashSet<String>>>, channel: String, due: Vec<Message>) {
    if !asking.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.clone()) {
        return;
    }
    let (gateway, asking) = (Arc::clone(gateway), Arc::clone(asking));
    Arc::clone(&gateway).spawn(async move {
        for message in due {
            let looked = tokio::select! {
                biased;
                () = gateway.stop.cancelled() => break,
                looked = gateway.look_for(&message) => looked,
            };
            if let Err(error) = looked {
                tracing::error!(message = %message.id, %error, "a text of unknown fate could not be settled");
            }
        }
        asking.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel);
    });
}

impl Gateway {
    async fn look_for(&self, message: &Message) -> Result<(), StoreError> {
        let evidence = self.evidence_for(message).await?;
        let words = match &evidence {
            Evidence::Found { .. } => "the provider has it",
            Evidence::NotYet { .. } => "not there yet; looked for again",
            Evidence::Absent => "it never left; sent again",
            Evidence::CannotTell => "the provider cannot say; it stays unknown",
        };
        tracing::info!(message = %message.id, looks = message.delivery.looks, "a text of unknown fate: {words}");
        self.store.resolve(message.id, evidence, self.now()).await?;
        self.outbound.wake_all();
        Ok(())
    }

    async fn evidence_for(&self, message: &Message) -> Result<Evidence, StoreError> {
        let delivery = &message.delivery;
        let Some(channel) = self.channels.get(&delivery.lane.channel) else {
            return Ok(Evidence::CannotTell);
        };
        if !channel.provider.capability().lists_sent {
            return Ok(Evidence::CannotTell);
        }
        // Any attempt that may have left may be the one that is there, not only the last.
        let since = delivery.may_have_left_at().unwrap_or(delivery.queued_at).before(CLOCK_SKEW);
        match channel.provider.list_sent(&delivery.lane.sender, &delivery.to, since).await {
            Ok(list) => match self.unclaimed(&channel.name, message, list, since).await? {
                Some(provider_id) => Ok(Evidence::Found { provider_id }),
                None => Ok(self.not_there(message)),
            },
            Err(error) => Ok(self.not_asked(message, &error)),
        }
    }

    /// The text in the provider's list that is this one: same words, not older than its first attempt that may have
    /// left, and no other message's of ours.
    async fn unclaimed(
        &self,
        channel: &str,
        message: &Message,
        list: Vec<SentRecord>,
        since: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        for record in list {
            let alike = record.to == message.delivery.to
                && record.content == message.wire_content()
                && record.created_at >= since;
            if alike && self.store.message_by_provider_id(channel, &record.provider_id).await?.is_none() {
                return Ok(Some(record.provider_id));
            }
        }
        Ok(None)
    }

    fn not_there(&self, message: &Message) -> Evidence {
        match self.settings.looks.next(message.delivery.looks) {
            Some(pause) => Evidence::NotYet { look_at: self.now().after(pause) },
            None => Evidence::Absent,
        }
    }

    fn not_asked(&self, message: &Message, error: &AskError) -> Evidence {
        tracing::warn!(message = %message.id, %error, "a text of unknown fate could not be looked for");
        let looks = &self.settings.looks;
        if message.delivery.looks < MOST_LOOKS {
            Evidence::NotYet {
                look_at: self.now().after(looks.next(message.delivery.looks).unwrap_or_else(|| looks.last())),
            }
        } else {
            Evidence::CannotTell
        }
    }
}
