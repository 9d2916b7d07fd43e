//! Makes sled's log writes durable. sled 0.34 ends each of them with Linux's `sync_file_range`, which promises
//! nothing after a power cut: it writes neither the file's length nor the drive's cache. This process therefore
//! has a `sync_file_range` of its own, which the linker prefers to libc's, and which is an `fdatasync`.
//!
//! Counts its calls, so that opening a store can prove that sled's writes come this way. Elsewhere than on Linux
//! sled calls `fsync` itself.
//!
//! `published_sled_control` leaves all of this out. Whoever builds with it loses data: it is there to show that the test
//! of power cuts would see that.

#[cfg(all(target_os = "linux", not(published_sled_control)))]
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(target_os = "linux", not(published_sled_control)))]
static FLUSHES: AtomicU64 = AtomicU64::new(0);

/// How many flushes succeeded since the process began; none where sled needs no help.
pub fn flushes() -> Option<u64> {
    #[cfg(all(target_os = "linux", not(published_sled_control)))]
    let flushes = Some(FLUSHES.load(Ordering::SeqCst));
    #[cfg(not(all(target_os = "linux", not(published_sled_control))))]
    let flushes = None;
    #[cfg(published_sled_control)]
    tracing::error!("this build is the control of a test: the store does NOT survive a power cut");
    flushes
}

#[cfg(all(target_os = "linux", not(published_sled_control)))]
#[expect(
    unsafe_code,
    reason = "a symbol of libc can only be replaced by an exported one, and fdatasync is libc's"
)]
#[unsafe(no_mangle)]
pub extern "C" fn sync_file_range(
    fd: libc::c_int,
    _offset: libc::off64_t,
    _bytes: libc::off64_t,
    _flags: libc::c_uint,
) -> libc::c_int {
    // SAFETY: fdatasync takes any number for a descriptor, and answers -1 to one that is none.
    let outcome = unsafe { libc::fdatasync(fd) };
    if outcome == 0 {
        FLUSHES.fetch_add(1, Ordering::SeqCst);
    }
    outcome
}
