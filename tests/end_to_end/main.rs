//! The real binary against real HTTP: a provider that behaves like the real one, a bot, agents with a client.

mod bots;
mod consent;
mod conversation;
mod crash;
mod fixture;
mod running;
mod sending;
mod webhooks;
