//! A real HTTP server in the place of an endpoint.

pub use crate::bot::tests::server::{Server, client, listen};
use crate::domain::event::{Event, What};
use crate::domain::time::Timestamp;
use crate::notify::Notice;

/// An endpoint's address, with a path that nobody is to see.
pub fn hushed(server: &str) -> String {
    format!("{server}/hush-path?key=hush")
}

/// With the session as it was then: nothing has changed since.
pub fn notice(what: What, body: &str) -> Notice {
    let session = match &what {
        What::Session { session, .. } => Some(session.as_ref().clone()),
        _ => None,
    };
    let event = Event { place: 7, at: Timestamp::from_millis(1_700_000_000_000), what };
    Notice { event, session, body: body.to_owned() }
}
