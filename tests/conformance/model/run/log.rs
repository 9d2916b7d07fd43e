//! The log of events: cut off, and told to endpoints.

use switchboard::domain::endpoint::Delivery;
use switchboard::store::{AdvanceEndpoint, Store};

use super::super::command::{Command, InVain};
use super::super::world::{ENDPOINTS, World, same};
use super::Ran;

impl World {
    pub(super) async fn run_log(&mut self, command: &Command) -> Ran {
        let now = self.now;
        match command.clone() {
            Command::PruneEvents { older_s, limit } => {
                both!(self.prune_events(self.in_seconds(-older_s), limit, now)).ok();
            }
            Command::Advance { endpoint, ago, in_vain, failing } => {
                let mut deliveries = Vec::new();
                for one in in_vain {
                    deliveries.push(self.delivery(InVain { endpoint, ..one }).await);
                }
                let command = AdvanceEndpoint {
                    name: ENDPOINTS[endpoint].to_owned(),
                    position: self.place(ago).await,
                    in_vain: deliveries,
                    reached: Some(!failing),
                    now,
                };
                both!(self.advance_endpoint(command.clone())).ok();
            }
            Command::Switch { endpoint, disabled } => {
                let reason = disabled.then(|| "it is gone".to_owned());
                both!(self.switch_endpoint(ENDPOINTS[endpoint], reason.clone(), now)).ok();
            }
            Command::KeepDelivery { in_vain } => {
                let delivery = self.delivery(in_vain).await;
                both!(self.keep_delivery(delivery.clone(), now)).ok();
            }
            Command::DropDelivery { in_vain } => {
                let Delivery { endpoint, place, .. } = self.delivery(in_vain).await;
                both!(self.drop_delivery(&endpoint, place, now)).ok();
            }
            _ => {}
        }
        Ok(())
    }

    /// So many places ago.
    async fn place(&self, ago: u64) -> u64 {
        self.model.last_event().await.unwrap().saturating_sub(ago)
    }

    async fn delivery(&self, in_vain: InVain) -> Delivery {
        let InVain { endpoint, ago, wait_s } = in_vain;
        Delivery {
            endpoint: ENDPOINTS[endpoint].to_owned(),
            place: self.place(ago).await,
            attempts: 1,
            next_at: wait_s.map(|seconds| self.in_seconds(seconds)),
            last_error: "it answered 503".into(),
            created_at: self.now,
        }
    }
}
