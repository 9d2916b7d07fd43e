//! Conversations that are over, removed for their age.

use super::remains;
use crate::domain::ids::SessionId;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::store::apply::missing;
use crate::store::embedded::codec;
use crate::store::embedded::keys::{Family, OpenTurnKey, SessionKey, SessionOfKey};
use crate::store::embedded::kv::Direction;
use crate::store::embedded::tables::{Remains, Tables};
use crate::store::embedded::tx::Tx;
use crate::store::{Pruned, StoreError};

/// Looks for sessions that are over; also the first that was not looked at. Read outside of the committer: most of what
/// there is to be looked at is not over.
pub fn candidates(
    tables: Tables<'_>,
    before: Timestamp,
    from: Option<SessionId>,
    limit: usize,
) -> Result<(Vec<SessionId>, Option<SessionId>), StoreError> {
    let mut range = SessionKey::all();
    if let Some(session) = from {
        range.start = SessionKey { session }.encode();
    }
    let mut over = Vec::new();
    for (looked_at, pair) in tables.scan(&range, Direction::Forward).enumerate() {
        let (key, value) = pair?;
        let SessionKey { session: id } = SessionKey::decode(&key)?;
        if id.made_at() >= before {
            break;
        }
        if looked_at >= limit {
            return Ok((over, Some(id)));
        }
        let session: Session = codec::decode(&value)?;
        if session.is_over(before) {
            over.push(id);
        }
    }
    Ok((over, None))
}

/// Removes those of the candidates that are still over and have nothing open.
pub fn prune(tx: &mut Tx<'_, '_>, candidates: &[SessionId], before: Timestamp) -> Result<Pruned, StoreError> {
    let mut pruned = Pruned::default();
    let mut going = Vec::new();
    for id in candidates {
        let Some(session) = tx.tables().session(*id)?.filter(|session| session.is_over(before)) else {
            continue;
        };
        if !has_anything_open(tx, &session)? {
            pruned.sessions += 1;
            pruned.messages += session.message_count;
            going.push((key_of(tx, &session)?, *id));
        }
    }
    remains::leave(tx, &going, &Remains { forget_received: true })?;
    Ok(pruned)
}

fn has_anything_open(tx: &Tx<'_, '_>, session: &Session) -> Result<bool, StoreError> {
    let turns = tx.tables().scan(&OpenTurnKey::within(&session.id), Direction::Forward).next().transpose()?;
    if turns.is_some() {
        return Ok(true);
    }
    for open in tx.tables().open_messages(session.customer_id) {
        if open?.session_id == session.id {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The oldest sessions of a customer go first, so that it is found soon.
fn key_of(tx: &Tx<'_, '_>, session: &Session) -> Result<SessionOfKey, StoreError> {
    for entry in tx.tables().entries::<SessionOfKey, SessionId>(&SessionOfKey::within(&session.customer_id)) {
        let (key, id) = entry?;
        if id == session.id {
            return Ok(key);
        }
    }
    Err(missing("a session's place"))
}
