//! Messages: written, read, and what became of them.

pub mod cancel;
pub mod create;
pub mod delivery;
pub mod held;
pub mod list;
pub mod resend;
pub mod retrieve;
