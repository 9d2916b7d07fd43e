//! How the process asks the system for memory.

/// Pages of the usual size: of the huge ones that Linux gives out unasked, an idle daemon would hold twice what it uses, and
/// under load it is no faster by them (docs/performance.md).
#[cfg(target_os = "linux")]
pub fn use_small_pages() {
    // Where that is not possible it only costs memory.
    rustix::thread::disable_transparent_huge_pages(true).ok();
}

#[cfg(not(target_os = "linux"))]
pub fn use_small_pages() {}
