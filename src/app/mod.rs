//! Where everything is put together: the only floor that names engines, providers and bots, and that reads the clock.

pub mod cli;
pub mod config;
pub mod telemetry;
