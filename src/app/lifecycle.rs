//! The life of a daemon: the soft stop on the first signal, the hard stop on the second.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT and SIGTERM, one after the other.
///
/// Beside them SIGXFSZ, whose only use is that it is heard: unheard, it would end the process where a file may not grow
/// any more, instead of failing the write.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    _file_size: Signal,
}

impl StopSignals {
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("SIGTERM")?,
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ)).context("SIGXFSZ")?,
        })
    }

    /// Returns with the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
