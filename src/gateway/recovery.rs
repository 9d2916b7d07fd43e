//! What customers texted while nobody took it: the provider is asked for it, and what is not there yet is taken, in order,
//! the way that a webhook takes it. When that is needed is for `gaps` to say, or for whoever runs the daemon.
//!
//! However much it is, it is asked for a day at a time, the oldest first, and each day is taken before the next one is
//! asked for: what fails later has that much less to ask for.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::domain::message::Media;
use crate::domain::time::Timestamp;
use crate::provider::{AskError, ProviderText, Received, ReceivedText, Span};
use crate::store::{Inbound, StoreError};

use super::Gateway;
use super::channels::{Channel, Channels};
use super::metrics::labels;

/// How far back a provider is asked. What is removed by age is older than that: else it could come back.
pub const MOST_BACK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The pauses after which a text's media are asked for again. Then it is taken without: the words count for more.
const MEDIA_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// What came of asking a provider for what was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// What was asked for: texts since then.
    pub since: Timestamp,
    /// Texts that were missing, and are taken now.
    pub taken: usize,
    /// Texts that were there already.
    pub known: usize,
    /// Texts in the provider's list that nothing can be made of.
    pub unreadable: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error("the provider does not list what customers texted")]
    NotListed,
    #[error("the daemon is stopping")]
    Stopping,
    #[error(transparent)]
    Provider(#[from] AskError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sees to it that a channel is asked by one at a time: two would take the same texts out of order.
pub(super) struct Recovery(BTreeMap<String, Mutex<()>>);

impl Recovery {
    pub fn of(channels: &Channels) -> Self {
        Self(channels.iter().map(|channel| (channel.name.clone(), Mutex::default())).collect())
    }
}

impl Gateway {
    /// Asks the channel's provider for what customers texted since `since` (no more than [`MOST_BACK`]), and takes what
    /// is missing. May be repeated: what is there is not taken again.
    pub async fn recover(&self, channel: &Channel, since: Timestamp) -> Result<Recovered, RecoverError> {
        self.recover_by_days(channel, since, |_| {}).await
    }

    /// The same; says after each step until when all is taken.
    pub(super) async fn recover_by_days(
        &self,
        channel: &Channel,
        since: Timestamp,
        taken_until: impl Fn(Timestamp) + Send,
    ) -> Result<Recovered, RecoverError> {
        let recovered = self.ask_and_take(channel, since, taken_until).await;
        match &recovered {
            Ok(Recovered { since, taken, known, unreadable }) => {
                self.metrics.recovery(&channel.name, labels::DONE);
                tracing::info!(channel = channel.name, %since, taken, known, unreadable, "the provider was asked for texts that were missed");
            }
            Err(_) => self.metrics.recovery(&channel.name, labels::FAILED),
        }
        recovered
    }

    async fn ask_and_take(
        &self,
        channel: &Channel,
        since: Timestamp,
        taken_until: impl Fn(Timestamp) + Send,
    ) -> Result<Recovered, RecoverError> {
        if !channel.provider.capability().lists_received {
            return Err(RecoverError::NotListed);
        }
        let _alone = match self.recovery.0.get(&channel.name) {
            Some(channel) => Some(channel.lock().await),
            None => None,
        };
        let since = since.max(self.now().before(MOST_BACK));
        let mut recovered = Recovered { since, taken: 0, known: 0, unreadable: 0 };
        let mut next = Some(since);
        while let Some(from) = next {
            let span = Span::first(from, self.now());
            let Received { texts, complete_until, unreadable } = list(channel, span, since).await?;
            for received in texts {
                self.take_one(channel, received, &mut recovered).await?;
            }
            if complete_until.is_none() {
                recovered.unreadable += unreadable;
            }
            next = complete_until.or(span.until);
            if let Some(until) = next {
                taken_until(until);
            }
        }
        Ok(recovered)
    }

    async fn take_one(
        &self,
        channel: &Channel,
        received: ReceivedText,
        recovered: &mut Recovered,
    ) -> Result<(), RecoverError> {
        if self.is_stopping() {
            return Err(RecoverError::Stopping);
        }
        if self.take_missed(channel, received).await? {
            recovered.taken += 1;
        } else {
            recovered.known += 1;
        }
        Ok(())
    }

    /// `false`: it is there already.
    async fn take_missed(&self, channel: &Channel, received: ReceivedText) -> Result<bool, StoreError> {
        let provider_id = &received.text.provider_id;
        if self.store.text_by_provider_id(&channel.name, provider_id).await?.is_some() {
            return Ok(false);
        }
        let media = if received.has_media { media(channel, provider_id).await } else { Vec::new() };
        let text = ProviderText { media, ..received.text };
        Ok(matches!(self.take_text(channel, text, true).await?, Inbound::Recorded { .. }))
    }
}

/// What came to all senders of the channel in that span, and since `since`, in the order in which it was sent.
async fn list(channel: &Channel, span: Span, since: Timestamp) -> Result<Received, AskError> {
    let mut all = Received::default();
    for sender in &channel.senders {
        let received = channel.provider.list_received(&sender.name, span).await?;
        all.texts.extend(received.texts);
        all.unreadable += received.unreadable;
        all.complete_until = [all.complete_until, received.complete_until].into_iter().flatten().min();
    }
    let until = all.complete_until.unwrap_or(Timestamp::END);
    if until <= span.since {
        return Err(AskError(format!("more texts came at {until} than can be held at once")));
    }
    all.texts.retain(|received| received.text.sent_at >= Some(since) && received.text.sent_at < Some(until));
    all.texts.sort_by_key(|received| received.text.sent_at);
    Ok(all)
}

async fn media(channel: &Channel, provider_id: &str) -> Vec<Media> {
    let mut pauses = MEDIA_PAUSES.into_iter();
    loop {
        match (channel.provider.received_media(provider_id).await, pauses.next()) {
            (Ok(media), _) => return media,
            (Err(_), Some(pause)) => tokio::time::sleep(pause).await,
            (Err(error), None) => {
                tracing::warn!(channel = channel.name, provider_id, %error, "the media of a missed text cannot be had; taken without");
                return Vec::new();
            }
        }
    }
}
