//! What every engine of the store must keep: one test for each promise of `switchboard::store::Store`.
//!
//! A case is a function that opens a store and states a rule in its name. Each file hands its cases to
//! `on_every_engine!`; a case that is forgotten there is dead code, which does not compile.

#![deny(dead_code)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[macro_use]
mod engines;

mod assignment;
mod attention;
mod batching;
mod customers;
mod daemons;
mod endpoints;
mod erasure;
mod events;
mod export;
mod fixture;
mod held;
mod housekeeping;
mod idempotency;
mod inbound;
mod messages;
mod model;
mod outbound;
mod pace;
mod paging;
mod postgres;
mod queue;
mod receipts;
mod reclaim;
mod recovery;
mod replies;
mod retention;
mod search;
mod sessions;
mod silent;
mod suggestions;
mod tokens;
mod turns;
mod unknown;
