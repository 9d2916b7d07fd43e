//! The objects of the API, as they are written. The documented keys in the documented order; what is absent is null; what is
//! only there when it is asked for (`?expand=`) comes after. Nothing here is read back.

mod attention;
mod customer;
mod delivery;
pub mod event;
mod message;
mod moment;
mod session;
mod token;
mod turn;
pub mod words;

pub use attention::{Attention, SuggestedMessage};
pub use customer::Customer;
pub use delivery::Delivery;
pub use event::Event;
pub use message::Message;
pub use moment::Moment;
pub use session::Session;
pub use token::{MintedToken, Token};
pub use turn::Turn;
