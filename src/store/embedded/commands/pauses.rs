//! Pauses that a provider asked for.

use crate::domain::pause::{Pause, PauseScope};
use crate::store::StoreError;
use crate::store::embedded::keys::PauseKey;
use crate::store::embedded::tx::Tx;

pub fn keep(tx: &mut Tx<'_, '_>, pause: &Pause) -> Result<(), StoreError> {
    let channel = pause.scope.channel().to_owned();
    let sender = match &pause.scope {
        PauseScope::Account { .. } => String::new(),
        PauseScope::Sender(lane) => lane.sender.clone(),
    };
    let key = PauseKey { channel, sender };
    let kept: Option<Pause> = tx.tables().record(&key)?;
    if kept.is_some_and(|kept| kept.until > pause.until) {
        return Ok(());
    }
    tx.put_record(&key, pause)
}
