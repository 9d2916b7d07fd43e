//! Whole calls through the router, on the store in memory, with a provider that signs with a header.

mod access;
mod bot;
mod console;
mod conversation;
mod customers;
mod desk;
mod documentation;
mod export;
mod fixture;
mod lists;
mod messages;
mod outgoing;
mod receive;
mod refusals;
mod stream;
