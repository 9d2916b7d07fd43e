//! What an admin has a channel do.

pub mod recover;
