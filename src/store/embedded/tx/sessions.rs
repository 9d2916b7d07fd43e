//! Sessions, with their places in the inbox and in its tags and topics.

use super::{Index, Tx, entry};
use crate::domain::ids::SessionId;
use crate::domain::session::{InboxQueue, Session};
use crate::store::StoreError;
use crate::store::embedded::keys::{
    AssigneeKey, AttentionKey, Family, InboxKey, SessionKey, SessionOfKey, SuggestionKey, TagKey, TopicKey,
};

impl Tx<'_, '_> {
    /// The sessions whose customers wait.
    pub fn waiting_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let waiting = self.tables().entries::<InboxKey, ()>(&InboxKey::within(&InboxQueue::Waiting));
        waiting.map(|entry| Ok(entry?.0.session)).collect()
    }

    /// Replaces the session with that id, or else adds it.
    pub fn put_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let old = self.tables().session(session.id)?;
        if old.as_ref() == Some(session) {
            return Ok(());
        }
        if old.is_none() {
            let order = self.next_order()?;
            self.touch_session(None, session);
            return self.place_session(order, session);
        }
        self.reindex(&old.as_ref().map(index).unwrap_or_default(), index(session));
        self.touch_session(old, session);
        self.put_record(&SessionKey { session: session.id }, session)
    }

    /// Adds the session at that place in the order of its customer's.
    pub fn place_session(&mut self, order: u64, session: &Session) -> Result<(), StoreError> {
        self.keep_order(order)?;
        self.put_entry(&SessionOfKey { customer: session.customer_id, order }, &session.id);
        self.reindex(&Index::new(), index(session));
        self.put_record(&SessionKey { session: session.id }, session)
    }

    pub fn remove_session(&mut self, of: &SessionOfKey, session: &Session) {
        self.remove(of);
        self.reindex(&index(session), Index::new());
        self.remove(&SessionKey { session: session.id });
        self.session_is_gone(session.id);
    }
}

fn index(session: &Session) -> Index {
    let place = session.inbox_place();
    let (queue, since, id) = (place.queue, place.since, session.id);
    let tags = session.tags.iter().map(|tag| TagKey { tag: tag.clone(), queue, since, session: id }.encode());
    let topics = session
        .topics
        .iter()
        .map(|topic| TopicKey { topic: topic.clone(), queue, since, session: id }.encode());
    let inbox = entry(&InboxKey { queue, since, session: id }, &());
    let assigned = session.assignee.iter().cloned();
    let assigned = assigned.map(|assignee| entry(&AssigneeKey { assignee, queue, since, session: id }, &()));
    let attention = session.attend_at.map(|at| entry(&AttentionKey { at, session: id }, &()));
    let proposed = session.suggestions.iter();
    let proposed = proposed.map(|text| entry(&SuggestionKey { suggestion: text.id }, &id));
    let labelled = tags.chain(topics).map(|key| (key, Vec::new()));
    labelled.chain([inbox]).chain(assigned).chain(attention).chain(proposed).collect()
}
