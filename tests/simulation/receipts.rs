//! The provider's receipts: early, late, twice, out of order, contradictory, or never; with our id or without.

use std::sync::Arc;
use std::time::Duration;

use switchboard::domain::delivery::{ErrorClass, ReceiptStage};
use switchboard::domain::ids::MessageId;
use switchboard::provider::ProviderReceipt;

use crate::network::{error, status};
use crate::plan::channel_of;
use crate::world::World;

impl World {
    /// The provider took a text: it will say what becomes of it.
    /// Returns what becomes of it in the end, if it ever says so, and after how long that is known.
    pub fn send_receipts(
        self: &Arc<Self>,
        message_id: MessageId,
        provider_id: &str,
        sender: &str,
    ) -> Option<(ReceiptStage, Duration)> {
        let dice = &self.dice.receipts;
        let names_ours = dice.chance(self.plan.receipts_name_ours);
        let last = dice.weighted(&[
            (12, Some(ReceiptStage::Delivered)),
            (2, Some(ReceiptStage::Undelivered)),
            (1, Some(ReceiptStage::Failed)),
            (2, None),
        ]);
        let mut stages: Vec<_> =
            [Some(ReceiptStage::Taken), Some(ReceiptStage::Sent), last].into_iter().flatten().collect();
        let end = last.map(|last| (last, Duration::from_secs(5)));
        let wrong = self.is_chaotic() && dice.chance(self.plan.receipts_go_wrong);
        if wrong {
            self.disturb(&mut stages);
        }
        let mut at = Duration::ZERO;
        for stage in stages {
            at += Duration::from_millis(dice.between(0..=dice.weighted(&[(4, 30), (4, 2_000), (1, 30_000)])));
            let at = if wrong { Duration::from_millis(dice.between(0..=40_000)) } else { at };
            let opted_out = stage == ReceiptStage::Failed && dice.chance(3_000);
            let error = match stage {
                ReceiptStage::Failed if opted_out => Some(error(ErrorClass::OptedOut)),
                ReceiptStage::Failed | ReceiptStage::Undelivered => Some(error(ErrorClass::Permanent)),
                _ => None,
            };
            let receipt = Receipt {
                provider_id: provider_id.to_owned(),
                message_id,
                channel: channel_of(sender),
                names_ours,
                stage,
                error,
                tries: if wrong { dice.between(1..=2) } else { 12 },
            };
            self.spawn(Arc::clone(self).deliver(receipt, at));
        }
        end
    }

    fn disturb(&self, stages: &mut Vec<ReceiptStage>) {
        let dice = &self.dice.receipts;
        match dice.between(0..=3) {
            0 => {
                self.journal.saw("receipts repeated");
                let again = *dice.pick(stages);
                stages.extend([again, again]);
            }
            1 => {
                self.journal.saw("receipts reordered");
                stages.reverse();
            }
            2 => {
                self.journal.saw("receipts contradict");
                stages.extend([ReceiptStage::Undelivered, ReceiptStage::Delivered, ReceiptStage::Failed]);
            }
            _ => {
                self.journal.saw("receipts lost");
                stages.clear();
            }
        }
    }

    /// Told until it is taken, or until the provider has had enough.
    async fn deliver(self: Arc<Self>, receipt: Receipt, after: Duration) {
        tokio::time::sleep(after).await;
        for _ in 0..receipt.tries {
            let told = self.ask(|gateway| {
                let (receipt, at) = (&receipt, gateway.now());
                async move {
                    let channel = gateway.channel(receipt.channel).unwrap();
                    gateway.receive_receipt(channel, receipt.as_told(at)).await
                }
            });
            if let Some(Ok(outcome)) = told.await {
                self.journal.note(|| {
                    format!("receipt {:?} of {} is taken: {outcome:?}", receipt.stage, receipt.provider_id)
                });
                self.audit.receipt_is_acknowledged(
                    receipt.message_id,
                    &receipt.provider_id,
                    receipt.stage,
                    receipt.names_ours,
                );
                return;
            }
            tokio::time::sleep(Duration::from_millis(self.dice.receipts.between(500..=8_000))).await;
        }
    }
}

struct Receipt {
    provider_id: String,
    message_id: MessageId,
    channel: &'static str,
    names_ours: bool,
    stage: ReceiptStage,
    error: Option<switchboard::domain::delivery::DeliveryError>,
    tries: u64,
}

impl Receipt {
    fn as_told(&self, at: switchboard::domain::time::Timestamp) -> ProviderReceipt {
        ProviderReceipt {
            provider_id: self.provider_id.clone(),
            message_id: self.names_ours.then_some(self.message_id),
            status: status(self.stage, self.error.clone(), at),
        }
    }
}
