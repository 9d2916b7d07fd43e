//! `switchboard` stands between a brand's phone numbers, its bot and its human agents.
//!
//! # The map of the house
//!
//! Eight floors. Each knows only the ones before it in this list; `tests/architecture.rs` keeps it so.
//!
//! | floor | what is there | change it when |
//! |---|---|---|
//! | [`domain`] | pure types and rules: customers, sessions, messages, delivery states, numbers, segments, keywords, pace, retries | a *rule* changes: who may be texted, what STOP does, what a receipt means |
//! | [`store`] | the trait [`store::Store`], a method for each command of the business, and its engines: `embedded` (sled, fjall), `postgres`, `memory` (the reference model) | something has to be *kept* or found again; a new engine is a new folder |
//! | [`provider`] | the trait [`provider::Provider`] and its adapters: `twilio`, and `simulator`, a provider to try and test with | a *carrier's* wire, codes or signature change; a new provider is a new folder |
//! | [`bot`] | the trait [`bot::Bot`] and its adapters: `webhook`, `rasa`, `openai`, `init`, `echo`, `none` | a *conversational system* is spoken to in another way; a new one is a new folder |
//! | [`notify`] | the trait [`notify::Notifier`] and its adapters: `webhook` (Standard Webhooks), `slack` | somebody is *told of events* in another way; a new one is a new folder |
//! | [`gateway`] | the use-cases on those four traits: inbound, conversation, sending, receipts, turns, events | *what happens when* changes: the order of steps, what is retried, what is woken |
//! | [`http`] | axum: the API, one file an endpoint; the webhooks; problems, access, OpenAPI | an *endpoint* is added, or its wire changes |
//! | [`app`] | the only place that names engines, providers and bots: configuration, wiring, life cycle, telemetry, command line | a *key of the configuration* or a *command* is added |
//!
//! # What always holds
//!
//! 1. What was answered `2xx` is on disk. A [`store::Store`] command returns when it is durable, and no handler
//!    answers before.
//! 2. A customer's text is taken once (`record_inbound` knows it by the provider's id); a message leaves once: its
//!    attempt is written down before its request leaves, and an attempt without an answer is settled by evidence
//!    ([`gateway::outbound`]).
//! 3. One conversation stays in order: of each customer only the oldest unsettled text may leave.
//! 4. No number exceeds its pace ([`domain::pace`]), counted in SMS segments.
//! 5. Bot or agent, never both: a session's `version` is the fence ([`domain::conversation`]).
//! 6. Nobody unsubscribed or unconfirmed is texted: asked when a text is queued, and again when it leaves.
//!    Nothing unsigned is believed.
//! 7. Time, randomness and tasks come from their owner ([`gateway::ambient`], [`app`]); below, nothing is ambient.

pub mod app;
pub mod bot;
#[cfg(test)]
mod budget;
pub mod domain;
pub mod gateway;
pub mod http;
pub mod notify;
pub mod provider;
pub mod store;
