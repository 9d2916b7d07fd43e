//! The store's commands on a [`super::tx::Tx`]: each loads what it concerns, asks the domain, and keeps what that
//! says. Decides nothing.

pub mod customers;
pub mod events;
pub mod import;
pub mod inbound;
pub mod messages;
pub mod outbound;
pub mod prune;
pub mod receipts;
mod remains;
pub mod sessions;
pub mod sweep;
pub mod tokens;
pub mod turns;

mod erasure;
mod idempotency;
