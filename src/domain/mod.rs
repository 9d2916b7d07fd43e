//! Pure types and rules. No I/O, no clock, no randomness: they come in as values.

pub mod keywords;
pub mod phone;
pub mod segments;
