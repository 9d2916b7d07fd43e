//! Tokens that are minted at run time; those of the configuration are not listed here and cannot be revoked here.
//! For admins.

pub mod list;
pub mod mint;
pub mod revoke;
