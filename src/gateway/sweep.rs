//! Housekeeping: what has waited for too long expires, what need not be remembered is forgotten.

use std::sync::Arc;
use std::time::Duration;

use super::Gateway;

const PAUSE: Duration = Duration::from_secs(5);
const BATCH: usize = 500;

/// Sweeps until the gateway stops.
pub(super) async fn sweep(gateway: Arc<Gateway>) {
    let mut trouble = gateway.troubles.watch();
    loop {
        let pause = match gateway.store.sweep(gateway.now(), BATCH).await {
            Ok(swept) => {
                trouble.over();
                if !swept.expired.is_empty() {
                    tracing::warn!(
                        messages = swept.expired.len(),
                        "texts waited longer than they are worth; expired"
                    );
                    gateway.outbound.wake_all();
                }
                if swept.more { Duration::ZERO } else { PAUSE }
            }
            Err(error) => {
                trouble.met(&error, "the store could not be swept");
                PAUSE
            }
        };
        if gateway.rest(pause).await.is_err() {
            return;
        }
    }
}
