//! What remains of conversations that are gone. One commit makes them gone for everybody, however long they were: it takes
//! what is live, and the session that leads to all else, and clears away as much as is soon done. The rest is cleared
//! away by the sweeps, a bounded part each, in this process or the next. Until then [`Tables::is_gone`] hides it.
//!
//! [`Tables::is_gone`]: crate::store::embedded::tables::Tables::is_gone

use std::collections::BTreeSet;

use super::idempotency;
use crate::domain::ids::{CustomerId, SessionId};
use crate::domain::message::Message;
use crate::domain::session::Session;
use crate::store::StoreError;
use crate::store::apply::missing;
use crate::store::embedded::codec;
use crate::store::embedded::keys::{Family, MessageKey, RemainsKey, SessionOfKey};
use crate::store::embedded::kv::Direction;
use crate::store::embedded::tables::Remains;
use crate::store::embedded::tx::Tx;

/// How many messages and turns are cleared away in the same commit: all that most have, and some milliseconds' work.
const AT_ONCE: usize = 200;
/// How many by a sweep, which goes on at once if there is more: commands that share its commit hardly notice.
const PER_SWEEP: usize = 100;

/// Makes these conversations gone.
pub fn leave(
    tx: &mut Tx<'_, '_>,
    sessions: &[(SessionOfKey, SessionId)],
    remains: &Remains,
) -> Result<(), StoreError> {
    if sessions.is_empty() {
        return Ok(());
    }
    for message in live_messages(tx, sessions)? {
        clear_message(tx, &message, remains)?;
    }
    for (key, id) in sessions {
        let session: Session = tx.tables().session(*id)?.ok_or_else(|| missing("a session"))?;
        tx.remove_open_turns(*id)?;
        tx.remove_session(key, &session);
        tx.put_record(&RemainsKey { session: *id }, remains)?;
    }
    clear(tx, AT_ONCE)?;
    Ok(())
}

/// What would still leave or be asked about: found by the indexes that lead to it, which nothing else does.
fn live_messages(
    tx: &Tx<'_, '_>,
    sessions: &[(SessionOfKey, SessionId)],
) -> Result<Vec<Message>, StoreError> {
    let ids: BTreeSet<SessionId> = sessions.iter().map(|(_, id)| *id).collect();
    let customers: BTreeSet<CustomerId> = sessions.iter().map(|(key, _)| key.customer).collect();
    let mut live = Vec::new();
    for customer in customers {
        for open in tx.tables().open_messages(customer) {
            live.push(open?);
        }
    }
    live.retain(|message| ids.contains(&message.session_id));
    Ok(live)
}

/// A sweep's part of clearing away. Whether there is more.
pub fn sweep(tx: &mut Tx<'_, '_>, limit: usize) -> Result<bool, StoreError> {
    clear(tx, limit.min(PER_SWEEP))
}

/// Clears away what remains, of the first conversations first: `limit` messages and turns at the most. Whether there is
/// more.
fn clear(tx: &mut Tx<'_, '_>, limit: usize) -> Result<bool, StoreError> {
    let mut left = limit;
    while left > 0 {
        let first = tx.tables().scan(&RemainsKey::all(), Direction::Forward).next().transpose()?;
        let Some((key, value)) = first else { return Ok(false) };
        let key = RemainsKey::decode(&key)?;
        let remains: Remains = codec::decode(&value)?;
        let messages = tx.tables().records::<Message>(&MessageKey::within(&key.session)).take(left);
        let messages: Vec<Message> = messages.collect::<Result<_, _>>()?;
        for message in &messages {
            clear_message(tx, message, &remains)?;
        }
        left -= messages.len();
        left -= tx.remove_closed_turns(key.session, left)?;
        if left > 0 {
            tx.remove(&key);
        }
    }
    Ok(tx.tables().scan(&RemainsKey::all(), Direction::Forward).next().transpose()?.is_some())
}

fn clear_message(tx: &mut Tx<'_, '_>, message: &Message, remains: &Remains) -> Result<(), StoreError> {
    let at = tx.tables().message_at(message.id)?.ok_or_else(|| missing("a message's place"))?;
    if let Some(name) = &at.idempotency {
        idempotency::forget_of_session(tx, name, message.session_id)?;
    }
    if message.is_inbound() && remains.forget_received {
        tx.forget_received(message)?;
    }
    tx.remove_message(message, &at)
}
