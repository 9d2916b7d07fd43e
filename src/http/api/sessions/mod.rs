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
use crate::store::{Expand, Expanded};

/// The names that `?expand=` takes.
const EXPANSIONS: [&str; 5] = ["messages", "customer", "last_message", "attention", "suggested_messages"];
/// How many of a session's messages come with it.
const EXPANDED_MESSAGES: usize = 100;

/// A session, with what was asked for.
async fn expanded(state: &HttpState, session: Session, wishes: &[&str]) -> Result<objects::Session, Problem> {
    let mut expanded = all_expanded(state, vec![session], wishes).await?;
    Ok(expanded.remove(0))
}

/// The same of many, whose customers and messages are read together.
async fn all_expanded(
    state: &HttpState,
    sessions: Vec<Session>,
    wishes: &[&str],
) -> Result<Vec<objects::Session>, Problem> {
    let wants = |name| wishes.contains(&name);
    let messages = match (wants("messages"), wants("last_message")) {
        (true, _) => EXPANDED_MESSAGES,
        (false, last) => usize::from(last),
    };
    let what = Expand { customer: wants("customer"), messages };
    let beside = if what == Expand::default() {
        vec![Expanded::default(); sessions.len()]
    } else {
        let ids = sessions.iter().map(|session| (session.id, session.customer_id)).collect();
        state.gateway().store().expand(ids, what).await?
    };
    Ok(sessions.into_iter().zip(beside).map(|(session, beside)| expansion(session, beside, wishes)).collect())
}

fn expansion(mut session: Session, beside: Expanded, wishes: &[&str]) -> objects::Session {
    let wants = |name| wishes.contains(&name);
    let attention = wants("attention").then(|| Box::new(objects::Attention::of(&session)));
    let suggestions = std::mem::take(&mut session.suggestions);
    let mut object = objects::Session::from(session);
    object.attention = attention;
    object.suggested_messages =
        wants("suggested_messages").then(|| suggestions.into_iter().map(Into::into).collect());
    object.customer = beside.customer.map(|customer| Box::new(customer.into()));
    if wants("last_message") {
        object.last_message = beside.messages.first().map(|message| Box::new(message.clone().into()));
    }
    if wants("messages") {
        // The oldest of them first.
        object.messages = Some(beside.messages.into_iter().rev().map(Into::into).collect());
    }
    object
}
