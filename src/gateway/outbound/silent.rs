//! Silent texts: the provider took them, and then said nothing final. It is asked, less and less often; what it answers
//! counts as a receipt does, and no answer changes nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::delivery::ReceiptStatus;
use crate::domain::message::Message;
use crate::domain::retry::MOST_ASKS;
use crate::store::{Silent, StoreError};

use super::asking::Asking;
use crate::gateway::Gateway;
use crate::gateway::metrics::labels;

const POLL: Duration = Duration::from_secs(10);
/// How many of a channel are taken up at once.
const BATCH: usize = 100;
/// What the provider took before that is not asked about any more, as when asking was switched off for a while.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Asks about silent texts as their times come, until the gateway stops.
pub(in crate::gateway) async fn ask_about_silent(gateway: Arc<Gateway>) {
    let asking = Asking::new(&gateway, "what a provider says of silent texts could not be kept");
    let mut trouble = gateway.troubles.watch();
    while gateway.settings.asks.steps().next().is_some() {
        match gateway.silent().await {
            Ok(silent) => {
                trouble.over();
                asking.each(
                    &gateway,
                    silent,
                    |gateway, message| async move { gateway.ask_about(&message).await },
                );
            }
            Err(error) => trouble.met(&error, "silent texts could not be read"),
        }
        if gateway.rest(POLL).await.is_err() {
            return;
        }
    }
}

impl Gateway {
    async fn silent(&self) -> Result<Vec<Message>, StoreError> {
        let now = self.now();
        let mut silent = Vec::new();
        for (asks, after) in self.settings.asks.steps() {
            let filter = Silent { asks, from: now.before(FORGOTTEN), until: now.before(after) };
            silent.extend(self.store.silent(filter, BATCH).await?);
        }
        Ok(silent)
    }

    async fn ask_about(&self, message: &Message) -> Result<(), StoreError> {
        let name = &message.delivery.lane.channel;
        let channel = self.channels.get(name).filter(|channel| channel.provider.capability().fetches_status);
        let (Some(channel), Some(provider_id)) = (channel, message.delivery.provider_ids.last()) else {
            // Nobody to ask, now and later.
            return self.store.take_answer(message.id, MOST_ASKS, None, self.now()).await.map(drop);
        };
        let silent_for = self.now().since(message.delivery.dispatched_at.unwrap_or_default());
        // One more than before, also when the clock was set back.
        let asks = self.settings.asks.over(silent_for).max(message.delivery.asks + 1);
        match channel.provider.fetch_status(provider_id, self.now()).await {
            Ok(Some(status)) => self.keep_answer(message, asks, provider_id, status).await,
            Ok(None) => {
                tracing::warn!(message = %message.id, "the provider does not know a text that it took");
                self.metrics.asked(name, labels::NOT_KNOWN);
                self.store.take_answer(message.id, asks, None, self.now()).await.map(drop)
            }
            Err(error) => {
                tracing::warn!(message = %message.id, %error, "the provider could not be asked about a silent text");
                self.metrics.asked(name, labels::NOT_ANSWERED);
                self.store.take_answer(message.id, asks, None, self.now()).await.map(drop)
            }
        }
    }

    async fn keep_answer(
        &self,
        message: &Message,
        asks: u8,
        provider_id: &str,
        status: ReceiptStatus,
    ) -> Result<(), StoreError> {
        let answer = Some((provider_id.to_owned(), status));
        let after = self.store.take_answer(message.id, asks, answer, self.now()).await?;
        if let Some(message) = &after {
            self.heed_opt_out(message);
        }
        let after = after.map_or(message.delivery.status, |message| message.delivery.status);
        let outcome = if after == message.delivery.status { labels::STALE } else { labels::ADVANCED };
        tracing::info!(message = %message.id, status = after.as_str(), "the provider was asked about a silent text");
        self.metrics.asked(&message.delivery.lane.channel, outcome);
        Ok(())
    }
}
