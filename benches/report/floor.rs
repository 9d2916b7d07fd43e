//! What the disk does, while nothing else goes on: one write of 4 KiB after the other, each flushed.

use std::io::Write;
use std::time::{Duration, Instant};

/// How long a write and its `fdatasync` take.
pub struct Flushes {
    pub mean_us: f64,
    pub longest_ms: f64,
}

/// As many as there are in the time that a closed loop takes.
pub fn flushes(lasting: Duration) -> Flushes {
    let mut file = tempfile::tempfile().unwrap();
    let (began, mut many, mut longest) = (Instant::now(), 0_u32, Duration::ZERO);
    while began.elapsed() < lasting {
        let wrote = Instant::now();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        longest = longest.max(wrote.elapsed());
        many += 1;
    }
    Flushes {
        mean_us: began.elapsed().as_secs_f64() * 1e6 / f64::from(many),
        longest_ms: longest.as_secs_f64() * 1e3,
    }
}
