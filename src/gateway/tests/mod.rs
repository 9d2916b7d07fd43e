//! The use-cases on the reference store, with a provider and a bot that do as they are told, in time that does not pass
//! by itself: what takes hours is tested in milliseconds, to the millisecond.

mod departure;
mod exports;
mod fixture;
mod full;
mod gaps;
mod pace;
mod pauses;
mod reclaim;
mod retention;
mod sending;
mod silent;
mod turns;
mod unknown;
