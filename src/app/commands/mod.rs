//! What the commands do, one file each.

pub mod check;
pub mod doctor;
pub mod export;
pub mod import;
pub mod migrate;
pub mod recover;
pub mod serve;
pub mod simulate;
pub mod token;
