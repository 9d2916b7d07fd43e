//! What the tests of all endpoints have in common.

pub mod server;
