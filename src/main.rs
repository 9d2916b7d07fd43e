//! The binary: parses the command line, nothing else.

use std::process::ExitCode;

/// Measured in docs/performance.md: the C library's spends half of a webhook's time outside of the store on finding memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    switchboard::app::main()
}
