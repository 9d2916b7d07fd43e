//! Placeholder for the map of the house.

pub mod app;
pub mod bot;
pub mod domain;
pub mod provider;
pub mod store;
