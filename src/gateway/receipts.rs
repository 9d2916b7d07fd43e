//! A provider says what became of a text of ours.

use crate::domain::delivery::{DeliveryError, ErrorClass};
use crate::domain::ids::MessageId;
use crate::provider::ProviderReceipt;
use crate::store::{Receipt, ReceiptOutcome, StoreError};

use super::Gateway;
use super::channels::Channel;
use super::metrics::labels;

impl Gateway {
    /// Takes a believed receipt. What it says is durable when this returns.
    pub async fn receive_receipt(
        &self,
        channel: &Channel,
        receipt: ProviderReceipt,
    ) -> Result<ReceiptOutcome, StoreError> {
        let error = receipt.status.error.clone();
        let receipt = Receipt {
            channel: channel.name.clone(),
            provider_id: receipt.provider_id,
            message_id: receipt.message_id,
            status: receipt.status,
        };
        let outcome = self.store.apply_receipt(receipt, self.now()).await?;
        let label = match outcome {
            ReceiptOutcome::Advanced(message, status) => {
                tracing::info!(channel = channel.name, %message, status = status.as_str(), "a receipt came");
                // An earlier attempt has left: the one that is about to must not.
                self.outbound.in_flight.stop(message);
                let opted_out = error.as_ref().is_some_and(|error| error.class == ErrorClass::OptedOut);
                if opted_out && let Some(message) = self.store.message(message).await? {
                    self.heed_opt_out(&message);
                }
                // It may have settled an unknown fate, and so let the customer's next text go.
                self.outbound.wake_all();
                if let Some(error) = &error {
                    self.rest_after_receipt(channel, message, error).await?;
                }
                labels::ADVANCED
            }
            ReceiptOutcome::Stale(message) => {
                tracing::debug!(channel = channel.name, %message, "a receipt said nothing new");
                labels::STALE
            }
            ReceiptOutcome::Parked => {
                tracing::debug!(
                    channel = channel.name,
                    "a receipt for an unknown id is kept until the id appears"
                );
                labels::PARKED
            }
            ReceiptOutcome::Displacing => {
                tracing::warn!(
                    channel = channel.name,
                    "too many receipts for unknown ids are waiting; the oldest was dropped"
                );
                labels::DISPLACING
            }
            ReceiptOutcome::Dropped => {
                tracing::warn!(
                    channel = channel.name,
                    "a receipt was dropped: too many for that unknown id are waiting already"
                );
                labels::DROPPED
            }
        };
        self.metrics.receipt(&channel.name, label);
        Ok(outcome)
    }

    /// What became of a text may ask its sender to rest. Of every receipt, the first time that it comes.
    async fn rest_after_receipt(
        &self,
        channel: &Channel,
        message: MessageId,
        error: &DeliveryError,
    ) -> Result<(), StoreError> {
        if channel.provider.rest_after(error, self.now()).is_some()
            && let Some(message) = self.store.message(message).await?
        {
            self.rest_after(channel, &message.delivery.lane, error, None).await;
        }
        Ok(())
    }
}
