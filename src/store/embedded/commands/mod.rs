//! The commands that depend on how this engine keeps things: what is erased and cleared away, imported, and kept beside the
//! conversations. All others are in [`crate::store::apply`]. Decides nothing.

pub mod erasure;
pub mod events;
pub mod idempotency;
pub mod import;
pub mod pauses;
pub mod prune;
mod remains;
pub mod sweep;
pub mod tokens;
