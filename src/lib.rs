//! Placeholder for the map of the house.

pub mod bot;
pub mod domain;
pub mod gateway;
pub mod provider;
pub mod store;
