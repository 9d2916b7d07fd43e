//! What holds for every bot: the server that they are tested against, and the suite that each of them passes.

mod behaviour;
pub mod server;
