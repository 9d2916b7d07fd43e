//! What the disk does: one write of 4 KiB after the other, each flushed.

use std::io::Write;
use std::time::{Duration, Instant};

/// How long a write and its `fdatasync` take: the mean, in microseconds.
pub fn flush_us() -> f64 {
    let mut file = tempfile::tempfile().unwrap();
    let (began, mut many) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        many += 1;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(many)
}
