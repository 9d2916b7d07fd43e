//! Sessions: read, listed, and changed.

pub mod assign;
pub mod inbox;
pub mod list_of_customer;
pub mod retrieve;
pub mod suggested;
pub mod typing;
pub mod update;

use crate::domain::session::Session;
use crate::http::HttpState;
use crate::http::objects;
use crate::http::problem::Problem;
use crate::store::PageRequest;

/// The names that `?expand=` takes.
const EXPANSIONS: [&str; 5] = ["messages", "customer", "last_message", "attention", "suggested_messages"];
/// How many of a session's messages come with it.
const EXPANDED_MESSAGES: usize = 100;

/// A session, with what was asked for.
async fn expanded(state: &HttpState, session: Session, wishes: &[&str]) -> Result<objects::Session, Problem> {
    let attention = wishes.contains(&"attention").then(|| Box::new(objects::Attention::of(&session)));
    let proposed = wishes.contains(&"suggested_messages");
    let proposed = proposed.then(|| session.suggestions.iter().cloned().map(Into::into).collect());
    let mut object = objects::Session::from(session);
    object.attention = attention;
    object.suggested_messages = proposed;
    if wishes.contains(&"messages") {
        object.messages = Some(newest_messages(state, &object, EXPANDED_MESSAGES).await?);
    }
    if wishes.contains(&"customer") {
        let customer = state.gateway().store().customer(object.customer_id).await?;
        object.customer = customer.map(|customer| Box::new(customer.into()));
    }
    if wishes.contains(&"last_message") {
        object.last_message = newest_messages(state, &object, 1).await?.pop().map(Box::new);
    }
    Ok(object)
}

async fn all_expanded(
    state: &HttpState,
    sessions: Vec<Session>,
    wishes: &[&str],
) -> Result<Vec<objects::Session>, Problem> {
    let mut objects = Vec::with_capacity(sessions.len());
    for session in sessions {
        objects.push(expanded(state, session, wishes).await?);
    }
    Ok(objects)
}

/// The newest messages of the session, the oldest of them first.
async fn newest_messages(
    state: &HttpState,
    session: &objects::Session,
    limit: usize,
) -> Result<Vec<objects::Message>, Problem> {
    let page = state.gateway().store().messages_of(session.id, PageRequest { after: None, limit }).await?;
    Ok(page.items.into_iter().rev().map(objects::Message::from).collect())
}
