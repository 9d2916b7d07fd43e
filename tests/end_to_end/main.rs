//! The real binary against real HTTP: a provider that behaves like the real one, a bot, agents with a client.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking, and owns what it starts"
)]

mod backup;
mod bots;
mod commands;
mod consent;
mod conversation;
mod crash;
mod database;
mod events;
mod fixture;
mod full_disk;
mod gaps;
mod pace;
mod race;
mod running;
mod sending;
mod webhooks;
