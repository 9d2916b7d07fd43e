//! A provider says what became of a text of ours.

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
                // It may have settled an unknown fate, and so let the customer's next text go.
                self.outbound.wake_all();
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
        };
        self.metrics.receipt(&channel.name, label);
        Ok(outcome)
    }
}
