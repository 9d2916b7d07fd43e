//! The bot: what it was told, what came of it, and whether it is called.

pub mod enable;
pub mod replay;
pub mod reply;
pub mod status;
pub mod turns;
