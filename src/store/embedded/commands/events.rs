//! What is kept beside the log itself: how long it is, and whom it is told.

use crate::domain::endpoint::{Delivery, Endpoint};
use crate::domain::time::Timestamp;
use crate::store::embedded::keys::{DeliveryDueKey, DeliveryKey, EndpointKey, Family};
use crate::store::embedded::kv::KeyRange;
use crate::store::embedded::tx::Tx;
use crate::store::{AdvanceEndpoint, StoreError};

/// The oldest events, and never the newest.
pub fn prune(tx: &mut Tx<'_, '_>, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let newest = tx.last_event()?;
    let (mut old, mut last) = (0, None);
    for event in tx.tables().events_from(0)?.take(limit) {
        let event = event?;
        if event.at >= before || event.place == newest {
            break;
        }
        old += 1;
        last = Some(event.place);
    }
    if let Some(last) = last {
        tx.forget_events(last)?;
        forget_deliveries(tx, last)?;
    }
    Ok(old)
}

/// What was told in vain up to that place cannot be told again.
fn forget_deliveries(tx: &mut Tx<'_, '_>, up_to: u64) -> Result<(), StoreError> {
    let endpoints: Vec<Endpoint> = tx.tables().records(&EndpointKey::all()).collect::<Result<_, _>>()?;
    for endpoint in endpoints {
        let start = key_of(&endpoint.name, 0).encode();
        let range = KeyRange { start, end: key_of(&endpoint.name, up_to + 1).encode() };
        let old: Vec<Delivery> = tx.tables().records(&range).collect::<Result<_, _>>()?;
        for delivery in old {
            drop_delivery(tx, &delivery.endpoint, delivery.place)?;
        }
    }
    Ok(())
}

pub fn advance(tx: &mut Tx<'_, '_>, command: &AdvanceEndpoint) -> Result<(), StoreError> {
    let AdvanceEndpoint { name, position, in_vain, reached, now } = command;
    let mut endpoint = endpoint(tx, name)?.unwrap_or_else(|| Endpoint::new(name, *position));
    endpoint.advance(*position, *reached, *now);
    put(tx, &endpoint)?;
    in_vain.iter().try_for_each(|delivery| keep_delivery(tx, delivery))
}

pub fn switch(tx: &mut Tx<'_, '_>, name: &str, reason: Option<String>) -> Result<(), StoreError> {
    let last = tx.last_event()?;
    let mut endpoint = endpoint(tx, name)?.unwrap_or_else(|| Endpoint::new(name, last));
    let told = endpoint.switch(reason, tx.now);
    tx.also_tell(told);
    put(tx, &endpoint)
}

fn endpoint(tx: &Tx<'_, '_>, name: &str) -> Result<Option<Endpoint>, StoreError> {
    tx.tables().record(&EndpointKey { name: name.to_owned() })
}

pub fn put(tx: &mut Tx<'_, '_>, endpoint: &Endpoint) -> Result<(), StoreError> {
    tx.put_record(&EndpointKey { name: endpoint.name.clone() }, endpoint)
}

pub fn keep_delivery(tx: &mut Tx<'_, '_>, delivery: &Delivery) -> Result<(), StoreError> {
    drop_delivery(tx, &delivery.endpoint, delivery.place)?;
    if let Some(key) = due_key(delivery) {
        tx.put_entry(&key, &());
    }
    tx.put_record(&key_of(&delivery.endpoint, delivery.place), delivery)
}

pub fn drop_delivery(tx: &mut Tx<'_, '_>, endpoint: &str, place: u64) -> Result<(), StoreError> {
    let key = key_of(endpoint, place);
    let Some(old) = tx.tables().record::<Delivery>(&key)? else { return Ok(()) };
    if let Some(key) = due_key(&old) {
        tx.remove(&key);
    }
    tx.remove(&key);
    Ok(())
}

fn key_of(endpoint: &str, place: u64) -> DeliveryKey {
    DeliveryKey { endpoint: endpoint.to_owned(), place }
}

fn due_key(delivery: &Delivery) -> Option<DeliveryDueKey> {
    let (endpoint, place) = (delivery.endpoint.clone(), delivery.place);
    delivery.next_at.map(|next_at| DeliveryDueKey { endpoint, next_at, place })
}
