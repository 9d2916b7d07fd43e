//! Whole calls through the router, on the store in memory, with a provider that signs with a header.

mod access;
mod conversation;
mod customers;
mod documentation;
mod export;
mod fixture;
mod lists;
mod messages;
mod receive;
mod refusals;
