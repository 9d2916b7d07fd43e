//! A channel of Slack's, or of anything that takes the same incoming webhooks (Mattermost, Rocket.Chat, Discord with
//! `/slack`): told when a customer waits for an agent, and when one has waited for long. Names no customer and quotes nobody: who
//! may read the channel need not be who may read customers' texts. The link leads to the conversation. Whoever is not waiting any
//! more when it is told, or was erased, is not told of.

use async_trait::async_trait;
use http::HeaderMap;
use serde_json::json;

use super::call::{Call, SetupError};
use super::{Notice, Notifier, NotifyError};
use crate::domain::conversation::own_reason;
use crate::domain::event::{Event, SessionChange, What};
use crate::domain::session::Session;

pub struct SlackNotifier {
    call: Call,
    /// Where the agents' page is.
    console_url: String,
}

impl SlackNotifier {
    /// `client` follows no redirect.
    pub fn new(url: &str, console_url: String, client: reqwest::Client) -> Result<Self, SetupError> {
        Ok(Self { call: Call::new(url, client)?, console_url })
    }

    fn words(&self, event: &Event, session: &Session) -> String {
        let waiting = session.waiting_since.map_or(0, |since| event.at.since(since).as_secs() / 60);
        let what = match (session.escalations, &session.assignee) {
            (0, _) => "A customer needs an agent".to_owned(),
            (_, None) => {
                format!("A customer has waited for {waiting} min, and nobody has taken the conversation")
            }
            (_, Some(name)) => format!("A customer of {} has waited for {waiting} min", plain(name)),
        };
        let reason = session.attention_reason.as_deref().and_then(own_reason);
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        format!("{what}{reason}. <{}#/c/{}|Open the conversation>", self.console_url, session.customer_id)
    }
}

/// An agent's name, so that it calls nobody: Slack's three special characters, as its documentation escapes them, and
/// the sign that others take for a call, which nothing that can be seen stands behind.
fn plain(name: &str) -> String {
    name.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('@', "@\u{200b}")
        .replace(char::is_control, " ")
}

/// The session, if somebody waits in it and agents are to be told so now.
fn calls_for_an_agent(event: &Event) -> Option<&Session> {
    match &event.what {
        What::Session {
            change: SessionChange::Created | SessionChange::Waits | SessionChange::Escalated,
            session,
        } => {
            // Whoever has it need not be told that their customer has answered.
            let is_told = |session: &&Session| session.assignee.is_none() || session.escalations > 0;
            Some(session.as_ref()).filter(|session| waits(session)).filter(is_told)
        }
        _ => None,
    }
}

fn waits(session: &Session) -> bool {
    session.need_attention && session.waiting_since.is_some()
}

#[async_trait]
impl Notifier for SlackNotifier {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn wants(&self, event: &Event) -> bool {
        calls_for_an_agent(event).is_some()
    }

    async fn tell(&self, notice: &Notice) -> Result<(), NotifyError> {
        let still_waits = notice.session.as_ref().filter(|session| waits(session));
        let (Some(_), Some(session)) = (calls_for_an_agent(&notice.event), still_waits) else {
            return Ok(());
        };
        let body = json!({"text": self.words(&notice.event, session)}).to_string();
        self.call.post(HeaderMap::new(), body).await
    }
}

#[cfg(test)]
mod tests;
