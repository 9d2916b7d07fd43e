//! What a life of the gateway is made of: the store, the provider and the bot, as far as it can reach them. Each call
//! has boundaries; a life that ends at one of them, or that has ended, never comes back from it.

mod bot;
mod provider;
mod store;

pub use bot::MortalBot;
pub use provider::MortalProvider;
pub use store::MortalStore;
