//! Receipts that came before their message's provider id.

use super::Tx;
use crate::store::StoreError;
use crate::store::apply::Parked;
use crate::store::embedded::keys::{ParkedAgeKey, ParkedKey};
use crate::store::embedded::tables::ParkedRow;

impl Tx<'_, '_> {
    /// Adds the receipt at its place in the order of arrival.
    pub fn place_parked(&mut self, parked: &Parked) -> Result<(), StoreError> {
        self.keep_order(parked.order)?;
        let (key, age) = keys_of(parked);
        self.put_entry(&age, &());
        self.put_record(&key, &ParkedRow { receipt: parked.receipt.clone(), at: parked.at })?;
        self.count_parked(1)
    }

    pub fn remove_parked(&mut self, parked: &Parked) -> Result<(), StoreError> {
        let (key, age) = keys_of(parked);
        self.remove(&key);
        self.remove(&age);
        self.count_parked(-1)
    }
}

fn keys_of(Parked { order, at, receipt }: &Parked) -> (ParkedKey, ParkedAgeKey) {
    let (channel, provider_id) = (receipt.channel.clone(), receipt.provider_id.clone());
    let key = ParkedKey { channel: channel.clone(), provider_id: provider_id.clone(), order: *order };
    (key, ParkedAgeKey { at: *at, order: *order, channel, provider_id })
}
