//! The use-cases on the reference store, with a provider and a bot that do as they are told, in time that does not pass
//! by itself: what takes hours is tested in milliseconds, to the millisecond.

mod attention;
mod breaker;
mod departure;
mod ear;
mod events;
mod exports;
mod fixture;
mod full;
mod gaps;
mod notices;
mod pace;
mod pauses;
mod reclaim;
mod replies;
mod retention;
mod sending;
mod sharing;
mod silent;
mod turns;
mod unknown;
